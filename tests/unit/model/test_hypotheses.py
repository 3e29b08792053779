"""Hypotheses steer the decoder by latents: their formulas, samples, clusters, files, and both kinds of models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from samtta_app.core.metrics import iou
from samtta_app.core.types import Box, Click, Prompt
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.cache import FeatureCache
from samtta_app.model.hypotheses import (
    Gaussian,
    HypothesisNets,
    Posteriors,
    divergence,
    hypotheses,
    load_hypotheses,
    new_hypotheses,
    save_hypotheses,
    with_places,
)
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import ImageFeatures, decode_prompt
from samtta_app.model.sampling import (
    SAMPLES_AT_A_TIME,
    PriorShift,
    clusters,
    disagreement,
    fixed_noise,
    overlaps_on_grid,
    sampled,
    sampled_cards,
    seen_by,
)
from tests.unit.model.official_toys import toy_hq, toy_sam_two
from tests.unit.model.test_answers import finish
from tests.unit.model.test_backbone import compact
from tests.unit.values import picture

IMAGE = picture(3, 96, 128, ((60, 50, 18),))
CLICK, BOX = Prompt((Click(60, 50, True),)), Prompt(box=Box(40, 30, 80, 70))


@pytest.fixture(scope="module", params=["compact", "sam", "hq", "sam2"])
def model(request: pytest.FixtureRequest) -> SamModel:
    makers = {"compact": compact, "hq": toy_hq, "sam2": toy_sam_two}
    return toy_model() if request.param == "sam" else built_model(request.param, makers[request.param](), 64)


@pytest.fixture(scope="module")
def features(model: SamModel) -> ImageFeatures:
    return finish(FeatureCache(model).features(IMAGE, IMAGE.whole))


def nets_of(model: SamModel, spread: float = 0.0) -> HypothesisNets:
    """Networks whose latents change nothing; with `spread` they change something."""
    torch.manual_seed(0)
    nets = new_hypotheses(model).eval().requires_grad_(False)
    for name, value in nets.named_parameters():
        if name.startswith(("into_", "mixing")) and value.ndim > 1:
            value.normal_(std=spread)
    return nets


def test_without_a_change_every_hypothesis_is_the_single_answer(model: SamModel, features: ImageFeatures) -> None:
    nets = nets_of(model)
    for prompt in (CLICK, BOX):
        found = finish(sampled(model, nets, model.frozen.tensors, features, prompt, count=4))
        with torch.no_grad():  # an answer, not a lesson: SAM 2 tells them apart
            plain = decode_prompt(model, model.frozen.tensors, features, prompt)
        assert found is not None
        for logits in found.logits:
            torch.testing.assert_close(logits, plain.logits[0], atol=1e-4, rtol=1e-4)


def test_new_networks_differ_a_little_from_sample_to_sample(model: SamModel, features: ImageFeatures) -> None:
    torch.manual_seed(0)
    found = finish(sampled(model, new_hypotheses(model).eval(), model.frozen.tensors, features, CLICK, count=4))
    assert found is not None
    assert len({logits.numpy().tobytes() for logits in found.logits}) == 4


def test_each_cell_knows_its_place() -> None:
    found = with_places(torch.zeros(2, 1, 3, 5))
    assert found.shape == (2, 3, 3, 5)
    assert found[1, 1, :, 0].tolist() == [-1, 0, 1]
    assert found[1, 2, 0].tolist() == [-1, -0.5, 0, 0.5, 1]


def test_samples_of_one_pass_are_those_of_passes_of_their_own(model: SamModel, features: ImageFeatures) -> None:
    nets = nets_of(model, 0.3)
    seen = seen_by(model, model.frozen.tensors, features, CLICK)
    noise = torch.randn(3, 2 * nets.width, generator=torch.Generator().manual_seed(1))
    together = hypotheses(model, nets, model.frozen.tensors, seen, *noise.chunk(2, dim=1))
    assert not torch.allclose(together[0], together[1], atol=1e-3)
    for k in range(3):
        alone = hypotheses(model, nets, model.frozen.tensors, seen, *noise[k : k + 1].chunk(2, dim=1))
        torch.testing.assert_close(together[k], alone[0], atol=1e-3, rtol=1e-3)


def test_the_divergence_is_that_of_the_library() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (
        Gaussian(torch.randn(5, 7, generator=generator), torch.randn(5, 7, generator=generator) / 2) for _ in range(2)
    )
    theirs = [Independent(Normal(each.mean, each.log_sigma.exp()), 1) for each in (one, other)]
    torch.testing.assert_close(divergence(one, other), kl_divergence(*theirs))
    assert divergence(one, one).abs().max() < 1e-5


def test_the_posterior_reads_the_outline_and_the_prior_cannot(model: SamModel, features: ImageFeatures) -> None:
    torch.manual_seed(0)
    posteriors = Posteriors(model.backbone.width).eval()
    seen = seen_by(model, model.frozen.tensors, features, CLICK)
    small, large = (torch.zeros(1, 1, model.grid, model.grid) for _ in range(2))
    small[..., 2:4, 2:4], large[..., 1:9, 1:9] = 1, 1
    assert not torch.allclose(posteriors(seen, small).object.mean, posteriors(seen, large).object.mean)
    assert not torch.allclose(posteriors(seen, small).prompt.mean, posteriors(seen, large).prompt.mean)


def test_the_same_prompt_has_the_same_hypotheses_and_the_noise_lies_about_its_mean(
    model: SamModel, features: ImageFeatures
) -> None:
    noise = fixed_noise(8)
    assert noise.shape == (16, 16)
    assert noise.mean(dim=0).abs().max() < 1e-6
    assert torch.equal(noise, fixed_noise(8))
    nets = nets_of(model, 0.3)
    one, again = (finish(sampled(model, nets, model.frozen.tensors, features, CLICK)) for _ in range(2))
    assert one is not None
    assert again is not None
    assert torch.equal(one.logits, again.logits)


def test_a_shift_moves_the_priors_in_their_own_spread(model: SamModel, features: ImageFeatures) -> None:
    nets = nets_of(model, 0.3)
    seen = seen_by(model, model.frozen.tensors, features, CLICK)
    prior = nets.prior(seen)
    step = torch.ones(nets.width)
    moved = PriorShift(2 * step, 0 * step, spread=0.5).moved(prior)
    torch.testing.assert_close(moved.prompt.mean, prior.prompt.mean + 2 * prior.prompt.log_sigma.exp())
    torch.testing.assert_close(moved.object.mean, prior.object.mean)
    torch.testing.assert_close(moved.object.log_sigma.exp(), prior.object.log_sigma.exp() / 2)
    plain, other = (
        finish(sampled(model, nets, model.frozen.tensors, features, CLICK, shift=shift))
        for shift in (None, PriorShift(2 * step, 2 * step))
    )
    assert plain is not None
    assert other is not None
    assert not torch.allclose(plain.logits, other.logits, atol=1e-3)


def test_networks_that_are_not_finite_give_no_hypotheses(model: SamModel, features: ImageFeatures) -> None:
    nets = nets_of(model)
    nets.mixture.fill_(float("nan"))
    assert finish(sampled(model, nets, model.frozen.tensors, features, CLICK)) is None


# --- clusters and cards -----------------------------------------------------------------------------------------------


def bars(*ends: int) -> torch.Tensor:
    """Masks (m, 1, 20) that hold the first cells of a row."""
    inside = torch.zeros(len(ends), 1, 20, dtype=torch.bool)
    for k, end in enumerate(ends):
        inside[k, 0, :end] = True
    return inside


def test_overlaps_are_ious_and_two_empty_masks_agree() -> None:
    found = overlaps_on_grid(bars(10, 20, 0, 0))
    assert found == pytest.approx(np.array([[1, 0.5, 0, 0], [0.5, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]))


def test_alike_samples_are_one_group_and_the_largest_group_comes_first() -> None:
    found = clusters(overlaps_on_grid(bars(5, 19, 20, 20, 20, 10, 10)))
    assert [sorted(group) for group in found] == [[1, 2, 3, 4], [5, 6], [0]]
    assert found[0][0] in (2, 3, 4), "the sample that is most like the others comes first"
    assert clusters(overlaps_on_grid(bars(3))) == [[0]]


def test_the_disagreement_is_greatest_where_half_of_the_samples_hold_the_cell() -> None:
    logits = torch.where(bars(10, 20, 20, 20), 1.0, -1.0)
    found = disagreement(logits)
    assert found[0, :10] == pytest.approx(0)
    assert found[0, 10:] == pytest.approx(4 * 0.75 * 0.25)


def test_cards_are_distinct_masks_with_all_samples_shared_among_them(model: SamModel, features: ImageFeatures) -> None:
    nets = nets_of(model)
    logits = torch.full((16, model.grid, model.grid), -5.0)
    logits[:9, 2:8, 2:8] = 5
    logits[9:14, 2:13, 2:13] = 5
    found = finish(sampled(model, nets, model.frozen.tensors, features, CLICK))
    assert found is not None
    cards = sampled_cards(model, replace(found, logits=logits), Prompt(box=Box(0, 0, 100, 90)))
    assert [card.count for card in cards] == [9, 5], "two samples are empty, and no card"
    both = (6 * 6) / (11 * 11)
    assert [card.iou for card in cards] == pytest.approx([(9 + 5 * both) / 16, (5 + 9 * both) / 16])
    assert iou(cards[0].mask, cards[1].mask) < 0.85


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_gives_back_the_same_networks_and_other_models_and_damage_are_refused(tmp_path: Path) -> None:
    model, path = toy_model(), tmp_path / "toy.hypotheses.safetensors"
    nets = nets_of(model, 0.3).half().float()
    save_hypotheses(nets, model, path, {"data": "discs"})
    again = load_hypotheses(path, model)
    for name, value in nets.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    other = toy_model(seed=1)
    with pytest.raises(CheckpointError, match="trained for the model"):
        load_hypotheses(path, other)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_hypotheses(path, model)
    nets.mixture.fill_(float("nan"))
    with pytest.raises(ValueError, match="not finite"):
        save_hypotheses(nets, model, path, {})


def test_a_click_waits_for_a_few_samples_at_most(model: SamModel, features: ImageFeatures) -> None:
    pauses = 0
    for _ in sampled(model, nets_of(model), model.frozen.tensors, features, CLICK):
        assert torch.is_grad_enabled(), "other work runs here"
        pauses += 1
    assert pauses == 16 / SAMPLES_AT_A_TIME
