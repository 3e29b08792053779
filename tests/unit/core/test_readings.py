"""One list of readings: sampled outlines and the decoder's own masks, each once, and always the one on the screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samtta_app.core.metrics import iou
from samtta_app.core.readings import MOST_READINGS, listed_readings
from samtta_app.core.types import Candidate, Gaps, Logits, Window
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


# --- how well a sampled outline is expected to fit --------------------------------------------------------------------


def common(mask: Candidate, sampled: list[Candidate]) -> float:
    """The mean IoU with samples."""
    return sum((each.samples or 0) * iou(mask.mask, each.mask) for each in sampled) / 16


def agreeing(*sampled: Candidate) -> list[Candidate]:
    return [replace(each, predicted_iou=common(each, list(sampled))) for each in sampled]


def test_a_sampled_outline_is_as_sure_as_the_answer_for_what_both_have_in_common_with_all_samples() -> None:
    sampled = agreeing(reading(20, 12), reading(40, 4))
    shown = reading(21)
    alike, other = listed_readings(sampled, [shown], shown)
    assert alike.mask is shown.mask
    assert alike.predicted_iou == shown.predicted_iou
    expected = shown.predicted_iou * common(sampled[1], sampled) / common(shown, sampled)
    assert other.predicted_iou == pytest.approx(expected)
    assert other.predicted_iou < 0.6, "nine in ten by the answer, and a quarter of the samples"


def test_where_no_sample_is_like_the_answer_those_of_few_samples_are_less_sure_still() -> None:
    sampled = agreeing(reading(10, 10), reading(16, 6))
    shown = reading(40)
    assert common(shown, sampled) < 0.2
    found = {each.samples: each.predicted_iou for each in listed_readings(sampled, [shown], shown)}
    assert found[10] == shown.predicted_iou
    assert found[6] == pytest.approx(shown.predicted_iou * common(sampled[1], sampled) / 0.7)
    assert found[6] < 0.85


def test_no_sampled_outline_seems_surer_than_the_one_on_the_screen() -> None:
    sampled = agreeing(reading(20, 12), reading(10, 4))
    shown = reading(40)
    found = listed_readings(sampled, [shown], shown)
    assert common(sampled[0], sampled) > common(shown, sampled)
    assert [each.predicted_iou for each in found if each.mask is sampled[0].mask] == [shown.predicted_iou]
    assert all(each.predicted_iou <= shown.predicted_iou for each in found)


def test_the_answers_confidence_is_that_of_the_heads_where_there_are_heads() -> None:
    shown = replace(reading(20), gaps=Gaps(0.0, 0.0, 0.0, 0.5))
    sampled = agreeing(reading(14, 16))
    (first, second) = listed_readings(sampled, [shown], shown)
    assert (first.predicted_iou, second.predicted_iou) == (0.5, 0.9)
    assert second.gaps == shown.gaps


def test_samples_that_have_nothing_in_common_with_the_answer_are_still_rated() -> None:
    empty = replace(reading(14, 16), predicted_iou=0.0)
    away = replace(reading(20), mask=disc(10, 10, 5, 100, 120))
    found = listed_readings([empty], [away], away)
    assert [each.predicted_iou for each in found if each.samples] == [0.0]
