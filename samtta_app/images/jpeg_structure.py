"""Structure of a JPEG: its size, its scans and whether they are complete, read from its markers without decoding."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame header: size and components."""

PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length."""

SCAN, END = 0xDA, 0xD9
SCAN_WORK = 4096
"""Minimum cost of a scan in samples, however small the image."""

_NEXT = re.compile(rb"\xff+[^\x00\xff]", re.DOTALL)
"""The next marker; in coded data, 255 is followed by 0."""


@dataclass(frozen=True, slots=True)
class JpegStructure:
    """What the markers say.

    `samples` counts those of all components, `scans` the scans, `work` the samples that the scans go through. `end` is
    where the data ends, and `closed` whether the end mark is there. `complete` says whether the scans bring every bit
    of every component.
    """

    width: int
    height: int
    components: int
    samples: int
    scans: int
    work: int
    end: int
    closed: bool
    complete: bool


def jpeg_structure(data: bytes, most_work: int) -> JpegStructure:
    """Read the markers of `data`; counting stops where the scans take more than `most_work`.

    Raises:
        ValueError: the frame header is missing or invalid.
    """
    frame: _Frame | None = None
    bits: dict[int, list[int]] = {}
    place, scans, work, closed = 2, 0, 0, False
    while work <= most_work:
        found = _NEXT.search(data, place)
        if found is None:
            break
        marker, place = data[found.end() - 1], found.end()
        if marker == END:
            place, closed = found.start(), True
            break
        if marker in ALONE or place + 2 > len(data):
            continue
        length = struct.unpack_from(">H", data, place)[0]
        body, place = data[place + 2 : place + length], place + max(length, 2)
        if marker in FRAMES and frame is None:
            frame = _frame(marker, body)
            bits = {name: [-1] * 64 for name in frame.areas}
        elif marker == SCAN and frame is not None:
            scans, work = scans + 1, work + max(SCAN_WORK, _scan(body, frame, bits))
    if frame is None:
        raise ValueError("no frame header")
    complete = all(bit == 0 for levels in bits.values() for bit in levels)
    end = place if closed else len(data.rstrip(b"\xff"))
    samples = sum(frame.areas.values())
    return JpegStructure(frame.width, frame.height, len(frame.areas), samples, scans, work, end, closed, complete)


@dataclass(frozen=True, slots=True)
class _Frame:
    width: int
    height: int
    areas: dict[int, int]
    progressive: bool


def _frame(marker: int, body: bytes) -> _Frame:
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise ValueError("the frame header is cut off")
    height, width, count = struct.unpack_from(">HHB", body, 1)
    factors = {body[6 + 3 * k]: (body[7 + 3 * k] >> 4, body[7 + 3 * k] & 15) for k in range(count)}
    if not factors or not width or not height or any(not 1 <= f <= 4 for pair in factors.values() for f in pair):
        raise ValueError("the frame header makes no sense")
    across, down = (max(pair[axis] for pair in factors.values()) for axis in (0, 1))
    areas = {name: -(-width * x // across) * -(-height * y // down) for name, (x, y) in factors.items()}
    return _Frame(width, height, areas, marker in PROGRESSIVE)


def _scan(body: bytes, frame: _Frame, bits: dict[int, list[int]]) -> int:
    """The samples that a scan goes through; updates `bits`, the lowest bit of each coefficient so far."""
    count = body[0] if body else 0
    if len(body) < 4 + 2 * count:
        return 0
    names = [body[1 + 2 * k] for k in range(count) if body[1 + 2 * k] in frame.areas]
    first, last, low = body[1 + 2 * count], body[2 + 2 * count], body[3 + 2 * count] & 15
    if not frame.progressive:
        first, last, low = 0, 63, 0
    for name in names:
        bits[name][first : min(last, 63) + 1] = [low] * (min(last, 63) + 1 - first)
    return sum(frame.areas[name] for name in names)
