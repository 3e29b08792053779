"""Objects that were begun and given up: each is stored as an attempt, which undo takes back and redo brings again.

An object that is begun again, also at the same place, is a new attempt. An object whose clicks were all taken back was
not begun.
"""

from __future__ import annotations

from samtta_app.core.types import Annotation
from samtta_app.errors import StoreError
from samtta_app.phrases import Phrase
from samtta_app.session.object_records import GivenUpObject, WhyGivenUp
from samtta_app.session.workflow import draft as drafts
from samtta_app.session.workflow.context import SessionContext
from samtta_app.session.workflow.draft import Draft
from samtta_app.session.workflow.history import Accepted


def give_up(desk: SessionContext, draft: Draft, why: WhyGivenUp) -> GivenUpObject | None:
    """Store an object that was not accepted; None where it cannot be stored."""
    if desk.state.image is None:
        return None
    worked = drafts.touched(draft, desk.now(), desk.idle)
    version = 0 if worked.control else desk.state.adaptation.version
    steps = drafts.all_steps(worked, desk.state.image.whole, version)
    name, class_name = desk.image_name(), desk.class_name(desk.state.current_class)
    given_up = GivenUpObject(
        0, name, class_name, why, worked.seconds, "", steps, worked.preview.box, control=worked.control
    )
    return _stored(desk, given_up)


def give_up_accepted(desk: SessionContext, annotation: Annotation) -> GivenUpObject | None:
    """Store an accepted object that is deleted as a given-up one, if nothing else was done since its accept; else None."""
    newest = desk.history.done[-1] if desk.history.done else None
    if not isinstance(newest, Accepted) or newest.annotation.id != annotation.id:
        return None
    name, class_name = annotation.image_name, desk.class_name(annotation.class_id)
    given_up = GivenUpObject(
        *(0, name, class_name, "deleted", annotation.seconds, "", annotation.history),
        box=annotation.box,
        object_id=annotation.id,
        control=annotation.control,
    )
    return _stored(desk, given_up)


def take_back(desk: SessionContext, attempt: GivenUpObject | None) -> None:
    """The object goes on after all.

    Raises:
        StoreError: it was not stored, and nothing has changed.
    """
    if attempt is not None:
        desk.store.withdraw_attempt(attempt.id, True)
        desk.withdraw_attempt(attempt.id)


def give_up_again(desk: SessionContext, attempt: GivenUpObject | None) -> None:
    """Undo `take_back`.

    Raises:
        StoreError: it was not stored, and nothing has changed.
    """
    if attempt is not None:
        desk.store.withdraw_attempt(attempt.id, False)
        desk.put_attempt(attempt)


def _stored(desk: SessionContext, attempt: GivenUpObject) -> GivenUpObject | None:
    """Store it; where that fails a warning says so, and no more: the user must be able to go on."""
    if desk.store.read_only:
        return None
    try:
        saved = desk.store.log_attempt(attempt)
    except StoreError as error:
        desk.say("warning", Phrase("The object that was given up is missing in the figures. {error}", error=error))
        return None
    desk.put_attempt(saved)
    return saved
