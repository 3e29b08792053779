"""`samtta train selector`: what a person sees, and one clear line for everything that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from samtta_app.cli.train_selector import selector_summary
from samtta_app.model.model_registry import load_model
from samtta_app.model.selector import load_selector
from samtta_app.train.selector import selector_run
from tests.unit.train.discs import write_discs
from tests.unit.train.toy import call, toy_model_file

FOUND = {
    "rule@0": 0.7,
    "chosen@0": 0.72,
    "best@0": 0.8,
    "rule@1": 0.5,
    "chosen@1": 0.56,
    "best@1": 0.64,
    "rule@2": 0.65,
    "chosen@2": 0.67,
    "best@2": 0.7,
}


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command for a toy run of two objects."""
    monkeypatch.setattr("samtta_app.model.backbones.compact.MIN_INPUT", 64)
    folder = write_discs(tmp_path / "discs", 3, 1)
    given = ["--model", str(toy_model_file(tmp_path)), "--objects", "2", "--epochs", "1", "--device", "cpu"]
    return ["train", "selector", str(folder), *given, "--out", str(tmp_path / "toy.selector.safetensors")]


def test_a_run_writes_a_selector_and_says_how_well_it_chooses(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(selector_run, "figures", lambda *_: FOUND)
    assert call(*words) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"wrote {tmp_path / 'toy.selector.safetensors'}\nIoU after a box: 0.720 held out")
    assert "IoU after one click: 0.560 held out (by predicted IoU 0.500, the best mask 0.640)" in told.out
    found = load_selector(tmp_path / "toy.selector.safetensors", load_model(tmp_path / "toy.safetensors", "cpu"))
    assert found.facts["data"] == "discs"


def test_a_selector_of_random_answers_is_not_written(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(selector_run, "figures", lambda *_: {**FOUND, "chosen@1": 0.4})
    assert call(*words) == 2
    assert "chooses no better than predicted IoU (0.400 against 0.500" in capsys.readouterr().err
    assert not (tmp_path / "toy.selector.safetensors").exists()


def test_the_lines_are_in_the_order_of_the_clicks() -> None:
    lines = selector_summary(FOUND, Path("x.safetensors")).splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "IoU after a box",
        "IoU after one click",
        "IoU after 2 clicks",
    ]
