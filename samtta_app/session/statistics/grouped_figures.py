"""The session's figures per class and per day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from samtta_app.session.object_records import GivenUpObject, ObjectRecord
from samtta_app.session.state import SideFigures, Statistics
from samtta_app.session.statistics.tally import Tally

Grouping = Literal["class", "day"]

GROUP_COLUMNS = (
    *("by", "name", "objects", "given_up", "seconds_per_object", "clicks_per_object"),
    *("adapted_noc_85", "adapted_noc_90", "adapted_fr_20_85", "adapted_fr_30_90"),
    *("frozen_noc_85", "frozen_noc_90", "frozen_fr_20_85", "frozen_fr_30_90"),
)


@dataclass(frozen=True, slots=True)
class GroupedFigures:
    """The figures of the objects of one class, or of one day (in UTC)."""

    by: Grouping
    name: str
    figures: Statistics

    @property
    def cells(self) -> tuple[object, ...]:
        """The values of GROUP_COLUMNS; nan where a figure is not known."""
        found = self.figures
        effort = found.objects, found.attempts.given_up, found.seconds_per_object, found.person_clicks
        return self.by, self.name, *effort, *side_cells(found.adapted), *side_cells(found.frozen)


def side_cells(side: SideFigures) -> tuple[float, ...]:
    """The four figures of a side: NoC_20@85, NoC_30@90, FR_20@85, FR_30@90."""
    return side.noc_85, side.noc_90, side.fr_20_85, side.fr_30_90


def grouped_figures(records: Sequence[ObjectRecord], attempts: Sequence[GivenUpObject]) -> tuple[GroupedFigures, ...]:
    """The figures of every class, in the order of their first objects, and of every day, earliest first."""
    keys: dict[Grouping, Callable[[ObjectRecord | GivenUpObject], str]] = {
        "class": lambda each: each.class_name,
        "day": lambda each: each.created[:10],
    }
    every: tuple[ObjectRecord | GivenUpObject, ...] = (*records, *attempts)
    found: list[GroupedFigures] = []
    for by, key in keys.items():
        names = list(dict.fromkeys(map(key, every)))
        for name in sorted(names) if by == "day" else names:
            here = Tally((r for r in records if key(r) == name), (a for a in attempts if key(a) == name))
            found.append(GroupedFigures(by, name, here.figures()))
    return tuple(found)
