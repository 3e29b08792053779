"""Answers carry what the uncertainty heads say of them, or the reason why nothing is said."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer
from samtta_app.core.types import Click, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.backbone import SamModel
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import Weights
from samtta_app.uncertainty.heads import GapHeads, advice_from, larger_for, new_heads, save_heads
from tests.unit.values import picture

IMAGE = picture(1, discs=((60, 50, 18),))


@pytest.fixture
def model() -> SamModel:
    return toy_model()


def keep(model: SamModel, home: Path, larger: str = "", trained_for: SamModel | None = None) -> GapHeads:
    """Heads in the model folder, with thresholds for two of the gaps."""
    heads = new_heads(64, model.name, larger, seed=1)
    (home / "models").mkdir(parents=True, exist_ok=True)
    facts = {
        "fingerprint": fingerprint(trained_for or model),
        "thresholds": json.dumps({"model_gap": 0.01, "task_gap": 0.2, "prompt_gap": math.inf}),
    }
    save_heads(heads, home / "models" / "toy.heads.safetensors", facts)
    return heads


def asked(engine: Engine, *clicks: Click, larger: bool = False) -> Answer:
    prompt = Prompt(clicks or (Click(60, 50, True),))
    reply = run(engine, PredictRequest(1, IMAGE, prompt, IMAGE.whole, larger=larger))
    assert isinstance(reply, Answer), reply
    return reply


def test_the_candidate_that_is_chosen_has_gaps(model: SamModel, samtta_home: Path) -> None:
    keep(model, samtta_home)
    reply = asked(Engine(model))
    assert reply.no_gaps == ""
    assert [candidate.gaps is not None for candidate in reply.candidates] == [k == reply.chosen for k in range(3)]


def test_the_single_mask_has_gaps_too(model: SamModel, samtta_home: Path) -> None:
    keep(model, samtta_home)
    (candidate,) = asked(Engine(model), Click(60, 50, True), Click(70, 50, True)).candidates
    assert candidate.gaps is not None
    assert 0 <= candidate.gaps.iou <= 1
    assert -0.5 <= candidate.gaps.prompt <= 0.5


def test_without_heads_an_answer_says_why(model: SamModel) -> None:
    reply = asked(Engine(model))
    assert [candidate.gaps for candidate in reply.candidates] == [None] * 3
    assert "samtta train heads" in reply.no_gaps
    assert reply.advise_from is None


def test_heads_of_another_model_are_left_out_with_both_names(model: SamModel, samtta_home: Path) -> None:
    keep(model, samtta_home, trained_for=toy_model(seed=9))
    reply = asked(Engine(model))
    assert reply.candidates[0].gaps is None
    assert "'toy'" in reply.no_gaps


def test_advice_is_given_from_the_thresholds_on(model: SamModel, samtta_home: Path) -> None:
    keep(model, samtta_home, larger="samtta-base")
    worth = asked(Engine(model)).advise_from
    assert worth is not None
    assert (worth.model, worth.task, worth.prompt) == (0.01, 0.2, math.inf)


def test_a_larger_model_that_is_not_there_is_not_advised(model: SamModel, samtta_home: Path) -> None:
    heads = keep(model, samtta_home, larger="vit_h")
    assert larger_for(heads, torch.device("cpu")) is None
    worth = asked(Engine(model)).advise_from
    assert worth is not None
    assert worth.model == math.inf
    assert advice_from(heads, larger=True).task == math.inf  # these heads have no thresholds


def test_the_larger_model_that_the_heads_name_answers(model: SamModel, samtta_home: Path) -> None:
    keep(model, samtta_home, larger="samtta-base")
    engine = Engine(model)
    small, large = asked(engine), asked(engine, larger=True)
    assert (small.larger, large.larger) == (False, True)
    assert large.candidates[0].gaps is None
    assert large.candidates[0].logits.values.shape == (128, 128)
    assert small.candidates[0].logits.values.shape == (16, 16)


def test_what_the_larger_model_answers_teaches_the_learner_nothing(model: SamModel, samtta_home: Path) -> None:
    keep(model, samtta_home, larger="samtta-base")
    engine = Engine(model)
    asked(engine)
    before = engine.resources.learner._attempt
    asked(engine, Click(60, 50, True), Click(66, 50, True), larger=True)
    assert engine.resources.learner._attempt is before


def test_a_decoder_that_is_not_finite_answers_without_gaps(model: SamModel, samtta_home: Path) -> None:
    keep(model, samtta_home)
    broken = {name: torch.full_like(tensor, math.nan) for name, tensor in model.frozen.tensors.items()}
    reply = asked(Engine(replace(model, frozen=Weights(0, broken))))
    assert [candidate.gaps for candidate in reply.candidates] == [None] * 3
    assert [candidate.mask.area for candidate in reply.candidates] == [0] * 3
