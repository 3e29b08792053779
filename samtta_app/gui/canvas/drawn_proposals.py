"""Proposals as outlines over the image, thousands of them; the one that keys accept or reject stands out."""

from __future__ import annotations

import time

from PySide6.QtCore import QPointF, QRectF, QTimer
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QGraphicsObject, QGraphicsScene, QStyleOptionGraphicsItem, QWidget

from samtta_app.core.masks import bounding_box
from samtta_app.core.polygons import rings_of
from samtta_app.gui.canvas.drawn_objects import colour_of
from samtta_app.gui.canvas.markers import COARSE, FINE, WHITE, line, zoom_of
from samtta_app.gui.canvas.overlay import box_rect, outline, pixel_rect
from samtta_app.session.proposal_list import ProposedMask
from samtta_app.session.state import State

PROPOSED = 2.5
"""The drawing order: above accepted objects, below the mask that is being made."""

_TRACING = 0.02
"""Seconds of one drawing in which outlines are traced; the others follow with the next one."""

_SMOOTH = 1000
"""Up to so many outlines are drawn smooth: smooth lines take four times as long."""

_LINE, _CHOSEN_LINE, _HALO = 1.2, 2.4, 4.4
"""Widths of lines in screen pixels."""

_CHOSEN_FILL = 0.3


class ProposalsItem(QGraphicsObject):
    """All proposals of an image as one item."""

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setZValue(PROPOSED)
        self._area = QRectF()
        self._shown: tuple[tuple[ProposedMask, QRectF, QColor], ...] = ()
        self._current: int | None = None
        self._paths: dict[tuple[int, bool], QPainterPath] = {}
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self.update)

    def show_proposals(self, area: QRectF, shown: tuple[tuple[ProposedMask, QColor], ...], current: int | None) -> None:
        """Show proposals, each in its colour, in an image that covers `area`."""
        if area != self._area:
            self.prepareGeometryChange()
            self._area = area
        self._shown = tuple((each, box_rect(each.box), colour) for each, colour in shown)
        self._current = current
        there = {each.number for each, _ in shown}
        self._paths = {key: path for key, path in self._paths.items() if key[0] in there}
        self.update()

    @property
    def outlines(self) -> int:
        """How many outlines are traced."""
        return len(self._paths)

    def boundingRect(self) -> QRectF:
        """The image."""
        return self._area

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw those that are on the screen, the chosen one last."""
        fine, seen, end = zoom_of(painter, option) > FINE, option.exposedRect, time.monotonic() + _TRACING
        there = [each for each in self._shown if each[1].intersects(seen)]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, len(there) <= _SMOOTH)
        chosen = None
        for proposal, _, colour in there:
            if (proposal.number, fine) not in self._paths and time.monotonic() > end:
                self._rest.start(0)
                continue
            path = self._path(proposal, fine=fine)
            if proposal.number == self._current:
                chosen = path, colour
                continue
            painter.strokePath(path, line(colour, _LINE))
        if chosen is not None:
            path, colour = chosen
            filled = QColor(colour)
            filled.setAlphaF(_CHOSEN_FILL)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillPath(path, filled)
            painter.strokePath(path, line(WHITE, _HALO))
            painter.strokePath(path, line(colour, _CHOSEN_LINE))

    def _path(self, proposal: ProposedMask, *, fine: bool) -> QPainterPath:
        key = proposal.number, fine
        if key not in self._paths:
            self._paths[key] = outline(proposal.mask) if fine else _coarse(proposal)
        return self._paths[key]


def _coarse(proposal: ProposedMask) -> QPainterPath:
    """An outline through the middles of border pixels: no other one is traced so fast."""
    path = QPainterPath()
    for ring in rings_of(proposal.mask, COARSE):
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in ring]))
        path.closeSubpath()
    return path


class DrawnProposals:
    """Shows the proposals of a state.

    Args:
        scene: where they are drawn.
    """

    def __init__(self, scene: QGraphicsScene) -> None:
        self.item = ProposalsItem()
        self._seen: tuple[object, ...] = ()
        scene.addItem(self.item)

    def show_state(self, state: State) -> None:
        """Show the proposals; nothing is done where they are the same."""
        proposals, image = state.proposals, state.image
        visible = state.display.masks and state.rating is None and image is not None
        seen = (proposals.shown, proposals.current, state.classes, state.current_class, visible, image)
        if len(seen) == len(self._seen) and all(a is b or a == b for a, b in zip(seen, self._seen, strict=True)):
            return
        self._seen = seen
        if not visible or image is None:
            self.item.show_proposals(QRectF(), (), None)
            return
        colours = {c.id: colour_of(state, c.id).lighter(120) for c in state.classes}
        current = colours[state.current_class]
        coloured = tuple((each, colours.get(each.class_id or 0, current)) for each in proposals.shown)
        self.item.show_proposals(pixel_rect(image.whole), coloured, proposals.current)


def place_of_chosen(state: State) -> QRectF | None:
    """Where the chosen proposal lies in the image, None where there is none."""
    chosen = state.proposals.chosen
    box = bounding_box(chosen.mask) if chosen is not None else None
    return box_rect(box) if box is not None else None
