"""The image list: names with status dots and object counts, fast with thousands of files."""

from __future__ import annotations

import math

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter
from PySide6.QtWidgets import QFrame, QListView, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget

from samtta_app.core.calibration import UNCALIBRATED, Calibration
from samtta_app.core.names import displayable
from samtta_app.gui.controller import Controller
from samtta_app.gui.panels.number_bar import NUMBER_ROLE, NumberBar, NumberFilter
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.plain_text import plain_tip
from samtta_app.session import acts
from samtta_app.session.sort_keys import Number, known_as, need
from samtta_app.session.state import ImageEntry, ImageStatus, State

_Index = QModelIndex | QPersistentModelIndex

STATUS_TEXT: dict[ImageStatus, str] = {
    "todo": "Not looked at yet",
    "encoded": "Prepared: the first click is answered at once",
    "annotated": "Annotated",
    "unreadable": "Cannot be read",
}

OBJECTS_ROLE, _SORT = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
"""The item roles of the number of objects, and of what rows are sorted by."""


class ImageModel(QAbstractListModel):
    """The images of the project as a list model; it only touches the rows that changed."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[ImageEntry, ...] = ()
        self._dots: dict[ImageStatus, QIcon] = {}
        self._replaced = QIcon()
        self._number: Number | None = None
        self._confidence = UNCALIBRATED
        self.tint()

    def choose(self, number: Number | None) -> None:
        """Sort by this number of the object that needs a look most; None: as the files are named."""
        self._number = number
        if self._entries:
            self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1), [_SORT])

    def tint(self) -> None:
        """Take the dots' colours from the present palette."""
        palette = theme.current()
        self._replaced = icons.dot(QColor(palette.warn))
        self._dots = {
            "todo": icons.dot(QColor(palette.muted), filled=False),
            "encoded": icons.dot(QColor(palette.accent), filled=False),
            "annotated": icons.dot(QColor(palette.good)),
            "unreadable": icons.dot(QColor(palette.bad)),
        }
        if self._entries:
            self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1))

    def show_entries(
        self,
        entries: tuple[ImageEntry, ...],
        confidence: Calibration = UNCALIBRATED,
    ) -> None:
        """Take the images of a new state, and what expected IoUs mean by now."""
        before = self._entries
        if confidence != self._confidence:
            self._confidence = confidence
            self.choose(self._number)
        if entries is before:
            return
        if len(entries) != len(before):
            self.beginResetModel()
            self._entries = entries
            self.endResetModel()
            return
        self._entries = entries
        for row, (old, new) in enumerate(zip(before, entries, strict=True)):
            if old is not new and old != new:
                self.dataChanged.emit(self.index(row), self.index(row))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Number of images."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a row shows: name, dot, reason, number of objects."""
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self._entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return displayable(entry.name)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._replaced if entry.changed and not entry.text else self._dots[entry.status]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{displayable(entry.name)}\n{entry.text or entry.changed or STATUS_TEXT[entry.status]}")
        value = known_as(entry.worst.get(self._number), self._number, self._confidence) if self._number else None
        if role == NUMBER_ROLE:
            return value
        if role == _SORT:
            return index.row() if self._number is None else -math.inf if value is None else need(value, self._number)
        return entry.objects if role == OBJECTS_ROLE else None


class CountDelegate(QStyledItemDelegate):
    """Draws the number of objects at the right edge of an image's row, and keeps the name clear of it."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        """Leave room for the number."""
        super().initStyleOption(option, index)
        option.font.setFeature(theme.TABULAR, 1)
        room = self._room(option, index)
        width = option.rect.width() - option.decorationSize.width() - 3 * theme.GRID - room
        elided = option.fontMetrics.elidedText(index.data(), Qt.TextElideMode.ElideMiddle, width)
        option.text = elided

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one row."""
        super().paint(painter, option, index)
        count = index.data(OBJECTS_ROLE)
        if count:
            painter.save()
            painter.setPen(QColor(theme.current().muted))
            place = option.rect.adjusted(0, 0, -theme.GRID - 2, 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(count))
            painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Rows are three grid steps high, or as high as a large font needs."""
        hint = super().sizeHint(option, index)
        return QSize(hint.width(), max(hint.height(), 3 * theme.GRID))

    def _room(self, option: QStyleOptionViewItem, index: _Index) -> int:
        count = index.data(OBJECTS_ROLE)
        return option.fontMetrics.horizontalAdvance(str(count)) + theme.GRID if count else 0


class ImagesPanel(QWidget):
    """The list of images.

    Args:
        controller: told which image to open.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._row = -1
        self.model = ImageModel()
        self.view = QListView()
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setUniformItemSizes(True)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.bar = NumberBar("By name")
        self.bar.changed.connect(self._sort)
        self.sorted = NumberFilter(self.bar)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(_SORT)
        self.view.setModel(self.model)
        self.view.setItemDelegate(CountDelegate(self.view))
        self.view.setAccessibleName("Images")
        self.view.selectionModel().currentChanged.connect(self._choose)
        self.summary = theme.label(role="muted")
        self.summary.setContentsMargins(theme.GRID, 0, theme.GRID, theme.GRID // 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.summary)
        layout.addWidget(self.bar)
        layout.addWidget(self.view)

    def show_state(self, state: State) -> None:
        """Show the images, which one is open, and how many are done."""
        self.model.show_entries(state.images, state.statistics.confidence)
        done = sum(entry.status == "annotated" for entry in state.images)
        self.summary.setText(f"{done} of {len(state.images)} annotated")
        self._row = state.index
        self._mark()
        self.bar.setVisible(done > 0)  # last: where it had the focus, the list takes it, and looks for a current row

    def _mark(self) -> None:
        """Make the open image the current row, where it is listed."""
        index = self.model.index(self._row)
        if self.view.model() is self.sorted:
            index = self.sorted.mapFromSource(index)
        if self.view.currentIndex() != index:
            self.view.setCurrentIndex(index)

    def _sort(self) -> None:
        """By another number, or as the files are named: then nothing stands between list and images, however many."""
        number, row = self.bar.number, self._row
        self._row = -1  # what sorting does to the current row opens no image
        self.model.choose(number)
        wanted = self.model if number is None else self.sorted
        if self.view.model() is not wanted:
            self.view.setModel(wanted)
            self.view.selectionModel().currentChanged.connect(self._choose)
        self.sorted.sort(-1 if number is None else 0, Qt.SortOrder.DescendingOrder)
        self._row = row
        self._mark()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self.model.tint()
        super().changeEvent(event)

    def _choose(self, now: QModelIndex, before: QModelIndex) -> None:
        row = (self.sorted.mapToSource(now) if self.view.model() is self.sorted else now).row()
        if now.isValid() and self._row not in (-1, row):
            self._controller.do(acts.OpenImage(row))
