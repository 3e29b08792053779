"""Files of true architectures with random weights, made from the official packages when a test runs, and their predictors."""

from __future__ import annotations

import contextlib
import io
import math
import sys
import types
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from samtta_app.core.types import Image, Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import load_model
from samtta_app.model.predictor import Decoded, ImageFeatures, decode, embed, encode

SAM_TWO_CONFIGS = {
    f"{version}_{size}": f"configs/{version}/{version}_hiera_{letters}.yaml"
    for version in ("sam2", "sam2.1")
    for size, letters in {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}.items()
}

VECTORS = ("token.weight", "tokens.weight", "embed.weight", "gaussian_matrix")
"""Ends of the names of embeddings, whose values are about one."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Two of the packages import timm by old names, and one prints."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def reference(name: str, size: int = 1024, device: str = "cpu") -> Any:
    """The official package's own network of an architecture for inputs of `size` pixels, in evaluation mode."""
    with quiet():
        if name in SAM_TWO_CONFIGS:
            from sam2.build_sam import build_sam2

            side = f"++model.image_size={size}"
            return build_sam2(SAM_TWO_CONFIGS[name], device=device, hydra_overrides_extra=[side])
        build = _builder(name)
        with torch.device(device):
            return (build if size == 1024 else _at_size(build, size))().eval()


def _builder(name: str) -> Callable[[], nn.Module]:
    if name == "mobile_sam":
        from mobile_sam import sam_model_registry as mobile

        return mobile["vit_t"]
    if name.startswith("hq_"):
        from segment_anything_hq import sam_model_registry as hq

        return hq[name.removeprefix("hq_").replace("tiny", "vit_tiny")]
    from segment_anything import sam_model_registry as plain

    return plain[name]


def _at_size(build: Callable[[], nn.Module], size: int) -> Callable[[], nn.Module]:
    """The official code with another number for its 1024 pixels, and for the 64 cells that TinyViT's code writes out."""

    def built() -> nn.Module:
        net = _with_number(build, 1024, size)()
        encoder: Any = net.image_encoder
        changed = _with_number(type(encoder).forward_features, 64, size // 16)
        encoder.forward_features = types.MethodType(changed, encoder)
        return net

    return built


def _with_number(function: Any, number: int, other: int) -> Any:
    code = function.__code__
    assert number in code.co_consts
    constants = tuple(other if value == number else value for value in code.co_consts)
    return types.FunctionType(code.replace(co_consts=constants), function.__globals__, argdefs=function.__defaults__)


def predictor_of(name: str, net: Any, size: int = 1024) -> Any:
    """The official predictor on an official network."""
    if name in SAM_TWO_CONFIGS:
        from sam2.sam2_image_predictor import SAM2ImagePredictor

        with quiet():
            predictor = SAM2ImagePredictor(net)
        predictor._bb_feat_sizes = [(size // stride,) * 2 for stride in (4, 8, 16)]
        return predictor
    return sys.modules[type(net).__module__.split(".")[0]].SamPredictor(net)


def random_state(net: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """Values for every tensor of a network with which signals neither vanish nor explode."""
    draw = torch.Generator().manual_seed(seed)
    return {name: _drawn(name, value, draw) for name, value in net.state_dict().items()}


def _drawn(name: str, value: Tensor, draw: torch.Generator) -> Tensor:
    if not value.is_floating_point():
        return torch.zeros_like(value)
    noise = torch.randn(value.shape, generator=draw)
    if name.endswith("running_var"):
        return 1 + 0.3 * noise.abs()
    if value.ndim == 1:
        return 1 + 0.1 * noise if name.endswith("weight") else 0.1 * noise
    if name.endswith(VECTORS) or "point_embeddings" in name:
        return noise
    return noise / math.sqrt(value[0].numel())


def official_file(name: str, folder: Path, state: Mapping[str, Tensor]) -> Path:
    """A file as the authors save it, under a name of its own: SAM 2's has its tensors under `model`."""
    path = folder / f"random_{name}.pt"
    torch.save({"model": dict(state)} if name in SAM_TWO_CONFIGS else dict(state), path)
    return path


def wrapped(kind: str, state: Mapping[str, Tensor], folder: Path) -> Path:
    """The same tensors as a training, an export or another program saves them."""
    values: dict[str, Any] = dict(state)
    if kind == "safetensors":
        path = folder / "tuned.safetensors"
        save_file({key: value.contiguous().clone() for key, value in values.items()}, path, {"format": "pt"})
        return path
    if kind == "float16":
        values = {key: value.half() for key, value in values.items()}
    elif kind.endswith("."):
        values = {kind + key: value for key, value in values.items()}
    elif kind == "lightning":
        named = {f"model.{key}": value for key, value in values.items()}
        values = {"epoch": 3, "state_dict": named, "optimizer_states": [{"step": 1}]}
    else:
        values = {kind: values, "epoch": 3, "optimizer": {"param_groups": []}}
    torch.save(values, folder / "tuned.pth")
    return folder / "tuned.pth"


@dataclass(frozen=True)
class Case:
    """A file of an architecture, the model that is read from it, the official predictor, and the image in both."""

    name: str
    state: dict[str, Tensor]
    file: Path
    model: SamModel
    features: ImageFeatures
    predictor: Any

    def ask(self, prompt: Prompt, features: ImageFeatures | None = None) -> Decoded:
        used = features or self.features
        with torch.no_grad():
            return decode(self.model, self.model.frozen.tensors, used, embed(self.model, used, prompt))

    def official(self, prompt: Prompt, several: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        clicks, box, logits = prompt.clicks, prompt.box, prompt.logits
        masks, scores, low = self.predictor.predict(
            np.array([[c.x, c.y] for c in clicks], dtype=float) if clicks else None,
            np.array([int(c.positive) for c in clicks]) if clicks else None,
            np.array([box.x0, box.y0, box.x1, box.y1]) if box else None,
            logits.values[None] if logits else None,
            multimask_output=several,
        )
        return np.asarray(masks, dtype=bool), scores, low


def made(name: str, folder: Path, image: Image, size: int = 1024) -> Case:
    """A case of an architecture for inputs of `size` pixels, with random weights."""
    net = reference(name, size)
    state = random_state(net)
    net.load_state_dict(state)
    net.eval()  # TinyViT's code keeps what it makes of the weights here
    file = official_file(name, folder, state)
    model = load_model(file, "cpu", size)
    predictor = predictor_of(name, net, size)
    predictor.set_image(image.pixels)
    return Case(name, state, file, model, _finished(encode(model, image, image.whole)), predictor)


def _finished(work: Generator[None, None, ImageFeatures]) -> ImageFeatures:
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: ImageFeatures = end.value
            return found
