"""Calibration along a stream and its error, against hand-worked cases; how they come from records and into a report."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from samtta_app.bench.click_rows import ClickRow, read_click_rows, write_records
from samtta_app.bench.report.calibration_figures import bench_calibration_error, calibrated
from samtta_app.bench.report.figures import MEAN, mean_of_sets, run_figures, runs
from samtta_app.bench.report.intervals import NO_ESTIMATE, Floats, resampled
from samtta_app.bench.report.report import build_report, figures_csv, report_markdown, show_report, summary
from samtta_app.core import calibration
from samtta_app.core.calibration import FEWEST, online
from samtta_app.session.statistics.review import NEWEST
from tests.unit.bench.recorded import clicks, only

NAN = float("nan")
TITLE = "Calibration error of the expected IoU"


def along(objects: Sequence[Sequence[tuple[float, float]]], orders: Sequence[int] | None = None) -> Floats:
    """Calibrated answers of objects, each a list of (expected, IoU with the accepted mask), before a last one that is it."""
    whole = [[*each, (0.97, each[-1][1] * 0 + 1)] for each in objects]  # nan where the object was given up
    expected, accepted = np.array([pair for each in whole for pair in each], np.float64).T
    owners = np.repeat(np.arange(len(whole)), [len(each) for each in whole])
    found = calibrated(expected, accepted, owners, np.array(orders or [0] * len(whole), np.int64))
    last = np.cumsum([len(each) for each in whole]) - 1
    return np.delete(found, last)


# --- calibrated along a stream ----------------------------------------------------------------------------------------


def test_after_enough_accepted_answers_what_is_expected_is_told_right() -> None:
    """Objects of two answers, always .9 expected and .5 found: the first fifteen stay, the sixteenth is told."""
    found = along([[(0.9, 0.5)] * 2] * 16)
    assert FEWEST == 30
    assert found.tolist() == pytest.approx([0.9] * 30 + [0.5] * 2)


def test_the_accepted_answer_itself_tells_nothing() -> None:
    """Forty objects that were accepted at once, then twenty after a poor answer each: only those count."""
    expected = np.array([0.9] * 40 + [0.6, 0.9] * 31)
    accepted = np.array([1.0] * 40 + [0.3, 1.0] * 31)
    owners = np.array([*range(40), *np.repeat(np.arange(40, 71), 2)])
    found = calibrated(expected, accepted, owners, np.zeros(71, np.int64))
    assert found[:-2].tolist() == expected[:-2].tolist()  # thirty answers that tell something, no more
    assert found[-2:].tolist() == pytest.approx([0.3, 0.3])


def test_an_object_does_not_calibrate_its_own_answers() -> None:
    found = along([[(0.9, 0.5)] * 40, [(0.9, 0.1)] * 40, [(0.9, 0.2)]])
    assert found[:40].tolist() == [0.9] * 40
    assert found[40:80].tolist() == pytest.approx([0.5] * 40)
    assert found[80] == pytest.approx(0.3)  # forty of .5 and forty of .1


def test_what_was_given_up_is_calibrated_but_calibrates_nothing() -> None:
    found = along([[(0.9, NAN)] * 40, [(0.9, 0.5)] * 40, [(0.9, NAN)] * 3, [(0.9, 0.5)]])
    assert found.tolist() == pytest.approx([0.9] * 80 + [0.5] * 4)


def test_every_order_learns_by_itself() -> None:
    objects = [[(0.9, 0.5)] * 40, [(0.9, 0.5)], [(0.9, 0.1)] * 40, [(0.9, 0.1)]]
    found = along(objects, [0, 0, 7, 7])
    assert found.tolist() == pytest.approx([*[0.9] * 40, 0.5, *[0.9] * 40, 0.1])


def test_old_answers_are_left_behind_as_in_the_session() -> None:
    objects = [*[[(0.9, 0.5)] * 10] * (NEWEST // 10), *[[(0.9, 0.8)] * 10] * (NEWEST // 10), [(0.9, 0.8)]]
    found = along(objects)
    assert found[NEWEST] == pytest.approx(0.5)
    assert found[NEWEST + NEWEST // 2] == pytest.approx(0.65)  # half of the newest are of either kind
    assert found[-1] == pytest.approx(0.8)


def test_an_unknown_expectation_stays_unknown_and_counts_for_nothing() -> None:
    found = along([[(NAN, 0.1), (0.9, 0.5)] * FEWEST, [(NAN, 0.5), (0.9, 0.5)]])
    assert np.isnan(found[0::2]).all()
    assert found[1::2].tolist() == pytest.approx([0.9] * FEWEST + [0.5])


def test_objects_of_one_answer_are_calibrated_as_the_panel_does_with_blocks_of_one() -> None:
    rng = np.random.default_rng(3)
    pairs = tuple(zip(rng.uniform(0.3, 1, 120).tolist(), rng.uniform(0.2, 0.9, 120).tolist(), strict=True))
    assert along([[pair] for pair in pairs]).tolist() == pytest.approx([told for told, _ in online(pairs, block=1)])


def test_what_was_expected_is_not_changed_in_place() -> None:
    expected = np.full(40, 0.9)
    owners = np.arange(40)
    calibrated(expected, np.full(40, 0.5), owners, np.zeros(40, np.int64))
    assert (expected == 0.9).all()


# --- its error --------------------------------------------------------------------------------------------------------


def test_the_error_by_hand_for_objects_that_are_drawn_with_all_their_answers() -> None:
    """Object 0: .95 and .91 expected, .9 and .8 true, one bin, |.06 + .11| over two. Object 1: .2 for .5, .3 over one."""
    expected, true = np.array([0.95, 0.91, 0.20]), np.array([0.89, 0.80, 0.50])
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0], [1.0, 3.0], [0.0, 0.0]])
    found = bench_calibration_error(expected, true, np.array([0, 0, 1]), weights)
    assert found.value == pytest.approx((0.17 + 0.3) / 3)
    assert found.draws[:4].tolist() == pytest.approx([found.value, 0.17 / 2, 0.3, (0.17 + 0.9) / 5])
    assert math.isnan(found.draws[4])


def test_errors_of_both_signs_cancel_within_a_bin_and_not_between_bins() -> None:
    owners, weights = np.array([0, 1]), np.ones((1, 2))
    assert bench_calibration_error(
        np.array([0.61, 0.69]), np.array([0.51, 0.79]), owners, weights
    ).value == pytest.approx(0)
    assert bench_calibration_error(
        np.array([0.61, 0.79]), np.array([0.51, 0.89]), owners, weights
    ).value == pytest.approx(0.1)


def test_it_is_the_error_that_the_panel_shows() -> None:
    rng = np.random.default_rng(0)
    expected, true = rng.uniform(0, 1, 300), rng.uniform(0, 1, 300)
    owners = np.sort(rng.integers(0, 40, 300))
    found = bench_calibration_error(expected, true, owners, np.ones((2, 40)))
    panel = calibration.calibration_error(list(zip(expected.tolist(), true.tolist(), strict=True)))
    assert found.value == pytest.approx(panel)
    assert found.draws.tolist() == pytest.approx([panel, panel])


def test_unknown_answers_are_left_out_and_nothing_known_is_nothing() -> None:
    owners, weights = np.array([0, 0, 1]), np.ones((1, 2))
    found = bench_calibration_error(np.array([0.9, NAN, 0.5]), np.array([0.8, 0.1, NAN]), owners, weights)
    assert found.value == pytest.approx(0.1)
    assert found.draws.tolist() == pytest.approx([0.1])
    assert bench_calibration_error(np.full(3, NAN), np.ones(3), owners, weights) is NO_ESTIMATE


def test_the_interval_covers_the_error_of_a_known_bias() -> None:
    """Always .12 too much: every resample says so, whatever is drawn."""
    rng = np.random.default_rng(1)
    true = rng.uniform(0.4, 0.8, 200)
    found = bench_calibration_error(true + 0.12, true, np.arange(200), resampled(np.repeat([0, 1], 100), "s"))
    assert found.interval == pytest.approx((0.12, 0.12))


# --- from records -----------------------------------------------------------------------------------------------------


def told(count: int, expected: float, true: float, accepted: float | None, **what: object) -> list[ClickRow]:
    """Objects of two clicks, of the same answer each, below the goal."""
    return [
        replace(record, expected_iou=expected, accepted_iou=accepted)
        for k in range(count)
        for record in clicks([true, true], k, **what)  # type: ignore[arg-type]
    ]


def test_the_figures_hold_what_was_said_against_the_true_mask_and_calibrate_by_the_accepted_one() -> None:
    """.85 said, .78 true, .8 by the accepted masks: .07 off; after thirty objects .8 is told, .02 off."""
    found = run_figures(only(told(60, 0.85, 0.78, 0.8))).named
    assert found["ece"].value == pytest.approx(0.07)
    # the first thirty are in the bin of .85, the others in that of .8: one bin, signed mean of .07 and .02
    assert found["ece_calibrated"].value == pytest.approx((30 * 0.07 + 30 * 0.02) / 60)
    assert found["ece_change"].value == pytest.approx(0.045 - 0.07)
    low, high = found["ece_calibrated"].interval
    assert 0.02 < low < 0.045 < high < 0.07


def test_only_the_clicks_up_to_the_goal_are_answers() -> None:
    (first, second, third) = clicks([0.5, 0.9, 0.1])
    records = [replace(r, expected_iou=e) for r, e in ((first, 0.6), (second, 0.9), (third, 0.1))]
    run = only(records)
    assert run.expected.tolist() == [0.6, 0.9]
    assert run.true.tolist() == [0.5, 0.9]
    assert run.calibrated.tolist() == [0.6, 0.9]
    assert run.owners.tolist() == [0, 0]


def test_the_stream_is_followed_by_position_whatever_the_order_of_the_records() -> None:
    records = told(40, 0.85, 0.78, 0.8)
    assert only(records[::-1]).calibrated.tolist() == only(records).calibrated.tolist()
    assert only(records).calibrated.tolist() == pytest.approx([0.85] * 60 + [0.8] * 20)


def test_records_without_expectations_have_no_such_figure_and_others_keep_theirs() -> None:
    old, new = clicks([0.9]), told(2, 0.85, 0.8, 0.8, name="wounds")
    every = [run_figures(run) for run in runs([*old, *new]).values()]
    assert [f.named["ece"] is NO_ESTIMATE for f in every] == [True, False]
    (mean,) = mean_of_sets(every)
    assert mean.key.set == MEAN
    assert mean.named["ece"].value == pytest.approx(0.05)
    assert math.isnan(every[0].named["ece_calibrated"].value)


# --- the files --------------------------------------------------------------------------------------------------------


def test_records_with_and_without_the_two_values_come_back_from_strict_json(tmp_path: Path) -> None:
    (plain,) = clicks([0.9])
    records = [plain, replace(plain, position=1, expected_iou=0.8, accepted_iou=1.0), replace(plain, expected_iou=0.7)]
    path = write_records(records, tmp_path / "r.jsonl")
    assert list(read_click_rows([path])) == records
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=lambda _: pytest.fail("not strict JSON"))


def test_older_records_are_read(tmp_path: Path) -> None:
    (plain,) = clicks([0.9])
    line = asdict(plain)
    del line["expected_iou"], line["accepted_iou"]
    (tmp_path / "old.jsonl").write_text(json.dumps(line) + "\n")
    assert read_click_rows([tmp_path / "old.jsonl"]) == (plain,)
    assert plain.expected_iou is plain.accepted_iou is None


# --- in the report ----------------------------------------------------------------------------------------------------

BOTH = [*told(60, 0.85, 0.78, 0.8, strategy="frozen"), *told(60, 0.81, 0.79, 0.79)]
"""Frozen .07 off and .045 calibrated; adapted .02 off, and right in every answer after the thirtieth object."""


def rows(records: Sequence[ClickRow]) -> list[dict[str, str]]:
    (sheet,) = (each for each in build_report(records).sheets if each.title == TITLE)
    return [dict(zip(sheet.heads, row, strict=True)) for row in sheet.rows]


def test_the_table_has_the_frozen_twin_and_the_strategy_as_said_and_calibrated() -> None:
    frozen, adapted = rows(BOTH)
    assert (frozen["strategy"], adapted["strategy"]) == ("frozen", "samtta")
    assert frozen["as said"] == "0.070 [0.070, 0.070]"
    assert frozen["calibrated"].startswith("0.045 [0.0")
    assert frozen["change"].startswith("-0.025 [-0.0")
    assert adapted["as said"] == "0.020 [0.020, 0.020]"
    # .81 lies in the bin of .8 and .79 in the one before it: half of the answers are .02 off
    assert adapted["calibrated"].startswith("0.010 [0.00")
    assert (frozen["objects"], frozen["orders"]) == ("60", "1")


def test_a_terminal_shows_the_table_and_the_report_defines_it() -> None:
    console = Console(file=io.StringIO(), width=200)
    show_report(console, BOTH)
    assert TITLE in console.file.getvalue()  # type: ignore[attr-defined]
    text = report_markdown(build_report(BOTH))
    assert f"## {TITLE}" in text
    assert "**calibration error**" in text


def test_without_expectations_there_is_no_table_and_the_files_say_nothing() -> None:
    old = [*clicks([0.9], strategy="frozen"), *clicks([0.9])]
    assert TITLE not in [sheet.title for sheet in build_report(old).sheets]
    (first, _) = csv.DictReader(io.StringIO(figures_csv(build_report(old))))
    assert first["ece"] == first["ece_calibrated_low"] == ""
    plain = summary(build_report(old))["figures"][0]["named"]["ece"]  # type: ignore[index]
    assert plain == {"value": None, "low": None, "high": None}


def test_of_sets_with_and_without_expectations_only_those_with_have_a_row() -> None:
    found = rows([*BOTH, *clicks([0.9], name="wounds", strategy="frozen"), *clicks([0.9], name="wounds")])
    assert [(row["set"], row["strategy"]) for row in found] == [
        *(("cells", "frozen"), ("cells", "samtta")),
        *((MEAN, "frozen"), (MEAN, "samtta")),
    ]


def test_the_numbers_are_in_the_files() -> None:
    frozen, adapted = csv.DictReader(io.StringIO(figures_csv(build_report(BOTH))))
    assert float(frozen["ece"]) == pytest.approx(0.07)
    assert float(frozen["ece_calibrated"]) == pytest.approx(0.045)
    assert float(adapted["ece_change"]) == pytest.approx(-0.01)
