"""The rows of the image list: a model that filters and sorts thousands of images by itself, and how a row is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from samtta_app.core.calibration import UNCALIBRATED, Calibration
from samtta_app.core.names import displayable
from samtta_app.gui.panels.image_filter import EVERY_IMAGE, ImageFilter
from samtta_app.gui.panels.thumbnail_list import SMALL_PICTURE, ThumbnailList
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.plain_text import plain_tip
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.sort_keys import Number, known_as, need
from samtta_app.session.state import ImageEntry, ImageStatus

_Index = QModelIndex | QPersistentModelIndex

STATUS_TEXT: dict[ImageStatus, str] = {
    "todo": "Not looked at yet",
    "encoded": "Prepared: the first click is answered at once",
    "annotated": "Annotated",
    "empty": "Done: nothing here",
    "unreadable": "Cannot be read",
}

OBJECTS_ROLE, ENTRY_ROLE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
"""The item roles of the number of objects, and of the image's entry."""

COUNT_ROOM = 5 * theme.GRID
"""Points at the right edge for the number of objects: four digits fit, and the small pictures stand in one column."""


class ImageModel(QAbstractListModel):
    """The images of the project as a list model; it only touches the rows that changed."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[ImageEntry, ...] = ()
        self._rows: Sequence[int] = range(0)
        self._dots: dict[ImageStatus, QIcon] = {}
        self._replaced = QIcon()
        self._number: Number | None = None
        self._within: Callable[[float | None], bool] = lambda value: True
        self._filter, self._open = EVERY_IMAGE, -1
        self._confidence = UNCALIBRATED
        self.tint()

    def choose(
        self, number: Number | None, within: Callable[[float | None], bool], chosen: ImageFilter, opened: int
    ) -> None:
        """List what a filter lets pass and what is `within` a limit; the `opened` image passes the filter in any case.

        Rows are sorted by this number of the object that needs a look most; None: as the files are named.
        """
        self._number, self._within, self._filter, self._open = number, within, chosen, opened
        self._list()

    def tint(self) -> None:
        """Take the dots' colours from the present palette."""
        palette = theme.current()
        self._replaced = icons.dot(QColor(palette.warn))
        self._dots = {
            "todo": icons.dot(QColor(palette.muted), filled=False),
            "encoded": icons.dot(QColor(palette.accent), filled=False),
            "annotated": icons.dot(QColor(palette.good)),
            "empty": icons.dot(QColor(palette.good), filled=False),
            "unreadable": icons.dot(QColor(palette.bad)),
        }
        if len(self._rows):
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def show_entries(
        self, entries: tuple[ImageEntry, ...], confidence: Calibration = UNCALIBRATED, opened: int = -1
    ) -> None:
        """Take the images of a new state, what expected IoUs mean by now, and which image is open."""
        before, judged = self._entries, (self._confidence, self._open)
        self._entries, self._confidence, self._open = entries, confidence, opened
        if self._plain and len(entries) == len(before) == len(self._rows):
            if entries is not before:
                self._touch(before)
        elif entries is not before or judged != (confidence, opened):
            self._list(before)

    def place(self, row: int) -> int:
        """Where the image of a row stands in the project; -1 for no row."""
        return self._rows[row] if 0 <= row < len(self._rows) else -1

    def row_of(self, place: int) -> int:
        """The row of an image of the project; -1 where it is not listed."""
        try:
            return self._rows.index(place)
        except ValueError:
            return -1

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Number of images that are listed."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a row shows: name, dot, reason, number of objects."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        entry = self._entries[self._rows[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return displayable(entry.name)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._replaced if entry.changed and not entry.text else self._dots[entry.status]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(
                f"{displayable(entry.name)}\n{translated(entry.text or entry.changed or STATUS_TEXT[entry.status])}"
            )
        if role == ENTRY_ROLE:
            return entry
        return entry.objects if role == OBJECTS_ROLE else None

    @property
    def _plain(self) -> bool:
        """Whether all images are listed, as they are named."""
        return self._number is None and self._filter.plain

    def _touch(self, before: tuple[ImageEntry, ...]) -> None:
        """Say which rows are other ones now."""
        for row, place in enumerate(self._rows):
            if self._entries[place] is not before[place] and self._entries[place] != before[place]:
                self.dataChanged.emit(self.index(row), self.index(row))

    def _list(self, before: tuple[ImageEntry, ...] = ()) -> None:
        """List the images again; where the rows stay, only those that changed are touched."""
        every = range(len(self._entries))
        rows: Sequence[int] = every if self._plain else self._sorted(every)
        if rows == self._rows and len(before) == len(self._entries):
            self._touch(before)
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def _sorted(self, every: Sequence[int]) -> list[int]:
        passing = [k for k in every if k == self._open or self._filter.passes(self._entries[k])]
        number = self._number
        if number is None:
            return passing
        values = {k: known_as(self._entries[k].worst.get(number), number, self._confidence) for k in passing}
        listed = [k for k in passing if self._within(values[k])]
        return sorted(listed, key=lambda k: math.inf if (v := values[k]) is None else -need(v, number))


class ImageDelegate(QStyledItemDelegate):
    """Draws the number of objects at the right edge of a row, the small picture beside it, and keeps the name clear of them.

    Args:
        thumbnails: the small pictures; None shows none.
    """

    def __init__(self, thumbnails: ThumbnailList | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        """Leave room for picture and number."""
        super().initStyleOption(option, index)
        option.font.setFeature(theme.TABULAR, 1)
        room = COUNT_ROOM + SMALL_PICTURE.width()
        width = option.rect.width() - option.decorationSize.width() - 3 * theme.GRID - room
        option.text = option.fontMetrics.elidedText(index.data(), Qt.TextElideMode.ElideMiddle, width)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one row."""
        super().paint(painter, option, index)
        self._paint_picture(painter, option.rect, index)
        count = index.data(OBJECTS_ROLE)
        if count:
            painter.save()
            painter.setPen(QColor(theme.current().muted))
            place = option.rect.adjusted(0, 0, -theme.GRID - 2, 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(count))
            painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Rows are as high as a small picture, or as a large font needs."""
        hint = super().sizeHint(option, index)
        return QSize(hint.width(), max(hint.height(), SMALL_PICTURE.height() + theme.GRID // 2))

    def _paint_picture(self, painter: QPainter, row: QRect, index: _Index) -> None:
        entry: ImageEntry | None = index.data(ENTRY_ROLE)
        found: QPixmap | None = None
        if self._thumbnails is not None and entry is not None and entry.status != "unreadable":
            found = self._thumbnails.get(entry.path)
        if found is None or found.isNull():
            return
        size = found.deviceIndependentSize().toSize()
        size.scale(size.boundedTo(SMALL_PICTURE), Qt.AspectRatioMode.KeepAspectRatio)
        middle = QPoint(row.right() - COUNT_ROOM - SMALL_PICTURE.width() // 2, row.center().y())
        place = QRect(QPoint(0, 0), size)
        place.moveCenter(middle)
        painter.drawPixmap(place, found)
