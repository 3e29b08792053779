"""Classes learn apart: a lesson for one leaves the answers for another as they were, unless they share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.adapt.loop import TrainingConfig
from samtta_app.adapt.memory import Memory, Remembered
from samtta_app.adapt.registry import STRATEGIES
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.adapt.strategies.per_class import PerClass
from samtta_app.adapt.strategy import Knowledge, Learned, Lesson
from samtta_app.core.types import Click, Prompt
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import Tensors, from_bytes, to_bytes
from tests.unit.adapt.test_guard import ended
from tests.unit.adapt.test_strategy import differ, encoded, same

MODEL = toy_model()
FROZEN = MODEL.frozen.tensors
OURS = Samtta(learning=TrainingConfig(steps=2, replayed=2, rounds=1), guarded=False)
APART, BOTH = PerClass(ours=OURS), PerClass(ours=OURS, shared=True)
CLICK = (Click(60, 50, True),)


def item(number: int, class_id: int | None) -> Remembered:
    return replace(encoded(MODEL, number, 35 + 12 * number)[0], class_id=class_id)


ONE, TWO, THREE = item(1, 7), item(2, 7), item(3, 8)


def taught(strategy: PerClass | Samtta, *items: Remembered, known: Knowledge | None = None) -> list[Learned]:
    """What each of the objects taught, one after the other."""
    known, found = known or Knowledge(FROZEN), []
    for index, one in enumerate(items):
        rng = np.random.default_rng([0, one.object_id])
        _, learned = ended(strategy.after_accept(MODEL, known, Lesson(one, Memory(items[: index + 1]), None, rng)))
        found.append(learned)
        known = learned.knowledge
    return found


def answers(strategy: PerClass, known: Knowledge, class_id: int | None) -> Tensors:
    return ended(strategy.before_answer(MODEL, known, None, Prompt(CLICK, class_id=class_id)))[1].tensors


def test_a_class_answers_with_its_own_and_another_with_the_original() -> None:
    (learned,) = taught(APART, ONE)
    assert differ(answers(APART, learned.knowledge, 7), FROZEN)
    assert answers(APART, learned.knowledge, 8) is FROZEN
    assert answers(APART, learned.knowledge, None) is FROZEN


def test_a_lesson_for_one_class_leaves_the_other_to_the_last_bit() -> None:
    before, after = taught(APART, ONE, THREE)
    assert same(answers(APART, before.knowledge, 7), answers(APART, after.knowledge, 7))
    assert differ(answers(APART, after.knowledge, 8), answers(APART, after.knowledge, 7))


def test_a_class_learns_as_if_there_were_no_other() -> None:
    mixed = taught(APART, ONE, THREE, TWO)[-1]
    alone = taught(OURS, ONE, TWO)[-1]
    assert same(answers(APART, mixed.knowledge, 7), alone.knowledge.tensors)
    assert mixed.losses == alone.losses


def test_with_sharing_a_new_class_begins_with_what_all_taught() -> None:
    first, second = taught(BOTH, ONE, THREE)
    shared = taught(OURS, ONE)[-1].knowledge.tensors
    assert same(answers(BOTH, first.knowledge, 8), shared)
    assert same(answers(BOTH, first.knowledge, 7), shared)
    assert differ(answers(BOTH, second.knowledge, 8), shared)
    assert same(answers(BOTH, second.knowledge, 7), shared)
    assert differ(answers(BOTH, second.knowledge, 99), shared)


def test_objects_without_a_class_are_a_class_of_their_own() -> None:
    learned = taught(APART, item(4, None))[-1]
    assert differ(answers(APART, learned.knowledge, None), FROZEN)
    assert answers(APART, learned.knowledge, 7) is FROZEN


def test_weights_of_another_strategy_are_every_classs() -> None:
    other = Knowledge({name: tensor + 0.1 for name, tensor in FROZEN.items()})
    assert answers(APART, other, 7) is other.tensors
    learned = taught(APART, ONE, known=other)[-1]
    assert differ(answers(APART, learned.knowledge, 7), other.tensors)


@pytest.mark.parametrize("strategy", [APART, BOTH], ids=["apart", "both"])
def test_every_class_comes_back_bit_for_bit_and_learns_the_same_again(strategy: PerClass) -> None:
    items = (ONE, THREE, item(4, None))
    known = taught(strategy, *items)[-1].knowledge
    data = to_bytes(*[strategy.stored(known)[0], "toy", strategy.stored(known)[1]])
    again = strategy.restored(MODEL, *from_bytes(3, data, "toy", FROZEN))
    for number in (7, 8, None, 99):
        assert same(answers(strategy, again, number), answers(strategy, known, number))
    lesson = Lesson(TWO, Memory((*items, TWO)), None, np.random.default_rng(5))
    one, two = (
        ended(strategy.after_accept(MODEL, k, replace(lesson, rng=np.random.default_rng(5))))[1] for k in (known, again)
    )
    assert same(answers(strategy, one.knowledge, 7), answers(strategy, two.knowledge, 7))
    assert one.verdict == two.verdict or np.isnan(one.verdict.candidate)


def test_all_that_a_class_keeps_beside_its_weights_comes_back() -> None:
    bold = PerClass(ours=replace(OURS, bold=True))
    known = taught(bold, ONE, TWO)[-1].knowledge
    tensors, facts = bold.stored(known)
    read, found = from_bytes(1, to_bytes(tensors, "toy", facts), "toy", FROZEN)
    again = bold.restored(MODEL, read, found)
    one, other = (each.carried[7].carried.line for each in (known, again))
    assert same(one.bold, other.bold)
    assert one.sizes == other.sizes
    assert bold.stored(again)[0].keys() == tensors.keys()


def test_the_original_stays_as_it_was() -> None:
    before = {name: tensor.clone() for name, tensor in FROZEN.items()}
    taught(BOTH, ONE, THREE, TWO)
    assert all(torch.equal(before[name], tensor) for name, tensor in FROZEN.items())


def test_both_are_known_by_name() -> None:
    assert isinstance(STRATEGIES["samtta-per-class"], PerClass)
    both = STRATEGIES["samtta-both"]
    assert isinstance(both, PerClass)
    assert both.shared
