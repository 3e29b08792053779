"""Shapes have the asked size and place; thin ones are thin, rings have holes."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from samtta_app.train.scenes.shapes import GLYPHS, crescent, draw_shape, filled, glyph, ring, rounded, stencil
from samtta_app.train.scenes.thin_shapes import (
    THIN_KINDS,
    branches,
    comb,
    draw_thin,
    net,
    spiral,
    strokes_mask,
    thickness,
)
from tests.unit.train.material import record

RECORDS = [record(0), record(1)]
MIDDLE = np.array([64.0, 64.0])


def depth(mask: np.ndarray) -> float:
    """The distance of the innermost pixel from the outside."""
    return float(cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3).max())


def holes(mask: np.ndarray) -> int:
    """How many parts of the outside are shut in."""
    return int(cv2.connectedComponents(1 - np.pad(mask, 1), connectivity=4)[0]) - 2


def test_shapes_have_about_the_asked_size_and_place() -> None:
    rng = np.random.default_rng(0)
    for _ in range(120):
        mask = draw_shape(RECORDS, 128, MIDDLE, 40, rng)
        rows, columns = np.nonzero(mask)
        assert mask.dtype == np.uint8
        assert set(np.unique(mask)) == {0, 1}
        assert max(np.ptp(columns), np.ptp(rows)) < 90
        assert abs(columns.mean() - 64) < 32
        assert abs(rows.mean() - 64) < 32


def test_shapes_partly_or_wholly_outside_are_cut_and_not_moved() -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        assert not draw_shape(RECORDS, 64, np.array([300.0, 300.0]), 30, rng).any()
        assert not draw_shape(RECORDS, 64, np.array([0.0, 0.0]), 20, rng)[40:, 40:].any()


def test_a_ring_has_its_hole_and_the_same_outline_without_it_has_none() -> None:
    rng = np.random.default_rng(2)
    for _ in range(30):
        outer, inner = (MIDDLE + outline * 40 for outline in ring(rng))
        assert holes(filled([outer, inner], 128)) >= 1
        assert holes(filled([outer], 128)) == 0
        assert filled([outer, inner], 128).sum() < filled([outer], 128).sum()


def test_a_crescent_is_less_than_its_outline() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        mask = crescent(128, MIDDLE, 60, rng)
        outline = cv2.convexHull(np.argwhere(mask).astype(np.int32))
        assert mask.any()
        assert mask.sum() < 0.95 * cv2.contourArea(outline)


def test_glyphs_are_drawn_about_their_place() -> None:
    assert len(set(GLYPHS)) == len(GLYPHS)
    rng = np.random.default_rng(4)
    for _ in range(20):
        rows, columns = np.nonzero(glyph(128, MIDDLE, 50, rng))
        assert abs((rows.min() + rows.max()) / 2 - 64) < 16
        assert abs((columns.min() + columns.max()) / 2 - 64) < 16
        assert 15 < np.ptp(rows) < 80


def test_an_outline_from_the_data_keeps_its_share_of_area() -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):  # the data's objects are squares
        assert int(stencil(RECORDS, 128, MIDDLE, 40, rng).sum()) == pytest.approx(1600, rel=0.1)


@pytest.mark.parametrize("kind", THIN_KINDS)
def test_thin_structures_are_thin_and_about_as_large_as_asked(kind: Callable[..., list]) -> None:
    rng = np.random.default_rng(6)
    for _ in range(12):
        strokes = kind(256, 150.0, rng)
        points = np.concatenate([points for points, _ in strokes])
        widths = np.array([width for _, width in strokes])
        assert widths.min() >= 1.5
        assert widths.max() <= 1.5 * 256 / 25
        assert 20 < np.ptp(points, 0).max() < 420
        mask = strokes_mask([(points - points.mean(0) + 128, width) for points, width in strokes], 256)
        assert 0 < depth(mask) < (150 / 4 if kind is comb else 3 * widths.max() + 2)  # the rays of a star meet


def test_a_stroke_is_as_wide_as_it_says() -> None:
    rng = np.random.default_rng(12)
    for width in (1.5, 2.0, 3.0, 5.0, 10.0):
        for _ in range(20):
            turn = rng.uniform(0, 6.3)
            reach = np.array([np.cos(turn), np.sin(turn)]) * 40
            line = rng.uniform(60, 68, 2) + np.stack([-reach, reach])
            assert int(strokes_mask([(line, width)], 128).sum()) / 80 == pytest.approx(width, rel=0.15, abs=0.65)


def test_widths_reach_from_hairs_to_a_twenty_fifth_of_the_window() -> None:
    rng = np.random.default_rng(7)
    widths = np.array([thickness(256, rng) for _ in range(400)])
    assert 1.5 <= widths.min() < 1.7
    assert 9.5 < widths.max() <= 256 / 25
    assert 1.5 <= thickness(16, rng) <= 1.6


def test_branches_hang_together() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        strokes = branches(256, 120.0, rng)
        strokes = [(points + 128, width + 1) for points, width in strokes]
        assert len(strokes) >= 3
        assert cv2.connectedComponents(strokes_mask(strokes, 512))[0] == 2


def test_a_net_has_meshes_a_comb_has_teeth_and_a_spiral_has_gaps() -> None:
    rng = np.random.default_rng(9)
    for _ in range(10):
        lines = net(256, 160.0, rng)
        assert holes(strokes_mask([(points + 128, width) for points, width in lines], 256)) >= 1
        assert len(comb(256, 120.0, rng)) >= 4
        ((points, width),) = spiral(256, 120.0, rng)
        assert depth(strokes_mask([(points + 128, width)], 256)) < width + 2


def test_thin_structures_lie_around_their_centre() -> None:
    rng = np.random.default_rng(10)
    for _ in range(20):
        rows, columns = np.nonzero(draw_thin(256, np.array([128.0, 100.0]), 80.0, rng))
        assert abs((columns.min() + columns.max()) / 2 - 128) < 12
        assert abs((rows.min() + rows.max()) / 2 - 100) < 12


def test_outlines_are_about_of_unit_radius() -> None:
    rng = np.random.default_rng(11)
    for _ in range(30):
        radius = np.linalg.norm(rounded(rng), axis=1)
        assert 0.1 < radius.min() <= radius.max() < 2.5
