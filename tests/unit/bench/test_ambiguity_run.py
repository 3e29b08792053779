"""Several answers are measured against several outlines: prompts, records, figures worked by hand, and the command."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from rich.console import Console

from samtta_app.bench.ambiguity_run import (
    CONDITIONS,
    METHODS,
    AmbiguityRow,
    RobustnessRow,
    measured_prompts,
    moved_prompt,
    run_ambiguity,
)
from samtta_app.bench.ambiguity_sets import AmbiguityRecords, ask_sets
from samtta_app.bench.figure_files import write_figure_rows
from samtta_app.bench.report.ambiguity_figures import ALL_SETS, ambiguity_figures, show_ambiguity
from samtta_app.bench.tastes import TAUGHT, TasteRow, run_tastes, wanted
from samtta_app.cli.bench import bench_app
from samtta_app.core.masks import holds
from samtta_app.core.types import Box, Click, Prompt, Window
from samtta_app.datasets.ambiguity import AmbiguousObject, ambiguous_objects
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import CheckpointError, DatasetError
from samtta_app.model.hypotheses import save_hypotheses
from samtta_app.model.model_registry import toy_model
from tests.unit.model.test_hypotheses import nets_of
from tests.unit.values import disc

EXTENT = Window(0, 0, 128, 96)
TWO = (disc(60, 50, 10), disc(60, 50, 20))
OBJECT = AmbiguousObject(Path("a.png"), "a", 1, TWO, ("A", "B"), "annotators")


def told(share: float, words: str) -> None:
    assert 0 <= share <= 1
    assert words


@pytest.fixture(scope="module")
def engine() -> Engine:
    """A toy model with hypotheses that differ."""
    plain = toy_model()
    return Engine(replace(plain, hypotheses=nets_of(plain, 0.3)))


def row(**changes: object) -> AmbiguityRow:
    """Two answers and two outlines: the first answer is the first outline, the second one fits no outline."""
    values: dict[str, object] = {
        "set": "s",
        "image": "a",
        "object": 1,
        "kind": "annotators",
        "prompt": "click",
        "method": "hypotheses",
        "between": [[1.0, 0.5], [0.0, 0.0]],
        "answers": [[1.0, 0.0], [0.0, 1.0]],
        "outlines": [[1.0, 0.5], [0.5, 1.0]],
        "cards": [[0.5, 0.9], [1.0, 0.5]],
        "counts": [10, 6],
        "plain": [0.2, 0.86],
        "model": "m",
    }
    return AmbiguityRow(**(values | changes))  # type: ignore[arg-type]


# --- prompts ----------------------------------------------------------------------------------------------------------


def test_the_tested_click_lies_in_what_all_outlines_share_and_the_box_is_near_all_of_them() -> None:
    apart = replace(OBJECT, outlines=(disc(50, 50, 12), disc(62, 50, 12)))
    found = measured_prompts(apart, EXTENT, 0)
    (click,) = found["click"].clicks
    assert all(holds(mask, click.x, click.y) for mask in apart.outlines)
    box = found["box"].box
    assert box is not None
    assert abs((box.x0 + box.x1) / 2 - 56) <= 37 * 2.5 / 16 + 1
    assert 0.75 <= (box.x1 - box.x0) / 37 <= 1.25
    again = measured_prompts(apart, EXTENT, 0)
    assert (again["click"].clicks, again["box"].box) == (found["click"].clicks, found["box"].box)


def test_outlines_that_share_nothing_are_asked_for_in_the_smallest() -> None:
    apart = replace(OBJECT, outlines=(disc(20, 50, 9), disc(90, 50, 12)))
    (click,) = measured_prompts(apart, EXTENT, 0)["click"].clicks
    assert holds(apart.outlines[0], click.x, click.y)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_moved_prompt_stays_in_the_image_and_moves_no_farther_than_it_may(condition: str) -> None:
    scale, shift = CONDITIONS[condition]
    box = Box(40, 30, 79, 69)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        moved = moved_prompt(Prompt(box=box), 100, scale, shift, EXTENT, rng).box
        assert moved is not None
        assert abs((moved.x0 + moved.x1) / 2 - 59.5) <= 100 * shift + 1e-6
        assert scale[0] - 1e-6 <= (moved.x1 - moved.x0) / 39 <= scale[1] + 1e-6
        corner = moved_prompt(Prompt((Click(127, 0, True),)), 100, scale, shift, EXTENT, rng).clicks[0]
        assert EXTENT.contains(corner.x, corner.y)


def test_a_box_of_one_pixel_in_a_corner_stays_a_box() -> None:
    moved = moved_prompt(Prompt(box=Box(127, 95, 127, 95)), 10, (0.7, 1.3), 1.0, EXTENT, np.random.default_rng(1)).box
    assert moved is not None
    assert 0 <= moved.x0 < moved.x1 <= 127
    assert 0 <= moved.y0 < moved.y1 <= 95


# --- figures ----------------------------------------------------------------------------------------------------------


def test_figures_of_one_object_by_hand() -> None:
    (found,) = ambiguity_figures([row()])
    assert found.ged == pytest.approx(2 * (1 - 1.5 / 4) - 0.5 - 0.25)
    assert found.hm_iou == pytest.approx(0.5)
    assert found.dmax == 1
    assert found.dmean == pytest.approx((1 + 2 / 3) / 4)
    assert found.alike == 0
    assert found.accuracy == pytest.approx(1.5 / 4)
    assert (found.first, found.cards, found.plain) == (0.5, 1.0, 0.5)


def test_four_cards_count_and_sets_count_once_each() -> None:
    many = [[0.1, 0.1]] * 4 + [[1.0, 1.0]]
    found = ambiguity_figures([row(cards=many), row(cards=many, object=2), row(set="t")])
    assert [one.set for one in found] == ["s", "t", ALL_SETS]
    assert found[0].cards == 0
    assert found[2].cards == pytest.approx(0.5)
    assert found[2].objects == 3


def test_the_tables_say_what_was_measured(tmp_path: Path) -> None:
    rows = (row(), row(method="candidates"))
    moved = tuple(RobustnessRow("s", "a", 1, "box", name, 0.6, 0.7, "m") for name in CONDITIONS)
    tastes = tuple(TasteRow("s", "a", k, "small", TAUGHT, 0.9, 0.5 + 0.4 * (k > 2), "m") for k in range(4))
    console = Console(width=200, record=True)
    figures = ambiguity_figures(rows)
    show_ambiguity(console, figures, AmbiguityRecords(rows, moved, tastes))
    text = console.export_text()
    assert "0.600 -> 0.700" in text
    assert "small" in text
    assert " 75.0 " in text
    assert (
        json.loads(write_figure_rows(map(asdict, figures), tmp_path / "ambiguity.json").read_text())[0]["first"] == 0.5
    )


def test_a_taste_means_the_smallest_or_the_largest_outline() -> None:
    assert wanted(TWO, "small") is TWO[0]
    assert wanted(TWO, "large") is TWO[1]


# --- real runs --------------------------------------------------------------------------------------------------------


def test_every_object_is_asked_in_both_ways_and_answered_by_every_method(engine: Engine, shared_dataset: Path) -> None:
    targets = ambiguous_objects(shared_dataset, "test", simulate=True, most=2)
    rows, moved = run_ambiguity(engine, "squares", targets, seed=0, told=told)
    assert {(one.prompt, one.method) for one in rows} == {(p, m) for p in ("click", "box") for m in METHODS}
    for one in rows:
        count = {"candidates": 3, "jitter": 16, "hypotheses": 16}[one.method]
        assert np.shape(one.between) == (count, len(one.outlines))
        assert np.shape(one.answers) == (count, count)
        assert len(one.cards) == len(one.counts)
    assert {one.condition for one in moved if one.prompt == "box"} == set(CONDITIONS)
    again, _ = run_ambiguity(engine, "squares", targets, seed=0, told=told)
    assert rows == again


def test_a_model_without_hypotheses_is_measured_by_the_other_methods(shared_dataset: Path) -> None:
    targets = ambiguous_objects(shared_dataset, "test", simulate=True, most=1)
    plain = Engine(toy_model(), adapting=None)
    rows, moved = run_ambiguity(plain, "squares", targets, seed=0, told=told)
    assert {one.method for one in rows} == set(METHODS) - {"hypotheses"}
    assert all(one.plain == one.first for one in moved)
    assert run_tastes(plain, "squares", targets * 30, seed=0, told=told) == []


def test_tastes_are_taught_by_accepted_objects_and_tested_on_the_next(
    engine: Engine, shared_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samtta_app.bench.tastes.TAUGHT", 4)
    targets = ambiguous_objects(shared_dataset, "test", simulate=True, most=6)
    rows = run_tastes(engine, "squares", targets, seed=0, told=told)
    assert [one.taste for one in rows] == ["small", "small", "large", "large"]
    assert all(0 <= value <= 1 for one in rows for value in (one.learned, one.before))


def test_records_are_kept_and_a_second_model_comes_beside(engine: Engine, shared_dataset: Path, tmp_path: Path) -> None:
    options = {"simulate": True, "objects": 1, "seed": 0, "split": "test", "out": tmp_path, "told": told}
    ask_sets(engine, [shared_dataset], model="one", **options)  # type: ignore[arg-type]
    both = ask_sets(engine, [shared_dataset], model="two", **options)  # type: ignore[arg-type]
    assert {one.model for one in both.answers} == {"one", "two"}
    assert AmbiguityRecords.read(tmp_path) == both
    (tmp_path / "records.jsonl").write_text('{"set": 1}\n')
    with pytest.raises(DatasetError, match="other records"):
        ask_sets(engine, [shared_dataset], model="two", **options)  # type: ignore[arg-type]


def test_the_command_measures_a_set_of_several_annotators(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "several"
    for part in ("images", "masks", "annotators"):
        (folder / part).mkdir(parents=True)
    bits = np.zeros((96, 128), np.uint8)
    bits[30:70, 40:80] = 1
    PIL.Image.fromarray(bits * 200).save(folder / "images" / "a.png")
    PIL.Image.fromarray(bits).save(folder / "masks" / "a.png")
    for k, width in ((1, 80), (2, 70)):
        PIL.Image.fromarray((bits > 0) & (np.arange(128) < width)).save(folder / "annotators" / f"a_{k}.png")
    (folder / "annotators.json").write_text('{"a": {"1": {"who": "A"}, "2": {"who": "B"}}}')
    words = ["ambiguity", str(folder), "--split", "all", "--objects", "1", "--out", str(tmp_path / "out")]
    bench_app(words, standalone_mode=False)
    shown = capsys.readouterr().out
    assert "Several plausible answers" in shown
    assert "jitter" in shown
    assert json.loads((tmp_path / "out" / "ambiguity.json").read_text())


def test_hypotheses_of_another_model_are_refused_by_the_command(shared_dataset: Path, tmp_path: Path) -> None:
    model, file = toy_model(), tmp_path / "toy.hypotheses.safetensors"
    save_hypotheses(nets_of(model), model, file, {})
    with pytest.raises(CheckpointError, match="hypotheses file cannot be read"):
        bench_app(["ambiguity", str(shared_dataset), "--hypotheses", str(file)], standalone_mode=False)
