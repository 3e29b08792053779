"""`samtta auto` and `samtta edges` on real files: what they write, what they go on with, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from samtta_app.cli import auto_run
from samtta_app.cli.entry import main
from samtta_app.formats import FORMATS
from tests.unit.values import picture

MODEL = ["--input-size", "128", "--device", "cpu"]
QUICK = [*MODEL, "--points-per-side", "4", "--pred-iou", "0.3", "--stability", "0.3"]


def call(*arguments: object) -> int:
    """Run the command line here; its exit code."""
    with pytest.raises(SystemExit) as end:
        main([str(each) for each in arguments])
    return int(end.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures with bright discs."""
    home = tmp_path / "images"
    home.mkdir()
    for k in range(2):
        PIL.Image.fromarray(picture(k, discs=((40, 48, 20), (96, 40, 16))).pixels).save(home / f"im{k}.png")
    return home


def test_a_folder_becomes_masks_with_scores(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert call("auto", folder, "--out", out, *QUICK) == 0
    assert "instances_default.json" in capsys.readouterr().out
    objects = list(FORMATS["coco"].read(out))
    assert {each.image_name for each in objects} == {"im0.png", "im1.png"}
    results = json.loads((out / "results.json").read_text())
    assert len(results) == len(objects)
    assert all(0 < each["score"] < 1.5 for each in results)


def test_a_stopped_run_goes_on_with_what_is_missing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, asked, real = tmp_path / "out", [], auto_run.found_in_image

    def stopping(*arguments):
        asked.append(arguments[4])
        if len(asked) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(auto_run, "found_in_image", stopping)
    assert call("auto", folder, "--out", out, *QUICK) == 130
    assert "stopped; what was found is kept" in capsys.readouterr().err
    assert not (out / "annotations" / "instances_default.json").exists()
    assert call("auto", folder, "--out", out, *QUICK) == 0
    assert asked == ["im0.png", "im1.png", "im1.png"]
    assert call("auto", folder, "--out", out, *QUICK, "--box-nms", "0.5") == 0
    assert asked[3:] == ["im0.png", "im1.png"], "other settings find other masks"


def test_index_pngs_are_written_where_asked(folder: Path, tmp_path: Path) -> None:
    assert call("auto", folder / "im0.png", "--out", tmp_path / "out", "--format", "png", *QUICK) == 0
    index = np.array(PIL.Image.open(tmp_path / "out" / "instances" / "im0.png"))
    assert index.shape == (96, 128)
    assert index.max() > 0


def test_boxes_of_a_detector_become_masks(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boxes, out = tmp_path / "boxes.json", tmp_path / "out"
    entries = [([19, 27, 43, 43], 0.9), ([79, 23, 34, 34], 0.4), ([500, 500, 9, 9], 0.8)]
    values = [{"image_id": "im0", "category_id": 7, "bbox": bbox, "score": score} for bbox, score in entries]
    boxes.write_text(json.dumps(values))
    assert call("auto", folder, "--out", out, "--boxes", boxes, *MODEL) == 1
    assert "im0.png: 1 of 3 boxes lie outside the image and were left out" in capsys.readouterr().err
    results = json.loads((out / "results.json").read_text())
    assert [(each["image_id"], each["category_id"], each["score"]) for each in results] == [(1, 7, 0.9), (1, 7, 0.4)]
    first = next(iter(FORMATS["coco"].read(out)))
    assert first.class_name == "category 7"
    assert 0.7 < first.mask.area / (np.pi * 20**2) < 1.3


def test_an_image_that_cannot_be_read_is_named_and_the_others_are_done(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.png").write_text("no picture")
    assert call("auto", folder, "--out", tmp_path / "out", *QUICK) == 1
    assert "broken.png" in capsys.readouterr().err
    assert len(list((tmp_path / "out" / "proposals").iterdir())) == 2


def test_an_image_without_objects_is_listed_and_has_none(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(tmp_path / "empty.png")
    options = [*MODEL, "--points-per-side", "2", "--pred-iou", "0.999"]
    assert call("auto", tmp_path / "empty.png", "--out", tmp_path / "out", *options) == 0
    written = json.loads((tmp_path / "out" / "annotations" / "instances_default.json").read_text())
    assert written["annotations"] == []
    assert [image["file_name"] for image in written["images"]] == ["empty.png"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--points-per-side", "0"], "Points per side is 0"),
        (["--crop-layers", "3", "--points-per-side", "4", "--crop-downscale", "2"], "would have no point"),
        (["--stability", "2"], "Stability is 2"),
        (["--format", "jpeg"], "no format 'jpeg'"),
        (["--boxes", "nowhere.json"], "detections cannot be read"),
    ],
)
def test_what_is_impossible_is_one_message(
    options: list[str], said: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("auto", folder, "--out", tmp_path / "out", *MODEL, *options) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_boxes_of_other_images_and_an_empty_folder_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text('[{"image_id": "elsewhere", "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1}]')
    assert call("auto", folder, "--out", tmp_path / "out", "--boxes", boxes, *MODEL) == 2
    assert "No image has a box" in capsys.readouterr().err
    (tmp_path / "none").mkdir()
    assert call("auto", tmp_path / "none", "--out", tmp_path / "out", *MODEL) == 2
    assert "no image in the folder" in capsys.readouterr().err


def test_edges_are_written_as_grey_pictures(folder: Path, tmp_path: Path) -> None:
    assert call("edges", folder, "--out", tmp_path / "edges", *MODEL, "--points-per-side", "3") == 0
    edges = np.array(PIL.Image.open(tmp_path / "edges" / "im0.png"))
    assert edges.shape == (96, 128)
    assert edges.max() == 255
    assert (edges > 0).mean() < 0.5
