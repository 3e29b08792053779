"""Single values of the database, checked as they are read: a file may hold values that samtta never wrote."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from functools import lru_cache
from typing import Any

from samtta_app.core.names import from_text

LONGEST_SIDE = 10_000_000
"""Longest side of an image, in pixels; a larger coordinate means damage."""

LARGEST_NUMBER = 2**31 - 1
"""Numbers of versions, objects and classes stay below what the window's toolkit can show."""

PIXELS = 1_000_000_000
"""Most pixels of a mask's own rectangle; it is decoded whole, into one byte a pixel."""

LARGE = 1e12
"""A larger figure means damage: in seconds, this is thirty thousand years."""

DbRow = sqlite3.Row
Value = str | int | float | bytes | None


class BadValueError(Exception):
    """A column holds a value that samtta never writes there; the text names the column and the reason."""

    def __init__(self, column: str, value: object, why: str) -> None:
        shown = repr(value)
        super().__init__(f"{column} is {shown if len(shown) <= 40 else shown[:37] + '...'}, {why}")


def decoded(value: bytes) -> str:
    """A text of the database; bytes that are not UTF-8 become lone surrogates, which `text` refuses."""
    return value.decode("utf-8", "surrogateescape")


def name(row: DbRow, column: str) -> str:
    """A file's name, as `to_text` left it."""
    value = row[column]
    found = from_text(value) if isinstance(value, str) and _is_text(value) else ""
    if found and "\0" not in found:
        return found
    raise BadValueError(column, value, "not a file name")


def text(row: DbRow, column: str) -> str:
    """A text, which may be empty."""
    value = row[column]
    if isinstance(value, str) and _is_text(value):
        return value
    raise BadValueError(column, value, "not a text")


def moment(row: DbRow, column: str) -> str:
    """A date and time in ISO form."""
    value = text(row, column)
    try:
        datetime.fromisoformat(value)
    except ValueError as e:
        raise BadValueError(column, value, "not a date") from e
    return value


def whole(row: DbRow, column: str, least: int = 0, most: int = LARGEST_NUMBER) -> int:
    """A whole number."""
    value = row[column]
    if isinstance(value, int) and least <= value <= most:
        return value
    raise BadValueError(column, value, f"not a whole number from {least} to {most}")


def flag(row: DbRow, column: str) -> bool:
    """Yes or no."""
    return bool(whole(row, column, 0, 1))


def flag_or_none(row: DbRow, column: str) -> bool | None:
    """Yes or no, None for NULL."""
    return None if row[column] is None else flag(row, column)


def real(row: DbRow, column: str, least: float = -LARGE, most: float = LARGE) -> float:
    """A number."""
    value = row[column]
    if isinstance(value, int | float) and least <= value <= most:
        return float(value)
    raise BadValueError(column, value, f"not a number from {least:g} to {most:g}")


def number_or_nan(row: DbRow, column: str, least: float = -LARGE, most: float = LARGE) -> float:
    """A number, nan for NULL."""
    return float("nan") if row[column] is None else real(row, column, least, most)


def numbers(row: DbRow, column: str, count: int | None = None, *, most: float = LARGE) -> tuple[float, ...]:
    """Numbers from JSON, -most .. most, null is nan; `count` of them where it is given."""
    values = listed(row, column)
    fine = all(v is None or (_is_number(v) and abs(v) <= most) for v in values)
    if not fine or count not in (None, len(values)):
        raise BadValueError(column, row[column], "not a list of numbers" if count is None else f"not {count} numbers")
    return tuple(float("nan") if v is None else float(v) for v in values)


def wholes(row: DbRow, column: str, count: int) -> tuple[int, ...]:
    """A given number of whole numbers from JSON, 0 .. LONGEST_SIDE."""
    found = _wholes(text(row, column))
    if len(found) != count:
        raise BadValueError(column, row[column], f"not {count} whole numbers from 0 to {LONGEST_SIDE}")
    return found


@lru_cache(maxsize=256)
def _wholes(value: str) -> tuple[int, ...]:
    """Whole numbers from JSON, () where it is anything else; the same few windows come again and again."""
    try:
        values = json.loads(value)
    except (ValueError, RecursionError):
        return ()
    fine = isinstance(values, list) and all(type(v) is int and 0 <= v <= LONGEST_SIDE for v in values)
    return tuple(values) if fine else ()


def listed(row: DbRow, column: str) -> list[Any]:
    """A list from JSON."""
    value = text(row, column)
    try:
        values = json.loads(value)
    except (ValueError, RecursionError) as e:
        raise BadValueError(column, value, "not JSON") from e
    if not isinstance(values, list):
        raise BadValueError(column, value, "not a list")
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
