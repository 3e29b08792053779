"""Proposals that nobody accepted teach as far as they are certain, and nothing where the model has no refiner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samtta_app.adapt.loop import TrainingConfig, learn
from samtta_app.adapt.memory import Memory, Remembered, remember_object
from samtta_app.adapt.registry import strategy
from samtta_app.adapt.strategies import sum_proposals
from samtta_app.adapt.strategies.sum_proposals import Proposal, Sum
from samtta_app.adapt.strategy import Knowledge, Lesson
from samtta_app.core.types import Click
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import load_model
from samtta_app.model.predictor import encode
from samtta_app.model.refiner import save_refiner, untrained
from samtta_app.model.weights import trainable_copy
from tests.unit.adapt.test_strategy import done
from tests.unit.values import disc, example, picture


@pytest.fixture(scope="module")
def model() -> SamModel:
    """The shipped model at half its size: it finds bright discs."""
    return load_model("samtta-small", "cpu", 256)


@pytest.fixture(scope="module")
def item(model: SamModel) -> Remembered:
    """One accepted disc, a larger one beside it."""
    image = picture(3, discs=((30, 48, 14), (88, 48, 34)))
    one = replace(example(1), image=image, mask=disc(30, 48, 14), clicks=(Click(30, 48, True),), window=image.whole)
    made = remember_object(one, done(encode(model, image, image.whole)), model.size, None)
    assert made is not None
    return made


@pytest.fixture
def refiner(model: SamModel, samtta_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refiner in the model folder that changes next to nothing."""
    monkeypatch.setattr("samtta_app.model.refiner.resource", lambda name: samtta_home / "none")
    (samtta_home / "models").mkdir(parents=True)
    save_refiner(untrained(model), model, samtta_home / "models" / "samtta-small.refiner.safetensors", {})
    sum_proposals._refiner.cache_clear()


@pytest.fixture(autouse=True)
def forgotten() -> object:
    """What is kept for a model is not kept from test to test."""
    sum_proposals._refiner.cache_clear()
    yield
    sum_proposals._refiner.cache_clear()


def lesson(item: Remembered, seed: int = 0) -> Lesson:
    return Lesson(item, Memory((item,)), None, np.random.default_rng(seed))


def made(model: SamModel, item: Remembered, count: int = 2, seed: int = 0) -> tuple[Proposal, ...]:
    known = Knowledge(model.frozen.tensors)
    work = Sum(proposals=count).unlabelled(model, known, lesson(item, seed))
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def test_proposals_are_sure_masks_beside_the_accepted_one(model: SamModel, item: Remembered, refiner: None) -> None:
    found = [proposal for seed in range(3) for proposal in made(model, item, 2, seed)]
    assert found
    for proposal in found:
        assert proposal.target.shape == proposal.certainty.shape == (64, 64)
        assert set(proposal.target.unique().tolist()) == {0.0, 1.0}
        assert 0 <= float(proposal.certainty.min()) <= float(proposal.certainty.max()) <= 1
        assert 0.002 <= float(proposal.target.mean()) <= 0.95
        on_the_accepted = (proposal.target > 0) & (item.whole == 1)
        assert float(on_the_accepted.sum()) <= 0.1 * float(proposal.target.sum())


def test_no_more_than_asked_for_and_the_same_by_seed(model: SamModel, item: Remembered, refiner: None) -> None:
    one, again = made(model, item, 1, 4), made(model, item, 1, 4)
    assert len(one) <= 1
    assert len(one) == len(again)
    assert all(torch.equal(a.target, b.target) for a, b in zip(one, again, strict=True))
    assert made(model, item, 0) == ()


def test_without_a_refiner_nothing_is_proposed(
    model: SamModel, item: Remembered, samtta_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samtta_app.model.refiner.resource", lambda name: samtta_home / "none")
    assert made(model, item) == ()


def proposal(model: SamModel, item: Remembered, certainty: float) -> Proposal:
    target = torch.zeros(64, 64)
    target[20:40, 28:44] = 1
    return Proposal(item.features, target, torch.full((64, 64), certainty))


def gradient(model: SamModel, one: Proposal) -> float:
    copy = trainable_copy(model.frozen.tensors)
    loss = one.loss(model, copy, np.random.default_rng(0))
    assert loss is not None
    loss.backward()
    return float(torch.stack([p.grad.norm() for p in copy.values() if p.grad is not None]).norm())


def test_less_certain_proposals_teach_less(model: SamModel, item: Remembered) -> None:
    """At .3 the Dice term, which counts pixels above .6 only, is gone, and the focal term has less than a third."""
    assert gradient(model, proposal(model, item, 0.3)) < 0.5 * gradient(model, proposal(model, item, 1.0))


def test_a_proposal_without_a_certain_pixel_says_nothing(model: SamModel, item: Remembered) -> None:
    copy = trainable_copy(model.frozen.tensors)
    assert proposal(model, item, 0.0).loss(model, copy, np.random.default_rng(0)) is None


def test_learning_from_a_proposal_moves_the_answer_towards_it(model: SamModel, item: Remembered) -> None:
    one = proposal(model, item, 1.0)
    still = replace(TrainingConfig(), steps=6, replayed=0, rounds=1)

    def loss(tensors) -> float:
        with torch.no_grad():
            found = one.loss(model, tensors, np.random.default_rng(3))
        assert found is not None
        return float(found)

    work = learn(model, model.frozen.tensors, item, Memory((item,)), np.random.default_rng(0), still, None, (one,))
    alone = learn(model, model.frozen.tensors, item, Memory((item,)), np.random.default_rng(0), still)
    assert loss(done(work).tensors) < loss(done(alone).tensors)


def test_a_proposal_that_is_not_finite_ends_the_training(model: SamModel, item: Remembered) -> None:
    one = replace(proposal(model, item, 1.0), target=torch.full((64, 64), float("nan")))
    one = replace(one, target=torch.where(torch.arange(64) > 3, one.target, 1.0))
    trained = done(
        learn(
            model, model.frozen.tensors, item, Memory((item,)), np.random.default_rng(0), TrainingConfig(), None, (one,)
        )
    )
    assert not np.isfinite(trained.losses[-1])
    assert len(trained.losses) == 1


def test_sum_is_a_strategy_by_name() -> None:
    found = strategy("sum:proposals=3")
    assert isinstance(found, Sum)
    assert found.proposals == 3
    assert strategy("sum").words != strategy("samtta").words
