"""When an action can be done: functions of the state alone; the state is None where no project is open."""

from __future__ import annotations

from collections.abc import Callable

from samtta_app.core.object_notes import ObjectNote
from samtta_app.session.state import State


def always(state: State | None) -> bool:
    """At any time."""
    return True


def opened(state: State | None) -> bool:
    """A project is open."""
    return state is not None


def pictured(state: State | None) -> bool:
    """An image is shown."""
    return state is not None and state.image is not None


def several(state: State | None) -> bool:
    """There is another image to go to."""
    return state is not None and len(state.images) > 1 and state.rating is None


def cancellable(state: State | None) -> bool:
    """There is a preview, a selection or a tool to drop, or waiting acts may lead to one."""
    if state is None:
        return False
    begun = state.preview is not None or state.selected is not None or bool(state.waiting)
    return begun or state.display.tool != "prompt"


def is_annotating(state: State | None) -> bool:
    """An object is being annotated, or waiting acts may begin one."""
    return state is not None and (state.preview is not None or bool(state.waiting))


def can_accept(state: State | None) -> bool:
    """A preview can be accepted, now or once its answer is there."""
    if state is None or state.read_only:
        return False
    preview = state.preview
    return bool(state.waiting) or (preview is not None and (preview.waiting or preview.candidate is not None))


def enlargeable(state: State | None) -> bool:
    """The object at hand can be answered by the larger model."""
    preview = state.preview if state is not None else None
    if preview is None or preview.candidate is None or preview.drawn:
        return False
    return not preview.waiting and not preview.larger


def drawable(state: State | None) -> bool:
    """A mask can be drawn by hand."""
    return state is not None and state.image is not None and state.rating is None and not state.read_only


def with_brush(state: State | None) -> bool:
    """A brush is at hand."""
    return state is not None and state.display.tool in ("brush", "eraser")


def shapeable(state: State | None) -> bool:
    """There is a mask to change, or waiting acts may lead to one."""
    return drawable(state) and state is not None and (bool(state.waiting) or state.preview is not None)


def has_candidate(state: State | None) -> bool:
    """An answer is on the screen."""
    preview = state.preview if state is not None else None
    return preview is not None and preview.candidate is not None and not preview.waiting


def kept_alternative(state: State | None) -> bool:
    """The outline on the screen is kept as an alternative."""
    preview = state.preview if state is not None else None
    shown = preview.candidate if preview is not None else None
    return preview is not None and shown is not None and any(mask is shown.mask for mask in preview.alternatives)


def exporting(state: State | None) -> bool:
    """An export is under way."""
    return state is not None and bool(state.exporting)


def reviewable(state: State | None) -> bool:
    """An accepted mask needs a review."""
    return state is not None and state.statistics.review > 0


def rateable(state: State | None) -> bool:
    """There are masks to rate, or they are being rated."""
    return state is not None and (state.rating is not None or (annotated(state) and not state.read_only))


def being_rated(state: State | None) -> bool:
    """Masks are being rated."""
    return state is not None and state.rating is not None


def selectable(state: State | None) -> bool:
    """Tab has a target: another candidate of the preview, or an object of the image."""
    if state is None:
        return False
    preview = state.preview
    return preview.waiting or len(preview.candidates) > 1 if preview else bool(state.annotations or state.waiting)


def selected(state: State | None) -> bool:
    """An object is selected and may be changed, or waiting acts may select one."""
    if state is None or state.read_only or state.rating is not None:
        return False
    return bool(state.waiting) or (state.selected is not None and state.preview is None)


def note_of_selected(state: State | None) -> ObjectNote | None:
    """The note of the selected object, None without one."""
    found = (a.note for a in state.annotations if a.id == state.selected) if state is not None else iter(())
    return next(found, None)


def changeable(state: State | None) -> bool:
    """There is an accepted object to be taken up again."""
    return drawable(state) and state is not None and state.preview is None and bool(state.annotations)


def undoable(state: State | None) -> bool:
    """There is a step to undo."""
    return state is not None and state.can_undo


def redoable(state: State | None) -> bool:
    """There is a step to redo."""
    return state is not None and state.can_redo


def annotated(state: State | None) -> bool:
    """There is something to export."""
    if state is None:
        return False
    return bool(state.annotations) or any(entry.objects for entry in state.images)  # the rows may be 100,000


def writable(state: State | None) -> bool:
    """A project is open that can be written to."""
    return state is not None and not state.read_only


def learner(state: State | None) -> bool:
    """The decoder learns (or is paused)."""
    return state is not None and state.adaptation.activity != "off"


def moved(state: State | None) -> bool:
    """The published weights are not the original ones."""
    return state is not None and state.adaptation.version > 0


def returnable(state: State | None) -> bool:
    """There is an older version to go back to."""
    return state is not None and state.adaptation.can_roll_back


def has_class(number: int) -> Callable[[State | None], bool]:
    """There are at least this many classes, or masks are being rated: then the digit is a rating."""
    return lambda state: state is not None and (len(state.classes) >= number or state.rating is not None)
