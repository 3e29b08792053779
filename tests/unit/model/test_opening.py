"""A device that cannot be used is tried once; then the processor answers, and that is said."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer
from samtta_app.core.types import Click, Prompt
from samtta_app.engine.dispatch import open_engine, run
from samtta_app.errors import CheckpointError
from samtta_app.model import loading
from samtta_app.model.backbone import SamModel
from samtta_app.model.loading import open_model, try_answer
from samtta_app.model.model_registry import toy_model
from tests.unit.values import picture

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="torch can use a GPU here")


@without_gpu
def test_where_there_is_no_gpu_the_processor_answers_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    engine = open_engine(device="cuda")
    assert "on cpu: cuda cannot be used" in engine.description
    assert [record.levelno for record in caplog.records if record.name == loading.__name__] == [logging.WARNING]
    reply = run(engine, PredictRequest(1, picture(1), Prompt((Click(60, 50, True),))))
    assert isinstance(reply, Answer)


TROUBLES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    RuntimeError(
        "CUDA error: no kernel image is available for execution on the device\nCompile with TORCH_USE_CUDA_DSA"
    ),
    RuntimeError("The NVIDIA driver on your system is too old (found version 9000)"),
    AssertionError("Torch not compiled with CUDA enabled"),
    NotImplementedError("The operator is not implemented for MPS"),
    CheckpointError("The model cannot answer: its answer is not finite"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda e: f"{type(e).__name__}-{str(e)[:20]}")
@pytest.mark.parametrize("when", ["moving", "answering"])
def test_whatever_fails_on_the_gpu_it_is_tried_once(
    trouble: Exception, when: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []

    def moved(model: SamModel, device: str) -> SamModel:
        tried.append(device)
        if when == "moving":
            raise trouble
        return SamModel("on the gpu", model.backbone, model.size, model.frozen, model.device)

    def answered(model: SamModel, tensors: object = None) -> None:
        if model.name == "on the gpu":
            raise trouble

    monkeypatch.setattr(SamModel, "on", moved)
    monkeypatch.setattr(loading, "try_answer", answered)
    found = open_model(device="cuda")
    assert (tried, found.model.device.type, found.model.name) == (["cuda"], "cpu", "samtta-small")
    assert str(trouble).splitlines()[0][:40] in found.refusal
    assert len([record for record in caplog.records if record.name == loading.__name__]) == 1


def test_without_a_gpu_auto_is_the_processor_and_nothing_is_said() -> None:
    assert open_model(device="cpu").refusal == ""


@pytest.mark.parametrize("trouble", [RuntimeError("a kernel fails"), KeyError("odd"), ValueError("odd")])
def test_a_model_that_cannot_answer_is_not_called_ready(trouble: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(loading, "decode", fails)
    with pytest.raises(CheckpointError, match="cannot answer"):
        open_model(device="cpu")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")])
def test_a_model_that_does_not_fit_says_so(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(loading, "load_model", fails)
    with pytest.raises(CheckpointError, match="not enough memory"):
        open_model(device="cpu")


def test_trying_leaves_the_model_and_the_random_state_alone() -> None:
    model = toy_model()
    before = {name: tensor.clone() for name, tensor in model.net.state_dict().items()}
    state = torch.random.get_rng_state()
    try_answer(model)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.net.state_dict().items())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_not_finite_is_none(value: float) -> None:
    model = toy_model()
    tensors = {**model.frozen.tensors, "iou_token.weight": model.frozen.tensors["iou_token.weight"] * value}
    with pytest.raises(CheckpointError, match="not finite"):
        try_answer(model, tensors)
