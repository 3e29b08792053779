"""An object being annotated is a value: each act makes a new one, and its records stay parallel to its steps."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samtta_app.core.replies import Answer
from samtta_app.core.types import Box, Click, Window
from samtta_app.session.workflow import draft as drafts
from samtta_app.session.workflow.draft import Draft
from tests.unit.session.scripted import HEIGHT, WHOLE, WIDTH, candidate
from tests.unit.values import disc


def reply(*radii: int) -> Answer:
    found = tuple(candidate(disc(60, 50, r, HEIGHT, WIDTH), 0.9 - 0.1 * k) for k, r in enumerate(radii))
    return Answer(1, WHOLE, found, 0, 3, 0.02)


def clicked(draft: Draft | None, x: float, now: float = 0.0) -> Draft:
    return drafts.with_prompt(draft, Click(x, 50, True), now, 15, None)


@given(st.lists(st.sampled_from(["click", "box", "answer", "turn"]), max_size=25))
def test_records_masks_and_steps_stay_parallel(acts: list[str]) -> None:
    draft = clicked(None, 1)
    for k, act in enumerate(acts):
        if act == "answer" and draft.preview.waiting:
            draft = drafts.with_answer(draft, reply(10, 7, 13), k)
        elif act == "turn" and draft.preview.candidates and not draft.preview.waiting:
            draft = drafts.with_candidate(draft, 1)
        elif act == "box":
            draft = drafts.with_prompt(draft, Box(0, 0, k + 2, k + 2), k, 15, None)
        elif act == "click":
            draft = clicked(draft, k, k)
        assert len(draft.masks) == len(draft.preview.history) <= len(draft.steps) == len(draft.times)
    draft = drafts.with_answer(draft, reply(10), 99)
    found = drafts.annotation(draft, draft.preview.candidates[0], "a.png", 1)
    assert len(found.history) == len(draft.steps)
    assert found.history[-1].iou == 1.0
    assert [r.click for r in found.history] == [s if isinstance(s, Click) else None for s in draft.steps]


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=20))
def test_working_time_is_the_sum_of_gaps_none_longer_than_the_idle_limit(gaps: list[float]) -> None:
    now, draft = 0.0, clicked(None, 1)
    for gap in gaps:
        now += gap
        draft = clicked(draft, 2, now)
    assert draft.seconds == pytest.approx(sum(min(gap, 15) for gap in gaps), abs=1e-6)
    assert list(draft.times) == sorted(draft.times)


def test_a_clock_that_goes_back_takes_no_time_away() -> None:
    assert clicked(clicked(None, 1, 100.0), 2, 40.0).seconds == 0


def test_an_earlier_draft_is_not_changed_by_what_follows() -> None:
    first = drafts.with_answer(clicked(None, 1), reply(10, 7, 13), 0.1)
    history, chosen = first.preview.history, first.preview.chosen
    drafts.with_candidate(first, 1)
    drafts.with_answer(clicked(first, 2), reply(12), 0.2)
    assert first.preview.history is history
    assert first.preview.chosen == chosen


def test_an_answer_to_a_prompt_that_was_already_answered_replaces_its_record() -> None:
    first = drafts.with_answer(clicked(None, 1), reply(10), 0.1)
    again = drafts.with_answer(first, reply(12), 0.2)
    assert len(again.preview.history) == len(again.masks) == 1


def test_what_is_not_known_is_nan_and_never_zero() -> None:
    draft = drafts.with_answer(clicked(clicked(None, 1), 2), reply(10), 0.1)
    overtaken = draft.preview.history[0]
    assert all(math.isnan(v) for v in (overtaken.predicted_iou, overtaken.uncertainty, overtaken.latency))


# --- one answer, as the engine gave it ------------------------------------------------------------------------------


def test_the_answer_reaches_the_preview_as_the_engine_gave_it() -> None:
    answer = reply(10, 7, 13)
    preview = drafts.with_answer(clicked(None, 1), answer, 0.1).preview
    assert preview.answer is answer
    assert (preview.candidates, preview.chosen, preview.window) == (answer.candidates, answer.chosen, answer.window)
    assert preview.weights_version == answer.weights_version


def test_another_candidate_lies_beside_the_answer_and_leaves_it_alone() -> None:
    draft = drafts.with_answer(clicked(None, 1), reply(10, 7, 13), 0.1)
    other = drafts.with_candidate(draft, 1)
    assert other.preview.answer is draft.preview.answer
    assert other.preview.candidate is draft.preview.candidates[other.preview.chosen]
    assert other.preview.chosen != draft.preview.chosen


def test_an_answer_without_a_mask_offers_nothing_and_keeps_the_place() -> None:
    found = drafts.with_answer(clicked(None, 1), reply(10), 0.1)
    empty = replace(reply(12), candidates=(), window=Window(0, 0, 5, 5), no_gaps="none", larger=True)
    preview = drafts.with_answer(clicked(found, 2), empty, 0.2).preview
    assert (preview.candidates, preview.candidate, preview.window) == ((), None, found.preview.window)
    assert (preview.no_gaps, preview.larger) == ("none", True)


def test_before_the_first_answer_there_is_nothing_to_show() -> None:
    preview = clicked(None, 1).preview
    assert (preview.answer, preview.candidates, preview.candidate) == (None, (), None)
    assert (preview.weights_version, preview.no_gaps, preview.larger) == (0, "", False)


def test_a_first_sight_is_shown_while_the_answer_is_awaited_and_leaves_no_record() -> None:
    draft = clicked(None, 1)
    seen = drafts.with_first_sight(draft, replace(reply(10, 7), more=True))
    assert seen.preview.candidate is not None
    assert seen.preview.waiting
    assert (seen.preview.history, seen.masks) == ((), ())
    answered = drafts.with_answer(seen, reply(12), 1.0)
    assert answered.preview.candidates[0].mask.area > seen.preview.candidates[0].mask.area
    assert len(answered.preview.history) == len(answered.masks) == 1
    nothing = drafts.with_first_sight(draft, Answer(1, WHOLE, (), 0, 3, 0.02, more=True))
    assert nothing is draft


def test_another_card_takes_its_own_window_along() -> None:
    first, second = reply(10, 7).candidates
    near = Window(30, 20, 60, 60)
    second = replace(second, logits=replace(second.logits, window=near))
    draft = drafts.with_answer(clicked(None, 1), replace(reply(10), candidates=(first, second)), 0.0)
    assert draft.preview.window == WHOLE
    turned = drafts.with_candidate(draft, 1)
    assert turned.preview.window == near
    assert turned.preview.history[-1].window == near
    assert clicked(turned, 5).window == near
