"""Task prompts: the same click means what its class means, learned from accepted masks and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.adapt.guard import interpolated
from samtta_app.adapt.loop import Trained, TrainingConfig, learn
from samtta_app.adapt.memory import Memory, Remembered, remember_object
from samtta_app.adapt.strategies.default import RefinedAnswering, RefinedLine, Samtta
from samtta_app.adapt.strategy import Knowledge, Lesson
from samtta_app.adapt.task_prompts import Tasks, with_task
from samtta_app.core.types import Box, Click, Logits, Prompt
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import decode_prompt, encode
from samtta_app.model.weights import TASK, from_bytes, to_bytes
from tests.unit.adapt.test_strategy import done
from tests.unit.values import disc, example

MODEL = toy_model()
FROZEN = MODEL.frozen.tensors
LEAF, PLANT = 1, 2
CLICK = Prompt((Click(60, 50, True),))


def nested(object_id: int, class_id: int, radius: int) -> Remembered:
    """The same click on the same picture; what it means depends on the class."""
    one = replace(example(7), object_id=object_id, mask=disc(60, 50, radius), class_id=class_id)
    item = remember_object(one, done(encode(MODEL, one.image, one.window)), MODEL.size, None)
    assert item is not None
    return item


PART, WHOLE = nested(1, LEAF, 12), nested(2, PLANT, 40)


def taught(newest: Remembered, memory: tuple[Remembered, ...], learning: TrainingConfig, tasks=None) -> Trained:
    work = learn(MODEL, FROZEN, newest, Memory(memory), np.random.default_rng(0), learning, tasks)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def logits(tensors, prompt: Prompt = CLICK) -> torch.Tensor:
    with torch.no_grad():
        return decode_prompt(MODEL, tensors, PART.features.to(torch.float32), prompt).logits


# --- what it does to an answer ----------------------------------------------------------------------------------------


def test_a_task_prompt_is_added_to_the_dense_embedding_of_a_first_prompt() -> None:
    vector = torch.randn(32, generator=torch.Generator().manual_seed(0))
    plain, changed = logits(FROZEN), logits({**FROZEN, TASK: vector})
    assert not torch.equal(plain, changed)
    assert torch.equal(plain, logits({**FROZEN, TASK: torch.zeros(32)}))
    box = Prompt((), Box(40, 30, 80, 70))
    assert not torch.equal(logits(FROZEN, box), logits({**FROZEN, TASK: vector}, box))


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt((Click(60, 50, True), Click(70, 50, True))),
        Prompt((Click(60, 50, True),), Box(40, 30, 80, 70)),
        Prompt((Click(60, 50, True),), logits=Logits(example(7).window, np.ones((16, 16), np.float32))),
    ],
)
def test_later_prompts_are_answered_without_it(prompt: Prompt) -> None:
    assert torch.equal(logits(FROZEN, prompt), logits({**FROZEN, TASK: torch.ones(32)}, prompt))


# --- learning ---------------------------------------------------------------------------------------------------------


def test_without_a_rate_there_are_no_task_prompts() -> None:
    learned = taught(PART, (PART, WHOLE), TrainingConfig(steps=2, replayed=1, rounds=1, task_rate=0))
    assert learned.tasks == {}


def test_with_one_class_there_is_nothing_to_tell_apart() -> None:
    """One class is learned by the decoder alone, to the bit; the second one's first object begins the task prompts."""
    again = replace(PART, object_id=3)
    rated, bare = (
        taught(again, (PART, again), TrainingConfig(steps=2, replayed=1, rounds=1, task_rate=rate))
        for rate in (0.05, 0)
    )
    assert rated.tasks == {}
    assert all(torch.equal(tensor, bare.tensors[name]) for name, tensor in rated.tensors.items())
    assert taught(WHOLE, (PART, WHOLE), TrainingConfig(steps=2, replayed=1, rounds=1)).tasks.keys() == {LEAF, PLANT}


def test_every_class_that_was_asked_for_gets_one_of_its_own() -> None:
    learned = taught(PART, (PART, WHOLE), TrainingConfig(steps=3, replayed=1, rounds=1, task_rate=0.01))
    assert learned.tasks.keys() == {LEAF, PLANT}
    assert learned.tasks[LEAF].shape == (32,)
    assert learned.tasks[LEAF].abs().max() > 0
    assert not torch.equal(learned.tasks[LEAF], learned.tasks[PLANT])
    assert TASK not in learned.tensors


def test_an_object_without_a_class_has_none() -> None:
    bare = replace(PART, class_id=None)
    learned = taught(bare, (bare, WHOLE), TrainingConfig(steps=2, replayed=1, rounds=1, task_rate=0.01))
    assert learned.tasks.keys() == {PLANT}


def test_what_is_known_of_other_classes_stays() -> None:
    known = {9: torch.ones(32), LEAF: torch.full((32,), 0.5)}
    learned = taught(PART, (PART,), TrainingConfig(steps=2, replayed=0, rounds=1, task_rate=0.01), known)
    assert torch.equal(learned.tasks[9], known[9])
    assert not torch.equal(learned.tasks[LEAF], known[LEAF])
    assert torch.equal(known[LEAF], torch.full((32,), 0.5))


def test_a_task_prompt_moves_a_part_of_the_way() -> None:
    tasks = Tasks(MODEL, {LEAF: torch.ones(32)}, 0.1)
    tensors = tasks.beside(FROZEN, LEAF)
    tensors[TASK].sum().backward()
    tasks.step()
    assert torch.allclose(tasks.learned(1.0)[LEAF], torch.full((32,), 0.9))
    assert torch.allclose(tasks.learned(0.5)[LEAF], torch.full((32,), 0.95))


def test_task_prompts_alone_lower_the_loss_of_part_and_whole() -> None:
    """The same click under two classes, with a decoder that next to never moves."""
    still = TrainingConfig(steps=20, replayed=1, rounds=1, learning_rate=1e-7)
    tasks: dict[int, torch.Tensor] = {}
    for newest in (PART, WHOLE, PART, WHOLE):
        with_them = taught(newest, (PART, WHOLE), replace(still, task_rate=0.05), tasks)
        tasks = dict(with_them.tasks)
    without = taught(WHOLE, (PART, WHOLE), replace(still, task_rate=0))
    assert np.mean(with_them.losses[-5:]) < np.mean(without.losses[-5:]) - 0.01
    assert torch.nn.functional.cosine_similarity(tasks[LEAF], tasks[PLANT], dim=0) < 0.9


# --- in the strategy --------------------------------------------------------------------------------------------------


def test_a_share_of_the_weights_is_a_share_of_the_task_prompt() -> None:
    learned = {**{name: tensor + 1 for name, tensor in FROZEN.items()}, TASK: torch.ones(32)}
    assert torch.equal(interpolated(FROZEN, learned, 0.5)[TASK], torch.full((32,), 0.5))
    assert TASK not in interpolated(FROZEN, learned, 0.0)
    assert TASK not in interpolated(FROZEN, {name: tensor + 1 for name, tensor in FROZEN.items()}, 0.5)


def test_an_unknown_class_or_no_share_leaves_the_decoder() -> None:
    tasks = {LEAF: torch.ones(32)}
    assert with_task(FROZEN, tasks, PLANT, 1.0) is FROZEN
    assert with_task(FROZEN, tasks, None, 1.0) is FROZEN
    assert with_task(FROZEN, tasks, LEAF, 0.0) is FROZEN
    assert torch.equal(with_task(FROZEN, tasks, LEAF, 0.5)[TASK], torch.full((32,), 0.5))


def test_a_first_click_is_answered_with_the_prompt_of_its_class() -> None:
    known = Knowledge(FROZEN, RefinedAnswering(RefinedLine(FROZEN, tasks={LEAF: torch.ones(32)}), FROZEN))
    strategy = Samtta(guarded=False)
    under = {
        name: done(strategy.before_answer(MODEL, known, None, replace(CLICK, class_id=name))) for name in (LEAF, 3)
    }
    assert torch.equal(under[LEAF].tensors[TASK], torch.ones(32))
    assert TASK not in under[3].tensors


def test_task_prompts_are_stored_and_come_back_bit_for_bit() -> None:
    strategy = Samtta(learning=TrainingConfig(steps=2, replayed=1, rounds=1, task_rate=0.01))
    lesson = Lesson(PART, Memory((PART, WHOLE)), None, np.random.default_rng(3))
    known = done(strategy.after_accept(MODEL, Knowledge(FROZEN), lesson)).knowledge
    tensors, facts = strategy.stored(known)
    back, about = from_bytes(1, to_bytes(tensors, MODEL.name, facts), MODEL.name, FROZEN)
    line = strategy.restored(MODEL, back, about).carried.line
    assert line.tasks.keys() == known.carried.line.tasks.keys() == {LEAF, PLANT}
    assert all(torch.equal(vector, line.tasks[name]) for name, vector in known.carried.line.tasks.items())
    assert line.tensors.keys() == FROZEN.keys()
