"""`samtta train heads`: what a person sees, and one clear line for everything that cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from samtta_app.cli.train_heads import heads_summary
from samtta_app.model.model_registry import load_model
from samtta_app.train.heads import heads_run as module
from samtta_app.train.heads.heads_samples import GapRows
from samtta_app.uncertainty.heads import load_heads
from tests.unit.train.discs import write_discs
from tests.unit.train.projects import project_of
from tests.unit.train.toy import call, toy_model_file


@pytest.fixture(scope="module")
def toy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compact model at toy size with random weights."""
    return toy_model_file(tmp_path_factory.mktemp("model"))


@pytest.fixture
def words(tmp_path: Path, toy_file: Path) -> list[str]:
    """A command that is as short as it can be."""
    model = shutil.copy(toy_file, tmp_path / "mine.safetensors")
    folder = write_discs(tmp_path / "discs", 3, 1)
    out = tmp_path / "mine.heads.safetensors"
    return ["train", "heads", str(folder), "--model", str(model), "--windows", "2", "--epochs", "1", "--out", str(out)]


def test_heads_are_written_and_their_figures_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*words, "--larger", words[4]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"wrote {words[-1]}")
    assert "task gap: relative area" in said
    heads = load_heads(Path(words[-1]), load_model(words[4], "cpu"))
    assert (heads.model, heads.larger) == ("mine", "mine")


def test_a_project_may_stand_for_a_data_set(words: list[str], tmp_path: Path) -> None:
    words[2] = str(project_of(Path(words[2]), tmp_path / "annotated"))
    assert call(*words) == 0
    assert (tmp_path / "mine.heads.safetensors").exists()


def test_without_a_larger_model_there_is_no_model_gap(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*words) == 0
    assert "model gap" not in capsys.readouterr().out
    assert "model_gap" not in load_heads(Path(words[-1]), load_model(words[4], "cpu")).names


def test_heads_may_read_one_of_the_tokens_alone(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*words, "--tokens", "mask") == 0
    w1 = load_heads(Path(words[-1]), load_model(words[4], "cpu")).layers["w1"]
    half = w1.shape[1] // 2
    assert not w1[:, :half].any()
    assert w1[:, half:].any()
    assert call(*words, "--tokens", "image") == 2
    assert "There are no tokens 'image'" in capsys.readouterr().err


def test_a_stop_keeps_what_was_asked(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> GapRows:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "fitted", stopped)
        assert call(*words) == 130
    assert "the same command continues" in capsys.readouterr().err
    assert list(Path(words[-1]).with_suffix(".rows").glob("*.npz"))
    assert call(*words) == 0
    assert not Path(words[-1]).with_suffix(".rows").exists()


def test_a_set_without_masks_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(Path(words[2]) / "masks")
    assert call(*words) == 2
    said = capsys.readouterr().err
    assert "no masks" in said
    assert "Traceback" not in said


def test_a_model_that_is_not_there_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words[4] = "nowhere.safetensors"
    assert call(*words) == 2
    assert "There is no such model file" in capsys.readouterr().err


def test_the_last_lines_name_chance_and_predicted_iou() -> None:
    found = {"task_gap": 0.9, "task_gap_score": 0.6, "prompt_gap": 0.7}
    said = heads_summary(found, Path("h.safetensors"))
    assert said.splitlines() == [
        "wrote h.safetensors",
        "task gap: relative area 90.0% held out (predicted IoU alone 60.0%, chance 50 %)",
    ]
