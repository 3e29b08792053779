"""Masks in a file's own rows and columns lie on the pixels that the file has there, for each orientation of a camera."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pycocotools import mask as coco_mask

from samtta_app.core.masks import full, trimmed
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.types import Box, Click, Window
from samtta_app.errors import ExportError
from samtta_app.formats import FORMATS
from samtta_app.formats.export_choice import ExportChoice, export_project
from samtta_app.formats.stored_rows import StoredTurn, in_stored_rows
from samtta_app.images.read import image_size, read_image, stored_orientation
from tests.unit.formats.values import annotation
from tests.unit.formats.values import project as values_project

STORED = ExportChoice(stored_rows=True)
TURNS = pytest.mark.parametrize("orientation", range(1, 9))


def stored_values() -> NDArray[np.uint8]:
    """What the file holds, (9, 14): dark and bright pixels without any symmetry."""
    return np.where(np.random.default_rng(5).random((9, 14)) > 0.6, 250, 5).astype(np.uint8)


def write_picture(path: Path, orientation: int) -> None:
    """A PNG, or a TIFF, whose tag names an orientation."""
    if path.suffix == ".tif":
        tifffile.imwrite(path, stored_values(), extratags=[(274, "H", 1, orientation, True)])
        return
    exif = PillowImage.Exif()
    exif[274] = orientation
    data = io.BytesIO()
    PillowImage.fromarray(stored_values()).save(data, "PNG", exif=exif.tobytes())
    path.write_bytes(data.getvalue())


def project_of(path: Path) -> Project:
    """A project of one image, whose object is all that is bright in it as it is shown."""
    shown = read_image(path)
    bright = annotation(1, trimmed(shown.pixels[..., 0] > 128), path.name)
    made = values_project(bright, names=(path.name,), folder=path.parent)
    return replace(made, images=(ProjectImage(path.name, shown.width, shown.height, 1, 1),))


@TURNS
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_a_mask_lies_on_the_pixels_that_the_file_has(orientation: int, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    write_picture(path, orientation)
    found = in_stored_rows(project_of(path))
    assert stored_orientation(path) == orientation
    (image,) = found.images
    assert (image.height, image.width) == (9, 14)
    (only,) = found.of_image(path.name)
    assert np.array_equal(full(only.mask, 9, 14), stored_values() > 128)


@TURNS
def test_clicks_boxes_and_windows_go_with_it(orientation: int, tmp_path: Path) -> None:
    """A place is known by the numbers of its pixels, which go through the same turn as an image does."""
    path = tmp_path / "a.png"
    write_picture(path, orientation)
    width, height = image_size(path)
    turn = StoredTurn(orientation, width, height)
    there = np.zeros((height, width), dtype=np.bool_)
    there[2:5, 3:9] = True
    at = turn.mask(trimmed(there))
    rows, columns = at.bits.shape
    assert turn.window(Window(3, 2, 6, 3)) == Window(at.x, at.y, columns, rows)
    assert turn.box(Box(3, 2, 8, 4)) == Box(at.x, at.y, at.x + columns - 1, at.y + rows - 1)
    dot = np.zeros_like(there)
    dot[4, 7] = True
    spot = turn.mask(trimmed(dot))
    assert turn.click(Click(7, 4, False)) == Click(spot.x, spot.y, False)
    assert turn.size == (14, 9)


def test_a_whole_object_goes_with_its_history(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_picture(path, 6)
    given = project_of(path)
    (only,) = given.of_image("a.png")
    turn = StoredTurn(6, *image_size(path))
    full_one = replace(only, box=Box(1, 2, 4, 5), alternatives=(only.mask,))
    found = turn.annotation(full_one)
    assert found.box == turn.box(Box(1, 2, 4, 5))
    assert np.array_equal(found.alternatives[0].bits, found.mask.bits)
    assert found.clicks == tuple(map(turn.click, only.clicks))
    assert len(found.history) == len(only.history) > 0
    assert turn.annotation(replace(full_one, box=None)).box is None


@pytest.mark.parametrize("name", ["coco", "npz", "tiff", "labelme"])
def test_exports_hold_them_and_coco_says_so(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_picture(path, 8)
    out = tmp_path / "out"
    export_project(project_of(path), FORMATS[name], out, STORED)
    (found,) = FORMATS[name].read(out)
    assert np.array_equal(full(found.mask, 9, 14), stored_values() > 128)
    if name == "coco":
        written = json.loads((out / "annotations/instances_default.json").read_text("utf-8"))
        assert "not applied" in written["info"]["samtta"]["rows"]
        assert np.array_equal(coco_mask.decode(written["annotations"][0]["segmentation"]), stored_values() > 128)


@pytest.mark.parametrize("name", ["dataset", "yolo", "crops"])
def test_formats_that_copy_upright_pixels_refuse(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_picture(path, 3)
    with pytest.raises(ExportError, match="upright"):
        export_project(project_of(path), FORMATS[name], tmp_path / "out", STORED)
    assert not (tmp_path / "out").exists()


def test_an_image_that_is_gone_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_picture(path, 6)
    given = project_of(path)
    path.write_bytes(b"no picture")
    with pytest.raises(ExportError, match="own rows"):
        export_project(given, FORMATS["coco"], tmp_path / "out", STORED)
    path.unlink()
    with pytest.raises(ExportError, match="gone"):
        export_project(given, FORMATS["coco"], tmp_path / "out", STORED)
    assert not (tmp_path / "out").exists()


def test_images_without_objects_may_be_gone(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_picture(path, 1)
    given = project_of(path)
    listed = ProjectImage("gone.png", 5, 7, 2)
    found = in_stored_rows(replace(given, images=(*given.images, listed)))
    assert found.images == (*given.images, listed)
    assert found.stored_rows
