"""Which part of the image the model sees: the whole, the view on the screen, or the surroundings of a small object."""

from __future__ import annotations

import numpy as np

from samtta_app.core.types import Box, Click, Window

SURROUND = 5.0
"""Side of a window around an object or a drawn box, in its sides; most training objects are 1/8 to 1/1.15 of the window.

The first answer to a box is better so: IoU .707 against .671 in windows of 2.5 sides (120 held-out objects of ten sets).
"""

SMALL_SHARE = 8.0
"""An object is viewed again from closer by if its longer side is less than 1/SMALL_SHARE of the window's."""

VARIED = (2.5, 8.0)
"""Minimum and maximum side of a window in which an object is learned, in object sides."""

DETAIL = 2.5
"""Side of the window in which an outline is corrected, in object sides."""

NEARER = (0.5, 0.25)
"""Sides of the closer windows of a first click, in sides of the first window."""

LEAST_NEARER = 1.5
"""A closer window that is not closer by this factor shows nothing new."""

REFINED = 2.0
"""Side of the window in which a mask is refined, in object sides."""

DETAIL_FROM = 3
"""Clicks from which the detail window is used; earlier clicks settle which object is meant and need its surroundings."""

SETTLED_FROM = 4
"""Clicks from which they correct an outline; earlier ones settle which object is meant."""

SEEN_WHOLE = 8192
"""An image or a view with a longer side, in pixels, is not answered as a whole: its masks alone would take gigabytes."""

LARGEST = 4096
"""Side of the window in which a click is answered there, in pixels."""

MIN_WINDOW_SIDE = 64
"""Minimum side of a window in pixels (or the image's side); smaller windows hold no context."""


def around(box: Box, extent: Window, factor: float = SURROUND) -> Window:
    """A square window of `factor` times the box's longer side about its middle, moved and cut to fit `extent`."""
    side = round(max(box.x1 - box.x0 + 1, box.y1 - box.y0 + 1) * factor)
    side = max(side, MIN_WINDOW_SIDE)
    width, height = min(side, extent.width), min(side, extent.height)
    x = round((box.x0 + box.x1 - width + 1) / 2)
    y = round((box.y0 + box.y1 - height + 1) / 2)
    x = min(max(x, extent.x), extent.x + extent.width - width)
    y = min(max(y, extent.y), extent.y + extent.height - height)
    return Window(x, y, width, height)


def first_window(
    extent: Window, view: Window | None, clicks: tuple[Click, ...], box: Box | None, side: float | None = None
) -> Window:
    """Window for a new prompt: around a box; else the view on the screen if it holds the clicks; else the image.

    If objects of about `side` pixels are expected and would be small in it, the window is their surroundings.
    """
    if box is not None:
        return around(box, extent)
    seen = view is not None and view.side < extent.side and all(view.contains(c.x, c.y) for c in clicks)
    wide = view if view is not None and seen else extent
    if clicks and wide.side > SEEN_WHOLE:
        x, y = clicks[-1].x, clicks[-1].y
        near = around(Box(x, y, x, y), extent, factor=LARGEST)
        wide = near if all(near.contains(c.x, c.y) for c in clicks) else wide
    if side is None or not clicks or side * SMALL_SHARE >= wide.side:
        return wide
    x, y, half = clicks[0].x, clicks[0].y, (side - 1) / 2
    near = around(Box(x - half, y - half, x + half, y + half), extent)
    return near if near.side < wide.side and all(near.contains(c.x, c.y) for c in clicks) else wide


def nearer(window: Window, clicks: tuple[Click, ...], extent: Window) -> tuple[Window, ...]:
    """Closer windows about a single click, to look at a new object from nearby as well; none for other prompts.

    One click says nothing about the size of what is meant.
    """
    if len(clicks) != 1:
        return ()
    found = []
    for share in NEARER:
        half = (window.side * share - 1) / 2
        place = Box(clicks[0].x - half, clicks[0].y - half, clicks[0].x + half, clicks[0].y + half)
        near = around(place, extent, factor=1.0)
        if near.side * LEAST_NEARER <= window.side and near not in found:
            found.append(near)
    return tuple(found)


def to_be_shown(clicks: tuple[Click, ...]) -> tuple[Click, ...]:
    """The clicks that a window must show: from SETTLED_FROM clicks on, the newest and those that include.

    An exclude click far away would keep the window wide, and a small object a few cells large. In a window that does not
    show it, nothing of the mask is at its place.
    """
    if len(clicks) < SETTLED_FROM:
        return clicks
    return (*(click for click in clicks[:-1] if click.positive), clicks[-1])


def _shows(window: Window, clicks: tuple[Click, ...]) -> bool:
    return all(window.contains(c.x, c.y) for c in to_be_shown(clicks))


def closer(window: Window, found: Box | None, clicks: tuple[Click, ...], extent: Window) -> Window | None:
    """A closer window for the object found in `window`; None when the current one is close enough or would lose a click."""
    if found is None:
        return None
    longest = max(found.x1 - found.x0 + 1, found.y1 - found.y0 + 1)
    if longest * SMALL_SHARE >= window.side:
        return None
    near = around(found, extent)
    if near.side >= window.side or not _shows(near, clicks):
        return None
    return near


def detailed(window: Window, found: Box | None, clicks: tuple[Click, ...], extent: Window) -> Window | None:
    """A window to correct the outline of the object found in `window`; None when the current one is about as close."""
    if found is None or len(clicks) < DETAIL_FROM:
        return None
    near = around(found, extent, factor=DETAIL)
    if near.side * 1.3 >= window.side or not _shows(near, clicks):
        return None
    return near


def refining(window: Window, found: Box, clicks: tuple[Click, ...], extent: Window) -> Window:
    """Window to refine the mask with the box `found`, answered in `window`: close around it, if that loses no click."""
    near = around(found, extent, factor=REFINED)
    return near if near.side < window.side and _shows(near, clicks) else window


def varied(found: Box, clicks: tuple[Click, ...], extent: Window, rng: np.random.Generator) -> Window | None:
    """A window that shows the object at a random size and off the middle; None where it would lose a click.

    Objects of constant size in the middle would teach the model that all objects look like that.
    """
    low, high = VARIED
    near = around(found, extent, factor=low * (high / low) ** rng.random())
    margin, place = near.side / 10, []
    spans = (
        (found.x0, found.x1, near.width, extent.x, extent.width),
        (found.y0, found.y1, near.height, extent.y, extent.height),
    )
    for start, end, side, least, length in spans:
        first, last = max(end + 1 + margin - side, least), min(start - margin, least + length - side)
        middle = min(max((start + end - side + 1) / 2, least), least + length - side)
        place.append(round(rng.uniform(first, last) if first < last else middle))
    window = Window(place[0], place[1], near.width, near.height)
    return window if all(window.contains(c.x, c.y) for c in clicks) else None


def wider(window: Window, found: Box | None, clicks: tuple[Click, ...], extent: Window) -> Window | None:
    """A wider window when the object touches an inner edge of `window` or lacks a click to be shown, else None."""
    outside = [c for c in to_be_shown(clicks) if not window.contains(c.x, c.y)]
    cut = found is not None and (
        (found.x0 <= window.x and window.x > extent.x)
        or (found.y0 <= window.y and window.y > extent.y)
        or (found.x1 >= window.x + window.width - 1 and window.x + window.width < extent.x + extent.width)
        or (found.y1 >= window.y + window.height - 1 and window.y + window.height < extent.y + extent.height)
    )
    if not outside and not cut:
        return None
    xs = [window.x, window.x + window.width - 1, *(c.x for c in outside)]
    ys = [window.y, window.y + window.height - 1, *(c.y for c in outside)]
    grown = around(Box(min(xs), min(ys), max(xs), max(ys)), extent, factor=2.0 if cut else 1.25)
    most = LARGEST if extent.side > SEEN_WHOLE else SEEN_WHOLE
    return None if grown == window or (grown.side > most and not outside) else grown
