"""Which model answers: SAM's own architectures from official checkpoints, the compact default model, or a toy for tests."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from torch import Tensor, nn

from samtta_app.errors import CheckpointError
from samtta_app.model.backbones.compact import CompactSam, load_compact
from samtta_app.model.conv_fusion import fuse_batch_norms
from samtta_app.model.weights import Weights
from samtta_app.settings import model_folder, resource

OFFICIAL_CHECKPOINTS: Mapping[str, str] = {
    "vit_b": "sam_vit_b_01ec64.pth",
    "vit_l": "sam_vit_l_0b3195.pth",
    "vit_h": "sam_vit_h_4b8939.pth",
}
"""Architecture -> file name of Meta's checkpoint, looked for in the model folder."""

DEFAULT_MODEL = "samtta-small"
SHIPPED = (DEFAULT_MODEL, "samtta-base")

MIN_INPUT, MAX_INPUT = 64, 1024
"""Sides of the compact model's input in pixels; from 256 on its answers are measured."""

_PIXEL_MEAN, _PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_BLOCKS = {12: "vit_b", 24: "vit_l", 32: "vit_h"}


@dataclass(frozen=True, slots=True, eq=False)
class SamModel:
    """A built model: `net` has SAM's three parts, `size` is the side of its input in pixels, `frozen` the original decoder."""

    name: str
    net: Sam | CompactSam
    size: int
    frozen: Weights
    device: torch.device

    @property
    def compact(self) -> bool:
        """Whether it is the compact architecture (skips and click maps) rather than SAM's own."""
        return isinstance(self.net, CompactSam)

    def on(self, device: str) -> SamModel:
        """The same model moved to a device.

        Raises:
            RuntimeError: the device cannot be used, or has not enough memory; AssertionError where torch was built without it.
        """
        return _built(self.name, self.net, self.size, device)

    @property
    def grid(self) -> int:
        """Side of the low-resolution logits."""
        return self.size // 4

    @property
    def parameters(self) -> int:
        """Number of values in the whole model."""
        return sum(p.numel() for p in self.net.parameters())


def load_model(source: str | Path = DEFAULT_MODEL, device: str = "auto", input_size: int | None = None) -> SamModel:
    """Load a shipped model by name, an official SAM by architecture name, or any of both from a local path.

    Args:
        source: a name or a path.
        device: "cpu", "cuda", "mps", or "auto" for an NVIDIA GPU where torch can use one and the CPU elsewhere.
        input_size: side of the compact model's input in pixels, in place of its own; official SAMs have a fixed one.

    Raises:
        CheckpointError: missing, truncated, of another architecture, or more than tensors inside; no such input size.
    """
    path, device = model_file(source), chosen_device(device)
    net: Sam | CompactSam
    if path.suffix == ".safetensors":
        try:
            net = load_compact(path)
        except ValueError as e:
            raise CheckpointError(f"The model file cannot be used: {e}", path, "Choose another model file") from e
        fuse_batch_norms(net.image_encoder)
        net.image_encoder.to(memory_format=torch.channels_last)
        return _built(path.stem, net, _input_size(path, input_size or net.config.input_size), device)
    name, net = _official(path)
    if input_size not in (None, net.image_encoder.img_size):
        raise CheckpointError(f"SAM {name} answers at {net.image_encoder.img_size} pixels only", path, "Leave it out")
    return _built(name, net, net.image_encoder.img_size, device)


def _input_size(path: Path, size: int) -> int:
    if size % 32 or not MIN_INPUT <= size <= MAX_INPUT:
        raise CheckpointError(
            f"The model cannot answer at {size} pixels",
            path,
            f"Choose a multiple of 32 from {MIN_INPUT} to {MAX_INPUT}",
        )
    return size


def chosen_device(device: str = "auto") -> str:
    """The device that "auto" stands for; any other name as it is. Apple's is never chosen unasked: results differ there."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def toy_model(seed: int = 0) -> SamModel:
    """SAM's own modules at toy size (dim 32, depth 1, image 64) with random weights, for tests."""
    generator_state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    encoder = ImageEncoderViT(
        img_size=64, embed_dim=32, depth=1, num_heads=2, out_chans=32, use_rel_pos=True, window_size=0
    )
    net = Sam(
        image_encoder=encoder,
        prompt_encoder=PromptEncoder(32, (4, 4), (64, 64), mask_in_chans=4),
        mask_decoder=MaskDecoder(
            transformer_dim=32,
            transformer=TwoWayTransformer(depth=1, embedding_dim=32, num_heads=2, mlp_dim=32),
            iou_head_hidden_dim=32,
        ),
        pixel_mean=list(_PIXEL_MEAN),
        pixel_std=list(_PIXEL_STD),
    )
    torch.random.set_rng_state(generator_state)
    return _built("toy", net, 64, "cpu")


def _built(name: str, net: Sam | CompactSam, size: int, device: str) -> SamModel:
    net = net.to(device).eval()
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    tensors = {key: value.detach() for key, value in net.mask_decoder.named_parameters()}
    return SamModel(name, net, size, Weights(0, tensors), torch.device(device))


def model_file(source: str | Path) -> Path:
    """The file of a shipped model or an official architecture by name, or the given path.

    Raises:
        CheckpointError: there is none.
    """
    name = str(source)
    if name in SHIPPED:
        return resource(f"models/{name}.safetensors")
    path = model_folder() / OFFICIAL_CHECKPOINTS[name] if name in OFFICIAL_CHECKPOINTS else Path(source).expanduser()
    if path.is_file():
        return path
    known = ", ".join([*SHIPPED, *OFFICIAL_CHECKPOINTS])
    raise CheckpointError(
        "There is no such model file",
        path,
        f"Give the path of a file, or one of {known} (official files: {model_folder()})",
    )


def _official(path: Path) -> tuple[str, Sam]:
    state = _read_state(path)
    name = _architecture(path, state)
    build: Callable[[], Sam] = sam_model_registry[name]
    with torch.device("meta"):  # no time is spent on random numbers that the checkpoint replaces
        net = build()
    try:
        _check(path, name, net, state)
        net.load_state_dict({key: _single(path, key, value) for key, value in state.items()}, assign=True)
    except (RuntimeError, TypeError, ValueError, AttributeError) as e:  # tensors of a kind that is not plain
        raise CheckpointError(f"The file does not fit SAM {name}: {str(e)[:120]}", path, "Get the official file") from e
    net.pixel_mean = torch.tensor(_PIXEL_MEAN).view(-1, 1, 1)
    net.pixel_std = torch.tensor(_PIXEL_STD).view(-1, 1, 1)
    return name, net


def _read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.pth` file; code inside is refused, not run."""
    try:
        with warnings.catch_warnings():  # torch advises on the pickle's protocol; the file is judged below
            warnings.simplefilter("ignore")
            _refuse_bomb(path)
            state = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except pickle.UnpicklingError as e:
        raise CheckpointError(
            "The file holds more than tensors, or is no checkpoint; it was not executed",
            path,
            "Get the official file again",
        ) from e
    except Exception as e:  # torch raises whatever a broken pickle raises
        raise CheckpointError("The file is truncated or damaged", path, "Get the official file again") from e
    plain = isinstance(state, dict) and state and all(isinstance(key, str) for key in state)
    if not plain or not all(isinstance(v, Tensor) for v in state.values()):
        raise CheckpointError("The file is not a SAM state dict", path, "Choose an official sam_vit_*.pth file")
    return dict(state)


def _refuse_bomb(path: Path) -> None:
    """A checkpoint is stored, not packed: one that says it unpacks to more than the file has is none."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as file:
        unpacked = sum(entry.file_size for entry in file.infolist())
    if unpacked > path.stat().st_size:
        raise CheckpointError("The file is packed, as no checkpoint is", path, "Get the official file again")


def _architecture(path: Path, state: Mapping[str, Tensor]) -> str:
    blocks = {key.split(".")[2] for key in state if key.startswith("image_encoder.blocks.")}
    name = _BLOCKS.get(len(blocks))
    if name is None:
        raise CheckpointError(
            f"The file is of another architecture ({len(blocks)} image encoder blocks; SAM has 12, 24 or 32)",
            path,
            "Choose an official sam_vit_b, sam_vit_l or sam_vit_h file",
        )
    return name


def _single(path: Path, key: str, value: Tensor) -> Tensor:
    """A tensor in single precision, with memory of its own."""
    plain = value.layout == torch.strided and not value.is_quantized and value.device.type == "cpu"
    if not plain or value.dtype not in (torch.float16, torch.bfloat16, torch.float32):
        advice = "Choose an official sam_vit_*.pth file"
        raise CheckpointError(f"The file holds {value.dtype} in {key}, where floating point is meant", path, advice)
    single = value.detach().to(torch.float32).contiguous()
    if not torch.isfinite(single).all():
        raise CheckpointError(
            f"The file holds values that are not finite, in {key}", path, "Get the official file again"
        )
    return single


def _check(path: Path, name: str, net: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Every key and every shape, exactly."""
    expected = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    missing = sorted(expected.keys() - state.keys())
    unexpected = sorted(state.keys() - expected.keys())
    differing = [key for key in expected.keys() & state.keys() if tuple(state[key].shape) != expected[key]]
    if not (missing or unexpected or differing):
        return
    key = (missing + unexpected + sorted(differing))[0]
    raise CheckpointError(
        f"The file does not fit SAM {name}: {len(missing)} tensors missing, {len(unexpected)} unexpected, "
        f"{len(differing)} of another shape, first {key}",
        path,
        "Choose an official sam_vit_b, sam_vit_l or sam_vit_h file",
    )
