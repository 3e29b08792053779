"""Several prompts in one pass of the decoder are answered as one by one."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor

from samtta_app.core.types import Box, Click, Logits, Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import Larger
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.predictor import ImageFeatures, decode, decode_many, embed, encode
from tests.unit.values import picture

PLACES = ((60, 40), (10, 90), (127, 0), (60, 41))


def finished(work: Generator[None, None, ImageFeatures]) -> ImageFeatures:
    while True:
        try:
            next(work)
        except StopIteration as done:
            features: ImageFeatures = done.value
            return features


@pytest.fixture(scope="module", params=["toy", "compact"])
def seen(request: pytest.FixtureRequest) -> tuple[SamModel, ImageFeatures]:
    model = toy_model() if request.param == "toy" else load_model(input_size=256)
    image = picture(1, discs=((60, 50, 18),))
    return model, finished(encode(model, image, image.whole))


def prompts(model: SamModel, kind: str) -> list[Prompt]:
    single = [Prompt((Click(x, y, (x + y) % 2 == 0),)) for x, y in PLACES]
    if kind == "click":
        return single
    if kind == "clicks":
        return [Prompt((*p.clicks, Click(30, 30, False))) for p in single]
    if kind == "box":
        return [Prompt((), Box(x / 2, y / 2, x / 2 + 40, y / 2 + 30)) for x, y in PLACES]
    low = np.random.default_rng(0).normal(size=(4, model.grid, model.grid)).astype(np.float32)
    logits = [Logits(picture(1).whole, values) for values in low]
    return [replace(p, box=Box(1, 2, 90, 70), logits=values) for p, values in zip(single, logits, strict=True)]


@pytest.mark.parametrize("kind", ["click", "clicks", "box", "all"])
def test_a_batch_equals_single_decodes(seen: tuple[SamModel, ImageFeatures], kind: str) -> None:
    model, features = seen
    asked = prompts(model, kind)
    with torch.no_grad():
        together = decode_many(model, model.frozen.tensors, features, asked)
        alone = [decode(model, model.frozen.tensors, features, embed(model, features, p)) for p in asked]
    assert len(together) == len(asked)
    for one, other in zip(together, alone, strict=True):
        assert one.logits.shape == (4, model.grid, model.grid)
        assert torch.allclose(one.logits, other.logits, atol=2e-4)
        assert torch.allclose(one.iou, other.iou, atol=1e-5)
        assert torch.allclose(one.tokens, other.tokens, atol=1e-4)
    assert not torch.allclose(together[0].logits, together[1].logits, atol=1e-2)


def test_a_batch_equals_the_official_predictors() -> None:
    model, image = toy_model(), picture(1)
    features = finished(encode(model, image, image.whole))
    with torch.no_grad():
        found = decode_many(model, model.frozen.tensors, features, prompts(model, "click"))
    predictor = SamPredictor(model.net)
    predictor.set_image(image.pixels)
    for one, (x, y) in zip(found, PLACES, strict=True):
        _, scores, low = predictor.predict(np.array([[x, y]], float), np.array([int((x + y) % 2 == 0)]))
        assert np.allclose(one.logits[1:].numpy(), low, atol=1e-5)
        assert np.allclose(one.iou[1:].numpy(), scores, atol=1e-6)


@pytest.mark.parametrize("others", [[], ["clicks"], ["box"]])
def test_prompts_of_other_parts_are_refused(seen: tuple[SamModel, ImageFeatures], others: list[str]) -> None:
    model, features = seen
    mixed = [p for kind in ("click", *others) for p in prompts(model, kind)] if others else []
    with pytest.raises(ValueError, match="the same parts"):
        decode_many(model, model.frozen.tensors, features, mixed)


def test_a_larger_model_is_loaded_once_and_only_when_asked() -> None:
    loaded: list[int] = []

    def load() -> SamModel:
        loaded.append(1)
        return toy_model(seed=3)

    larger = Larger(load)
    assert not loaded
    image = picture(1)
    features = finished(larger.cache.features(image, image.whole))
    assert larger.cache.has(image.key, image.whole)
    assert torch.equal(features.embedding, finished(encode(larger.model, image, image.whole)).embedding)
    assert loaded == [1]
