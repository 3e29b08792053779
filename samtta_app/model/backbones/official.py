"""Official checkpoints of SAM, MobileSAM, HQ-SAM and SAM 2, and files fine-tuned from them: recognised, checked, opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import Sam
from torch import Tensor

from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import Backbone
from samtta_app.model.backbones.checkpoint_states import fit, read_weights, single, title
from samtta_app.model.backbones.hq import HqMaskDecoder, HqSam
from samtta_app.model.backbones.sam import MobileSam, OfficialSam, names_in_file, sam_about, with_pixel_range
from samtta_app.model.backbones.sam_two import fitted_sam_two, sam_two_name
from samtta_app.model.backbones.tiny_vit import EARLY_WIDTH, TinyEncoder
from samtta_app.model.stored_tasks import check_tasks, without_tasks
from samtta_app.model.weights import Tensors
from samtta_app.phrases import Phrase

_BLOCKS = {12: "vit_b", 24: "vit_l", 32: "vit_h"}
_WIDTHS = {"vit_b": 768, "vit_l": 1024, "vit_h": 1280}
_SIZE = 1024

_ANY_SIZE = ("mobile_sam", "hq_tiny", "sam2")
"""What the names of architectures begin with whose encoders take other sizes: theirs have no table of positions of one size.

They answer less well there than at 1024 pixels, at which they were trained, but encode in a fraction of the time.
"""

_LEAST, _STEP = 256, 64
"""Smallest other size, and of what it is a multiple: the deepest stage of the encoders has a cell for each 32 pixels."""


def open_official(path: Path, input_size: int | None) -> tuple[str, Backbone, int]:
    """Read an official checkpoint: the architecture's name, the backbone on the CPU, and the side of its input.

    Raises:
        CheckpointError: damaged, of another architecture, more than tensors inside, another `input_size`, or a package is
            missing that SAM 2 needs.
    """
    state, vectors = without_tasks(read_weights(path))
    name = _architecture(path, state)
    size = _size(path, name, input_size)
    backbone: Backbone
    if name.startswith("sam2"):
        backbone = fitted_sam_two(path, name, state, _tasks(path, name, vectors), size)
    else:
        net = _built(name, size)
        fit(path, name, net, state, names_in_file(net))
        kind = HqSam if name.startswith("hq") else MobileSam if name == "mobile_sam" else OfficialSam
        backbone = kind(with_pixel_range(net), _tasks(path, name, vectors))
    return name, backbone, size


def _size(path: Path, name: str, asked: int | None) -> int:
    """The side of the input.

    Raises:
        CheckpointError: the architecture cannot answer at what was asked for.
    """
    if asked in (None, _SIZE):
        return _SIZE
    if not name.startswith(_ANY_SIZE):
        raise CheckpointError(
            Phrase("{title} answers at {size} pixels only", title=title(name), size=_SIZE), path, "Leave it out"
        )
    if asked % _STEP or not _LEAST <= asked <= _SIZE:
        do = Phrase("Choose a multiple of {step} from {least} to {size}", step=_STEP, least=_LEAST, size=_SIZE)
        raise CheckpointError(
            Phrase("{title} cannot answer at {asked} pixels", title=title(name), asked=asked), path, do
        )
    return asked


def _architecture(path: Path, state: Mapping[str, Tensor]) -> str:
    """The name of the architecture that has such tensors."""
    if any(key.startswith("sam_mask_decoder.") for key in state):
        return sam_two_name(path, state)
    hq = "hq_" if "mask_decoder.hf_token.weight" in state else ""
    if any(key.startswith("image_encoder.layers.") for key in state):
        return "hq_tiny" if hq else "mobile_sam"
    blocks = {key.split(".")[2] for key in state if key.startswith("image_encoder.blocks.")}
    if len(blocks) not in _BLOCKS:
        raise CheckpointError(
            Phrase(
                "The file is of another architecture ({number} image encoder blocks; SAM has 12, 24 or 32)",
                number=len(blocks),
            ),
            path,
            "Choose an official file of SAM, MobileSAM, HQ-SAM or SAM 2",
        )
    return hq + _BLOCKS[len(blocks)]


def _built(name: str, size: int) -> Sam:
    """The network of SAM's first generation, waiting for the values of a file."""
    if name in ("mobile_sam", "hq_tiny"):
        with torch.random.fork_rng(devices=[]):
            return sam_about(TinyEncoder(size), HqMaskDecoder(EARLY_WIDTH) if name == "hq_tiny" else None, size)
    vit = name.removeprefix("hq_")
    build: Callable[[], Sam] = sam_model_registry[vit]
    with torch.device("meta"):  # no time is spent on random numbers that the file replaces
        net = build()
        if name != vit:
            net.mask_decoder = HqMaskDecoder(_WIDTHS[vit])
    return net


def _tasks(path: Path, name: str, vectors: Tensors) -> Tensors:
    """The task prompts of a file.

    Raises:
        CheckpointError: they cannot be task prompts of such a model.
    """
    try:
        check_tasks({task: vector.shape for task, vector in vectors.items()}, 256)
        return {task: single(path, f"the task prompt {task!r}", vector) for task, vector in vectors.items()}
    except (RuntimeError, TypeError, ValueError, AttributeError) as e:
        raise CheckpointError(
            Phrase("The file does not fit {title}: {value}", title=title(name), value=str(e)[:120]),
            path,
            "Get the official file again",
        ) from e
