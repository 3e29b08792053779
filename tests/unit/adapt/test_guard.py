"""The guard lets what proved itself answer: evidence by hand, experts between the original and what was learned."""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.adapt.guard import (
    ALL_LEARNED,
    DECAY,
    EXPERTS,
    GUARD_CLICKS,
    LATER_FROM,
    PRIOR,
    SCORES_KEPT,
    Evidence,
    Scores,
    Verdict,
    expert_weights,
    interpolated,
    scored,
    verdict,
)
from samtta_app.adapt.rounds import trajectory
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import Tensors
from tests.unit.adapt.test_strategy import encoded, same

T = TypeVar("T")
MODEL = toy_model()
FROZEN = MODEL.frozen.tensors
ITEM = encoded(MODEL, 1)[0]
NAN = float("nan")


def ended(work: Generator[float, None, T]) -> tuple[list[float], T]:
    """The shares of work done that a generator yielded, and its value."""
    shares: list[float] = []
    while True:
        try:
            shares.append(next(work))
        except StopIteration as finished:
            value: T = finished.value
            assert all(0 <= share <= 1 for share in shares)
            return shares, value


def shifted(seed: int = 1, size: float = 0.3) -> Tensors:
    """The original weights with noise."""
    generator = torch.Generator().manual_seed(seed)
    return {name: t + size * torch.randn(t.shape, generator=generator) for name, t in FROZEN.items()}


# --- evidence ---------------------------------------------------------------------------------------------------------


def test_without_an_object_nothing_is_gained_and_the_original_answers() -> None:
    assert Evidence().gains == (0.0,)
    assert Evidence().share == 0.0


def test_gains_are_differences_to_the_original_drawn_to_zero_by_the_prior() -> None:
    gains = Evidence().add((0.5, 0.6, 0.8)).gains
    assert gains == pytest.approx((0.0, 0.1 / (1 + PRIOR), 0.3 / (1 + PRIOR)))


def test_an_older_object_weighs_less() -> None:
    evidence = Evidence().add((0.5, 0.6, 0.8)).add((0.6, 0.5, 0.6)).add((0.4, 0.4, 0.1))
    total = DECAY * DECAY + DECAY + 1 + PRIOR
    half = (DECAY * DECAY * 0.1 - DECAY * 0.1) / total
    whole = (DECAY * DECAY * 0.3 - 0.3) / total
    assert evidence.gains == pytest.approx((0.0, half, whole))
    assert 0 < DECAY < 1
    assert evidence.share == 0.0


def test_with_the_figures_in_use_two_objects_give_these_gains() -> None:
    gains = Evidence(((0.50, 0.60, 0.80), (0.60, 0.50, 0.60))).gains
    assert gains[1] == pytest.approx((0.9 * 0.10 - 0.10) / 3.9)
    assert gains[2] == pytest.approx(0.9 * 0.30 / 3.9)


@pytest.mark.parametrize(
    ("scores", "share"),
    [
        ((0.5, 0.6, 0.7), 1.0),
        ((0.5, 0.7, 0.6), 0.5),
        ((0.7, 0.6, 0.5), 0.0),
        ((0.5, 0.4, 0.5), 0.0),
        ((0.5, 0.7, 0.7), 0.5),
        ((0.5, 0.55, 0.6), 0.0),
        ((0.6, 0.6, 0.5), 0.0),
        ((0.5, 0.5, 0.5), 0.0),
        ((0.7, 0.1, 0.6), 0.0),
    ],
)
def test_the_leader_answers_and_of_equal_ones_the_smaller_share(
    scores: tuple[float, float, float], share: float
) -> None:
    assert Evidence((scores,)).share == share


def test_one_good_object_does_not_outweigh_three_later_bad_ones() -> None:
    evidence = Evidence().add((0.5, 0.6, 0.7))
    assert evidence.share == 1.0
    for _ in range(3):
        evidence = evidence.add((0.5, 0.45, 0.4))
    assert evidence.share == 0.0
    for _ in range(3):
        evidence = evidence.add((0.5, 0.6, 0.7))
    assert evidence.share == 1.0


def test_a_sure_gain_is_the_mean_less_its_standard_error_by_hand() -> None:
    evidence = Evidence(((0.50, 0.60, 0.80), (0.60, 0.50, 0.60)))
    mean = evidence.gains[2]
    squares = 0.9 * (0.3 - mean) ** 2 + (0.0 - mean) ** 2 + 2.0 * (0.05**2 + mean**2)
    assert evidence.sure_gains[0] == 0.0
    assert evidence.sure_gains[2] == pytest.approx(mean - math.sqrt(squares / 3.9) / math.sqrt(3.9))
    assert Evidence().sure_gains == (0.0,)


def test_what_gains_steadily_leads_and_what_wavers_about_as_much_does_not() -> None:
    steady = Evidence(tuple((0.5, 0.5, 0.5 + gain) for gain in (0.06, 0.05, 0.04, 0.05, 0.06, 0.05)))
    wavering = Evidence(tuple((0.5, 0.5, 0.5 + gain) for gain in (0.3, -0.2, 0.25, -0.2, 0.25, -0.09)))
    assert wavering.gains[2] == pytest.approx(steady.gains[2], abs=0.03)
    assert (steady.share, wavering.share) == (1.0, 0.0)


@given(st.lists(st.tuples(*(st.floats(0, 1) for _ in range(4))), max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_sure_gain_is_never_above_the_mean_gain(rows: list[Scores]) -> None:
    evidence = Evidence()
    for row in rows:
        evidence = evidence.add(row)
    pairs = list(zip(evidence.sure_gains, evidence.gains, strict=True))
    assert all(sure <= mean for sure, mean in pairs)
    assert evidence.leader in EXPERTS


def test_only_the_newest_objects_are_kept_and_the_evidence_before_stays_as_it_was() -> None:
    evidence = Evidence()
    for number in range(SCORES_KEPT + 3):
        evidence = evidence.add((0.0, 0.5, number / 100))
    assert len(evidence.scores) == SCORES_KEPT
    assert [scores[2] for scores in evidence.scores] == [number / 100 for number in range(3, SCORES_KEPT + 3)]
    more = evidence.add((1.0, 1.0, 1.0))
    assert evidence.scores[0][2] == 0.03
    assert more.scores[-1] == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_scores_that_are_not_finite_are_no_evidence(place: int, value: float) -> None:
    before = Evidence(((0.5, 0.6, 0.7),))
    scores = [0.1, 0.1, 0.1]
    scores[place] = value
    assert before.add((scores[0], scores[1], scores[2])) == before


def test_evidence_comes_back_from_its_text_to_the_last_bit() -> None:
    evidence = Evidence(((1 / 3, math.pi / 4, 0.1 + 0.2), (1.0, 0.0, 5e-324)))
    again = Evidence.read(evidence.text())
    assert again == evidence
    assert (again.gains, again.share) == (evidence.gains, evidence.share)
    assert Evidence.read(Evidence().text()) == Evidence()


@pytest.mark.parametrize(
    "text",
    [
        *("", "nonsense", "[[0.1, 0.2", "null", "7", "[1, 2, 3]", '{"a": 1}', '[["x", 1, 2]]', "[[null, 1, 2]]"),
        *("[[1, 2]]", "[[NaN, 1, 2]]", "[[1, 1e999, 2]]", f"[[1{'0' * 400}, 1, 2]]"),
    ],
)
def test_damaged_text_is_no_evidence(text: str) -> None:
    assert Evidence.read(text) == Evidence()


def test_text_of_too_many_objects_is_cut_to_the_newest_and_damaged_rows_are_left_out() -> None:
    rows = [[0.0, 0.0, number / 1000] for number in range(SCORES_KEPT + 4)]
    assert [s[2] for s in Evidence.read(json.dumps(rows)).scores] == [n / 1000 for n in range(4, SCORES_KEPT + 4)]
    assert Evidence.read("[[0.1, 0.2, 0.3], [0.1], [0.1, NaN, 0.3]]") == Evidence(((0.1, 0.2, 0.3),))


# --- verdicts ---------------------------------------------------------------------------------------------------------

GOOD, HALF, BAD = (Evidence((scores,)) for scores in ((0.5, 0.6, 0.7), (0.5, 0.7, 0.6), (0.7, 0.6, 0.5)))


def test_before_the_first_test_the_verdict_says_so_and_has_no_figures() -> None:
    found = verdict(Evidence(), Evidence())
    assert (found.kept, found.reason, found.objects) == (True, "Held back: the next object is the first test", 0)
    assert all(map(math.isnan, (found.candidate, found.published, found.frozen)))


@pytest.mark.parametrize(
    ("first", "later", "words", "figures"),
    [
        (GOOD, GOOD, "Kept: 70.0 % fit on the last 1 object, the original 50.0 %", (0.7, 0.7, 0.5)),
        (
            BAD,
            BAD,
            "Held back: the original answers (70.0 % fit on the last 1 object, the original 70.0 %, learned 50.0 %)",
            (0.5, 0.7, 0.7),
        ),
        (
            HALF,
            HALF,
            "Kept in part: half of it answers first clicks, half of it later ones "
            "(70.0 % fit on the last 1 object, the original 50.0 %)",
            (0.6, 0.7, 0.5),
        ),
        (
            GOOD,
            BAD,
            "Kept in part: all of it answers first clicks, the original later ones "
            "(70.0 % fit on the last 1 object, the original 60.0 %)",
            (0.6, 0.7, 0.6),
        ),
        (
            BAD,
            HALF,
            "Kept in part: the original answers first clicks, half of it later ones "
            "(70.0 % fit on the last 1 object, the original 60.0 %)",
            (0.55, 0.7, 0.6),
        ),
    ],
)
def test_a_verdict_names_what_answers_in_words_and_figures(
    first: Evidence, later: Evidence, words: str, figures: tuple[float, float, float]
) -> None:
    found = verdict(first, later)
    assert (found.kept, found.reason, found.objects) == (True, words, 1)
    assert (found.candidate, found.published, found.frozen) == pytest.approx(figures)


def test_figures_are_plain_means_over_the_objects_tested() -> None:
    evidence = Evidence(((0.2, 0.4, 0.6), (0.4, 0.8, 0.9)))
    assert [evidence.mean(expert) for expert in EXPERTS[:3]] == pytest.approx([0.3, 0.6, 0.75])
    assert math.isnan(Evidence().mean(ALL_LEARNED))
    found = verdict(evidence, evidence)
    assert "on the last 2 objects" in found.reason
    assert (found.frozen, found.candidate, found.objects) == (pytest.approx(0.3), pytest.approx(0.75), 2)
    assert found.published == found.candidate


def test_a_verdict_without_figures_measures_nothing() -> None:
    found = Verdict(False, "why")
    assert all(map(math.isnan, (found.candidate, found.published, found.frozen)))
    assert found.objects == 0


# --- the experts ------------------------------------------------------------------------------------------------------


def test_the_ends_are_the_very_weights_and_half_way_is_their_mean() -> None:
    learned = shifted()
    assert interpolated(FROZEN, learned, 0.0) is FROZEN
    assert interpolated(FROZEN, learned, 1.0) is learned
    half = interpolated(FROZEN, learned, 0.5)
    assert half.keys() == FROZEN.keys()
    for name, tensor in half.items():
        assert torch.allclose(tensor, (FROZEN[name] + learned[name]) / 2, atol=1e-7)
        assert tensor.data_ptr() not in (FROZEN[name].data_ptr(), learned[name].data_ptr())


def test_each_expert_is_scored_by_its_first_click_and_by_its_later_ones() -> None:
    learned = shifted()
    shares, (first, later) = ended(scored(MODEL, learned, ITEM))
    assert shares == [0.0] * 3
    for k, share in enumerate((0.0, 0.5, 1.0)):
        values = trajectory(MODEL, interpolated(FROZEN, learned, share), ITEM, GUARD_CLICKS)
        assert first[k] == values[0]
        assert later[k] == pytest.approx(sum(values[LATER_FROM - 1 :]) / (GUARD_CLICKS - LATER_FROM + 1))
    assert len(set(later)) > 1


def test_a_bold_learner_is_one_more_expert_and_of_equal_ones_the_careful_one_answers() -> None:
    careful, bold = shifted(), shifted(2)
    shares, (first, later) = ended(scored(MODEL, careful, ITEM, bold=bold))
    assert shares == [0.0] * len(EXPERTS)
    values = trajectory(MODEL, bold, ITEM, GUARD_CLICKS)
    assert (first[3], later[3]) == (values[0], pytest.approx(sum(values[LATER_FROM - 1 :]) / 5))
    assert Evidence(((0.5, 0.5, 0.7, 0.8),)).leader == EXPERTS[3]
    assert Evidence(((0.5, 0.5, 0.7, 0.7),)).leader == ALL_LEARNED
    assert expert_weights(FROZEN, careful, bold, EXPERTS[3]) is bold
    assert expert_weights(FROZEN, careful, None, EXPERTS[3]) is careful


def test_scores_of_other_experts_are_no_evidence_beside_newer_ones() -> None:
    evidence = Evidence(((0.1, 0.2, 0.3),)).add((0.1, 0.2, 0.3, 0.4))
    assert evidence.scores == ((0.1, 0.2, 0.3, 0.4),)


def test_the_threshold_moves_in_a_test_only_where_it_moves_for_the_person() -> None:
    moved, still = (ended(scored(MODEL, shifted(), ITEM, fits=fits))[1] for fits in (True, False))
    assert moved[0] == still[0]  # a first click has no answer before it that could be wrong
    assert moved[1] != still[1]
    assert still[1][0] == pytest.approx(
        np.mean(trajectory(MODEL, FROZEN, ITEM, GUARD_CLICKS, fits=False)[LATER_FROM - 1 :])
    )


def test_weights_that_changed_nothing_score_the_same_and_do_not_lead() -> None:
    copy = {name: tensor.clone() for name, tensor in FROZEN.items()}
    for scores in ended(scored(MODEL, copy, ITEM))[1]:
        assert scores[0] == pytest.approx(scores[2], abs=1e-9)
        assert scores[0] == scores[1]
        assert Evidence().add(scores).share == 0.0


def test_a_test_changes_no_weights() -> None:
    learned = shifted()
    before = {name: tensor.clone() for name, tensor in learned.items()}
    net = {name: tensor.clone() for name, tensor in MODEL.net.state_dict().items()}
    ended(scored(MODEL, learned, ITEM))
    assert same(learned, before)
    assert same(MODEL.net.state_dict(), net)


def test_an_object_that_shows_nothing_on_the_grid_is_no_evidence() -> None:
    _, found = ended(scored(MODEL, shifted(), replace(ITEM, whole=torch.zeros_like(ITEM.whole))))
    for scores in found:
        assert all(map(math.isnan, scores))
        assert Evidence().add(scores) == Evidence()


def test_weights_that_are_not_finite_never_lead() -> None:
    nothing = {name: torch.full_like(tensor, NAN) for name, tensor in FROZEN.items()}
    for scores in ended(scored(MODEL, nothing, ITEM))[1]:
        assert scores[2] == 0.0
        assert scores[0] > 0
        assert Evidence().add(scores).share == 0.0
