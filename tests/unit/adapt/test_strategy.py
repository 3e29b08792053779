"""Every strategy behind the seam keeps the same promises."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from samtta_app.adapt.memory import Memory, Remembered, remember_object
from samtta_app.adapt.registry import STRATEGIES, strategy
from samtta_app.adapt.strategies.lit_lora import LitLora
from samtta_app.adapt.strategy import AdaptationStrategy, Attempt, Knowledge, Lesson
from samtta_app.core.masks import trimmed
from samtta_app.core.types import Click, Prompt
from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.backbones.compact import CompactBackbone, CompactConfig, build_compact
from samtta_app.model.losses import true_iou
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.predictor import ImageFeatures, chosen, decode_prompt, encode
from samtta_app.model.weights import Tensors, all_finite, from_bytes, to_bytes
from tests.unit.model.official_toys import toy_hq, toy_sam_two
from tests.unit.values import example

T = TypeVar("T")


def done(work: Generator[Any, None, T]) -> T:
    """The value of a generator, worked to its end."""
    while True:
        try:
            share = next(work)
        except StopIteration as finished:
            value: T = finished.value
            return value
        assert (
            share is None or 0 <= share <= 1
        )  # nothing of the learning is done while it is tested or proposals are made


def encoded(model: SamModel, object_id: int, x: int = 60, radius: int = 18) -> tuple[Remembered, ImageFeatures]:
    """An accepted disc and the features of its image."""
    one = example(object_id, x=x, radius=radius)
    features = done(encode(model, one.image, one.window))
    item = remember_object(one, features, model.size)
    assert item is not None
    return item, features


def half_a_disc(model: SamModel) -> tuple[Remembered, ImageFeatures]:
    """A bright disc of which only the right half was accepted: what no model expects."""
    one = example(1, radius=30)
    features = done(encode(model, one.image, one.window))
    bits = one.mask.bits.copy()
    bits[:, :30] = False
    accepted = replace(one, mask=trimmed(bits, one.mask.x, one.mask.y), clicks=(Click(75, 50, True),))
    item = remember_object(accepted, features, model.size)
    assert item is not None
    return item, features


def shown_iou(model: SamModel, tensors: Tensors, item: Remembered) -> float:
    """IoU with the accepted mask of what a person sees after the object's first click."""
    prompt = Prompt(item.clicks[:1])
    with torch.no_grad():
        decoded = decode_prompt(model, tensors, item.features.to(torch.float32), prompt)
    index = chosen(decoded, prompt)
    return float(true_iou(decoded.logits[index : index + 1], item.whole)[0])


def same(one: Tensors, other: Tensors) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def differ(one: Tensors, other: Tensors) -> bool:
    return one.keys() == other.keys() and not same(one, other)


TOY = toy_model()
SHIPPED = load_model(device="cpu", input_size=128)
with torch.random.fork_rng():
    torch.manual_seed(0)
    SMALL = CompactConfig(dim=32, mlp=32, heads=2, depth=1, head_dim=32, input_size=64)
    COMPACT = built_model("compact", CompactBackbone(build_compact(SMALL)), 64)


def quick(name: str) -> AdaptationStrategy:
    """The strategy with its own figures, but for a shorter training."""
    return LitLora(passes=6) if name == "lit-lora" else strategy(name)


def object_learned(each: AdaptationStrategy, model: SamModel, seed: int) -> tuple[Tensors, Knowledge]:
    """Two objects from the first click to the accept: the tensors of the third answer, and what is known in the end."""
    known, items = Knowledge(model.frozen.tensors), Memory()
    for object_id, x in ((1, 60), (2, 80)):
        item, features = encoded(model, object_id, x)
        items = items.add(item)
        attempt, prompt = None, Prompt()
        for click in (*item.clicks, Click(x + 9, 50, True), Click(x - 30, 20, False)):
            prompt = Prompt((*prompt.clicks, click))
            fitted = done(each.before_answer(model, known, attempt, prompt))
            attempt = Attempt(known, prompt, features, fitted.tensors, fitted.carried)
        learned = done(
            each.after_accept(model, known, Lesson(item, items, attempt, np.random.default_rng([seed, object_id])))
        )
        assert learned.verdict.reason
        assert np.isfinite(learned.losses).all()
        known = learned.knowledge
    return fitted.tensors, known


HQ, SAM_TWO = built_model("hq", toy_hq(), 64), built_model("sam2", toy_sam_two(), 64)


@pytest.mark.parametrize("model", [TOY, COMPACT, HQ, SAM_TWO], ids=["sam", "compact", "hq", "sam2"])
@pytest.mark.parametrize("name", [name for name in STRATEGIES if not name.startswith(("samtta", "sum"))])
def test_a_strategy_answers_learns_and_repeats_itself_without_touching_the_original(name: str, model: SamModel) -> None:
    each = quick(name)
    before = {key: value.clone() for key, value in model.net.state_dict().items()}
    answered, known = object_learned(each, model, 0)
    again, known_again = object_learned(each, model, 0)
    assert same(answered, again)
    assert same(known.tensors, known_again.tensors)
    assert same(before, model.net.state_dict())
    assert all_finite(answered)
    assert all_finite(known.tensors)
    assert answered.keys() == known.tensors.keys() == model.frozen.tensors.keys()
    changes = {"frozen": (False, False), "fbrs": (True, False), "dc-tta": (True, False), "lit-lora": (True, True)}
    for_answer, for_ever = changes.get(name, (True, True))
    assert differ(answered, model.frozen.tensors) is for_answer
    assert differ(known.tensors, model.frozen.tensors) is for_ever


@pytest.mark.parametrize("name", [name for name in STRATEGIES if not name.startswith(("samtta", "sum"))])
def test_what_is_stored_comes_back(name: str) -> None:
    each = quick(name)
    _, known = object_learned(each, TOY, 0)
    tensors, facts = each.stored(known)
    read, found = from_bytes(1, to_bytes(tensors, "toy", facts), "toy", TOY.frozen.tensors)
    assert same(each.restored(TOY, read, found).tensors, known.tensors)
