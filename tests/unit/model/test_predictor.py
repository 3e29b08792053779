"""Encoding and decoding are functions of values and agree with segment_anything's own predictor."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor

from samtta_app.core.types import Box, Click, Logits, Prompt, Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.predictor import ImageFeatures, decode, embed, encode, told_clicks, upscaled
from tests.unit.values import picture

T = TypeVar("T")


def finish(work: Generator[object, None, T]) -> tuple[T, int]:
    """The result of a generator and how often it yielded."""
    steps = 0
    while True:
        try:
            next(work)
            steps += 1
        except StopIteration as done:
            return done.value, steps


def features_of(model: SamModel, window: Window | None = None) -> ImageFeatures:
    image = picture(1, 96, 128)
    return finish(encode(model, image, window or image.whole))[0]


@pytest.mark.parametrize(("height", "width"), [(96, 128), (130, 70), (64, 64), (1, 1), (20, 400)])
def test_masks_logits_and_scores_equal_the_official_predictors(height: int, width: int) -> None:
    model = toy_model()
    image = picture(1, height, width)
    x, y = (width - 1) // 2, (height - 1) // 3
    features, _ = finish(encode(model, image, image.whole))
    with torch.no_grad():
        found = decode(model, model.frozen.tensors, features, embed(model, features, Prompt((Click(x, y, True),))))
    predictor = SamPredictor(model.net)
    predictor.set_image(image.pixels)
    masks, scores, low = predictor.predict(np.array([[x, y]], dtype=float), np.array([1]), multimask_output=True)
    assert np.allclose(found.logits[1:].numpy(), low, atol=1e-5)
    assert np.allclose(found.iou[1:].numpy(), scores, atol=1e-6)
    assert np.array_equal(upscaled(model, found.logits[1:], features).numpy() > 0, masks)


def test_a_strip_that_the_official_resize_cannot_take_is_answered() -> None:
    model, image = toy_model(), picture(1, 3, 400)
    features, _ = finish(encode(model, image, image.whole))
    found = decode(model, model.frozen.tensors, features, embed(model, features, Prompt((Click(200, 1, True),))))
    assert upscaled(model, found.logits, features).shape == (4, 3, 400)


def test_a_box_and_fed_back_logits_equal_the_official_predictors() -> None:
    model, image = toy_model(), picture(1)
    features, _ = finish(encode(model, image, image.whole))
    low = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    prompt = Prompt((Click(30, 40, False),), Box(20, 10, 90, 70), Logits(image.whole, low))
    with torch.no_grad():
        found = decode(model, model.frozen.tensors, features, embed(model, features, prompt))
    predictor = SamPredictor(model.net)
    predictor.set_image(image.pixels)
    _, scores, logits = predictor.predict(
        np.array([[30, 40]], dtype=float), np.array([0]), np.array([20, 10, 90, 70]), low[None], multimask_output=False
    )
    assert np.allclose(found.logits[:1].numpy(), logits, atol=1e-5)
    assert found.iou[0].item() == pytest.approx(float(scores[0]), abs=1e-6)


@pytest.mark.parametrize("compact", [True, False])
def test_a_box_alone_also_clicks_its_middle_where_the_policy_says_so(compact: bool) -> None:
    model = load_model(input_size=128) if compact else toy_model()
    features, box = features_of(model), Box(20, 10, 91, 70)
    middle = Click(55.5, 40.0, True)
    with torch.no_grad():
        box_alone, with_middle, elsewhere, alone_again = (
            decode(model, model.frozen.tensors, features, embed(model, features, prompt)).logits
            for prompt in (
                *(Prompt(box=box), Prompt((middle,), box), Prompt((Click(30.0, 20.0, True),), box)),
                Prompt(box=box, logits=Logits(Window(0, 0, 128, 96), np.zeros((model.grid, model.grid), np.float32))),
            )
        )
    assert torch.equal(box_alone, with_middle) is compact
    assert not torch.equal(box_alone, elsewhere)
    assert not torch.equal(alone_again, box_alone)


def test_clicks_and_earlier_answers_say_where_the_object_is_and_the_middle_is_left_out() -> None:
    box, click = Box(2, 2, 9, 9), Click(3.0, 3.0, False)
    earlier = Logits(Window(0, 0, 16, 16), np.zeros((4, 4), np.float32))
    assert told_clicks(Prompt(box=box), box_middle=True) == (Click(5.5, 5.5, True),)
    assert told_clicks(Prompt(box=box), box_middle=False) == ()
    assert told_clicks(Prompt(box=box, logits=earlier), box_middle=True) == ()
    assert told_clicks(Prompt((click,), box), box_middle=True) == (click,)
    assert told_clicks(Prompt((click,)), box_middle=True) == (click,)


def test_a_vit_yields_after_every_block() -> None:
    _, steps = finish(encode(toy_model(), picture(1), picture(1).whole))
    assert steps >= 1 + len(toy_model().net.image_encoder.blocks)


def test_grad_mode_is_not_held_while_the_encoder_rests() -> None:
    work = encode(toy_model(), picture(1), picture(1).whole)
    for _ in work:
        assert torch.is_grad_enabled()


def test_a_crop_is_encoded_like_an_image_of_its_own() -> None:
    model, image = toy_model(), picture(1)
    window = Window(32, 16, 64, 48)
    alone = picture(1)
    cut = type(alone)("cut", alone.path, np.ascontiguousarray(alone.pixels[16:64, 32:96]), alone.raw)
    inside, _ = finish(encode(model, image, window))
    whole, _ = finish(encode(model, cut, cut.whole))
    assert torch.equal(inside.embedding, whole.embedding)
    one = decode(model, model.frozen.tensors, inside, embed(model, inside, Prompt((Click(60, 40, True),))))
    two = decode(model, model.frozen.tensors, whole, embed(model, whole, Prompt((Click(28, 24, True),))))
    assert torch.equal(one.logits, two.logits)


def test_earlier_logits_are_seen_at_the_same_place_of_the_image_from_another_window() -> None:
    model = load_model()
    grid = model.grid
    values = np.full((grid, grid), -8.0, dtype=np.float32)
    values[grid // 2 :, grid // 2 :] = 8.0  # the lower right quarter of a 200-pixel window: image x, y >= 100
    near = Window(100, 100, 100, 100)
    from samtta_app.model.predictor import logits_in_window

    seen = logits_in_window(Logits(Window(0, 0, 200, 200), values), near, grid)[0, 0]
    assert (seen[1:, 1:] > 0).all()
    far = logits_in_window(Logits(Window(0, 0, 200, 200), values), Window(300, 300, 100, 100), grid)
    assert (far < 0).all()


def test_weights_are_replaced_for_one_call_only() -> None:
    model = toy_model()
    features = features_of(model)
    embedded = embed(model, features, Prompt((Click(60, 40, True),)))
    with torch.no_grad():
        before = decode(model, model.frozen.tensors, features, embedded).logits
        zeros = {key: torch.zeros_like(value) for key, value in model.frozen.tensors.items()}
        assert decode(model, zeros, features, embedded).logits.abs().max() == 0
        assert torch.equal(decode(model, model.frozen.tensors, features, embedded).logits, before)


def test_the_default_model_finds_a_bright_disc() -> None:
    model = load_model()
    image = picture(5, 200, 240, discs=((120, 100, 40),))
    features, _ = finish(encode(model, image, image.whole))
    with torch.no_grad():
        found = decode(model, model.frozen.tensors, features, embed(model, features, Prompt((Click(120, 100, True),))))
    masks = upscaled(model, found.logits, features).numpy() > 0
    assert masks.shape == (4, 200, 240)
    assert masks[:, 100, 120].any()
