"""The raw records that the session's figures come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from samtta_app.core.types import Box, ClickRecord

WhyGivenUp = Literal["cancelled", "left", "deleted", "closed"]
"""Why an object was given up: Esc, another image was opened, deleted right after its accept, or the session was closed."""


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One accepted object: every prompt step, and the twins' trajectories once they were replayed.

    `frozen` and `adapted` are IoU with the accepted mask after click 1, 2, ...; None before the replay.
    `replayed_version` is the weights version of the adapted side. `reviewed` is whether the user reviewed the mask and
    confirmed it. `rating` is the user's, 1 .. 10, None where the mask was not rated. `control` is whether the frozen weights
    answered by a draw; None without a draw.
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
    control: bool | None = None


@dataclass(frozen=True, slots=True)
class GivenUpObject:
    """One object that was begun and given up; it counts as failed in the figures, and reaches no export of masks.

    `steps` are all of its clicks and boxes, also those that were never answered. `seconds` is working time. `created` is
    when it was given up. `object_id` is the object that was deleted right after its accept, 0 where none was accepted.
    `control` is as in ObjectRecord.
    """

    id: int
    image_name: str
    class_name: str
    why: WhyGivenUp
    seconds: float
    created: str
    steps: tuple[ClickRecord, ...]
    box: Box | None = None
    object_id: int = 0
    control: bool | None = None
