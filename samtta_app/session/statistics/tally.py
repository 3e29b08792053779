"""The figures of a session as running values: an object costs as much as its steps, however many came before."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from samtta_app.core.calibration import Calibration
from samtta_app.core.metrics import clicks_to
from samtta_app.phrases import Phrase
from samtta_app.session.object_records import GivenUpObject, ObjectRecord
from samtta_app.session.sort_keys import Worst, worst
from samtta_app.session.state import (
    NO_FIGURES,
    AttemptFigures,
    ControlFigures,
    SideFigures,
    Statistics,
    StreamPoint,
    Trust,
)
from samtta_app.session.statistics.control_groups import Effort, compare_groups, effort_of
from samtta_app.session.statistics.ratings import ratings_of
from samtta_app.session.statistics.review import NEWEST, REVIEW_BELOW, Answers, confirmed_answers, trust_in

TARGET, _LIMIT = 0.85, 20
STRICT_TARGET, STRICT_LIMIT = 0.90, 30
RECENT = 20
"""The sentence speaks of this many objects at the end of the stream."""
_FEWEST = 10
"""With fewer replayed objects nothing is claimed."""
CLEAR = 2.0
"""A difference is claimed when it exceeds this many standard errors of the paired differences."""

UNIT = 1 << 1074
"""Every float is a whole number of 1 / UNIT: sums of such numbers are exact, and do not depend on their order."""


@dataclass(slots=True)
class _Sums:
    """One side's sums over objects."""

    objects: int = 0
    clicks: int = 0
    strict_clicks: int = 0
    failed: int = 0
    strict_failed: int = 0

    def add(self, trajectory: Sequence[float], sign: int) -> None:
        """Add a trajectory (`sign` 1), or subtract it again (-1)."""
        reached = clicks_to(trajectory, TARGET, _LIMIT)
        strictly = clicks_to(trajectory, STRICT_TARGET, STRICT_LIMIT)
        self.objects += sign
        self.clicks += sign * (reached or _LIMIT)
        self.strict_clicks += sign * (strictly or STRICT_LIMIT)
        self.failed += sign * (reached is None)
        self.strict_failed += sign * (strictly is None)

    def side(self, given_up: int = 0) -> SideFigures:
        """The four figures, with so many objects more that failed."""
        objects = self.objects + given_up
        clicks, strict = self.clicks + given_up * _LIMIT, self.strict_clicks + given_up * STRICT_LIMIT
        sums = (clicks, strict, self.failed + given_up, self.strict_failed + given_up)
        return SideFigures(objects, *(_ratio(value, objects) for value in sums))


class Tally:
    """The records of a session by object id, and everything that its figures need; the stream follows the ids.

    Args:
        records: those that are there at first.
        attempts: the objects given up that are there at first.
    """

    def __init__(self, records: Iterable[ObjectRecord] = (), attempts: Iterable[GivenUpObject] = ()) -> None:
        self._records: dict[int, ObjectRecord] = {}
        self._images: dict[str, dict[int, ObjectRecord]] = {}
        self._ids: list[int] = []
        self._stream: list[StreamPoint] = []
        self._seconds = self._timeless = 0
        self._drawn = 0
        self._user, self._adapted, self._frozen = _Sums(), _Sums(), _Sums()
        self._given_up: dict[int, GivenUpObject] = {}
        self._efforts: dict[tuple[str, int], Effort] = {}
        self._grouped: tuple[dict[tuple[str, int], Effort], ControlFigures] = ({}, ControlFigures())
        self._compared: list[int] = []
        self._improved: list[int] = []
        self._waiting: list[tuple[float, int]] = []
        self._rated: dict[int, Counter[int]] = {}
        self._judged: tuple[Answers, Trust, Calibration] | None = None
        for record in records:
            self.put(record)
        for attempt in attempts:
            self.put_attempt(attempt)

    def __len__(self) -> int:
        """Number of objects."""
        return len(self._records)

    def get(self, object_id: int) -> ObjectRecord | None:
        """The record of an object, None where there is none."""
        return self._records.get(object_id)

    def put(self, record: ObjectRecord) -> None:
        """Add an object; an older record of it is replaced."""
        self.drop(record.object_id)
        number, point = record.object_id, stream_point(record)
        self._records[number] = record
        self._images.setdefault(record.image_name, {})[number] = record
        place = bisect_left(self._ids, number)
        self._ids.insert(place, number)
        self._stream.insert(place, point)
        self._count(record, 1)
        self._put_effort(("accepted", number), effort_of(record))
        if comparable(record):
            insort(self._compared, number)
        if len(record.steps) > 1:
            insort(self._improved, number)
        if (entry := _to_look_at(record)) is not None:
            insort(self._waiting, entry)

    def drop(self, object_id: int) -> None:
        """Remove an object, if it is there."""
        record = self._records.pop(object_id, None)
        if record is None:
            return
        here = self._images[record.image_name]
        del here[object_id]
        if not here:
            del self._images[record.image_name]
        place = bisect_left(self._ids, object_id)
        del self._ids[place]
        del self._stream[place]
        self._count(record, -1)
        self._efforts.pop(("accepted", object_id), None)
        for ids in (self._compared, self._improved):
            found = bisect_left(ids, object_id)
            if ids[found : found + 1] == [object_id]:
                del ids[found]
        if (entry := _to_look_at(record)) is not None:
            del self._waiting[bisect_left(self._waiting, entry)]

    def put_attempt(self, attempt: GivenUpObject) -> None:
        """Add an object that was given up."""
        self._given_up[attempt.id] = attempt
        self._put_effort(("given up", attempt.id), effort_of(attempt))

    def drop_attempt(self, attempt_id: int) -> None:
        """Remove an object that goes on after all, if it is there."""
        self._given_up.pop(attempt_id, None)
        self._efforts.pop(("given up", attempt_id), None)

    def figures(self) -> Statistics:
        """The figures; they do not depend on the order in which the records were added."""
        trust, known = self._trust()
        objects = len(self._records)
        return Statistics(
            objects=objects,
            person_clicks=self._user.side().noc_85,
            seconds_per_object=math.nan if self._timeless else _ratio(self._seconds, objects * UNIT),
            adapted=self._adapted.side(),
            frozen=self._frozen.side(),
            stream=tuple(self._stream),
            sentence=self._sentence(),
            trust=trust,
            review=self._first_good(known),
            confidence=known,
            ratings=ratings_of(self._rated),
            user=self._user.side(),
            attempts=self._attempts(),
            controls=self._compared_groups(),
            by_hand=self._drawn,
        )

    def queue(self) -> Iterator[ObjectRecord]:
        """The objects not reviewed yet whose expected IoU is low, lowest first."""
        _, known = self._trust()
        return (self._records[number] for _, number in self._waiting[: self._first_good(known)])

    def unrated(self) -> tuple[int, ...]:
        """The objects that no user has rated, in the order of the stream."""
        return tuple(number for number in self._ids if self._records[number].rating is None)

    def worst(self, image_name: str) -> Worst:
        """By each of the numbers, the value of the image's object that most needs a review."""
        here = self._images.get(image_name)
        return worst(here.values()).get(image_name, {}) if here else {}

    def images(self) -> tuple[str, ...]:
        """The images that have objects."""
        return tuple(self._images)

    # --- below the surface ------------------------------------------------------------------------------------------

    def _put_effort(self, key: tuple[str, int], effort: Effort | None) -> None:
        """Enter what an object cost; one without a draw is in no group."""
        if effort is not None:
            self._efforts[key] = effort

    def _compared_groups(self) -> ControlFigures:
        """The comparison follows from what the objects cost alone, and is kept as long as that stays."""
        if self._grouped[0] != self._efforts:
            self._grouped = dict(self._efforts), compare_groups(self._efforts.values())
        return self._grouped[1]

    def _attempts(self) -> AttemptFigures:
        """All attempts; a side without replays has none."""
        given_up = len(self._given_up)
        replays = (side.side(given_up) if side.objects else NO_FIGURES for side in (self._adapted, self._frozen))
        return AttemptFigures(given_up, self._user.side(given_up), *replays)

    def _count(self, record: ObjectRecord, sign: int) -> None:
        self._drawn += sign * any(step.hand is not None for step in record.steps)
        self._user.add(tuple(step.iou for step in record.steps), sign)
        if math.isfinite(record.seconds):
            numerator, denominator = record.seconds.as_integer_ratio()
            self._seconds += sign * numerator * (UNIT // denominator)
        else:
            self._timeless += sign
        if record.rating is not None:
            here = self._rated.setdefault(record.weights_version, Counter())
            here[record.rating] += sign
        if record.frozen is not None:
            self._frozen.add(record.frozen, sign)
            self._adapted.add(record.adapted or (), sign)

    def _trust(self) -> tuple[Trust, Calibration]:
        """Both follow from the newest answers alone, and are kept as long as those stay."""
        steps, newest = 0, len(self._improved)
        while newest and steps < NEWEST:
            newest -= 1
            steps += len(self._records[self._improved[newest]].steps) - 1
        told = confirmed_answers(self._records[number] for number in self._improved[newest:])
        if self._judged is None or not _same(self._judged[0], told):
            self._judged = told, trust_in(told), Calibration.of(told)
        return self._judged[1:]

    def _first_good(self, known: Calibration) -> int:
        """How many wait for a review: calibration keeps the order, so all others are good enough."""
        return bisect_left(self._waiting, True, key=lambda entry: not known(entry[0]) < REVIEW_BELOW)

    def _sentence(self) -> str:
        """What a user may conclude: no more than the paired differences of the last objects show."""
        number, recent = len(self._compared), [self._records[n] for n in self._compared[-RECENT:]]
        if number < _FEWEST:
            return Phrase("Too early to tell: {objects}", objects=_objects(number))
        if not any(record.replayed_version for record in recent):
            return Phrase("Nothing learnt yet: {objects}, all answered by the original model", objects=_objects(number))
        adapted, frozen = ([clicks(r.adapted or ()) for r in recent], [clicks(r.frozen or ()) for r in recent])
        difference = np.subtract(frozen, adapted)
        error = float(np.std(difference, ddof=1)) / math.sqrt(len(recent))
        gain = float(difference.mean())
        if abs(gain) <= CLEAR * error or gain == 0.0:
            verdict = "No clear difference so far"
        else:
            verdict = "Learning helps" if gain > 0 else "Learning does not help"
        return Phrase(
            "{verdict}: {adapted:.1f} clicks per object over the last {number}, {frozen:.1f} without it",
            verdict=Phrase(verdict),
            adapted=np.mean(adapted),
            number=len(recent),
            frozen=np.mean(frozen),
        )


def comparable(record: ObjectRecord) -> bool:
    """Whether an object's replays tell the two sides apart.

    The replays click only. So a mask that a hand has shaped tells nothing where neither side comes to it by clicks.
    """
    if record.frozen is None or record.adapted is None:
        return False
    by_hand = any(step.hand is not None for step in record.steps)
    reached = (clicks_to(side, TARGET, _LIMIT) for side in (record.adapted, record.frozen))
    return not by_hand or any(found is not None for found in reached)


def stream_point(record: ObjectRecord) -> StreamPoint:
    """One object's clicks to IoU .85: the user's, and the twins' where they are `comparable`."""
    known = comparable(record)
    return StreamPoint(
        record.object_id,
        clicks(tuple(step.iou for step in record.steps)),
        clicks(record.adapted or ()) if known else None,
        clicks(record.frozen or ()) if known else None,
    )


def clicks(trajectory: Sequence[float]) -> int:
    """Clicks to IoU .85, 20 when it was not reached."""
    return clicks_to(trajectory, TARGET, _LIMIT) or _LIMIT


def _to_look_at(record: ObjectRecord) -> tuple[float, int] | None:
    """Expected IoU and id of an object not reviewed yet; None where its IoU is unknown, or it was reviewed."""
    expected = record.steps[-1].expected_iou if record.steps and not record.reviewed else math.nan
    return None if math.isnan(expected) else (expected, record.object_id)


def _same(one: Answers, other: Answers) -> bool:
    """Whether both hold the same answers, nan being equal to nan."""
    return len(one) == len(other) and np.array_equal(np.array(one), np.array(other), equal_nan=True)


def _ratio(value: int, objects: int) -> float:
    return value / objects if objects else math.nan


def _objects(number: int) -> Phrase:
    return Phrase("1 object") if number == 1 else Phrase("{number} objects", number=number)
