"""The tensors of a checkpoint, whatever a training wrapped them in; code in a file is refused, not run."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from samtta_app.errors import CheckpointError
from samtta_app.phrases import Phrase

WRAPPINGS = ("model", "state_dict", "model_state_dict")
"""Names under which trainings keep the weights, beside their optimiser: SAM 2's own, Lightning's, and torch's tutorials'."""

PREFIXES = ("module.", "_orig_mod.", "model.", "sam.")
"""What is put before every name by DataParallel, by `torch.compile`, and by modules that hold the model as a part."""

COUNTER = "num_batches_tracked"
"""Ends the names of BatchNorm's counters, which change no answer; exports leave them out, or round them."""

_AGAIN = "Get the official file again"
_CHOOSE = "Choose an official file of SAM, MobileSAM, HQ-SAM or SAM 2, or one fine-tuned from it"


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.pth`, `.pt` or `.safetensors` file by the model's own names, out of wrappings and prefixes.

    Raises:
        CheckpointError: damaged, compressed, more than tensors inside, or no state dict.
    """
    loaded = _from_safetensors(path) if path.suffix == ".safetensors" else _from_pickle(path)
    state = _unwrapped(loaded)
    plain = isinstance(state, dict) and state and all(isinstance(key, str) for key in state)
    if not plain or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError("The file is not a SAM state dict", path, _CHOOSE)
    return _without_prefixes(state)


def fit(path: Path, name: str, net: nn.Module, state: Mapping[str, Tensor], names: Mapping[str, str]) -> None:
    """Give a network the tensors of a file in single precision, once every name and shape is as it must be.

    Args:
        name: of the architecture, for the message.
        names: what the file calls each tensor of the network, by the network's own name.

    Raises:
        CheckpointError: a tensor is missing, unexpected, of another shape or kind of number, or not finite.
    """
    own = net.state_dict()
    try:
        check_names(path, name, {names[key]: tuple(value.shape) for key, value in own.items()}, state)
        given = {
            key: torch.zeros((), dtype=torch.int64)
            if key.endswith(COUNTER)
            else single(path, names[key], state[names[key]])
            for key in own
        }
        net.load_state_dict(given, assign=True)
    except (RuntimeError, TypeError, ValueError, AttributeError) as e:  # tensors of a kind that is not plain
        raise CheckpointError(
            Phrase("The file does not fit {title}: {value}", title=title(name), value=str(e)[:120]), path, _AGAIN
        ) from e


def check_names(path: Path, name: str, expected: Mapping[str, tuple[int, ...]], state: Mapping[str, Tensor]) -> None:
    """Every name and every shape, exactly; BatchNorm's counters may be missing.

    Raises:
        CheckpointError: with the first that differs.
    """
    missing = sorted(key for key in expected.keys() - state.keys() if not key.endswith(COUNTER))
    unexpected = sorted(state.keys() - expected.keys())
    differing = sorted(key for key in expected.keys() & state.keys() if tuple(state[key].shape) != expected[key])
    if missing or unexpected or differing:
        raise CheckpointError(
            Phrase(
                "The file does not fit {title}: {number} tensors missing, {number_2} unexpected, "
                "{number_3} of another shape, first {value}",
                title=title(name),
                number=len(missing),
                number_2=len(unexpected),
                number_3=len(differing),
                value=(missing + unexpected + differing)[0][:100],
            ),
            path,
            _CHOOSE,
        )


def single(path: Path, key: str, value: Tensor) -> Tensor:
    """A tensor in single precision, with memory of its own.

    Raises:
        CheckpointError: it is no plain tensor of floating point numbers, or not finite.
    """
    plain = value.layout == torch.strided and not value.is_quantized and value.device.type == "cpu"
    if not plain or value.dtype not in (torch.float16, torch.bfloat16, torch.float32):
        raise CheckpointError(
            Phrase("The file holds {dtype} in {key}, where floating point is expected", dtype=value.dtype, key=key),
            path,
            _CHOOSE,
        )
    found = value.detach().to(torch.float32).contiguous()
    if found.numel() and not all(torch.isfinite(end) for end in found.aminmax()):  # NaN comes through; one pass
        raise CheckpointError(Phrase("The file holds values that are not finite, in {key}", key=key), path, _AGAIN)
    return found


def title(name: str) -> str:
    """An architecture's name in a message; SAM's own sizes are called SAM."""
    return f"SAM {name}" if name.startswith("vit_") else name


def _unwrapped(state: Any) -> Any:  # noqa: ANN401 (whatever a file holds)
    """What lies in the wrappings, at most two of them: a Lightning file may hold a `model` in its `state_dict`."""
    for _ in range(2):
        if isinstance(state, dict):
            state = next((state[key] for key in WRAPPINGS if isinstance(state.get(key), dict)), state)
    return state


def _without_prefixes(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names without what stands before all of them."""
    while prefix := next((each for each in PREFIXES if all(key.startswith(each) for key in state)), ""):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _from_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError, KeyError) as e:
        raise CheckpointError(Phrase("The model file cannot be used: {value}", value=str(e)[:120]), path, _AGAIN) from e


def _from_pickle(path: Path) -> object:
    """What a `.pth` file holds; code inside is refused, not run."""
    try:
        with warnings.catch_warnings():  # torch advises on the pickle's protocol; the file is judged by what it holds
            warnings.simplefilter("ignore")
            _refuse_bomb(path)
            found: object = torch.load(path, map_location="cpu", weights_only=True)
            return found
    except CheckpointError:
        raise
    except pickle.UnpicklingError as e:
        raise CheckpointError(
            "The file holds more than tensors, or is no checkpoint; it was not executed", path, _AGAIN
        ) from e
    except Exception as e:  # torch raises whatever a broken pickle raises
        raise CheckpointError("The file is truncated or damaged", path, _AGAIN) from e


def _refuse_bomb(path: Path) -> None:
    """A checkpoint is stored uncompressed: a file that claims to unpack to more than its size is refused."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as file:
        unpacked = sum(entry.file_size for entry in file.infolist())
    if unpacked > path.stat().st_size:
        raise CheckpointError("The file is compressed, which no checkpoint is", path, _AGAIN)
