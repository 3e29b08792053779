"""Netpbm's PBM, PGM, PPM and PFM: a short header and plain values. Source: netpbm.sourceforge.net/doc."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from samtta_app.errors import ImageError
from samtta_app.images.file_formats import ImageStream
from samtta_app.images.read_limits import check_cost, image_cost
from samtta_app.images.stretching import Array
from samtta_app.phrases import Phrase

_HEAD = 4_096
"""Bytes in which the header ends; comments may stand in it."""

_TOKEN = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*([^\s#]+)")
_MOST_VALUE = 65_535


@dataclass(frozen=True, slots=True)
class PnmHeader:
    """The kind (the letter after P), the size in pixels, the largest value (PFM: the scale), and the header's bytes."""

    kind: str
    width: int
    height: int
    most: float
    start: int

    @property
    def samples(self) -> int:
        """Values of a pixel."""
        return 3 if self.kind in "36F" else 1


def pnm_header(source: ImageStream) -> PnmHeader:
    """The header of the file.

    Raises:
        ValueError: it is damaged.
    """
    source.file.seek(0)
    head = source.file.read(_HEAD)
    kind, place, found = head[1:2].decode("ascii"), 2, list[float]()
    for _ in range(2 if kind in "14" else 3):
        token = _TOKEN.match(head, place)
        if token is None:
            raise ValueError("the header is cut off")
        found.append(float(token[1]))
        place = token.end()
    width, height, most = *map(int, found[:2]), found[2] if len(found) > 2 else 1.0
    limit = 1e38 if kind in "fF" else _MOST_VALUE
    if width < 1 or height < 1 or not 0 < abs(most) <= limit:
        raise ValueError("the header has numbers that make no sense")
    return PnmHeader(kind, width, height, most, place + 1)


def pnm_values(source: ImageStream, share: float) -> Array:
    """The values (H, W) or (H, W, 3): bool, uint8, uint16 or float32, as they are stored.

    Raises:
        ImageError: it costs more than `share` of the limits, or values are missing.
        ValueError: the header or a value is damaged.
    """
    header = pnm_header(source)
    plain = header.kind in "123"
    dtype = _dtype(header)
    cost = header.samples * (dtype.itemsize + (16 if plain else dtype.itemsize))
    check_cost(source, image_cost(header.width, header.height, cost, extra=2 * source.size), share)
    source.file.seek(header.start)
    data = source.file.read()
    shape = (header.height, header.width, *((3,) if header.samples == 3 else ()))
    wanted = header.height * header.width * header.samples
    values = _plain(data, header) if plain else _packed(data, header, dtype)
    if values.size < wanted:
        rows = header.height - values.size // (header.width * header.samples)
        text = Phrase(
            "The image file is damaged or cut off: {rows} of its {height} rows are missing",
            rows=rows,
            height=header.height,
        )
        raise ImageError(text, source.path, "Copy it again from where it came from")
    found = values[:wanted].reshape(shape)
    if header.kind in "14":
        return np.asarray(found == 0)  # 1 is black
    return np.ascontiguousarray(found[::-1]) if header.kind in "fF" else np.ascontiguousarray(found)


def _dtype(header: PnmHeader) -> np.dtype[np.generic]:
    if header.kind in "fF":
        return np.dtype("<f4" if header.most < 0 else ">f4")
    return np.dtype(np.uint8) if header.most < 256 else np.dtype(">u2")


def _packed(data: bytes, header: PnmHeader, dtype: np.dtype[np.generic]) -> Array:
    if header.kind == "4":  # rows begin with a byte of their own
        row = -(-header.width // 8)
        rows = np.frombuffer(data[: row * header.height // row * row], np.uint8)
        rows = rows[: rows.size // row * row].reshape(-1, row)
        return np.unpackbits(rows, axis=1)[:, : header.width].reshape(-1)
    values = np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)
    return values.astype(dtype.newbyteorder("="))


def _plain(data: bytes, header: PnmHeader) -> Array:
    text = re.sub(rb"#[^\n\r]*", b"", data)
    if header.kind == "1":  # digits need no blank between them
        return np.frombuffer(re.sub(rb"[^01]", b"", text), np.uint8) - ord("0")
    values = np.array(text.split(), dtype=np.int64)
    if values.size and not 0 <= values.min() <= values.max() <= header.most:
        raise ValueError("a value is larger than the file says")
    return values.astype(np.uint8 if header.most < 256 else np.uint16)
