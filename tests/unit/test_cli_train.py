"""`samtta train model`: what a person sees on a terminal and without one, and how a run ends."""

import io
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from samtta_app.cli import train
from samtta_app.cli.entry import main
from samtta_app.cli.train import TrainProgress, told
from samtta_app.model.backbones.compact import load_compact
from samtta_app.train.compact import training_command
from samtta_app.train.compact.progress import RunStanding
from tests.unit.train.material import write_set
from tests.unit.train.projects import project_of
from tests.unit.train.toy import TOY, make_small, press_ctrl_c, recipe

NOW = RunStanding(
    stage="narrow",
    step=420,
    share=0.375,
    seconds_left=3000.0,
    trained=(0.55, 0.71),
    held_out=(0.6, 0.7, 0.8),
    images=20,
    halved=False,
)


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, force_terminal=terminal, width=100, highlight=False), written


# --- what is shown --------------------------------------------------------------------------------------------------


def test_a_terminal_shows_a_bar_with_share_time_left_and_held_out_figures() -> None:
    screen, written = console(terminal=True)
    with told(screen) as report:
        report(NOW)
        report.bar.refresh()
        shown = written.getvalue()
    assert "38%" in shown
    assert "50 min left" in shown
    assert "held-out IoU 0.600 0.700 0.800 after 1, 3, 5 clicks" in " ".join(shown.split())


def test_a_terminal_shows_that_data_are_read_before_the_first_step() -> None:
    screen, written = console(terminal=True)
    with told(screen) as report:
        report.bar.refresh()
    assert "reading the data sets" in written.getvalue()


def test_a_halved_batch_is_shown_on_the_bar() -> None:
    screen, written = console(terminal=True)
    with told(screen) as report:
        report(replace(NOW, halved=True, images=10))
        report.bar.refresh()
    assert "batch halved to 10" in " ".join(written.getvalue().split())


def test_without_a_terminal_lines_come_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, written = console(terminal=False)
    clock = iter(range(0, 1000, 7))
    monkeypatch.setattr(train.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(train, "TRAIN_LINE_SECONDS", 60.0)
    with told(screen) as report:
        for step in range(30):
            report(replace(NOW, step=step))
    lines = written.getvalue().splitlines()
    assert lines[0] == (
        "38%, 50 min left: stage narrow, step 0; held-out IoU 0.600 0.700 0.800 after 1, 3, 5 clicks; "
        "training IoU 0.550 to 0.710"
    )
    assert [line.split("step ")[1].split(";")[0] for line in lines] == ["0", "9", "18", "27"]
    assert "\x1b" not in written.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_the_log_of_a_run_comes_as_lines_once(terminal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    screen, written = console(terminal=terminal)
    log = logging.getLogger("samtta_app.train.somewhere")
    before = logging.getLogger("samtta_app.train").handlers[:]
    with told(screen):
        log.debug("step 10 of many")
        log.info("held out at step 7: [a]@1 0.5")
        log.warning("not enough memory")
    shown = written.getvalue()
    assert "held out at step 7: [a]@1 0.5" in shown
    assert "not enough memory" in shown
    assert "step 10 of many" not in shown
    assert logging.getLogger("samtta_app.train").handlers == before
    assert logging.getLogger("samtta_app.train").propagate
    assert capsys.readouterr().err == ""


def test_the_log_is_as_it_was_after_an_error() -> None:
    screen, _ = console(terminal=True)
    before = logging.getLogger("samtta_app.train").handlers[:]
    with pytest.raises(KeyError), told(screen):
        raise KeyError
    assert logging.getLogger("samtta_app.train").handlers == before


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command for a toy run of two steps."""
    make_small(monkeypatch)
    given = ["--out", str(tmp_path / "m.safetensors"), "--recipe", str(recipe(tmp_path, 2)), "--device", "cpu"]
    return ["train", "model", str(write_set(tmp_path / "set")), *given, "--threads", "1"]


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(words))
    return int(end.value.code or 0)


def test_a_run_tells_its_figures_and_where_it_wrote(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*words) == 0
    told_there = capsys.readouterr()
    assert told_there.out == f"wrote {tmp_path / 'm.safetensors'}\n"
    lines = told_there.err.splitlines()
    assert "set: 2 images, 6 objects" in lines
    assert any(line.startswith("50%, ") and "step 1;" in line and "held-out IoU" in line for line in lines)
    assert load_compact(tmp_path / "m.safetensors").config == TOY


def test_a_project_may_stand_for_a_data_set(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = project_of(Path(words[2]), tmp_path / "annotated" / "set")
    assert call(*words[:2], str(project), *words[3:]) == 0
    assert "set: 3 images, 9 objects" in capsys.readouterr().err.splitlines()
    assert load_compact(tmp_path / "m.safetensors").config == TOY


def test_ctrl_c_ends_with_130_and_a_line_that_names_resume(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = TrainProgress.__call__

    def interrupted(self: TrainProgress, standing: RunStanding) -> None:
        original(self, standing)
        press_ctrl_c()

    with monkeypatch.context() as patch:
        patch.setattr(TrainProgress, "__call__", interrupted)
        assert call(*words) == 130
    kept = tmp_path / "m.resume.pt"
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"stopped after step 1; the same command with --resume {kept} goes on"
    assert call(*words, "--resume", str(kept)) == 0
    assert not load_compact(tmp_path / "m.safetensors").training


def test_ctrl_c_before_the_first_step_saves_nothing_and_says_so(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_command, "read_sets", lambda *_: press_ctrl_c())
    assert call(*words) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "stopped; nothing new was saved"
    assert not (tmp_path / "m.resume.pt").exists()


def test_an_earlier_checkpoint_is_told_in_one_message_with_both_ways_on(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.resume.pt").write_bytes(b"somebody's work")
    assert call(*words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--resume" in error
    assert "--fresh" in error
    assert (tmp_path / "m.resume.pt").read_bytes() == b"somebody's work"
    assert call(*words, "--resume", str(tmp_path / "m.resume.pt")) == 2
    assert "damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "told_there"),
    [
        (["--size", "huge"], "Choose one of small"),
        (["--device", "quantum"], "'quantum' cannot be used"),
        (["--start", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--minutes", "5"], "only stages with minutes"),
        (["--recipe", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    words: list[str], given: list[str], told_there: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*words, *given) == 2
    error = capsys.readouterr().err
    assert told_there in error
    assert "Traceback" not in error


def test_help_tells_a_newcomer_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train", "model", "--help") == 0
    shown = capsys.readouterr().out
    for words_there in ("--start samtta-small", "split.json", "masks/", "--resume", "--fresh", "samtta open FOLDER"):
        assert words_there in shown
    assert call("train", "decoder", "--help") == 0
