"""Structure of a PNG: its size, and how many of its rows exist, without keeping the unpacked data."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from samtta_app.images.file_formats import ImageStream

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Channels by colour type."""

PASSES = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
"""Adam7: first row, step down, first column, step across."""

MOST_CHUNKS = 1_000_000
"""Maximum number of chunks: at their usual size, more would be 4 TB, which no program writes."""

PIECE = 65_536
"""Bytes that are unpacked at a time."""


@dataclass(frozen=True, slots=True)
class PngStructure:
    """What the chunks say: size, bits per sample, colour type, interlacing, number of frames, EXIF block.

    `header` is the IHDR block, `before` the palette and transparency chunks. `data` holds the places (offset, bytes) of
    the packed rows of the first frame.
    """

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool
    frames: int
    exif: bytes
    header: bytes
    before: bytes
    data: tuple[tuple[int, int], ...]

    @property
    def unpacked(self) -> int:
        """Bytes that the packed rows must contain."""
        if not self.interlaced:
            return self.height * self._row(self.width)
        total = 0
        for top, down, left, across in PASSES:
            rows, columns = max(0, -(-(self.height - top) // down)), max(0, -(-(self.width - left) // across))
            total += rows * self._row(columns) if columns else 0
        return total

    def _row(self, columns: int) -> int:
        return 1 + (columns * CHANNELS[self.colour] * self.depth + 7) // 8


def png_structure(source: ImageStream) -> PngStructure:
    """Walk the chunks of a PNG.

    Raises:
        ValueError: the header is incomplete or invalid, or there are more than MOST_CHUNKS chunks.
    """
    header, exif, before, frames, data = b"", b"", b"", 1, []
    for name, offset, length in _chunks(source):
        if name == b"IHDR" and not header:
            header = _bytes(source, offset, length)
        elif name == b"IDAT":
            data.append((offset, min(length, source.size - offset)))
        elif name == b"eXIf" and not exif:
            exif = _bytes(source, offset, length)
        elif name in (b"PLTE", b"tRNS") and not data:
            before += _chunk(name, _bytes(source, offset, min(length, 768)))
        elif name == b"acTL":
            frames = max(1, int.from_bytes(_bytes(source, offset, 4), "big"))
        elif name == b"IEND":
            break
    if len(header) < 13:
        raise ValueError("the header is cut off")
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", header)
    if not width or not height or colour not in CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise ValueError("the header makes no sense")
    return PngStructure(width, height, depth, colour, bool(interlaced), frames, exif, header[:13], before, tuple(data))


def missing_rows(source: ImageStream, png: PngStructure) -> int:
    """Number of missing rows; for an interlaced image, the number that the missing bytes would make."""
    found, stream = 0, zlib.decompressobj()
    try:
        for offset, length in png.data:
            source.file.seek(offset)
            while length > 0 and found < png.unpacked and not stream.eof:
                packed = source.file.read(min(PIECE, length))
                if not packed:
                    break
                length -= len(packed)
                while packed and not stream.eof:
                    found += len(stream.decompress(packed, PIECE))
                    packed = stream.unconsumed_tail
        found += len(stream.flush(PIECE)) if not stream.eof else 0
    except zlib.error:
        pass  # the bytes unpacked before the error count
    return -(-max(0, png.unpacked - found) * png.height // png.unpacked)


def whole_png(source: ImageStream, png: PngStructure) -> bytes:
    """The first frame alone as a PNG with its end mark, even where the file lacks one."""
    parts = [SIGNATURE, _chunk(b"IHDR", png.header), png.before]
    parts += [_chunk(b"IDAT", _bytes(source, offset, length)) for offset, length in png.data]
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _chunks(source: ImageStream) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset and length of each chunk's content."""
    place = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        head = _bytes(source, place, 8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[:4], "big")
        yield head[4:], place + 8, length
        place += length + 12
    raise ValueError(f"more than {MOST_CHUNKS} chunks")


def _bytes(source: ImageStream, offset: int, length: int) -> bytes:
    source.file.seek(offset)
    return source.file.read(min(length, max(0, source.size - offset)))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
