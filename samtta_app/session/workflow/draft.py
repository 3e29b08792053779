"""The object being annotated: its preview, the masks it showed, the time spent on it; every change makes a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from samtta_app.core.metrics import iou
from samtta_app.core.readings import listed_readings
from samtta_app.core.replies import Answer, Hypotheses
from samtta_app.core.types import (
    Annotation,
    Box,
    Candidate,
    Click,
    ClickRecord,
    HandKind,
    Logits,
    Mask,
    Prompt,
    Window,
)
from samtta_app.session.advice import advice
from samtta_app.session.state import Preview
from samtta_app.session.workflow.held_strokes import NO_STROKES, HeldStrokes

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class HandStep:
    """A step that was done by hand; the mask after it says what it did."""

    kind: HandKind


DraftStep = Click | Box | HandStep
"""One thing that shapes an object."""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """One object before its accept.

    `steps` are clicks, boxes and work by hand in order, `times` the working seconds at each. `masks` are those that were
    shown after each answered step (None where the next prompt came first), one for each entry of `preview.history`.
    `seconds` is working time up to the clock's `touched`. `asked`, `window` and `view` are the newest prompt as sent with
    `request_id`. `larger` is whether the larger model is asked. `control` is whether the frozen weights answer by a
    draw, None without a draw. `strokes` hold in later answers. `edits` is the accepted object that is being changed.
    """

    preview: Preview
    steps: tuple[DraftStep, ...]
    times: tuple[float, ...]
    masks: tuple[Mask | None, ...]
    seconds: float
    touched: float
    asked: Prompt
    window: Window | None
    view: Window | None
    request_id: int = 0
    sent: float = 0.0
    larger: bool = False
    control: bool | None = None
    strokes: HeldStrokes = NO_STROKES
    edits: Annotation | None = None


def with_prompt(draft: Draft | None, step: Click | Box, now: float, idle: float, view: Window | None) -> Draft:
    """The draft after one more click or box, waiting for its answer; what was shown stays until then."""
    steps = (*(draft.steps if draft else ()), step)
    clicks = tuple(s for s in steps if isinstance(s, Click))
    box = next((s for s in reversed(steps) if isinstance(s, Box)), None)
    if draft is None:
        preview = Preview(clicks, box, None, 0, None, waiting=True)
        return Draft(preview, steps, (0.0,), (), 0.0, now, Prompt(clicks, box), None, view)
    shown = draft.preview.candidate
    worked = touched(draft, now, idle)
    return replace(
        worked,
        preview=replace(draft.preview, clicks=clicks, box=box, waiting=True, frozen=None, advice=None, polygon=()),
        strokes=draft.strokes.after_click(step) if isinstance(step, Click) else draft.strokes,
        steps=steps,
        times=(*draft.times, worked.seconds),
        asked=Prompt(clicks, box, shown.logits if shown else None),
        window=draft.preview.window,
        view=view,
    )


def with_answer(draft: Draft, reply: Answer, now: float) -> Draft:
    """The draft with the answer to its newest prompt; steps that were never answered get a record without a mask.

    What was drawn by hand stays drawn.
    """
    reply = draft.strokes.on(reply)
    last = len(draft.steps) - 1
    records, masks = list(draft.preview.history[:last]), list(draft.masks[:last])
    given = (reply.window, reply.weights_version)
    for k in range(len(records), last):
        records.append(_record(draft, k, *given, None, _NAN))
        masks.append(None)
    candidate = reply.candidates[reply.chosen] if not nothing_found(reply) else None
    records.append(_record(draft, last, *given, candidate, now - draft.sent))
    preview = replace(
        draft.preview,
        answer=reply if candidate else replace(reply, candidates=(), chosen=0),
        chosen=reply.chosen if candidate else 0,
        window=candidate.logits.window if candidate else draft.preview.window,  # a window without a mask is not kept
        waiting=False,
        history=tuple(records),
        frozen=None,
    )
    return replace(draft, preview=advised(preview), masks=(*masks, candidate.mask if candidate else None))


def with_first_sight(draft: Draft, reply: Answer) -> Draft:
    """The draft that shows what the first window says, and still waits for the answer."""
    reply = draft.strokes.on(reply)
    if nothing_found(reply):
        return draft
    window = reply.candidates[reply.chosen].logits.window
    return replace(draft, preview=replace(draft.preview, answer=reply, chosen=reply.chosen, window=window))


def nothing_found(reply: Answer) -> str:
    """Message that says why an answer has nothing to accept and what to do; "" where it has a mask."""
    if any(candidate.mask.area for candidate in reply.candidates):
        return ""
    if not reply.candidates:
        return "Exclude clicks alone show no object: click on the object; what you excluded stays excluded"
    return "The model finds nothing here: click on the object again, or draw a box around it"


def advised(preview: Preview) -> Preview:
    """The preview with the advice of the uncertainty heads."""
    worth = preview.answer.advise_from if preview.answer else None
    shown = advice(preview.candidates, preview.chosen, preview.clicks, worth, larger=preview.larger)
    return replace(preview, advice=shown)


def with_candidate(draft: Draft, step: int) -> Draft:
    """The draft showing another of its candidates; the newest record is of the one that is shown."""
    preview = draft.preview
    chosen = (preview.chosen + step) % len(preview.candidates)
    candidate = preview.candidates[chosen]
    record = replace(
        preview.history[-1],
        predicted_iou=candidate.predicted_iou,
        uncertainty=candidate.uncertainty,
        iou=_NAN,
        gaps=candidate.gaps,
        window=candidate.logits.window,
    )
    window = candidate.logits.window
    preview = replace(preview, chosen=chosen, window=window, history=(*preview.history[:-1], record))
    return replace(draft, preview=advised(preview), masks=(*draft.masks[:-1], candidate.mask))


def with_hypotheses(draft: Draft, reply: Hypotheses) -> Draft:
    """The draft with plausible outlines among its candidates, those of most samples first.

    The outline on the screen stays there. It takes the place of the sampled one that is like it, or comes after them.
    Only where what was accepted before moved the draw, and the user chose no other, the first outline is shown.
    """
    preview = draft.preview
    shown, answer = preview.candidate, preview.answer
    if shown is None or answer is None:
        return draft
    cards = listed_readings(reply.cards, answer.candidates, shown)
    place = next(k for k, card in enumerate(cards) if card.mask is shown.mask)
    found = replace(
        answer,
        candidates=cards,
        chosen=place,
        samples=reply.samples,
        disagreement=None if reply.disagreement is None else Logits(reply.window, reply.disagreement),
    )
    untouched = preview.chosen == answer.chosen
    after = replace(draft, preview=advised(replace(preview, answer=found, chosen=place)))
    return with_candidate(after, -place) if reply.preferred and untouched and place else after


def with_alternative(draft: Draft, mask: Mask) -> Draft:
    """The draft that keeps a mask as an alternative outline of its object, or no longer."""
    kept = draft.preview.alternatives
    others = tuple(each for each in kept if each is not mask)
    kept = others if len(others) < len(kept) else (*kept, mask)
    return replace(draft, preview=replace(draft.preview, alternatives=kept))


def changed(draft: Draft) -> bool:
    """Whether an accepted object that was taken up has a new step."""
    return draft.edits is None or len(draft.steps) > len(draft.edits.history)


def touched(draft: Draft, now: float, idle: float) -> Draft:
    """The draft with the time since the last act added, a longer pause counted as `idle` seconds."""
    return replace(draft, seconds=draft.seconds + min(max(now - draft.touched, 0.0), idle), touched=now)


def resting(draft: Draft, now: float) -> Draft:
    """The draft resumed: the time since it was left does not count."""
    return replace(draft, touched=now)


def annotation(draft: Draft, candidate: Candidate, image_name: str, class_id: int) -> Annotation:
    """What is stored on accept (id 0): the shown mask, and every step with its mask's IoU with it."""
    preview = draft.preview
    history = tuple(
        replace(record, iou=_NAN if mask is None else iou(mask, candidate.mask))
        for record, mask in zip(preview.history, draft.masks, strict=True)
    )
    return Annotation(
        id=0,
        image_name=image_name,
        class_id=class_id,
        mask=candidate.mask,
        box=preview.box,
        history=history,
        window=candidate.logits.window,
        weights_version=preview.weights_version,
        predicted_iou=candidate.predicted_iou,
        uncertainty=candidate.uncertainty,
        seconds=draft.seconds,
        created="",
        gaps=candidate.gaps,
        control=draft.control,
        alternatives=tuple(mask for mask in preview.alternatives if iou(mask, candidate.mask) < 1),
        replaces=(draft.edits.id,) if draft.edits else (),
    )


def all_steps(draft: Draft, whole: Window, version: int) -> tuple[ClickRecord, ...]:
    """A record of every step of an object that is given up; `version` is of the weights asked where no answer came."""
    done = draft.preview.history
    window = draft.preview.window or draft.view or whole
    return done + tuple(_record(draft, k, window, version, None, _NAN) for k in range(len(done), len(draft.steps)))


def _record(
    draft: Draft, k: int, window: Window, version: int, candidate: Candidate | None, latency: float
) -> ClickRecord:
    step = draft.steps[k]
    return ClickRecord(
        click=step if isinstance(step, Click) else None,
        seconds=draft.times[k],
        latency=latency,
        window=window,
        weights_version=version,
        predicted_iou=candidate.predicted_iou if candidate else _NAN,
        uncertainty=candidate.uncertainty if candidate else _NAN,
        iou=_NAN,
        gaps=candidate.gaps if candidate else None,
        hand=step.kind if isinstance(step, HandStep) else None,
    )
