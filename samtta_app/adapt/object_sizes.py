"""How large the objects are that a person annotates: a first click is then answered in surroundings of that size.

In a large image one click on a small thing says next to nothing of its size, and the decoder was trained on objects that
take an eighth of its window or more. Sizes are alike within an image, where all is equally far away, less so between images.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from samtta_app.adapt.memory import Remembered

FROM = 3
"""Objects of other images from which a size is known; of the same image one will do."""

SIZE_MARGIN = 1.6
"""What is expected where only other images are known, in median sides: the window must hold larger objects, too."""

Seen = tuple[str, int | None, float]
"""An object's image, its class, and the longer side of its bounding box in pixels."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of accepted objects."""

    seen: tuple[Seen, ...] = ()

    @staticmethod
    def of(items: Iterable[Remembered]) -> Sizes:
        """Of remembered objects."""
        return Sizes(
            tuple((item.features.image_key, item.class_id, float(max(item.mask.bits.shape))) for item in items)
        )

    def expected(self, image_key: str, class_id: int | None) -> float | None:
        """The side in pixels for which a first click's window is chosen; None while too little is known.

        The median of the same image's objects, of the same class where there are some; else ROOM times that of all images.
        """
        here = [seen for seen in self.seen if seen[0] == image_key]
        if here:
            return _median(here, class_id)
        return SIZE_MARGIN * _median(self.seen, class_id) if len(self.seen) >= FROM else None

    def text(self) -> str:
        """For storing beside the weights; `Sizes.read` gives the same again."""
        return json.dumps(self.seen)

    @staticmethod
    def read(text: str) -> Sizes:
        """What `text` stored; nothing where it is not such a text."""
        try:
            rows = [
                (str(image), None if kind is None else int(kind), float(side)) for image, kind, side in json.loads(text)
            ]
        except (ValueError, TypeError, OverflowError):
            return Sizes()
        return Sizes(tuple(row for row in rows if 0 < row[2] < float("inf")))


def _median(seen: Sequence[Seen], class_id: int | None) -> float:
    """The median side of a class's objects, or of all where it has none."""
    mine = [side for _, kind, side in seen if kind == class_id]
    return float(np.median(mine or [side for _, _, side in seen]))
