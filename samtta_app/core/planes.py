"""Which plane of a file that holds many is the image: a position on each axis, and the channel that is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass

PlaneAxes = tuple[tuple[str, int], ...]
"""Axes of a file beside rows, columns and channels: name and number of positions, of those with more than one."""

AXIS_TITLES = {"file": "Image in the file", "T": "Time", "Z": "Depth", "frame": "Frame"}
"""What users read for an axis; every other one is a row of pages."""

MOST_POSITION = 10**9
"""No file has so many planes; larger numbers of a project's file are not believed."""


@dataclass(frozen=True, slots=True)
class PlaneChoice:
    """What is read of files with several planes.

    Args:
        positions: by axis name, from 0. An axis that is not named stands at 0.
        channel: the channel that is shown in grey, from 0; None shows the channels together.
    """

    positions: tuple[tuple[str, int], ...] = ()
    channel: int | None = None

    def position(self, axis: str, size: int) -> int:
        """The position on an axis of `size` positions; a file with fewer gives its last one."""
        return max(0, min(dict(self.positions).get(axis, 0), size - 1))

    def as_text(self) -> str:
        """A text that `parsed_planes` reads, "" for what a file gives by itself."""
        positions = {axis: position for axis, position in self.positions if position}
        if not positions and self.channel is None:
            return ""
        return json.dumps({"positions": positions, "channel": self.channel}, sort_keys=True)


FIRST_PLANE = PlaneChoice()
"""What a file gives by itself: its first plane, and all channels together."""


@dataclass(frozen=True, slots=True)
class ReadingChoice:
    """How a project's files are read: the plane of files with many, and whether images of subfolders belong to it."""

    planes: PlaneChoice = FIRST_PLANE
    subfolders: bool = False


PLAIN_READING = ReadingChoice()
"""How files are read unless the user chooses otherwise."""


def parsed_planes(text: str) -> PlaneChoice:
    """The choice of a text; FIRST_PLANE where it is none."""
    try:
        found = json.loads(text)
        positions = tuple((str(axis), _number(position)) for axis, position in found["positions"].items())
        channel = found["channel"]
        return PlaneChoice(positions, None if channel is None else _number(channel))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return FIRST_PLANE


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_POSITION:
        raise ValueError("no position")
    return value
