"""What is accepted among plausible outlines moves the priors of its class, is stored, and goes with its object."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from samtta_app.adapt.memory import Memory
from samtta_app.adapt.preferences import (
    BELIEF,
    LEAST_SPREAD,
    PREFERRED_FROM,
    Preference,
    Preferences,
    best_strength,
    spread_after,
)
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.adapt.strategy import Knowledge
from samtta_app.core.messages import AdaptRequest, ControlRequest, ForgetRequest, HypothesesRequest, PredictRequest
from samtta_app.core.replies import AdaptReport, Failure, Hypotheses
from samtta_app.core.types import Box, Click, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.engine.hypothesising import ENDLESS_HYPOTHESES, NO_HYPOTHESES
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import toy_model
from samtta_app.model.sampling import fixed_noise, overlaps_on_grid, sampled
from samtta_app.model.weights import from_bytes, to_bytes
from tests.unit.adapt.test_ours import LEARNING, accepted, line
from tests.unit.adapt.test_strategy import encoded
from tests.unit.model.test_answers import finish
from tests.unit.model.test_hypotheses import nets_of
from tests.unit.values import disc, example, picture

IMAGE = picture(5, discs=((60, 50, 18),))
CLICK = Prompt((Click(60, 50, True),))


@pytest.fixture(scope="module")
def model() -> SamModel:
    """A toy model with hypotheses."""
    plain = toy_model()
    return replace(plain, hypotheses=nets_of(plain, 0.3))


def places(count: int, mean: float, spread: float) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [mean + spread * torch.randn(8, generator=generator) for _ in range(count)]


NETS = nets_of(toy_model())


def preferring(count: int = 6, class_id: int | None = 1, mean: float = 1.0) -> Preferences:
    found = tuple(Preference(k, class_id, place) for k, place in enumerate(places(count, mean, 0.2), 1))
    return Preferences(found, NETS.digest)


def test_objects_that_agree_move_the_priors_and_objects_that_do_not_leave_them() -> None:
    assert best_strength(places(8, 1.0, 0.2)) == 1.0
    assert best_strength(places(8, 0.0, 1.0)) == 0.0
    assert best_strength(places(PREFERRED_FROM - 1, 1.0, 0.0)) == 0.0


def test_the_shift_is_the_mean_place_that_few_objects_pull_to_nothing() -> None:
    some = preferring(6)
    shift = some.shift(1, NETS)
    assert shift is not None
    mean = torch.stack([each.place for each in some.seen]).sum(dim=0) / (6 + BELIEF)
    torch.testing.assert_close(torch.cat([shift.prompt, shift.object]), mean)
    assert shift.spread == pytest.approx((1 - 6 / (6 + BELIEF)) ** 0.5)
    assert spread_after(1.0, 1000) == LEAST_SPREAD
    assert some.shift(2, NETS) is None, "another class has no preference"
    assert preferring(6, None).shift(None, NETS) is not None


def test_preferences_come_back_from_a_file_bit_for_bit_and_nonsense_is_nothing() -> None:
    some = preferring(3)
    tensors, text = some.stored()
    read = Preferences.read(tensors, text)
    assert [(each.object_id, each.class_id) for each in read.seen] == [(1, 1), (2, 1), (3, 1)]
    assert all(torch.equal(a.place, b.place) for a, b in zip(some.seen, read.seen, strict=True))
    assert read.networks == NETS.digest
    for wrong in ("", "{", "[[1]]", "[]", '["", [[1, 2], [3, 4]]]', '["", 5]'):
        assert Preferences.read(tensors, wrong).seen == ()
    assert Preferences.read({}, text).seen == ()
    assert Preferences().stored() == ({}, '["", []]')


def test_places_of_other_networks_move_nothing_and_are_computed_anew(model: SamModel) -> None:
    items = tuple(encoded(model, n, 35 + 9 * n)[0] for n in (1, 2))
    first = finish(Preferences().updated(model, Memory(items)))
    assert preferring().shift(1, nets_of(model, 0.3)) is None
    other = replace(model, hypotheses=nets_of(model, 0.2))
    again = finish(first.updated(other, Memory(items)))
    assert again.networks != first.networks
    assert again.seen[0] is not first.seen[0]


def test_every_remembered_object_has_a_place_which_is_computed_once(model: SamModel) -> None:
    items = tuple(encoded(model, n, 35 + 9 * n)[0] for n in (1, 2, 3))
    first = finish(Preferences().updated(model, Memory(items[:2])))
    both = finish(first.updated(model, Memory(items)))
    assert [each.object_id for each in both.seen] == [1, 2, 3]
    assert both.seen[0] is first.seen[0]
    assert both.seen[0].place.shape == (2 * model.backbone.width,)
    assert [each.object_id for each in both.without(frozenset({2})).seen] == [1, 3]
    assert finish(Preferences().updated(replace(model, hypotheses=None), Memory(items))).seen == ()


def test_the_place_of_a_mask_leans_to_the_samples_that_look_like_it(model: SamModel) -> None:
    item, _ = encoded(model, 1, 60)
    nets, first = model.hypotheses, Prompt(item.clicks[:1])
    assert nets is not None
    found = finish(sampled(model, nets, model.frozen.tensors, item.features.to(torch.float32), first, item.mask))
    assert found is not None
    chosen = (found.logits[5] > 0).to(torch.int8)
    (own,) = finish(Preferences().updated(model, Memory((replace(item, whole=chosen),)))).seen
    noise = fixed_noise(nets.width)
    likeness = noise @ own.place / noise.norm(dim=1)
    twins = overlaps_on_grid(found.logits > 0)[5] > 0.9
    assert twins[int(likeness.argmax())]


def test_the_strategy_learns_stores_and_restores_them_and_leaves_them_where_it_is_told(model: SamModel) -> None:
    items = tuple(encoded(model, n, 35 + 12 * n)[0] for n in (1, 2))
    ours = Samtta(learning=LEARNING)
    known = accepted(ours, Knowledge(model.frozen.tensors), items, model)[-1].knowledge
    tensors, facts = ours.stored(known)
    tensors, facts = from_bytes(1, to_bytes(tensors, "toy", facts), "toy", model.frozen.tensors)
    again = line(ours.restored(model, tensors, facts))
    assert [each.object_id for each in again.preferences.seen] == [1, 2]
    assert torch.equal(again.preferences.seen[1].place, line(known).preferences.seen[1].place)
    assert set(again.tensors) == set(model.frozen.tensors)
    other = Samtta(learning=LEARNING, prefers=False)
    assert line(accepted(other, Knowledge(model.frozen.tensors), items, model)[-1].knowledge).preferences.seen == ()
    sizes_only = Samtta(learning=LEARNING, learns=False)
    known = accepted(sizes_only, Knowledge(model.frozen.tensors), items, model)[-1].knowledge
    assert len(line(known).preferences.seen) == 2


# --- the engine -------------------------------------------------------------------------------------------------------


def drawn(engine: Engine, *, frozen: bool = False) -> Hypotheses:
    prompt = replace(CLICK, class_id=1)
    reply = run(engine, HypothesesRequest(9, IMAGE, prompt, IMAGE.whole, frozen=frozen))
    assert isinstance(reply, Hypotheses)
    return reply


def prefers(model: SamModel, some: Preferences) -> Engine:
    """An engine that learned nothing but these preferences."""
    engine = Engine(model, adapting=Samtta())
    tensors, text = some.stored()
    known = Samtta().restored(model, {**model.frozen.tensors, **tensors}, {"preferences": text})
    engine.resources.learner._known[0] = known
    return engine


def test_the_engine_draws_cards_with_counts_and_a_map(model: SamModel) -> None:
    found = drawn(Engine(model, adapting=Samtta()))
    assert found.cards
    assert sum(card.samples or 0 for card in found.cards) <= found.samples == 16
    counts = [card.samples for card in found.cards]
    assert counts == sorted(counts, reverse=True)
    assert found.disagreement is not None
    assert 0 <= float(found.disagreement.min()) <= float(found.disagreement.max()) <= 1
    assert not found.preferred
    assert found.reason == ""


def test_preferences_move_the_draw_until_their_objects_are_withdrawn(model: SamModel) -> None:
    wide = torch.ones(2 * model.backbone.width)
    assert model.hypotheses is not None
    some = Preferences(tuple(Preference(k, 1, wide) for k in range(1, 7)), model.hypotheses.digest)
    engine = prefers(model, some)
    moved = drawn(engine)
    assert moved.preferred
    assert not drawn(engine, frozen=True).preferred, "a control object sees nothing that was learned"
    for k in range(1, 6):
        run(engine, ForgetRequest(k, k))
    assert not drawn(engine).preferred, "withdrawn objects prefer nothing"


def test_a_model_without_hypotheses_or_with_broken_ones_says_so(model: SamModel) -> None:
    plain = Engine(replace(model, hypotheses=None), adapting=Samtta())
    assert (drawn(plain).cards, drawn(plain).reason) == ((), NO_HYPOTHESES)
    broken = nets_of(model)
    broken.mixture.fill_(float("nan"))
    found = drawn(Engine(replace(model, hypotheses=broken), adapting=Samtta()))
    assert (found.cards, found.disagreement, found.reason) == ((), None, ENDLESS_HYPOTHESES)


def test_a_click_outside_the_image_is_refused(model: SamModel) -> None:
    request = HypothesesRequest(9, IMAGE, Prompt((Click(600, 50, True),)), IMAGE.whole)
    assert isinstance(run(Engine(model, adapting=Samtta()), request), Failure)


def test_a_roll_back_takes_the_preference_back(model: SamModel) -> None:
    engine = Engine(model, adapting=Samtta(learning=LEARNING))
    assert model.hypotheses is not None
    for number in range(1, 6):
        one = replace(example(number, x=40 + 8 * number), class_id=1)
        run(engine, PredictRequest(number, one.image, replace(CLICK, clicks=one.clicks, class_id=1), one.window))
        assert isinstance(run(engine, AdaptRequest(10 + number, one)), AdaptReport)
    learner = engine.resources.learner
    held = [len(line(known).preferences.seen) for number, known in learner._known.items() if number]
    assert held == sorted(held)
    assert held[-1] == 5
    run(engine, ControlRequest(20, "rollback"))
    assert len(line(learner._knowledge).preferences.seen) == held[-2]
    run(engine, ControlRequest(21, "reset"))
    assert not drawn(engine).preferred


def test_a_box_of_one_pixel_has_hypotheses_or_says_why_not(model: SamModel) -> None:
    prompt = Prompt(box=Box(60, 50, 60, 50))
    reply = run(Engine(model, adapting=Samtta()), HypothesesRequest(9, IMAGE, prompt, IMAGE.whole, disc(60, 50, 0)))
    assert isinstance(reply, Hypotheses)
    assert bool(reply.cards) != bool(reply.reason)
