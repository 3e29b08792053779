"""Sizes of the annotated objects, to choose a first click's window by.

In a large image one click says almost nothing about an object's size. The decoder was trained on objects that fill an
eighth of the window or more. Sizes are alike within an image, where all objects are equally far away. Between images
they differ more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from samtta_app.adapt.memory import Remembered

FROM = 3
"""Objects of other images needed to expect a size; one object of the same image is enough."""

SIZE_MARGIN = 1.6
"""Factor on the median side where only other images are known, because the window must also hold larger objects."""

Seen = tuple[str, int | None, float]
"""An object's image, its class, and the longer side of its bounding box in pixels."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of accepted objects."""

    seen: tuple[Seen, ...] = ()

    @staticmethod
    def of(items: Iterable[Remembered]) -> Sizes:
        """The sizes of remembered objects."""
        return Sizes(
            tuple((item.features.image_key, item.class_id, float(max(item.mask.bits.shape))) for item in items)
        )

    def expected(self, image_key: str, class_id: int | None) -> float | None:
        """Expected side in pixels, to choose a first click's window by; None while too little is known.

        It is the median of the same image's objects, of the same class if there are some. Else it is SIZE_MARGIN times
        the median of all images.
        """
        here = [seen for seen in self.seen if seen[0] == image_key]
        if here:
            return _median(here, class_id)
        return SIZE_MARGIN * _median(self.seen, class_id) if len(self.seen) >= FROM else None

    def text(self) -> str:
        """Text to store beside the weights; `Sizes.read` restores the same sizes."""
        return json.dumps(self.seen)

    @staticmethod
    def read(text: str) -> Sizes:
        """The sizes stored in `text`; none where the text is something else."""
        try:
            rows = [
                (str(image), None if kind is None else int(kind), float(side)) for image, kind, side in json.loads(text)
            ]
        except (ValueError, TypeError, OverflowError):
            return Sizes()
        return Sizes(tuple(row for row in rows if 0 < row[2] < float("inf")))


def _median(seen: Sequence[Seen], class_id: int | None) -> float:
    """Median side of a class's objects; of all objects where the class has none."""
    mine = [side for _, kind, side in seen if kind == class_id]
    return float(np.median(mine or [side for _, _, side in seen]))
