"""The codestream header of a JPEG 2000: what it claims, before any decoder runs. Source: ISO/IEC 15444-1, annexes A and I."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SIZ = b"\xff\x4f\xff\x51"
_BOX, _WIDE_BOX = 8, 16
_HEADER = 45
"""Bytes of the codestream up to the first component's sampling."""


@dataclass(frozen=True, slots=True)
class Jpeg2000Structure:
    """Size in pixels, number of components, and bits of the first one."""

    width: int
    height: int
    components: int
    bits: int


def jpeg2000_structure(data: bytes) -> Jpeg2000Structure:
    """What a codestream, alone or in the boxes of a JP2 file, claims.

    Raises:
        ValueError: there is no codestream, or its header is cut off.
    """
    start = _codestream(data)
    head = data[start : start + _HEADER]
    if len(head) < _HEADER or head[:4] != _SIZ:
        raise ValueError("no header")
    right, bottom, left, top = struct.unpack_from(">IIII", head, 8)
    components, bits = struct.unpack_from(">HB", head, 40)
    if right <= left or bottom <= top or not components:
        raise ValueError("an empty image")
    return Jpeg2000Structure(right - left, bottom - top, components, (bits & 0x7F) + 1)


def _codestream(data: bytes) -> int:
    """Where the codestream begins."""
    if data.startswith(_SIZ):
        return 0
    place = 0
    while place + _WIDE_BOX <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        head = _BOX
        if length == 1:
            length, head = struct.unpack_from(">Q", data, place + _BOX)[0], _WIDE_BOX
        if name == b"jp2c":
            return place + head
        if length < head:
            break
        place += length
    raise ValueError("no codestream")
