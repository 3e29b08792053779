"""Figures of small hand-written runs, worked out on paper; records keep every value through their file."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from samtta_app.bench.protocol import Record, SideName, read_records, write_records
from samtta_app.bench.report import compare, figures, write_summary

WINDOW = (-3, 4, 120, 120)


def run(
    values: list[float], position: int, *, side: SideName = "adapted", goal: str = "5@85", order: int = 0
) -> list[Record]:
    return [
        Record(
            *("s", goal, side, order, position, "im", 1, k, 1.5, 2.5, k % 2 == 1),
            *(v, 0.4, 0.1, 0.01 * k, k, WINDOW, v, k != 2),
        )
        for k, v in enumerate(values, start=1)
    ]


def test_the_failure_rate_is_strict_and_the_last_click_counts_as_solved() -> None:
    found = figures([*run([0.1, 0.2, 0.3, 0.4, 0.85], 0), *run([0.1, 0.2, 0.3, 0.4, 0.8499], 1)])
    assert (found.fr, found.late, found.noc) == (0.5, 1, 5.0)


def test_the_middle_object_of_an_odd_stream_is_in_the_first_half() -> None:
    found = figures([*run([0.9], 0), *run([0.1, 0.1, 0.9], 1), *run([0.1, 0.9], 2)])
    assert found.noc_halves == (2.0, 2.0)
    found = figures([*run([0.9], 0), *run([0.9], 1), *run([0.1] * 5, 2)])
    assert found.fr_halves == (0.0, 1.0)


def test_a_stream_of_one_object_has_no_second_half() -> None:
    found = figures(run([0.9], 0))
    assert found.noc_halves[0] == 1.0
    assert math.isnan(found.noc_halves[1])
    assert math.isnan(found.fr_halves[1])


def test_iou_is_given_up_to_the_limit_only() -> None:
    found = figures([*run([0.2, 0.4, 0.6, 0.7, 0.8], 0), *run([0.9], 1)])
    assert list(found.iou_at) == [1, 3, 5]
    assert list(found.iou_at.values()) == pytest.approx([0.55, 0.75, 0.85])


def test_the_spread_over_three_orders_is_the_sample_deviation_of_their_rates() -> None:
    rates = [0.0, 0.5, 1.0]
    records = []
    for order, rate in enumerate(rates):
        for position in range(2):
            solved = position >= 2 * rate
            records += run([0.9] if solved else [0.1] * 5, position, order=order)
    found = figures(records)
    assert (found.objects, found.orders, found.fr) == (6, 3, 0.5)
    assert found.fr_spread == pytest.approx(0.5)


def test_the_time_is_the_median_over_clicks_and_not_over_objects() -> None:
    found = figures([*run([0.1, 0.1, 0.1, 0.9], 0), *run([0.9], 1)])
    assert found.seconds_p50 == pytest.approx(0.02)  # of 10, 20, 30, 40 and 10 ms


def test_records_in_any_order_give_the_same_figures() -> None:
    records = [*run([0.2, 0.4, 0.9], 0), *run([0.9], 1), *run([0.1] * 5, 2, order=1)]
    assert str(figures(records[::-1])) == str(figures(records))


def test_goals_are_not_mixed_and_keep_the_order_in_which_they_came() -> None:
    records = []
    for goal in ("5@90", "5@85"):
        records += [*run([0.86] * 5, 0, goal=goal, side="frozen"), *run([0.95], 0, goal=goal)]
    strict, easy = compare(records)
    assert (strict.frozen.goal, strict.frozen.fr, easy.frozen.goal, easy.frozen.fr) == ("5@90", 1.0, "5@85", 0.0)
    assert (strict.noc_reduction, easy.noc_reduction) == (pytest.approx(0.8), 0.0)


def test_records_come_back_from_their_file_value_by_value(tmp_path: Path) -> None:
    records = (*run([0.1 + 0.2, 1 / 3], 0), replace(run([0.5], 1)[0], image="Zelle ü „1“", uncertainty=math.inf))
    file = write_records(records, tmp_path / "a" / "b")
    assert read_records(file) == records
    assert len(file.read_text(encoding="utf-8").splitlines()) == 3
    assert isinstance(read_records(file)[0].window, tuple)


def test_no_records_are_an_empty_file_that_is_read_again(tmp_path: Path) -> None:
    assert read_records(write_records([], tmp_path)) == ()


def test_the_figures_of_read_records_are_those_of_the_run(tmp_path: Path) -> None:
    records = [*run([0.2, 0.9], 0, side="frozen"), *run([0.9], 0)]
    again = compare(read_records(write_records(records, tmp_path)))
    assert str(again) == str(compare(records))
    (only,) = json.loads(write_summary(again, tmp_path).read_text())
    assert only["noc_reduction"] == 0.5
