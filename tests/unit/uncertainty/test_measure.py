"""What the engine measures when it is asked by name: against the same things worked out step by step."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samtta_app.adapt.loop import TrainingConfig
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.core.messages import AdaptRequest, MeasureRequest, PredictRequest
from samtta_app.core.metrics import iou
from samtta_app.core.replies import Answer, Failure, Measured
from samtta_app.core.types import Box, Click, Image, Prompt, Window
from samtta_app.engine.dispatch import Engine, open_engine, run
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import Larger
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.model_registry import toy_model
from samtta_app.uncertainty.heads import HEAD_NAMES, new_heads, save_heads
from samtta_app.uncertainty.measures import MEASURES, NO_CLICK, NO_LARGER
from tests.unit.values import example, picture

IMAGE = picture(1, discs=((60, 50, 18),))
ONE = Prompt((Click(60, 50, True),))
EIGHT = tuple(Click(52.0 + 2 * k, 50.0, True) for k in range(8))
NUMBERS = ("score", "entropy", "h_a", "h_xp", "h_theta", "h_aug", "h_y")


@pytest.fixture(scope="module")
def engine() -> Engine:
    """A toy beside a toy of other weights."""
    return Engine(loud(), larger=Larger(lambda: loud(seed=1)))


def loud(seed: int = 0) -> SamModel:
    """A toy whose masks are as sure as those of a real model: probabilities from 0 to 1 instead of about one half."""
    model = toy_model(seed)
    tensors = {
        name: value * (60 if name.startswith("output_hypernetworks") and ".layers.2." in name else 1)
        for name, value in model.frozen.tensors.items()
    }
    return replace(model, frozen=replace(model.frozen, tensors=tensors))


def measure(engine: Engine, *names: str, image: Image = IMAGE, prompt: Prompt = ONE, **changes: object) -> Measured:
    reply = run(engine, replace(MeasureRequest(1, image, prompt, image.whole, names), **changes))
    assert isinstance(reply, Measured), reply
    return reply


def predict(engine: Engine, prompt: Prompt = ONE, **changes: object) -> Answer:
    reply = run(engine, replace(PredictRequest(1, IMAGE, prompt, IMAGE.whole), **changes))
    assert isinstance(reply, Answer), reply
    return reply


def p_of(reply: Answer) -> list[np.ndarray]:
    return [1 / (1 + np.exp(-c.logits.values.astype(np.float64))) for c in reply.candidates]


def h(p: np.ndarray) -> float:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return float((p * -(p * np.log2(p) + (1 - p) * np.log2(1 - p))).sum() / p.sum())


def test_every_number_is_between_nothing_and_one_bit(engine: Engine) -> None:
    found = measure(engine, *NUMBERS, clicks=EIGHT)
    assert set(found.numbers) == set(NUMBERS)
    assert all(0 <= found.numbers[name] <= 1 for name in NUMBERS if name != "score")
    assert len({round(found.numbers[name], 3) for name in NUMBERS}) == len(NUMBERS)  # so that none stands for another
    assert not found.absent
    assert set(found.seconds) == {"decoder", *NUMBERS}
    assert all(value >= 0 for value in found.seconds.values())


def test_score_and_entropy_are_those_of_the_mask_that_is_shown(engine: Engine) -> None:
    found, reply = measure(engine, "score", "entropy"), predict(engine)
    shown = reply.candidates[reply.chosen]
    assert found.numbers["score"] == pytest.approx(1 - shown.predicted_iou, abs=1e-6)
    assert found.numbers["entropy"] == pytest.approx(shown.uncertainty, abs=1e-6)
    assert found.maps["entropy"].window == reply.window
    assert np.allclose(found.maps["entropy"].values, shown.entropy, atol=0.5 / 255 + 1e-6), "a shown map has 256 steps"


def test_the_tasks_entropy_is_that_of_the_candidates_by_predicted_iou(engine: Engine) -> None:
    reply = predict(engine)
    weights = np.clip([c.predicted_iou for c in reply.candidates], 0, None)
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(3, 1 / 3)
    expected = h(sum(w * p for w, p in zip(weights, p_of(reply), strict=True)))
    assert measure(engine, "h_a").numbers["h_a"] == pytest.approx(expected, abs=1e-5)


def test_the_prompts_entropy_is_that_of_the_mean_answer_to_the_clicks(engine: Engine) -> None:
    answers = [predict(engine, Prompt((click,))) for click in EIGHT]
    expected = h(np.mean([p_of(reply)[reply.chosen] for reply in answers], axis=0))
    assert measure(engine, "h_xp", clicks=EIGHT).numbers["h_xp"] == pytest.approx(expected, abs=1e-5)
    assert measure(engine, "h_xp").numbers["h_xp"] != pytest.approx(expected, abs=1e-3)  # clicks near this one


def test_the_models_entropy_is_that_of_both_models_answers(engine: Engine) -> None:
    answers = [predict(engine), predict(engine, larger=True)]
    expected = h(np.mean([p_of(reply)[reply.chosen] for reply in answers], axis=0))
    assert measure(engine, "h_theta").numbers["h_theta"] == pytest.approx(expected, abs=1e-5)


def test_a_model_compared_with_itself_adds_nothing() -> None:
    twins = Engine(loud(), larger=Larger(loud))
    found = measure(twins, "h_theta", "entropy").numbers
    assert found["h_theta"] == pytest.approx(found["entropy"], abs=1e-6)


def test_versions_of_a_plain_image_that_differ_by_noise_alone_agree_but_for_it(engine: Engine) -> None:
    pixels = np.full((96, 128, 3), 128, np.uint8)  # JPEG and blur leave it as it is
    plain = Image("plain", Path("plain.png"), pixels, pixels)
    found = measure(engine, "h_aug", "entropy", image=plain).numbers
    answers = [h(p_of_image(engine, plain)), found["entropy"]]
    assert answers[0] == pytest.approx(answers[1], abs=1e-5)
    noisy = np.clip(np.rint(pixels + np.random.default_rng(0).normal(0, 5000**0.5, pixels.shape)), 0, 255)
    other = Image("noisy", Path("noisy.png"), noisy.astype(np.uint8), pixels)
    expected = h((4 * p_of_image(engine, plain) + p_of_image(engine, other)) / 5)
    assert found["h_aug"] == pytest.approx(expected, abs=1e-4)


def p_of_image(engine: Engine, image: Image) -> np.ndarray:
    reply = run(engine, PredictRequest(1, image, ONE, image.whole))
    assert isinstance(reply, Answer)
    return p_of(reply)[reply.chosen]


def test_all_together_is_the_mean_over_models_versions_clicks_and_candidates(engine: Engine) -> None:
    pixels = np.full((96, 128, 3), 127, np.uint8)
    pixels[20:70, 30:90] = 255
    image = Image("square", Path("square.png"), pixels, pixels)
    from samtta_app.uncertainty.augmented_views import versions

    total, count = np.zeros((16, 16)), 0
    for number, version in enumerate(versions(pixels)):
        seen = Image(f"square{number}", image.path, version, version)
        for larger in (False, True):
            for click in EIGHT[:2]:
                reply = run(engine, PredictRequest(1, seen, Prompt((click,)), seen.whole, larger=larger))
                assert isinstance(reply, Answer)
                iou = np.clip([c.predicted_iou for c in reply.candidates], 0, None)
                weights = iou / iou.sum() if iou.sum() > 0 else np.full(3, 1 / 3)
                total += sum(w * p for w, p in zip(weights, p_of(reply), strict=True))
                count += 1
    assert count == 20
    found = measure(engine, "h_y", image=image, clicks=EIGHT[:2]).numbers["h_y"]
    assert found == pytest.approx(h(total / count), abs=1e-4)


def test_later_clicks_are_measured_on_the_single_mask(engine: Engine) -> None:
    first = predict(engine)
    later = Prompt((*ONE.clicks, Click(20, 20, False)), logits=first.candidates[first.chosen].logits)
    found, reply = measure(engine, *NUMBERS, "ensemble", prompt=later), predict(engine, later)
    assert found.numbers["entropy"] == pytest.approx(reply.candidates[0].uncertainty, abs=1e-6)
    assert set(found.numbers) == set(NUMBERS)
    assert found.maps["ensemble"].values.max() > 0


# --- maps ------------------------------------------------------------------------------------------------------------


def test_the_ensemble_is_the_deviation_over_clicks_near_this_one(engine: Engine) -> None:
    from samtta_app.core.clicks import clicks_near

    reply = predict(engine)
    near = clicks_near(ONE.clicks[0], reply.candidates[reply.chosen].mask, reply.window)
    answers = [predict(engine, Prompt((click,))) for click in near]
    expected = np.std([p_of(each)[each.chosen] for each in answers], axis=0)
    found = measure(engine, "ensemble").maps["ensemble"]
    assert found.values.shape == (16, 16)
    assert np.allclose(found.values, expected, atol=1e-4), "logits leave the engine in half precision"


def test_what_was_learned_shows_against_the_original_weights() -> None:
    strong = Samtta(
        learning=TrainingConfig(steps=6, replayed=1, rounds=1, learning_rate=2e-2, anchor=0.0), guarded=False
    )
    engine = Engine(toy_model(), adapting=strong)
    assert (measure(engine, "adapted").maps["adapted"].values == 0).all()
    run(engine, AdaptRequest(2, example(1, x=45)))
    assert engine.published.version == 1
    frozen = predict(engine, twin=True)
    found = measure(engine, "adapted", "entropy")
    p = 1 / (1 + np.exp(-predict_published(engine)))
    assert found.maps["adapted"].values.max() > 1e-3
    assert np.allclose(found.maps["adapted"].values, np.abs(p - p_of(frozen)[frozen.chosen]), atol=1e-4)


def predict_published(engine: Engine) -> np.ndarray:
    """Logits of the shown mask under the published weights, with nothing fitted to the object."""
    from samtta_app.model.predictor import decode, embed

    features = engine.resources.cache._done[IMAGE.key, IMAGE.whole]
    with torch.no_grad():
        found = decode(
            engine.resources.model, engine.published.tensors, features, embed(engine.resources.model, features, ONE)
        )
    return found.logits[1:][int(found.iou[1:].argmax())].numpy().astype(np.float64)


def test_measuring_does_not_disturb_the_object_at_hand(engine: Engine) -> None:
    own = engine.fresh(0)
    predict(own)
    attempt = own.resources.learner._attempt
    measure(own, *MEASURES, prompt=Prompt((Click(5, 5, True),)))
    assert own.resources.learner._attempt is attempt
    predict(own, larger=True)
    assert own.resources.learner._attempt is attempt


# --- heads -----------------------------------------------------------------------------------------------------------


def heads_file(model: SamModel, path: Path, *names: str) -> Path:
    save_heads(new_heads(64, model.name, "other", 0, names or HEAD_NAMES), path, {"fingerprint": fingerprint(model)})
    return path


def test_heads_of_a_file_say_all_they_know_of_the_mask_that_is_shown(engine: Engine, tmp_path: Path) -> None:
    found = measure(engine, "heads", heads=heads_file(toy_model(), tmp_path / "a.safetensors"))
    assert set(found.numbers) == {*HEAD_NAMES, "model_gap_difference", "task_gap_difference", "prompt_gap_difference"}
    assert found.numbers["task_gap_difference"] == pytest.approx(found.numbers["iou"] - found.numbers["iou_chosen"])
    assert {"heads", "gaps", "decoder"} == set(found.seconds)
    one = measure(engine, "heads", heads=heads_file(toy_model(), tmp_path / "b.safetensors", "task_gap"))
    assert set(one.numbers) == {"task_gap"}


def test_heads_of_another_model_are_refused(engine: Engine, tmp_path: Path) -> None:
    path = heads_file(toy_model(seed=5), tmp_path / "other.safetensors")
    reply = run(engine, MeasureRequest(1, IMAGE, ONE, None, ("heads",), heads=path))
    assert isinstance(reply, Failure)
    assert "toy" in reply.text


# --- what is absent --------------------------------------------------------------------------------------------------


def test_an_unknown_name_is_refused_with_those_there_are(engine: Engine) -> None:
    reply = run(engine, MeasureRequest(1, IMAGE, ONE, None, ("entropy", "spread")))
    assert isinstance(reply, Failure)
    assert "'spread'" in reply.text
    assert "ensemble" in reply.text


def test_without_a_larger_model_and_heads_the_reason_is_told() -> None:
    alone = Engine(toy_model())
    found = measure(alone, *MEASURES)
    assert found.absent["h_theta"] == found.absent["h_y"] == NO_LARGER
    assert "toy" in found.absent["heads"]
    assert "h_xp" in found.numbers
    reply = run(alone, PredictRequest(1, IMAGE, ONE, larger=True))
    assert isinstance(reply, Failure)
    assert "no larger model" in reply.text


def test_a_box_has_no_click_that_might_have_been_made_elsewhere(engine: Engine) -> None:
    found = measure(engine, *MEASURES, prompt=Prompt((), Box(40, 30, 80, 70)))
    assert found.absent["h_xp"] == found.absent["ensemble"] == found.absent["h_y"] == NO_CLICK
    assert {"score", "entropy", "h_a", "h_theta", "h_aug"} <= set(found.numbers)


@pytest.mark.parametrize("prompt", [Prompt(), Prompt((Click(500, 50, True),))])
def test_what_cannot_be_answered_cannot_be_measured(engine: Engine, prompt: Prompt) -> None:
    assert isinstance(run(engine, MeasureRequest(1, IMAGE, prompt, None, ("entropy",))), Failure)


def test_numbers_and_maps_that_are_not_finite_are_left_out() -> None:
    model = toy_model()
    broken = {name: torch.full_like(value, math.nan) for name, value in model.frozen.tensors.items()}
    engine = Engine(replace(model, frozen=replace(model.frozen, tensors=broken)))
    found = measure(engine, "score", "entropy", "h_a", "h_xp", "h_aug", "ensemble", "adapted")
    assert (found.numbers, found.maps) == ({}, {})
    assert set(found.absent.values()) == {"The model's answer is not finite"}


@pytest.mark.parametrize(("height", "width"), [(32, 32), (1, 1), (3, 200)])
def test_an_image_smaller_than_a_window_is_measured(engine: Engine, height: int, width: int) -> None:
    found = measure(
        engine, *MEASURES, image=picture(2, height, width), prompt=Prompt((Click(0, 0, True),)), window=None
    )
    assert set(NUMBERS) == set(found.numbers)
    assert set(found.maps) == {"entropy", "ensemble", "adapted"}
    assert found.maps["ensemble"].window == Window(0, 0, width, height)


def test_a_huge_window_is_shrunk_before_its_versions_are_made(engine: Engine) -> None:
    found = measure(engine, "h_aug", image=picture(3, 40, 3000), prompt=Prompt((Click(1500, 20, True),)))
    assert 0 <= found.numbers["h_aug"] <= 1


# --- candidates and a second model -----------------------------------------------------------------------------------


def test_three_candidates_can_be_asked_for_whatever_the_prompt(engine: Engine) -> None:
    dense = predict(engine, Prompt(EIGHT), twin=True, candidates=True)
    assert len(dense.candidates) == 3
    assert dense.window == IMAGE.whole
    assert len(predict(engine, Prompt(EIGHT), twin=True).candidates) == 1
    single, asked = predict(engine, twin=True), predict(engine, twin=True, candidates=True)
    for one, other in zip(single.candidates, asked.candidates, strict=True):
        assert iou(one.mask, other.mask) == 1
    outside = predict(engine, Prompt(EIGHT), window=Window(0, 0, 50, 50), candidates=True)
    assert all(outside.window.contains(c.x, c.y) for c in EIGHT)


def test_the_larger_model_answers_with_its_own_weights(engine: Engine) -> None:
    other = predict(engine, larger=True)
    expected = run(Engine(loud(seed=1)), PredictRequest(1, IMAGE, ONE, IMAGE.whole))
    assert isinstance(expected, Answer)
    assert np.array_equal(other.candidates[0].logits.values, expected.candidates[0].logits.values)
    assert not np.array_equal(other.candidates[0].logits.values, predict(engine).candidates[0].logits.values)
    assert all(c.gaps is None for c in other.candidates)


def test_a_larger_model_that_is_missing_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such model file"):
        open_engine("samtta-small", larger=tmp_path / "absent.pth")
