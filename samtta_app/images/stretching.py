"""Display values: 8-bit RGB for display and encoder, made band by band to avoid large copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Opacity = Literal["none", "straight", "multiplied"]
"""Meaning of the channel after the colours: nothing, opacity, or opacity that the colours were already multiplied by."""

DisplayRange = tuple[float, float]
"""The values that become black and white."""

FULL_RANGE: DisplayRange = (0.0, 255.0)
"""The limits of 8-bit values that are shown as they are."""

PERCENTILES = (1.0, 99.0)
"""Percentiles that become black and white where a file is deeper than 8 bit, or dark."""

SAMPLE = 4_000_000
"""Approximate maximum number of values used to find the percentiles."""

_BAND = 4_000_000
"""Values converted to 8 bit at a time: 16 MB as float32."""

DARK_BELOW = 64
"""An 8-bit file with all values below a quarter of the range has fewer bits and looks black, so it is stretched."""

_FEWEST = 256
"""With fewer pixels, the range of a file's values is unknown."""


def to_display(
    raw: Array,
    *,
    separate: bool = False,
    colours: int | None = None,
    opacity: Opacity = "straight",
    dark: bool = True,
    limits: DisplayRange | None = None,
    nodata: float | None = None,
) -> NDArray[np.uint8]:
    """8-bit RGB (H, W, 3) of `raw` (H, W) or (H, W, C), stretched between two percentiles where it is deeper than 8 bit.

    8-bit values are shown unchanged. With `dark`, they are stretched too where all lie below DARK_BELOW.

    Args:
        separate: stretch each channel by itself and take none for opacity: fluorescence channels, not colours.
        colours: number of colour channels, 1 (grey) to 3. None: one channel is grey, two are red and green.
        opacity: meaning of the channel after the colours; it is laid over white. Without `colours`, only a fourth
            channel may be opacity.
        dark: whether dark 8-bit values are stretched.
        limits: of a part of an image, the `display_limits` of all of it; None finds those of `raw`.
        nodata: a value that stands for nothing; it is left out of the percentiles, and black where they are used.
    """
    if raw.ndim == 2:
        raw = raw[..., None]
    shown_channels = colours or min(raw.shape[2], 3)
    seen = raw[..., :shown_channels]
    if separate:
        each = (seen[..., i] for i in range(shown_channels))
        shown = np.stack(
            [_eight_bit(one, display_limits(one, dark=dark, nodata=nodata), nodata) for one in each], axis=2
        )
    else:
        found = display_limits(seen, dark=dark, nodata=nodata) if limits is None else limits
        shown = _eight_bit(seen, found, nodata)
    if shown_channels == 1:
        shown = np.repeat(shown, 3, axis=2)
    elif shown_channels == 2:
        shown = np.concatenate([shown, np.zeros_like(shown[..., :1])], axis=2)
    through = raw.shape[2] > shown_channels and (colours is not None or raw.shape[2] == 4)
    if separate or not through or opacity == "none":
        return shown
    return _over_white(shown, raw[..., shown_channels], opacity)


def upright(values: Array, orientation: int) -> Array:
    """`values` (H, W, ...) turned upright by EXIF `orientation` 1 .. 8; other values change nothing."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values


def is_dark(values: Array) -> bool:
    """Whether 8-bit `values` (H, W, ...) use only the dark end of their range, and more than one value."""
    if values.dtype != np.uint8 or values.shape[0] * values.shape[1] < _FEWEST:
        return False
    return int(values.min()) < int(values.max()) < DARK_BELOW


def bands(height: int, row: int) -> Iterator[slice]:
    """Slices of rows, of about _BAND values each where a row has `row` values."""
    step = max(1, _BAND // max(1, row))
    yield from (slice(top, min(top + step, height)) for top in range(0, height, step))


def display_limits(values: Array, *, dark: bool, nodata: float | None = None) -> DisplayRange:
    """The values of `values` (H, W) or (H, W, C) that become black and white; FULL_RANGE where they are shown as they are."""
    if values.dtype == np.bool_ or (values.dtype == np.uint8 and not (dark and is_dark(values))):
        return FULL_RANGE
    return _range(np.abs(values) if np.iscomplexobj(values) else values, nodata)


def _eight_bit(values: Array, limits: DisplayRange, nodata: float | None) -> NDArray[np.uint8]:
    if values.dtype == np.bool_:
        return np.asarray(np.where(values, 255, 0), dtype=np.uint8)
    if values.dtype == np.uint8 and limits == FULL_RANGE:
        return np.asarray(values, dtype=np.uint8)
    if np.iscomplexobj(values):
        values = np.abs(values)
    low, high = limits
    shown = np.zeros(values.shape, dtype=np.uint8)
    if not high > low:
        return shown
    for rows in bands(values.shape[0], values[:1].size):
        scaled = values[rows].astype(np.float32)
        scaled -= np.float32(low)
        scaled *= np.float32(255.0 / (high - low))
        np.nan_to_num(scaled, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
        np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled)
        shown[rows] = scaled if nodata is None else np.where(values[rows] == nodata, 0, scaled)
    return shown


def _range(values: Array, nodata: float | None) -> tuple[float, float]:
    """The values that become black and white: percentiles of the finite values, or the extremes if those coincide."""
    step = max(1, round((values.size / SAMPLE) ** 0.5))
    seen = values[::step, ::step]
    seen = seen[np.isfinite(seen) if nodata is None else np.isfinite(seen) & (seen != nodata)].astype(np.float64)
    if not seen.size:
        return 0.0, 0.0
    low, high = (float(v) for v in np.percentile(seen, PERCENTILES))
    return (low, high) if high > low else (float(seen.min()), float(seen.max()))


def _over_white(colours: NDArray[np.uint8], alpha: Array, opacity: Opacity) -> NDArray[np.uint8]:
    opaque = float(np.iinfo(alpha.dtype).max) if np.issubdtype(alpha.dtype, np.integer) else 1.0
    shown = np.empty(colours.shape, dtype=np.uint8)
    for rows in bands(colours.shape[0], colours[:1].size):
        share = np.nan_to_num(alpha[rows].astype(np.float32) / opaque, nan=1.0).clip(0, 1)[..., None]
        light = colours[rows] if opacity == "multiplied" else colours[rows] * share
        shown[rows] = np.rint(np.minimum(light + 255 * (1 - share), 255))
    return shown
