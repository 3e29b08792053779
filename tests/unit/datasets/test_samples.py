from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import scipy.ndimage

from samtta_app.datasets.folder import open_dataset, read_objects
from samtta_app.datasets.samples import sample_set
from samtta_app.datasets.samples.cell_images import make_cells
from samtta_app.datasets.samples.leaves import make_leaves
from samtta_app.datasets.samples.metal import make_metal
from samtta_app.datasets.samples.patterns import MadeImage, main_piece
from samtta_app.errors import DatasetError

LOOKS = [("cells", 0), ("cells", 3), ("metal", 0), ("metal", 3), ("leaves", 1), ("leaves", 2)]


@cache
def made(look: str, index: int) -> MadeImage:
    return sample_set.SAMPLE_LOOKS[look](np.random.default_rng([0, index]), index)


@pytest.mark.parametrize(("look", "index"), LOOKS)
def test_a_sample_has_five_to_twentyfive_objects_of_named_classes(look: str, index: int) -> None:
    sample = made(look, index)
    assert 5 <= len(sample.classes) <= 25
    assert set(np.unique(sample.labels)) - {0} == set(sample.classes)
    assert sorted(sample.classes) == list(range(1, len(sample.classes) + 1))


@pytest.mark.parametrize(("look", "index"), LOOKS)
def test_a_sample_is_of_demo_size_and_uses_its_range(look: str, index: int) -> None:
    sample = made(look, index)
    assert sample.pixels.dtype == np.uint8
    assert sample.pixels.shape == (*sample.labels.shape, 3)
    assert 640 <= min(sample.labels.shape) <= max(sample.labels.shape) <= 768
    assert np.ptp(np.percentile(sample.pixels, (1, 99))) > 60


@pytest.mark.parametrize(("look", "index"), LOOKS)
def test_every_object_is_one_piece_that_is_large_enough_to_click(look: str, index: int) -> None:
    sample = made(look, index)
    for number in sample.classes:
        bits = sample.labels == number
        assert bits.sum() >= 160
        assert scipy.ndimage.label(bits, np.ones((3, 3)))[1] == 1


@pytest.mark.parametrize(("look", "index"), LOOKS)
def test_the_picture_changes_at_the_outlines(look: str, index: int) -> None:
    sample = made(look, index)
    grey = sample.pixels.mean(axis=2)
    slope = scipy.ndimage.gaussian_gradient_magnitude(grey, 1.5)
    edges = np.zeros(grey.shape, bool)
    edges[1:] |= sample.labels[1:] != sample.labels[:-1]
    edges[:, 1:] |= sample.labels[:, 1:] != sample.labels[:, :-1]
    assert slope[edges].mean() > 1.3 * slope[~edges].mean()


@pytest.mark.parametrize("make", [make_cells, make_metal, make_leaves])
def test_one_seed_gives_one_picture_and_another_seed_another(make: object) -> None:
    one, again, other = (make(np.random.default_rng(seed), 0) for seed in (3, 3, 4))  # type: ignore[operator]
    assert np.array_equal(one.pixels, again.pixels)
    assert np.array_equal(one.labels, again.labels)
    assert not np.array_equal(one.labels, other.labels)


def test_the_main_piece_is_the_largest_and_has_no_holes() -> None:
    bits = np.zeros((20, 30), np.bool_)
    bits[2:12, 2:12], bits[5:7, 5:7], bits[15:18, 20:23] = True, False, True
    expected = np.zeros_like(bits)
    expected[2:12, 2:12] = True
    assert np.array_equal(main_piece(bits), expected)


# --- the folder -----------------------------------------------------------------------------------------------------


def tiny(name: str) -> MadeImage:
    labels = np.zeros((32, 32), np.uint16)
    labels[4:12, 4:12], labels[16:28, 16:28] = 1, 2
    pixels = np.where(labels[..., None] > 0, 200, 60).astype(np.uint8).repeat(3, 2)
    return MadeImage(name, pixels, labels, {1: "cell", 2: "pit"})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny pictures in place of the three looks: these tests are about files."""
    looks = {look: lambda _rng, index, look=look: tiny(f"{look}_{index + 1}") for look in sample_set.SAMPLE_LOOKS}
    monkeypatch.setattr(sample_set, "SAMPLE_LOOKS", looks)


@pytest.mark.usefixtures("quick")
def test_the_samples_are_a_data_set_with_the_truth_outside_the_images(tmp_path: Path) -> None:
    folder = sample_set.write_samples(tmp_path / "s")
    data = open_dataset(folder)
    assert len(data.part("test")) == 12
    for image in data.part("test"):
        assert [(o.instance, o.class_name) for o in read_objects(image)] == [(1, "cell"), (2, "pit")]
    assert {p.parent.name for p in folder.rglob("*.png")} == {"images", "masks"}


@pytest.mark.usefixtures("quick")
def test_colours_are_written_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    red = MadeImage("red", np.full((8, 8, 3), (250, 10, 20), np.uint8), np.ones((8, 8), np.uint16), {1: "x"})
    monkeypatch.setattr(sample_set, "SAMPLE_LOOKS", {"red": lambda _rng, _index: red})
    folder = sample_set.write_samples(tmp_path / "s")
    assert np.asarray(PIL.Image.open(folder / "images" / "red.png"))[0, 0].tolist() == [250, 10, 20]


@pytest.mark.usefixtures("quick")
def test_three_photographs_come_from_the_installed_package_with_their_credits(tmp_path: Path) -> None:
    folder = sample_set.write_samples(tmp_path / "s")
    photographs = sorted(p for p in (folder / "images").iterdir() if p.stem in sample_set.PHOTOGRAPHS)
    assert len(photographs) == 3
    for path in photographs:
        with PIL.Image.open(path) as file:
            file.load()
            assert min(file.size) >= 400
        assert path.stem in (folder / "README.txt").read_text(encoding="utf-8")
        assert not (folder / "masks" / f"{path.stem}.png").exists()


@pytest.mark.usefixtures("quick")
def test_a_photograph_that_the_package_no_longer_has_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_set, "PHOTOGRAPHS", {"photo_unicorn": ("unicorn.png", "nobody", "none")})
    folder = sample_set.write_samples(tmp_path / "s")
    assert len(list((folder / "images").iterdir())) == 12


@pytest.mark.usefixtures("quick")
def test_samples_are_made_once_and_told_about(samtta_home: Path) -> None:
    shares: list[float] = []
    folder = sample_set.ensure_samples(shares.append)
    assert folder == samtta_home / "samples"
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    before = (folder / "images" / "cells_1.png").stat().st_mtime_ns
    assert sample_set.ensure_samples(shares.append) == folder
    assert len(shares) == 12
    assert (folder / "images" / "cells_1.png").stat().st_mtime_ns == before


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("damage", ["missing", "empty", "unfinished", "nonsense"])
def test_an_incomplete_folder_is_completed_and_a_project_in_it_stays(damage: str) -> None:
    folder = sample_set.ensure_samples()
    project = folder / "images" / ".samtta" / "project.db"
    project.parent.mkdir()
    project.write_bytes(b"precious")
    if damage == "missing":
        (folder / "masks" / "metal_2.png").unlink()
    elif damage == "empty":
        (folder / "images" / "metal_2.png").write_bytes(b"")
    elif damage == "unfinished":
        (folder / sample_set.COMPLETE).unlink()
    else:
        (folder / sample_set.COMPLETE).write_text("{]")
    sample_set.ensure_samples()
    assert len(read_objects(next(i for i in open_dataset(folder).images if i.name == "metal_2"))) == 2
    assert project.read_bytes() == b"precious"
    assert not list(folder.glob(".samtta-*"))


@pytest.mark.usefixtures("quick")
def test_a_place_that_cannot_be_written_is_a_data_set_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatasetError, match="cannot be written"):
        sample_set.write_samples(tmp_path / "file" / "samples")


@pytest.mark.usefixtures("quick")
def test_the_list_of_files_is_complete(tmp_path: Path) -> None:
    folder = sample_set.write_samples(tmp_path / "s", seed=5)
    told = json.loads((folder / sample_set.COMPLETE).read_text())
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {sample_set.COMPLETE}
    assert set(told["files"]) == there
    assert told["seed"] == 5
