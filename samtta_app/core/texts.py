"""Text from data inside files that other programs read: CSV that no spreadsheet runs, JSON that every parser reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from samtta_app.core.names import displayable, storable

if TYPE_CHECKING:
    from rich.text import Text

_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20\t\r\n")
"""Starts of a cell that a spreadsheet takes for a formula (OWASP, "CSV injection").

East Asian spreadsheets accept the wide forms, too.
"""


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a line of heads. Text that a spreadsheet would run gets an apostrophe; numbers stay numbers."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def json_text(value: object, *, indent: int | None = None) -> str:
    """`value` as JSON in UTF-8; it stays readable, and is escaped only where it holds lone surrogates."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def plain_cells(cells: Iterable[str]) -> list[Text]:
    """Cells for a table in a terminal; nothing in them is markup or an emoji's name."""
    from rich.text import Text  # the window's first paint does without it

    return [Text(displayable(cell)) for cell in cells]


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    runs = value.lstrip(" ").startswith(_STARTS) and not _is_number(value)
    text = storable(value).replace("\r\n", "\n").replace("\r", "\n")  # the writer does not quote a lone "\r"
    return f"'{text}" if runs else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
