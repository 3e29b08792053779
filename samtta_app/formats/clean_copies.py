"""Copies of image files without private data: no place, date, name, comment or camera; the pixels are not packed again.

What decides the picture stays: the orientation, colour profiles, opacity, animation. Sources: JFIF 1.02 and Exif 2.32, PNG 1.3,
Google's WebP container, TIFF 6.0.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

KEPT_JPEG = frozenset({0xE0, 0xE2, 0xEE})
"""Application segments that stay: JFIF, colour profile, and Adobe's colour model."""

KEPT_CHUNKS = frozenset(
    {
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"bKGD"),
        *(b"pHYs", b"acTL", b"fcTL", b"fdAT"),
    }
)
"""Chunks of a PNG that stay; texts, dates, and blocks of EXIF and XMP do not."""

_PRIVATE_TAGS = frozenset(
    {
        *(
            269,
            271,
            272,
            285,
            305,
            306,
            315,
            316,
            333,
            337,
            700,
            32781,
            33432,
            33723,
            34377,
            34665,
            34853,
            37510,
            37724,
        ),
        *(40092, 40093, 40094, 40095, 40965, 50341, 42112),
    }
)
"""Names, makers, dates, comments, EXIF, GPS, XMP, IPTC, Photoshop and GDAL's free texts of a TIFF."""

_DESCRIPTION = 270
_PLANES_IN_TEXT = (b"<?xml", b"<OME", b"ImageJ=", b'{"shape"', b"Aperio")
"""Beginnings of descriptions that say what the planes of a TIFF are, without which it would be another picture."""

_SUB_DIRECTORIES = frozenset({34665, 34853, 40965})
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MOST_DIRECTORIES = 100_000
_MOST_WORK = 2**62
"""Nothing is decoded, so no number of scans is too many."""


def clean_copy(data: bytes, orientation: int) -> bytes | None:
    """The bytes of a PNG, JPEG, WebP, TIFF or BMP without private data; None where it has another format or is damaged.

    Args:
        data: the file's bytes.
        orientation: 1 .. 8, as EXIF has it; it is written again where the block that held it goes.
    """
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data, orientation)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data, orientation)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data, orientation)
        if data[:4] in (b"II*\0", b"MM\0*"):
            return _tiff(bytearray(data))
    except (struct.error, LookupError, ValueError):
        return None
    return data if data[:2] == b"BM" else None


def _exif(orientation: int) -> bytes:
    """A block that holds the orientation alone."""
    return b"II*\0" + struct.pack("<IHHHIII", 8, 1, 274, 3, 1, orientation, 0)


def _jpeg(data: bytes, orientation: int) -> bytes:
    """Everything from the first image's start to its end mark; thumbnails and further images behind it go."""
    from samtta_app.images.jpeg_structure import jpeg_structure

    end = jpeg_structure(data, _MOST_WORK).end
    kept, place = [data[:2]], 2
    written = orientation == 1
    while True:
        if data[place] != 0xFF:
            raise ValueError("no segment")
        kind = data[place + 1]
        if kind == 0xFF:  # filling
            place += 1
            continue
        length = struct.unpack_from(">H", data, place + 2)[0] + 2
        segment = data[place : place + length]
        if kind == 0xDA:
            return b"".join([*kept, data[place:end], b"\xff\xd9"])
        if not written and kind != 0xE0:
            block = b"Exif\0\0" + _exif(orientation)
            kept.append(b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
            written = True
        profile = kind != 0xE2 or segment[4:16] == b"ICC_PROFILE\0"
        if (not 0xE0 <= kind <= 0xEF or (kind in KEPT_JPEG and profile)) and kind != 0xFE:
            kept.append(segment)
        place += length


def _png(data: bytes, orientation: int) -> bytes:
    kept, place = [data[:8]], 8
    while place < len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        if name in KEPT_CHUNKS:
            kept.append(data[place : place + length + 12])
        if name == b"IHDR" and orientation != 1:
            kept.append(_chunk(b"eXIf", _exif(orientation)))
        if name == b"IEND":
            return b"".join(kept)  # what follows it is no part of the picture
        place += length + 12
    raise ValueError("no end")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _webp(data: bytes, orientation: int) -> bytes:
    parts, place = [], 12
    end = min(len(data), struct.unpack_from("<I", data, 4)[0] + 8)
    while place + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, place)
        content = data[place + 8 : place + 8 + length]
        if name == b"VP8X":
            flags = content[0] & ~0x0C | (0x08 if orientation != 1 else 0)
            content = bytes([flags]) + content[1:]
        if name not in (b"EXIF", b"XMP "):
            parts.append(_riff(name, content))
        place += 8 + length + length % 2
    if orientation != 1:
        parts.append(_riff(b"EXIF", _exif(orientation)))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _riff(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


# --- TIFF -----------------------------------------------------------------------------------------------------------


def _tiff(data: bytearray) -> bytes:
    """The same file, in which private tags are gone from the directories and their values are zeros."""
    order = "<" if data[:2] == b"II" else ">"
    seen = set[int]()
    place = struct.unpack_from(order + "I", data, 4)[0]
    while place and place not in seen and len(seen) < _MOST_DIRECTORIES:
        seen.add(place)
        place = _clean_directory(data, order, place, seen)
    return bytes(data)


def _entries(data: bytearray, order: str, place: int) -> Iterator[tuple[int, int, int, int]]:
    """Tag, place of the entry, place of its value, and bytes of the value."""
    number = struct.unpack_from(order + "H", data, place)[0]
    for entry in range(place + 2, place + 2 + 12 * number, 12):
        tag, kind, count = struct.unpack_from(order + "HHI", data, entry)
        size = _SIZES.get(kind, 1) * count
        value = entry + 8 if size <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
        yield tag, entry, value, size


def _clean_directory(data: bytearray, order: str, place: int, seen: set[int]) -> int:
    """Take private entries out of a directory and those below it; returns the place of the next one."""
    entries = list(_entries(data, order, place))
    kept = []
    for tag, entry, value, size in entries:
        if tag in _PRIVATE_TAGS or (tag == _DESCRIPTION and not _says_planes(data, value)):
            if tag in _SUB_DIRECTORIES:
                _blank_directory(data, order, struct.unpack_from(order + "I", data, entry + 8)[0])
            data[value : value + size] = bytes(max(0, min(size, len(data) - value)))
        else:
            kept.append(bytes(data[entry : entry + 12]))
            if tag == 330:  # further directories below this one
                for below in struct.unpack_from(f"{order}{size // 4}I", data, value):
                    if below not in seen:
                        seen.add(below)
                        _clean_directory(data, order, below, seen)
    end = place + 2 + 12 * len(entries)
    following = bytes(data[end : end + 4])
    body = struct.pack(order + "H", len(kept)) + b"".join(kept) + following
    data[place : end + 4] = body.ljust(end + 4 - place, b"\0")
    return int(struct.unpack(order + "I", following)[0])


def _blank_directory(data: bytearray, order: str, place: int) -> None:
    """Overwrite a directory of EXIF or GPS and all of its values."""
    entries = list(_entries(data, order, place))
    for tag, entry, value, size in entries:
        if tag in _SUB_DIRECTORIES:
            below = struct.unpack_from(order + "I", data, entry + 8)[0]
            if below != place:
                _blank_directory(data, order, below)
        data[value : value + size] = bytes(max(0, min(size, len(data) - value)))
    end = place + 2 + 12 * len(entries)
    data[place:end] = bytes(end - place)


def _says_planes(data: bytearray, place: int) -> bool:
    return bytes(data[place : place + 16]).lstrip().startswith(_PLANES_IN_TEXT)
