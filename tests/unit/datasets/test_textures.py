"""The material of the samples: seeded, normalised, and of the geometry that its names say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from samtta_app.datasets.folder import open_dataset, read_objects
from samtta_app.datasets.samples.patterns import (
    blend,
    blur,
    cells_of,
    depth_inside,
    finished,
    grid,
    lit,
    noise_field,
    scattered,
    smoothstep,
    star,
    streaks,
)
from samtta_app.errors import DatasetError


@pytest.mark.parametrize("scale", [3.0, 20.0, 200.0])
def test_noise_has_no_mean_and_unit_deviation_at_every_scale(scale: float) -> None:
    made = noise_field(np.random.default_rng(0), 96, scale)
    assert made.shape == (96, 96)
    assert (float(made.mean()), float(made.std())) == (pytest.approx(0, abs=1e-4), pytest.approx(1, abs=1e-3))
    assert np.array_equal(made, noise_field(np.random.default_rng(0), 96, scale))


def test_streaks_run_along_the_rows() -> None:
    made = streaks(np.random.default_rng(1), 96, 12, 1)
    assert np.abs(np.diff(made, axis=1)).mean() < 0.5 * np.abs(np.diff(made, axis=0)).mean()


def test_points_keep_their_distance_from_each_other_and_from_the_frame() -> None:
    points = scattered(np.random.default_rng(2), 200, 30, 12, 15)
    assert len(points) <= 15
    assert points.min() >= 12
    assert points.max() <= 188
    gaps = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    assert gaps[~np.eye(len(points), dtype=bool)].min() >= 30


def test_a_step_is_smooth_and_may_fall() -> None:
    values = np.array([-1.0, 0.0, 0.5, 1.0, 2.0], np.float32)
    assert smoothstep(values, 0, 1).tolist() == [0, 0, 0.5, 1, 1]
    assert smoothstep(values, 1, 0).tolist() == [1, 1, 0.5, 0, 0]


def test_a_star_without_lobes_is_a_circle_of_its_radius() -> None:
    columns, rows = grid(101)
    shape = star(np.random.default_rng(3), (columns - 50, rows - 50), 20, 1.0, 0.0)
    assert shape[50, 50] == pytest.approx(1)
    assert int((shape > 0).sum()) == pytest.approx(np.pi * 400, rel=0.03)


def test_cells_have_their_borders_halfway_between_points() -> None:
    columns, rows = grid(40)
    border = cells_of(np.array([[10, 20], [30, 20]], np.float32), columns, rows)
    assert border[20, 20] == pytest.approx(0, abs=1e-5)
    assert border[20, 10] == pytest.approx(20)


def test_depth_light_and_mixtures_by_hand() -> None:
    bits = np.zeros((9, 9), bool)
    bits[2:7, 2:7] = True
    assert (depth_inside(bits)[4, 4], depth_inside(bits)[2, 2], depth_inside(bits)[0, 0]) == (3, 1, 0)
    flat = lit(np.zeros((9, 9), np.float32), (0.3, 0.2, 1.0), 2.0)
    assert flat == pytest.approx(np.ones((9, 9)))
    assert blur(np.full((9, 9), 0.25), 2) == pytest.approx(np.full((9, 9), 0.25))
    laid = blend(np.zeros((1, 2, 3)), (0.2, 0.4, 0.8), np.array([[0.5, 1.0]], np.float32))
    assert laid[0].tolist() == [pytest.approx([0.1, 0.2, 0.4]), pytest.approx([0.2, 0.4, 0.8])]


def test_colours_beyond_the_range_are_cut_and_not_wrapped_round() -> None:
    colours = np.array([[[-0.5, 0.5, 1.5]]])
    assert finished(colours, np.random.default_rng(0), 0.0)[0, 0].tolist() == [0, 128, 255]


# --- folders --------------------------------------------------------------------------------------------------------


def one_image(folder: Path, mask: PIL.Image.Image) -> Path:
    for part in ("images", "masks"):
        (folder / part).mkdir()
    PIL.Image.new("L", (16, 12), 90).save(folder / "images" / "a.png")
    mask.save(folder / "masks" / "a.png")
    return folder


def test_a_set_of_one_image_with_an_empty_mask_has_no_object(tmp_path: Path) -> None:
    data = open_dataset(one_image(tmp_path, PIL.Image.new("L", (16, 12))))
    assert read_objects(data.images[0]) == ()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGB"])
def test_a_mask_with_alpha_or_colours_is_refused_by_name(tmp_path: Path, mode: str) -> None:
    data = open_dataset(one_image(tmp_path, PIL.Image.new(mode, (16, 12))))
    with pytest.raises(DatasetError, match=r"channels.*a\.png"):
        read_objects(data.images[0])


@pytest.mark.parametrize("names", [[["a"]], [{"a": 1}], [None], [3]])
def test_a_split_of_things_that_are_no_names_is_refused(tmp_path: Path, names: list[object]) -> None:
    folder = one_image(tmp_path, PIL.Image.new("L", (16, 12), 1))
    (folder / "split.json").write_text(json.dumps({"test": names}))
    with pytest.raises(DatasetError, match="names an image that is not there"):
        open_dataset(folder)
