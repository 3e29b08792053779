"""Data sets are read as they are, and what cannot be used is named."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samtta_app.errors import DatasetError
from samtta_app.images.read import read_image
from samtta_app.train.data.labelled_images import image_paths, read_labelled, with_boxes
from tests.unit.train.material import write_set


def test_only_the_asked_split_is_read(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    assert [p.stem for p in image_paths(folder, "train")] == ["p0", "p1"]
    assert [p.stem for p in image_paths(folder, "test")] == ["p2", "p3"]


def test_every_object_gets_its_box(tmp_path: Path) -> None:
    records = read_labelled(image_paths(write_set(tmp_path / "set"), "train"))
    assert [len(r.objects) for r in records] == [3, 3]
    box = records[0].objects[0]
    assert (box.x0, box.y0) == (8, 8)
    assert (records[0].layers[0, box.y0 : box.y1, box.x0 : box.x1] == 1).all()


def test_a_dark_image_is_learned_from_as_the_window_shows_it(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    file = folder / "images" / "p0.png"
    with Image.open(file) as image:
        dark = np.asarray(image) // 8
    Image.fromarray(dark).save(file)
    (read, *_) = read_labelled(image_paths(folder, "train"))
    shown = read_image(file).pixels
    assert shown.max() > 200
    assert np.array_equal(read.pixels if read.pixels.ndim == 3 else np.repeat(read.pixels[..., None], 3, 2), shown)


def test_palette_masks_keep_their_ids(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    file = folder / "masks" / "p0.png"
    with Image.open(file) as image:
        palette = Image.fromarray(np.asarray(image), mode=None).convert("P")
        ids = np.asarray(palette)
    palette.save(file)
    (read, *_) = read_labelled(image_paths(folder, "train"))
    assert np.array_equal(read.layers[0], ids)


def test_an_image_and_a_mask_of_different_size_are_skipped_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_set(tmp_path / "set")
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(folder / "masks" / "p0.png")
    with caplog.at_level(logging.WARNING):
        records = read_labelled(image_paths(folder, "train"))
    assert [r.name for r in records] == ["p1"]
    assert "p0.png" in caplog.text
    caplog.clear()


def test_an_unreadable_image_is_skipped_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_set(tmp_path / "set")
    (folder / "images" / "p1.png").write_bytes(b"no picture")
    with caplog.at_level(logging.WARNING):
        records = read_labelled(image_paths(folder, "train"))
    assert [r.name for r in records] == ["p0"]
    assert "p1.png" in caplog.text
    caplog.clear()


def test_a_folder_without_a_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"split\.json"):
        image_paths(tmp_path, "train")


def test_specks_are_no_objects() -> None:
    labels = np.zeros((1, 40, 40), np.uint16)
    labels[0, 3:5, 3:5] = 1
    labels[0, 10:20, 10:20] = 2
    read = with_boxes("x", np.zeros((40, 40), np.uint8), labels)
    assert [box.value for box in read.objects] == [2]
