"""Steps: equal shares of a batch, batches halved when memory does not suffice, an end where nothing is learnt."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from samtta_app.errors import TrainingError
from samtta_app.model.backbones.compact import CompactSam
from samtta_app.train.batches import Batch, SampleSource, batches
from samtta_app.train.checkpoint import read_checkpoint
from samtta_app.train.compact import compact_run as module
from samtta_app.train.compact.click_rounds import StepResult
from samtta_app.train.compact.compact_run import CompactRun
from samtta_app.train.compact.progress import RunStanding
from samtta_app.train.compact.recipe import read_recipe
from samtta_app.train.compact.training_command import train_model
from samtta_app.train.interruption import Interruption
from tests.unit.train.material import record, write_set
from tests.unit.train.toy import TOY, at_step, hungry, make_small, press_ctrl_c, recipe, same_weights, told


@pytest.fixture(autouse=True)
def toy_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def a_run(folder: Path, threads: int = 1, images: int = 4) -> CompactRun:
    plan = read_recipe(recipe(folder, 4, images=images))
    return CompactRun(plan, TOY, torch.device("cpu"), threads, folder / "m.safetensors", folder / "m.resume.pt")


def a_batch(images: int = 4) -> Batch:
    return next(batches(SampleSource({"s": [record(0), record(1)]}, {"s": 1.0}, 64, 2, 0), images, 0, workers=0))


def weights_after_a_step(run: CompactRun, batch: Batch) -> dict[str, torch.Tensor]:
    with run:
        run.step(batch)
    return run.model.state_dict()


# --- shards ---------------------------------------------------------------------------------------------------------


def test_shards_of_unequal_sizes_weigh_by_their_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def known(model: CompactSam, part: Batch, *_: object) -> StepResult:
        return StepResult(model.mask_decoder.iou_token.weight.sum() * len(part.pixels), 0.5, 0.5, 1.0)

    monkeypatch.setattr(module, "interactive_step", known)
    with a_run(tmp_path, threads=2) as run:
        results, gradients = run._shards(a_batch(5), [run.model.mask_decoder.iou_token.weight])
    assert len(results) == 2
    found = [gradient.unique().tolist() for (gradient,) in gradients if gradient is not None]
    assert found == [[pytest.approx(3 * 3 / 5)], [pytest.approx(2 * 2 / 5)]]


def test_the_threads_of_a_gpu_change_nothing(tmp_path: Path) -> None:
    batch = a_batch()
    serial = weights_after_a_step(a_run(tmp_path, threads=2), batch)
    threaded = a_run(tmp_path, threads=2)
    threaded.clickers = ThreadPoolExecutor(3)
    for key, value in weights_after_a_step(threaded, batch).items():
        assert torch.equal(value, serial[key]), key


def test_a_step_counts_its_masks_and_its_time(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    weights_after_a_step(run, a_batch())
    p = run.progress
    assert (p.step, p.stage_step, p.masks) == (1, 1, 8)
    assert 0 < p.seconds == p.stage_seconds
    assert 0 <= p.first_iou <= 1
    assert run.standing.step == 1


def test_a_gradient_that_is_not_finite_skips_the_step(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    batch = a_batch(1)
    broken = Batch(batch.pixels, torch.full_like(batch.targets, float("inf")), batch.clicks, batch.boxes, batch.kinds)
    run = a_run(tmp_path)
    before = {key: value.clone() for key, value in run.model.state_dict().items()}
    after = weights_after_a_step(run, broken)
    assert all(torch.equal(value, before[key]) for key, value in after.items())
    assert told(caplog, logging.WARNING) == ["step 0 skipped: its gradient is not finite"]


# --- memory ---------------------------------------------------------------------------------------------------------


def train(folder: Path, images: int, **options: object) -> int:
    given = {"size": "small", "threads": 1, "device": "cpu", "recipe": recipe(folder, 3, images=images), **options}
    data = folder / "set" if (folder / "set").is_dir() else write_set(folder / "set")
    return train_model([data], out=folder / "m.safetensors", **given).masks  # type: ignore[arg-type]


def test_a_batch_that_memory_does_not_hold_is_halved_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hungry(monkeypatch, 2)
    seen: list[RunStanding] = []
    assert train(tmp_path, 4, report=seen.append) == 3 * 2 * 2
    warnings = told(caplog, logging.WARNING)
    assert warnings == ["not enough memory: from step 0 on a batch has 2 images instead of 4"]
    assert all("batch halved to 2" in standing.line for standing in seen)
    progress = read_checkpoint(tmp_path / "m.resume.pt", TOY).progress
    assert (progress.step, progress.halved) == (3, True)


def test_a_run_with_halved_batches_goes_on_with_them_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hungry(monkeypatch, 1)
    train(tmp_path, 2)
    whole = (tmp_path / "m.safetensors").rename(tmp_path / "whole.safetensors")
    with pytest.raises(Interruption):
        train(tmp_path, 2, fresh=True, report=at_step(1, press_ctrl_c))
    caplog.clear()
    train(tmp_path, 2, resume=tmp_path / "m.resume.pt")
    assert same_weights(tmp_path / "m.safetensors", whole)
    assert told(caplog, logging.WARNING) == []  # it was halved before


def test_memory_that_does_not_suffice_twice_ends_the_run_with_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hungry(monkeypatch, 1)
    advice = r"not enough memory for 2 images of 64 pixels.*images .*recipe.*--resume .*m\.resume\.pt"
    with pytest.raises(TrainingError, match=advice):
        train(tmp_path, 4)
    assert "2 images instead of 4" in caplog.text
    assert read_checkpoint(tmp_path / "m.resume.pt", TOY).progress.step == 0
    train(tmp_path, 2, resume=tmp_path / "m.resume.pt")  # what the text advises


def test_a_batch_of_one_image_cannot_be_halved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hungry(monkeypatch, 0)
    with pytest.raises(TrainingError, match="not enough memory for 1 images"):
        train(tmp_path, 1)


def test_other_errors_are_not_taken_for_a_lack_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        torch.zeros(2, 3) @ torch.zeros(2, 3)

    monkeypatch.setattr(module, "interactive_step", broken)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        train(tmp_path, 2)


# --- nothing is learnt ----------------------------------------------------------------------------------------------


def empty_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models whose masks are empty whatever is learnt: no number is above 0 where it is none."""
    original = module.build_compact

    def build(config: object) -> torch.nn.Module:
        model = original(config)  # type: ignore[arg-type]
        torch.nn.init.constant_(model.mask_decoder.mask_tokens.weight, float("nan"))
        return model

    monkeypatch.setattr(module, "build_compact", build)


def test_masks_that_stay_empty_end_the_run_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    empty_answers(monkeypatch)
    monkeypatch.setattr(module, "MAX_EMPTY_STEPS", 2)
    monkeypatch.setattr(module, "MAX_EMPTY_SECONDS", 0.0)
    with pytest.raises(TrainingError, match=r"All masks of the last 2 steps are empty.*lower lr.*--start"):
        train(tmp_path, 1)
    assert "step 1 skipped" in caplog.text


def test_before_a_minute_is_over_empty_masks_end_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    empty_answers(monkeypatch)
    monkeypatch.setattr(module, "MAX_EMPTY_STEPS", 2)
    with pytest.raises(TrainingError, match="not finite"):  # at the end, when the model is to be written
        train(tmp_path, 1)
    assert "step 2 skipped" in caplog.text


@pytest.mark.parametrize(
    ("filled", "seconds", "ends"),
    [
        ([0.0] * 30, 60.0, True),
        ([0.0] * 29, 60.0, False),
        ([0.0] * 30, 59.0, False),
        ([0.0] * 29 + [0.01] + [0.0] * 29, 600.0, False),
        ([0.9] * 50 + [0.0] * 30, 600.0, True),
    ],
)
def test_a_run_ends_after_a_minute_and_thirty_empty_steps_in_a_row(
    tmp_path: Path, filled: list[float], seconds: float, ends: bool
) -> None:
    with a_run(tmp_path) as run:
        run.progress.seconds = seconds
        told_after = [number for number, share in enumerate(filled, 1) if refused(run, share)]
    assert told_after == ([len(filled)] if ends else [])


def refused(run: CompactRun, filled: float) -> bool:
    try:
        run._refuse_emptiness(filled)
    except TrainingError:
        return True
    return False
