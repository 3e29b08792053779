"""Alternative outlines of an object in the database: JSON of x, y, width, height and run lengths, NULL where there are none."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from samtta_app.core.masks import covers, from_rle, to_rle, trimmed
from samtta_app.core.types import Mask
from samtta_app.session.project.cells import LONGEST_SIDE, PIXELS, BadValueError, listed

ALTERNATIVES = "ALTER TABLE annotations ADD COLUMN alternatives TEXT"
"""Outlines that the annotator kept beside the accepted one."""

_COLUMN = "alternatives"


def packed_alternatives(masks: Sequence[Mask]) -> str | None:
    """The value of the column."""
    if not masks:
        return None
    values = []
    for mask in (trimmed(each.bits, each.x, each.y) for each in masks):
        height, width = mask.bits.shape
        counts = to_rle(Mask(0, 0, mask.bits), height, width).decode("ascii")
        values.append([mask.x, mask.y, width, height, counts])
    return json.dumps(values)


def alternatives_of(row: sqlite3.Row) -> tuple[Mask, ...]:
    """The outlines of a row.

    Raises:
        BadValueError: the column holds what was never written there.
    """
    found = []
    for x, y, width, height, counts in _checked(row):
        try:
            part = from_rle(counts, height, width)
        except ValueError as e:
            raise BadValueError(_COLUMN, counts, str(e)) from e
        found.append(Mask(x + part.x, y + part.y, part.bits))
    return tuple(found)


def check_alternatives(row: sqlite3.Row) -> None:
    """Check the column without decoding a mask.

    Raises:
        BadValueError: it holds what was never written there.
    """
    _checked(row)


def _checked(row: sqlite3.Row) -> list[tuple[int, int, int, int, bytes]]:
    if row[_COLUMN] is None:
        return []
    found, pixels = [], 0
    for entry in listed(row, _COLUMN):
        fine = isinstance(entry, list) and len(entry) == 5 and isinstance(entry[4], str) and entry[4].isascii()
        fine = fine and all(type(v) is int and 0 <= v <= LONGEST_SIDE for v in entry[:4]) and min(entry[2:4]) > 0
        pixels += entry[2] * entry[3] if fine else 0
        if not fine or pixels > PIXELS or not covers(entry[4].encode(), entry[2] * entry[3]):
            raise BadValueError(_COLUMN, row[_COLUMN], "not a list of outlines")
        found.append((*entry[:4], entry[4].encode()))
    return found
