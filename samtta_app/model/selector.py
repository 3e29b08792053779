"""Which mask to show: a small network ranks the masks of all windows by the IoU that they are expected to have.

Predicted IoU alone chooses badly where windows differ: a lesion seen from far and a patch of texture seen from close by
both look sure. On 20 sets that the model never saw, the best of all masks after one click has .64 IoU, and the one that
predicted IoU shows .50. The network reads `mask_features`: it is small, so that it learns no looks of pictures by heart.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.types import FloatArray
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel
from samtta_app.model.compact_limits import check_slices
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.mask_features import FEATURES
from samtta_app.model.weights import all_finite, write_half
from samtta_app.settings import model_folder, resource

log = logging.getLogger(__name__)

_FORMAT = "samtta-selector-1"

SELECTOR_WIDTH = 32
"""Values of each hidden layer: some 1,800 parameters, which the answers to a few hundred objects determine."""


@dataclass(frozen=True, slots=True, eq=False)
class Selector:
    """Linear, GELU, Linear, GELU, Linear, sigmoid, on features that are centred and scaled.

    `layers`: w1 (F, H), w2 (H, H), w3 (H, 1), biases b1, b2, b3, and `mean`, `scale` (F,). `facts` are the training's.
    """

    layers: Mapping[str, Tensor]
    facts: Mapping[str, str]

    def __call__(self, features: Tensor) -> Tensor:
        """Raw scores (..., n) of features (..., n, F), differentiable; their sigmoid is the expected IoU."""
        w = self.layers
        x = (features - w["mean"]) / w["scale"]
        x = F.gelu(x @ w["w1"] + w["b1"])
        x = F.gelu(x @ w["w2"] + w["b2"])
        return (x @ w["w3"] + w["b3"])[..., 0]

    def expected(self, features: FloatArray) -> list[float]:
        """Expected IoU, 0 .. 1, of masks with these features (n, F); 0 where a feature is not finite."""
        rows = torch.from_numpy(features)
        known = torch.isfinite(rows).all(dim=1)
        with torch.no_grad():
            scores = torch.sigmoid(self(torch.where(known[:, None], rows, 0.0)))
        return [float(score) if fit else 0.0 for score, fit in zip(scores, known, strict=True)]


def layer_shapes(width: int = SELECTOR_WIDTH) -> dict[str, tuple[int, ...]]:
    """The shape of every layer by name."""
    count = len(FEATURES)
    weights = {"w1": (count, width), "w2": (width, width), "w3": (width, 1)}
    biases = {"b1": (width,), "b2": (width,), "b3": (1,)}
    return {**weights, **biases, "mean": (count,), "scale": (count,)}


def save_selector(selector: Selector, model: SamModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write a selector of `model` as float16 safetensors, whole or not at all.

    Raises:
        ValueError: a value is not finite in float16; an older file stays.
        OSError: the file cannot be written; an older file stays.
    """
    known = {
        "format": _FORMAT,
        "features": json.dumps(FEATURES),
        "model": model.name,
        "fingerprint": fingerprint(model),
    }
    write_half(path, selector.layers, {**facts, **known})


def load_selector(path: Path, model: SamModel) -> Selector:
    """Read the selector that was trained for `model`.

    Raises:
        CheckpointError: the file is damaged or of another kind, or its selector was trained for another model.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = dict(file.metadata() or {})
            shapes = layer_shapes()
            check_slices({name: file.get_slice(name) for name in file.keys()}, shapes)  # noqa: SIM118 (not a dict)
            layers = {name: file.get_tensor(name).float() for name in shapes}
        fits = facts.get("format") == _FORMAT and facts.get("features") == json.dumps(FEATURES)
        fits = fits and all_finite(layers) and bool((layers["scale"] > 0).all())
    except (OSError, SafetensorError, ValueError) as e:
        raise CheckpointError("The selector of answers cannot be read", path, "Train or copy it again") from e
    if not fits:
        raise CheckpointError("The file holds no selector of answers", path, "Train one with `samtta train selector`")
    if facts.get("fingerprint") != fingerprint(model):
        raise CheckpointError(
            f"The selector was trained for the model {facts.get('model', 'unknown')!r}, not for this {model.name!r}",
            path,
            "Train one for it with `samtta train selector`",
        )
    return Selector(layers, facts)


def selector_for(model: SamModel) -> Selector | None:
    """The selector that is shipped or kept in the model folder for `model`; a file that cannot be used is told in the log."""
    name = f"{model.name}.selector.safetensors"
    path = next((p for p in (resource(f"models/{name}"), model_folder() / name) if p.is_file()), None)
    try:
        return load_selector(path, model) if path else None
    except CheckpointError as e:
        log.warning("%s", e)
        return None
