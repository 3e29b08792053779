"""Training of hypotheses: they learn to differ where outlines differ, and are written only where they are better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samtta_app.core.diversity import matched_iou
from samtta_app.core.types import Box, Click, Prompt
from samtta_app.datasets.ambiguity import ambiguous_objects
from samtta_app.errors import CheckpointError, DatasetError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.hypotheses import Posteriors, hypotheses, load_hypotheses, new_hypotheses
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.train.hypotheses import hypotheses_command, hypotheses_run
from samtta_app.train.hypotheses.hypotheses_command import train_hypotheses
from samtta_app.train.hypotheses.hypotheses_losses import (
    DIVERSITY,
    batch_loss,
    matched_loss,
    outline_fit,
    sample_energy,
    soft_iou,
)
from samtta_app.train.hypotheses.hypotheses_run import (
    HYPOTHESES_BATCH,
    HypothesesPlan,
    HypothesesRun,
    hypotheses_figures,
    picked_samples,
)
from samtta_app.train.hypotheses.hypotheses_samples import OpenSample, open_sample, seen_sample, seen_together
from tests.unit.train.discs import write_discs
from tests.unit.train.toy import call, toy_model_file
from tests.unit.values import disc, picture

GOOD = {"ged": 0.2, "candidates": 0.5, "hm_iou": 0.7, "candidates_hm_iou": 0.6, "alike": 0.8}


def unheard(share: float, words: str) -> None:
    pass


def run_of(
    model: SamModel,
    sets: Sequence[Sequence[OpenSample]],
    plan: HypothesesPlan,
    checkpoint: Path = Path("nowhere") / "some.resume.pt",
) -> HypothesesRun:
    return HypothesesRun(model, sets, plan, checkpoint, "discs")


@pytest.fixture(scope="module")
def small() -> SamModel:
    return load_model("samtta-small", "cpu", 128)


def tight_or_loose(model: SamModel, seed: int, *, boxed: bool = False) -> OpenSample:
    """A disc that one annotator draws tight and another one loose, asked for by a click or by a box."""
    rng = np.random.default_rng(seed)
    x, y = (int(v) for v in rng.integers(44, 84, 2))
    image = picture(seed, 128, 128, ((x, y, 18),))
    outlines = [disc(x, y, radius, 128, 128) for radius in (13, 25)]
    prompt = Prompt(box=Box(x - 20, y - 20, x + 20, y + 20)) if boxed else Prompt((Click(x, y, True),))
    return seen_sample(model, image, prompt, outlines)


def test_a_step_has_prompts_of_one_form(small: SamModel) -> None:
    samples = [tight_or_loose(small, seed, boxed=seed % 2 == 1) for seed in range(4)]
    forms = set()
    for seed in range(8):
        picked = picked_samples([samples], np.ones(1), np.random.default_rng(seed))
        assert len(picked) == HYPOTHESES_BATCH
        (form,) = {sample.form for sample in picked}
        assert seen_together(picked).embedded.sparse.shape[:2] == (HYPOTHESES_BATCH, form[1])
        forms.add(form)
    assert len(forms) == 2, "a click and a box, which also clicks its middle"


def test_hypotheses_learn_to_look_like_both_annotators(small: SamModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypotheses_run, "WARM_UP", 1)
    samples = [tight_or_loose(small, seed) for seed in range(8)]
    held_out = [tight_or_loose(small, seed) for seed in range(100, 104)]
    plan, told = HypothesesPlan(steps=30), []
    before = hypotheses_figures(small, new_hypotheses(small).eval(), held_out, plan)
    nets = run_of(small, [samples], plan).to_the_end(lambda share, words: told.append((share, words)))
    after = hypotheses_figures(small, nets, held_out, plan)
    assert after["hm_iou"] > max(before["hm_iou"], after["candidates_hm_iou"]) + 0.05
    assert after["ged"] < min(before["ged"], after["candidates"]) - 0.05
    assert told[-1][0] == 1


def test_the_same_seed_gives_the_same_networks_and_encoder_and_decoder_stay(small: SamModel) -> None:
    samples = [tight_or_loose(small, seed) for seed in range(3)]
    before = {name: value.clone() for name, value in small.net.state_dict().items()}
    one, other = (run_of(small, [samples], HypothesesPlan(steps=2)).to_the_end(unheard) for _ in range(2))
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    assert all(torch.equal(value, small.net.state_dict()[name]) for name, value in before.items())
    assert any(float(value.abs().max()) > 0 for value in one.change.values())


@pytest.mark.parametrize("without", ["object", "prompt", "posterior"])
def test_a_part_that_is_left_out_learns_nothing(small: SamModel, without: str) -> None:
    nets, posteriors = new_hypotheses(small), Posteriors(small.backbone.width)
    loss = batch_loss(small, nets, posteriors, [tight_or_loose(small, 1)], without, np.random.default_rng(0))
    loss.backward()  # type: ignore[no-untyped-call]
    silent = [value for name, value in nets.named_parameters() if name.startswith(f"{without}_prior")]
    silent += [value for name, value in posteriors.named_parameters() if without in ("posterior", name.split(".")[0])]
    assert silent
    assert all(value.grad is None or not value.grad.any() for value in silent)
    assert float(loss.detach()) > 0


@pytest.mark.parametrize("without", ["object", "prompt"])
def test_a_latent_that_was_left_out_changes_nothing_in_use_either(small: SamModel, without: str) -> None:
    sample = tight_or_loose(small, 1)
    seen = seen_together([sample])
    nets = run_of(small, [[sample]], HypothesesPlan(steps=3, without=without)).to_the_end(unheard)
    latents = {name: torch.zeros(2, nets.width) for name in ("prompt", "object")}
    noise = torch.randn(2, nets.width, generator=torch.Generator().manual_seed(0))
    plain = hypotheses(small, nets, small.frozen.tensors, seen, *latents.values())
    changed = hypotheses(small, nets, small.frozen.tensors, seen, *{**latents, without: noise}.values())
    torch.testing.assert_close(changed, plain)
    other = "prompt" if without == "object" else "object"
    moved = hypotheses(small, nets, small.frozen.tensors, seen, *{**latents, other: noise}.values())
    assert not torch.allclose(moved, plain, atol=1e-4)


def test_the_energy_rewards_samples_that_differ_and_the_matching_wants_each_outline_met() -> None:
    to_outlines = torch.tensor([[0.0, 0.5], [0.5, 0.0]])
    apart, alike = 0.5 * (1 - torch.eye(2)), torch.zeros(2, 2)
    assert float(sample_energy(to_outlines, apart)) == pytest.approx(0.5 - DIVERSITY * 0.5)
    assert float(sample_energy(to_outlines, alike)) == pytest.approx(0.5)
    assert float(matched_loss(to_outlines)) == 0
    assert float(matched_loss(torch.tensor([[0.0, 0.5], [0.0, 0.5]]))) == pytest.approx(0.25)
    assert float(matched_loss(torch.tensor([[0.1], [0.3], [0.5]]))) == pytest.approx(0.3)
    uneven = torch.rand(3, 4, generator=torch.Generator().manual_seed(1))
    assert float(matched_loss(uneven)) == pytest.approx(1 - matched_iou(1 - uneven.double().numpy(), duplicate=True))


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(small: SamModel, tmp_path: Path) -> None:
    sets, plan = [[tight_or_loose(small, seed) for seed in range(3)]], HypothesesPlan(steps=4)
    whole = run_of(small, sets, plan).to_the_end(unheard)
    broken = run_of(small, sets, plan, tmp_path / "some.resume.pt")

    def stop(share: float, words: str) -> None:
        if broken.step == 2:
            broken.save()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken.to_the_end(stop)
    again = run_of(small, sets, plan)
    again.resume(broken.checkpoint)
    for name, value in again.to_the_end(unheard).state_dict().items():
        assert torch.equal(value, whole.state_dict()[name]), name
    other = run_of(small, sets, replace(plan, steps=5))
    with pytest.raises(CheckpointError, match="not the same plan"):
        other.resume(broken.checkpoint)


def test_the_soft_iou_of_equal_shares_is_one_even_where_they_are_blurred() -> None:
    blurred, half = torch.full((4, 4), 0.5), torch.zeros(4, 4)
    half[:2] = 1
    assert float(soft_iou(blurred, blurred)) == pytest.approx(1)
    assert float(soft_iou(half, 1 - half)) == pytest.approx(0, abs=1e-3)
    assert float(soft_iou(half, torch.ones(4, 4))) == pytest.approx(0.5, abs=1e-3)


def test_the_fit_to_an_outline_is_best_at_the_outline_and_small_ones_count_as_much() -> None:
    shares = torch.zeros(2, 32, 32)
    shares[0, :16, :16], shares[1, :4, :4] = 1, 1
    right = outline_fit(shares * 20 - 10, shares)
    wrong = outline_fit(-(shares * 20 - 10), shares)
    empty = outline_fit(torch.full_like(shares, -10), shares)
    assert right.max() < 0.1 < empty.min() < wrong.min()
    assert float(empty[0]) == pytest.approx(float(empty[1]), rel=0.3)


def test_a_sample_is_what_the_model_sees_in_the_window_of_its_answer(small: SamModel, tmp_path: Path) -> None:
    folder = write_discs(tmp_path / "discs", 2, 1)
    drawn = ambiguous_objects(folder, "train", simulate=True)
    for number, each in enumerate(drawn):
        found = open_sample(small, each, number)
        assert found is not None
        assert found.outlines.shape == (len(each.outlines), *found.seen.plain.shape[2:])
        assert found.outlines.amax(dim=(1, 2)).min() == 255
        assert found.seen.embedding.dtype == torch.float16
        again = open_sample(small, each, number)
        assert again is not None
        assert torch.equal(again.seen.embedded.sparse, found.seen.embedded.sparse)


def test_sets_that_were_drawn_several_times_take_half_of_the_prompts(small: SamModel) -> None:
    one = tight_or_loose(small, 1)
    drawn, simulated = [one], [replace(one, simulated=True)]
    assert hypotheses_run.set_shares([drawn, simulated, simulated]).tolist() == [0.5, 0.25, 0.25]
    assert hypotheses_run.set_shares([simulated, simulated]).tolist() == [0.5, 0.5]


# --- the whole run ----------------------------------------------------------------------------------------------------


def test_a_run_writes_a_file_of_its_model_with_its_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypotheses_command, "hypotheses_figures", lambda *_: GOOD)
    folder, out = write_discs(tmp_path / "discs", 3, 1), tmp_path / "toy.hypotheses.safetensors"
    model, told = toy_model(), []
    plan = HypothesesPlan(objects=3, steps=2, simulate=True)
    assert train_hypotheses(model, [folder], out, plan, told=lambda share, words: told.append(share)) == GOOD
    assert load_hypotheses(out, model).width == model.backbone.width
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_no_gain_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypotheses_command, "hypotheses_figures", lambda *_: {**GOOD, "ged": 0.6})
    folder, out = write_discs(tmp_path / "discs", 2, 1), tmp_path / "toy.hypotheses.safetensors"
    with pytest.raises(TrainingError, match=r"no better than the three candidates \(0\.600, 0\.500\)"):
        train_hypotheses(toy_model(), [folder], out, HypothesesPlan(objects=1, steps=1, simulate=True))
    assert not out.exists()


def test_sets_with_one_outline_and_novel_sets_are_refused(tmp_path: Path) -> None:
    folder, out = write_discs(tmp_path / "discs", 2, 1), tmp_path / "toy.hypotheses.safetensors"
    plan = HypothesesPlan(objects=1, steps=1)
    with pytest.raises(DatasetError, match="one outline for each object only"):
        train_hypotheses(toy_model(), [folder], out, plan)
    (folder / "NOVEL").touch()
    with pytest.raises(DatasetError, match="is novel"):
        train_hypotheses(toy_model(), [folder], out, replace(plan, simulate=True))
    with pytest.raises(TrainingError, match=r"must end in \.safetensors"):
        train_hypotheses(toy_model(), [folder], out.with_suffix(".pt"), plan)


def test_the_command_says_what_it_made_and_refuses_an_unknown_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("samtta_app.model.backbones.compact.MIN_INPUT", 64)
    monkeypatch.setattr(hypotheses_command, "hypotheses_figures", lambda *_: GOOD)
    folder, out = write_discs(tmp_path / "discs", 2, 1), tmp_path / "toy.hypotheses.safetensors"
    words = ["train", "hypotheses", str(folder), "--model", str(toy_model_file(tmp_path)), "--out", str(out)]
    more = ["--objects", "1", "--steps", "1", "--device", "cpu"]
    assert call(*words, *more) == 2
    assert "one outline for each object only" in capsys.readouterr().err
    assert call(*words, *more, "--simulate", "--without", "everything") == 2
    assert "no part 'everything'" in capsys.readouterr().err
    assert call(*words, *more, "--simulate") == 0
    assert "energy distance 0.200 (the three candidates 0.500), HM-IoU 0.700 (0.600)" in capsys.readouterr().out
    assert call(*words, *more, "--simulate") == 2
    assert "There is a checkpoint of an earlier run" in capsys.readouterr().err
    assert call(*words, *more, "--simulate", "--resume", str(out.with_suffix(".resume.pt"))) == 0
