"""The workflow's part that changes accepted objects: taken up again, merged, cut, copied. What was there stays stored."""

from __future__ import annotations

from dataclasses import replace

from samtta_app.core.mask_edits import halves, joined, moved_mask
from samtta_app.core.masks import holds
from samtta_app.core.types import Annotation, HandKind, Image, Mask
from samtta_app.session.project.pictures import picture_of
from samtta_app.session.workflow import draft as drafts
from samtta_app.session.workflow.annotating import Annotating
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.drawing import begun, taken_up, taken_up_selected, with_drawing
from samtta_app.session.workflow.held_strokes import NO_STROKES
from samtta_app.session.workflow.history import Exchanged, Prompted
from samtta_app.session.workflow.image_opening import ImageOpener
from samtta_app.session.workflow.lessons import LessonQueue
from samtta_app.session.workflow.object_acts import Objects
from samtta_app.session.workflow.under_way import Carried

NONE_SELECTED = "Select an object first: Ctrl + click on it"
NOT_CUT = "The line does not go through the object: draw it from one side to the other"
JOIN_WITH = "Select the other object with Tab, or with Ctrl and a click, then merge again; Esc drops this"
NO_OTHER = "Select one object, then click on another with Ctrl and Shift"
COPY_OFFSET = 10
"""A duplicate lies this many pixels to the right and below, so that both are seen."""


class Reworking:
    """Accepted objects that are changed; each change is one entry of the history, and learned from."""

    def __init__(
        self,
        desk: SessionContext,
        browsing: ImageOpener,
        annotating: Annotating,
        objects: Objects,
        learning: LessonQueue,
    ) -> None:
        self._desk, self._browsing, self._annotating = desk, browsing, annotating
        self._objects, self._learning = objects, learning

    def take_up(self) -> Requests:
        """Show the selected object's mask as the one to be changed; without a selection that of the newest object."""
        desk = self._desk
        if desk.draft is not None:
            return ()
        if desk.state.selected is None and desk.state.annotations:
            desk.change(selected=desk.state.annotations[-1].id)
        draft = taken_up_selected(desk)
        if draft is None:
            desk.say("info", NONE_SELECTED)
            return ()
        desk.change(selected=None)
        desk.put(draft)
        return ()

    def shown(self, saved: Annotation) -> Requests:
        """Show an object that was just stored, in the place of those that it replaces, and learn from it."""
        requests: Requests = ()
        for earlier in saved.replaces:
            old = self._objects.find(earlier)
            requests += self._objects.take_away(old) if old is not None else ()
        self._objects.add(saved)
        return requests + self._learning.accepted(saved)

    def merge(self, other_id: int) -> Requests:
        """Make one object of the selected one and another; it has the class of the selected one."""
        desk = self._desk
        one, other, image = self._objects.find(desk.state.selected), self._objects.find(other_id), desk.state.image
        if one is None or other is None or one is other or image is None or desk.draft is not None:
            desk.say("info", NO_OTHER)
            return ()
        made = self._made(one, joined(one.mask, other.mask), "merge", image, (one.id, other.id))
        return self._exchange((one, other), (made,), image)

    def join(self) -> Requests:
        """Merge the selected object with the one that was named before; the first one is named, and waits for another."""
        desk = self._desk
        first, second = self._objects.find(desk.state.joining), self._objects.find(desk.state.selected)
        if second is None or desk.draft is not None:
            desk.say("info", NONE_SELECTED)
            return ()
        if first is None or first is second:
            desk.change(joining=second.id)
            desk.say("info", JOIN_WITH)
            return ()
        desk.change(joining=None, selected=first.id)
        return self.merge(second.id)

    def cut(self, start: tuple[float, float], end: tuple[float, float]) -> Requests:
        """Make two objects of one along a line; no pixel is lost."""
        desk, image = self._desk, self._desk.state.image
        middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        under = [a for a in desk.state.annotations if holds(a.mask, *middle)]
        one = self._objects.find(desk.state.selected) or (under[-1] if under else None)
        if one is None or image is None or desk.draft is not None:
            desk.say("info", NONE_SELECTED)
            return ()
        sides = halves(one.mask, start, end)
        if not all(side.bits.any() for side in sides):
            desk.say("info", NOT_CUT)
            return ()
        made = tuple(self._made(one, side, "split", image, (one.id,)) for side in sides)
        return self._exchange((one,), made, image)

    def duplicate(self) -> Requests:
        """Show a copy of the selected object beside it; it is another object once it is accepted."""
        desk, image = self._desk, self._desk.state.image
        one = self._objects.find(desk.state.selected)
        if one is None or image is None or desk.draft is not None:
            desk.say("info", NONE_SELECTED)
            return ()
        desk.change(current_class=one.class_id)
        moves = (
            (COPY_OFFSET, COPY_OFFSET),
            (-COPY_OFFSET, -COPY_OFFSET),
            (0, 0),
        )  # to the other side where the image ends
        copies = (moved_mask(one.mask, dx, dy, image.whole) for dx, dy in moves)
        self._show(next(copy for copy in copies if copy.bits.any()), image)
        return ()

    def carry(self) -> int | None:
        """Have the selected object's mask shown on the next image; the number of that image, None where there is none."""
        desk = self._desk
        one = self._objects.find(desk.state.selected)
        if one is None or desk.draft is not None:
            desk.say("info", NONE_SELECTED)
            return None
        index = self._browsing.next_index(1)
        if index is not None:
            desk.change(current_class=one.class_id)
            desk.carried = Carried(desk.state.images[index].name, one.mask)
        return index

    def set_down(self) -> None:
        """The image for which a mask was carried is shown: the mask lies on it, cut to its size."""
        desk, image = self._desk, self._desk.state.image
        carried, desk.carried = desk.carried, None
        if carried is None or image is None or desk.draft is not None or carried.image != desk.image_name():
            return
        mask = moved_mask(carried.mask, 0, 0, image.whole)
        if mask.bits.any():
            self._show(mask, image)
        else:
            desk.say("info", "The object lies outside this image")

    # --- below the surface --------------------------------------------------------------------------------------------

    def _show(self, mask: Mask, image: Image) -> None:
        """Show a copy as an object that is not accepted yet."""
        desk = self._desk
        draft = with_drawing(begun(desk.now()), mask, "copy", desk.now(), desk.idle, image.whole, NO_STROKES)
        desk.change(selected=None)
        desk.put(draft)
        desk.history.push(Prompted(desk.image_name(), None, draft))

    def _made(self, one: Annotation, mask: Mask, kind: HandKind, image: Image, replaces: tuple[int, ...]) -> Annotation:
        """An annotation made of another, with its history and one more step."""
        desk = self._desk
        taken = taken_up(one, desk.now(), image.whole)
        draft = with_drawing(taken, mask, kind, desk.now(), desk.idle, image.whole, NO_STROKES)
        candidate = draft.preview.candidates[0]
        made = drafts.annotation(draft, candidate, one.image_name, one.class_id)
        return replace(made, picture=picture_of(image), replaces=replaces, note=one.note)

    def _exchange(self, gone: tuple[Annotation, ...], made: tuple[Annotation, ...], image: Image) -> Requests:
        """Store annotations in the place of others.

        Raises:
            StoreError: nothing was stored.
        """
        desk = self._desk
        saved = desk.store.accept_all(made, image.width, image.height, teaches=desk.learn)
        desk.history.push(Exchanged(desk.image_name(), gone, saved))
        requests: Requests = ()
        for annotation in saved:
            requests += self.shown(annotation)
        desk.change(selected=saved[0].id)
        return requests
