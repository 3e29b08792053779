"""Leads the view to the object that a review is at, and draws the other annotator's outline over it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF

from samtta_app.core.masks import bounding_box
from samtta_app.core.types import Mask
from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.gui.canvas.drawn_objects import colour_of
from samtta_app.gui.canvas.markers import HOVERED, MaskItem
from samtta_app.gui.canvas.overlay import box_rect
from samtta_app.session.review_list import ReviewItem
from samtta_app.session.state import State

THEIR_LEVEL = 2.2
"""The drawing order: above the selected object, below proposals and the mask that is being made."""

SEEN_WELL = 48.0
"""An object whose longer side has fewer screen pixels is zoomed to: its outline cannot be judged."""

SHARE_OF_VIEW = 1 / 3
"""An object that is zoomed to takes this share of the view, so that its surroundings are seen too."""


class ReviewGuide(QObject):
    """Follows the queue.

    Args:
        canvas: the image; owns this.
        moves: how often the queue led somewhere before.
    """

    def __init__(self, canvas: Canvas, moves: int = 0) -> None:
        super().__init__(canvas)
        self._canvas, self._moves = canvas, moves
        self._drawn: tuple[Mask, MaskItem] | None = None

    @property
    def outline(self) -> Mask | None:
        """The other annotator's mask that is drawn, None where there is none."""
        return self._drawn[0] if self._drawn is not None else None

    def show_state(self, state: State) -> None:
        """Draw the other outline of the object that the review is at, and go there once its image is shown."""
        item = item_here(state)
        self._draw(state, item)
        if item is not None and state.review.moves != self._moves:
            self._moves = state.review.moves
            self._go(_place_of(state, item))

    def _draw(self, state: State, item: ReviewItem | None) -> None:
        theirs = item.theirs.mask if item is not None and item.theirs is not None and state.display.masks else None
        if theirs is self.outline:
            return
        scene = self._canvas.scene()
        if self._drawn is not None:
            scene.removeItem(self._drawn[1])
            self._drawn = None
        if theirs is not None and item is not None:
            named = next((c.id for c in state.classes if c.name == item.their_class), 0)
            drawn = MaskItem(theirs, colour_of(state, named), HOVERED)
            drawn.setZValue(THEIR_LEVEL)
            scene.addItem(drawn)
            self._drawn = theirs, drawn

    def _go(self, place: QRectF) -> None:
        """Bring a place of the image to the middle, where it is not seen well."""
        canvas = self._canvas
        longer, room = max(place.width(), place.height()), min(canvas.viewport().width(), canvas.viewport().height())
        fine = SEEN_WELL <= longer * canvas.image_scale <= room
        if place.isEmpty() or (fine and canvas.visible_rect().contains(place)):
            return
        wanted = SHARE_OF_VIEW * room * canvas.devicePixelRatioF() / longer
        canvas.look_at(place.center(), canvas.zoom if fine else wanted)


def item_here(state: State) -> ReviewItem | None:
    """What the review is at, where its image is on the screen."""
    item = state.review.chosen
    if item is None or state.image is None or state.images[state.index].name != item.image:
        return None
    return item


def _place_of(state: State, item: ReviewItem) -> QRectF:
    """Where both outlines lie; empty where there is none."""
    mine = next((a.mask for a in state.annotations if a.id == item.object_id), None)
    place = QRectF()
    for mask in (mine, item.theirs.mask if item.theirs is not None else None):
        box = bounding_box(mask) if mask is not None else None
        place = place.united(box_rect(box)) if box is not None else place
    return place
