"""f-BRS: a scale and a bias per channel follow the clicks, early and cheaply, and nothing stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.adapt.memory import Memory
from samtta_app.adapt.strategies.fbrs import BIAS, WEIGHT, Fbrs, click_errors, scaled
from samtta_app.adapt.strategy import Attempt, Fitted, Knowledge, Lesson
from samtta_app.core.types import Click, Prompt, Window
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import decode_prompt
from samtta_app.model.weights import Tensors
from tests.unit.adapt.test_strategy import COMPACT, SHIPPED, differ, done, encoded, half_a_disc, same

MODEL = toy_model()
ITEM, FEATURES = encoded(MODEL, 1)
KNOWN = Knowledge(MODEL.frozen.tensors)
CLICKS = (Click(60, 50, True), Click(100, 20, False), Click(66, 56, True), Click(20, 80, False))


def fitted(count: int = 4, *, strategy: Fbrs | None = None, carried: object = None, known: Knowledge = KNOWN) -> Fitted:
    before = Attempt(known, Prompt(CLICKS[: count - 1]), FEATURES, known.tensors, carried)
    return done((strategy or Fbrs()).before_answer(MODEL, known, before, Prompt(CLICKS[:count])))


def click_loss(tensors: Tensors, count: int = 4) -> float:
    with torch.no_grad():
        logits = decode_prompt(MODEL, tensors, FEATURES, Prompt(CLICKS[:count])).logits[0]
    return sum(float(part.square().mean()) for part in click_errors(logits, CLICKS[:count], FEATURES.window))


class Passes:
    """Counts real passes through the toy model's decoder."""

    def __init__(self) -> None:
        self.count = 0
        self._hook = MODEL.net.mask_decoder.transformer.norm_final_attn.register_forward_hook(self._seen)

    def _seen(self, *_: object) -> None:
        self.count += 1

    def end(self) -> int:
        self._hook.remove()
        return self.count


def test_the_answer_follows_the_clicks() -> None:
    assert click_loss(fitted().tensors) < click_loss(KNOWN.tensors) - 0.01


def test_clicks_that_the_shipped_model_does_not_obey_are_obeyed() -> None:
    _, features = half_a_disc(SHIPPED)
    known, clicks = Knowledge(SHIPPED.frozen.tensors), (Click(75, 50, True), Click(80, 50, False))

    def worst(tensors: Tensors) -> float:
        with torch.no_grad():
            logits = decode_prompt(SHIPPED, tensors, features, Prompt(clicks)).logits[0]
        return max(float(part.max()) for part in click_errors(logits, clicks, features.window))

    before = Attempt(known, Prompt(clicks[:1]), features, known.tensors)
    result = done(Fbrs().before_answer(SHIPPED, known, before, Prompt(clicks)))
    assert worst(known.tensors) > 0.5 > worst(result.tensors)


def test_only_the_first_up_scaling_changes() -> None:
    result = fitted().tensors
    assert {name for name, v in result.items() if not torch.equal(v, KNOWN.tensors[name])} == {WEIGHT, BIAS}


def test_nothing_is_fitted_at_the_first_click() -> None:
    strategy = Fbrs()
    assert done(strategy.before_answer(MODEL, KNOWN, None, Prompt(CLICKS[:1]))).tensors is KNOWN.tensors
    again = Attempt(KNOWN, Prompt(CLICKS[:1]), FEATURES, KNOWN.tensors)
    assert done(strategy.before_answer(MODEL, KNOWN, again, Prompt(CLICKS[:1]))).tensors is KNOWN.tensors


def test_the_object_is_forgotten() -> None:
    result = fitted()
    assert differ(result.tensors, KNOWN.tensors)
    own = Attempt(KNOWN, Prompt(CLICKS), FEATURES, result.tensors, result.carried)
    strategy = Fbrs()
    learned = done(strategy.after_accept(MODEL, KNOWN, Lesson(ITEM, Memory((ITEM,)), own, np.random.default_rng(0))))
    assert learned.knowledge is KNOWN
    assert not learned.verdict.kept


@pytest.mark.parametrize("evaluations", [1, 3, 20])
def test_the_decoder_is_asked_at_most_as_often_as_allowed(evaluations: int) -> None:
    passes = Passes()
    result = fitted(strategy=Fbrs(evaluations=evaluations))
    assert 1 <= passes.end() <= evaluations
    if evaluations == 1:
        assert not result.carried.any()


def test_satisfied_clicks_end_the_search_at_once() -> None:
    bias = {**KNOWN.tensors}
    with torch.no_grad():
        logits = decode_prompt(MODEL, bias, FEATURES, Prompt(CLICKS[:2])).logits[0]
    sides = [float(logits[row, column]) > 0 for row, column in ((6, 7), (2, 12))]
    agreeing = tuple(
        replace(c, positive=s) for c, s in zip((Click(60, 52, True), Click(100, 20, True)), sides, strict=True)
    )
    with torch.no_grad():
        logits = decode_prompt(MODEL, bias, FEATURES, Prompt(agreeing)).logits[0]
    assert all(float(part.max()) < 0.5 for part in click_errors(logits, agreeing, FEATURES.window))
    passes = Passes()
    before = Attempt(KNOWN, Prompt(agreeing[:1]), FEATURES, KNOWN.tensors)
    result = done(Fbrs().before_answer(MODEL, KNOWN, before, Prompt(agreeing)))
    assert passes.end() == 1
    assert same(result.tensors, KNOWN.tensors)


def test_the_next_fit_begins_where_the_last_one_ended() -> None:
    first = fitted(3)
    begun = fitted(4, strategy=Fbrs(evaluations=1), carried=first.carried)
    assert np.array_equal(begun.carried, first.carried)
    assert same(begun.tensors, first.tensors)


def test_the_penalty_holds_the_values_small() -> None:
    free, held = (fitted(strategy=Fbrs(weight=w)).carried for w in (0.0, 10.0))
    assert np.abs(held).sum() < 0.2 * np.abs(free).sum()


def test_while_fitting_the_decoder_sees_the_first_clicks_only_but_the_loss_all() -> None:
    whole, limited = fitted(), fitted(strategy=Fbrs(network_clicks=2))
    assert differ(whole.tensors, limited.tensors)
    assert click_loss(limited.tensors) < click_loss(KNOWN.tensors)


def test_the_fit_is_the_same_every_time_and_shares_nothing() -> None:
    before = {name: tensor.clone() for name, tensor in KNOWN.tensors.items()}
    one, two = fitted(), fitted()
    assert same(one.tensors, two.tensors)
    assert same(before, KNOWN.tensors)
    assert not {t.data_ptr() for t in one.tensors.values()} & {t.data_ptr() for t in KNOWN.tensors.values()}


@pytest.mark.parametrize("model", [MODEL, COMPACT], ids=["sam", "compact"])
def test_scale_and_bias_act_on_the_convolutions_output(model: object) -> None:
    tensors = (MODEL if model is MODEL else COMPACT).frozen.tensors
    channels = tensors[BIAS].numel()
    rng = np.random.default_rng(0)
    variables = torch.from_numpy(rng.normal(size=2 * channels))
    x = torch.from_numpy(rng.normal(size=(1, tensors[WEIGHT].shape[0], 3, 3))).float()
    changed = scaled(tensors, variables)
    plain, moved = (torch.nn.functional.conv_transpose2d(x, t[WEIGHT], t[BIAS], stride=2) for t in (tensors, changed))
    scale, bias = variables.float().view(2, channels, 1, 1)
    assert torch.allclose(moved, plain * (1 + scale) + bias, atol=1e-5)


def test_errors_are_read_on_three_by_three_image_pixels() -> None:
    window = Window(10, 20, 64, 64)
    logits = torch.full((64, 64), -30.0)  # one cell per pixel
    logits[4:7, 9:12] = 30.0
    inside, beside = Click(20, 25, True), Click(22, 25, True)
    assert click_errors(logits, (inside,), window)[0].tolist() == pytest.approx([0.0] * 9, abs=1e-4)
    assert sum(click_errors(logits, (beside,), window)[0].tolist()) == pytest.approx(6.0, abs=1e-3)
    both = click_errors(logits, (inside, replace(inside, positive=False)), window)
    assert [round(float(part.sum())) for part in both] == [0, 9]
    assert click_errors(logits, (), window) == []


def test_what_is_not_finite_never_gets_out() -> None:
    broken = Knowledge({**KNOWN.tensors, BIAS: torch.full_like(KNOWN.tensors[BIAS], float("inf"))})
    assert fitted(known=broken).tensors is broken.tensors
    result = fitted(carried=np.full(2 * KNOWN.tensors[BIAS].numel(), np.nan))
    assert result.tensors is KNOWN.tensors
    assert result.carried is None
