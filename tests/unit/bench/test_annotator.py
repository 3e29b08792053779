from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.replies import Answer
from samtta_app.core.types import Annotation, Candidate, Click, ClickRecord, Gaps, Image, Logits, Mask, Window
from samtta_app.errors import UserError
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from samtta_app.session.state import (
    Adaptation,
    Display,
    ImageEntry,
    LabelClass,
    Preview,
    SideFigures,
    State,
    Statistics,
)
from samtta_app.simulation.annotator import (
    EASY,
    STRICT,
    AnnotatedObject,
    Goal,
    annotate,
    goal_named,
    settled,
)

WHOLE = Window(0, 0, 20, 20)
TARGET = Mask(5, 5, np.ones((8, 8), np.bool_))
PIXELS = np.zeros((20, 20, 3), np.uint8)
IMAGE = Image("key", Path("a.png"), PIXELS, PIXELS)
SIDE = SideFigures(0, *(float("nan"),) * 4)


def state(**changes: object) -> State:
    entries = tuple(ImageEntry(f"{name}.png", Path(f"{name}.png"), "todo", 0) for name in "ab")
    start = State(
        *(Path("."), Path(".samtta"), entries, 0, IMAGE, (), None, (LabelClass(1, "object", 0),), 1, None),
        *(Adaptation("idle", 0, ()), Statistics(0, 0, 0, SIDE, SIDE, (), ""), Display(), None),
        *(False, False, False, ""),
    )
    return replace(start, **changes)


def part(share: float) -> Mask:
    """The upper rows of the target: `share` is its IoU with the target."""
    bits = np.zeros((8, 8), np.bool_)
    bits[: round(8 * share)] = True
    return Mask(5, 5, bits)


def shows(clicks: tuple[Click, ...], mask: Mask, *, waiting: bool = False) -> State:
    low = np.zeros((4, 4), np.float32)
    candidate = Candidate(mask, Logits(WHOLE, low), 0.7, low, 0.2)
    history = tuple(ClickRecord(c, 0.0, 0.05, WHOLE, 3, 0.7, 0.2, float("nan")) for c in clicks)
    return state(preview=Preview(clicks, None, Answer(0, WHOLE, (candidate,), 0, 3, 0.0), 0, WHOLE, waiting, history))


def played(goal: Goal, shares: list[float]) -> tuple[list[UserAct], AnnotatedObject]:
    """What the annotator does when its k-th click is answered with a mask of IoU shares[k] (the last one repeats)."""
    person, actions, now = annotate(state(), TARGET, 0, goal), [], state()
    clicks: tuple[Click, ...] = ()
    try:
        action = next(person)
        while True:
            actions.append(action)
            if isinstance(action, acts.PlaceClick):
                clicks = (*clicks, action.click)
                now = shows(clicks, part(shares[min(len(clicks), len(shares)) - 1]))
            elif isinstance(action, acts.Accept):
                accepted = Annotation(1, "a.png", 1, TARGET, None, (), WHOLE, 3, 0.7, 0.2, 1.0, "")
                now = state(annotations=(accepted,))
            else:
                now = state()
            action = person.send(now)
    except StopIteration as finished:
        outcome: AnnotatedObject = finished.value
    return actions, outcome


def _clicked(act: UserAct) -> Click:
    assert isinstance(act, acts.PlaceClick)
    return act.click


def test_goals_are_named_like_the_figures() -> None:
    assert (EASY.name, STRICT.name) == ("20@85", "30@90")


def test_a_goal_is_read_from_its_name() -> None:
    assert goal_named("20@85") == EASY
    assert goal_named("30@90") == STRICT
    assert goal_named("20@100") == Goal(1.0, 20)


@pytest.mark.parametrize("name", ["", "20", "85@", "0@85", "20@0", "20@101", "20@.85", "-1@85", "20@85 ", "twenty@85"])
def test_another_word_is_no_goal(name: str) -> None:
    with pytest.raises(UserError, match="no goal"):
        goal_named(name)


def test_it_clicks_until_the_mask_is_good_enough_and_accepts() -> None:
    actions, outcome = played(EASY, [0.25, 0.5, 0.875])
    assert [type(a) for a in actions] == [acts.PlaceClick] * 3 + [acts.Accept]
    assert [round(s.iou, 3) for s in outcome.steps] == [0.25, 0.5, 0.875]
    assert outcome.accepted


def test_at_the_limit_it_cancels_and_nothing_is_accepted() -> None:
    actions, outcome = played(Goal(0.85, 4), [0.5])
    assert [type(a) for a in actions] == [acts.PlaceClick] * 4 + [acts.Cancel]
    assert len(outcome.steps) == 4
    assert not outcome.accepted


def test_reaching_the_goal_with_the_last_click_is_accepted() -> None:
    actions, outcome = played(Goal(0.85, 2), [0.5, 1.0])
    assert actions[-1] == acts.Accept()
    assert outcome.accepted


def test_it_clicks_where_it_is_told_to_and_says_what_it_saw() -> None:
    seen: list[tuple[float | None, int, Window]] = []

    def choose(target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window) -> Click:
        seen.append((shown.area / target.area if shown else None, len(clicks), extent))
        return Click(len(clicks), 3, False)

    person, clicks = annotate(state(), TARGET, 0, EASY, choose=choose), ()
    action = next(person)
    for share in (0.25, 0.5):
        assert action == acts.PlaceClick(Click(len(clicks), 3, False))
        clicks = (*clicks, _clicked(action))
        action = person.send(shows(clicks, part(share)))
    assert seen == [(None, 0, WHOLE), (0.25, 1, WHOLE), (0.5, 2, WHOLE)]


def test_it_clicks_like_the_oracle_and_never_twice_on_one_pixel() -> None:
    actions, _ = played(Goal(0.85, 6), [0.5])
    clicks = [a.click for a in actions if isinstance(a, acts.PlaceClick)]
    assert clicks[0] == Click(8, 8, True)
    assert len({(c.x, c.y) for c in clicks}) == 6


def test_a_step_says_which_weights_answered_where_and_how_fast() -> None:
    _, outcome = played(EASY, [1.0])
    step = outcome.steps[0]
    assert (step.version, step.window, step.seconds) == (3, WHOLE, 0.05)
    assert (step.predicted_iou, step.uncertainty) == (0.7, 0.2)


def test_a_step_has_the_boundary_iou_with_a_band_of_the_image() -> None:
    # image of 20 x 20: band of 1 pixel; the target's band has 28 pixels, the upper half's 20, of which 14 are shared with it
    _, outcome = played(Goal(0.5, 1), [0.5])
    assert outcome.steps[0].boundary_iou == pytest.approx(14 / (28 + 20 - 14))


def test_another_image_is_opened_first() -> None:
    assert next(annotate(state(), TARGET, 1, EASY)) == acts.OpenImage(1)
    assert next(annotate(state(image=None), TARGET, 0, EASY)) == acts.OpenImage(0)


def test_an_image_that_cannot_be_opened_ends_without_a_step() -> None:
    person = annotate(state(), TARGET, 1, EASY)
    next(person)
    with pytest.raises(StopIteration) as finished:
        person.send(state(index=1, image=None))
    assert finished.value.value == AnnotatedObject((), False)


def test_a_step_says_what_the_heads_expected_and_without_heads_what_the_decoder_did() -> None:
    _, outcome = played(EASY, [1.0])
    assert outcome.steps[0].expected_iou == 0.7
    person = annotate(state(), TARGET, 0, EASY)
    click = _clicked(next(person))
    seen = shows((click,), TARGET)
    assert seen.preview is not None
    told = replace(seen.preview.history[0], gaps=Gaps(0.0, 0.1, 0.2, 0.55))
    assert person.send(replace(seen, preview=replace(seen.preview, history=(told,)))) == acts.Accept()
    with pytest.raises(StopIteration) as finished:
        person.send(state(annotations=(Annotation(1, "a.png", 1, TARGET, None, (), WHOLE, 3, 0.7, 0.2, 1.0, ""),)))
    assert [step.expected_iou for step in finished.value.value.steps] == [0.55]


def test_masks_are_compared_with_the_accepted_one_and_with_none_when_given_up() -> None:
    _, outcome = played(Goal(0.7, 5), [0.25, 0.5, 0.75])
    assert outcome.accepted
    assert outcome.agreements == pytest.approx((2 / 6, 4 / 6, 1.0))  # rows of eight pixels
    _, failed = played(Goal(0.85, 3), [0.25, 0.5, 0.75])
    assert failed.agreements == (None, None, None)
    assert AnnotatedObject((), False).agreements == ()


def test_a_click_without_an_answer_ends_the_object() -> None:
    person = annotate(state(), TARGET, 0, EASY)
    assert isinstance(next(person), acts.PlaceClick)
    with pytest.raises(StopIteration) as finished:
        person.send(state())
    assert not finished.value.value.accepted


def test_an_accept_that_was_not_stored_is_cancelled() -> None:
    person = annotate(state(), TARGET, 0, EASY)
    click = _clicked(next(person))
    good = shows((click,), TARGET)
    assert person.send(good) == acts.Accept()
    assert person.send(good) == acts.Cancel()
    with pytest.raises(StopIteration) as finished:
        person.send(state())
    assert not finished.value.value.accepted


def test_a_class_is_added_once_and_chosen() -> None:
    person = annotate(state(), TARGET, 0, EASY, "nut")
    assert next(person) == acts.AddClass("nut")
    known = (LabelClass(1, "object", 0), LabelClass(2, "nut", 1))
    assert person.send(state(classes=known)) == acts.SetClass(2)
    assert isinstance(person.send(state(classes=known, current_class=2)), acts.PlaceClick)


def test_the_right_class_is_left_alone() -> None:
    assert isinstance(next(annotate(state(), TARGET, 0, EASY, "object")), acts.PlaceClick)


def test_a_known_class_is_chosen_and_another_one_is_added() -> None:
    known = state(classes=(LabelClass(4, "nut", 0),))
    assert next(annotate(known, TARGET, 0, EASY, "nut")) == acts.SetClass(4)
    assert next(annotate(known, TARGET, 0, EASY, "bolt")) == acts.AddClass("bolt")


def test_a_window_waits_for_the_image_and_for_the_answer() -> None:
    assert not settled(acts.OpenImage(0), state(image=None))
    assert not settled(acts.OpenImage(1), state())
    assert settled(acts.OpenImage(0), state())
    clicks = (Click(8, 8, True),)
    assert not settled(acts.PlaceClick(clicks[0]), shows(clicks, TARGET, waiting=True))
    assert settled(acts.PlaceClick(clicks[0]), shows(clicks, TARGET))


def test_a_window_does_not_wait_for_an_unreadable_image() -> None:
    bad = (ImageEntry("a.png", Path("a.png"), "unreadable", 0, "cut off"),)
    assert settled(acts.OpenImage(0), state(images=bad, image=None))


def test_a_step_says_what_was_offered_and_whether_the_clicked_pixel_is_on_the_asked_side() -> None:
    _, outcome = played(Goal(1.0, 3), [0.5, 0.25])
    first, second, third = outcome.steps
    assert first.best_iou == first.iou == 0.5
    clicked = [(step.click, step.obeyed) for step in (first, second, third)]
    upper = [5 + 8 * share for share in (0.5, 0.25, 0.25)]  # below it the answer is background
    assert [obeyed for _, obeyed in clicked] == [
        click.y < edge for (click, _), edge in zip(clicked, upper, strict=True)
    ]
    assert not all(obeyed for _, obeyed in clicked)
