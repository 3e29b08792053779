"""Nests: targets of one place, part in whole in group, with one first click that lies in all of them."""

from itertools import pairwise

import numpy as np
import pytest

from samtta_app.train.batches import SYNTHETIC, SampleSource
from samtta_app.train.data.crops import Zoom, draw_view
from samtta_app.train.data.labelled_images import LabelledImage, with_boxes
from samtta_app.train.data.nested_masks import MAX_IOU, MIN_WITHIN, find_nest, nest_at
from tests.unit.train.material import record

SIDE = 96


def square(side: int, size: int = SIDE) -> np.ndarray:
    """A square in the middle."""
    mask = np.zeros((size, size), np.uint8)
    start = (size - side) // 2
    mask[start : start + side, start : start + side] = 1
    return mask


def layered(*sides: int) -> LabelledImage:
    """Squares within squares, a layer each, all around the middle."""
    layers = np.stack([square(side).astype(np.uint16) for side in sides])
    return with_boxes("layered", (layers.sum(0) * 60 + 20).astype(np.uint8), layers)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_nest_is_ordered_from_the_part_to_the_group() -> None:
    masks = [square(60), square(12), square(30)]
    assert [int(mask.sum()) for mask in nest_at(masks, 48, 48)] == [144, 900, 3600]
    assert [int(mask.sum()) for mask in nest_at(masks, 24, 24)] == [3600]
    assert nest_at(masks, 0, 0) == []


def test_two_of_nearly_the_same_size_are_one() -> None:
    assert [int(mask.sum()) for mask in nest_at([square(40), square(42), square(60)], 48, 48)] == [1600, 3600]


def test_what_lies_across_another_is_no_part_of_it() -> None:
    wide, high = np.zeros((2, SIDE, SIDE), np.uint8)
    wide[40:56, 10:90], high[4:94, 40:56] = 1, 1
    assert len(nest_at([wide, high], 48, 48)) == 1


def test_a_nest_is_found_wherever_the_masks_allow_one() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert len(find_nest([square(60), square(40)], 3, rng)) in (0, 2)
        chosen = find_nest([square(10), square(30), square(60), square(90)], 3, rng)
        assert [int(m.sum()) for m in chosen] == sorted(int(m.sum()) for m in chosen)
        assert len(chosen) <= 3
    assert find_nest([square(10)], 3, rng) == []
    assert find_nest([], 3, rng) == []


def test_windows_of_layered_records_are_nests_now_and_then() -> None:
    nested = 0
    for seed in range(80):
        view = draw_view(layered(14, 30, 60), 64, 3, Zoom(), np.random.default_rng(seed))
        nested += view.nested
        for inner, outer in pairwise(view.masks) if view.nested else ():
            assert (inner & outer).sum() >= MIN_WITHIN * inner.sum()
            assert overlap(inner, outer) < MAX_IOU
    assert 10 < nested < 50


@pytest.mark.parametrize("one", [record(0), layered(40), layered(40, 42, 41)])
def test_windows_without_parts_are_no_nests(one: LabelledImage) -> None:
    for seed in range(30):
        assert not draw_view(one, 64, 3, Zoom(), np.random.default_rng(seed)).nested


def test_a_window_with_one_target_is_no_nest() -> None:
    for seed in range(30):
        view = draw_view(layered(14, 30, 60), 64, 1, Zoom(), np.random.default_rng(seed))
        assert len(view.masks) == 1
        assert not view.nested


@pytest.mark.parametrize(("name", "least"), [("layered", 10), (SYNTHETIC, 2)])
def test_all_targets_of_a_nest_get_the_same_click_and_it_lies_in_the_smallest(name: str, least: int) -> None:
    source = SampleSource({"layered": [layered(20, 40, 80)]}, {name: 1.0}, 64, 3, seed=1)
    shared = 0
    for number in range(60):
        _, targets, clicks, boxes, _ = source[number]
        distinct = {target.numpy().tobytes() for target in targets}
        if len(distinct) > 1 and len({tuple(click.tolist()) for click in clicks}) == 1:
            shared += 1
            for target, click, box in zip(targets, clicks, boxes, strict=True):
                x, y = click.tolist()
                assert target[int(y) // 4, int(x) // 4] > 0
                assert box[0] <= x <= box[2]
                assert box[1] <= y <= box[3]
    assert shared >= least
