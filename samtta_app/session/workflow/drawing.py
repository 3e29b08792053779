"""Drafts that are shaped by hand: begun from nothing, changed by a stroke, a polygon or a change of shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from samtta_app.core.mask_edits import drawn_logits, holds_mask
from samtta_app.core.masks import bounding_box
from samtta_app.core.polygons import Rings
from samtta_app.core.replies import Answer
from samtta_app.core.types import Annotation, Candidate, ClickRecord, HandKind, Mask, Prompt, Window
from samtta_app.core.windows import around
from samtta_app.session.state import Preview
from samtta_app.session.workflow.context import SessionContext
from samtta_app.session.workflow.draft import Draft, HandStep, touched
from samtta_app.session.workflow.held_strokes import HeldStrokes

_NAN = float("nan")

UNJUDGED = "Drawn by hand: no model says how well it fits"
"""Why a drawn mask has no numbers."""


def begun(now: float) -> Draft:
    """An object with no step yet."""
    return Draft(Preview((), None, None, 0, None, waiting=False), (), (), (), 0.0, now, Prompt(), None, None)


def taken_up(annotation: Annotation, now: float, extent: Window) -> Draft:
    """An accepted object, to be changed: its mask as the answer on the screen, its clicks and box as the prompt so far.

    Its earlier steps stay. Of their masks only the accepted one is known.
    """
    steps = tuple(
        record.click or (annotation.box if record.hand is None else None) or HandStep(record.hand or "shape")
        for record in annotation.history
    )
    shown = drawn_candidate(annotation.mask, annotation.window, extent)
    window = shown.logits.window
    answer = Answer(0, window, (shown,), 0, annotation.weights_version, 0.0, no_gaps=UNJUDGED)
    preview = Preview(
        annotation.clicks,
        annotation.box,
        answer,
        0,
        window,
        waiting=False,
        history=annotation.history,
        alternatives=annotation.alternatives,
        edits=annotation.id,
    )
    masks = (*(None for _ in annotation.history[1:]), *((annotation.mask,) if annotation.history else ()))
    times = tuple(record.seconds for record in annotation.history)
    asked = Prompt(annotation.clicks, annotation.box, shown.logits)
    return Draft(
        *(preview, steps, times, masks, annotation.seconds, now, asked, window, None),
        control=annotation.control,
        edits=annotation,
    )


def taken_up_selected(desk: SessionContext) -> Draft | None:
    """The selected object, to be changed, with its class as the current one; None where none is selected."""
    state = desk.state
    annotation = next((a for a in state.annotations if a.id == state.selected), None)
    if annotation is None or state.image is None:
        return None
    desk.change(current_class=annotation.class_id)
    return taken_up(annotation, desk.now(), state.image.whole)


def with_drawing(
    draft: Draft,
    mask: Mask,
    kind: HandKind,
    now: float,
    idle: float,
    extent: Window,
    strokes: HeldStrokes,
    polygon: Rings = (),
) -> Draft:
    """The draft after a step by hand that made its mask `mask`; only this mask is offered then.

    The next click gives it back to the model as the earlier answer.
    """
    worked, preview = touched(draft, now, idle), draft.preview
    shown = preview.candidate
    drawn = drawn_candidate(mask, shown.logits.window if shown else None, extent, shown)
    window, version = drawn.logits.window, preview.weights_version
    earlier = preview.answer or Answer(0, window, (), 0, version, 0.0)
    answer = replace(
        earlier,
        window=window,
        candidates=(drawn,),
        chosen=0,
        no_gaps=UNJUDGED,
        advise_from=None,
        plausible=False,
        samples=0,
        disagreement=None,
    )
    record = ClickRecord(None, worked.seconds, _NAN, window, version, _NAN, _NAN, _NAN, hand=kind)
    return replace(
        worked,
        preview=replace(
            preview,
            answer=answer,
            chosen=0,
            window=preview.window if preview.window == window else None,
            history=(*preview.history, record),
            frozen=None,
            advice=None,
            polygon=polygon,
        ),
        steps=(*draft.steps, HandStep(kind)),
        times=(*draft.times, worked.seconds),
        masks=(*draft.masks, mask),
        strokes=strokes,
    )


def drawn_candidate(mask: Mask, window: Window | None, extent: Window, shown: Candidate | None = None) -> Candidate:
    """A mask as an answer that no model gave: in `window` where that holds it, else in the object's surroundings."""
    box = bounding_box(mask)
    if window is None or not holds_mask(window, mask):
        window = around(box, extent) if box else extent
    logits = drawn_logits(mask, window, shown.logits if shown else None, shown.mask if shown else None)
    entropy = shown.entropy if shown and shown.logits.window == window else np.zeros((1, 1), np.float32)
    return Candidate(mask, logits, _NAN, entropy, _NAN)
