"""The middle of the window: the canvas or the start page, with messages, cards, a caption and the colour key on it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from samtta_app.gui.panels.folding_strip import FoldingStrip
from samtta_app.gui.widgets import theme

STAGE_MARGIN = 2 * theme.GRID
WIDEST = 80 * theme.GRID


class Stage(QWidget):
    """Holds one filling widget, and lays small ones over it: what appears there does not move the image.

    Args:
        top: lies at the top, centred, at most WIDEST wide.
    """

    def __init__(self, top: QWidget) -> None:
        super().__init__()
        self.filling: QWidget | None = None
        self._top = top
        self._bottom: QWidget | None = None
        self._corner: QWidget | None = None
        self._caption: QWidget | None = None
        self._clear = QRect()
        self._side = "middle", "below"
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._adopt(top)

    def fill(
        self,
        filling: QWidget,
        bottom: QWidget | None = None,
        corner: QWidget | None = None,
        caption: QWidget | None = None,
    ) -> None:
        """Show `filling`, and on it what is given; what was there is deleted.

        A `FoldingStrip` at the lower edge is folded where every place of it would lie on what is to be clear.

        Args:
            bottom: lies at the lower edge, or at the upper one below the other widgets there.
            corner: lies in the lower right.
            caption: lies at the top, below the messages.
        """
        for old in (self.filling, self._bottom, self._corner, self._caption):
            if old is not None:
                old.removeEventFilter(self)
                old.hide()
                old.setParent(None)
                old.deleteLater()
        self.filling, self._bottom, self._corner, self._caption = filling, bottom, corner, caption
        self._clear, self._side = QRect(), ("middle", "below")
        self._layout.addWidget(filling)
        for lying in (bottom, corner, caption):
            if lying is not None:
                self._adopt(lying)
        if isinstance(bottom, FoldingStrip):
            bottom.resized.connect(self._place)
        self._top.raise_()
        self._place()

    def keep_clear(self, rect: QRect) -> None:
        """Do not cover `rect` (in the filling's coordinates) with what lies at the lower edge, if the upper edge is free."""
        if rect != self._clear:
            self._clear = rect
            self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the small widgets in their places."""
        super().resizeEvent(event)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Place a small widget again when what it holds has changed."""
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Show, QEvent.Type.Hide):
            self._place()
        return False

    def _adopt(self, lying: QWidget) -> None:
        shown = not lying.isHidden()
        lying.setParent(self)
        lying.setVisible(shown)
        lying.installEventFilter(self)
        lying.raise_()

    def _place(self) -> None:
        width = min(self.width() - 2 * STAGE_MARGIN, WIDEST)
        height = self._top.heightForWidth(width) if self._top.hasHeightForWidth() else self._top.sizeHint().height()
        self._top.setGeometry((self.width() - width) // 2, STAGE_MARGIN, width, height)
        if self._caption is not None:
            place = QRect(QPoint(0, STAGE_MARGIN), self._caption.sizeHint())
            place.moveLeft((self.width() - place.width()) // 2)
            self._caption.setGeometry(_below(place, self._top))
        if self._bottom is not None:
            self._bottom.setGeometry(self._free_edge(self._bottom))
        if self._corner is not None:
            self._corner.setGeometry(self._free_corner(self._corner.sizeHint()))

    def _free_corner(self, size: QSize) -> QRect:
        """Where the corner's widget goes: above what lies at the lower edge, where both would touch."""
        here = QRect(
            QPoint(self.width() - size.width() - STAGE_MARGIN, self.height() - size.height() - STAGE_MARGIN), size
        )
        other = self._bottom.geometry() if self._bottom is not None and not self._bottom.isHidden() else QRect()
        if here.adjusted(-theme.GRID, 0, 0, 0).intersects(other):
            here.moveBottom(other.top() - theme.GRID)
        return here

    def _free_edge(self, strip: QWidget) -> QRect:
        """Where the lower widget goes: it stays while it covers nothing there, and moves to the side that is freest.

        Where no side has room, or it is wider than the stage, a strip that folds shows its row, in a corner. Objects seldom
        fill the corners of their box.
        """
        if not isinstance(strip, FoldingStrip):
            return self._side_for(strip.sizeHint())
        if not strip.opened:
            place = self._side_for(strip.size_where(folded=False))
            strip.fold(bool(_area(place.intersected(self._clear))) or not self.rect().contains(place))
        if strip.opened:
            place = self._places(strip.size_where(folded=False))[self._side]
            place.moveLeft(max(place.left(), 0))
            return place
        return self._side_for(strip.size_where(strip.folded), cornered=strip.folded)

    def _places(self, size: QSize) -> dict[tuple[str, str], QRect]:
        """Where a widget of this size could lie, by side and edge."""
        middle, right = (self.width() - size.width()) // 2, self.width() - size.width() - STAGE_MARGIN
        lefts = {"middle": middle, "left": STAGE_MARGIN, "right": right}
        tops = {"below": self.height() - size.height() - STAGE_MARGIN, "above": STAGE_MARGIN}
        places = {(side, edge): QRect(QPoint(lefts[side], tops[edge]), size) for side in lefts for edge in tops}
        return {name: _below(_below(place, self._top), self._caption) for name, place in places.items()}

    def _side_for(self, size: QSize, *, cornered: bool = False) -> QRect:
        """The place that covers nothing, at best the present one; else the present one, or a corner if so wished."""
        places = self._places(size)
        covered = {name: _area(place.intersected(self._clear)) for name, place in places.items()}
        if covered[self._side]:
            best = min(covered, key=covered.__getitem__)
            if not covered[best]:
                self._side = best
            elif cornered and self._side[0] == "middle":
                self._side = "left", self._side[1]
        return places[self._side]


def _area(rect: QRect) -> int:
    return max(rect.width(), 0) * max(rect.height(), 0)


def _below(place: QRect, other: QWidget | None) -> QRect:
    """The place, moved below a widget of the upper edge where both would touch."""
    if other is None or other.isHidden() or not place.intersects(other.geometry()):
        return place
    return QRect(QPoint(place.x(), other.geometry().bottom() + 1 + theme.GRID), place.size())
