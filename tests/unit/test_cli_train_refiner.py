"""`samtta train refiner`: what a person sees, and one clear line for everything that cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from rich.text import Text

from samtta_app.cli.train_refiner import refiner_summary
from samtta_app.model.model_registry import load_model
from samtta_app.model.refiner import load_refiner
from samtta_app.train.interruption import Interruption
from samtta_app.train.refiner import refiner_command, refiner_run
from tests.unit.train.discs import write_discs
from tests.unit.train.projects import project_of
from tests.unit.train.toy import call, toy_model_file

FOUND = {
    "objects": 40.0,
    "iou": 0.8,
    "boundary_iou": 0.6,
    "refined_iou": 0.85,
    "refined_boundary_iou": 0.7,
    "before_refined_iou": 0.79,
    "before_refined_boundary_iou": 0.59,
    "right": 0.97,
    "right_60": 0.985,
    "pixels_60": 0.95,
    "right_80": 0.993,
    "pixels_80": 0.9,
    "before_right_60": 0.971,
    "before_pixels_60": 0.99,
    "before_right_80": 0.975,
    "before_pixels_80": 0.96,
}


@pytest.fixture(scope="module")
def toy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compact model at toy size with random weights."""
    return toy_model_file(tmp_path_factory.mktemp("model"))


@pytest.fixture
def model(tmp_path: Path, toy_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same in a folder of the test's own, small enough to be opened here only."""
    monkeypatch.setattr("samtta_app.model.backbones.compact.MIN_INPUT", 64)
    return Path(shutil.copy(toy_file, tmp_path / "toy.safetensors"))


@pytest.fixture
def words(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command for a toy run of two windows, whose random answers are all good enough."""
    monkeypatch.setattr(refiner_run, "MEASURED", (0.0, 1, 1))
    monkeypatch.setattr(refiner_run, "REFINER_MEASUREMENTS", 1)
    monkeypatch.setattr(refiner_command, "TESTED", (0.0, 2, 2))
    original = refiner_run.pairs_of
    monkeypatch.setattr(refiner_run, "pairs_of", lambda model, windows, number, _: original(model, windows, number, 0))
    folder, out = write_discs(tmp_path / "discs", 3, 1), tmp_path / "toy.refiner.safetensors"
    given = ["--model", str(model), "--out", str(out), "--windows", "2", "--device", "cpu"]
    return ["train", "refiner", str(folder), *given]


# --- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_writes_a_refiner_and_says_how_good_it_is(
    words: list[str], model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*words) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"wrote {tmp_path / 'toy.refiner.safetensors'}\ntest split, ")
    assert "pixels of a certainty above 0.6" in told.out
    assert "test split: window 2 of 2" in told.err
    opened = load_model(model, "cpu")
    found = load_refiner(tmp_path / "toy.refiner.safetensors", opened)
    assert found.facts["data"] == "discs"
    # the smallest change that a step of 1e-4 makes is seen in half precision
    assert any(not torch.equal(t, opened.frozen.tensors[name]) for name, t in found.decoder.items())


def test_a_project_may_stand_for_a_data_set(words: list[str], tmp_path: Path) -> None:
    words[2] = str(project_of(Path(words[2]), tmp_path / "annotated"))
    assert call(*words) == 0
    assert (tmp_path / "toy.refiner.safetensors").exists()


def test_ctrl_c_ends_with_130_and_a_line_that_names_resume(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, out = tmp_path / "toy.refiner.resume.pt", tmp_path / "toy.refiner.safetensors"

    def interrupted(run: refiner_run.RefinerRun, *_: object) -> None:
        run.begin()
        run.save()
        raise Interruption(run.checkpoint, 0)

    with monkeypatch.context() as patch:
        patch.setattr(refiner_command, "trained", interrupted)
        assert call(*words) == 130
    assert f"stopped after step 0; the same command with --resume {kept} goes on" in capsys.readouterr().err
    assert not out.exists()
    assert call(*words) == 2
    assert "--fresh" in capsys.readouterr().err
    assert call(*words, "--resume", str(kept)) == 0
    assert out.exists()
    assert call(*words, "--fresh") == 0


def test_the_last_lines_say_before_and_after() -> None:
    lines = refiner_summary(FOUND, Path("a.safetensors")).splitlines()
    assert lines == [
        "wrote a.safetensors",
        "test split, 40 objects: before -> after",
        "IoU of the answer 0.800, of the refined mask 0.790 -> 0.850",
        "boundary IoU of the answer 0.600, of the refined mask 0.590 -> 0.700",
        "pixels of a certainty above 0.6: 97.1% -> 98.5% right, which are 99.0% -> 95.0% of all",
        "pixels of a certainty above 0.8: 97.5% -> 99.3% right, which are 96.0% -> 90.0% of all",
        "of all pixels, 97.0% are right",
    ]
    assert "nothing in the test splits" in refiner_summary({}, Path("a.safetensors"))


# --- what cannot be -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--model", "nothing.pth"], "no such model file"),
        (["--device", "abacus"], "The device 'abacus' cannot be used"),
        (["--out", "refiner.pth"], "must end in .safetensors"),
        (["--resume", "nothing.pt"], "checkpoint cannot be read"),
        (["no/such/folder"], "no masks"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    words: list[str], given: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(*words, *given) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert not (tmp_path / "toy.refiner.safetensors").exists()


def test_a_set_without_masks_is_named(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "discs" / "masks").rename(tmp_path / "elsewhere")
    assert call(*words) == 2
    error = capsys.readouterr().err
    assert "no masks" in error
    assert str(tmp_path / "discs") in error


def test_help_names_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train", "refiner", "--help") == 0
    shown = Text.from_ansi(capsys.readouterr().out).plain
    for word in ("DATASET", "--model", "--out", "--windows", "--epochs", "--minutes", "--seed", "--resume", "--fresh"):
        assert word in shown
