"""The numbers by which objects and images are sorted and filtered: how unsure a mask is, and what it would gain."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal

from samtta_app.core.calibration import Calibration
from samtta_app.core.types import Annotation, ClickRecord
from samtta_app.session.object_records import ObjectRecord

Number = Literal["expected_iou", "uncertainty", "prompt", "task", "model"]

NUMBERS: tuple[Number, ...] = ("expected_iou", "uncertainty", "prompt", "task", "model")
"""The IoU that is expected, mean entropy in bits, and the gains in IoU from clicks, another candidate, the larger model."""

Worst = Mapping[Number, float]


def mask_number(of: Annotation | ClickRecord, name: Number) -> float | None:
    """One number of a mask; None where it is not known."""
    if name in ("uncertainty", "expected_iou"):
        value = float(getattr(of, name))
    else:
        value = float(getattr(of.gaps, name)) if of.gaps else math.nan
    return value if math.isfinite(value) else None


def known_as(value: float | None, name: Number, confidence: Calibration) -> float | None:
    """A number as users see it: an expected IoU is shown calibrated, which keeps the order."""
    return confidence(value) if value is not None and name == "expected_iou" else value


def need(value: float, name: Number) -> float:
    """How much a mask with this number needs a review: higher means more."""
    return -value if name == "expected_iou" else value


def worst(records: Iterable[ObjectRecord]) -> dict[str, Worst]:
    """Image name -> the number of its object that most needs a review, for every known number."""
    found: dict[str, dict[Number, float]] = {}
    for record in records:
        for name in NUMBERS if record.steps else ():
            value = mask_number(record.steps[-1], name)
            if value is not None:
                here = found.setdefault(record.image_name, {})
                here[name] = max(here.get(name, value), value, key=lambda v, name=name: need(v, name))  # type: ignore[misc]
    return dict(found)
