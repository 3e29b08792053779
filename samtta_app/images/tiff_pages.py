"""Which pages of a TIFF make the image: by its series, their axes, and the tags that mark reduced copies and masks."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tifffile

from samtta_app.core.planes import PlaneAxes, PlaneChoice
from samtta_app.images.file_formats import ImageStream

MOST_PAGES = 10_000
"""Of files with more pages only the first is read, because tifffile keeps some kilobytes for each page."""

MOST_CHANNELS = 64
"""Maximum number of channels in separate pages kept for the read-out; with more, only the three shown ones are kept."""

_BY_PAGE = ("generic", "uniform")
"""Kinds of series whose pages stand side by side, so that each may be a mask or a reduced copy."""

_FILE_AXIS = "file"
"""The axis of a file's series, images of different kinds."""


@dataclass(frozen=True, slots=True)
class TiffPlan:
    """Which pages of a series make the image, and which page of how many it is, from 0.

    Without a series, the file's first page is the image. Without pages, the whole series is one image.
    """

    series: tifffile.TiffPageSeries | None
    pages: tuple[int, ...]
    channels: int
    total: int
    number: int = 0
    axes: PlaneAxes = ()

    @property
    def known(self) -> tifffile.TiffPageSeries:
        """The series.

        Raises:
            ValueError: there is none.
        """
        if self.series is None:
            raise ValueError("no series")
        return self.series

    @property
    def page(self) -> tifffile.TiffPage:
        """The page whose tags describe the image."""
        index = self.pages[0] if self.pages else 0
        found = self.known.pages[index] if index < len(self.known.pages) else None
        return self.known.keyframe if found is None else found.aspage()


def count_pages(source: ImageStream) -> int:
    """Pages of the file, at most MOST_PAGES + 1; counting stops at a chain that loops."""
    file, places = source.file, set[int]()
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = 43 in (head[2], head[3])
    wide, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    place = struct.unpack_from(order + wide, head.ljust(16, b"\0"), 8 if big else 4)[0]
    while place and place not in places and place < source.size and len(places) <= MOST_PAGES:
        places.add(place)
        file.seek(place)
        tags = file.read(struct.calcsize(order + count))
        if len(tags) < struct.calcsize(order + count):
            break
        file.seek(struct.unpack(order + count, tags)[0] * entry, 1)
        following = file.read(struct.calcsize(order + wide))
        if len(following) < struct.calcsize(order + wide):
            break
        place = struct.unpack(order + wide, following)[0]
    file.seek(0)
    return len(places)


def tiff_plan(file: tifffile.TiffFile, pages: int, planes: PlaneChoice) -> TiffPlan:
    """The pages of the chosen image, in a file of so many pages; masks and reduced copies do not count.

    Raises:
        ValueError: the series is not made of pages.
    """
    if pages > MOST_PAGES:
        return TiffPlan(None, (0,), 1, pages)
    shown = _full_series(file)
    choice = planes.position(_FILE_AXIS, len(shown))
    plan = _series_plan(shown[choice], planes)
    before = sum(map(_pages_of, shown[:choice]))
    axes = ((_FILE_AXIS, len(shown)),) if len(shown) > 1 else ()
    total = before + plan.total + sum(map(_pages_of, shown[choice + 1 :]))
    return TiffPlan(plan.series, plan.pages, plan.channels, total, before + plan.number, axes + plan.axes)


def shown_page(file: tifffile.TiffFile, pages: int, planes: PlaneChoice) -> tifffile.TiffPage:
    """The page whose size the image has; its series is looked for only where it may be another than the first page."""
    first = file.pages.first
    plain = not planes.positions and not _is_aside(first)
    if plain or pages > MOST_PAGES:
        return first
    return tiff_plan(file, pages, planes).page


def _full_series(file: tifffile.TiffFile) -> Sequence[tifffile.TiffPageSeries]:
    """The series of images; all of them where every one is marked as a mask or a reduced copy."""
    return [series for series in file.series if not _all_aside(series)] or file.series


def _all_aside(series: tifffile.TiffPageSeries) -> bool:
    """Whether all pages of a series are masks or reduced copies; those of other kinds of series are alike."""
    if series.kind not in _BY_PAGE:
        return _is_aside(series.keyframe)
    return all(page is not None and _is_aside(page.aspage()) for page in series.pages)


def _is_aside(page: tifffile.TiffPage) -> bool:
    return bool(page.is_reduced or page.is_mask)


def _pages_of(series: tifffile.TiffPageSeries) -> int:
    """Number of planes of a series, where channels are not counted."""
    if _is_colour_by_rows(series):
        return 1
    lead = max(0, series.ndim - series.keyframe.ndim)
    if lead == 1 and series.kind in _BY_PAGE:
        return len(_side_by_side(series))
    separate = series.keyframe.samplesperpixel == 1
    return math.prod(
        size for size, axis in zip(series.shape, series.axes[:lead], strict=False) if axis != "C" or not separate
    )


def _is_colour_by_rows(series: tifffile.TiffPageSeries) -> bool:
    """Whether colours were written without a tag for it: one "page" for each row."""
    return series.ndim == 3 and series.shape[-1] in (3, 4) and "S" not in series.axes and series.shape[1] > 4


def _side_by_side(series: tifffile.TiffPageSeries) -> list[int]:
    """The pages of a series that are neither masks nor reduced copies; all where every one is."""
    pages = [None if page is None else page.aspage() for page in series.pages]
    return [k for k, page in enumerate(pages) if page is None or not _is_aside(page)] or list(range(len(pages)))


def _series_plan(series: tifffile.TiffPageSeries, planes: PlaneChoice) -> TiffPlan:
    """The pages at the chosen position of every axis that is not a row, a column or a channel."""
    page = series.keyframe
    if _is_colour_by_rows(series):
        return TiffPlan(series, (), 1, 1)
    lead = series.ndim - page.ndim
    if lead < 0 or series.axes[lead:] != page.axes:
        raise ValueError("the series is not made of pages")
    sizes, axes = series.shape[:lead], series.axes[:lead]
    if lead == 1 and series.kind in _BY_PAGE and axes != "C":
        usable = _side_by_side(series)
        place = planes.position(axes, len(usable))
        named = ((axes, len(usable)),) if len(usable) > 1 else ()
        return TiffPlan(series, (usable[place],), 1, len(usable), place, named)
    of_channels = axes.find("C") if page.samplesperpixel == 1 else -1
    channels = sizes[of_channels] if of_channels >= 0 else 1
    others = [(axis, size) for k, (axis, size) in enumerate(zip(axes, sizes, strict=True)) if k != of_channels]
    places = [planes.position(axis, size) for axis, size in others]
    counts = [size for _, size in others]
    indices = []
    for channel in range(channels if channels <= MOST_CHANNELS else 3):
        index = [*places[:of_channels], channel, *places[of_channels:]] if of_channels >= 0 else places
        indices.append(int(np.ravel_multi_index(index, sizes)) if lead else 0)
    number = int(np.ravel_multi_index(places, counts)) if others else 0
    long = tuple((axis, size) for axis, size in others if size > 1)
    return TiffPlan(series, tuple(indices), channels, math.prod(counts), number, long)
