"""The workflow's part that shapes masks by hand: strokes, polygons, and changes of the whole shape."""

from __future__ import annotations

import math
from dataclasses import replace

from samtta_app.core.mask_edits import ShapeChange, joined, reshaped, taken_off
from samtta_app.core.metrics import iou
from samtta_app.core.polygons import MOST_CORNERS, Rings, crosses_itself, mask_of_rings
from samtta_app.core.strokes import LARGEST_BRUSH, LEAST_BRUSH, stroke_mask
from samtta_app.core.types import HandKind, Mask, Window
from samtta_app.phrases import Phrase
from samtta_app.session import acts
from samtta_app.session.acts import ByHand, ToolName
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.draft import Draft
from samtta_app.session.workflow.drawing import begun, taken_up_selected, with_drawing
from samtta_app.session.workflow.held_strokes import NO_STROKES, HeldStrokes
from samtta_app.session.workflow.history import Prompted

OUTSIDE_STROKE = "The stroke lies outside the image"
NO_MASK = "There is no mask to change yet: click on an object, or paint one"
SHAPED = "That leaves this mask as it is"
CROSSED = "The outline crosses itself: what it goes around twice is left out"
NO_AREA = "The polygon encloses nothing of the image"
TOO_MANY = Phrase("A polygon has at most {most:,} corners", most=MOST_CORNERS)


class Handwork:
    """Each step by hand is one step of the object: undo takes it back, and the next click goes on from its mask."""

    def __init__(self, desk: SessionContext) -> None:
        self._desk = desk

    def do(self, act: ByHand) -> Requests:
        """Do one step by hand."""
        match act:
            case acts.PaintStroke(points=points, size=size, erase=erase):
                return self.paint(points, size, erase=erase)
            case acts.DrawPolygon(rings=rings):
                return self.polygon(rings)
            case acts.Reshape(change=change):
                return self.reshape(change)

    def use(self, tool: ToolName | None, size: float | None) -> None:
        """Take another tool, or another size of the brush."""
        desk = self._desk
        display = desk.state.display if tool is None else replace(desk.state.display, tool=tool)
        if size is not None and math.isfinite(size):
            display = replace(display, size=min(max(size, LEAST_BRUSH), LARGEST_BRUSH))
        desk.change(display=display)

    def paint(self, points: tuple[tuple[float, float], ...], size: float, *, erase: bool) -> Requests:
        """Paint or erase along a stroke; painting where there is no mask begins an object."""
        desk, extent = self._desk, self._extent()
        if extent is None:
            return ()
        stroke, draft = stroke_mask(points, size, extent), self._draft()
        if not stroke.bits.any():
            desk.say("info", OUTSIDE_STROKE)
            return ()
        shown = _shown(draft)
        if draft is None or shown is None:
            if erase:
                desk.say("info", NO_MASK)
                return ()
            draft = draft or begun(desk.now())
        strokes = draft.strokes.with_stroke(stroke, erase=erase)
        mask = joined(shown, stroke) if not erase or shown is None else taken_off(shown, stroke)
        return self._put(draft, mask, "erase" if erase else "brush", extent, strokes)

    def polygon(self, rings: Rings) -> Requests:
        """Make the mask what a polygon encloses; without a mask it begins an object."""
        desk, extent = self._desk, self._extent()
        if extent is None:
            return ()
        if sum(map(len, rings)) > MOST_CORNERS:
            desk.say("info", TOO_MANY)
            return ()
        mask = mask_of_rings(rings, extent)
        if not mask.bits.any():
            desk.say("info", NO_AREA)
            return ()
        if any(map(crosses_itself, rings)):
            desk.say("info", CROSSED)
        return self._put(self._draft() or begun(desk.now()), mask, "polygon", extent, NO_STROKES, rings)

    def reshape(self, change: ShapeChange) -> Requests:
        """Change the shape of the mask on the screen."""
        desk, draft, extent = self._desk, self._draft(), self._extent()
        shown = _shown(draft)
        if extent is None:
            return ()
        if draft is None or shown is None:
            desk.say("info", NO_MASK)
            return ()
        mask = reshaped(shown, change, extent)
        if _same(mask, shown):
            desk.say("info", SHAPED)
            return ()
        return self._put(draft, mask, "shape", extent, draft.strokes.within(mask))

    def _put(
        self,
        draft: Draft,
        mask: Mask,
        kind: HandKind,
        extent: Window,
        strokes: HeldStrokes,
        rings: Rings = (),
    ) -> Requests:
        """Show what was drawn; a step that changes nothing is none."""
        desk, before = self._desk, self._desk.draft
        shown = _shown(draft)
        if shown is not None and _same(mask, shown) and not rings:
            return ()
        after = with_drawing(draft, mask, kind, desk.now(), desk.idle, extent, strokes, rings)
        desk.comparison = 0
        desk.put(after)
        desk.change(selected=None)
        desk.history.push(Prompted(desk.image_name(), before, after))
        return ()

    def _draft(self) -> Draft | None:
        return self._desk.draft or taken_up_selected(self._desk)

    def _extent(self) -> Window | None:
        """The image's whole window; None, and a word, where it is not shown."""
        image = self._desk.state.image
        if image is None:
            self._desk.say("info", "The image is not shown yet")
            return None
        return image.whole


def _shown(draft: Draft | None) -> Mask | None:
    candidate = draft.preview.candidate if draft else None
    return candidate.mask if candidate else None


def _same(one: Mask, other: Mask) -> bool:
    return one.area == other.area and (one.area == 0 or iou(one, other) == 1)
