"""Running out of memory: told from other errors, and what is done about it."""

from __future__ import annotations

import gc

import torch

_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed", "std::bad_alloc")
"""Parts of the texts by which torch's allocators and the GPU's libraries say it, in lower case."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory, the processor's or the GPU's, did not suffice."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)


def give_back(device: torch.device) -> None:
    """Give what nothing holds any more back to the machine; caches have been emptied before."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
