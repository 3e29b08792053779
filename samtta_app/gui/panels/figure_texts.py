"""How numbers are written in the window."""

from __future__ import annotations

import math

NONE = "–"
"""Stands where there is no figure."""

NO_GAIN = "no gain"


def number_text(value: float | None, digits: int = 2) -> str:
    """`value` with `digits` decimals; a dash where there is none."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def gain(value: float | None) -> str:
    """A gain of a share in whole points; "no gain" where it is none or a loss; a dash where it is not known."""
    if value is None or not math.isfinite(value):
        return NONE
    points = round(value * 100)
    return f"+{points} %" if points > 0 else NO_GAIN


def signed_text(value: float | None) -> str:
    """A difference with its sign and two decimals, as researchers write it; a dash where there is none."""
    return NONE if value is None or not math.isfinite(value) else f"{value:+.2f}".replace("-", "−")


def percent_text(value: float | None, digits: int = 0) -> str:
    """A share 0 .. 1 in percent with `digits` decimals; a dash where there is none."""
    return NONE if value is None or not math.isfinite(value) else f"{value * 100:.{digits}f} %"


def area_text(pixels: int) -> str:
    """An area in pixels with thin spaces between thousands."""
    return f"{pixels:,}".replace(",", "\u202f")


def seconds(value: float | None) -> str:
    """A time in seconds, or in minutes above two of them; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.1f} min"
