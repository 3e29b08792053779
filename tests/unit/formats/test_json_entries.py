"""Large JSON files come entry by entry, as `json` reads them as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from samtta_app.formats import json_entries
from samtta_app.formats.json_entries import json_members

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda below: some.lists(below, max_size=4) | some.dictionaries(some.text(), below, max_size=4),
    max_leaves=12,
)


def read(path: Path) -> dict[str, object]:
    return {key: list(value) if isinstance(value, Iterator) else value for key, value in json_members(path)}


@settings(max_examples=60)
@given(value=some.dictionaries(some.text(), VALUES, max_size=5), indent=some.sampled_from([None, 1]))
def test_any_object_is_read_as_json_reads_it(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, object], indent: int | None
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_entries, "READ_BYTES", 7)
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32-be"):
            file.write_bytes(json.dumps(value, indent=indent, ensure_ascii=False).encode(encoding, "surrogatepass"))
            assert read(file) == value


def test_an_array_has_one_member_and_what_is_not_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1, {}, [2], 34]")
    assert read(tmp_path / "a.json") == {"": [1, {}, [2], 34]}
    (tmp_path / "b.json").write_text('{"a": [1, 2, 3], "b": 45}')
    assert [key for key, _ in json_members(tmp_path / "b.json")] == ["a", "b"]
    first = next(value for key, value in json_members(tmp_path / "b.json"))
    assert next(first) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cut off"),
        ("7", "missing at character 1"),
        ('{"a": [1, 2', "cut off"),
        ('{"a": [1, {"b"', "character 11 is cut off or no JSON"),
        ('{"a": [1 2]}', "missing at character 10"),
        ('{"a" 1}', "missing at character 6"),
        ("{3: 1}", "no text"),
        ('{"a": 1} x', "more after its end"),
        ('{"a": nope}', "no JSON"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_said_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=words):
        read(tmp_path / "a.json")


def test_an_entry_without_an_end_is_not_read_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_entries, "READ_BYTES", 10)
    monkeypatch.setattr(json_entries, "LONGEST_ENTRY", 100)
    (tmp_path / "a.json").write_text('{"a": ["' + "x" * 10_000)
    shares: list[float] = []
    with pytest.raises(ValueError, match="character 8 is cut off"):
        [list(value) for _, value in json_members(tmp_path / "a.json", shares.append)]
    assert max(shares) < 0.1


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="regular file"):
        read(tmp_path)
