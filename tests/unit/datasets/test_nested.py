"""Nested sets: parts lie in their wholes, the sample images stay what they were, the files are two data sets."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import scipy.ndimage
from skimage.measure import regionprops
from typer.testing import CliRunner

from samtta_app.cli.entry import app
from samtta_app.core.masks import crop
from samtta_app.core.types import Window
from samtta_app.datasets import nested
from samtta_app.datasets.folder import open_dataset, read_labels, read_objects
from samtta_app.datasets.nested import PART, WHOLE_NAME, Nested, make_nested, write_nested
from samtta_app.datasets.samples.cell_images import Dish, make_dish
from samtta_app.errors import DatasetError
from samtta_app.simulation.streams import Source, objects_of

ROUND = 3
"""Index of a dish in which about a third of the cells is rounded."""


def nobody(share: float) -> None:
    """Told to nobody."""


@cache
def dish(index: int) -> tuple[Dish, int]:
    """A dish, and where its generator stands afterwards."""
    rng = np.random.default_rng([5, index])
    made = make_dish(rng, index)
    return made, int(rng.bit_generator.state["state"]["state"])


@cache
def made(index: int) -> Nested:
    return make_nested(0, index)


# --- the cells that they are made of ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "state"),
    [
        (0, 323391650192733006900873817733498081501),
        (ROUND, 132674575235003626968356207697594013041),
    ],
)
def test_nuclei_cost_no_draw(index: int, state: int) -> None:
    """The generator stands where it stood when cells were made without their nuclei: the sample images stay the same."""
    assert dish(index)[1] == state


def test_a_rounded_cell_has_no_nucleus_and_every_other_one_has() -> None:
    found, _ = dish(ROUND)
    with_nucleus = set(np.unique(found.nuclei)) - {0}
    rounded = set(found.cells.classes) - with_nucleus
    assert 1 <= len(rounded) < len(with_nucleus)

    solid = {each.label: float(each.solidity) for each in regionprops(found.cells.labels)}
    assert min(solid[n] for n in rounded) > 0.95
    assert np.median([solid[n] for n in with_nucleus]) < 0.9


# --- parts and wholes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, ROUND])
def test_every_part_lies_wholly_inside_its_own_whole(index: int) -> None:
    whole, part = (made(index).labels[name] for name in (WHOLE_NAME, PART))
    assert np.array_equal(whole[part > 0], part[part > 0])
    ids = list(range(1, int(whole.max()) + 1))
    assert sorted(set(np.unique(whole)) - {0}) == sorted(set(np.unique(part)) - {0}) == ids
    assert len(ids) >= 10


@pytest.mark.parametrize("index", [0, ROUND])
def test_a_part_is_one_piece_that_can_be_clicked_and_no_stand_in_for_the_whole(index: int) -> None:
    whole, part = (made(index).labels[name] for name in (WHOLE_NAME, PART))
    for number in range(1, int(whole.max()) + 1):
        bits = part == number
        assert scipy.ndimage.label(bits)[1] == 1
        assert bits.sum() >= 300
        assert 0.03 < bits.sum() / (whole == number).sum() < 0.5  # the share is the IoU of the two


def test_the_outline_of_a_part_can_be_seen() -> None:
    found = made(0)
    slope = scipy.ndimage.gaussian_gradient_magnitude(found.pixels.mean(axis=2), 1.5)
    depth = scipy.ndimage.distance_transform_edt(found.labels[PART] > 0)
    edge, inside = (depth > 0) & (depth <= 2), depth > 6
    assert slope[edge].mean() > 1.5 * slope[inside].mean()


def test_an_image_depends_on_its_seed_and_place_alone() -> None:
    again, other = make_nested(0, 0), make_nested(1, 0)
    assert np.array_equal(again.pixels, made(0).pixels)
    assert all(np.array_equal(again.labels[name], made(0).labels[name]) for name in (WHOLE_NAME, PART))
    assert not np.array_equal(other.pixels, made(0).pixels)
    assert made(0).pixels.shape == (*made(0).labels[WHOLE_NAME].shape, 3)
    assert made(0).pixels.dtype == np.uint8


# --- the files --------------------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny dishes with two cells, the second without a nucleus, and a third with one: these tests are about files."""

    def tiny(rng: np.random.Generator, index: int) -> Dish:
        found, _ = dish(0)
        labels, nuclei = np.zeros((40, 40), np.uint16), np.zeros((40, 40), np.uint16)
        labels[2:18, 2:18], labels[2:18, 22:38], labels[22:38, 2 : 18 + index] = 1, 2, 3
        nuclei[6:12, 6:12], nuclei[26:32, 6:12] = 1, 3
        pixels = rng.integers(0, 255, (40, 40, 3), np.uint8)
        return Dish(type(found.cells)("tiny", pixels, labels, {}), nuclei)

    monkeypatch.setattr(nested, "make_dish", tiny)


@pytest.mark.usefixtures("quick")
def test_two_data_sets_are_written_over_the_same_images(tmp_path: Path) -> None:
    shares: list[float] = []
    folders = write_nested(tmp_path / "new", images=3, seed=0, progress=shares.append)
    assert folders == (tmp_path / "new" / "cell", tmp_path / "new" / "nucleus")
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])
    cell, nucleus = (open_dataset(folder) for folder in folders)
    assert [i.name for i in cell.part("test")] == [i.name for i in nucleus.part("test")]
    for one, other in zip(cell.images, nucleus.images, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes()
    whole = [(o.instance, o.class_name, o.mask.area) for o in read_objects(cell.images[1])]
    part = [(o.instance, o.class_name, o.mask.area) for o in read_objects(nucleus.images[1])]
    assert whole == [(1, "cell", 256), (2, "cell", 16 * 17)]
    assert part == [(1, "nucleus", 36), (2, "nucleus", 36)]


@pytest.mark.usefixtures("quick")
def test_more_images_go_on_where_fewer_end(tmp_path: Path) -> None:
    short, long, other = (
        write_nested(tmp_path / f"{n}_{seed}", images=n, seed=seed, progress=nobody)[0] / "images"
        for n, seed in ((2, 4), (3, 4), (2, 5))
    )
    assert [p.name for p in sorted(long.iterdir())] == ["dish_001.png", "dish_002.png", "dish_003.png"]
    for path in sorted(short.iterdir()):
        assert path.read_bytes() == (long / path.name).read_bytes()
        assert path.read_bytes() != (other / path.name).read_bytes()


@pytest.mark.usefixtures("quick")
def test_the_first_images_may_be_for_training(tmp_path: Path) -> None:
    for folder in write_nested(tmp_path, images=3, train=2, progress=nobody):
        found = open_dataset(folder)
        assert [i.name for i in found.part("train")] == ["dish_001", "dish_002"]
        assert [i.name for i in found.part("test")] == ["dish_003"]


def test_what_is_written_is_what_was_made(tmp_path: Path) -> None:
    folders = write_nested(tmp_path, images=1, progress=nobody)
    for folder in folders:
        (image,) = open_dataset(folder).images
        assert np.array_equal(read_labels(image), made(0).labels[folder.name])
        with PIL.Image.open(image.path) as file:
            assert np.array_equal(np.asarray(file), made(0).pixels)


@pytest.mark.usefixtures("quick")
def test_a_mixed_session_takes_wholes_and_parts_in_turn(tmp_path: Path) -> None:
    folders = write_nested(tmp_path, images=2, progress=nobody)
    targets = objects_of(Source(folders, "mix"), objects=8, seed=0, split=None)
    assert [target.class_name for target in targets] == ["cell", "nucleus"] * 4
    window = Window(0, 0, 40, 40)
    cells = {(t.image.name, t.instance): crop(t.mask, window) for t in targets if t.class_name == "cell"}
    for target in targets:
        assert (crop(target.mask, window) <= cells[target.image.name, target.instance]).all()


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["cell", "nucleus"])
def test_a_set_that_is_there_is_not_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine.txt").write_text("keep")
    with pytest.raises(DatasetError, match="not empty") as error:
        write_nested(tmp_path, images=1, progress=nobody)
    assert name in str(error.value)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.txt"]


@pytest.mark.parametrize("train", [2, 3])
def test_training_leaves_an_image_to_test_on(tmp_path: Path, train: int) -> None:
    with pytest.raises(DatasetError, match="No image is left for the split test"):
        write_nested(tmp_path / "new", images=2, train=train, progress=nobody)
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("quick")
def test_what_else_lies_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("keep")
    write_nested(tmp_path, images=1, progress=nobody)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cell", "notes.txt", "nucleus"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("place", ["file", "file/below", "set"])
def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "cell").write_text("a file in place of a set")
    with pytest.raises(DatasetError, match="cannot be written"):
        write_nested(tmp_path / place, images=1, progress=nobody)


@pytest.mark.usefixtures("quick")
def test_a_stop_half_way_leaves_nothing(tmp_path: Path) -> None:
    def stop(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_nested(tmp_path / "new", images=2, progress=stop)
    assert not (tmp_path / "new").exists()


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_the_command_writes_both_sets_and_says_where(tmp_path: Path) -> None:
    out = tmp_path / "new set"
    result = CliRunner().invoke(app, ["bench", "nested", str(out), "--images", "2", "--seed", "7"])
    assert result.exit_code == 0
    assert "wrote cell nucleus into" in result.output
    assert "new set" in result.output
    assert json.loads((out / "nucleus" / "split.json").read_text()) == {"test": ["dish_001", "dish_002"]}
    both = CliRunner().invoke(app, ["bench", "nested", str(tmp_path / "both"), "--images", "2", "--train", "1"])
    assert both.exit_code == 0
    split = {"train": ["dish_001"], "test": ["dish_002"]}
    assert json.loads((tmp_path / "both" / "cell" / "split.json").read_text()) == split
    again = CliRunner().invoke(app, ["bench", "nested", str(out)])
    assert isinstance(again.exception, DatasetError)
    assert "not empty" in str(again.exception)


@pytest.mark.parametrize("words", [["--images", "0"], ["--seed", "-1"], ["--train", "-1"], ["--images", "many"]])
def test_numbers_that_mean_nothing_are_refused(tmp_path: Path, words: list[str]) -> None:
    result = CliRunner().invoke(app, ["bench", "nested", str(tmp_path / "new"), *words])
    assert result.exit_code == 2
    assert not (tmp_path / "new").exists()
