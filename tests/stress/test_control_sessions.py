"""The comparison with control objects claims no more than it holds, and the check sees an interval that is too short."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samtta_app.bench.click_rows import write_records
from samtta_app.session.state import MeanDifference
from samtta_app.session.statistics import control_groups
from tests.stress import control_sessions
from tests.stress.control_sessions import KINDS, Group, allowed, held, main, recorded, simulated, truth_of
from tests.unit.bench.recorded import FAILED, solved, stream


def test_over_100_sessions_of_each_kind_the_interval_holds_the_truth_as_often_as_it_claims(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--count", str(100 * len(KINDS)), "--report", str(tmp_path / "report.json")]) == 0
    assert json.loads((tmp_path / "report.json").read_text()) == []
    assert "every promise held" in capsys.readouterr().out


@pytest.mark.parametrize("scale", [0.7, 3.0])
def test_intervals_that_are_too_short_or_too_long_are_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], scale: float
) -> None:
    honest = control_groups.mean_difference

    def other(one: np.ndarray, two: np.ndarray) -> MeanDifference:
        found = honest(one, two)
        ends = (found.value + scale * (end - found.value) for end in (found.low, found.high))
        return MeanDifference(found.value, *ends)

    monkeypatch.setattr(control_groups, "mean_difference", other)
    assert main(["--kind", "halves", "--count", "120"]) == 1
    assert "broken promises" in capsys.readouterr().out


def test_the_clicks_of_a_bench_are_a_kind_by_themselves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    learned = [solved(1 + k % 4) for k in range(20)]
    original = [FAILED if k % 10 == 9 else solved(2 + k % 4) for k in range(20)]
    write_records([*stream(learned), *stream(original, strategy="frozen")], tmp_path / "records.jsonl")
    (kind,) = recorded(tmp_path).values()
    assert kind.learned.mean() == 2.5
    assert kind.control.sum() == sum(20 if k % 10 == 9 else 2 + k % 4 for k in range(20))
    assert truth_of(kind)["clicks"] == kind.learned.mean() - kind.control.mean()
    assert main(["--records", str(tmp_path), "--count", "100"]) == 0
    assert "cells samtta 5@85" in capsys.readouterr().out


def test_the_percentiles_of_the_differences_would_not_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def percentiles(one: np.ndarray, two: np.ndarray) -> MeanDifference:
        rng = np.random.default_rng(1)
        means = [values[rng.integers(0, len(values), (1000, len(values)))].mean(1) for values in (one, two)]
        low, high = np.quantile(means[0] - means[1], [0.025, 0.975])
        return MeanDifference(float(one.mean() - two.mean()), float(low), float(high))

    monkeypatch.setattr(control_groups, "mean_difference", percentiles)
    assert main(["--kind", "fewest", "--count", "500"]) == 1
    assert "clicks: the truth was held in" in capsys.readouterr().out


def test_the_true_means_are_those_of_the_drawn_numbers() -> None:
    group = Group(3.0, 6.0, 0.1)
    rng = np.random.default_rng(0)
    clicks = 1 + rng.choice(len(group.clicks()), 200_000, p=group.clicks())
    clicks[rng.random(200_000) < group.given_up] = control_groups.FAILED_CLICKS
    assert group.true_clicks == pytest.approx(clicks.mean(), rel=0.01)
    seconds = group.seconds * np.exp(control_sessions.SPREAD * rng.standard_normal(200_000))
    assert group.true_seconds == pytest.approx(seconds.mean(), rel=0.01)


def test_a_session_is_judged_only_where_it_gives_an_interval() -> None:
    young = replace(KINDS["halves"], objects=20)
    assert held(simulated(young, 3), young) == {}
    assert set(held(simulated(KINDS["halves"], 3), KINDS["halves"])) == {"clicks", "seconds"}


def test_more_sessions_are_judged_more_strictly() -> None:
    few, many = allowed(200), allowed(4000)
    assert few[0] / 200 < many[0] / 4000 < 0.95 < many[1] / 4000 < few[1] / 200
