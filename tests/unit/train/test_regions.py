"""Pseudo-masks are things somebody could point at: part, whole and what lies in its holes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from samtta_app.train.data.regions import (
    Region,
    garment,
    grown,
    is_object,
    keep_objects,
    measure,
    pseudo_masks,
    with_holes_filled,
)

GOOD = Region(area=500, contrast=20, closed=0.9, compactness=0.5, depth=6, border_share=0)


def lab(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def printed() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red shirt with a white print on green, and the truth of both."""
    pixels = np.full((120, 160, 3), (30, 60, 30), np.uint8)
    pixels[25:95, 40:120] = (200, 40, 40)
    pixels[45:75, 65:95] = (240, 240, 240)
    shirt, print_ = np.zeros((2, 120, 160), bool)
    shirt[25:95, 40:120] = print_[45:75, 65:95] = True
    return pixels, shirt, print_


def best(layers: np.ndarray, truth: np.ndarray) -> float:
    """The IoU of the region that fits the truth best."""
    return max(
        float((found & truth).sum() / (found | truth).sum())
        for layer in layers
        for value in range(1, int(layer.max()) + 1)
        if (found := layer == value).any()
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"area": 10},
        {"area": 6_000},
        {"contrast": 2},
        {"closed": 0.3},
        {"compactness": 0.01},
        {"depth": 1.0},
        {"border_share": 0.6},
    ],
)
def test_regions_are_kept_for_contrast_shape_and_place(bad: dict[str, float]) -> None:
    assert is_object(GOOD, 10_000)
    assert not is_object(replace(GOOD, **bad), 10_000)


def test_figures_of_a_rectangle_are_those_of_geometry() -> None:
    pixels = np.full((40, 60, 3), 40, np.uint8)
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 15:45] = 1
    pixels[mask > 0] = 200
    region = measure(mask, lab(pixels))
    assert region.area == 600
    assert region.contrast > 50
    assert region.closed == 1
    assert region.depth == pytest.approx(10, abs=0.7)
    assert region.compactness == pytest.approx(4 * np.pi * 600 / 96**2, rel=0.05)
    assert region.border_share == 0


def test_the_soft_edge_between_two_things_is_no_thing() -> None:
    ramp = np.concatenate([np.full(30, 40), np.linspace(40, 220, 10), np.full(30, 220)])
    pixels = np.repeat(np.tile(ramp, (60, 1))[..., None], 3, axis=2).astype(np.uint8)
    sliver = np.zeros((60, 70), np.uint8)
    sliver[5:55, 27:32] = 1  # dark towards one side, the other side goes on in its own colour
    assert measure(sliver, lab(pixels)).closed < 0.7


def test_a_region_on_the_border_says_so() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[:, :20] = 1
    pixels = np.where(mask[..., None] > 0, np.uint8(200), np.uint8(30)).repeat(3, axis=2)
    assert measure(mask, lab(pixels)).border_share > 0.6
    assert measure(np.ones((40, 40), np.uint8), lab(pixels)).contrast == 0


def test_kept_labels_are_numbered_anew_without_the_dust() -> None:
    pixels = np.full((60, 80, 3), 30, np.uint8)
    labels = np.zeros((60, 80), np.int32)
    labels[5:25, 5:25], labels[30:33, 60:63], labels[35:55, 30:60] = 4, 7, 9
    pixels[labels > 0] = (220, 210, 40)
    kept = keep_objects(labels, lab(pixels))
    assert kept.dtype == np.uint16
    assert np.array_equal(kept, np.select([labels == 4, labels == 9], [1, 2], 0))


def test_regions_grow_into_what_is_free_and_not_into_each_other() -> None:
    labels = np.zeros((10, 20), np.uint16)
    labels[3:7, 3:8], labels[3:7, 8:12] = 1, 2
    larger = grown(labels)
    assert np.array_equal(larger[labels > 0], labels[labels > 0])
    assert (larger > 0).sum() == 6 * 11
    assert (larger[3:7, 2] == 1).all()
    assert (larger[3:7, 12] == 2).all()


def test_a_whole_is_a_region_with_what_lies_in_its_holes() -> None:
    labels = np.zeros((50, 50), np.uint16)
    labels[5:45, 5:45] = 3
    labels[15:30, 15:30] = 1
    labels[46:49, 20:40] = 2
    whole = with_holes_filled(labels)
    assert set(np.unique(whole)) == {0, 3}
    assert (whole[5:45, 5:45] == 3).all()


def test_a_pinhole_makes_no_whole() -> None:
    labels = np.zeros((50, 50), np.uint16)
    labels[5:45, 5:45] = 1
    labels[20, 20] = 0
    assert not with_holes_filled(labels).any()


def test_print_and_shirt_are_found_and_the_shirt_with_its_print_too() -> None:
    pixels, shirt, print_ = printed()
    layers = pseudo_masks(pixels)
    assert layers.shape == (5, 120, 160)
    assert best(layers, print_) > 0.95
    assert best(layers, shirt & ~print_) > 0.95
    assert best(layers[3:4], shirt) > 0.95
    assert best(layers[4:], shirt) > 0.95


def test_the_same_photo_has_the_same_masks_every_time() -> None:
    pixels = printed()[0]
    rng = np.random.default_rng(0)
    noisy = (pixels + rng.normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8)
    assert np.array_equal(pseudo_masks(noisy), pseudo_masks(noisy))


def test_the_thing_in_the_middle_is_one_piece_and_nothing_on_a_plain_photo() -> None:
    pixels, shirt, _ = printed()
    found = garment(pixels)
    assert best(found[None], shirt) > 0.8
    assert cv2.connectedComponents((found > 0).astype(np.uint8))[0] == 2


@pytest.mark.parametrize("shape", [(32, 32), (16, 200), (40, 17)])
def test_small_and_narrow_photos_are_looked_at_without_harm(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    for pixels in (np.full((*shape, 3), 128, np.uint8), rng.integers(0, 256, (*shape, 3)).astype(np.uint8)):
        assert pseudo_masks(pixels).shape == (5, *shape)
