"""Stand-ins for novelty: the masks stay with the images, the look or the idea of the object changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from samtta_app.datasets.folder import FolderDataset, open_dataset, read_labels, read_objects
from samtta_app.datasets.shifted import SHIFTED_LOOKS, edges, far, halo, speckle, write_shifted
from samtta_app.errors import DatasetError


def said(share: float) -> None:
    assert 0 < share <= 1


@pytest.fixture
def plain(tmp_path: Path) -> FolderDataset:
    """Two images with a bright square (ids 1 and 3) each, and one without masks."""
    for part in ("images", "masks"):
        (tmp_path / "plain" / part).mkdir(parents=True)
    for name, at in (("a", 10), ("b", 30)):
        pixels, labels = np.full((64, 80, 3), 60, np.uint8), np.zeros((64, 80), np.uint8)
        pixels[at : at + 20, 20:40], labels[at : at + 20, 20:40] = 200, 3
        PIL.Image.fromarray(pixels).save(tmp_path / "plain" / "images" / f"{name}.png")
        PIL.Image.fromarray(labels).save(tmp_path / "plain" / "masks" / f"{name}.png")
    PIL.Image.fromarray(pixels).save(tmp_path / "plain" / "images" / "c.png")
    (tmp_path / "plain" / "split.json").write_text(json.dumps({"train": ["a"], "test": ["b", "c"]}))
    return open_dataset(tmp_path / "plain")


@pytest.mark.parametrize("look", list(SHIFTED_LOOKS))
def test_a_changed_set_is_a_data_set_with_the_same_objects(plain: FolderDataset, tmp_path: Path, look: str) -> None:
    changed = open_dataset(write_shifted(plain, look, tmp_path / look, progress=said))  # type: ignore[arg-type]
    assert [image.name for image in changed.images] == ["a", "b"]
    for image in changed.images:
        (found,) = read_objects(image)
        assert found.instance == 3
        assert found.mask.bits.all() or look == "halo"
        assert read_labels(image).shape == ((192, 240) if look == "far" else (64, 80))


def test_only_the_asked_split_is_written_and_it_keeps_its_name(plain: FolderDataset, tmp_path: Path) -> None:
    changed = open_dataset(write_shifted(plain, "edges", tmp_path / "e", split="test", progress=said))
    assert [image.name for image in changed.part("test")] == ["b"]


def test_edges_are_brighter_than_the_inside() -> None:
    pixels = np.full((64, 64, 3), 50, np.uint8)
    pixels[16:48, 16:48] = 220
    shown = edges(pixels, np.random.default_rng(0))[..., 0].astype(float)
    assert shown[30:34, 15:17].mean() > shown[28:36, 28:36].mean() + 80
    assert abs(shown[28:36, 28:36].mean() - shown[:8, :8].mean()) < 15


def test_speckle_hides_what_a_pixel_is_but_not_what_a_region_is() -> None:
    pixels = np.full((96, 96, 3), 50, np.uint8)
    pixels[:, 48:] = 220
    shown = speckle(pixels, np.random.default_rng(0))[..., 0].astype(float)
    left, right = shown[:, :40], shown[:, 56:]
    assert right.mean() > 1.5 * left.mean()
    assert right.std() > 0.1 * right.mean()


def test_a_halo_grows_objects_until_they_touch_and_no_further() -> None:
    labels = np.zeros((60, 60), np.int32)
    labels[20:40, 5:25], labels[20:40, 29:49] = 1, 2
    grown = halo(labels)
    assert (grown[labels > 0] == labels[labels > 0]).all()
    assert (grown[25:35, 25:27] == 1).all()
    assert (grown[25:35, 27:29] == 2).all()
    assert (grown[30, 49:55] == 2).all()
    assert grown[30, 56] == 0
    assert not halo(np.zeros((5, 5), np.int32)).any()


def test_from_far_the_middle_keeps_its_whole_objects_and_is_mirrored_around() -> None:
    pixels, labels = np.full((20, 30, 3), 60, np.uint8), np.zeros((20, 30), np.int32)
    labels[5:10, 4:12], labels[15:, 20:25] = 3, 4
    pixels[labels > 0] = 200
    seen, marked = far(pixels, labels)
    assert seen.shape == (60, 90, 3)
    assert set(np.unique(marked)) == {0, 3}
    assert (marked[25:30, 34:42] == 3).all()
    assert (marked == 3).sum() == 40
    assert (seen[20:40, 30:60] == pixels).all()
    assert (seen[:20, 30:60] == pixels[::-1]).all()


def test_the_same_set_twice_gives_the_same_files(plain: FolderDataset, tmp_path: Path) -> None:
    one, two = (write_shifted(plain, "speckle", tmp_path / name, progress=said) for name in ("one", "two"))
    assert (one / "images" / "a.png").read_bytes() == (two / "images" / "a.png").read_bytes()


def test_a_folder_with_something_in_it_is_not_written_into(plain: FolderDataset, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    with pytest.raises(DatasetError, match="not empty"):
        write_shifted(plain, "edges", tmp_path / "full", progress=said)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_a_file_in_the_folder_s_place_is_said_and_stays(plain: FolderDataset, tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.write_text("keep")
    with pytest.raises(DatasetError, match="cannot be written"):
        write_shifted(plain, "speckle", place, progress=said)
    assert place.read_text() == "keep"


def test_a_place_that_cannot_be_written_is_said(plain: FolderDataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cannot be written"):
        write_shifted(plain, "edges", tmp_path / "file" / "below", progress=said)


def test_an_unreadable_mask_is_said(plain: FolderDataset, tmp_path: Path) -> None:
    (plain.folder / "masks" / "a.png").write_bytes(b"no image")
    with pytest.raises(DatasetError, match="not an image that samtta can read"):
        write_shifted(plain, "halo", tmp_path / "h", progress=said)
    assert read_labels(plain.images[1]).max() == 3
