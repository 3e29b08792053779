"""Identifies a model by its weights, not its name: weights learned on one model are useless for another."""

from __future__ import annotations

import hashlib
from weakref import WeakKeyDictionary

import torch
from torch import nn

from samtta_app.model.backbone import SamModel

_KNOWN: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()  # of a large model it takes seconds


def weights_sha256(model: SamModel) -> str:
    """SHA-256 of all weights of encoder, prompt encoder and original decoder: names, types, shapes and every byte.

    It is computed once: a model's own weights are never changed in place.
    """
    if model.net in _KNOWN:
        return _KNOWN[model.net]
    digest = hashlib.sha256()
    for name, value in sorted(model.net.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)};".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return _KNOWN.setdefault(model.net, digest.hexdigest())


def fingerprint(model: SamModel) -> str:
    """A digest of all weights' shapes and first values: it identifies a model by its weights, not its name."""
    digest = hashlib.sha256()
    for name, value in model.net.state_dict().items():
        digest.update(f"{name}{tuple(value.shape)}".encode())
        digest.update(value.flatten()[:8].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
