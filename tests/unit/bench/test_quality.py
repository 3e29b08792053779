"""Quality without adaptation: hand-worked figures, real sessions that neither accept nor learn, and the command."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from samtta_app.bench.boxes import BoxRow, drawn_box
from samtta_app.bench.click_rows import ClickRow
from samtta_app.bench.protocol import Conditions, frozen
from samtta_app.bench.quality import TO_THE_END, measure_quality, qualities, show_quality, write_qualities
from samtta_app.cli.bench import bench_app
from samtta_app.core.masks import bounding_box
from samtta_app.core.types import Window
from samtta_app.errors import DatasetError
from samtta_app.simulation.engines import Engines
from samtta_app.simulation.streams import Source, objects_of


def clicks(
    values: list[float],
    *,
    position: int = 0,
    name: str = "s",
    best: float = 0.9,
    predicted: float = 0.5,
    disobeyed: tuple[int, ...] = (),
) -> list[ClickRow]:
    """One object: click 1 includes, then exclude and include take turns."""
    return [
        ClickRow(
            *(name, "20@100", "frozen", "ritm", "logits", 0, position, "im", 1, "nut", k, 1.0, 2.0, k % 2 == 1),
            *(value, value, predicted, 0.1, 0.01, 0.0, 0, (0, 0, 9, 9), best if k == 1 else value, k not in disobeyed),
        )
        for k, value in enumerate(values, start=1)
    ]


def test_a_curve_that_ends_early_is_held_and_the_mean_is_over_objects() -> None:
    found = measure_quality("s", [*clicks([0.4, 1.0]), *clicks([0.6, 0.7, 0.8], position=1)])
    assert found.objects == 2
    assert found.iou[:4] == pytest.approx((0.5, 0.85, 0.9, 0.9))
    assert len(found.iou) == 20
    assert found.iou[-1] == pytest.approx(0.9)
    assert found.rises


def test_a_curve_that_falls_anywhere_does_not_rise() -> None:
    assert not measure_quality("s", clicks([0.4, 0.6, 0.59, 0.9])).rises
    assert measure_quality("s", clicks([0.4, 0.6, 0.596, 0.9])).rises  # within chance
    assert measure_quality("s", clicks([0.4, 0.4, 0.5])).rises


def test_clicks_that_do_harm_and_the_largest_fall_of_the_mean() -> None:
    found = measure_quality("s", [*clicks([0.4, 0.6, 0.57, 0.9]), *clicks([0.5, 0.49, 0.6, 0.6], position=1)])
    assert found.harm == pytest.approx(1 / 6)  # .6 to .57; a loss of .01 is no harm
    assert found.fall == 0.0
    worse = measure_quality("s", clicks([0.8, 0.7, 0.75]))
    assert (worse.harm, worse.fall) == (0.5, pytest.approx(0.1))
    assert not worse.rises
    assert measure_quality("s", clicks([0.8])).harm != 0.0  # not a number


def test_thin_objects_have_a_failure_rate_of_their_own() -> None:
    thin = [replace(row, mask_width=5.0) for row in clicks([0.1] * 20)]
    wide = [replace(row, mask_width=16.0) for row in clicks([0.9], position=1)]
    assert measure_quality("s", [*thin, *wide]).fr_thin == 1.0
    assert math.isnan(measure_quality("s", wide).fr_thin)
    assert math.isnan(measure_quality("s", clicks([0.9])).fr_thin)  # older records do not know the width


def test_boxes_are_answered_apart_and_by_model() -> None:
    boxes = [BoxRow("s", "im", k, 0, 0, 9, 9, value, value, model) for k, (value, model) in enumerate(BOXES)]
    found = qualities([*clicks([0.4]), *(replace(row, model="b") for row in clicks([0.5]))], boxes)
    assert [(q.model, q.box) for q in found] == [("", pytest.approx(0.7)), ("b", pytest.approx(0.2))]
    assert math.isnan(qualities(clicks([0.4]))[0].box)


BOXES = ((0.6, ""), (0.8, ""), (0.2, "b"))


def test_a_drawn_box_is_about_the_true_one_and_the_same_each_time(dataset: Path) -> None:
    for target in objects_of(Source((dataset,)), objects=6, seed=0, split=None):
        extent = Window(0, 0, 400, 300)
        box, true = drawn_box(target, 3, extent), bounding_box(target.mask)
        assert box is not None
        assert true is not None
        assert box == drawn_box(target, 3, extent)
        assert box != drawn_box(target, 4, extent)
        for side in ("x0", "y0", "x1", "y1"):
            assert abs(getattr(box, side) - getattr(true, side)) <= 400 * 20 / 1024
        assert 0 <= box.x0 <= box.x1 < extent.width
        assert 0 <= box.y0 <= box.y1 < extent.height


def test_the_best_candidate_counts_after_the_first_click_only() -> None:
    found = measure_quality("s", [*clicks([0.4, 0.95], best=0.7), *clicks([0.6, 0.9], position=1, best=0.6)])
    assert found.best == pytest.approx(0.65)


def test_the_error_of_predicted_iou_is_over_all_clicks_and_absolute() -> None:
    assert measure_quality("s", clicks([0.4, 0.6, 0.8], predicted=0.5)).quality_error == pytest.approx(
        (0.1 + 0.1 + 0.3) / 3
    )


def test_obedience_is_told_apart_for_include_and_exclude_clicks() -> None:
    found = measure_quality("s", clicks([0.1, 0.2, 0.3, 0.4, 0.5], disobeyed=(2, 5)))
    assert (found.included, found.excluded) == (pytest.approx(2 / 3), 0.5)
    assert math.isnan(measure_quality("s", clicks([0.3])).excluded)


def test_failures_are_strict() -> None:
    rows = [*clicks([0.1] * 19 + [0.85]), *clicks([0.1] * 20, position=1), *clicks([0.849], position=2)]
    assert measure_quality("s", rows).fr_20_85 == pytest.approx(2 / 3)


def test_several_sets_are_also_taken_together_object_by_object() -> None:
    rows = [*clicks([0.2], name="a"), *clicks([0.4], name="b"), *clicks([0.6], name="b", position=1)]
    found = qualities(rows)
    assert [(q.name, q.objects) for q in found] == [("a", 1), ("b", 2), ("all", 3)]
    assert found[2].iou[0] == pytest.approx(0.4)
    assert [q.name for q in qualities(rows[:1])] == ["a"]


def test_models_are_measured_apart() -> None:
    rows = [replace(row, model=model) for model in ("a", "b") for row in clicks([0.2 if model == "a" else 0.6])]
    found = qualities(rows)
    assert [(q.model, q.name, q.iou[0]) for q in found] == [("a", "s", 0.2), ("b", "s", 0.6)]
    console = Console(width=200, record=True)
    show_quality(console, found)
    assert "b s, IoU by click" in console.export_text()


def test_it_is_shown_and_written(tmp_path: Path) -> None:
    found = qualities(clicks([0.25, 0.5], disobeyed=(1,)))
    console = Console(width=200, record=True)
    show_quality(console, found)
    text = console.export_text()
    assert "0.250" in text
    assert "rises with every click" in text
    (row,) = json.loads(write_qualities(found, tmp_path / "out").read_text())
    assert row["iou"][:2] == [0.25, 0.5]
    assert row["included"] == 0.0
    assert row["rises"] is True


def test_what_is_not_a_number_is_null_in_the_file_and_a_bad_folder_is_an_error(tmp_path: Path) -> None:
    found = qualities(clicks([0.25]))
    (row,) = json.loads(write_qualities(found, tmp_path).read_text())
    assert row["excluded"] is None
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_qualities(found, tmp_path / "file")


def test_a_real_run_clicks_to_the_end_and_never_learns(dataset: Path, engines: Engines) -> None:
    source, told = Source((dataset,)), lambda share, words: None
    records = list(frozen(engines("frozen"), source, Conditions(3), goals=(TO_THE_END,), orders=(0,), told=told))
    assert {r.strategy for r in records} == {"frozen"}
    assert {r.version for r in records} == {0}
    assert {r.position for r in records} == {0, 1, 2}
    (found,) = qualities(records)
    assert found.best >= found.iou[0]
    for position in range(3):
        rows = [r for r in records if r.position == position]
        assert len(rows) == 20 or rows[-1].iou == 1.0


def test_the_command_measures_every_set_and_writes_the_records(dataset: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(bench_app, ["quality", str(dataset), "--objects", "1", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "squares" in result.output
    rows = (tmp_path / "out" / "records.jsonl").read_text().splitlines()
    assert {json.loads(row)["goal"] for row in rows} == {"20@100"}
    assert {json.loads(row)["model"] for row in rows} == {"samtta-small"}
    assert len((tmp_path / "out" / "boxes.jsonl").read_text().splitlines()) == 1
    (figures,) = json.loads((tmp_path / "out" / "quality.json").read_text())
    assert 0 <= figures["box"] <= 1
    assert (figures["objects"], figures["model"]) == (1, "samtta-small")
    words = ["quality", str(dataset), "--objects", "1", "--input-size", "256", "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(bench_app, words).exit_code == 0
    both = json.loads((tmp_path / "out" / "quality.json").read_text())
    assert [each["model"] for each in both] == ["samtta-small", "samtta-small at 256"]
