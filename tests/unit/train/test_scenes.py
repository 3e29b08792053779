"""Every kind of scene shows what its masks say, in place and never the same twice."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
import pytest

from samtta_app.train.data.labelled_images import LabelledImage, with_boxes
from samtta_app.train.scenes.crowds import packed_shapes, partition
from samtta_app.train.scenes.paint import can_be_seen, fill_like, light, paste
from samtta_app.train.scenes.scene import nested_scene, scatter, thin, woven
from samtta_app.train.scenes.surfaces import field, grating, noise_texture, photo, ramp, spots, texture
from samtta_app.train.scenes.synthetic import MAX_SYNTHETIC_SHARE, MIN_SHARE, SYNTHETIC_KINDS, draw_scene
from tests.unit.train.material import record

RECORDS = [record(0), record(1)]
Kind = Callable[[np.ndarray, Sequence[LabelledImage], np.random.Generator], list[np.ndarray]]


def painted(kind: Kind, seed: int, size: int = 96) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The ground before and after, and the masks."""
    rng = np.random.default_rng(seed)
    before = texture(RECORDS, size, rng)
    scene = before.copy()
    return before, scene, kind(scene, RECORDS, rng)


# --- kinds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind, _ in SYNTHETIC_KINDS])
def test_masks_are_of_the_scenes_size_and_most_of_them_can_be_seen(kind: Kind) -> None:
    seen, masks = 0, 0
    for seed in range(15):
        before, scene, found = painted(kind, seed)
        assert np.isfinite(scene).all()
        for mask in found:
            assert mask.shape == (96, 96)
            assert mask.dtype == np.uint8
            assert mask.max(initial=0) <= 1
            seen += can_be_seen(mask, before, scene)
        masks += len(found)
    assert masks >= 15
    assert seen > masks / 2


@pytest.mark.parametrize("kind", [kind for kind, _ in SYNTHETIC_KINDS])
def test_the_same_seed_paints_the_same_scene(kind: Kind) -> None:
    _, one, masks = painted(kind, 3)
    _, other, again = painted(kind, 3)
    assert np.array_equal(one, other)
    assert all(np.array_equal(a, b) for a, b in zip(masks, again, strict=True))
    assert not np.array_equal(one, painted(kind, 4)[1])


def test_the_shares_of_kinds_are_a_whole() -> None:
    assert sum(share for _, share in SYNTHETIC_KINDS) == pytest.approx(1)


def test_scattered_things_hide_each_other_or_shine_through() -> None:
    deepest = [int(sum(m.astype(int) for m in painted(scatter, seed)[2]).max()) for seed in range(40)]
    assert deepest.count(1) > 20
    assert max(deepest) > 1


def test_parts_lie_within_their_whole_or_all_in_their_group() -> None:
    grouped = 0
    for seed in range(12):
        whole, *others = painted(nested_scene, seed, 64)[2]
        outside = [mask for mask in others if (mask & (1 - whole)).any()]
        assert len(outside) <= 1
        for group in outside:
            assert not (whole & (1 - group)).any()
        grouped += len(outside)
    assert 0 < grouped < 12


def test_thin_things_are_thin() -> None:
    for seed in range(12):
        for mask in painted(thin, seed, 128)[2]:
            assert cv2.distanceTransform(mask, cv2.DIST_L2, 3).max() < 128 / 10


def test_packed_things_touch_and_their_group_is_all_of_them() -> None:
    touching = 0
    for seed in range(20):
        *single, last = painted(packed_shapes, seed, 128)[2]
        together = sum(mask.astype(int) for mask in single)
        assert np.max(together, initial=0) <= 1
        if np.max(together + last) == 2:  # the last is the group
            assert not ((together > 0) & (last == 0)).any()
            around = cv2.dilate(single[0], np.ones((5, 5), np.uint8)) & (1 - single[0])
            touching += bool((around & last).any())
    assert touching >= 5


def test_a_partition_has_regions_side_by_side_and_groups_of_them() -> None:
    groups = 0
    for seed in range(12):
        masks = painted(partition, seed)[2]
        assert len(masks) >= 2
        groups += int(sum(mask.astype(int) for mask in masks).max() > 1)
    assert 0 < groups < 12


def test_woven_things_have_the_tone_of_their_ground() -> None:
    shifts = []
    for seed in range(16):
        _, scene, masks = painted(woven, seed, 128)
        inside = np.max(masks, 0) > 0
        if 800 < inside.sum() < 10_000:
            shifts.append(scene[inside].mean() - scene[~inside].mean())
    assert len(shifts) > 6
    assert abs(np.mean(shifts)) < 8
    assert np.abs(shifts).mean() < 15


# --- paint ----------------------------------------------------------------------------------------------------------


def disc(size: int = 64, radius: int = 12) -> np.ndarray:
    return cv2.circle(np.zeros((size, size), np.uint8), (32, 32), radius, 1, -1)


def test_a_shape_is_painted_where_its_mask_is_and_hardly_elsewhere() -> None:
    for seed in range(20):
        scene = np.full((64, 64, 3), 60, np.float32)
        assert paste(scene, np.full_like(scene, 200), disc(), np.random.default_rng(seed), 1.0)
        assert scene[32, 32].mean() > 120
        assert scene[:8].max() < 66
        assert scene[disc() > 0].mean() > 110


def test_opacity_is_the_share_of_the_fill() -> None:
    scene = np.full((64, 64, 3), 60, np.float32)
    paste(scene, np.full_like(scene, 160), disc(radius=25), np.random.default_rng(0), 0.4)
    assert scene[32, 32].mean() == pytest.approx(100, abs=4)


def test_what_has_the_tone_of_its_ground_is_not_seen() -> None:
    scene = np.full((64, 64, 3), 60, np.float32)
    rng = np.random.default_rng(1)
    assert not paste(scene, scene + 2, disc(), rng, 1.0)
    assert not paste(scene, scene + 90, np.zeros((64, 64), np.uint8), rng, 1.0)
    rough = scene + rng.normal(0, 40, scene.shape).astype(np.float32)
    assert not can_be_seen(disc(), rough, rough + 20)
    assert can_be_seen(disc(), scene, scene + 20)


def test_thin_lines_outlive_the_softest_border() -> None:
    line = np.zeros((64, 64), np.uint8)
    line[31:33, 4:60] = 1
    for seed in range(40):
        scene = np.full((64, 64, 3), 60, np.float32)
        paste(scene, np.full_like(scene, 200), line, np.random.default_rng(seed), 1.0)
        assert scene[line > 0].mean() > 60 + 0.5 * 140


def test_light_falls_on_one_side_only() -> None:
    sides = 0
    for seed in range(20):
        scene = np.full((64, 64, 3), 100, np.float32)
        light(scene, disc(), np.random.default_rng(seed))
        change = np.abs(scene - 100).mean(-1)
        x, y = (np.indices(change.shape)[::-1] * change).sum((1, 2)) / change.sum()
        sides += np.hypot(x - 32, y - 32) > 3
    assert sides >= 18


def test_fillings_differ_from_each_other() -> None:
    rng = np.random.default_rng(2)
    scene = texture(RECORDS, 64, rng)
    fills = [fill_like(scene, RECORDS, rng) for _ in range(12)]
    assert all(fill.shape == scene.shape for fill in fills)
    assert min(np.abs(a - b).mean() for a, b in pairwise(fills)) > 1


# --- textures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [32, 50, 64, 100])
def test_noise_has_mean_0_and_deviation_1_at_every_size(size: int) -> None:
    for seed in range(5):
        y = noise_texture(size, np.random.default_rng(seed))
        assert y.shape == (size, size)
        assert y.mean() == pytest.approx(0, abs=1e-3)
        assert y.std() == pytest.approx(1, abs=1e-2)


def test_waves_have_their_period_and_direction() -> None:
    waves = grating(64, 8.0, 0.0, 0.0, np.random.default_rng(0))
    assert np.allclose(waves[0], waves[40], atol=1e-4)
    assert np.allclose(waves[:, :56], waves[:, 8:], atol=1e-3)
    assert waves.max() == pytest.approx(1, abs=0.2)


def test_patterns_stay_about_one_and_ramps_within_it() -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        assert np.abs(spots(64, 5.0, rng)).max() <= 1
        assert np.abs(ramp(64, rng)).max() <= 1
        assert abs(ramp(64, rng).mean()) < 0.01
        assert 0.3 < field(64, rng).std() < 1.2


def test_grey_and_coloured_photos_lend_their_pixels() -> None:
    coloured = np.zeros((40, 60, 3), np.uint8)
    coloured[..., 0] = 200
    labels = np.ones((1, 40, 60), np.uint16)
    rng = np.random.default_rng(2)
    assert photo([with_boxes("c", coloured, labels)], 32, rng)[5, 5].tolist() == [200, 0, 0]
    grey = photo(RECORDS, 32, rng)
    assert np.array_equal(grey[..., 0], grey[..., 2])


# --- samples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_a_scene_has_targets_of_use(seed: int) -> None:
    view = draw_scene(RECORDS, 64, 3, np.random.default_rng(seed))
    assert 1 <= len(view.masks) <= 3
    assert view.pixels.dtype == np.uint8
    for mask in view.masks:
        assert set(np.unique(mask)) <= {0, 1}
        assert MIN_SHARE <= mask.mean() <= MAX_SYNTHETIC_SHARE


def test_scenes_of_the_least_size_are_drawn_too() -> None:
    for seed in range(30):
        view = draw_scene([record(0)], 32, 2, np.random.default_rng(seed))
        assert view.pixels.shape == (32, 32, 3)
        assert 1 <= len(view.masks) <= 2
        assert all(mask.any() and not mask.all() for mask in view.masks)


def test_things_are_seen_even_among_images_of_pure_noise() -> None:
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (90, 90, 3)).astype(np.uint8)
    labels = np.zeros((1, 90, 90), np.uint16)
    labels[0, 20:50, 20:50] = 1
    wild = [with_boxes("noise", pixels, labels)]
    for _ in range(30):
        assert draw_scene(wild, 64, 2, rng).masks
