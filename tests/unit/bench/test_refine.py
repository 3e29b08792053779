"""`samtta bench refine`: figures by hand, and a run over engine requests on a toy model with a refiner of its own."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from samtta_app.bench import refinement
from samtta_app.bench.refinement import (
    RefinedObject,
    known_refined,
    refined_sets,
    run_refine,
    show_refined,
    write_refined,
)
from samtta_app.cli.bench import bench_app
from samtta_app.core.certainty import Reliability
from samtta_app.core.messages import LoadRequest, PredictRequest, Request
from samtta_app.core.metrics import boundary_iou, iou
from samtta_app.core.replies import Answer, Loaded, Refined, Reply
from samtta_app.core.types import Candidate, Click, Logits, Mask, Prompt
from samtta_app.datasets.folder import open_dataset, read_objects
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import DatasetError, UserError
from samtta_app.model.model_registry import toy_model
from samtta_app.simulation.streams import Source
from tests.unit.uncertainty.refining import moved, put

SHARES = Reliability(right=0.9, right_60=0.95, pixels_60=0.8, right_80=1.0, pixels_80=0.5)
ROW = RefinedObject(
    *("s", "im", 1, 4.0, 5.0, (0, 0, 80, 64)),
    *(0.6, 0.4, 0.7, 0.8, 0.6, 0.9),
    SHARES,
    0.02,
    "",
)


def quiet(share: float, words: str) -> None:
    """Nobody is told."""


@pytest.fixture
def refining() -> Engine:
    """An engine on a toy model with a refiner in the model folder."""
    model = toy_model()
    put(model, moved(model))
    return Engine(model)


def measured(engine: Engine, folder: Path, objects: int = 3) -> tuple[RefinedObject, ...]:
    return run_refine(engine, Source((folder,)), objects=objects, seed=0, split=None, told=quiet)


# --- a run ----------------------------------------------------------------------------------------------------------


def test_every_object_is_clicked_once_and_compared_with_its_mask(refining: Engine, shared_dataset: Path) -> None:
    rows = measured(refining, shared_dataset)
    assert len({(row.image, row.object) for row in rows}) == 3
    data = open_dataset(shared_dataset)
    for row in rows:
        item = next(image for image in data.part("test") if image.name == row.image)
        target = next(found for found in read_objects(item, 1) if found.instance == row.object)
        loaded = run(refining, LoadRequest(1, item.path))
        assert isinstance(loaded, Loaded)
        asked = PredictRequest(2, loaded.image, Prompt((Click(row.x, row.y, True),)), twin=True)
        found = run(refining, asked)
        assert isinstance(found, Answer)
        answer = found.candidates[found.chosen]
        assert row.iou == iou(answer.mask, target.mask)
        assert row.boundary_iou == boundary_iou(answer.mask, target.mask, loaded.image.whole)
        assert row.predicted_iou == answer.predicted_iou
        assert row.window == (found.window.x, found.window.y, found.window.width, found.window.height)
        assert target.mask.bits[int(row.y) - target.mask.y, int(row.x) - target.mask.x]
        if row.reliability is None:
            assert row.reason
            assert math.isnan(row.refined_iou)
        else:
            assert 0 <= row.refined_iou <= 1
            assert 0 <= row.reliability.pixels_80 <= row.reliability.pixels_60 <= 1
    assert any(row.reliability is not None for row in rows)
    assert [replace(row, seconds=0) for row in measured(refining, shared_dataset)] == [
        replace(row, seconds=0) for row in rows
    ]


def scripted(uncertain: np.ndarray, answer: Mask, mended: Mask) -> object:
    """Replies in place of the engine's: the answer, the refined mask and the map are given."""

    def reply(engine: Engine, request: Request) -> Reply:
        if isinstance(request, LoadRequest):
            return run(engine, request)
        whole = request.image.whole  # type: ignore[union-attr]
        if isinstance(request, PredictRequest):
            shown = Candidate(answer, Logits(whole, uncertain), 0.75, uncertain, 0.0)
            return Answer(request.id, whole, (shown,), 0, 0, 0.1)
        return Refined(request.id, mended, 0.5, uncertain, whole, 0.25)

    return reply


def test_right_pixels_are_counted_in_the_window_by_their_certainty(
    toy: Engine, shared_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 80 x 64 pixels; the answer is empty but for one pixel outside, so that the 14 x 14 pixels of the object are wrong
    nothing, all_of_it = Mask(70, 2, np.ones((1, 1), np.bool_)), Mask(0, 0, np.ones((64, 80), np.bool_))
    monkeypatch.setattr(refinement, "run", scripted(np.full((16, 16), 0.3, np.float32), nothing, all_of_it))
    for row in measured(toy, shared_dataset, 1):
        assert row.iou == 0
        assert row.refined_iou == pytest.approx(196 / 5120)
        assert (row.predicted_iou, row.refined_predicted_iou, row.seconds) == (0.75, 0.5, 0.25)
        assert row.reliability is not None
        assert row.reliability.right == pytest.approx(1 - 197 / 5120)
        assert row.reliability.right_60 == pytest.approx(1 - 197 / 5120)  # certainty .7 everywhere
        assert (row.reliability.pixels_60, row.reliability.pixels_80) == (1.0, 0.0)


def test_a_model_without_a_refiner_is_refused(toy: Engine, shared_dataset: Path) -> None:
    with pytest.raises(UserError, match="'toy' has no refiner"):
        measured(toy, shared_dataset)


def test_a_set_without_masks_and_an_image_that_cannot_be_read_are_named(refining: Engine, dataset: Path) -> None:
    (dataset / "images" / "im0.png").write_bytes(b"nothing")
    (dataset / "images" / "im1.png").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"im\d\.png"):
        measured(refining, dataset, 1)
    (dataset / "masks").rename(dataset / "elsewhere")
    with pytest.raises(DatasetError):
        measured(refining, dataset)


def test_progress_is_told(refining: Engine, shared_dataset: Path) -> None:
    said: list[tuple[float, str]] = []
    run_refine(
        *(refining, Source((shared_dataset,))), objects=2, seed=0, split=None, told=lambda *words: said.append(words)
    )
    assert said == [(0.5, "squares: object 1 of 2"), (1.0, "squares: object 2 of 2")]


# --- figures --------------------------------------------------------------------------------------------------------


def test_means_leave_out_what_was_not_refined() -> None:
    other = replace(ROW, object=2, iou=0.8, refined_iou=0.9, boundary_iou=0.6, refined_boundary_iou=0.7, seconds=0.04)
    absent = replace(ROW, object=3, iou=0.0, refined_iou=float("nan"), reliability=None, reason="empty")
    (found,) = refined_sets([ROW, other, absent])
    assert (found.name, found.objects, found.refined) == ("s", 3, 2)
    assert found.iou == pytest.approx(0.7)
    assert found.refined_iou == pytest.approx(0.85)
    assert found.boundary_iou == pytest.approx(0.5)
    assert found.refined_boundary_iou == pytest.approx(0.65)
    assert found.seconds == pytest.approx(0.03)
    assert found.reliability.right_60 == pytest.approx(0.95)


def test_several_sets_have_a_line_of_all() -> None:
    other = replace(ROW, set="t", iou=1.0, reliability=replace(SHARES, right_60=0.55, pixels_60=0.2))
    found = refined_sets([ROW, other])
    assert [one.name for one in found] == ["s", "t", "all"]
    assert found[2].iou == pytest.approx(0.8)
    assert found[2].reliability.right_60 == pytest.approx((0.95 * 0.8 + 0.55 * 0.2) / 1.0)
    assert found[2].reliability.pixels_60 == pytest.approx(0.5)


def test_models_are_measured_apart() -> None:
    found = refined_sets([replace(ROW, model="a"), replace(ROW, model="b", iou=0.2), replace(ROW, model="b", set="t")])
    assert [(one.model, one.name, round(one.iou, 2)) for one in found] == [
        *(("a", "s", 0.6), ("b", "s", 0.2), ("b", "t", 0.6), ("b", "all", 0.4)),
    ]


def test_a_set_of_which_nothing_was_refined_is_shown_with_dashes() -> None:
    absent = replace(ROW, set="t", refined_iou=float("nan"), reliability=None, reason="empty")
    console = Console(file=io.StringIO(), width=170)
    show_refined(console, refined_sets([ROW, absent]))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    first = next(line for line in lines if line.startswith("│       │ s"))
    for expected in ("0.600", "0.800", "0.400", "90.0", "80.0", "95.0", "70.0", "100.0", "50.0", "20"):
        assert f" {expected} " in first
    assert next(line for line in lines if line.startswith("│       │ t")).count(" - ") == 11


def test_records_are_json_lines_without_nan(tmp_path: Path) -> None:
    absent = replace(ROW, refined_iou=float("nan"), reliability=None, reason="The answer is empty")
    path = write_refined([ROW, absent], tmp_path / "out")
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first["reliability"]["right_60"] == 0.95
    assert first["window"] == [0, 0, 80, 64]
    assert second["refined_iou"] is None
    assert second["reliability"] is None
    assert "NaN" not in path.read_text()
    known = known_refined(tmp_path / "out")
    assert known[0] == ROW
    assert math.isnan(known[1].refined_iou)
    assert known[1].reliability is None
    assert known_refined(tmp_path) == ()
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_refined([ROW], tmp_path / "file")


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_prints_a_table_and_writes_records(
    refining: Engine,
    shared_dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("samtta_app.engine.dispatch.open_engine", lambda source, **given: refining)
    words = ["refine", str(shared_dataset), "--objects", "2", "--split", "all", "--out", str(tmp_path / "out")]
    bench_app(words, standalone_mode=False)
    shown = capsys.readouterr().out
    assert "squares" in shown
    assert "wrote refine.jsonl" in shown
    assert len((tmp_path / "out" / "refine.jsonl").read_text().splitlines()) == 2
