from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from samtta_app.core import masks
from samtta_app.core.masks import covers, from_rle, to_rle
from samtta_app.core.types import Box, Mask, Window

HEIGHT, WIDTH = 13, 17
bitmaps = arrays(np.bool_, (HEIGHT, WIDTH))
windows = st.tuples(st.integers(-5, 20), st.integers(-5, 20), st.integers(1, 20), st.integers(1, 20))


@given(bitmaps)
def test_trimming_loses_no_pixel(bits: np.ndarray) -> None:
    assert np.array_equal(masks.full(masks.trimmed(bits), HEIGHT, WIDTH), bits)


@given(bitmaps)
def test_a_trimmed_mask_is_tight(bits: np.ndarray) -> None:
    mask = masks.trimmed(bits)
    if bits.any():
        assert all(edge.any() for edge in (mask.bits[0], mask.bits[-1], mask.bits[:, 0], mask.bits[:, -1]))
    else:
        assert mask.bits.shape == (1, 1)


@given(bitmaps)
def test_run_lengths_give_back_every_pixel_with_holes_and_parts(bits: np.ndarray) -> None:
    mask = masks.trimmed(bits)
    back = masks.from_rle(masks.to_rle(mask, HEIGHT, WIDTH), HEIGHT, WIDTH)
    assert np.array_equal(masks.full(back, HEIGHT, WIDTH), bits)


def test_a_ring_and_two_parts_survive_run_lengths() -> None:
    bits = np.zeros((40, 60), np.bool_)
    bits[5:20, 5:25], bits[9:15, 10:18], bits[30:35, 40:59] = True, False, True
    back = masks.from_rle(masks.to_rle(masks.trimmed(bits), 40, 60), 40, 60)
    assert back.area == bits.sum()
    assert np.array_equal(masks.full(back, 40, 60), bits)


def test_run_lengths_of_another_size_are_refused() -> None:
    counts = masks.to_rle(masks.trimmed(np.ones((4, 4), np.bool_)), 4, 4)
    with pytest.raises(ValueError, match="not of a 9 x 9 bitmap"):
        masks.from_rle(counts, 9, 9)


@given(bitmaps, windows)
def test_a_crop_is_the_window_of_the_whole_bitmap(bits: np.ndarray, place: tuple[int, int, int, int]) -> None:
    window = Window(*place)
    padded = np.pad(bits, 60)
    expected = padded[60 + window.y : 60 + window.y + window.height, 60 + window.x : 60 + window.x + window.width]
    assert np.array_equal(masks.crop(masks.trimmed(bits), window), expected)


@given(bitmaps)
def test_the_bounding_box_has_its_corners_inside(bits: np.ndarray) -> None:
    box = masks.bounding_box(Mask(3, 2, bits))
    if not bits.any():
        assert box is None
        return
    rows, columns = np.nonzero(bits)
    assert box == Box(columns.min() + 3, rows.min() + 2, columns.max() + 3, rows.max() + 2)


def test_a_point_belongs_to_the_pixel_that_it_is_nearest_to() -> None:
    mask = Mask(10, 20, np.array([[True, False], [False, True]]))
    assert masks.holds(mask, 10.4, 19.6)
    assert masks.holds(mask, 11, 21)
    assert not masks.holds(mask, 11, 20)
    assert not masks.holds(mask, 12, 22)
    assert not masks.holds(mask, 9, 20)


@given(bitmaps, st.integers(0, 4))
def test_a_trimap_never_calls_a_pixel_what_it_is_not(bits: np.ndarray, band: int) -> None:
    target = masks.trimap(bits, band)
    assert not (target[~bits] == 1).any()
    assert not (target[bits] == 0).any()
    assert (target == 1).any() == bits.any()
    assert (target == 0).any() == (~bits).any()


def test_a_trimap_leaves_a_band_on_both_sides_open() -> None:
    bits = np.zeros((20, 20), np.bool_)
    bits[5:15, 5:15] = True
    row = masks.trimap(bits, 2)[10]
    assert row.tolist() == [0] * 3 + [-1] * 4 + [1] * 6 + [-1] * 4 + [0] * 3


def test_the_frame_is_no_boundary_of_a_trimap() -> None:
    bits = np.zeros((10, 12), np.bool_)
    bits[:, :6] = True
    assert masks.trimap(bits, 1)[0].tolist() == [1] * 5 + [-1] * 2 + [0] * 5


def test_the_area_counts_object_pixels() -> None:
    assert Mask(5, 5, np.eye(4, dtype=np.bool_)).area == 4


@given(st.data())
def test_run_lengths_are_known_to_cover_their_bitmap_and_no_other(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 30))
    bits = np.random.default_rng(data.draw(st.integers(0, 2**32))).random((height, width)) < data.draw(st.floats(0, 1))
    counts = to_rle(Mask(0, 0, bits), height, width)
    assert covers(counts, height * width)
    assert not covers(counts, height * width + 1)
    place, bit = data.draw(st.integers(0, len(counts) - 1)), data.draw(st.integers(0, 7))
    changed = bytes(c ^ (1 << bit) if k == place else c for k, c in enumerate(counts))
    try:
        found = from_rle(changed, height, width)
    except ValueError:
        return
    assert to_rle(found, height, width) == changed


@pytest.mark.parametrize("counts", [b"", b"\x00", b"P", b"o" * 40, b"\xff\xff", b"ooooooo0", b"0" * 3 + b"O"])
def test_what_are_no_run_lengths_is_refused_before_it_is_decoded(counts: bytes) -> None:
    assert not covers(counts, 12)
    with pytest.raises(ValueError, match="run lengths"):
        from_rle(counts, 3, 4)


def test_a_large_mask_covers_its_bitmap_and_overlong_runs_are_refused() -> None:
    bits = np.zeros((3000, 4000), np.bool_)
    bits[1000:2000, 50:3900] = True
    assert covers(to_rle(Mask(0, 0, bits), 3000, 4000), 12_000_000)
