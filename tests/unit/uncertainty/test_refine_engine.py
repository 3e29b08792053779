"""The engine refines what its published decoder answers, and says why where there is nothing to show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.adapt.loop import TrainingConfig
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.adapt.strategy import NoAdaptation
from samtta_app.core.masks import full
from samtta_app.core.messages import AdaptRequest, PredictRequest, RefineRequest
from samtta_app.core.metrics import iou
from samtta_app.core.replies import AdaptReport, Answer, Failure, Refined
from samtta_app.core.types import Candidate, Click, Image, Logits, Mask, Prompt, Window
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import DEFAULT_MODEL, load_model, toy_model
from samtta_app.model.predictor import logits_in_window, upscaled
from samtta_app.model.refiner import refinement, refining_window
from samtta_app.train.decoder.decoder_samples import encode_window
from tests.unit.uncertainty.refining import moved, put
from tests.unit.values import disc, example, picture

PROMPT = Prompt((Click(60, 50, True),))
STRONG = Samtta(learning=TrainingConfig(steps=4, replayed=1, rounds=1, learning_rate=2e-2, anchor=0.0), guarded=False)


@pytest.fixture(scope="module")
def toy() -> SamModel:
    return toy_model()


@pytest.fixture
def engine(toy: SamModel) -> Engine:
    """An engine that finds a refiner in the model folder."""
    put(toy, moved(toy))
    return Engine(toy, adapting=NoAdaptation())


@pytest.fixture
def image() -> Image:
    return picture(1, discs=((60, 50, 18),))


def refine(engine: Engine, request: RefineRequest) -> Refined:
    reply = run(engine, request)
    assert isinstance(reply, Refined), reply
    return reply


def predict(engine: Engine, image: Image, prompt: Prompt = PROMPT, window: Window | None = None) -> Answer:
    reply = run(engine, PredictRequest(1, image, prompt, window))
    assert isinstance(reply, Answer), reply
    return reply


def shown_disc(image: Image, values: np.ndarray | None = None, mask: Mask | None = None) -> Candidate:
    """An answer that shows the disc in the whole image."""
    grid = np.full((16, 16), -3, np.float32) if values is None else values
    return Candidate(mask or disc(60, 50, 18), Logits(image.whole, grid), 0.9, np.zeros((16, 16), np.float32), 0.1)


def test_without_a_refiner_there_is_a_reason_and_no_map(toy: SamModel, image: Image) -> None:
    reply = refine(Engine(toy, adapting=NoAdaptation()), RefineRequest(5, image, PROMPT))
    assert (reply.request_id, reply.mask, reply.uncertainty) == (5, None, None)
    assert "'toy' has no refiner" in reply.reason
    assert "samtta train refiner" in reply.reason
    assert reply.window == image.whole


def test_a_damaged_refiner_is_named_and_stops_nothing(toy: SamModel, image: Image) -> None:
    path = put(toy, moved(toy))
    path.write_bytes(path.read_bytes()[:100])
    engine = Engine(toy, adapting=NoAdaptation())
    reply = refine(engine, RefineRequest(5, image, PROMPT, Window(4, 4, 64, 64)))
    assert reply.uncertainty is None
    assert str(path) in reply.reason
    assert reply.window == Window(4, 4, 64, 64)
    assert predict(engine, image).candidates


def test_the_refiner_of_another_model_is_refused_with_both_names(toy: SamModel, image: Image) -> None:
    other = replace(toy_model(seed=3), name="other")
    put(other, moved(other)).rename(put(toy, moved(toy)))
    reply = refine(Engine(toy, adapting=NoAdaptation()), RefineRequest(5, image, PROMPT))
    assert "'other', not for this 'toy'" in reply.reason


def test_an_answer_is_refined_over_its_window(engine: Engine, image: Image) -> None:
    reply = refine(engine, RefineRequest(9, image, PROMPT))
    found = predict(engine, image)
    assert reply.request_id == 9
    assert reply.reason == ""
    assert reply.window == found.window
    assert reply.uncertainty is not None
    assert reply.uncertainty.shape == found.candidates[0].entropy.shape
    assert reply.uncertainty.dtype == np.float32
    assert 0 <= reply.uncertainty.min() < reply.uncertainty.max() <= 1
    assert reply.mask is not None
    assert reply.seconds > 0


def test_a_compact_models_answer_is_refined_from_close_by(image: Image) -> None:
    """The map covers the window around the mask, and what it says is what the refiner makes of the answer seen there."""
    model = replace(load_model(DEFAULT_MODEL, "cpu", 128), name="compact")
    refiner = moved(model)
    put(model, refiner)
    engine = Engine(model, adapting=NoAdaptation())
    found = predict(engine, image)
    answer = found.candidates[found.chosen]
    reply = refine(engine, RefineRequest(2, image, PROMPT, found.window, answer))
    assert reply.window == refining_window(model, found.window, answer.mask, PROMPT, image.whole)
    assert reply.window.side < found.window.side
    features = encode_window(model, image, reply.window)
    seen = logits_in_window(answer.logits, reply.window, model.grid)[0, 0]
    wanted, _ = refinement(model, refiner, features, PROMPT, seen, answer.mask)
    assert wanted is not None
    assert reply.uncertainty is not None
    assert np.allclose(reply.uncertainty, wanted.uncertainty.numpy(), atol=1e-5)
    assert reply.mask is not None
    assert reply.mask.x >= reply.window.x
    assert reply.mask.y >= reply.window.y


def test_given_and_found_answers_are_refined_alike(engine: Engine, image: Image) -> None:
    found = predict(engine, image)
    asked = RefineRequest(2, image, PROMPT)
    given = refine(engine, replace(asked, answer=found.candidates[found.chosen]))
    fresh = refine(engine, asked)
    assert given.uncertainty is not None
    assert fresh.uncertainty is not None
    assert np.array_equal(given.uncertainty, fresh.uncertainty)
    assert iou(given.mask or disc(0, 0, 1), fresh.mask or disc(99, 9, 1)) == 1.0
    other = refine(engine, replace(asked, answer=found.candidates[(found.chosen + 1) % 3]))
    assert other.uncertainty is not None
    assert not np.array_equal(given.uncertainty, other.uncertainty)


def test_map_and_mask_are_those_of_the_refined_logits(engine: Engine, toy: SamModel, image: Image) -> None:
    reply = refine(engine, RefineRequest(2, image, PROMPT, None, shown_disc(image)))
    features, logits = encode_window(toy, image, image.whole), torch.full((16, 16), -3.0)
    found, _ = refinement(toy, moved(toy), features, PROMPT, logits, disc(60, 50, 18))
    assert found is not None
    assert reply.uncertainty is not None
    assert reply.mask is not None
    assert np.array_equal(reply.uncertainty, found.uncertainty.numpy())
    assert reply.predicted_iou == found.iou
    bits = (upscaled(toy, found.logits[None], features)[0] > 0).numpy()
    assert np.array_equal(full(reply.mask, 96, 128), bits)


def test_what_was_learned_is_what_is_refined(toy: SamModel, image: Image) -> None:
    put(toy, moved(toy))
    engine = Engine(toy, adapting=STRONG)
    before = refine(engine, RefineRequest(2, image, PROMPT, image.whole))
    report = run(engine, AdaptRequest(3, example(1)))
    assert isinstance(report, AdaptReport)
    assert report.kept
    found = predict(engine, image, window=image.whole)
    after = refine(engine, RefineRequest(4, image, PROMPT, image.whole))
    given = refine(engine, RefineRequest(5, image, PROMPT, None, found.candidates[found.chosen]))
    assert before.uncertainty is not None
    assert after.uncertainty is not None
    assert given.uncertainty is not None
    assert np.abs(before.uncertainty - after.uncertainty).max() > 1e-3
    assert np.array_equal(after.uncertainty, given.uncertainty)


def test_refining_changes_no_answer(engine: Engine, image: Image) -> None:
    before = predict(engine, image)
    refine(engine, RefineRequest(2, image, PROMPT))
    after = predict(engine, image)
    for one, other in zip(before.candidates, after.candidates, strict=True):
        assert np.array_equal(one.logits.values, other.logits.values)
    assert engine.published.version == 0


def test_empty_and_broken_answers_have_a_reason(engine: Engine, image: Image) -> None:
    empty = shown_disc(image, mask=Mask(0, 0, np.zeros((1, 1), np.bool_)))
    reply = refine(engine, RefineRequest(2, image, PROMPT, None, empty))
    assert reply.uncertainty is None
    assert "empty" in reply.reason
    broken = shown_disc(image, np.full((16, 16), np.nan, np.float32))
    reply = refine(engine, RefineRequest(3, image, PROMPT, None, broken))
    assert reply.uncertainty is None
    assert "not finite" in reply.reason
    assert np.isnan(reply.predicted_iou)


@pytest.mark.parametrize("side", [32, 8])
def test_an_image_smaller_than_a_window(engine: Engine, side: int) -> None:
    small = picture(2, side, side, ((side // 2, side // 2, side // 4),))
    reply = refine(engine, RefineRequest(2, small, Prompt((Click(side // 2, side // 2, True),))))
    assert reply.window == small.whole
    assert reply.uncertainty is not None or reply.reason


def test_prompts_that_cannot_be_answered_fail_in_words(engine: Engine, image: Image) -> None:
    for prompt, words in ((Prompt(), "no click and no box"), (Prompt((Click(999, 1, True),)), "outside the image")):
        reply = run(engine, RefineRequest(2, image, prompt))
        assert isinstance(reply, Failure)
        assert words in reply.text
