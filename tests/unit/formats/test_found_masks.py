"""Masks that a model found come back as they were, become exports like any other, and are found only once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from pycocotools.coco import COCO

from samtta_app.core.automatic import AutomaticMask
from samtta_app.core.masks import bounding_box, full
from samtta_app.core.types import Click, Window
from samtta_app.errors import DatasetError, ExportError
from samtta_app.formats import FORMATS
from samtta_app.formats.found_masks import (
    FoundInImage,
    earlier_find,
    of_automatic,
    project_of,
    raw_files,
    read_found,
    write_found,
    write_results,
)
from samtta_app.formats.written_files import content_hash
from tests.unit.values import disc

NESTED = (disc(60, 50, 10), disc(60, 50, 25))


def automatic(mask, iou: float) -> AutomaticMask:
    box = bounding_box(mask)
    assert box is not None
    return AutomaticMask(mask, box, iou, 0.97, Click(60.0, 50.0, True), Window(0, 0, 128, 96))


def found(name: str = "a.png", source: str = "s") -> FoundInImage:
    masks = of_automatic([automatic(NESTED[0], 0.9), automatic(NESTED[1], 0.95)], 128, 96)
    return FoundInImage(name, 128, 96, source, "model", "settings", 1.5, masks)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = raw_files(["a.png", "b.png"], tmp_path / "out")
    for name, path in made.items():
        write_found(found(name), path)
    return made


def test_masks_come_back_ranked(files: dict[str, Path]) -> None:
    back = read_found(files["a.png"])
    assert back == found()
    assert [mask.score for mask in back.masks] == [0.95, 0.9]
    assert back.masks[0].prompt == (60, 50)


def test_exports_hold_every_mask_and_the_small_one_lies_on_top(files: dict[str, Path], tmp_path: Path) -> None:
    project = project_of(tmp_path, files, lambda name: read_found(files[name]), {})
    FORMATS["coco"].write(project, tmp_path / "out")
    objects = list(FORMATS["coco"].read(tmp_path / "out"))
    assert [(each.image_name, each.class_name) for each in objects[:2]] == [("a.png", "object")] * 2
    assert {each.mask.area for each in objects} == {mask.area for mask in NESTED}
    FORMATS["png"].write(project, tmp_path / "png")
    index = np.array(PIL.Image.open(tmp_path / "png" / "instances" / "a.png"))
    small, large = (full(mask, 96, 128) for mask in NESTED)
    assert (index[small] == 2).all()
    assert (index[large & ~small] == 1).all()


def test_results_are_read_by_pycocotools_beside_the_annotations(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    FORMATS["coco"].write(project_of(tmp_path, files, lambda name: read_found(files[name]), {}), out)
    path = write_results(map(read_found, files.values()), out)
    scored = COCO(str(out / "annotations" / "instances_default.json")).loadRes(str(path))
    assert len(scored.anns) == 4
    for result in scored.anns.values():
        assert result["score"] in (0.95, 0.9)
        x, y, width, height = result["bbox"]
        rows, columns = np.nonzero(scored.annToMask(result))
        assert (columns.min(), rows.min()) == (x, y)
        assert (columns.max() - x + 1, rows.max() - y + 1) == (width, height)
    assert "error" not in capsys.readouterr().out


def test_the_same_image_model_and_settings_are_found_only_once(tmp_path: Path) -> None:
    image, path = tmp_path / "a.png", tmp_path / "raw" / "a.json"
    image.write_bytes(b"one")
    assert earlier_find(path, image, "model", "settings") is None
    write_found(found(source=content_hash(image)), path)
    assert earlier_find(path, image, "model", "settings") == found(source=content_hash(image))
    assert earlier_find(path, image, "other", "settings") is None
    assert earlier_find(path, image, "model", "others") is None
    image.write_bytes(b"another picture")
    assert earlier_find(path, image, "model", "settings") is None


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"image": "a.png", "masks": [1]})])
def test_a_damaged_raw_file_is_found_again_and_never_shown(text: str, tmp_path: Path) -> None:
    image, path = tmp_path / "a.png", tmp_path / "a.json"
    image.write_bytes(b"one")
    path.write_text(text)
    assert earlier_find(path, image, "model", "settings") is None
    with pytest.raises(DatasetError, match="no file of found masks"):
        read_found(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, files: dict[str, Path]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(ExportError, match="cannot be written"):
        write_found(found(), blocked / "a.json")
    with pytest.raises(ExportError, match="cannot be written"):
        write_results(map(read_found, files.values()), blocked)
