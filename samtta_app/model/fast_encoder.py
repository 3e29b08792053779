"""The encoder of a model, run by OpenVINO on the processor (the extra `fast`): the same features in less time."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Generator
from dataclasses import replace
from types import ModuleType
from typing import Any, cast

import torch
from torch import Tensor, nn

from samtta_app.model.backbone import Backbone, SamModel

FAST_DEVICE = "openvino"
"""The name of this way in the setting `device` and in `--device`."""

AGREEMENT = 1e-3
"""Most that a feature may differ from torch's, as a share of the largest: rounding in another order gives 1e-6."""

_PATIENCE = 5
"""Milliseconds of waiting for the encoder between two looks at whether a click has come."""

_Features = tuple[Tensor, tuple[Tensor, ...]]


class DisagreementError(RuntimeError):
    """The features are not those of torch."""


class FastEncoder:
    """Encodes inputs (1, 3, S, S) in place of a model's backbone, with as many threads as torch has.

    Args:
        model: on the processor; its encoder is compiled, which takes seconds, and minutes for a ViT.

    Raises:
        ImportError: OpenVINO is not installed.
        RuntimeError: OpenVINO cannot run this encoder.
    """

    def __init__(self, model: SamModel) -> None:
        sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))  # it would report every import to a server
        openvino = importlib.import_module("openvino")
        try:
            self._compiled = _compiled(openvino, model)
        except Exception as error:  # its own errors are no RuntimeError
            raise RuntimeError(f"OpenVINO cannot run its encoder: {type(error).__name__}") from error

    def __call__(self, x: Tensor) -> Generator[None, None, _Features]:
        """Encode, as `Backbone.encode` does; yields while it is at work."""
        request = self._compiled.create_infer_request()  # one for each: another encoding may be under way
        request.start_async({0: x.contiguous().numpy()})
        while not request.wait_for(_PATIENCE):
            yield
        found = (request.get_output_tensor(k).data for k in range(len(self._compiled.outputs)))
        embedding, *skips = (torch.from_numpy(values.copy()) for values in found)
        return embedding, tuple(skips)


def _compiled(openvino: ModuleType, model: SamModel) -> Any:  # noqa: ANN401 (a model of OpenVINO)
    example = torch.zeros(1, 3, model.size, model.size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: sizes are constants here, as they are meant
        graph = openvino.convert_model(_Whole(model.backbone), example_input=example)
    graph.reshape([*example.shape])
    chosen = {
        "INFERENCE_PRECISION_HINT": "f32",  # some processors would take bfloat16
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # other programs run as well
    }
    return openvino.Core().compile_model(graph, "CPU", chosen)


class _Whole(nn.Module):
    """A backbone's encoding as one function, which can be traced."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.net, self._encode = backbone.net, backbone.encode

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        embedding, skips = _ended(self._encode(x))
        return embedding, *skips


def with_fast_encoder(model: SamModel) -> SamModel:
    """The same model with a fast encoder; that of a compact model is compared with torch once.

    Raises:
        ImportError, RuntimeError: as in `FastEncoder`; or the features differ by more than `AGREEMENT`.
    """
    fast = FastEncoder(model)
    if model.policy.quick_encoder:
        x = 2 * torch.rand(1, 3, model.size, model.size, generator=torch.Generator().manual_seed(0)) - 1
        ours, theirs = ((each[0], *each[1]) for each in (_ended(fast(x)), _ended(model.backbone.encode(x))))
        for one, other in zip(ours, theirs, strict=True):
            if not float((one - other).abs().max()) <= AGREEMENT * float(other.abs().max()):
                raise DisagreementError("its features are not those of torch")
    return replace(model, encoder=fast)


def _ended(work: Generator[None, None, _Features]) -> _Features:
    while True:
        try:
            next(work)
        except StopIteration as finished:
            features: _Features = finished.value
            return features
