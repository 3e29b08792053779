"""Which mask to show: a small network ranks the masks of all windows by the IoU that they are expected to have.

Predicted IoU alone chooses badly where windows differ: a lesion seen from far and a patch of texture seen from close by
both look sure. On 20 sets that the model never saw, the best of all masks after one click has .64 IoU, and the one that
predicted IoU shows .50. The network reads `mask_features`: it is small, so that it learns no looks of pictures by heart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.types import FloatArray
from samtta_app.model.backbone import SamModel
from samtta_app.model.companions import companion_of, read_companion, save_companion
from samtta_app.model.mask_features import FEATURES

_READS = json.dumps(FEATURES)

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
        """Expected IoU, 0 .. 1, of masks with these features (n, F); 0 where a feature or the IoU is not finite."""
        with torch.no_grad():
            scores = torch.sigmoid(self(torch.from_numpy(features)))
        return [float(score) for score in torch.where(torch.isfinite(scores), scores, 0.0)]


def layer_shapes(width: int = SELECTOR_WIDTH) -> dict[str, tuple[int, ...]]:
    """The shape of every layer by name."""
    count = len(FEATURES)
    weights = {"w1": (count, width), "w2": (width, width), "w3": (width, 1)}
    biases = {"b1": (width,), "b2": (width,), "b3": (1,)}
    return {**weights, **biases, "mean": (count,), "scale": (count,)}


def save_selector(selector: Selector, model: SamModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write a selector of `model`.

    Raises:
        ValueError, OSError: as in `save_companion`.
    """
    save_companion("selector", selector.layers, model, path, facts, _READS)


def load_selector(path: Path, model: SamModel) -> Selector:
    """Read the selector that was trained for `model`.

    Raises:
        CheckpointError: as in `read_companion`.
    """
    return Selector(*read_companion("selector", path, model, layer_shapes(), _READS))


def selector_for(model: SamModel) -> Selector | None:
    """The selector that is shipped or kept in the model folder for `model`."""
    return companion_of("selector", model, load_selector)
