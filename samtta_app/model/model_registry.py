"""Which models there are: shipped ones and official checkpoints by name, and what reads a file of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from samtta_app.checkpoints.model_catalogue import MODELS
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import Backbone, SamModel, built_model
from samtta_app.model.backbones.compact import open_compact
from samtta_app.model.backbones.official import open_official
from samtta_app.model.backbones.sam import OfficialSam, toy_sam
from samtta_app.phrases import Phrase
from samtta_app.settings import model_folder, resource

OFFICIAL_CHECKPOINTS: Mapping[str, str] = {model.name: model.file for model in MODELS if not model.shipped}
"""Name of a published model -> name of its file, looked for in the model folder."""

DEFAULT_MODEL = "samtta-small"
SHIPPED = (DEFAULT_MODEL, "samtta-base")

Opener = Callable[[Path, int | None], tuple[str, Backbone, int]]
"""Reads a file for an input size (None: its own), and gives the model's name, its backbone on the CPU and the input size."""


def open_safetensors(path: Path, input_size: int | None) -> tuple[str, Backbone, int]:
    """Read a compact model, or an official architecture that was saved as safetensors.

    Raises:
        CheckpointError: as in `open_compact` or `open_official`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            ours = "config" in (file.metadata() or {})
            official = not ours and any("mask_decoder.iou_token" in key for key in file.keys())  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError):
        official = False  # what is wrong with it is said where it is read
    return open_official(path, input_size) if official else open_compact(path, input_size)


OPENERS: Mapping[str, Opener] = {".safetensors": open_safetensors, ".pth": open_official, ".pt": open_official}
"""What reads a file, by its name's ending; any other file is read as an official checkpoint."""


def load_model(source: str | Path = DEFAULT_MODEL, device: str = "auto", input_size: int | None = None) -> SamModel:
    """Load a shipped model by name, an official model by architecture name, or any of both from a local path.

    Args:
        source: a name or a path.
        device: "cpu", "cuda", "mps", or "auto" for an NVIDIA GPU where torch can use one and the CPU elsewhere.
        input_size: side of the compact model's input in pixels, in place of its own; official SAMs have a fixed one.

    Raises:
        CheckpointError: missing, truncated, of another architecture than its name says, or more than tensors inside; no
            such input size.
    """
    path, device = model_file(source), chosen_device(device)
    name, backbone, size = OPENERS.get(path.suffix, open_official)(path, input_size)
    known = {file: architecture for architecture, file in OFFICIAL_CHECKPOINTS.items()}
    if name != known.get(path.name, name):
        raise CheckpointError(
            Phrase("The file is called as that of {known}, but holds {name}", known=known[path.name], name=name),
            path,
            Phrase(
                "Get the official file again, or rename this one to {get}",
                get=OFFICIAL_CHECKPOINTS.get(name, "a name of its own"),
            ),
        )
    return built_model(name, backbone, size, device)


def chosen_device(device: str = "auto") -> str:
    """The device that "auto" stands for; any other name as it is. Apple's is never the automatic choice: results differ."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def toy_model(seed: int = 0) -> SamModel:
    """SAM's own modules at toy size with random weights, for tests."""
    return built_model("toy", OfficialSam(toy_sam(seed)), 64)


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
    if name in OFFICIAL_CHECKPOINTS:
        advice = Phrase(
            "samtta models says how to get it: samtta models download {name}, or samtta models add FILE", name=name
        )
        raise CheckpointError(Phrase("The model {name} is not on this machine", name=name), path, advice)
    known = ", ".join([*SHIPPED, *OFFICIAL_CHECKPOINTS])
    raise CheckpointError(
        "There is no such model file", path, Phrase("Give the path of a file, or one of {known}", known=known)
    )
