"""Accepted objects are shown to a decoder that can read them: at once, by class, and no longer once they are withdrawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.adapt import loop
from samtta_app.adapt.accepted_looks import SHOWN_LOOKS, AcceptedLooks
from samtta_app.adapt.guard import Evidence
from samtta_app.adapt.memory import Memory
from samtta_app.adapt.strategies.default import RefinedAnswering, Samtta
from samtta_app.adapt.strategy import Knowledge, Lesson
from samtta_app.core.messages import ForgetRequest, PredictRequest
from samtta_app.core.replies import Answer
from samtta_app.core.types import Click, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.backbones.compact import CompactBackbone, build_compact
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import from_bytes, to_bytes
from tests.unit.adapt.test_guard import ended
from tests.unit.adapt.test_ours import LEARNING, accepted, line
from tests.unit.adapt.test_strategy import encoded
from tests.unit.model.test_likeness import MAPS, PLAIN
from tests.unit.values import picture


@pytest.fixture(scope="module")
def reader() -> SamModel:
    """A model with random weights that reads looks."""
    torch.manual_seed(3)
    return built_model("reader", CompactBackbone(build_compact(MAPS)), MAPS.input_size)


def looks_of(model: SamModel, *numbers: int, class_id: int | None = None) -> AcceptedLooks:
    items = [replace(encoded(model, n, 35 + 9 * n)[0], class_id=class_id) for n in numbers]
    return AcceptedLooks().updated(model, Memory(tuple(items)))


def test_a_model_without_such_maps_has_no_looks() -> None:
    torch.manual_seed(3)
    plain = built_model("plain", CompactBackbone(build_compact(PLAIN)), PLAIN.input_size)
    for model in (plain, toy_model()):
        assert looks_of(model, 1, 2).seen == ()


def test_looks_are_unit_vectors_computed_once_for_each_object(reader: SamModel) -> None:
    items = [encoded(reader, n, 35 + 9 * n)[0] for n in (1, 2, 3)]
    first = AcceptedLooks().updated(reader, Memory(tuple(items[:2])))
    both = first.updated(reader, Memory(tuple(items)))
    assert [each.object_id for each in both.seen] == [1, 2, 3]
    assert both.seen[0] is first.seen[0]
    for vector in (*both.seen[2].look.objects, *both.seen[2].look.grounds):
        assert float(vector.norm()) == pytest.approx(1.0, abs=1e-4)
    assert [each.object_id for each in both.updated(reader, Memory(tuple(items[1:]))).seen] == [2, 3]


def test_a_class_is_shown_its_own_newest_objects(reader: SamModel) -> None:
    many = AcceptedLooks((*looks_of(reader, 1, 2, class_id=4).seen, *looks_of(reader, 3).seen))
    assert len(many.of_class(4)) == 2
    assert many.of_class(None) == (many.seen[2].look,)
    assert many.of_class(9) == ()
    repeated = AcceptedLooks(tuple(replace(many.seen[0], object_id=k) for k in range(8)))
    assert len(repeated.of_class(4)) == SHOWN_LOOKS
    assert [each.object_id for each in many.without(frozenset({2})).seen] == [1, 3]


def test_looks_come_back_from_a_file_bit_for_bit_and_nonsense_is_nothing(reader: SamModel) -> None:
    some = looks_of(reader, 1, 2, class_id=7)
    tensors, text = some.stored()
    read = AcceptedLooks.read(tensors, text)
    assert [(each.object_id, each.class_id) for each in read.seen] == [(1, 7), (2, 7)]
    for one, other in zip(some.seen, read.seen, strict=True):
        for part in (0, 1):
            assert all(torch.equal(a, b) for a, b in zip(one.look[part], other.look[part], strict=True))
    for wrong in ("", "{", "[[1]]", "[[1, 2], [3, 4], [5, 6]]"):
        assert AcceptedLooks.read(tensors, wrong).seen == ()
    assert AcceptedLooks.read({}, text).seen == ()
    assert AcceptedLooks().stored() == ({}, "[]")


def test_what_was_learned_is_stored_with_its_looks(reader: SamModel) -> None:
    ours = Samtta(learning=LEARNING)
    items = tuple(encoded(reader, n, 35 + 12 * n)[0] for n in (1, 2))
    known = accepted(ours, Knowledge(reader.frozen.tensors), items, reader)[-1].knowledge
    tensors, facts = ours.stored(known)
    tensors, facts = from_bytes(1, to_bytes(tensors, "reader", facts), "reader", reader.frozen.tensors)
    again = line(ours.restored(reader, tensors, facts))
    assert [each.object_id for each in again.looks.seen] == [1, 2]
    assert torch.equal(again.looks.seen[1].look.objects[0], line(known).looks.seen[1].look.objects[0])
    assert set(again.tensors) == set(reader.frozen.tensors)


GOOD = Evidence(((0.1, 0.5, 0.9),) * 9)
BAD = Evidence(((0.9, 0.5, 0.1),) * 9)


def answering(reader: SamModel, first: Evidence, strategy: Samtta) -> Engine:
    """An engine whose line is the original with two looks, and this evidence for first clicks."""
    engine = Engine(reader, adapting=strategy)
    tensors, text = looks_of(reader, 1, 2).stored()
    facts = {"first": first.text(), "later": first.text(), "looks": text}
    known = strategy.restored(reader, {**reader.frozen.tensors, **tensors}, facts)
    engine.resources.learner._known[0] = known
    return engine


def first_answer(engine: Engine) -> torch.Tensor:
    image = picture(5, discs=((60, 50, 18),))
    reply = run(engine, PredictRequest(1, image, Prompt((Click(60, 50, True),)), image.whole))
    assert isinstance(reply, Answer)
    return torch.from_numpy(reply.candidates[0].logits.values)


def test_proven_looks_change_the_first_answer_and_others_do_not(reader: SamModel) -> None:
    plain = first_answer(Engine(reader, adapting=Samtta()))
    assert not torch.allclose(first_answer(answering(reader, GOOD, Samtta())), plain, atol=1e-3)
    assert torch.equal(first_answer(answering(reader, BAD, Samtta())), plain)
    assert torch.equal(first_answer(answering(reader, GOOD, Samtta(shows=False))), plain)


def test_a_withdrawn_object_is_no_longer_shown(reader: SamModel) -> None:
    engine = answering(reader, GOOD, Samtta())
    both = first_answer(engine)
    run(engine, ForgetRequest(2, 1))
    one = first_answer(engine)
    run(engine, ForgetRequest(3, 2))
    assert not torch.equal(one, both)
    assert torch.equal(first_answer(engine), first_answer(Engine(reader, adapting=Samtta())))


def test_the_lesson_learns_the_look_of_its_object(reader: SamModel) -> None:
    item = encoded(reader, 1, 45)[0]
    lesson = Lesson(item, Memory((item,)), None, np.random.default_rng(0))
    known = Knowledge(reader.frozen.tensors)
    _, learned = ended(Samtta(learning=LEARNING).after_accept(reader, known, lesson))
    assert isinstance(learned.knowledge.carried, RefinedAnswering)
    assert [each.object_id for each in learned.knowledge.carried.line.looks.seen] == [1]


def test_an_object_is_learned_beside_the_looks_of_the_others_alone(
    reader: SamModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = tuple(encoded(reader, n, 35 + 12 * n)[0] for n in (1, 2))
    shown: dict[int, set[int]] = {1: set(), 2: set()}
    honest = loop.decode_prompt

    def seen(model, tensors, features, prompt, looks=()):
        shown[1 if features.image_key == items[0].features.image_key else 2].add(len(looks))
        return honest(model, tensors, features, prompt, looks)

    monkeypatch.setattr(loop, "decode_prompt", seen)
    for strategy, expected in ((Samtta(learning=LEARNING), {1}), (Samtta(learning=LEARNING, shows=False), {0})):
        known = Knowledge(reader.frozen.tensors)
        lesson = Lesson(items[1], Memory(items), None, np.random.default_rng(0))
        ended(strategy.after_accept(reader, known, lesson))
        assert shown == {1: expected, 2: expected}
        shown = {1: set(), 2: set()}
