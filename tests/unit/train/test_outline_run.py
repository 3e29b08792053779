"""Training of an outline network: from the product's own answers, written only where outlines get better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samtta_app.errors import DatasetError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import load_model
from samtta_app.model.outline import load_outline
from samtta_app.train.outline import outline_run
from samtta_app.train.outline.outline_run import (
    OutlinePlan,
    outline_figures,
    outline_loss,
    train_outline,
    trained_outline,
)
from samtta_app.train.outline.outline_samples import OutlineSample, answered_sample
from tests.unit.train.material import record, write_set
from tests.unit.train.toy import call

BETTER = {"before": 0.7, "after": 0.75, "done_before": 0.2, "done_after": 0.3}


@pytest.fixture(scope="module")
def small() -> SamModel:
    return load_model("samtta-small", "cpu", 128)


def blurred(model: SamModel, seed: int) -> OutlineSample:
    """A bright rectangle whose answer is too small by some three pixels on each side."""
    rng = np.random.default_rng(seed)
    shown = np.zeros((128, 128), np.uint8)
    top, left = rng.integers(20, 40, 2)
    bottom, right = rng.integers(70, 110, 2)
    shown[top:bottom, left:right] = 255
    image = np.repeat(np.where(shown > 0, 200, 60)[..., None], 3, axis=2) + rng.normal(0, 4, (128, 128, 3))
    logits = torch.full((32, 32), -2.0)
    logits[(top + 6) // 4 : (bottom - 3) // 4, (left + 6) // 4 : (right - 3) // 4] = 2.0
    middle = torch.tensor([[(left + right) / 2, (top + bottom) / 2]])
    return OutlineSample(logits.half(), image.clip(0, 255).astype(np.uint8), shown, middle, (True,), 1)


def test_a_network_learns_to_follow_the_edges_of_the_picture(small: SamModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline_run, "PATCH", 64)
    samples = [blurred(small, seed) for seed in range(12)]
    plan, told = OutlinePlan(steps=60), []
    outline = trained_outline(small, samples, plan, lambda share, words: told.append((share, words)))
    found = outline_figures(small, outline, [blurred(small, seed) for seed in range(100, 108)])
    assert found["before"] < 0.85
    assert found["after"] > found["before"] + 0.05
    assert told[-1][0] == 1
    again = trained_outline(small, samples, replace(plan, steps=3), lambda *_: None)
    same = trained_outline(small, samples, replace(plan, steps=3), lambda *_: None)
    assert all(torch.equal(again.layers[name], same.layers[name]) for name in again.layers)


def test_a_wrong_pixel_costs_more_than_a_right_one() -> None:
    target = torch.zeros(1, 1, 8, 8)
    target[..., :4] = 1
    right = target * 8 - 4
    assert outline_loss(right, right, target) < 0.1
    assert outline_loss(-right, right, target) > 2


@pytest.mark.parametrize("change", [False, True])
def test_samples_are_answers_as_users_get_them(small: SamModel, change: bool) -> None:
    records = [[record(0), record(1)]]
    made = [answered_sample(small, records, number, 5, change=change) for number in range(6)]
    found = [sample for sample in made if sample is not None]
    assert len(found) > 2
    for sample in found:
        height, width = sample.target.shape
        assert sample.picture.shape == (height, width, 3)
        assert sample.logits.shape == (small.grid, small.grid)
        assert (sample.logits > 0).any()
        assert 0 < sample.target.max() <= 255
        assert len(sample.places) == len(sample.signs)
        assert sample.steps >= 1
    again = [answered_sample(small, records, number, 5, change=change) for number in range(6)]
    for one, other in zip(made, again, strict=True):
        assert (one is None) == (other is None)
        assert one is None or other is None or torch.equal(one.logits, other.logits)


def test_a_network_is_written_with_its_figures_where_outlines_get_better(
    small: SamModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outline_run, "PATCH", 32)
    folder, out, plan = write_set(tmp_path / "set"), tmp_path / "made" / "o.safetensors", OutlinePlan(4, 2)
    told: list[float] = []
    monkeypatch.setattr(outline_run, "outline_figures", lambda *_: BETTER)
    assert train_outline(small, [folder], out, plan, lambda share, _: told.append(share)) == BETTER
    assert told == sorted(told)
    assert told[-1] == 1
    assert '"after": 0.75' in load_outline(out, small).facts["held_out"]
    for worse in (BETTER | {"after": 0.69}, BETTER | {"done_after": 0.1}):
        monkeypatch.setattr(outline_run, "outline_figures", lambda *_, found=worse: found)
        with pytest.raises(TrainingError, match="outlines get no better"):
            train_outline(small, [folder], tmp_path / "none.safetensors", plan)
        assert not (tmp_path / "none.safetensors").exists()


def test_sets_that_teach_nothing_are_refused(small: SamModel, tmp_path: Path) -> None:
    photos = write_set(tmp_path / "photos", masks=False)
    with pytest.raises(DatasetError, match="has no masks"):
        train_outline(small, [photos], tmp_path / "o.safetensors", OutlinePlan(2, 1))
    novel = write_set(tmp_path / "novel")
    (novel / "NOVEL").touch()
    with pytest.raises(DatasetError):
        train_outline(small, [novel], tmp_path / "o.safetensors", OutlinePlan(2, 1))


def test_the_command_says_what_it_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(outline_run, "PATCH", 32)
    monkeypatch.setattr(outline_run, "outline_figures", lambda *_: BETTER)
    out = tmp_path / "o.safetensors"
    words = ["--answers", "3", "--steps", "1", "--device", "cpu", "--out", str(out)]
    assert call("train", "outline", str(write_set(tmp_path / "set")), *words) == 0
    assert capsys.readouterr().out == (
        f"wrote {out}\ntest split: IoU 0.700 -> 0.750, IoU .85 and more 20.0% -> 30.0%\n"
    )
