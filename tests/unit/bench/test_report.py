from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from samtta_app.bench.protocol import Record, SideName
from samtta_app.bench.report import compare, figures, goal_of, reduction, show, trajectories, write_summary
from samtta_app.errors import DatasetError


def clicks(
    *values: float, position: int = 0, side: SideName = "adapted", goal: str = "20@85", order: int = 0, name: str = "s"
) -> list[Record]:
    return [
        Record(
            name, goal, side, order, position, "im", 1, k, 0, 0, True, v, 0.5, 0.5, 0.1 * k, 1, (0, 0, 9, 9), v, True
        )
        for k, v in enumerate(values, start=1)
    ]


SOLVED = clicks(0.5, 0.9, position=0)
FAILED = clicks(*[0.5] * 20, position=1)
LATE = clicks(*[0.5] * 19, 0.86, position=2)
QUICK = clicks(0.95, position=3)


def test_a_goal_is_read_from_its_name() -> None:
    assert goal_of("30@90") == (30, 0.9)


def test_trajectories_are_put_together_in_the_order_of_clicks() -> None:
    assert trajectories(SOLVED[::-1] + QUICK) == {(0, 0): (0.5, 0.9), (0, 3): (0.95,)}


def test_figures_by_hand() -> None:
    found = figures([*SOLVED, *FAILED, *LATE, *QUICK])
    assert found.objects == 4
    assert found.noc == pytest.approx((2 + 20 + 20 + 1) / 4)
    assert found.fr == 0.25
    assert found.late == 1
    assert found.noc_halves == (11.0, 10.5)
    assert found.fr_halves == (0.5, 0.0)


def test_the_iou_is_held_after_the_goal_was_reached() -> None:
    found = figures([*SOLVED, *QUICK])
    assert found.iou_at[1] == pytest.approx((0.5 + 0.95) / 2)
    assert found.iou_at[5] == found.iou_at[20] == pytest.approx((0.9 + 0.95) / 2)


def test_clicks_to_ninety_are_given_only_where_the_run_went_for_it() -> None:
    assert math.isnan(figures(SOLVED).noc_20_90)
    strict = clicks(*[0.5] * 24, 0.95, goal="30@90")
    assert figures(strict).noc == 25
    assert figures(strict).noc_20_90 == 20
    assert figures(strict).fr == 0.0


def test_objects_of_several_orders_are_different_objects_and_have_a_spread() -> None:
    found = figures([*SOLVED, *clicks(*[0.1] * 20, order=1)])
    assert (found.objects, found.orders) == (2, 2)
    assert found.fr == 0.5
    assert found.fr_spread == pytest.approx(math.sqrt(0.5))
    assert math.isnan(figures(SOLVED).fr_spread)


def test_sides_are_compared_per_set_and_goal() -> None:
    records = [
        *clicks(*[0.1] * 20, side="frozen"),
        *clicks(0.5, 0.9),
        *clicks(0.9, side="frozen", name="t"),
        *clicks(0.9, name="t"),
        *clicks(0.95, side="frozen", name="alone"),
    ]
    first, second = compare(records)
    assert (first.frozen.set, first.fr_reduction, first.noc_reduction) == ("s", 1.0, 0.9)
    assert second.noc_reduction == 0.0
    assert math.isnan(second.fr_reduction)


@pytest.mark.parametrize(("before", "after", "value"), [(0.5, 0.25, 0.5), (0.5, 0.75, -0.5), (0.2, 0.2, 0.0)])
def test_a_reduction_is_relative_and_negative_when_it_got_worse(before: float, after: float, value: float) -> None:
    assert reduction(before, after) == pytest.approx(value)


def test_the_tables_carry_the_figures_and_say_how_failures_count() -> None:
    console = Console(file=io.StringIO(), width=140)
    show(console, compare([*clicks(*[0.1] * 20, side="frozen"), *clicks(0.5, 0.9)]))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for expected in ("frozen", "adapted", "20.00", "2.00", "100.0", "+90.0 %", "strict", "IoU@10"):
        assert expected in text


def test_nothing_to_compare_prints_empty_tables() -> None:
    console = Console(file=io.StringIO())
    show(console, [])
    assert "Clicks and failures" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_summary_is_strict_json_without_nan(tmp_path: Path) -> None:
    path = write_summary(compare([*clicks(0.9, side="frozen"), *clicks(0.9)]), tmp_path / "out")
    (only,) = json.loads(path.read_text(), parse_constant=lambda _: pytest.fail("not strict JSON"))
    assert only["fr_reduction"] is None
    assert only["adapted"]["noc"] == 1.0
    assert only["adapted"]["iou_at"]["1"] == 0.9


def test_a_summary_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_summary([], tmp_path / "file" / "out")
