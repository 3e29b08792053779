"""samtta's own strategy: every object tests, then teaches; what has not proved itself does not answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from samtta_app.adapt.guard import Evidence, interpolated, scored, verdict
from samtta_app.adapt.loop import TrainingConfig
from samtta_app.adapt.memory import Memory, Remembered
from samtta_app.adapt.strategies.default import RefinedAnswering, RefinedLine, Samtta
from samtta_app.adapt.strategy import Knowledge, Learned, Lesson
from samtta_app.core.types import Box, Click, Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import Tensors, from_bytes, to_bytes
from tests.unit.adapt.test_guard import ended
from tests.unit.adapt.test_strategy import SHIPPED, differ, done, encoded, same

MODEL = toy_model()
FROZEN = MODEL.frozen.tensors
LEARNING = TrainingConfig(steps=2, replayed=1, rounds=1)
OURS = Samtta(learning=LEARNING)
NONE, GOOD, HALF, BAD = (
    Evidence(scores) for scores in ((), ((0.5, 0.6, 0.7),), ((0.5, 0.7, 1 / 3),), ((0.9, 0.1, 0.0),))
)
ITEMS = tuple(encoded(MODEL, number, 35 + 12 * number)[0] for number in (1, 2, 3, 4))


def accepted(
    strategy: Samtta, known: Knowledge, items: tuple[Remembered, ...] = ITEMS, model: SamModel = MODEL, seed: int = 0
) -> list[Learned]:
    """What each of the objects taught, one after the other."""
    found: list[Learned] = []
    for index, item in enumerate(items):
        rng, memory = np.random.default_rng([seed, item.object_id]), Memory(items[: index + 1])
        _, learned = ended(strategy.after_accept(model, known, Lesson(item, memory, None, rng)))
        found.append(learned)
        known = learned.knowledge
    return found


def line(knowledge: Knowledge) -> RefinedLine:
    assert isinstance(knowledge.carried, RefinedAnswering)
    return knowledge.carried.line


def behind(learned: Tensors, first: Evidence = NONE, later: Evidence = NONE, model: SamModel = MODEL) -> Knowledge:
    """What is known where `learned` is the line, with this evidence."""
    return OURS.restored(model, learned, {"first": first.text(), "later": later.text()})


def spoilt(model: SamModel) -> Tensors:
    """The original weights with so much noise that nothing sensible is left."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: t + 3 * (float(t.std()) if t.numel() > 1 else 1.0) * torch.randn(t.shape, generator=generator)
        for name, t in model.frozen.tensors.items()
    }


def clones(tensors: Tensors) -> Tensors:
    return {name: tensor.clone() for name, tensor in tensors.items()}


# --- an object is first a test, then a lesson -------------------------------------------------------------------------


def test_the_first_object_is_learned_without_a_test_and_does_not_answer_yet() -> None:
    work = OURS.after_accept(
        MODEL, Knowledge(FROZEN), Lesson(ITEMS[0], Memory(ITEMS[:1]), None, np.random.default_rng(0))
    )
    shares, learned = ended(work)
    assert shares == [0.5, 1.0]
    assert learned.verdict.kept
    assert learned.verdict.objects == 0
    assert "the next object is the first test" in learned.verdict.reason
    assert len(learned.losses) == 2
    assert (line(learned.knowledge).first, line(learned.knowledge).later) == (NONE, NONE)
    assert learned.knowledge.tensors is FROZEN
    assert differ(line(learned.knowledge).tensors, FROZEN)


def test_from_the_second_object_on_each_adds_one_piece_of_evidence() -> None:
    found = accepted(OURS, Knowledge(FROZEN))
    lines = [line(one.knowledge) for one in found]
    assert [len(each.first.scores) for each in lines] == [len(each.later.scores) for each in lines] == [0, 1, 2, 3]
    assert [one.verdict.objects for one in found] == [0, 1, 2, 3]
    for one, each in zip(found, lines, strict=True):
        assert one.verdict.reason == verdict(each.first, each.later).reason
        assert same(one.knowledge.tensors, interpolated(FROZEN, each.tensors, each.first.share))
        assert isinstance(one.knowledge.carried, RefinedAnswering)
        assert same(one.knowledge.carried.later, interpolated(FROZEN, each.tensors, each.later.share))


def test_the_test_is_made_with_what_was_known_before_the_lesson() -> None:
    first, second = accepted(OURS, Knowledge(FROZEN), ITEMS[:2])
    _, scores = ended(scored(MODEL, line(first.knowledge).tensors, ITEMS[1]))
    assert line(second.knowledge).first.scores == (scores[0],)
    assert line(second.knowledge).later.scores == (scores[1],)


def test_learning_goes_on_from_all_that_was_learned_not_from_what_answers() -> None:
    hidden = {name: tensor + 0.05 for name, tensor in FROZEN.items()}
    known = behind(hidden, Evidence(BAD.scores * 9), Evidence(BAD.scores * 9))
    assert known.tensors is FROZEN
    still = Samtta(learning=replace(LEARNING, stride=0.0))
    (learned,) = accepted(still, known, ITEMS[:1])
    assert same(line(learned.knowledge).tensors, hidden)
    assert learned.knowledge.tensors is FROZEN


def test_a_bold_learner_goes_its_own_way_beside_the_careful_one_and_answers_where_it_leads() -> None:
    both, alone = (accepted(one, Knowledge(FROZEN), ITEMS[:2]) for one in (replace(OURS, bold=True), OURS))
    lines = [line(one.knowledge) for one in both]
    assert same(lines[0].tensors, line(alone[0].knowledge).tensors)
    assert lines[1].bold is not None
    assert differ(lines[1].bold, lines[1].tensors)
    assert [len(one.losses) for one in both] == [4, 4]
    assert len(lines[1].first.scores[0]) == 4
    leads = {"first": Evidence(((0.1, 0.2, 0.3, 0.9),)).text(), "later": BAD.text()}
    tensors, facts = OURS.stored(both[1].knowledge)
    again = replace(OURS, bold=True).restored(MODEL, tensors, {**facts, **leads})
    assert line(again).bold is not None
    assert same(again.tensors, lines[1].bold)
    assert isinstance(again.carried, RefinedAnswering)
    assert again.carried.later is FROZEN


def test_the_same_seed_gives_the_same_weights_and_evidence() -> None:
    one, two, other = (accepted(OURS, Knowledge(FROZEN), ITEMS[:3], seed=seed)[-1].knowledge for seed in (4, 4, 5))
    assert same(one.tensors, two.tensors)
    assert (line(one).first, line(one).later) == (line(two).first, line(two).later)
    assert differ(line(one).tensors, line(other).tensors)


# --- what answers -----------------------------------------------------------------------------------------------------


def test_first_and_later_clicks_are_answered_by_the_share_that_proved_better_for_them() -> None:
    learned = {name: tensor + 0.1 for name, tensor in FROZEN.items()}
    known = behind(learned, GOOD, BAD)
    single, more = Prompt((Click(60, 50, True),)), Prompt((Click(60, 50, True), Click(9, 9, False)))
    boxed = Prompt((), Box(40, 30, 80, 70))
    answers = [done(OURS.before_answer(MODEL, known, None, prompt)).tensors for prompt in (single, more, boxed)]
    assert same(answers[0], learned)
    assert answers[1] is FROZEN
    assert answers[2] is FROZEN  # a box leaves no doubt which object is meant, as a second click does


def test_weights_of_another_strategy_answer_every_prompt() -> None:
    other = Knowledge({name: tensor + 0.1 for name, tensor in FROZEN.items()})
    for clicks in ((Click(60, 50, True),), (Click(60, 50, True), Click(9, 9, False))):
        assert done(OURS.before_answer(MODEL, other, None, Prompt(clicks))).tensors is other.tensors


def test_weights_made_worse_are_held_back_and_learning_goes_on_behind() -> None:
    items = tuple(encoded(SHIPPED, number, 30 + 15 * number)[0] for number in (1, 2, 3))
    quick = Samtta(learning=TrainingConfig(steps=1, replayed=0, rounds=1))
    bad = spoilt(SHIPPED)
    found = accepted(quick, behind(bad, model=SHIPPED), items, SHIPPED)
    for one in found:
        assert one.knowledge.tensors is SHIPPED.frozen.tensors
        assert isinstance(one.knowledge.carried, RefinedAnswering)
        assert one.knowledge.carried.later is SHIPPED.frozen.tensors
        assert one.verdict.kept
        assert one.verdict.reason.startswith("Held back")
        assert one.verdict.frozen > one.verdict.candidate + 0.2
        assert one.verdict.published == one.verdict.frozen
        assert len(one.losses) == 1
    lines = [bad, *(line(one.knowledge).tensors for one in found)]
    assert all(differ(before, after) for before, after in pairwise(lines))
    assert len(line(found[-1].knowledge).first.scores) == 3


def test_unguarded_all_that_was_learned_answers_whatever_the_tests_say() -> None:
    known = behind(spoilt(MODEL), Evidence(BAD.scores * 5), Evidence(BAD.scores * 5))
    assert known.tensors is FROZEN
    for one in accepted(Samtta(learning=LEARNING, guarded=False), known, ITEMS[:2]):
        assert one.knowledge.tensors is line(one.knowledge).tensors
        assert isinstance(one.knowledge.carried, RefinedAnswering)
        assert one.knowledge.carried.later is line(one.knowledge).tensors
    assert len(line(one.knowledge).first.scores) == 7


# --- stored and restored ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("later", "later_share"), [(GOOD, 1.0), (HALF, 0.5), (BAD, 0.0)])
@pytest.mark.parametrize(("first", "first_share"), [(GOOD, 1.0), (HALF, 0.5), (BAD, 0.0)])
def test_what_is_stored_comes_back_bit_for_bit_at_its_shares(
    first: Evidence, first_share: float, later: Evidence, later_share: float
) -> None:
    learned = {name: tensor + 0.1 for name, tensor in FROZEN.items()}
    known = behind(learned, first, later)
    tensors, facts = OURS.stored(known)
    read, found = from_bytes(1, to_bytes(tensors, "toy", facts), "toy", FROZEN)
    again = OURS.restored(MODEL, read, found)
    assert same(again.tensors, interpolated(FROZEN, learned, first_share))
    assert isinstance(again.carried, RefinedAnswering)
    assert same(again.carried.later, interpolated(FROZEN, learned, later_share))
    assert same(line(again).tensors, learned)
    assert (line(again).first, line(again).later) == (first, later)


def test_after_restoring_the_next_object_teaches_the_same() -> None:
    known = accepted(OURS, Knowledge(FROZEN), ITEMS[:2])[-1].knowledge
    again = OURS.restored(MODEL, *OURS.stored(known))
    one, two = (accepted(OURS, each, ITEMS[2:3])[0] for each in (known, again))
    assert same(one.knowledge.tensors, two.knowledge.tensors)
    assert (one.verdict, one.losses) == (two.verdict, two.losses)


def test_weights_without_evidence_wait_for_some() -> None:
    learned = {name: tensor + 0.1 for name, tensor in FROZEN.items()}
    for facts in ({}, {"first": "[[0.9, 0.1", "later": "null"}):
        again = OURS.restored(MODEL, learned, facts)
        assert again.tensors is FROZEN
        assert same(line(again).tensors, learned)
        assert (line(again).first, line(again).later) == (NONE, NONE)


def test_weights_that_another_strategy_left_are_stored_as_they_are_and_tested_by_the_next_object() -> None:
    other = Knowledge({name: tensor + 0.1 for name, tensor in FROZEN.items()})
    assert OURS.stored(other) == (other.tensors, {})
    (learned,) = accepted(OURS, other, ITEMS[:1])
    assert learned.verdict.objects == 1


# --- values -----------------------------------------------------------------------------------------------------------


def test_the_original_stays_bit_for_bit_and_nothing_learned_shares_its_memory() -> None:
    before = {name: value.clone() for name, value in MODEL.net.state_dict().items()}
    found = accepted(OURS, Knowledge(FROZEN))
    assert same(before, MODEL.net.state_dict())
    original = {tensor.data_ptr() for tensor in (*FROZEN.values(), *MODEL.net.state_dict().values())}
    for one in found:
        assert original.isdisjoint(tensor.data_ptr() for tensor in line(one.knowledge).tensors.values())


def test_earlier_knowledge_is_not_changed_by_later_lessons() -> None:
    first = accepted(OURS, Knowledge(FROZEN), ITEMS[:1])[0].knowledge
    answers, learned = clones(first.tensors), clones(line(first).tensors)
    accepted(OURS, first, ITEMS[1:])
    assert same(first.tensors, answers)
    assert same(line(first).tensors, learned)
    assert (line(first).first, line(first).later) == (NONE, NONE)
