"""The workflow's part that has the answer on the screen measured, for the uncertainty map that the user chose to see."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np

from samtta_app.core.messages import EdgesRequest, MeasureRequest, PseudoLabelRequest, RefineRequest
from samtta_app.core.replies import Edges, Failure, Measured, PseudoLabel, Refined
from samtta_app.core.types import Annotation, Candidate, Example, Image, Prompt
from samtta_app.session.acts import OverlayKind
from samtta_app.session.state import Overlay, Preview, State
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.under_way import Subject

_KINDS: tuple[OverlayKind, ...] = get_args(OverlayKind)
"""What key U goes through, in its order."""

MEASURING = "Measuring…"
NO_LESSON = "Click on an object or select one: the map is of what its mask teaches"
NO_MAP = "Click on an object: the map is of the answer to it"
TWIN = "There is a map of the present model's answer only, not of the original model's"
LARGER = "There is a map of this model's answers only, not of the larger model's"
TURNED = "There is a map of the first candidate only: Tab goes back to it"
BY_HAND_MAP = "The mask was drawn by hand: there is a map of the model's answers only"
UNLEARNED = "Nothing was learned yet: the original model gave this answer"
BLINDED = "The original model's answer is not shown before Enter while control objects are drawn"
UNDRAWN = "No plausible outlines were drawn for this answer: key G draws some"
SAME = "What was learned makes no difference to this answer"
EDGE_CELLS = 1024
"""Cells along the longer side of a map of edges: a screen shows no more."""

NO_EDGES = "No edges were found in this image"
ENDLESS = "The answer is not finite, so no map can show where it is unsure"


def following(kind: OverlayKind, step: int) -> OverlayKind:
    """The kind `step` places after another (before it where negative), in a cycle."""
    return _KINDS[(_KINDS.index(kind) + step) % len(_KINDS)]


def overlay_of(state: State) -> Overlay | None:
    """The map to be shown with `state`, or in its place the reason why there is none; None while overlays are off."""
    kind, preview = state.display.overlay, state.preview
    if kind == "off" or state.image is None:
        return None
    if kind in ("lesson", "edges"):
        waiting = Overlay(kind, None, None, MEASURING if kind == "edges" or _to_teach(state) else NO_LESSON)
        return state.overlay if state.overlay is not None and state.overlay.kind == kind else waiting
    twin = preview.frozen if preview and state.display.compare else None
    shown = twin or (preview.candidate if preview else None)
    if shown is None:
        return Overlay(kind, None, None, MEASURING if preview and preview.waiting else NO_MAP)
    if preview is not None and preview.drawn and twin is None:
        return Overlay(kind, None, None, BY_HAND_MAP)
    if kind == "entropy":
        return _finite(Overlay(kind, shown.logits.window, shown.entropy))
    if kind == "disagreement":
        return _disagreement(preview)
    if twin is not None and kind != "adapted":
        return Overlay(kind, None, None, TWIN)
    asked = state.overlay
    return asked if asked is not None and asked.kind == kind else Overlay(kind, None, None, MEASURING)


class Overlays:
    """Asks for the map of the answer on the screen, once for each answer, and never while a click waits for its answer."""

    def __init__(self, desk: SessionContext) -> None:
        self._desk = desk

    def ask(self) -> Requests:
        """The requests to send now; at most one measurement is under way."""
        desk, subject = self._desk, self._subject()
        if subject is None:
            desk.measuring = replace(desk.measuring, known=None)
            if desk.state.overlay is not None:
                desk.change(overlay=None)
            return ()
        draft, image = desk.draft, desk.seen()
        if isinstance(subject[1], Image):
            return self._ask_edges(subject, subject[1])
        if subject[0] == "lesson":
            return self._ask_lesson(subject, image)
        if subject == desk.measuring.known or draft is None or image is None or draft.preview.waiting:
            return ()
        kind, candidate = subject
        if not isinstance(candidate, Candidate):
            return ()
        reason = BLINDED if kind == "adapted" and desk.control_share else _impossible(kind, draft.preview)
        desk.measuring = replace(desk.measuring, known=subject if reason else None)
        self._say(kind, reason or MEASURING)
        if reason or desk.measuring.request_id:
            return ()
        number, prompt, window = desk.id(), draft.asked, candidate.logits.window
        desk.measuring = replace(desk.measuring, request_id=number, asked=subject)
        if kind == "refiner":
            return (RefineRequest(number, image, prompt, window, candidate),)
        return (MeasureRequest(number, image, prompt, window, (kind,), frozen=draft.control is True),)

    def _ask_edges(self, subject: Subject, image: Image) -> Requests:
        """Ask for the edges of everything, once for each image."""
        desk = self._desk
        if subject == desk.measuring.known or desk.measuring.request_id:
            return ()
        self._say("edges", MEASURING)
        number = desk.id()
        desk.measuring = replace(desk.measuring, request_id=number, known=None, asked=subject)
        return (EdgesRequest(number, image, frozen=desk.frozen),)

    def _ask_lesson(self, subject: Subject, image: Image | None) -> Requests:
        """Ask what the mask on the screen would teach, or what the selected object taught."""
        desk, draft, shown = self._desk, self._desk.draft, subject[1]
        waiting = draft is not None and draft.preview.waiting
        if subject == desk.measuring.known or image is None or waiting or desk.measuring.request_id:
            return ()
        self._say("lesson", MEASURING)
        number = desk.id()
        desk.measuring = replace(desk.measuring, request_id=number, known=None, asked=subject)
        if isinstance(shown, Image):
            return ()
        if isinstance(shown, Annotation):
            example = Example(shown.id, image, shown.window, shown.mask, shown.clicks, shown.box, shown.class_id)
        else:
            asked = draft.asked if draft else Prompt()
            example = Example(0, image, shown.logits.window, shown.mask, asked.clicks, asked.box, asked.class_id)
        return (PseudoLabelRequest(number, example),)

    def answered(self, reply: Refined | Measured | PseudoLabel | Edges | Failure) -> None:
        """Keep the map of the answer on the screen; an older map is dropped."""
        desk, subject = self._desk, self._desk.measuring.asked
        if subject is None or desk.measuring.request_id != reply.request_id:
            return
        desk.measuring = replace(desk.measuring, request_id=0, asked=None)
        if subject == self._subject():
            desk.measuring = replace(desk.measuring, known=subject)
            shown = _edges(subject[1], reply) if isinstance(reply, Edges) else _overlay(subject[0], reply)
            desk.change(overlay=shown)

    def _say(self, kind: OverlayKind, reason: str) -> None:
        """There is no map, for a reason."""
        before = self._desk.state.overlay
        if before is None or (before.kind, before.reason) != (kind, reason):
            self._desk.change(overlay=Overlay(kind, None, None, reason))

    def _subject(self) -> Subject | None:
        """What a map is wanted for; the entropy comes with the answer."""
        kind, draft, image = self._desk.state.display.overlay, self._desk.draft, self._desk.state.image
        if kind == "edges":
            return (kind, image) if image is not None else None
        if kind == "lesson":
            shown = _to_teach(self._desk.state)
            return (kind, shown) if shown is not None else None
        candidate = draft.preview.candidate if draft else None
        return None if kind in ("off", "entropy", "disagreement") or candidate is None else (kind, candidate)


def _disagreement(preview: Preview | None) -> Overlay:
    """Where the hypotheses of the answer on the screen disagree; they came with its plausible outlines."""
    found = preview.answer.disagreement if preview and preview.answer else None
    if found is None:
        return Overlay("disagreement", None, None, UNDRAWN)
    return _finite(Overlay("disagreement", found.window, found.values))


def _to_teach(state: State) -> Candidate | Annotation | None:
    """The mask that would teach if it were accepted; without one, the selected object."""
    if state.preview is not None:
        return state.preview.candidate
    return next((a for a in state.annotations if a.id == state.selected), None)


def _impossible(kind: OverlayKind, preview: Preview) -> str:
    """Message that says why there is no map of the answer that is shown; "" where there can be one."""
    if preview.drawn:
        return BY_HAND_MAP
    if preview.larger:
        return LARGER
    if kind == "refiner":
        return ""
    if kind == "adapted" and preview.weights_version == 0:
        return UNLEARNED
    return TURNED if preview.answer is not None and preview.chosen != preview.answer.chosen else ""


def _edges(of: object, reply: Edges) -> Overlay:
    """The edges of a whole image, in each of at most EDGE_CELLS cells along a side the strongest one."""
    if not isinstance(of, Image) or not reply.strength.any():
        return Overlay("edges", None, None, NO_EDGES)
    side = of.whole.side
    cells, strength = min(side, EDGE_CELLS), reply.strength
    for axis in (0, 1):
        places = np.arange(strength.shape[axis]) * cells // side
        strength = np.maximum.reduceat(strength, np.flatnonzero(np.diff(places, prepend=-1)), axis=axis)
    values = np.zeros((cells, cells), np.float32)
    values[: strength.shape[0], : strength.shape[1]] = strength
    return _finite(Overlay("edges", of.whole, values))


def _overlay(kind: OverlayKind, reply: Refined | Measured | PseudoLabel | Failure) -> Overlay:
    match reply:
        case PseudoLabel():
            return Overlay(kind, reply.window, reply.values, reply.reason)
        case Failure():
            return Overlay(kind, None, None, reply.text)
        case Refined():
            return _finite(Overlay(kind, reply.window, reply.uncertainty, reply.reason))
        case Measured() if kind in reply.maps:
            found = _finite(Overlay(kind, reply.maps[kind].window, reply.maps[kind].values))
            return Overlay(kind, None, None, SAME) if kind == "adapted" and not np.any(found.values) else found
        case Measured():
            return Overlay(kind, None, None, reply.absent.get(kind, ENDLESS))


def _finite(overlay: Overlay) -> Overlay:
    """The map, or a reason where there is none or it holds values that are not finite."""
    if overlay.values is None or not np.isfinite(overlay.values).all():
        return Overlay(overlay.kind, None, None, overlay.reason or ENDLESS)
    return overlay
