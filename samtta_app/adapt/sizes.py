"""How large the objects are that a person annotates: a first click is then answered in surroundings of that size.

In a large image one click on a small thing says next to nothing of its size, and the decoder was trained on objects that
take an eighth of its window or more. Three accepted objects tell which size is meant.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from samtta_app.adapt.memory import Remembered

FROM = 3
"""Objects, of the prompt's class or of any, from which their size is known."""

ROOM = 3.5
"""Nine of ten objects known are at most this many times as long as the size that is expected, so that they fit."""

Seen = tuple[int | None, float]
"""An object's class, and the longer side of its bounding box in pixels."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of accepted objects."""

    seen: tuple[Seen, ...] = ()

    @staticmethod
    def of(items: Iterable[Remembered]) -> Sizes:
        """Of remembered objects."""
        return Sizes(tuple((item.class_id, float(max(item.mask.bits.shape))) for item in items))

    def expected(self, class_id: int | None) -> float | None:
        """The median side of the class's objects, or of all while it has few; None while all are few.

        More where sizes differ much: the window must hold large objects, too, and a small one can be looked at again.
        """
        mine = [side for kind, side in self.seen if kind == class_id]
        sides = mine if len(mine) >= FROM else [side for _, side in self.seen]
        if len(sides) < FROM:
            return None
        return float(max(np.median(sides), np.quantile(sides, 0.9) / ROOM))

    def text(self) -> str:
        """For storing beside the weights; `Sizes.read` gives the same again."""
        return json.dumps(self.seen)

    @staticmethod
    def read(text: str) -> Sizes:
        """What `text` stored; nothing where it is not such a text."""
        try:
            rows = [(None if kind is None else int(kind), float(side)) for kind, side in json.loads(text)]
        except (ValueError, TypeError, OverflowError):
            return Sizes()
        return Sizes(tuple((kind, side) for kind, side in rows if 0 < side < float("inf")))
