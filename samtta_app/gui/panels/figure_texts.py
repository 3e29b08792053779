"""How numbers are written in the window."""

from __future__ import annotations

import math

NONE = "–"
"""Stands where there is no figure."""

NO_GAIN = "no gain"

FIGURE_ROWS: tuple[tuple[str, str, str], ...] = (
    ("noc_85", "Clicks to 85 % fit", "NoC₂₀@85: mean clicks to IoU 0.85; failures count as 20"),
    ("noc_90", "Clicks to 90 % fit", "NoC₃₀@90: mean clicks to IoU 0.90; failures count as 30"),
    ("fr_20_85", "85 % not reached", "FR₂₀@85: share of objects that do not reach IoU 0.85 within 20 clicks"),
    ("fr_30_90", "90 % not reached", "FR₃₀@90: share of objects that do not reach IoU 0.90 within 30 clicks"),
)
"""The rows of the table of figures: field of a Side, heading, tool tip."""


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


def figure(name: str, value: float) -> str:
    """A figure of the table: rates in percent, numbers of clicks with one decimal."""
    return percent_text(value) if name.startswith("fr") else number_text(value, 1)
