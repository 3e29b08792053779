"""An encoder that OpenVINO runs: the same features, in steps, and what becomes of a model where it cannot be had."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from samtta_app.engine.dispatch import Engine, open_engine
from samtta_app.model import fast_encoder
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.fast_encoder import FAST_DEVICE, DisagreementError, with_fast_encoder
from samtta_app.model.feature_files import packed_features
from samtta_app.model.loading import open_model
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import ImageFeatures
from tests.unit.values import picture


def encoded(model: SamModel) -> tuple[ImageFeatures, int]:
    """The features of a picture, and the steps that they took."""
    work, steps = FeatureCache(model).features(picture(1), picture(1).whole), 0
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value, steps
        steps += 1


Encoding = Callable[[Tensor], Generator[None, None, tuple[Tensor, tuple[Tensor, ...]]]]


def standing_in(add: float) -> Callable[[SamModel], Encoding]:
    """An encoder that gives the backbone's features and adds to them, in three further steps."""

    def make(model: SamModel) -> Encoding:
        def encode(x: Tensor) -> Generator[None, None, tuple[Tensor, tuple[Tensor, ...]]]:
            embedding, skips = yield from model.backbone.encode(x)
            for _ in range(3):
                yield
            return embedding + add, skips

        return encode

    return make


def test_it_takes_the_place_of_the_backbone_s_and_its_features_have_files_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = open_model("samtta-small", "cpu", 128).model
    monkeypatch.setattr(fast_encoder, "FastEncoder", standing_in(1e-5))
    fast = with_fast_encoder(plain)
    (ours, steps), (theirs, before) = encoded(fast), encoded(plain)
    assert steps == before + 3
    assert 0 < float((ours.embedding - theirs.embedding).abs().max()) < 2e-5
    assert packed_features(fast, ours)[0] != packed_features(plain, theirs)[0]
    assert Engine(fast).description.endswith(" on openvino")
    assert fast.on("cpu").encoder is None


def test_other_features_than_those_of_torch_are_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fast_encoder, "FastEncoder", standing_in(0.5))
    engine = open_engine("samtta-small", device=FAST_DEVICE, input_size=128)
    assert "on cpu: openvino cannot be used (its features are not those of torch)" in engine.description
    assert "so the processor answers" in caplog.text
    caplog.clear()
    monkeypatch.setattr(fast_encoder, "FastEncoder", standing_in(float("nan")))
    with pytest.raises(DisagreementError):
        with_fast_encoder(engine.resources.model)


def test_an_encoder_that_openvino_cannot_run_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = SimpleNamespace(convert_model=lambda *_, **__: {}["operation"])
    monkeypatch.setitem(sys.modules, "openvino", broken)
    note = open_model("samtta-small", FAST_DEVICE, 64).refusal
    assert "(OpenVINO cannot run its encoder: KeyError)" in note
    caplog.clear()


def test_without_openvino_the_processor_answers_and_the_words_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setitem(sys.modules, "openvino_telemetry", None)
    opened = open_model("samtta-small", FAST_DEVICE, 128)
    assert opened.model.encoder is None
    assert 'OpenVINO is not installed; Say: pip install "samtta[fast]"' in opened.refusal
    assert opened.refusal in caplog.text
    caplog.clear()


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not here: pip install 'samtta[fast]'")
@pytest.mark.parametrize("official", [True, False])
def test_openvino_gives_the_features_of_torch(official: bool) -> None:
    plain = toy_model() if official else open_model("samtta-small", "cpu", 128).model
    fast = with_fast_encoder(plain)
    assert sys.modules["openvino_telemetry"] is None, "nothing is reported to anyone"
    (ours, _), (theirs, _) = encoded(fast), encoded(plain)
    torch.testing.assert_close(ours.embedding, theirs.embedding, atol=1e-4, rtol=1e-4)
    for one, other in zip(ours.skips, theirs.skips, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    abandoned, x = fast.encoder, torch.zeros(1, 3, plain.size, plain.size)
    assert abandoned is not None
    next(abandoned(x), None)  # left in the middle
    assert torch.equal(encoded(replace(fast, name="again"))[0].embedding, ours.embedding)
