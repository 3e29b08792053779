"""Automatic masks are measured over a stream: figures by hand, a real run, records that stay, and the command."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from samtta_app.bench.automatic_run import AutomaticAsking, AutomaticRow, run_automatic
from samtta_app.bench.automatic_sets import AUTOMATIC_FILE, measure_sets
from samtta_app.bench.report.automatic_figures import (
    automatic_figures,
    average_precision,
    fewer_misses,
    hits,
    recall,
    show_automatic,
)
from samtta_app.cli.bench import bench_app
from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.types import Box
from samtta_app.datasets.folder import open_dataset, read_objects
from samtta_app.engine.dispatch import Engine, open_engine
from samtta_app.errors import DatasetError
from samtta_app.formats.detections import DetectedBox, Detections
from samtta_app.simulation.annotator import Goal
from samtta_app.simulation.streams import Source

SETTINGS = AutomaticSettings(points_per_side=6, pred_iou=0.2, stability=0.2)


def told(share: float, words: str) -> None:
    assert 0 <= share <= 1
    assert words


@pytest.fixture(scope="module")
def engine() -> Engine:
    return open_engine("samtta-small", input_size=128, device="cpu")


def row(**changes: object) -> AutomaticRow:
    """Four masks and three objects: the second mask is the first object, the third one fits two objects."""
    values: dict[str, object] = {
        "set": "s",
        "way": "frozen",
        "position": 0,
        "image": "a",
        "objects": 3,
        "scores": [0.9, 0.8, 0.7, 0.6],
        "pairs": [(1, 0, 0.95), (2, 0, 0.9), (2, 1, 0.62), (3, 0, 0.91)],
        "seconds": 2.0,
        "annotated": 2,
        "accepted": 1,
        "clicks": 4,
        "model": "m",
    }
    return AutomaticRow(**(values | changes))  # type: ignore[arg-type]


def test_each_mask_takes_the_best_object_that_is_free() -> None:
    assert hits(row(), 0.5) == [False, True, True, False]
    assert hits(row(), 0.75) == [False, True, False, False]
    assert recall([row()], 0.5) == pytest.approx(2 / 3)
    assert recall([row(), row(objects=1, scores=[], pairs=[])], 0.75) == pytest.approx(1 / 4)


def test_average_precision_is_that_of_pycocotools_by_hand() -> None:
    """The best mask is wrong, the next two are right: precision 2/3 up to recall 2/3, then nothing."""
    assert average_precision([row()], 0.5) == pytest.approx(67 / 101 * 2 / 3)
    assert average_precision([row(scores=[], pairs=[])], 0.5) == 0
    assert math.isnan(average_precision([], 0.5))
    perfect = row(objects=1, scores=[0.5], pairs=[(0, 0, 1.0)])
    assert average_precision([perfect], 0.95) == 1


def test_figures_of_a_stream_by_hand() -> None:
    late = row(position=1, pairs=[(0, 0, 0.8), (1, 1, 0.8), (2, 2, 0.8)], accepted=2, clicks=0)
    (found,) = automatic_figures([late, row()])
    assert (found.images, found.objects, found.masks) == (2, 6, 4)
    assert found.second_half == 1
    assert found.recall_75 == pytest.approx(4 / 6)
    assert found.precision_75 == pytest.approx(4 / 8)
    assert found.accepted == pytest.approx(3 / 4)
    assert (found.clicks, found.finding) == (2, 2)
    recalls = [5 / 6] * 3 + [4 / 6] * 4 + [1 / 6] * 3
    assert found.ar == pytest.approx(np.mean(recalls))


def test_fewer_misses_are_told_of_the_second_half() -> None:
    frozen = row(position=1)
    adapted = replace(frozen, way="adapted", pairs=[(0, 0, 0.8), (1, 1, 0.8)])
    (line,) = fewer_misses(automatic_figures([frozen, adapted]))
    assert "0.667 of objects missed late, with learning 0.333 (+50% fewer)" in line
    console = Console(width=220, record=True)
    show_automatic(console, automatic_figures([frozen, adapted]))
    assert "AR@1000" in console.export_text()


def detected(folder: Path) -> Detections:
    """The true boxes of a set, and one outside each image that is the surest."""
    boxes = {}
    for image in open_dataset(folder).images:
        masks = [target.mask for target in read_objects(image)]
        drawn = [Box(m.x, m.y, m.x + m.bits.shape[1] - 1, m.y + m.bits.shape[0] - 1) for m in masks]
        boxes[image.name] = (*(DetectedBox(box, 0.5, 1) for box in drawn), DetectedBox(Box(900, 900, 910, 910), 1, 1))
    return Detections(boxes, {})


def test_a_stream_is_annotated_in_every_way(toy: Engine, shared_dataset: Path) -> None:
    loose = AutomaticSettings(points_per_side=4, pred_iou=-10, stability=0.0, stability_offset=0.05)
    asking = AutomaticAsking(loose, 2, 1, 0, "all", "samtta:steps=2", Goal(0.02, 3))
    rows = list(run_automatic(toy, Source((shared_dataset,)), asking, None, told))
    ways = ("frozen", "adapted", "by hand")
    assert [(one.position, one.way) for one in rows] == [(position, way) for position in (0, 1) for way in ways]
    for one in rows:
        assert (one.objects, one.annotated) == (3, 1)
        assert one.scores == sorted(one.scores, reverse=True)
        assert all(0.5 <= value <= 1 and place < len(one.scores) for place, _, value in one.pairs)
        assert one.accepted + one.failed <= 1
        assert one.clicks > 0 or one.accepted == 1
        if one.way == "by hand":
            assert (one.scores, one.accepted) == ([], 0)
    frozen, adapted = ([one for one in rows if one.way == way] for way in ("frozen", "adapted"))
    assert frozen[0].scores == adapted[0].scores, "nothing of an image is learned before it is proposed on"
    assert [one.version for one in frozen] == [0, 0]
    assert adapted[1].version > 0


def test_boxes_of_a_detector_are_measured_beside(engine: Engine, shared_dataset: Path) -> None:
    asking = AutomaticAsking(replace(SETTINGS, points_per_side=2), 1, 0, 0, "all", "samtta")
    *_, boxes = run_automatic(engine, Source((shared_dataset,)), asking, detected(shared_dataset), told)
    assert boxes.way == "boxes"
    assert boxes.scores == [0.5] * 3, "a box outside the image has no mask"
    assert len(boxes.pairs) == 3
    (found,) = automatic_figures([boxes])
    assert found.precision_50 == found.recall_50 == 1
    assert found.ap > 0.3


def test_records_stay_and_another_model_comes_beside(engine: Engine, shared_dataset: Path, tmp_path: Path) -> None:
    asking = AutomaticAsking(replace(SETTINGS, points_per_side=2), 1, 0, 0, "all", "frozen")
    for model in ("one", "two", "two"):
        rows = measure_sets(engine, [Source((shared_dataset,))], asking, None, model=model, out=tmp_path, told=told)
    assert [one.model for one in rows] == ["one"] * 3 + ["two"] * 3
    (tmp_path / AUTOMATIC_FILE).write_text('{"set": 1}\n')
    with pytest.raises(DatasetError, match="other records"):
        measure_sets(engine, [Source((shared_dataset,))], asking, None, model="x", out=tmp_path, told=told)


def test_a_stopped_run_keeps_what_it_measured(toy: Engine, shared_dataset: Path, tmp_path: Path) -> None:
    asking = AutomaticAsking(replace(SETTINGS, points_per_side=2), 2, 0, 0, "all", "frozen")

    def stopping(share: float, words: str) -> None:
        if "image 2" in words:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_sets(toy, [Source((shared_dataset,))], asking, None, model="m", out=tmp_path, told=stopping)
    kept = (tmp_path / AUTOMATIC_FILE).read_text().splitlines()
    assert [json.loads(line)["way"] for line in kept] == ["frozen", "adapted", "by hand"]


def test_the_command_writes_records_and_figures(
    shared_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [
        "--images",
        "1",
        "--annotated",
        "1",
        "--points-per-side",
        "3",
        "--input-size",
        "64",
        "--out",
        str(tmp_path),
    ]
    bench_app(["auto", str(shared_dataset), *options], standalone_mode=False)
    assert "Automatic masks over a stream" in capsys.readouterr().out
    assert {one["way"] for one in json.loads((tmp_path / "automatic.json").read_text())} == {
        "frozen",
        "adapted",
        "by hand",
    }
