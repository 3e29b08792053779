"""Names from data become plain file names, stored text and shown text; nothing is lost, and nothing is a path."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samtta_app.core.names import (
    MAX_NAME_BYTES,
    component,
    displayable,
    file_names,
    folded,
    from_text,
    is_component,
    storable,
    to_text,
)

HOSTILE = (
    *("", ".", "..", "...", "../../x", "/abs/photo", "a/b", "a\\b", "..\\..\\x", "C:x", "C:\\x", "\\\\server\\share"),
    *("NUL", "nul", "con.txt", "COM1", "LPT9.tar.gz", "COM\u00b9", "AUX .x", "a\0b", "a\nb", "a\tb", "\x7f", "x" * 300),
    *(
        "\u00e4" * 150,
        "trailing.",
        "trailing ",
        " leading",
        ".hidden",
        "\u2024\u2024",
        "\u2025/x",
        "a\uff0fb",
        "a\u202egnp",
    ),
    *("gr\udcfcn", "\ud800", "a*b?", 'a"b', "a<b>|c", "~/x", "\u200b"),
)
ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


def is_plain(name: str) -> bool:
    """Written from the rules of the three systems, not from the product's own."""
    return (
        0 < len(name.encode()) <= 255
        and Path(name).name == name
        and PureWindowsPath(name).name == name
        and not PureWindowsPath(name).is_reserved()
        and name not in (".", "..")
        and name == name.strip(" .")
        and not set(name) & set('<>:"/\\|?*')
        and name.isprintable() | (" " in name) | any(unicodedata.category(c) == "Zs" for c in name)
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_name_is_its_file_is_a_plain_one(name: str) -> None:
    made = component(name)
    assert is_plain(made), made
    assert made != name
    assert component(name) == made
    assert component(made) == made


@pytest.mark.parametrize(
    "name", ["a", "a.b", "cell 12", "Zellkern äöü", "細胞_3", "a-b_c (1)", "nuclei+wounds", "NULL", "console"]
)
def test_a_plain_name_is_its_own_file(name: str) -> None:
    assert component(name) == name


@given(ANY)
@example("a" * MAX_NAME_BYTES)
@example("\u0958" * 80)  # three bytes that grow to six when composed
def test_any_text_at_all_gives_a_plain_name(name: str) -> None:
    assert is_plain(component(name))


@given(st.lists(ANY | st.sampled_from(["a", "A", "\u00c4", "A\u0308", "\uff21", *HOSTILE]), max_size=12, unique=True))
def test_no_two_names_share_a_file_on_a_system_that_ignores_case(names: list[str]) -> None:
    made = file_names({name: name for name in names})
    assert list(made) == names
    assert len({folded(name) for name in made.values()}) == len(names)
    assert all(map(is_plain, made.values()))


def test_the_same_name_wanted_twice_is_two_files_and_a_crafted_third_is_neither() -> None:
    first = file_names({1: "a", 2: "a"})
    assert len(set(first.values())) == 2
    crafted = file_names({1: "a", 2: "a", 3: first[1], 4: first[2]})
    assert len(set(crafted.values())) == 4
    assert (crafted[3], crafted[4]) == (first[1], first[2])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", True),
        ("..a", True),
        ("", False),
        (".", False),
        ("..", False),
        ("a/b", False),
        ("/a", False),
        ("a\0", False),
    ],
)
def test_what_can_be_an_entry_of_a_folder(name: str, expected: bool) -> None:
    assert is_component(name) is expected


@given(st.binary(min_size=1, max_size=60).filter(lambda raw: b"\0" not in raw))
@example(b"gr\xfcn.png")
@example(b"50%41\xff.png")
@pytest.mark.skipif(sys.platform == "win32", reason="names are not bytes there")
def test_every_name_of_a_file_system_comes_back_from_stored_text(raw: bytes) -> None:
    name = os.fsdecode(raw)
    text = to_text(name)
    text.encode()
    assert from_text(text) == name


@pytest.mark.parametrize("name", ["a.png", "50%.png", "50%20.png", "bytes:x.png", "Zellkern äöü.png", "細胞.tif"])
def test_names_that_are_unicode_are_stored_as_they_are(name: str) -> None:
    assert to_text(name) == from_text(name) == name


def test_names_that_are_not_are_stored_readably() -> None:
    assert to_text("gr\udcfcn 1%.png") == "bytes:/gr%FCn%201%25.png"
    assert to_text("\ud800").isascii()  # no file system gives it; a data set's JSON may


def test_what_cannot_be_shown_is_one_sign() -> None:
    assert displayable("gr\udcfcn\n\x1b[31m.png") == "gr\ufffdn\ufffd\ufffd[31m.png"
    assert displayable("Zellkern äöü 細胞 [b] <i> $x$") == "Zellkern äöü 細胞 [b] <i> $x$"
    assert storable("a\0\udcfc\n\tb") == "a\ufffd\ufffd\n\tb"
