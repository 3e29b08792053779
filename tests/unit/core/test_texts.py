"""Tables that no spreadsheet runs, and JSON that parsers take, whatever the text in them is."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samtta_app.core.texts import csv_text, json_text

FORMULAS = (
    *(
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =HYPERLINK(1)",
        "＝1+1",
        "＋a",
        "－a",
    ),
    *("＠a", "=", "-", "+", "@", "--1", "-a.png"),
)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert read(csv_text(("name",), [(text,)])) == [["name"], [f"'{text}".replace("\r", "\n")]]


@pytest.mark.parametrize(
    "value", [-0.5, "-0.5", "-1", "+3", "-1e-05", "1.25", 0, -7, "", "a=b", "a-b", "nan", "object"]
)
def test_numbers_and_plain_text_stay_as_they_are(value: object) -> None:
    assert read(csv_text(("x",), [(value, "end")]))[1] == [str(value), "end"]


@given(st.lists(st.text(st.characters(codec=None, exclude_categories=())), min_size=1, max_size=4))
def test_any_text_is_one_cell_of_utf_8(cells: list[str]) -> None:
    data = csv_text(("a",), [cells]).encode()
    (found,) = read(data.decode())[1:] or [[""]]
    assert len(found) == len(cells)


@pytest.mark.parametrize("indent", [None, 1])
def test_json_is_readable_and_survives_names_that_are_not_utf_8(indent: int | None) -> None:
    assert "Zellkern äöü" in json_text({"a": "Zellkern äöü"}, indent=indent)
    odd = {"name": "gr\udcfcn", "class": "äöü"}
    assert json.loads(json_text(odd, indent=indent).encode()) == odd
