"""A decoder is fine-tuned: it learns, nothing else moves, it can be interrupted, and it never ends worse than it began."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from samtta_app.errors import CheckpointError, DatasetError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import DEFAULT_MODEL, load_model, toy_model
from samtta_app.model.weights import Tensors, Weights
from samtta_app.settings import resource
from samtta_app.train.decoder import decoder_run
from samtta_app.train.decoder.decoder_files import model_digest, net_in_file
from samtta_app.train.decoder.decoder_recipe import interactive_rounds
from samtta_app.train.decoder.decoder_run import (
    DecoderPlan,
    DecoderReached,
    DecoderRun,
    decoder_optimiser,
    tune_decoder,
)
from samtta_app.train.decoder.decoder_samples import FeatureStore, read_samples, targets_of
from samtta_app.train.interruption import Interruption
from tests.unit.train.discs import write_discs
from tests.unit.train.toy import press_ctrl_c

SHORT = DecoderPlan(steps=3, rate=1e-3, images=1, masks=1)


@pytest.fixture(autouse=True)
def measured_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once is enough for most of what is tested here, and quicker."""
    monkeypatch.setattr(decoder_run, "DECODER_MEASUREMENTS", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_discs(tmp_path / "discs", 3, 1)


def halve(folder: Path) -> Path:
    """Let only the left half of each disc be the object: what no model thinks at first, and what is easily learnt."""
    for file in (folder / "masks").iterdir():
        labels = np.array(Image.open(file))
        for value in range(1, int(labels.max()) + 1):
            middle = np.nonzero(labels == value)[1].mean()
            labels[(labels == value) & (np.arange(64)[None] > middle)] = 0
        Image.fromarray(labels).save(file)
    return folder


def interrupted(step: int) -> Callable[[DecoderReached], None]:
    """Ctrl+C after a step."""

    def report(reached: DecoderReached) -> None:
        if reached.step == step:
            press_ctrl_c()

    return report


def tune(model: SamModel, datasets: list[Path], out: Path, plan: DecoderPlan, **options: Any) -> DecoderReached:
    """Fine-tune; the shipped model is written as its file holds it."""
    return tune_decoder(model, net_in_file(model, DEFAULT_MODEL), datasets, out, plan, **options)


def same(one: Tensors, other: Tensors) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def loss_of(model: SamModel, folder: Path) -> float:
    """The recipe's loss on all training images with the same prompts for every decoder."""
    store, total = FeatureStore(model), 0.0
    with torch.no_grad():
        for seed, sample in enumerate(read_samples(folder, "train", model)):
            features = store.features(sample.image, sample.window)
            targets = targets_of(model, sample, features, sample.objects)
            rounds = interactive_rounds(model, model.frozen.tensors, features, targets, np.random.default_rng(seed))
            total += sum(one.loss.item() for one in rounds)
    return total


# --- learning -------------------------------------------------------------------------------------------------------


def test_the_shipped_decoder_learns_half_discs_and_nothing_else_moves(tmp_path: Path) -> None:
    folder, out = halve(write_discs(tmp_path / "discs", 2, 1)), tmp_path / "tuned.safetensors"
    model, seen = load_model(device="cpu", input_size=128), []
    before = model_digest(model)
    reached = tune(
        model, [folder], out, DecoderPlan(steps=32, rate=1e-3, images=1), report=lambda r: seen.append(r.step)
    )
    assert seen == list(range(33))
    assert model_digest(model) == before
    assert reached.best_step == 32
    assert sum(reached.best) > sum(reached.before) + 0.1
    tuned = load_model(out, "cpu", input_size=128)
    assert loss_of(tuned, folder) < 0.9 * loss_of(model, folder)
    begun, done = (load_file(file) for file in (resource(f"models/{DEFAULT_MODEL}.safetensors"), out))
    assert begun.keys() == done.keys()
    assert {key.split(".")[0] for key in done if not torch.equal(begun[key], done[key])} == {"mask_decoder"}


def test_an_official_model_is_written_whole_with_its_encoders_as_they_were(folder: Path, tmp_path: Path) -> None:
    model, out = toy_model(), tmp_path / "tuned.pth"
    model.frozen.tensors["iou_token.weight"].mul_(2)
    reached = tune(model, [folder], out, SHORT)
    state = torch.load(out, weights_only=True)
    fresh = toy_model(1).net
    fresh.load_state_dict(state, strict=True)
    for part in ("image_encoder", "prompt_encoder"):
        assert same(getattr(fresh, part).state_dict(), getattr(model.net, part).state_dict())
    assert reached.step == 3
    assert reached.loss > 0


def test_the_optimiser_is_sams_and_decays_no_norm_or_bias() -> None:
    tensors = toy_model().frozen.tensors
    optimiser = decoder_optimiser(tensors, DecoderPlan())
    decayed, free = optimiser.param_groups
    assert decayed["betas"] == free["betas"] == (0.9, 0.999)
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    assert all(tensor.ndim > 1 for tensor in decayed["params"])
    assert all(tensor.ndim == 1 for tensor in free["params"])
    assert len(decayed["params"]) + len(free["params"]) == len(tensors)


# --- never worse than the start ---------------------------------------------------------------------------------------


def test_a_run_that_only_does_harm_gives_the_starting_weights_back(tmp_path: Path) -> None:
    folder, out = write_discs(tmp_path / "discs", 2, 1), tmp_path / "tuned.safetensors"
    model = load_model(device="cpu", input_size=128)
    reached = tune(model, [folder], out, DecoderPlan(steps=2, rate=1.0, images=1, masks=1))
    assert reached.best_step == 0
    assert reached.best == reached.before
    assert min(reached.before) > 0.5
    assert same(load_model(out, "cpu").frozen.tensors, model.frozen.tensors)


def test_the_best_weights_are_kept_when_later_ones_are_worse(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = iter([(0.1, 0.1, 0.1), (0.3, 0.3, 0.3), (0.2, 0.2, 0.4), (0.1, 0.1, 0.1)])
    asked: list[Tensors] = []

    def known(_model: SamModel, tensors: Tensors, *_: object) -> tuple[float, float, float]:
        asked.append(tensors)
        return next(figures)

    monkeypatch.setattr(decoder_run, "sample_held_out_ious", known)
    monkeypatch.setattr(decoder_run, "DECODER_MEASUREMENTS", 3)
    out = folder / "tuned.pth"
    reached = tune(toy_model(), [folder], out, SHORT)
    assert (reached.before, reached.best, reached.best_step) == ((0.1, 0.1, 0.1), (0.3, 0.3, 0.3), 1)
    written = torch.load(out, weights_only=True)
    assert all(torch.equal(written[f"mask_decoder.{name}"], tensor) for name, tensor in asked[1].items())
    assert not same(asked[1], asked[2])


def test_the_held_out_figures_are_taken_at_equal_distances_and_at_the_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    now = [0]
    monkeypatch.setattr(decoder_run, "DECODER_MEASUREMENTS", 2)
    monkeypatch.setattr(decoder_run, "sample_held_out_ious", lambda *_: steps.append(now[0]) or (0.0, 0.0, 0.0))

    def count(reached: DecoderReached) -> None:
        now[0] = reached.step + 1

    tune(toy_model(), [folder], folder / "tuned.pth", replace(SHORT, steps=5), report=count)
    assert steps == [0, 3, 5]


# --- interrupted ----------------------------------------------------------------------------------------------------


def test_an_interrupted_run_ends_bit_for_bit_as_an_unbroken_one(folder: Path, tmp_path: Path) -> None:
    whole = tune(toy_model(), [folder], tmp_path / "whole.pth", SHORT)
    with pytest.raises(Interruption, match=r"after step 2; .* --resume .*broken\.resume\.pt"):
        tune(toy_model(), [folder], tmp_path / "broken.pth", SHORT, report=interrupted(2))
    assert not (tmp_path / "broken.pth").exists()
    checkpoint = tmp_path / "broken.resume.pt"
    again = tune(toy_model(), [folder], tmp_path / "broken.pth", SHORT, resume=checkpoint)
    assert replace(again, seconds=0) == replace(whole, seconds=0)
    ends = [torch.load(tmp_path / f"{name}.resume.pt", weights_only=True) for name in ("whole", "broken")]
    assert same(ends[0]["tensors"], ends[1]["tensors"])
    assert same(ends[0]["best"], ends[1]["best"])
    states = [end["optimiser"]["state"] for end in ends]
    assert all(torch.equal(states[0][i][key], states[1][i][key]) for i in states[0] for key in states[0][i])
    models = [torch.load(tmp_path / f"{name}.pth", weights_only=True) for name in ("whole", "broken")]
    assert same(*models)


def test_another_seed_gives_another_decoder(folder: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        tune(toy_model(), [folder], tmp_path / f"{seed}.pth", replace(SHORT, steps=1, seed=seed))
    ends = [torch.load(tmp_path / f"{seed}.resume.pt", weights_only=True)["tensors"] for seed in (0, 1)]
    assert not same(*ends)


def test_a_finished_run_can_be_made_longer_and_is_not_written_over_unasked(folder: Path, tmp_path: Path) -> None:
    out, plan = tmp_path / "tuned.pth", replace(SHORT, steps=1)
    tune(toy_model(), [folder], out, plan)
    longer = tune(toy_model(), [folder], out, replace(plan, steps=2, rate=1e-5), resume=tmp_path / "tuned.resume.pt")
    assert longer.step == 2
    with pytest.raises(TrainingError, match="checkpoint of an earlier run") as caught:
        tune(toy_model(), [folder], out, plan)
    assert "--fresh" in caught.value.do
    assert tune(toy_model(), [folder], out, plan, fresh=True).step == 1


@pytest.mark.parametrize("differs", ["model", "data", "plan"])
def test_a_checkpoint_of_another_run_is_refused(folder: Path, tmp_path: Path, differs: str) -> None:
    out = tmp_path / "tuned.pth"
    tune(toy_model(), [folder], out, replace(SHORT, steps=1))
    model = toy_model(1) if differs == "model" else toy_model()
    data = write_discs(tmp_path / "other", 2, 2) if differs == "data" else folder
    plan = replace(SHORT, seed=1) if differs == "plan" else SHORT
    with pytest.raises(CheckpointError, match=f"not the same {differs} "):
        tune(model, [data], out, plan, resume=tmp_path / "tuned.resume.pt")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has a device that is always full")
def test_training_goes_on_when_the_disk_is_full_and_the_previous_checkpoint_stands(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder_run, "DECODER_SAVE_SECONDS", 0.0)
    checkpoint, part = tmp_path / "tuned.resume.pt", tmp_path / "tuned.resume.pt.part"
    stood: list[int] = []

    def fill(reached: DecoderReached) -> None:
        if checkpoint.exists():
            stood.append(torch.load(checkpoint, weights_only=True)["reached"]["step"])
        if reached.step == 1:
            part.symlink_to("/dev/full")

    reached = tune(toy_model(), [folder], tmp_path / "tuned.pth", SHORT, report=fill)
    assert reached.step == 3
    assert stood == [1, 1, 3]
    assert "tuned.resume.pt was not written, the previous checkpoint stands" in caplog.text


# --- what cannot be trained ---------------------------------------------------------------------------------------------


def with_empty_masks(model: SamModel) -> SamModel:
    """A decoder whose logits are all negative."""
    tensors = dict(model.frozen.tensors)
    for name in tensors:
        if name.startswith("output_upscaling.3."):
            tensors[name] = torch.full_like(tensors[name], float(name.endswith("bias")))
        elif name.startswith("output_hypernetworks_mlps") and ".layers.2." in name:
            tensors[name] = torch.full_like(tensors[name], -float(name.endswith("bias")))
    return replace(model, frozen=Weights(0, tensors))


def test_masks_that_are_all_empty_after_the_first_minute_stop_the_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder_run, "EMPTY_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(decoder_run, "EMPTY_AFTER_STEPS", 3)
    model, plan, seen = with_empty_masks(toy_model()), replace(SHORT, steps=30, rate=1e-9), []
    with pytest.raises(TrainingError, match="still empty after the first minute") as caught:
        tune(model, [folder], tmp_path / "a.pth", plan, report=lambda r: seen.append(r.step))
    assert seen == [0, 1, 2]
    assert caught.value.where == str(folder)
    assert "learning rate" in caught.value.do
    assert not (tmp_path / "a.pth").exists()


def test_masks_may_be_empty_in_the_first_minute(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_run, "EMPTY_AFTER_STEPS", 1)
    reached = tune(with_empty_masks(toy_model()), [folder], tmp_path / "a.pth", replace(SHORT, steps=2, rate=1e-9))
    assert reached.empty == 2


def test_memory_that_does_not_suffice_is_said(folder: Path, tmp_path: Path) -> None:
    model = toy_model()
    layer = model.net.mask_decoder.transformer.norm_final_attn
    layer.register_forward_pre_hook(lambda *_: torch.empty(1 << 50, dtype=torch.uint8) and None)
    with pytest.raises(TrainingError, match="not enough memory"):
        tune(model, [folder], tmp_path / "a.pth", SHORT)


def test_a_gradient_that_is_not_finite_is_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = toy_model()
    sets = {"discs": read_samples(folder, "train", model)}
    run = DecoderRun(model, sets, sets, SHORT, folder / "a.resume.pt")
    with torch.no_grad():
        run.tensors["iou_token.weight"][0, 0] = torch.inf
    kept = {name: tensor.detach().clone() for name, tensor in run.tensors.items()}
    run.advance()
    assert same({name: tensor.detach() for name, tensor in run.tensors.items()}, kept)
    assert run.reached.step == 1
    assert "gradient is not finite" in caplog.text


def test_no_data_set_and_no_place_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No data set"):
        tune(toy_model(), [], tmp_path / "a.pth", SHORT)
    with pytest.raises(TrainingError, match="must end in"):
        tune(toy_model(), [tmp_path / "nothing"], tmp_path / "a.safetensors", SHORT)


def test_one_bad_set_among_good_ones_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nothing"):
        tune(toy_model(), [folder, tmp_path / "nothing"], tmp_path / "a.pth", SHORT)


# --- length ---------------------------------------------------------------------------------------------------------


def test_a_run_has_a_length_in_steps_or_in_minutes() -> None:
    reached = DecoderReached(step=3, seconds=30)
    assert reached.share(DecoderPlan(steps=4)) == 0.75
    assert reached.share(DecoderPlan(minutes=2)) == 0.25
    assert reached.share(DecoderPlan(steps=2)) == reached.share(DecoderPlan(minutes=0.1)) == 1


def test_a_run_in_minutes_ends_by_the_clock(folder: Path, tmp_path: Path) -> None:
    reached = tune(toy_model(), [folder], tmp_path / "a.pth", DecoderPlan(minutes=0.001, images=1, masks=1))
    assert reached.step >= 1
    assert reached.seconds >= 0.06
