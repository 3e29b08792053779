"""A decoder learns from images without masks beside those that have some: by turns, weighed, resumable, or a clear text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from samtta_app.errors import CheckpointError, DatasetError, TrainingError
from samtta_app.model.backbone import Limits, SamModel
from samtta_app.model.backbones.sam import SAM_POLICY, OfficialSam
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.train.decoder import decoder_run
from samtta_app.train.decoder.decoder_files import net_in_file
from samtta_app.train.decoder.decoder_run import DecoderPlan, DecoderReached, DecoderRun, tune_decoder
from samtta_app.train.decoder.decoder_samples import DecoderSample, read_samples
from samtta_app.train.decoder.unlabelled import NO_UNLABELLED, PseudoSample, UnlabelledSet
from samtta_app.train.interruption import Interruption
from tests.unit.train.discs import write_discs
from tests.unit.train.photos import write_photos
from tests.unit.train.toy import press_ctrl_c
from tests.unit.uncertainty.refining import moved, put
from tests.unit.values import picture

SHORT = DecoderPlan(steps=3, rate=1e-3, images=2, masks=1)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, samtta_home: Path) -> None:
    """Measured once, few clicks a window, no refiner but what a test puts into the model folder."""
    monkeypatch.setattr(decoder_run, "DECODER_MEASUREMENTS", 1)
    monkeypatch.setattr("samtta_app.model.proposals.PLACES", 4)
    monkeypatch.setattr("samtta_app.model.refiner.resource", lambda name: samtta_home / "none")


@pytest.fixture
def sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy's answers are taken for sure, whatever they are."""
    monkeypatch.setattr(OfficialSam, "policy", replace(SAM_POLICY, limits=Limits(-100, 0.0, 0.002, 1.0)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_discs(tmp_path / "discs", 3, 1)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos", 2)


def tune(model: SamModel, datasets: list[Path], out: Path, plan: DecoderPlan, **options: Any) -> DecoderReached:
    return tune_decoder(model, net_in_file(model, "samtta-small"), datasets, out, plan, **options)


def kept(out: Path) -> dict[str, Any]:
    """The checkpoint beside a model."""
    return torch.load(out.with_suffix(".resume.pt"), weights_only=True)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def pseudo(seed: int, certainty: int | None = None) -> PseudoSample:
    """A window of 64 x 64 with two proposals on the toy's grid of 16 x 16."""
    image = picture(seed, 64, 64)
    masks = torch.zeros(2, 16, 16, dtype=torch.bool)
    masks[0, 2:8, 3:8], masks[1, 8:14, 9:14] = True, True
    believed = None if certainty is None else torch.full(masks.shape, certainty, dtype=torch.uint8)
    return PseudoSample(image, image.whole, masks, torch.tensor([[12.0, 8, 31, 31], [36, 32, 55, 55]]), believed)


def run_of(folder: Path, plan: DecoderPlan, proposed: UnlabelledSet = NO_UNLABELLED) -> DecoderRun:
    model = toy_model()
    sets = {"discs": read_samples(folder, "train", model)}
    return DecoderRun(model, sets, sets, plan, folder / "a.resume.pt", proposed)


# --- turns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "by_hand"), [(1, [1, 0, 1, 0]), (2, [1, 1, 1, 1]), (3, [2, 1, 2, 1]), (4, [2, 2, 2, 2])]
)
def test_half_of_the_images_are_made_by_hand_and_an_odd_one_alternates(images: int, by_hand: list[int]) -> None:
    plan = DecoderPlan(images=images)
    assert [plan.made_by_hand(step) for step in range(4)] == by_hand


@pytest.mark.parametrize("images", [1, 2, 3])
def test_both_kinds_are_drawn_one_to_one_and_each_sample_in_its_turn(folder: Path, images: int) -> None:
    run = run_of(folder, DecoderPlan(images=images), UnlabelledSet((pseudo(0), pseudo(1), pseudo(2)), "x"))
    seen: Counter[str] = Counter()
    for step in range(60):
        run.reached.step = step
        for sample in run._drawn(np.random.default_rng((0, step))):
            seen[("made " if isinstance(sample, DecoderSample) else "proposed ") + sample.image.key] += 1
    by_kind = [sum(n for name, n in seen.items() if name.startswith(kind)) for kind in ("made", "proposed")]
    assert by_kind == [30 * images, 30 * images]
    assert len(seen) == 6


def test_without_proposals_all_images_are_made_by_hand(folder: Path) -> None:
    run = run_of(folder, DecoderPlan(images=2))
    drawn = run._drawn(np.random.default_rng(5))
    assert all(isinstance(sample, DecoderSample) for sample in drawn)
    wanted = np.random.default_rng(5).choice(3, 2, replace=False)  # the same random numbers as ever
    assert [run.samples.index(sample) for sample in drawn] == wanted.tolist()


def test_fewer_proposals_than_a_step_takes_are_all_taken(folder: Path) -> None:
    run = run_of(folder, DecoderPlan(images=8), UnlabelledSet((pseudo(0),), "x"))
    drawn = run._drawn(np.random.default_rng(0))
    assert sum(isinstance(sample, PseudoSample) for sample in drawn) == 1
    assert len(drawn) == 4


# --- learning -------------------------------------------------------------------------------------------------------


def gradient(folder: Path, certainty: int | None) -> float:
    """How hard the rounds of one proposal pull at the decoder."""
    run = run_of(folder, DecoderPlan(images=1), UnlabelledSet((pseudo(0, certainty),), "x"))
    run._backward(run.proposed[0], 1, np.random.default_rng(1))
    return float(sum(t.grad.norm() for name, t in run.tensors.items() if t.grad is not None and "mask_tok" in name))


def test_a_proposal_teaches_as_far_as_it_is_certain(folder: Path) -> None:
    everything, half, nothing, by_hand = (gradient(folder, value) for value in (255, 128, 0, None))
    assert by_hand == pytest.approx(everything, rel=0.3)  # the clicks differ
    assert 0 < half < 0.7 * everything
    assert nothing < 0.2 * everything  # the error of the predicted IoU


def test_discs_without_masks_teach_the_shipped_decoder_in_place_of_masks(tmp_path: Path) -> None:
    """The sets are of discs that are known, so that nothing need be gained, but what is proposed is learned as well."""
    folder, images = write_discs(tmp_path / "discs", 1, 1), write_photos(tmp_path / "photos", 2)
    model, told = load_model(device="cpu", input_size=128), []
    put(model, moved(model))
    plan = DecoderPlan(steps=2, rate=3e-4, images=2, masks=2)
    reached = tune(model, [folder, images], tmp_path / "a.safetensors", plan, told=told.append)
    assert reached.step == 2
    assert sum(reached.best) >= sum(reached.before) > 1.5
    assert [words.rpartition(": ")[2] for words in told] == ["1 of 2", "2 of 2"]
    end = kept(tmp_path / "a.safetensors")
    tune(model, [folder], tmp_path / "alone.safetensors", plan)
    assert not same(end["tensors"], kept(tmp_path / "alone.safetensors")["tensors"])
    tune(model, [folder, images], tmp_path / "all.safetensors", replace(plan, weigh=False))
    assert not same(end["tensors"], kept(tmp_path / "all.safetensors")["tensors"])


def test_figures_are_of_the_sets_with_masks_alone(folder: Path, photos: Path, tmp_path: Path, sure: None) -> None:
    plan = replace(SHORT, steps=1, weigh=False)
    alone = tune(toy_model(), [folder], tmp_path / "a.pth", plan)
    both = tune(toy_model(), [folder, photos], tmp_path / "b.pth", plan)
    assert both.before == alone.before


# --- interrupted ----------------------------------------------------------------------------------------------------


def stop_after(step: int) -> Callable[[DecoderReached], None]:
    """Ctrl+C after a step."""
    return lambda reached: press_ctrl_c() if reached.step == step else None


@pytest.mark.parametrize("images", [1, 2])
def test_an_interrupted_run_ends_bit_for_bit_as_an_unbroken_one(
    folder: Path, photos: Path, tmp_path: Path, images: int, sure: None
) -> None:
    sets, plan = [folder, photos], replace(SHORT, images=images)
    put(toy_model(), moved(toy_model()))
    whole = tune(toy_model(), sets, tmp_path / "whole.pth", plan)
    with pytest.raises(Interruption, match="after step 2"):
        tune(toy_model(), sets, tmp_path / "broken.pth", plan, report=stop_after(2))
    again = tune(toy_model(), sets, tmp_path / "broken.pth", plan, resume=tmp_path / "broken.resume.pt")
    assert replace(again, seconds=0) == replace(whole, seconds=0)
    assert same(kept(tmp_path / "whole.pth")["tensors"], kept(tmp_path / "broken.pth")["tensors"])


@pytest.mark.parametrize(
    ("differs", "what"), [("photos", "data"), ("none", "data"), ("refiner", "data"), ("weigh", "data|plan")]
)
def test_a_checkpoint_of_other_images_refiner_or_belief_is_refused(
    folder: Path, photos: Path, tmp_path: Path, differs: str, what: str, sure: None
) -> None:
    out, plan = tmp_path / "a.pth", replace(SHORT, steps=1)
    put(toy_model(), moved(toy_model()))
    tune(toy_model(), [folder, photos], out, plan)
    sets = [folder, photos]
    if differs == "photos":
        sets = [folder, write_photos(tmp_path / "other", 2, first=70)]
    elif differs == "none":
        sets = [folder]
    elif differs == "refiner":
        put(toy_model(), moved(toy_model(), 1))
    else:
        plan = replace(plan, weigh=False)
    with pytest.raises(CheckpointError, match=f"not the same ({what}) "):
        tune(toy_model(), sets, out, plan, resume=tmp_path / "a.resume.pt")


# --- what cannot be -------------------------------------------------------------------------------------------------


def test_images_alone_and_a_model_without_refiner_are_refused(folder: Path, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no masks"):
        tune(toy_model(), [photos], tmp_path / "a.pth", SHORT)
    with pytest.raises(TrainingError, match="has no refiner") as caught:
        tune(toy_model(), [folder, photos], tmp_path / "a.pth", SHORT)
    assert "samtta train refiner" in caught.value.do
    assert list(tmp_path.glob("a.*")) == []


def test_believed_in_every_pixel_no_refiner_is_needed(folder: Path, photos: Path, tmp_path: Path, sure: None) -> None:
    assert tune(toy_model(), [folder, photos], tmp_path / "a.pth", replace(SHORT, weigh=False)).step == 3


def test_images_in_which_nothing_is_proposed_are_refused(folder: Path, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="in any of the 2 images"):
        tune(toy_model(), [folder, photos], tmp_path / "a.pth", replace(SHORT, weigh=False))


def test_memory_that_does_not_suffice_for_proposals_is_said(folder: Path, photos: Path, tmp_path: Path) -> None:
    model = toy_model()
    model.net.mask_decoder.transformer.norm_final_attn.register_forward_pre_hook(
        lambda *_: torch.empty(1 << 50, dtype=torch.uint8) and None
    )
    with pytest.raises(TrainingError, match="not enough memory"):
        tune(model, [folder, photos], tmp_path / "a.pth", replace(SHORT, weigh=False))


def test_no_more_images_than_said_are_asked(folder: Path, photos: Path, tmp_path: Path, sure: None) -> None:
    told: list[str] = []
    plan = replace(SHORT, steps=1, weigh=False, photos=1)
    tune(toy_model(), [folder, photos], tmp_path / "a.pth", plan, told=told.append)
    assert len(told) == 1
