"""One list of readings: sampled outlines and the decoder's own masks, each once, and always the one on the screen."""

from __future__ import annotations

import numpy as np

from samtta_app.core.readings import MOST_READINGS, listed_readings
from samtta_app.core.types import Candidate, Logits, Window
from tests.unit.values import disc


def reading(radius: int, samples: int | None = None) -> Candidate:
    none = np.zeros((4, 4), np.float32)
    return Candidate(
        disc(60, 50, radius, 100, 120), Logits(Window(0, 0, 120, 100), none), 0.9, none, 0.1, samples=samples
    )


def told(found: tuple[Candidate, ...]) -> list[tuple[int, int | None]]:
    return [(each.mask.bits.shape[0] // 2, each.samples) for each in found]


def test_samples_of_several_come_first_then_the_decoders_masks_then_single_ones() -> None:
    sampled = [reading(10, 9), reading(14, 6), reading(30, 1)]
    shown = reading(20)
    found = listed_readings(sampled, [reading(40), shown], shown)
    assert told(found) == [(10, 9), (14, 6), (20, 0), (40, 0)]
    assert told(listed_readings(sampled, [shown], shown)) == [(10, 9), (14, 6), (20, 0), (30, 1)]


def test_the_outline_on_the_screen_takes_the_place_of_its_like_with_its_share() -> None:
    shown, other = reading(14), reading(40)
    found = listed_readings([reading(20, 9), reading(15, 7)], [other, shown], shown)
    assert told(found) == [(20, 9), (14, 7), (40, 0)]
    assert found[1].mask is shown.mask


def test_alike_masks_are_one_reading_and_keep_the_share_of_single_samples() -> None:
    shown = reading(20)
    found = listed_readings([reading(30, 1)], [shown, reading(31), reading(21)], shown)
    assert told(found) == [(20, 0), (31, 1)], "the decoder's own mask, with the share of the sample that is like it"


def test_there_are_four_at_most_and_the_one_on_the_screen_is_among_them() -> None:
    shown = reading(40)
    sampled = [reading(6, 5), reading(10, 4), reading(14, 4), reading(20, 3)]
    found = listed_readings(sampled, [shown, reading(48)], shown)
    assert len(found) == MOST_READINGS
    assert told(found) == [(6, 5), (10, 4), (14, 4), (40, 0)]
    assert told(listed_readings([], [shown], shown)) == [(40, 0)]


def test_without_samples_the_decoders_masks_stay_in_their_order() -> None:
    plain = [reading(10), reading(20), reading(40)]
    found = listed_readings([], plain, plain[1])
    assert told(found) == [(20, 0), (10, 0), (40, 0)]
    assert found[0].mask is plain[1].mask


def test_an_outline_that_was_sampled_before_keeps_its_share_when_it_is_shown() -> None:
    shown = reading(14, 6)
    found = listed_readings([reading(10, 9), reading(14, 7)], [reading(10, 9), shown], shown)
    assert told(found) == [(10, 9), (14, 7)]
    assert found[1].mask is shown.mask
