"""The raw records that the session's figures come from."""

from __future__ import annotations

from dataclasses import dataclass

from samtta_app.core.types import ClickRecord


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One accepted object: every prompt step, and the twins' trajectories once they were replayed.

    `frozen` and `adapted` are IoU with the accepted mask after click 1, 2, ...; None before the replay.
    `replayed_version` is the weights version of the adapted side. `reviewed` is whether the user reviewed the mask and
    confirmed it. `rating` is the user's, 1 .. 10, None where the mask was not rated.
    """

    object_id: int
    image_name: str
    class_name: str
    created: str
    seconds: float
    weights_version: int
    steps: tuple[ClickRecord, ...]
    frozen: tuple[float, ...] | None = None
    adapted: tuple[float, ...] | None = None
    replayed_version: int = 0
    reviewed: bool = False
    rating: int | None = None
