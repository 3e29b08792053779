"""Figures of small hand-written runs, worked out on paper."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from samtta_app.bench.report.figures import (
    MEAN,
    PARTS,
    is_single,
    mean_of_sets,
    part,
    per_object,
    rows_by_key,
    run_figures,
    runs,
)
from samtta_app.errors import DatasetError, UserError
from tests.unit.bench.recorded import FAILED, clicks, key, only, solved, stream


def named(records: list, name: str) -> float:
    return run_figures(only(records)).named[name].value


def test_the_strict_failure_rate_calls_the_last_click_solved_and_ritms_does_not() -> None:
    records = stream([solved(2), FAILED, solved(5), solved(1)])
    assert named(records, "noc") == (2 + 5 + 5 + 1) / 4
    assert named(records, "fr") == 0.25
    assert named(records, "fr_ritm") == 0.5


def test_harm_is_a_share_of_the_clicks_after_the_first() -> None:
    assert named(stream([[0.5, 0.4, 0.9], [0.3, 0.5, 0.485, 0.45, 0.86]]), "harm") == pytest.approx(2 / 6)
    assert math.isnan(named(stream([[0.9], [0.86]]), "harm"))


def test_just_below_the_target_is_a_failure_and_at_the_target_is_none() -> None:
    assert named(stream([[0.8499] * 5]), "fr") == 1.0
    assert named(stream([[0.85]]), "fr") == 0.0


def test_clicks_are_put_together_whatever_the_order_of_the_records() -> None:
    records = stream([[0.2, 0.4, 0.9], solved(1), FAILED])
    run, again = only(records), only(records[::-1])
    assert run.places == again.places
    assert np.array_equal(run.iou, again.iou)


def test_the_iou_is_held_from_the_click_that_reached_the_goal() -> None:
    records = stream([[0.2, 0.4, 0.6, 0.7, 0.8], [0.9]])
    assert [named(records, f"iou@{k}") for k in (1, 3, 5)] == pytest.approx([0.55, 0.75, 0.85])
    assert [named(records, f"boundary_iou@{k}") for k in (1, 3, 5)] == pytest.approx([0.275, 0.375, 0.425])
    assert "iou@10" not in run_figures(only(records)).named


def test_clicks_after_the_goal_was_reached_are_not_looked_at() -> None:
    records = stream([[0.5, 0.9, 0.1]])
    assert named(records, "iou@3") == pytest.approx(0.9)
    assert len(only(records).seconds) == 2


def test_clicks_to_ninety_are_cut_to_twenty_and_come_from_the_run_to_ninety_only() -> None:
    late = clicks([0.5] * 24 + [0.95], 0, goal="30@90")
    early = clicks([0.5, 0.95], 1, goal="30@90")
    found = run_figures(only([*late, *early])).named
    assert found["noc"].value == (25 + 2) / 2
    assert found["noc_20@90"].value == (20 + 2) / 2
    assert found["fr"].value == 0
    assert "noc_20@90" not in run_figures(only(stream([solved(1)], goal="20@85"))).named
    assert "noc_20@90" not in run_figures(only(stream([solved(1)], goal="10@90"))).named


def test_times_are_over_clicks_and_over_the_adaptations_that_took_place() -> None:
    records = [*clicks(solved(4), 0, seconds=0.01, learning=1.5), *clicks(solved(1), 1, seconds=0.01)]
    found = run_figures(only(records)).named
    assert found["seconds_p50"].value == pytest.approx(0.02)  # of 10, 10, 20, 30, 40 ms
    assert found["seconds_p95"].value == pytest.approx(0.04)
    assert found["learning_seconds_p50"].value == 1.5


def test_without_adaptation_there_is_no_time_of_it() -> None:
    assert math.isnan(named(stream([solved(1)]), "learning_seconds_p95"))


def test_a_boundary_iou_that_was_not_measured_is_nan_and_nothing_else_is() -> None:
    records = [replace(r, boundary_iou=math.nan) for r in stream([solved(2), solved(1)])]
    assert math.isnan(named(records, "boundary_iou@1"))
    assert named(records, "noc") == 1.5


def test_objects_of_several_orders_are_counted_apart() -> None:
    records = [*stream([solved(1)]), *stream([FAILED], order=7)]
    found = run_figures(only(records))
    assert (found.objects, found.orders, found.named["fr"].value) == (2, 2, 0.5)
    assert found.named["fr"].interval == (0.0, 1.0)


def test_what_was_run_is_told_apart() -> None:
    records = [
        *stream([FAILED]),
        *stream([solved(1)], strategy="frozen"),
        *stream([solved(1)], clicker="schoen"),
        *stream([solved(1)], feedback="binary"),
        *stream([solved(1)], goal="5@90"),
    ]
    found = runs(records)
    assert len(found) == 5
    assert [run_figures(run).named["fr"].value for run in found.values()] == [1, 0, 0, 0, 0]


def test_parts_of_the_stream_are_by_position_in_every_order() -> None:
    records = [*stream([solved(1)] * 7), *stream([solved(1)] * 7, order=1)]
    run = only(records)
    positions = np.array([p.position for p in run.places])
    assert [sorted(set(positions[part(run, name)])) for name in PARTS] == [
        [0, 1, 2, 3, 4, 5, 6],
        [0, 1, 2],
        [3, 4],
        [5, 6],
        [0, 1, 2, 3, 4, 5, 6],
    ]
    assert part(run, "all").sum() == 14


def test_the_first_twenty_are_twenty() -> None:
    assert part(only(stream([solved(1)] * 23)), PARTS[-1]).sum() == 20


def test_a_stream_of_one_object_has_only_a_first_third() -> None:
    run = only(stream([solved(1)]))
    assert [part(run, name).sum() for name in PARTS] == [1, 1, 0, 0, 1]


def test_some_rows_of_a_run_are_a_run() -> None:
    run = only([*clicks(solved(3), 0, learning=2.0), *clicks(FAILED, 1), *clicks(solved(2), 2)])
    some = rows_by_key(run, (2, 0))
    assert [p.position for p in some.places] == [2, 0]
    assert per_object(some)["noc"].tolist() == [2, 3]
    assert some.seconds.tolist() == pytest.approx([0.02, 0.04, 0.02, 0.04, 0.06])
    assert some.owners.tolist() == [0, 0, 1, 1, 1]
    assert some.learning.tolist() == [0, 2]


def test_every_set_has_the_same_weight_in_the_mean() -> None:
    records = [*stream([solved(1)] * 3), *stream([solved(3)], name="wounds")]
    (mean,) = mean_of_sets([run_figures(run) for run in runs(records).values()])
    assert mean.key == key(MEAN)
    assert (mean.sets, mean.objects) == (("cells", "wounds"), 4)
    assert mean.named["noc"].value == 2


def test_chains_and_mixtures_are_in_no_mean() -> None:
    records = [*stream([solved(1)]), *stream([FAILED], name="a>cells"), *stream([FAILED], name="a+cells")]
    assert mean_of_sets([run_figures(run) for run in runs(records).values()]) == ()
    assert [is_single(name) for name in ("a", "a>b", "a+b")] == [True, False, False]


def test_records_given_twice_count_once() -> None:
    records = stream([solved(2), FAILED])
    assert run_figures(only(records + records)).objects == 2


def test_the_same_stream_run_twice_with_different_outcomes_is_an_error() -> None:
    with pytest.raises(DatasetError, match="Two different runs of cells, 5@85, samtta"):
        runs([*stream([[0.2, 0.9]]), *stream([[0.3, 0.9]])])


def test_a_missing_click_is_an_error() -> None:
    with pytest.raises(DatasetError, match="is missing"):
        runs(stream([solved(3)])[::2])


def test_a_goal_that_is_none_is_an_error() -> None:
    with pytest.raises(UserError, match="is no goal"):
        runs(stream([solved(1)], goal="soon"))
