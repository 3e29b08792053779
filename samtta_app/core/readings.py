"""The readings of a prompt that a user chooses from: outlines that were sampled, and the decoder's own masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from samtta_app.core.metrics import iou
from samtta_app.core.types import Candidate

SAME_READING = 0.85
"""IoU from which two outlines are one reading: an object counts as done from there."""

USUAL = 0.7
"""Mean IoU of an answer with its samples, .73 over 257 objects. That few samples are like it makes none of them surer."""

MOST_READINGS = 4
"""Cards of one answer at most: each has a key, Alt+1 to Alt+4."""


def listed_readings(
    sampled: Sequence[Candidate], plain: Sequence[Candidate], shown: Candidate
) -> tuple[Candidate, ...]:
    """The distinct readings, MOST_READINGS at most: those of several samples, the decoder's own, then those of one sample.

    Of those that are alike the first stays. The outline on the screen is always among them, in the place of its like.
    A sampled one is expected to fit as much less than that as it has less in common with all samples.

    Args:
        sampled: sampled outlines, those of most samples first; their predicted IoU is the mean IoU with all samples.
        plain: the decoder's own masks.
        shown: the outline on the screen.
    """
    rated = _rated(sampled, shown)
    often = [each for each in rated if (each.samples or 0) > 1]
    seldom = [each for each in rated if (each.samples or 0) <= 1]
    found: list[Candidate] = []
    place = -1
    for each in (*often, shown, *(each for each in plain if each is not shown), *seldom):
        likes = [iou(one.mask, each.mask) for one in found]
        best = max(range(len(likes)), key=likes.__getitem__, default=-1)
        alike = best >= 0 and likes[best] >= SAME_READING
        if each is shown:
            place = best if alike else len(found)
            found[place : place + 1] = [
                replace(shown, samples=found[best].samples if alike else _samples(shown, seldom))
            ]
        elif not alike:
            found.append(each if each.samples is not None else replace(each, samples=_samples(each, seldom)))
    if place >= MOST_READINGS:
        found.insert(MOST_READINGS - 1, found.pop(place))
    return tuple(found[:MOST_READINGS])


def _rated(sampled: Sequence[Candidate], shown: Candidate) -> list[Candidate]:
    """The sampled outlines with an expected IoU that can be compared with that of the outline on the screen.

    None is above it: of 443 cards that said more than the shown one, 28 in 100 were better.
    """
    counts = [each.samples or 0 for each in sampled]
    alike = sum(count * iou(each.mask, shown.mask) for count, each in zip(counts, sampled, strict=True))
    common = max(alike / max(sum(counts), 1), USUAL)
    shares = [min(each.predicted_iou / common, 1.0) for each in sampled]
    return [
        replace(each, predicted_iou=shown.expected_iou * share) for each, share in zip(sampled, shares, strict=True)
    ]


def _samples(one: Candidate, sampled: Sequence[Candidate]) -> int:
    """How many of the samples look like an outline."""
    return sum(each.samples or 0 for each in sampled if iou(each.mask, one.mask) >= SAME_READING)
