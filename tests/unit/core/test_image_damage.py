"""Damage is judged by missing rows: an end mark alone is not missed, a row is."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageFile
import pytest
import tifffile

from samtta_app.errors import ImageError
from samtta_app.images.jpeg_structure import jpeg_structure
from samtta_app.images.read import read_image
from tests.unit.core.crafted import chunk, many_scans, noise, png, stored, written

JPEGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "full colour": {"subsampling": 0, "quality": 95},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "with restarts": {"restart_marker_blocks": 3},
}
PICTURES = {
    "noise": noise(200, 176),
    "grey": noise(96, 90, 1),
    "black": np.zeros((120, 130, 3), np.uint8),
    "flat": np.full((65, 33, 3), 90, np.uint8),
    "one row": noise(1, 300),
    "thin": noise(300, 3),
}
END = b"\xff\xd9"


def read(folder: Path, data: bytes) -> np.ndarray:
    return read_image(written(folder, "a.jpg", data), dark=False).pixels


# --- JPEG -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", JPEGS)
@pytest.mark.parametrize("picture", PICTURES)
def test_a_jpeg_that_lacks_only_its_end_mark_is_the_same_image(tmp_path: Path, picture: str, way: str) -> None:
    data = stored("JPEG", PICTURES[picture], **JPEGS[way])
    whole = read(tmp_path, data)
    with PIL.Image.open(tmp_path / "a.jpg") as file:
        assert np.array_equal(whole, np.asarray(file.convert("RGB")))
    for lacking in (data[:-2], data[:-1]):
        assert np.array_equal(read(tmp_path, lacking), whole)


@pytest.mark.parametrize("way", JPEGS)
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("end", [b"", END])
def test_a_jpeg_that_lacks_rows_is_refused_also_with_an_end_mark(
    tmp_path: Path, way: str, share: float, end: bytes
) -> None:
    data = stored("JPEG", PICTURES["noise"], **JPEGS[way])
    if way == "progressive" and end:
        share = min(share, 0.5)  # the last scan alone makes half of the file; a loss within it is a loss of sharpness
    with pytest.raises(ImageError, match=r"rows are missing|lacks some of the scans") as raised:
        read(tmp_path, data[: int(len(data) * share)] + end)
    found = re.search(r"(\d+) of its 200 rows", raised.value.what)
    assert (found is not None and 0 < int(found[1]) <= 200 * (1 - share) + 40) or way == "progressive"


def test_what_follows_the_end_mark_is_not_looked_at(tmp_path: Path) -> None:
    data = stored("JPEG")
    assert np.array_equal(read(tmp_path, data + b"\xff\xda" * 400 + END), read(tmp_path, data))


def test_no_switch_of_pillow_is_thrown_for_all(tmp_path: Path) -> None:
    read(tmp_path, stored("JPEG")[:-2])
    assert PIL.ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_the_structure_counts_scans_work_and_size() -> None:
    jpeg = jpeg_structure(many_scans(64, 90), 10**9)
    assert (jpeg.width, jpeg.height, jpeg.components, jpeg.closed, jpeg.complete) == (64, 64, 1, True, True)
    assert jpeg.scans > 90
    assert jpeg.work == jpeg.scans * 64 * 64
    colour = jpeg_structure(stored("JPEG", noise(64, 64)), 10**9)
    assert (colour.scans, colour.components, colour.samples) == (1, 3, 64 * 64 * 3 // 2)


def test_counting_stops_where_the_work_is_too_much() -> None:
    assert jpeg_structure(many_scans(64, 900), 40_960).scans <= 11


def test_scans_in_a_preview_inside_the_header_are_not_counted() -> None:
    data = stored("JPEG")
    preview = data[2:] * 3
    block = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    assert jpeg_structure(data[:2] + block + data[2:], 10**9).scans == 1


@pytest.mark.parametrize(
    "data", [b"\xff\xd8\xff", b"\xff\xd8\xff\xc0\x00\x08\x08\x00\x10\x00\x10\x09", b"\xff\xd8" + END]
)
def test_a_header_without_a_frame_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="frame header"):
        jpeg_structure(data, 10**9)


# --- PNG ------------------------------------------------------------------------------------------------------------


def deep_colours() -> bytes:
    values = np.random.default_rng(1).integers(1, 65_536, (30, 20, 3)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 30, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PNGS = {
    "grey": stored("PNG", noise(channels=1)),
    "colour": stored("PNG"),
    "deep colour": deep_colours(),
    "black": png(40, 30),
    "palette": stored("PNG", np.asarray(noise(channels=1) // 64)),
}


@pytest.mark.parametrize("kind", PNGS)
@pytest.mark.parametrize("cut", [5, 12, 16])
def test_a_png_that_lacks_only_its_end_mark_is_the_same_image(tmp_path: Path, kind: str, cut: int) -> None:
    assert np.array_equal(read(tmp_path, PNGS[kind][:-cut]), read(tmp_path, PNGS[kind]))


@pytest.mark.parametrize("kind", ["grey", "colour", "deep colour"])
def test_a_png_that_is_cut_off_says_how_many_rows_are_missing(tmp_path: Path, kind: str) -> None:
    data = PNGS[kind]
    with pytest.raises(ImageError, match=r"\d+ of its (30|40) rows are missing"):
        read(tmp_path, data[: len(data) // 2])


@pytest.mark.parametrize(("depth", "colour"), [(8, 0), (8, 2), (8, 6), (16, 0), (16, 6), (1, 0), (8, 3)])
def test_a_png_whose_data_ends_early_but_properly_lacks_rows(tmp_path: Path, depth: int, colour: int) -> None:
    palette = chunk(b"PLTE", bytes(6)) if colour == 3 else b""
    assert read(tmp_path, png(40, 30, depth, colour, extra=palette)).shape == (30, 40, 3)
    with pytest.raises(ImageError, match="18 of its 30 rows are missing"):
        read(tmp_path, png(40, 30, depth, colour, rows=12, extra=palette))


def test_an_interlaced_png_lacks_what_its_data_lacks(tmp_path: Path) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 1))
    unpacked = bytes(
        sum(rows * (1 + across) for rows, across in ((2, 2), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8), (8, 16)))
    )
    for data, whole in ((unpacked, True), (unpacked[:100], False)):
        file = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
        if whole:
            assert read(tmp_path, file).shape == (16, 16, 3)
        else:
            with pytest.raises(ImageError, match="rows are missing"):
                read(tmp_path, file)


# --- TIFF -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"rowsperstrip": 8}, {"rowsperstrip": 8, "compression": "zlib"}, {"tile": (16, 16)}]
)
def test_a_tiff_that_is_cut_off_says_how_many_rows_are_missing(tmp_path: Path, options: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "whole.tif", noise(64, 64, 1), **options)
    data = (tmp_path / "whole.tif").read_bytes()
    cut = tmp_path / "a.tif"
    cut.write_bytes(data[:-900])
    with pytest.raises(ImageError, match=r"\d+ of its 64 rows are missing"):
        read_image(cut)


@pytest.mark.parametrize("tile", [False, True])
def test_a_strip_or_tile_that_is_nowhere_is_missing(tmp_path: Path, tile: bool) -> None:
    options: dict[str, Any] = {"tile": (16, 16)} if tile else {"rowsperstrip": 16}
    tifffile.imwrite(tmp_path / "a.tif", noise(64, 64, 1), compression="zlib", **options)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tag = file.pages.first.tags[325 if tile else 279]
        place, kind = tag.valueoffset, tag.dtype
    data = bytearray((tmp_path / "a.tif").read_bytes())
    struct.pack_into("<H" if kind == 3 else "<I", data, place, 0)
    with pytest.raises(ImageError, match="16 of its 64 rows are missing"):
        read_image(written(tmp_path, "b.tif", bytes(data)))
