"""What accepted objects look like, to be shown to the decoder with the next prompt.

It is learning without a step: nothing is trained, nothing is forgotten, and an object that is withdrawn is gone at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from samtta_app.adapt.memory import Memory, Remembered
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.weights import EXTRA, Tensors

SHOWN_LOOKS = 5
"""Looks shown with a prompt at most: the models that read them were trained with so many."""

_PREFIX = f"{EXTRA}look."


@dataclass(frozen=True, slots=True, eq=False)
class AcceptedLook:
    """The look of one accepted object: its id, its class, and how the encoder sees it and its ground."""

    object_id: int
    class_id: int | None
    look: Look


@dataclass(frozen=True, slots=True, eq=False)
class AcceptedLooks:
    """The looks of the remembered objects, by id; none where the model cannot read them."""

    seen: tuple[AcceptedLook, ...] = ()

    def updated(self, model: SamModel, memory: Memory) -> AcceptedLooks:
        """The looks of the objects in `memory`; those that are known are not computed again."""
        known = {each.object_id: each for each in self.seen}
        found = (known.get(item.object_id) or _look_of(model, item) for item in memory.items)
        return AcceptedLooks(tuple(each for each in found if each is not None))

    def of_class(self, class_id: int | None) -> tuple[Look, ...]:
        """The newest looks of a class, SHOWN_LOOKS at most."""
        return tuple(each.look for each in self.seen if each.class_id == class_id)[-SHOWN_LOOKS:]

    def without(self, ids: frozenset[int]) -> AcceptedLooks:
        """The looks of the other objects."""
        return AcceptedLooks(tuple(each for each in self.seen if each.object_id not in ids)) if ids else self

    def stored(self) -> tuple[dict[str, Tensor], str]:
        """Tensors and a text to store beside the weights; `AcceptedLooks.read` restores the same looks."""
        text = json.dumps([(each.object_id, each.class_id) for each in self.seen])
        tensors = {}
        for part in (0, 1) if self.seen else ():
            for depth in range(len(self.seen[0].look[part])):
                rows = [each.look[part][depth] for each in self.seen]
                tensors[f"{_PREFIX}{part}.{depth}"] = torch.stack(rows)
        return tensors, text

    @staticmethod
    def read(tensors: Tensors, text: str) -> AcceptedLooks:
        """The stored looks; none where the tensors and the text do not belong together."""
        rows = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items() if name.startswith(_PREFIX)}
        try:
            ids = [(int(number), None if kind is None else int(kind)) for number, kind in json.loads(text)]
        except (ValueError, TypeError):
            return AcceptedLooks()
        if not rows or any(len(tensor) != len(ids) for tensor in rows.values()):
            return AcceptedLooks()
        parts = [[rows[name] for name in sorted(rows) if name.startswith(f"{part}.")] for part in (0, 1)]
        return AcceptedLooks(
            tuple(
                AcceptedLook(number, kind, Look(*(tuple(tensor[k] for tensor in part) for part in parts)))
                for k, (number, kind) in enumerate(ids)
            )
        )


NO_LOOKS = AcceptedLooks()


def without_looks(tensors: Tensors) -> Mapping[str, Tensor]:
    """The stored tensors but those of looks."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(_PREFIX)}


def _look_of(model: SamModel, item: Remembered) -> AcceptedLook | None:
    """How the encoder saw an object in the window where a first click on it is answered."""
    features = item.features.to(torch.float32)
    look = model.backbone.look((features.embedding, *features.skips), (item.whole == 1).float()[None])
    return AcceptedLook(item.object_id, item.class_id, look) if look is not None else None
