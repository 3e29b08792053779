"""Figures of a set of answers against a set of outlines, on cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from samtta_app.core.diversity import energy_distance, matched_iou, overlaps, set_figures
from samtta_app.core.masks import trimmed
from samtta_app.core.types import Mask


def bar(start: int, stop: int) -> Mask:
    """A row of pixels from `start` up to `stop`."""
    bits = np.zeros((1, 40), np.bool_)
    bits[0, start:stop] = True
    return trimmed(bits)


A, B, FAR, EMPTY = bar(0, 10), bar(0, 20), bar(30, 40), bar(0, 0)


def test_the_overlaps_are_a_matrix_of_ious_and_two_empty_masks_agree() -> None:
    found = overlaps([A, EMPTY], [A, B, EMPTY])
    assert found == pytest.approx(np.array([[1, 0.5, 0], [0, 0, 1]]))


def test_equal_sets_have_no_energy_distance_and_sets_apart_have_two() -> None:
    assert set_figures([A, B], [A, B]).ged == pytest.approx(0)
    assert set_figures([A, A], [FAR]).ged == pytest.approx(2)


def test_the_energy_distance_is_squared_and_counts_pairs_of_a_mask_with_itself() -> None:
    # d(A, B) = .5: 2 E d(S, Y) = 1, E d(S, S') = 0, E d(Y, Y') = mean of 0, .5, .5, 0 over outlines A, B with S = {A}
    assert set_figures([A], [A, B]).ged == pytest.approx(2 * 0.25 - 0 - 0.25)
    assert set_figures([A, B], [A]).ged == pytest.approx(set_figures([A], [A, B]).ged)


def test_the_matching_repeats_both_sets_and_the_published_one_leaves_answers_out() -> None:
    answers, outlines = [A, FAR, FAR, FAR], [A, B]
    found = set_figures(answers, outlines)
    assert found.hm_iou == pytest.approx((1 + 0 + 0 + 0) / 4)
    assert found.hm_iou_published == pytest.approx((1 + 0) / 2)
    assert matched_iou(overlaps([A, B, B], [A, B]), duplicate=True) == pytest.approx((2 * 1 + 1 * 0.5 + 3 * 1) / 6)


def test_dice_alikeness_and_accuracy() -> None:
    found = set_figures([A, B], [A])
    assert found.dmax == pytest.approx(1)
    assert found.dmean == pytest.approx((1 + 2 / 3) / 2)
    assert found.alike == pytest.approx(0.5)
    assert found.accuracy == pytest.approx(0.75)
    assert np.isnan(set_figures([A], [A]).alike)


def test_a_set_without_masks_is_refused() -> None:
    for sets in (([], [A]), ([A], [])):
        with pytest.raises(ValueError, match="at least one"):
            set_figures(*sets)


def test_the_energy_distance_is_never_negative() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        sets = [[bar(int(s), int(s + n)) for s, n in rng.integers(1, 20, (k, 2))] for k in (5, 3)]
        assert energy_distance(overlaps(*sets), overlaps(sets[0], sets[0]), overlaps(sets[1], sets[1])) >= -1e-9
