"""Scenes have visible targets; pseudo-masks find distinct things."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samtta_app.train.pseudo import Region, is_object, pseudo_masks, pseudo_records
from samtta_app.train.shapes import draw_shape, texture
from samtta_app.train.synthetic import draw_scene, nested, partition, scatter
from tests.unit.train.material import record

RECORDS = [record(0), record(1)]


@pytest.mark.parametrize("seed", range(12))
def test_a_scene_has_targets_of_use(seed: int) -> None:
    view = draw_scene(RECORDS, 64, 3, np.random.default_rng(seed))
    assert 1 <= len(view.masks) <= 3
    for mask in view.masks:
        assert set(np.unique(mask)) <= {0, 1}
        assert 0 < mask.mean() <= 0.8


def test_shapes_have_about_the_asked_size_and_place() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        rows, columns = np.nonzero(draw_shape(RECORDS, 128, np.array([64.0, 64.0]), 40, rng))
        assert np.ptp(columns) < 90
        assert np.ptp(rows) < 90


def test_scattered_things_do_not_share_a_pixel() -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        masks = scatter(texture(RECORDS, 64, rng).copy(), RECORDS, rng)
        assert sum(m.astype(int) for m in masks).max() <= 1


def test_parts_lie_within_their_whole() -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        whole, *parts = nested(texture(RECORDS, 64, rng).copy(), RECORDS, rng)
        for part in parts:
            assert not (part & (1 - whole)).any()


def test_a_partition_has_cells_side_by_side() -> None:
    rng = np.random.default_rng(5)
    masks = partition(texture(RECORDS, 64, rng).copy(), RECORDS, rng)
    assert len(masks) >= 2


def test_regions_are_kept_for_contrast_shape_and_place() -> None:
    good = Region(area=500, contrast=20, compactness=0.5, border_share=0)
    assert is_object(good, 10_000)
    for bad in (
        Region(10, 20, 0.5, 0),
        Region(6_000, 20, 0.5, 0),
        Region(500, 2, 0.5, 0),
        Region(500, 20, 0.02, 0),
        Region(500, 20, 0.5, 0.6),
    ):
        assert not is_object(bad, 10_000)


def test_a_distinct_thing_is_found_at_some_granularity() -> None:
    pixels = np.full((120, 160, 3), (30, 60, 30), np.uint8)
    pixels[40:80, 50:100] = (200, 40, 40)
    truth = np.zeros((120, 160), bool)
    truth[40:80, 50:100] = True
    layers = pseudo_masks(pixels)
    best = max(
        ((layer == value) & truth).sum() / ((layer == value) | truth).sum()
        for layer in layers
        for value in range(1, int(layer.max()) + 1)
    )
    assert best > 0.85


def test_an_unreadable_photo_is_skipped_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    assert pseudo_records([tmp_path / "broken.jpg"], tmp_path / "cache", workers=1) == []
    assert "broken.jpg" in caplog.text
    caplog.clear()


def test_pseudo_masks_are_made_once_and_read_back(tmp_path: Path) -> None:
    pixels = np.full((60, 80, 3), (30, 60, 30), np.uint8)
    pixels[20:40, 25:55] = (200, 40, 40)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    first = pseudo_records([tmp_path / "a.png"], tmp_path / "cache", workers=1)
    made = (tmp_path / "cache" / "a.npz").stat().st_mtime_ns
    again = pseudo_records([tmp_path / "a.png"], tmp_path / "cache", workers=1)
    assert first[0].objects == again[0].objects
    assert (tmp_path / "cache" / "a.npz").stat().st_mtime_ns == made


def test_scenes_of_the_least_size_are_drawn_too() -> None:
    for seed in range(30):
        view = draw_scene([record(0)], 32, 2, np.random.default_rng(seed))
        assert view.pixels.shape == (32, 32, 3)
        assert 1 <= len(view.masks) <= 2
        assert all(mask.any() and not mask.all() for mask in view.masks)
