"""A session's learner: versions are published or dropped, the original stays, and every session can be repeated."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from weakref import WeakKeyDictionary

import numpy as np
import pytest
import torch

from samtta_app.adapt.guard import interpolated
from samtta_app.adapt.learner import BELONGS_TO, VERSIONS_KEPT, Learner, LearningOutcome
from samtta_app.adapt.loop import TrainingConfig
from samtta_app.adapt.registry import strategy
from samtta_app.adapt.strategies.default import RefinedAnswering, Samtta
from samtta_app.adapt.strategy import AdaptationStrategy
from samtta_app.core.masks import trimmed
from samtta_app.core.types import Box, Click, Example, Logits, Mask, Prompt, Window
from samtta_app.errors import CheckpointError, UserError
from samtta_app.model.fingerprint import weights_sha256
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import ImageFeatures
from samtta_app.model.weights import Tensors, from_bytes, to_bytes
from tests.unit.adapt.test_guard import ended
from tests.unit.adapt.test_strategy import differ, done, encoded, quick, same
from tests.unit.values import disc, example

MODEL = toy_model()
FROZEN = MODEL.frozen.tensors
OURS = Samtta(learning=TrainingConfig(steps=2, replayed=1, rounds=1), guarded=False)
SCHOEN = strategy("schoen2024")
FAST_SCHOEN = replace(SCHOEN, learning_rate=1e-3)
AWAY = {name: tensor + 0.1 for name, tensor in FROZEN.items()}

GIVEN: WeakKeyDictionary[Learner, dict[int, Logits]] = WeakKeyDictionary()
"""The logits that a learner's objects were answered with last."""


@cache
def features(object_id: int) -> ImageFeatures:
    return encoded(MODEL, object_id)[1]


def learner(adapting: AdaptationStrategy = OURS, seed: int = 0) -> Learner:
    return Learner(MODEL, adapting, seed)


def accept(to: Learner, object_id: int, *, learn: bool = True, **changes: object) -> LearningOutcome:
    one: Example = replace(example(object_id), **changes)
    return ended(to.learn(one, features(object_id), None, learn=learn))[1]


def click(to: Learner, object_id: int, *clicks: Click, box: Box | None = None) -> Tensors:
    """Ask for an answer on an object's image, with the logits of the answer before; the tensors that give it."""
    seen, new = features(object_id), Logits(Window(0, 0, 8, 8), np.zeros((4, 4), np.float32))
    given = GIVEN.setdefault(to, {})
    prompt = Prompt(clicks, box, given.get(object_id))
    weights, fitted = done(to.fitted(seen.image_key, prompt))
    to.answered(prompt, seen, fitted, [new])
    given[object_id] = new
    return weights.tensors


def ids(to: Learner) -> list[int]:
    return [item.object_id for item in to.memory.items]


def inside(data: bytes) -> tuple[dict[str, bytes], dict[str, str]]:
    """Every bit of a stored version; the file's own order of facts is not fixed."""
    tensors, facts = from_bytes(0, data, MODEL.name, FROZEN)
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}, facts


def stored(tensors: Tensors, **facts: str) -> bytes:
    return to_bytes(tensors, MODEL.name, {**facts, BELONGS_TO: weights_sha256(MODEL)})


# --- versions ---------------------------------------------------------------------------------------------------------


def test_before_anything_is_learned_the_original_answers() -> None:
    fresh = learner()
    assert fresh.published.version == 0
    assert fresh.published.tensors is FROZEN
    assert fresh.knowledge(0).tensors is FROZEN
    assert len(fresh.memory) == 0


def test_every_kept_lesson_is_the_next_version_and_comes_with_its_bytes() -> None:
    one = learner()
    for number in (1, 2, 3):
        outcome = accept(one, number)
        assert outcome.verdict.kept
        assert one.published.version == number
        tensors, facts = from_bytes(number, outcome.data, MODEL.name, FROZEN)
        assert facts["strategy"] == "samtta"
        carried = one.knowledge(number).carried
        assert isinstance(carried, RefinedAnswering)
        assert same(tensors, carried.line.tensors)
        assert facts["first"] == carried.line.first.text()
    assert ids(one) == [1, 2, 3]


def test_one_object_alone_is_enough_to_learn_from() -> None:
    one = learner()
    outcome = accept(one, 1)
    assert np.isfinite(outcome.losses).all()
    assert len(outcome.losses) == 2
    assert differ(one.published.tensors, FROZEN)


def test_old_versions_go_but_never_the_original() -> None:
    one = learner(SCHOEN)
    for number in range(1, VERSIONS_KEPT + 3):
        accept(one, 1 + number % 2)
    assert one.published.version == VERSIONS_KEPT + 2
    assert one.kept(2) == 3
    assert one.knowledge(2) is one.knowledge(3)
    with pytest.raises(UserError, match=f"no version {VERSIONS_KEPT + 3}"):
        one.knowledge(VERSIONS_KEPT + 3)
    assert one.knowledge(0).tensors is FROZEN
    seen = []
    while one.published.version:
        seen.append(one.published.version)
        one.control("rollback")
    assert seen == list(range(VERSIONS_KEPT + 2, 2, -1))


def test_rolling_back_gives_the_very_weights_of_before_and_numbers_count_on() -> None:
    one = learner()
    accept(one, 1)
    first = one.published
    accept(one, 2)
    one.control("rollback")
    assert one.published.version == 1
    assert one.published.tensors is first.tensors
    accept(one, 3)
    assert one.published.version == 3
    one.control("rollback")
    assert one.published.version == 1
    assert one.knowledge(2).tensors is not one.knowledge(3).tensors


def test_reset_gives_the_original_and_nothing_lies_before_it() -> None:
    one = learner()
    accept(one, 1)
    accept(one, 2)
    one.control("reset")
    assert one.published.version == 0
    assert one.published.tensors is FROZEN
    one.control("rollback")
    assert one.published.version == 0
    outcome = accept(one, 3)
    assert one.published.version == 3
    assert "the next object is the first test" in outcome.verdict.reason  # learning begins again at the original


def test_the_same_objects_in_the_same_order_give_the_same_bits() -> None:
    def session(seed: int, order: tuple[int, ...] = (1, 2, 3, 4)) -> list[object]:
        one = learner(seed=seed)
        return [inside(accept(one, number).data) for number in order]

    once = session(7)
    assert once == session(7)
    assert once[-1] != session(8)[-1]
    assert once[-1] != session(7, (2, 1, 3, 4))[-1]


# --- pausing ----------------------------------------------------------------------------------------------------------


def test_a_paused_learner_remembers_and_learns_again_when_resumed() -> None:
    one = learner()
    one.control("pause")
    outcome = accept(one, 1)
    assert (outcome.verdict.kept, outcome.losses, outcome.data) == (False, (), b"")
    assert "paused" in outcome.verdict.reason
    assert (ids(one), one.published.version) == ([1], 0)
    one.control("resume")
    assert accept(one, 2).losses
    assert (ids(one), one.published.version) == ([1, 2], 1)


def test_an_object_of_an_earlier_run_is_remembered_without_learning() -> None:
    one = learner()
    outcome = accept(one, 4, learn=False)
    assert not outcome.verdict.kept
    assert (ids(one), one.published.version, outcome.data) == ([4], 0, b"")


def test_while_paused_neither_a_given_up_nor_an_accepted_object_leaves_a_trace() -> None:
    one = learner(FAST_SCHOEN)
    one.control("pause")
    click(one, 1, Click(60, 50, True))
    click(one, 1, Click(60, 50, True), Click(9, 9, False))
    click(one, 2, Click(60, 50, True))
    assert one.published.version == 0
    accept(one, 2)
    one.control("resume")
    click(one, 3, Click(60, 50, True))
    assert one.published.version == 0
    assert one.published.tensors is FROZEN


# --- the object at hand -----------------------------------------------------------------------------------------------


def test_a_given_up_object_of_schoens_changes_no_version_and_makes_none() -> None:
    one = learner(FAST_SCHOEN)
    kept = {name: tensor.clone() for name, tensor in FROZEN.items()}
    click(one, 1, Click(60, 50, True))
    fitted = click(one, 1, Click(60, 50, True), Click(9, 9, False))
    assert differ(fitted, FROZEN)
    assert click(one, 2, Click(60, 50, True)) is FROZEN
    assert one.published.version == 0
    assert one.published.tensors is FROZEN
    assert same(FROZEN, kept)
    assert differ(click(one, 1, Click(60, 50, True), Click(9, 9, False), Click(5, 5, False)), fitted)  # it goes on


def test_a_given_up_object_teaches_ours_nothing() -> None:
    one = learner()
    accept(one, 1)
    before = one.published
    click(one, 2, Click(60, 50, True))
    click(one, 3, Click(60, 50, True))
    assert one.published.version == before.version
    assert one.published.tensors is before.tensors


def test_clicks_that_go_on_belong_to_the_same_object_and_others_begin_a_new_one() -> None:
    first, second = Click(60, 50, True), Click(9, 9, False)
    one = learner(strategy("dc-tta"))
    assert click(one, 1, first) is FROZEN
    assert differ(click(one, 1, first, second), FROZEN)
    assert click(one, 2, first, second) is FROZEN  # the same places on another image
    assert click(one, 2, second, first) is FROZEN
    assert differ(click(one, 2, second, first, Click(80, 80, False)), FROZEN)


def test_a_click_after_the_box_of_another_object_begins_a_new_object() -> None:
    box, inside = Box(40, 30, 80, 70), (Click(60, 50, True), Click(9, 9, False))
    one = learner(strategy("dc-tta"))
    click(one, 1, box=box)
    assert click(one, 1, *inside) is FROZEN
    click(one, 1, box=box)
    assert differ(click(one, 1, *inside, box=box), FROZEN)


def test_an_accepted_object_is_closed() -> None:
    one = learner(strategy("dc-tta"))
    click(one, 1, Click(60, 50, True))
    accept(one, 1)
    assert click(one, 1, Click(60, 50, True), Click(9, 9, False)) is FROZEN


def test_an_accept_that_comes_after_the_next_object_was_begun_leaves_that_object_open() -> None:
    one = learner(strategy("dc-tta"))
    click(one, 1, Click(60, 50, True))
    click(one, 2, Click(20, 20, True))
    accept(one, 1)
    assert differ(click(one, 2, Click(20, 20, True), Click(9, 9, False)), FROZEN)


def test_what_schoen_learns_from_an_accept_does_not_use_the_next_objects_clicks() -> None:
    begun, alone = learner(FAST_SCHOEN), learner(FAST_SCHOEN)
    click(begun, 2, Click(20, 20, True))
    one, other = (accept(each, 1) for each in (begun, alone))
    assert inside(one.data) == inside(other.data)


# --- what is not published --------------------------------------------------------------------------------------------


def test_weights_changed_by_hand_during_learning_are_not_overwritten() -> None:
    one = learner()
    accept(one, 1)
    work = one.learn(example(2), features(2), None, learn=True)
    next(work)
    one.control("reset")
    outcome = ended(work)[1]
    assert not outcome.verdict.kept
    assert "changed by hand" in outcome.verdict.reason
    assert outcome.data == b""
    assert (one.published.version, ids(one)) == (0, [1, 2])


@pytest.mark.parametrize("mask", [Mask(0, 0, np.zeros((1, 1), bool)), Mask(0, 0, np.ones((96, 128), bool))])
def test_an_empty_mask_and_one_that_fills_the_window_teach_nothing(mask: Mask) -> None:
    one = learner()
    outcome = accept(one, 1, mask=mask)
    assert "empty or fills" in outcome.verdict.reason
    assert (outcome.losses, outcome.data) == ((), b"")
    assert (ids(one), one.published.version) == ([], 0)


CONTRADICTIONS = {
    "both signs on one spot": {"clicks": (Click(60, 50, True), Click(60, 50, False))},
    "a mask away from its click": {"mask": disc(100, 20, 12)},
    "a mask under an exclude click only": {"clicks": (Click(60, 50, False),)},
    "no click at all": {"clicks": ()},
    "a mask of one pixel": {"mask": trimmed(np.eye(96, 128, dtype=bool) & (np.arange(128) < 4))},
}


@pytest.mark.parametrize("name", ["samtta", "schoen2024"])
@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_contradictions_are_learned_with_finite_figures_or_refused_in_words(what: str, name: str) -> None:
    one = learner(OURS if name == "samtta" else SCHOEN)
    accept(one, 1)
    outcome = accept(one, 2, **CONTRADICTIONS[what])
    assert outcome.verdict.reason
    assert np.isfinite(outcome.losses).all()
    assert all(torch.isfinite(tensor).all() for tensor in one.published.tensors.values())


def test_a_loss_that_is_not_finite_is_dropped_and_the_published_stay() -> None:
    one = learner()
    accept(one, 1)
    before = one.published
    bad = replace(features(2), embedding=torch.full_like(features(2).embedding, float("inf")))
    outcome = ended(one.learn(example(2), bad, None, learn=True))[1]
    assert "not finite" in outcome.verdict.reason
    assert not outcome.verdict.kept
    assert outcome.data == b""
    assert one.published.version == 1
    assert one.published.tensors is before.tensors
    one.memory = one.memory.without(2)
    assert accept(one, 3).verdict.kept


def test_weights_that_are_not_finite_are_dropped_even_where_the_original_answers() -> None:
    one = learner(Samtta(learning=TrainingConfig(steps=1, replayed=0, rounds=1, stride=float("inf"))))
    against = "[[0.9, 0.1, 0.1], [0.9, 0.1, 0.1], [0.9, 0.1, 0.1]]"
    one.restore(1, stored(AWAY, strategy="samtta", first=against, later=against))
    assert one.published.tensors is FROZEN
    outcome = accept(one, 1)
    assert np.isfinite(outcome.losses).all()
    assert "not finite" in outcome.verdict.reason
    assert one.published.version == 1


def test_a_withdrawn_object_is_not_replayed() -> None:
    one, other = learner(), learner()
    accept(one, 1)
    accept(other, 1)
    one.memory = one.memory.without(1)
    assert inside(accept(one, 2).data) != inside(accept(other, 2).data)
    assert (ids(one), ids(other)) == ([2], [1, 2])


# --- restoring --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["samtta", "schoen2024", "lit-lora"])
def test_a_restored_version_answers_bit_for_bit_and_numbers_count_on(name: str) -> None:
    one, again = (learner(OURS if name == "samtta" else quick(name)) for _ in range(2))
    accept(one, 1)
    outcome = accept(one, 2)
    again.restore(2, outcome.data)
    assert again.published.version == 2
    assert same(again.published.tensors, one.published.tensors)
    assert accept(again, 3).verdict.kept
    assert again.published.version == 3
    again.control("rollback")
    again.control("rollback")
    assert again.published.version == 0


def test_a_restored_session_goes_on_as_if_it_had_never_been_closed() -> None:
    one, again = learner(), learner()
    for number in (1, 2):
        outcome = accept(one, number)
        accept(again, number, learn=False)
    again.restore(2, outcome.data)
    assert inside(accept(one, 3).data) == inside(accept(again, 3).data)


@pytest.mark.parametrize("name", ["schoen2024", "lit-lora", "fbrs", "frozen"])
def test_of_what_another_strategy_learned_what_answered_is_kept(name: str) -> None:
    one = learner(quick(name))
    one.restore(5, stored(AWAY, strategy="samtta", first="[[0.5, 0.7, 0.6]]", later="[[0.5, 0.6, 0.7]]"))
    assert one.published.version == 5
    assert same(one.published.tensors, interpolated(FROZEN, AWAY, 0.5))
    assert one.knowledge(5).carried is None


def test_ours_tests_what_another_strategy_learned_before_it_goes_on() -> None:
    other, one = learner(FAST_SCHOEN), learner()
    one.restore(1, accept(other, 1).data)
    assert same(one.published.tensors, other.published.tensors)
    assert accept(one, 2).verdict.objects == 1


def test_weights_of_an_unknown_strategy_are_taken_as_ones_own() -> None:
    one = learner()
    one.restore(1, stored(AWAY, strategy="of the future"))
    assert same(one.published.tensors, AWAY)


def test_weights_of_another_model_are_refused_with_both_names_and_the_published_stay() -> None:
    one = learner()
    accept(one, 1)
    with pytest.raises(CheckpointError, match=r"'vit_b'.*'toy'"):
        one.restore(9, to_bytes(AWAY, "vit_b"))
    assert one.published.version == 1
    with pytest.raises(UserError, match="no version 9"):
        one.knowledge(9)


def test_a_version_learned_on_top_of_other_weights_of_the_same_name_is_refused_and_its_number_is_not_given_again() -> (
    None
):
    one = learner()
    other = to_bytes(AWAY, MODEL.name, {"strategy": "samtta", BELONGS_TO: weights_sha256(toy_model(1))})
    for data in (other, to_bytes(AWAY, MODEL.name, {"strategy": "samtta"})):
        with pytest.raises(CheckpointError, match=r"not learned on top of these weights of 'toy'"):
            one.restore(6, data)
        with pytest.raises(CheckpointError, match="not learned on top"):
            one.keep(6, data)
    assert one.published.version == 0
    assert accept(one, 1).verdict.kept
    assert one.published.version == 7


def test_without_bytes_nothing_is_published_and_the_number_is_not_given_again() -> None:
    one = learner()
    one.restore(4, b"")
    assert one.published.version == 0
    accept(one, 1)
    assert one.published.version == 5


def test_a_version_that_is_kept_to_compare_with_does_not_answer() -> None:
    other, one = learner(), learner()
    data = accept(other, 1).data
    one.keep(1, data)
    assert one.published.version == 0
    assert same(one.knowledge(1).tensors, other.knowledge(1).tensors)
