"""Whatever bytes a file holds: an image, or one clear error; no other exception, no program, no flood of memory."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samtta_app.errors import ImageError
from samtta_app.images.read import image_size, read_ids, read_image
from samtta_app.images.read_limits import MAX_SMALL_BYTES, READ_AHEAD_SHARE
from tests.unit.core.crafted import noise, png, stored

HEADER = 420
"""Bytes from the beginning (and as many from the end) that are changed."""


def tif(values: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


SEEDS: dict[str, bytes] = {
    "png": stored("PNG"),
    "deep png": png(40, 30, 16, 2),
    "palette png": stored("PNG", noise(channels=1) // 64),
    "jpeg": stored("JPEG"),
    "progressive": stored("JPEG", progressive=True),
    "bmp": stored("BMP"),
    "webp": stored("WEBP"),
    "tiff": tif(noise(), photometric="rgb"),
    "tiled tiff": tif(noise(64, 64), photometric="rgb", tile=(32, 32), compression="zlib"),
    "jpeg tiff": tif(noise(64, 64), photometric="rgb", compression="jpeg"),
    "stack": tif(np.zeros((3, 2, 20, 30), np.uint16), imagej=True, metadata={"axes": "ZCYX"}),
    "big tiff": tif(noise(channels=1), bigtiff=True),
}

Change = tuple[int, bytes]
changes = st.lists(
    st.tuples(
        st.integers(-HEADER, HEADER),
        st.one_of(
            st.binary(min_size=1, max_size=4),
            st.sampled_from(
                [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\xff", b"\0\x01\0\0", b"%!PS"]
            ),
        ),
    ),
    min_size=1,
    max_size=6,
)


def changed(data: bytes, edits: list[Change], length: int) -> bytes:
    out = bytearray(data)
    for place, new in edits:
        start = place % max(1, len(out))
        out[start : start + len(new)] = new
    return bytes(out[: max(1, len(out) - length)])


@pytest.mark.parametrize("seed", SEEDS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(edits=changes, cut=st.sampled_from([0, 0, 0, 1, 2, 12, 300]))
def test_changed_headers_give_an_image_or_an_image_error(
    tmp_path: Path, seed: str, edits: list[Change], cut: int
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(changed(SEEDS[seed], edits, cut))
    tracemalloc.start()
    try:
        for reads in (read_image, read_ids, image_size):
            with contextlib.suppress(ImageError):
                found = reads(path, share=READ_AHEAD_SHARE) if reads is read_image else reads(path)  # type: ignore[operator]
                assert found is not None
        assert tracemalloc.get_traced_memory()[1] < 1.5 * MAX_SMALL_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("claim", [0x18, 0x7F])
def test_a_chunk_that_claims_gigabytes_takes_no_memory(tmp_path: Path, claim: int) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(changed(SEEDS["palette png"], [(33, bytes([claim]))], 0))
    tracemalloc.start()
    try:
        assert read_image(path).pixels.shape == (40, 48, 3)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from([data[:16] for data in SEEDS.values()]), rest=st.binary(max_size=300))
def test_a_beginning_alone_makes_no_image(tmp_path: Path, start: bytes, rest: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(start + rest)
    with contextlib.suppress(ImageError):
        assert read_image(path).pixels.dtype == np.uint8
