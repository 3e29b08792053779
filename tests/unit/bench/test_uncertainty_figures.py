"""Figures from records, against values worked by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from samtta_app.bench.report.figures import MEAN
from samtta_app.bench.report.intervals import Estimate
from samtta_app.bench.report.uncertainty_figures import (
    ABLATION,
    CALIBRATION,
    CORRECTION_TITLE,
    RANKING,
    SECOND,
    TIME,
    Figure,
    pearson,
    resampled_auc,
    show_uncertainty,
    uncertainty_figures,
    uncertainty_tables,
    write_figures,
)
from samtta_app.bench.uncertainty_run import UncertaintyRow
from samtta_app.core.metrics import relative_auc
from samtta_app.errors import DatasetError


def row(
    number: int, shown: float, best: float, *, dense: float = 0.9, larger: float = 0.9, **changes: object
) -> UncertaintyRow:
    values: dict[str, object] = {
        "conditions": "c",
        "set": "s",
        "image": "a",
        "object": number,
        "area": 100,
        "window": (0, 0, 9, 9),
        "chosen": 1,
        "ious": (0.1, shown, best),
        "predicted": (0.1, 0.8, 0.2),
        "dense": (dense, 0.1, 0.0),
        "larger": (0.2, larger, 0.1),
        "measures": {"score": number / 10, "own/task_gap": best - shown, "own/iou": best - 0.1},
        "seconds": {"decoder": 0.010, "score": 0.001, "own/gaps": 0.0005, "own/decoder": 0.020},
        "after": {"oracle": 0.9, "suggested": 0.8, "random": 0.6},
    }
    return UncertaintyRow(**{**values, **changes})  # type: ignore[arg-type]


def three(**changes: object) -> list[UncertaintyRow]:
    """Gains of another candidate: .4, 0, .1."""
    return [row(1, 0.4, 0.8, **changes), row(2, 0.7, 0.7, **changes), row(3, 0.5, 0.6, **changes)]


def value(found: tuple[Figure, ...], *place: str) -> Estimate:
    (own,) = [f.value for f in found if (f.table, f.set, f.row, f.column) == place]
    return own


def text(found: tuple[Figure, ...]) -> str:
    console = Console(file=io.StringIO(), width=200)
    show_uncertainty(console, found)
    return console.file.getvalue()  # type: ignore[attr-defined]


# --- estimates -------------------------------------------------------------------------------------------------------


def test_the_area_and_every_resample_are_those_of_the_plain_function() -> None:
    rng = np.random.default_rng(0)
    doubt, base = rng.integers(0, 4, 30) / 4.0, rng.random(30)  # with ties
    corrected = base + rng.normal(0, 0.2, 30)
    weights = rng.multinomial(30, np.full(30, 1 / 30), size=7).astype(float)
    found = resampled_auc(doubt, base, corrected, weights)
    assert found.value == pytest.approx(relative_auc(doubt, base, corrected))
    for draw, drawn in zip(found.draws, weights.astype(int), strict=True):
        places = np.repeat(np.arange(30), drawn)
        assert draw == pytest.approx(relative_auc(doubt[places], base[places], corrected[places]))


def test_the_area_of_three_objects_by_hand() -> None:
    # gains .4, 0, .1; from the best order .4 .1 0 the area is .2 + .45 + .5 = 1.15, from the worst 0 .1 .4 it is .05 + .3 = .35
    # by doubt 2, 3, 1 the order is 0 .4 .1: 0 + .2 + .45 = .65
    base, gains = np.array([0.4, 0.7, 0.5]), np.array([0.4, 0.0, 0.1])
    found = resampled_auc(np.array([2.0, 3.0, 1.0]), base, base + gains, np.ones((1, 3)))
    assert found.value == pytest.approx((0.65 - 0.35) / (1.15 - 0.35))
    assert found.draws.tolist() == pytest.approx([found.value])
    assert resampled_auc(gains, base, base + gains, np.ones((1, 3))).value == pytest.approx(1)
    assert resampled_auc(-gains, base, base + gains, np.ones((1, 3))).value == pytest.approx(0)


def test_where_nothing_is_gained_or_there_is_nothing_there_is_no_area() -> None:
    same = np.array([0.5, 0.6])
    found = resampled_auc(np.array([1.0, 2.0]), same, same, np.ones((4, 2)))
    assert np.isnan(found.value)
    assert np.isnan(found.draws).all()
    assert np.isnan(resampled_auc(np.empty(0), np.empty(0), np.empty(0), np.empty((4, 0))).value)


def test_the_correlation_and_every_resample_are_numpys() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(20), rng.random(20)
    weights = rng.multinomial(20, np.full(20, 1 / 20), size=5).astype(float)
    found = pearson(a, b, weights)
    assert found.value == pytest.approx(np.corrcoef(a, b)[0, 1])
    for draw, drawn in zip(found.draws, weights.astype(int), strict=True):
        places = np.repeat(np.arange(20), drawn)
        assert draw == pytest.approx(np.corrcoef(a[places], b[places])[0, 1])
    assert np.isnan(pearson(np.ones(5), np.arange(5.0), np.ones((2, 5))).value)


def test_the_gaps_are_corrected_from_and_to_what_they_name() -> None:
    found = uncertainty_figures(three())
    # task: doubt .1 .2 .3 gives the order 3, 2, 1 with gains .1 0 .4: .05 + .1 + .3 = .45
    assert value(found, RANKING, "s", "score", "task").value == pytest.approx((0.45 - 0.35) / 0.8)
    assert value(found, RANKING, "s", "own/task_gap", "task").value == pytest.approx(1)
    # model and prompt: from the best candidate, .8 .7 .6, to .9: gains .1 .2 .3, which rise with the score
    assert value(found, RANKING, "s", "score", "model").value == pytest.approx(1)
    assert value(found, RANKING, "s", "score", "prompt").value == pytest.approx(1)
    # an IoU is no doubt but the opposite: it falls with the gains
    assert value(found, RANKING, "s", "own/iou", "model").value == pytest.approx(1)
    assert value(found, RANKING, "s", "score", "Pearson").value == pytest.approx(
        np.corrcoef([1, 2, 3], [4, 7, 5])[0, 1]
    )


def test_the_answers_and_their_calibration_are_means_over_objects() -> None:
    found = uncertainty_figures(three())
    means = {
        truth: value(found, CORRECTION_TITLE, "s", "IoU", truth).value for truth in ("shown", "best", "larger", "dense")
    }
    assert means == pytest.approx({"shown": 1.6 / 3, "best": 0.7, "larger": 0.9, "dense": 0.9})
    assert value(found, CALIBRATION, "s", "predicted IoU", "calibration error").value == pytest.approx(0.8 - 1.6 / 3)
    # bins .7, .6, .5 hold one object each, each .1 too low
    assert value(found, CALIBRATION, "s", "own/iou", "calibration error").value == pytest.approx(0.1)
    assert value(found, CALIBRATION, "s", "own/iou", "true").value == pytest.approx(0.7)


def test_second_clicks_are_compared_on_the_objects_that_have_all_of_them() -> None:
    rows = [*three(), row(4, 0.5, 0.6, after={"oracle": 0.1})]
    found = uncertainty_figures(rows)
    assert value(found, SECOND, "s", "suggested", "IoU").value == pytest.approx(0.8)
    assert value(found, SECOND, "s", "suggested", "more than random").value == pytest.approx(0.2)
    assert value(found, SECOND, "s", "oracle", "IoU").value == pytest.approx(0.9)
    assert value(found, SECOND, "s", "first click alone", "IoU").value == pytest.approx(1.6 / 3)
    assert value(found, SECOND, "s", "first click alone", "objects").value == 3


def test_times_are_medians_beside_the_decoder_of_the_same_requests() -> None:
    slow = row(4, 0.5, 0.6, seconds={"decoder": 0.1, "score": 0.02})
    found = uncertainty_figures([*three(), slow])
    assert value(found, TIME, "all", "score", "ms").value == pytest.approx(1)
    assert value(found, TIME, "all", "score", "of the decoder").value == pytest.approx(0.1)
    assert value(found, TIME, "all", "own/gaps", "of the decoder").value == pytest.approx(0.0005 / 0.020)
    assert not any(f.row == "own/decoder" for f in found)


def test_several_sets_have_a_mean_in_which_each_weighs_the_same() -> None:
    found = uncertainty_figures([*three(), row(1, 0.9, 0.9, set="t")])
    assert value(found, CORRECTION_TITLE, MEAN, "IoU", "shown").value == pytest.approx((1.6 / 3 + 0.9) / 2)
    # the second set has nothing to correct, so the first stands alone
    own, mean = (value(found, RANKING, name, "score", "task") for name in ("s", MEAN))
    assert mean.value == pytest.approx(own.value)
    assert not any(f.set == MEAN and f.column == "objects" for f in found)
    assert not any(f.set == MEAN for f in uncertainty_figures(three()))


def test_objects_without_a_number_are_left_out_of_it() -> None:
    rows = [*three(), row(4, 0.5, 0.6, measures={}, larger=np.nan)]
    found = uncertainty_figures(rows)
    assert (
        value(found, RANKING, "s", "score", "task").value
        == value(uncertainty_figures(three()), RANKING, "s", "score", "task").value
    )
    nothing = uncertainty_figures([row(k, 0.5, 0.6, larger=np.nan) for k in range(3)])
    assert np.isnan(value(nothing, RANKING, "s", "score", "model").value)
    assert uncertainty_figures([]) == ()


def test_intervals_hold_the_value_and_are_narrower_with_more_objects() -> None:
    rng = np.random.default_rng(0)

    def many(count: int) -> list[UncertaintyRow]:
        return [
            row(k, float(s), float(s + g)) for k, (s, g) in enumerate(zip(*rng.random((2, count)) / 2, strict=True))
        ]

    spans = []
    for count in (20, 200):
        best = value(uncertainty_figures(many(count)), CORRECTION_TITLE, "s", "IoU", "best")
        low, high = best.interval
        assert low < best.value < high
        spans.append(high - low)
    assert spans[1] < spans[0] / 2


# --- tables ----------------------------------------------------------------------------------------------------------


def test_tables_show_percent_and_a_second_table_for_several_heads() -> None:
    both = {"a/task_gap": 0.4, "a/task_gap_difference": 0.1, "b/task_gap": 0.2, "b/model_gap": 0.1}
    found = uncertainty_figures(three(measures=both))
    titles = [sheet.title for sheet in uncertainty_tables(found)]
    assert titles == [RANKING, ABLATION, CALIBRATION, CORRECTION_TITLE, SECOND, TIME]
    (ablation,) = [sheet for sheet in uncertainty_tables(found) if sheet.title == ABLATION]
    assert ablation.heads == ("set", "of", "task", "model")
    assert [line[1] for line in ablation.rows] == ["a", "b"]
    assert ablation.rows[0][3] == "-"
    assert ABLATION not in [sheet.title for sheet in uncertainty_tables(uncertainty_figures(three()))]
    shown = text(uncertainty_figures(three()))
    for expected in ("100.0 [", "+0.200 [", "5.0", "predicted IoU", "own/task_gap"):
        assert expected in shown


def test_one_object_is_shown_with_dashes() -> None:
    shown = text(uncertainty_figures([row(1, 0.4, 0.8)]))
    assert "-" in shown
    assert "nan" not in shown


def test_figures_are_written_as_markdown_and_csv(tmp_path: Path) -> None:
    found = uncertainty_figures(three())
    page, table = write_figures(found, tmp_path / "out")
    assert f"## {CALIBRATION}" in page.read_text()
    assert "| s | predicted IoU | 0.267 [" in page.read_text()
    lines = list(csv.DictReader(io.StringIO(table.read_text())))
    assert len(lines) == len(found)
    cell = next(
        line for line in lines if (line["table"], line["of"], line["figure"]) == (CORRECTION_TITLE, "IoU", "best")
    )
    assert float(cell["value"]) == pytest.approx(0.7)
    assert float(cell["low"]) <= 0.7 <= float(cell["high"])
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_figures(found, tmp_path / "file")
