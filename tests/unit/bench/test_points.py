from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from samtta_app.bench import points
from samtta_app.bench.points import COUNTS, Point, known_points, run_points, uniform, write_points
from samtta_app.core.messages import PredictRequest, Request
from samtta_app.core.replies import Reply
from samtta_app.core.types import Mask, Window
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import DatasetError, UserError
from samtta_app.model import answers
from samtta_app.model.answers import WindowMasks
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures
from samtta_app.model.weights import Weights
from samtta_app.simulation.streams import Source

EXTENT = Window(0, 0, 20, 10)
PART = Window(0, 0, 70, 60)


def bar(x: int, width: int) -> Mask:
    return Mask(x, 4, np.ones((1, width), np.bool_))


@pytest.fixture(scope="module")
def rows(shared_dataset: Path, toy: Engine) -> tuple[Point, ...]:
    return run_points(toy, Source((shared_dataset,)), objects=3, seed=0, split=None, told=lambda share, words: None)


def test_random_points_fall_on_every_wrong_pixel_with_its_sign() -> None:
    # columns 2 and 3 are missed, columns 6 and 7 wrongly shown
    target, shown = bar(2, 4), bar(4, 4)
    found = [uniform(target, shown, (), EXTENT, np.random.default_rng(k)) for k in range(400)]
    places = [(c.x, c.y, c.positive) for c in found if c is not None]
    assert set(places) == {(2, 4, True), (3, 4, True), (6, 4, False), (7, 4, False)}
    assert all(places.count(place) > 65 for place in set(places))  # of 100 expected each


def test_without_an_error_there_is_no_point() -> None:
    assert uniform(bar(2, 4), bar(2, 4), (), EXTENT, np.random.default_rng(0)) is None


def test_both_ways_place_up_to_nine_points_on_every_object(rows: tuple[Point, ...]) -> None:
    objects = {(r.image, r.object) for r in rows}
    assert len(objects) == 3
    for way in ("centre", "random"):
        for image, instance in objects:
            counts = [r.points for r in rows if (r.way, r.image, r.object) == (way, image, instance)]
            assert counts == list(range(1, len(counts) + 1))
            assert len(counts) == COUNTS[-1]


def test_the_best_of_three_is_no_worse_and_from_two_points_on_there_is_one_mask(
    shared_dataset: Path, toy: Engine
) -> None:
    source, told = Source((shared_dataset,)), lambda share, words: None
    rows = run_points(toy, source, objects=6, seed=0, split=None, told=told)
    assert all(r.oracle_iou >= r.iou for r in rows)
    assert any(r.oracle_iou > r.iou for r in rows if r.points == 1)
    assert all(r.oracle_iou == r.iou for r in rows if r.points > 1)


def test_the_first_centre_is_the_middle_of_the_object_and_repeats(
    rows: tuple[Point, ...], shared_dataset: Path, toy: Engine
) -> None:
    # the squares have 14 x 14 pixels: the first of the four deepest is 6 pixels from the corner
    corners = {1: (6, 6), 3: (56, 40)}
    firsts = {(r.object, r.x, r.y) for r in rows if r.points == 1 and r.way == "centre" and r.object in corners}
    assert firsts <= {(k, x + 6, y + 6) for k, (x, y) in corners.items()}
    again = run_points(toy, Source((shared_dataset,)), objects=3, seed=0, split=None, told=lambda share, words: None)
    assert again == rows


def test_the_weights_are_the_original_ones_whatever_was_learned(shared_dataset: Path, toy: Engine) -> None:
    told: list[tuple[float, str]] = []
    engine = toy.fresh(0)
    run_points(engine, Source((shared_dataset,)), objects=1, seed=0, split=None, told=lambda *t: told.append(t))
    assert engine.published.version == 0
    assert told == [(1.0, "squares: object 1 of 1")]


def test_an_image_that_cannot_be_read_is_named(dataset: Path, toy: Engine) -> None:
    for k in range(2):
        (dataset / "images" / f"im{k}.png").write_bytes((dataset / "images" / f"im{k}.png").read_bytes()[:90])
    with pytest.raises(UserError, match=r"im\d\.png"):
        run_points(toy, Source((dataset,)), objects=1, seed=0, split=None, told=lambda share, words: None)


def test_a_row_names_the_object_s_class_and_its_area(rows: tuple[Point, ...]) -> None:
    assert {row.class_name for row in rows} <= {"nut", "bolt"}
    assert {row.area for row in rows} == {14 * 14}
    assert {(row.model, row.whole) for row in rows} == {("", False)}


def test_the_whole_image_alone_is_seen_where_that_is_asked_for(
    toy: Engine, shared_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Window] = []
    decoded = answers.seen_in

    def watched(model: SamModel, weights: Weights, features: ImageFeatures, *rest: Any, **how: Any) -> WindowMasks:
        seen.append(features.window)
        return decoded(model, weights, features, *rest, **how)

    def asked(engine: Engine, request: Request) -> Reply:
        # a window that is given is where the engine looks first, unless it is asked for the whole image
        return run(engine, replace(request, window=PART) if isinstance(request, PredictRequest) else request)

    monkeypatch.setattr(answers, "seen_in", watched)
    monkeypatch.setattr(points, "run", asked)
    source, told = Source((shared_dataset,)), lambda share, words: None
    for whole in (True, False):
        seen.clear()
        rows = run_points(toy, source, objects=1, seed=0, split=None, told=told, whole=whole)
        assert {row.whole for row in rows} == {whole}
        assert (seen == [Window(0, 0, 80, 64)] * len(rows)) == whole


def test_rows_come_back_as_they_were_written_and_older_ones_without_the_new_columns(
    rows: tuple[Point, ...], tmp_path: Path
) -> None:
    assert known_points(tmp_path) == ()
    path = write_points(rows, tmp_path / "out")
    assert known_points(tmp_path / "out") == rows
    old = {
        name: value for name, value in asdict(rows[0]).items() if name not in ("class_name", "area", "model", "whole")
    }
    path.write_text(json.dumps(old) + "\n")
    (row,) = known_points(tmp_path / "out")
    assert (row.iou, row.class_name, row.area, row.model, row.whole) == (rows[0].iou, "", None, "", False)


def test_a_file_of_something_else_and_a_folder_that_cannot_be_written_are_named(
    rows: tuple[Point, ...], tmp_path: Path
) -> None:
    (tmp_path / "points.jsonl").write_text('{"mine": 1}\n')
    with pytest.raises(DatasetError, match=r"holds other records.*points\.jsonl"):
        known_points(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_points(rows, tmp_path / "file")
