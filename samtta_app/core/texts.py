"""Text from data inside files that other programs read: CSV that no spreadsheet runs, JSON that every parser takes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence

from rich.text import Text

from samtta_app.core.names import displayable, storable

_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20\t\r\n")
"""A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV injection"); the wide forms in East Asian ones."""


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a line of heads; text that a spreadsheet would run begins with an apostrophe, numbers stay numbers."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def json_text(value: object, *, indent: int | None = None) -> str:
    """`value` as JSON that can be written as UTF-8; readable where it holds no lone surrogates, escaped where it does."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def plain_cells(cells: Iterable[str]) -> list[Text]:
    """Cells for a table of a terminal, in which nothing is markup or an emoji's name."""
    return [Text(displayable(cell)) for cell in cells]


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    runs = value.lstrip(" ").startswith(_STARTS) and not _is_number(value)
    text = storable(value).replace("\r\n", "\n").replace("\r", "\n")  # the writer quotes no lone "\r"
    return f"'{text}" if runs else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
