"""`samtta train decoder`: what a person sees, and one clear line for everything that cannot be."""

from __future__ import annotations

import logging
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.text import Text

from samtta_app.cli import train_decoder
from samtta_app.cli.train_decoder import decoder_progress, decoder_summary
from samtta_app.model.backbone import Limits
from samtta_app.model.backbones.compact import COMPACT_POLICY, CompactBackbone
from samtta_app.model.model_registry import load_model
from samtta_app.train.decoder import decoder_run
from samtta_app.train.decoder.decoder_run import DecoderReached
from tests.unit.train.discs import write_discs
from tests.unit.train.photos import write_photos
from tests.unit.train.projects import project_of
from tests.unit.train.toy import call, press_ctrl_c, toy_model_file
from tests.unit.uncertainty.refining import moved, put

BETTER = DecoderReached(step=80, loss=0.1234, before=(0.7, 0.8, 0.85), best=(0.75, 0.82, 0.9), best_step=70)
SAME = DecoderReached(step=80, before=(0.7, 0.8, 0.85), best=(0.7, 0.8, 0.85))


@pytest.fixture(scope="module")
def toy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compact model at toy size with random weights."""
    return toy_model_file(tmp_path_factory.mktemp("model"))


@pytest.fixture
def model(tmp_path: Path, toy_file: Path) -> Path:
    """The same in a folder of the test's own."""
    return shutil.copy(toy_file, tmp_path / "start.safetensors")


@pytest.fixture
def words(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command for a toy run of two steps."""
    monkeypatch.setattr(decoder_run, "DECODER_MEASUREMENTS", 1)
    monkeypatch.setattr("samtta_app.model.backbones.compact.MIN_INPUT", 64)
    folder, out = write_discs(tmp_path / "discs", 2, 1), tmp_path / "tuned.safetensors"
    given = ["--model", str(model), "--out", str(out), "--steps", "2", "--images", "1", "--device", "cpu"]
    return ["train", "decoder", str(folder), *given]


# --- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_writes_a_model_that_opens_and_says_how_good_it_is(
    words: list[str], tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*words) == 0
    told = capsys.readouterr()
    assert re.fullmatch(
        rf"wrote {re.escape(str(tmp_path / 'tuned.safetensors'))}: .*before 0\.\d.*after .*\n", told.out
    )
    assert "step 2, loss" in told.err
    start, tuned = load_model(model, "cpu"), load_model(tmp_path / "tuned.safetensors", "cpu")
    assert tuned.net.config == start.net.config
    assert all(
        torch.equal(value, tuned.net.state_dict()[key])
        for key, value in start.net.state_dict().items()
        if not key.startswith("mask_decoder.")
    )


def test_a_project_may_stand_for_a_data_set(words: list[str], tmp_path: Path) -> None:
    words[2] = str(project_of(Path(words[2]), tmp_path / "annotated"))
    assert call(*words) == 0
    assert (tmp_path / "tuned.safetensors").exists()


def test_a_project_of_one_image_is_refused_in_words(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words[2] = str(project_of(write_discs(tmp_path / "one", 1, 0), tmp_path / "annotated"))
    assert call(*words) == 2
    assert "a project needs two annotated images" in capsys.readouterr().err


def test_a_task_of_a_set_is_in_the_file(words: list[str], tmp_path: Path) -> None:
    assert call(*words, "--task", "discs=disc") == 0
    assert list(load_model(tmp_path / "tuned.safetensors", "cpu").backbone.tasks) == ["disc"]


def test_a_task_of_no_set_is_refused_in_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*words, "--task", "cells=nucleus") == 2
    said = capsys.readouterr().err
    assert "There is no data set 'cells' to have a task (discs)" in " ".join(said.split())
    assert "Traceback" not in said


def test_ctrl_c_ends_with_130_and_a_line_that_names_resume(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = train_decoder.decoder_progress

    def interrupted(reached: DecoderReached) -> str:
        if reached.step == 1:
            press_ctrl_c()
        return original(reached)

    with monkeypatch.context() as patch:
        patch.setattr(train_decoder, "decoder_progress", interrupted)
        assert call(*words) == 130
    kept = tmp_path / "tuned.resume.pt"
    assert f"stopped after step 1; the same command with --resume {kept} goes on" in capsys.readouterr().err
    assert not (tmp_path / "tuned.safetensors").exists()
    assert call(*words) == 2
    assert "--fresh" in capsys.readouterr().err
    assert call(*words, "--resume", str(kept)) == 0
    assert (tmp_path / "tuned.safetensors").exists()


def test_a_folder_of_images_alone_teaches_too(
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)
    anything = Limits(-100, 0.0, 0.002, 1.0)  # the toy is sure of nothing
    monkeypatch.setattr(CompactBackbone, "policy", replace(COMPACT_POLICY, limits=anything))
    photos = write_photos(tmp_path / "photos", 3)
    assert call(*words, str(photos)) == 2  # a toy has no refiner
    told = capsys.readouterr().err
    assert "has no refiner" in told
    assert "samtta train refiner" in told
    assert "--believe-all" in told
    assert call(*words, str(photos), "--believe-all", "--photos", "2") == 0
    assert "proposals in 2 images" in caplog.text
    opened = load_model(tmp_path / "start.safetensors", "cpu")
    put(opened, moved(opened))
    assert call(*words, str(photos), "--fresh") == 0
    assert "wrote " in capsys.readouterr().out


def test_the_bar_and_the_last_line_say_before_and_after() -> None:
    assert decoder_progress(BETTER) == "step 80, loss 0.123, held-out IoU 0.700 0.800 0.850 -> 0.750 0.820 0.900"
    assert decoder_summary(BETTER, Path("a.pth")) == (
        "wrote a.pth: held-out IoU after 1, 3, 5 clicks: before 0.700 0.800 0.850, after 0.750 0.820 0.900 "
        "(step 70 of 80)"
    )


def test_the_last_line_says_when_the_file_holds_the_starting_weights() -> None:
    line = decoder_summary(SAME, Path("a.pth"))
    assert "nothing was better than the starting weights, which it holds" in line
    assert "before 0.700 0.800 0.850, after the same" in line


# --- what cannot be -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--model", "nothing.pth"], "no such model file"),
        (["--device", "abacus"], "The device 'abacus' cannot be used"),
        (["--out", "tuned.pth"], "must end in .safetensors"),
        (["--resume", "nothing.pt"], "checkpoint cannot be read"),
        (["no/such/folder"], "split.json"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    words: list[str], given: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(*words, *given) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert not (tmp_path / "tuned.safetensors").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*words, "--device", "cuda") == 2
    assert "'cuda' cannot be used" in capsys.readouterr().err


def test_a_file_that_is_no_model_is_named(words: list[str], model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.write_bytes(b"nothing of the kind")
    assert call(*words) == 2
    assert str(model) in capsys.readouterr().err


def test_a_set_without_masks_is_named(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "discs" / "masks").rename(tmp_path / "elsewhere")
    assert call(*words) == 2
    error = capsys.readouterr().err
    assert "no masks" in error
    assert str(tmp_path / "discs") in error


def test_the_model_is_not_written_over_the_one_it_starts_from(
    words: list[str], model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = model.read_bytes()
    assert call(*words, "--out", str(model)) == 2
    assert "is the model that the run starts from" in capsys.readouterr().err
    assert model.read_bytes() == before


def test_help_names_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train", "decoder", "--help") == 0
    shown = Text.from_ansi(capsys.readouterr().out).plain
    told = ["DATASET", "--model", "--out", "--steps", "--minutes", "--resume", "--device", "split.json"]
    for word in (*told, "--photos", "--believe-all", "without masks/", "samtta train refiner"):
        assert word in shown
