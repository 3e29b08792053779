"""Running out of memory: how it is recognised, and how memory is released."""

from __future__ import annotations

import gc

import torch

_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed", "std::bad_alloc")
"""Parts of the messages by which torch's allocators and the GPU's libraries report it, in lower case."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the processor's or the GPU's memory ran out."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)


def give_back(device: torch.device) -> None:
    """Return unused memory to the system; the caller has emptied the caches before."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
