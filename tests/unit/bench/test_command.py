"""`samtta bench`: what is refused before anything is loaded, and how long runs are told."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from samtta_app.bench.points import known_points
from samtta_app.cli.bench import BENCH_COMMANDS, bench_app
from samtta_app.cli.run_progress import BENCH_LINE_SECONDS, RunProgress, time_left
from samtta_app.datasets.folder import open_dataset
from samtta_app.errors import UserError


def refused(*words: object) -> str:
    """The text of the error that a command line ends with."""
    with pytest.raises(UserError) as error:
        bench_app([str(word) for word in words], standalone_mode=False)
    return str(error.value)


def test_every_command_of_the_group_is_known_by_name() -> None:
    assert {command.name for command in bench_app.registered_commands} == BENCH_COMMANDS


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--strategy", "samta"], "Did you mean samtta"),
        (["--strategy", "samtta:replay=0"], "no hyper-parameter named 'replay'"),
        (["--clicker", "carless5"], "Did you mean careless5"),
        (["--feedback", "mask"], "Choose logits or binary"),
        (["--goal", "85"], "20@85 or 30@90"),
        (["--mix", "--chain"], "both mix and chain"),
        (["--mix"], "only one data set"),
        (["--split", "dev"], 'no split "dev"'),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_advice(
    shared_dataset: Path, words: list[str], expected: str, tmp_path: Path
) -> None:
    assert expected in refused("run", shared_dataset, *words, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    assert "no bench records" in refused("report", tmp_path)
    (tmp_path / "x.jsonl").write_text("hello")
    assert "x.jsonl" in refused("report", tmp_path / "x.jsonl")


@pytest.mark.parametrize("command", ["run", "quality", "points"])
def test_a_set_that_is_not_there_is_named(command: str, tmp_path: Path) -> None:
    assert "absent" in refused(command, tmp_path / "absent")


def test_points_are_measured_and_written(
    shared_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["points", str(shared_dataset), "--objects", "1", "--out", str(tmp_path / "out")]
    bench_app(words, standalone_mode=False)
    shown = capsys.readouterr().out
    assert "centre" in shown
    assert "oracle" in shown
    assert (tmp_path / "out" / "points.jsonl").read_text().count("\n") >= 2
    assert "wrote points.jsonl points.md points.csv" in shown
    bench_app([*words, "--whole"], standalone_mode=False)
    bench_app([*words, "--whole", "--input-size", "256"], standalone_mode=False)
    shown = capsys.readouterr().out
    for expected in ("windows", "whole image", "samtta-small at 256"):
        assert expected in shown
    rows = known_points(tmp_path / "out")
    assert {row.run for row in rows} == {
        ("squares", "samtta-small", False),
        ("squares", "samtta-small", True),
        ("squares", "samtta-small at 256", True),
    }


def test_records_of_something_else_are_found_before_anything_is_measured(shared_dataset: Path, tmp_path: Path) -> None:
    for command, name in (("points", "points.jsonl"), ("refine", "refine.jsonl"), ("quality", "records.jsonl")):
        (tmp_path / name).write_text("{}\n")
        assert "holds other records" in refused(command, shared_dataset, "--out", tmp_path)
        assert (tmp_path / name).read_text() == "{}\n"


def test_a_set_in_another_look_is_written_and_can_be_measured_like_any_other(
    shared_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "seen-as-edges"
    bench_app(["shift", str(shared_dataset), "--look", "edges", "--out", str(out)], standalone_mode=False)
    assert "seen-as-edges" in capsys.readouterr().out
    assert open_dataset(out).images
    assert "There is no look named 'sepia'" in refused("shift", shared_dataset, "--look", "sepia", "--out", out)


# --- how long it still takes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "share", "words"),
    [
        (10, 0.0, "time left not known yet"),
        (10, 0.5, "less than a minute left"),
        (60, 0.25, "about 3 min left"),
        (3600, 0.2, "about 4.0 h left"),
        (100, 1.0, "less than a minute left"),
    ],
)
def test_the_time_left_is_told_in_words(seconds: float, share: float, words: str) -> None:
    assert time_left(seconds, share) == words


def test_without_a_terminal_a_line_is_told_now_and_then() -> None:
    now = [0.0]
    console = Console(file=io.StringIO(), width=100)
    standing = RunProgress(console, Progress(console=console, disable=True), lambda: now[0])
    for seconds in (
        1,
        BENCH_LINE_SECONDS + 1,
        BENCH_LINE_SECONDS + 2,
        2 * BENCH_LINE_SECONDS,
        2 * BENCH_LINE_SECONDS + 2,
    ):
        now[0] = seconds
        standing(seconds / 100, f"[object] {seconds:.0f}")
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines == ["31%, about 1 min left: [object] 31", "62%, about 1 min left: [object] 62"]


def test_on_a_terminal_a_bar_is_moved() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Progress(console=console) as bar:
        RunProgress(console, bar)(0.25, "object 1")
        (task,) = bar.tasks
        assert (task.completed, task.description) == (0.25, "object 1")
        assert "left" in task.fields["left"]
