"""The Python API: the examples of its help page run as they stand, and what cannot work is refused in words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from samtta_app.api import MaskPredictor, open_project
from samtta_app.engine import dispatch
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import ExportError, ProjectError, UserError
from samtta_app.formats.export_choice import ExportChoice
from samtta_app.model.model_registry import toy_model
from samtta_app.settings import resource
from tests.unit.values import picture

EXAMPLES = re.findall(r"```python\n(.*?)```", resource("help/11-python.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cells"
    folder.mkdir()
    for k in (1, 2):
        cv2.imwrite(str(folder / f"{k}.png"), picture(k, discs=((60, 50, 18),)).pixels)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dispatch, "open_engine", lambda *_, **__: Engine(toy_model()))
    return folder


def a_mask(shape: tuple[int, int]) -> np.ndarray:
    bits = np.zeros(shape, bool)
    bits[40:60, 50:70] = True
    return bits


def test_the_examples_of_the_help_run(cells: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read, add, predict = EXAMPLES
    for example in (add, read, predict):
        exec(compile(example, "11-python.md", "exec"), {})
    said = capsys.readouterr().out
    assert "1.png bright" in said
    assert "2.png" in said
    assert (cells.parent / "cells-export" / "annotations" / "instances_default.json").is_file()


def test_objects_come_back_as_the_arrays_that_were_added(cells: Path) -> None:
    with open_project(cells) as project:
        pictures = list(project.pictures())
        shape = pictures[0].read().pixels.shape[:2]
        assert project.add_objects("1.png", [a_mask(shape), ~a_mask(shape)], "cell", source="mine") == 2
        assert project.classes == ("object", "cell")
        found = pictures[0].objects()
        assert np.array_equal(found[0].mask, a_mask(shape))
        assert np.array_equal(found[1].mask, ~a_mask(shape))
        assert [(each.class_name, each.source, each.reviewed) for each in found] == [("cell", "mine", False)] * 2
        assert pictures[1].objects() == ()
        (file,) = project.export("coco", cells.parent / "out", ExportChoice(merged={"cell": "blob"}))
        assert [c["name"] for c in json.loads(file.read_text())["categories"]] == ["object", "blob"]


def test_what_cannot_work_is_refused_in_words(cells: Path, tmp_path: Path) -> None:
    with pytest.raises(ProjectError):
        open_project(tmp_path / "nowhere")
    with open_project(cells) as project:
        shape = next(project.pictures()).read().pixels.shape[:2]
        for name, mask in (("3.png", a_mask(shape)), ("1.png", a_mask((70, 70))), ("1.png", np.zeros(shape, bool))):
            with pytest.raises(UserError):
                project.add_objects(name, [a_mask(shape), mask])
        assert all(picture.objects() == () for picture in project.pictures())
        with pytest.raises(ExportError, match="no format"):
            project.export("doc", tmp_path)


def test_a_predictor_answers_clicks_and_boxes_and_learns(cells: Path) -> None:
    pixels = picture(1, discs=((60, 50, 18),)).pixels
    before, predictor = pixels.copy(), MaskPredictor()
    answer = predictor.predict(pixels, [(60, 50, True), (5, 5, False)])
    assert answer.mask.shape == pixels.shape[:2]
    assert answer.mask.dtype == bool
    assert predictor.predict(pixels, box=(40, 30, 80, 70)).mask.shape == pixels.shape[:2]
    learned = predictor.adapt(pixels, a_mask(pixels.shape[:2]), [(60, 50, True)])
    assert learned.reason
    assert np.array_equal(pixels, before)
    for bad in (
        lambda: predictor.predict(pixels),
        lambda: predictor.predict(pixels, [(5, 5, False)]),
        lambda: predictor.predict(np.zeros((4, 4, 9)), [(1, 1, True)]),
    ):
        with pytest.raises(UserError):
            bad()
