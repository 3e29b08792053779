"""Any mask, through any format, and back: the identity where the format holds it, what it says it loses where not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from samtta_app.core.masks import full, trimmed
from samtta_app.core.types import Mask
from samtta_app.formats import FORMATS
from samtta_app.formats.outlines import borders_of, drawn, parts_of, within
from tests.unit.formats.values import SIZE, annotation, project

Bits = NDArray[np.bool_]
CORNERS = np.ones((3, 3))


@st.composite
def bitmaps(draw: st.DrawFn) -> Bits:
    """A bitmap of the whole image: noise, a block, a frame, one pixel, or everything, at any place, at the border too."""
    kind = draw(st.sampled_from(["noise", "noise", "block", "frame", "pixel", "all"]))
    height, width = SIZE
    bits = np.zeros(SIZE, np.bool_)
    if kind == "all":
        return ~bits
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    y, x = draw(st.integers(0, height - rows)), draw(st.integers(0, width - columns))
    part = bits[y : y + rows, x : x + columns]
    if kind == "noise":
        seed, density = draw(st.integers(0, 2**32)), draw(st.floats(0.2, 0.95))
        part[:] = np.random.default_rng(seed).random(part.shape) < density
    elif kind == "pixel":
        part[0, 0] = True
    else:
        part[:] = True
        part[1:-1, 1:-1] = kind == "block"
    if not bits.any():
        part[-1, -1] = True
    return bits


MASKS = st.lists(bitmaps(), min_size=1, max_size=3)


@contextmanager
def back(name: str, masks: list[Bits]) -> Iterator[list[Bits]]:
    """What a format gives back of these masks, each on the whole image."""
    with TemporaryDirectory() as folder:
        given_project = project(*(annotation(k, trimmed(bits)) for k, bits in enumerate(masks, start=1)))
        FORMATS[name].write(given_project, Path(folder))
        found = list(FORMATS[name].read(Path(folder)))
        assert all((o.image_name, o.class_name) == ("a.png", "object") for o in found)
        yield [full(o.mask, *SIZE) for o in found]


def same(found: list[Bits], masks: list[Bits]) -> bool:
    return len(found) == len(masks) and all((a == b).all() for a, b in zip(found, masks, strict=True))


def on_top(masks: list[Bits]) -> list[Bits]:
    """What is seen of each mask where later ones lie over it; those that are covered are gone."""
    index = np.zeros(SIZE, int)
    for k, bits in enumerate(masks, start=1):
        index[bits] = k
    return [index == k for k in range(1, len(masks) + 1) if (index == k).any()]


@pytest.mark.parametrize("name", ["coco", "labelme", "cvat", "geojson", "npz", "label-studio"])
@settings(max_examples=15)
@given(masks=MASKS)
def test_holes_parts_overlaps_and_borders_come_back(name: str, masks: list[Bits]) -> None:
    with back(name, masks) as found:
        assert same(found, masks)


@pytest.mark.parametrize("name", ["png", "voc", "tiff"])
@settings(max_examples=15)
@given(masks=MASKS)
def test_of_index_maps_what_lies_on_top_comes_back(name: str, masks: list[Bits]) -> None:
    with back(name, masks) as found:
        assert same(found, on_top(masks))


@pytest.mark.parametrize("name", ["coco-polygons", "cvat-polygons"])
@settings(max_examples=15)
@given(masks=MASKS)
def test_polygons_come_back_with_their_holes_filled(name: str, masks: list[Bits]) -> None:
    with back(name, masks) as found:
        assert same(found, [ndimage.binary_fill_holes(bits, CORNERS) for bits in masks])


@settings(max_examples=25)
@given(bits=bitmaps())
def test_every_part_comes_back_from_yolo_with_its_holes_filled(bits: Bits) -> None:
    labels, count = ndimage.label(ndimage.binary_fill_holes(bits), CORNERS)
    with back("yolo", [bits]) as found:
        assert {part.tobytes() for part in found} == {(labels == k).tobytes() for k in range(1, count + 1)}
        assert len(found) == count


@pytest.mark.parametrize("name", ["coco-polygons", "cvat-polygons", "yolo"])
def test_a_format_that_fills_holes_says_so_before_it_writes(name: str) -> None:
    assert any("holes" in lost for lost in FORMATS[name].cannot_hold)
    assert any("parts" in lost for lost in FORMATS["yolo"].cannot_hold)


# --- outlines ---------------------------------------------------------------------------------------------------------


@settings(max_examples=80)
@given(bits=bitmaps())
def test_an_outline_along_pixel_edges_is_the_bitmap(bits: Bits) -> None:
    parts = parts_of(trimmed(bits))
    assert (within([ring for part in parts for ring in (part.outer, *part.holes)], *SIZE) == bits).all()
    assert len(parts) == ndimage.label(bits)[1]


def test_a_hole_belongs_to_the_part_around_it() -> None:
    bits = np.zeros(SIZE, np.bool_)
    bits[0:7, 0:7] = True
    bits[1:6, 1:6] = False
    bits[2:5, 2:5] = True
    bits[3, 3] = False
    outer, inner = sorted(parts_of(trimmed(bits)), key=lambda part: -np.ptp(part.outer))
    assert outer.outer.tolist() == [[0, 0], [7, 0], [7, 7], [0, 7]]
    assert [hole.min() for hole in (*outer.holes, *inner.holes)] == [1, 3]


def test_pixels_that_touch_at_a_corner_are_two_parts_with_simple_outlines() -> None:
    diagonal = trimmed(np.eye(3, dtype=np.bool_))
    assert [len(part.outer) for part in parts_of(diagonal)] == [4, 4, 4]
    assert len(borders_of(diagonal)) == 1


@settings(max_examples=40)
@given(bits=bitmaps())
def test_a_border_through_pixel_centres_is_the_filled_part(bits: Bits) -> None:
    union = np.zeros(SIZE, np.bool_)
    for border in borders_of(trimmed(bits)):
        union |= drawn(border.astype(float), *SIZE)
    assert (union == ndimage.binary_fill_holes(bits)).all()


def test_an_empty_mask_has_no_outline() -> None:
    empty = Mask(3, 3, np.zeros((2, 2), np.bool_))
    assert parts_of(empty) == ()
    assert borders_of(empty) == ()


# --- colours ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["yolo", "crops"])
def test_copies_of_pictures_have_the_picture_s_colours(tmp_path: Path, name: str) -> None:
    """Red stays red, whatever order of channels a library has."""
    (tmp_path / "images").mkdir()
    red = np.zeros((*SIZE, 3), np.uint8)
    red[..., 2] = 200
    cv2.imwrite(str(tmp_path / "images" / "a.png"), red)
    bits = np.ones(SIZE, np.bool_)
    given_project = project(annotation(1, trimmed(bits)), names=("a.png",), folder=tmp_path / "images")
    made = FORMATS[name].write(given_project, tmp_path / "out")
    (copy,) = (path for path in made if path.suffix == ".png")
    assert (cv2.imread(str(copy)) == red).all()
