"""The bench of the window: each part runs in a process of its own, and its figures stand beside goals and labelme's."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import typer

from samtta_app.bench import desk_speed
from samtta_app.bench.desk_speed import DeskFigure, measure_desk
from samtta_app.cli.bench_desk import measure_desk_speed
from samtta_app.cli.bench_formats import CONSUMERS
from samtta_app.errors import UserError
from samtta_app.gui.desk_parts import run_part
from samtta_app.regular_files import read_json

PARTS_OF_FIGURES = {
    "pan_p50_ms": ("pan", ["4", "600"]),
    "brush_p50_ms": ("brush", []),
    "open_seconds": ("many", ["30"]),
}


@pytest.mark.parametrize("name", PARTS_OF_FIGURES)
def test_a_part_gives_its_figures(qapp, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("samtta_app.gui.desk_parts.PAN_FRAMES", 4)
    monkeypatch.setattr("samtta_app.gui.desk_parts.STROKES", 1)
    part, given = PARTS_OF_FIGURES[name]
    figures = run_part(part, given)
    assert figures[name] > 0


def test_memory_is_compared_and_growth_is_a_share(qapp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samtta_app.gui.desk_parts.REMEMBERED", (1, 3))
    figures = run_part("memory", [])
    assert figures["memory_growth"] == pytest.approx(figures["megabytes_at_3"] / figures["megabytes_at_1"] - 1)


def test_a_goal_beside_labelme_needs_labelme_and_another_does_not() -> None:
    beside = DeskFigure("open_seconds", 1.0, 20.0, 0.1)
    assert (beside.ratio, beside.reached) == (0.05, True)
    assert DeskFigure("open_seconds", 3.0, 20.0, 0.1).reached is False
    assert DeskFigure("open_seconds", 3.0, goal=0.1).reached is None
    assert DeskFigure("brush_p50_ms", 12.0, goal=16.0).reached is True
    assert DeskFigure("brush_p95_ms", 12.0).reached is None


def test_both_programs_are_run_and_the_command_writes_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch()
    (tmp_path / "Scripts").mkdir()
    (tmp_path / "Scripts" / "python.exe").touch()
    run: list[str] = []

    def ran(command):
        run.append(" ".join(map(str, command)))
        ours = "desk_parts" in run[-1]
        return {"first_paint_seconds": 1.0 if ours else 4.0} if " start " in run[-1] else {"open_seconds": 2.0}

    monkeypatch.setattr(desk_speed, "_ran", ran)
    measure_desk_speed(images=3, masks=1, side=64, part=["start", "many"], consumers=tmp_path, out=tmp_path / "out")
    rows = {row["name"]: row for row in read_json(tmp_path / "out" / "desk.json")}
    assert (rows["first_paint_seconds"]["ratio"], rows["first_paint_seconds"]["reached"]) == (0.25, True)
    assert rows["open_seconds"]["reached"] is False
    assert sum("desk_peers" in line for line in run) == desk_speed.STARTS + 1
    assert "ratio 0.25, goal reached" in capsys.readouterr().out


def test_what_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONSUMERS, raising=False)
    monkeypatch.setattr(desk_speed, "_own_command", lambda part: [desk_speed.sys.executable, "-c", "1/0"])
    with pytest.raises(UserError, match="ZeroDivisionError"):
        measure_desk(images=1, masks=1, side=64, labelme=None, parts=("brush",))
    with pytest.raises(typer.BadParameter, match="the parts are"):
        measure_desk_speed(part=["fast"])
    assert math.isnan(DeskFigure("pan_p50_ms", 1.0).ratio)
