"""The machine's resources for a run: device, memory and processors."""

import os

import torch

from samtta_app.errors import SettingsError, UserError
from samtta_app.model.model_registry import chosen_device

NO_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "insufficient memory",
    "insufficient shared memory",
    "bad_alloc",
    "killed by signal: killed",
)
"""Texts of out-of-memory errors from torch, its loader's processes, OpenCV and C++; the last is a killed process."""


def training_device(name: str = "auto") -> torch.device:
    """The device of this name; "auto" is an NVIDIA GPU where there is one and the CPU elsewhere.

    Raises:
        SettingsError: torch knows no such device, or there is none here.
    """
    try:
        device = torch.device(chosen_device(name))
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as e:
        reason = (str(e).splitlines() or [""])[0]
        raise SettingsError(f"The device {name!r} cannot be used: {reason}", do="Choose auto, cpu or cuda") from e
    return device


def trains_in_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 faster than in float32: GPUs, and processors with instructions for it.

    A step of `samtta-small` on such a processor takes four fifths of the time. Others would only imitate bfloat16.
    """
    if device.type != "cpu":
        return device.type == "cuda"
    capabilities = getattr(torch.cpu, "get_capabilities", None)  # older versions of torch have none
    return capabilities is not None and bool(capabilities().get("avx512_bf16"))


def training_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory was too small, on the GPU or on the host."""
    told = str(error).lower()
    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or any(words in told for words in NO_MEMORY)


def loader_workers(asked: int, device: torch.device) -> int:
    """Number of processes that make samples; for a GPU all processors but two."""
    return asked if device.type == "cpu" else max(asked, (os.cpu_count() or 1) - 2)


def from_loader(error: UserError) -> UserError:
    """The same error. One from a loader's process contains the traceback there, and becomes its last sentence."""
    if "Original Traceback" not in error.what:
        return error
    return type(error)(error.what.strip().splitlines()[-1].partition(": ")[2].removesuffix("."))
