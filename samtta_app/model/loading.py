"""A model counts as ready once it has answered: on the requested device, or else on the processor."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from samtta_app.core.types import Click, Logits, Prompt, Window
from samtta_app.errors import CheckpointError
from samtta_app.extras import extra_advice
from samtta_app.images.read import from_array
from samtta_app.model.backbone import SamModel
from samtta_app.model.fast_encoder import FAST_DEVICE, with_fast_encoder
from samtta_app.model.memory_shortage import out_of_memory
from samtta_app.model.model_registry import DEFAULT_MODEL, chosen_device, load_model
from samtta_app.model.predictor import ImageFeatures, decode, embed, encode
from samtta_app.model.weights import Tensors
from samtta_app.phrases import Phrase

_SIDE = 48
"""Side in pixels of the image on which a model is tried."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """A model that has answered, and why it is not on the requested device ("" where it is)."""

    model: SamModel
    refusal: str = ""


def open_model(source: str | Path = DEFAULT_MODEL, device: str = "auto", input_size: int | None = None) -> _Opened:
    """Load a model, as `load_model` does, and have it answer once.

    A GPU that is too old, has no memory left or is not there is tried once. Then the processor answers, and the refusal and
    the log say so. So it is with OpenVINO, the device "openvino", where it is not installed.

    Raises:
        CheckpointError: as in `load_model`, or the model cannot answer.
    """
    wanted = chosen_device(device)
    if wanted == "cpu":
        return _Opened(_tried(source, "cpu", input_size))
    model = load_model(source, "cpu", input_size)
    try:
        model = with_fast_encoder(model) if wanted == FAST_DEVICE else model.on(wanted)
        try_answer(model)
        return _Opened(model)
    except ImportError:
        reason = OPENVINO_ABSENT.format(do=extra_advice("fast"))
    except (RuntimeError, AssertionError, NotImplementedError, CheckpointError) as e:
        reason = (str(e).strip().splitlines() or [type(e).__name__])[0][:200]
    refusal = Phrase(DEVICE_REFUSED, device=wanted, reason=reason)
    log.warning("The device %s, so the processor answers", refusal)
    return _Opened(_tried(source, "cpu", input_size), refusal)


DEVICE_REFUSED = "{device} cannot be used ({reason})"
OPENVINO_ABSENT = "OpenVINO is not installed; {do}"


def open_model_alone(source: str | Path, device: str) -> SamModel:
    """The model alone; the arguments are the same."""
    return open_model(source, device).model


def _tried(source: str | Path, device: str, input_size: int | None) -> SamModel:
    try:
        model = load_model(source, device, input_size)
        try_answer(model)
    except (MemoryError, RuntimeError, ValueError, TypeError, KeyError, IndexError) as e:
        if out_of_memory(e):
            do = "Close other programs, or choose a smaller model"
            raise CheckpointError("There is not enough memory for the model", source, do) from e
        raise _useless(Path(source).stem, f"it fails ({type(e).__name__}: {str(e)[:120]})") from e
    return model


def try_answer(model: SamModel, tensors: Tensors | None = None) -> None:
    """Have a model answer a click on a small image, and a second one, under `tensors` or its own decoder.

    Encoders that are not quick are left out on the processor: they take seconds, and SAM's files are known to the last tensor.

    Raises:
        CheckpointError: an answer is not finite, or not of the size that it must have.
    """
    features = _features(model)
    window, logits = features.window, None
    for clicks in ((Click(20.0, 24.0, True),), (Click(20.0, 24.0, True), Click(40.0, 8.0, False))):
        with torch.no_grad():
            asked = Prompt(clicks, None, logits)
            found = decode(model, tensors or model.frozen.tensors, features, embed(model, features, asked))
        if found.logits.shape != (4, model.grid, model.grid) or found.iou.shape != (4,):
            raise _useless(model.name, "its answer has another size than its input")
        if not (torch.isfinite(found.logits).all() and torch.isfinite(found.iou).all()):
            raise _useless(model.name, "its answer is not finite")
        logits = Logits(window, found.logits[0].float().cpu().numpy())


def _features(model: SamModel) -> ImageFeatures:
    window = Window(0, 0, _SIDE, _SIDE)
    if not model.policy.quick_encoder and model.device.type == "cpu":
        cells = model.size // 16
        zeros = torch.zeros(1, model.backbone.width, cells, cells)
        return ImageFeatures("", window, zeros, (), (model.size, model.size))
    ramp = np.add.outer(np.arange(_SIDE), np.arange(_SIDE)).astype(np.uint8)
    work = encode(model, from_array(np.repeat(ramp[..., None], 3, axis=2)), window)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            features: ImageFeatures = finished.value
            return features


def _useless(name: str, why: str) -> CheckpointError:
    return CheckpointError(
        Phrase("The model {name!r} cannot answer: {why}", name=name, why=why), "", "Choose another model file"
    )
