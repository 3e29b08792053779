"""The objects of the image that is shown: class, area, clicks, confidence, and the weights version that made them."""

from __future__ import annotations

import math

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
)
from PySide6.QtGui import QFontMetrics, QIcon
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QStackedLayout, QTreeView, QVBoxLayout, QWidget

from samtta_app.core.calibration import UNCALIBRATED, Calibration
from samtta_app.core.types import Annotation
from samtta_app.gui.controller import Controller
from samtta_app.gui.panels import figure_texts
from samtta_app.gui.panels.note_form import NoteForm, note_words
from samtta_app.gui.panels.number_bar import NUMBER_ROLE, NUMBER_WORDS, NumberBar, NumberFilter, number_words
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.font_following import follow_font
from samtta_app.gui.widgets.plain_text import plain_tip
from samtta_app.gui.widgets.translation import translated
from samtta_app.session import acts
from samtta_app.session.sort_keys import Number, known_as, mask_number
from samtta_app.session.state import LabelClass, State

_Index = QModelIndex | QPersistentModelIndex

TABLE_COLUMNS: tuple[tuple[str, str], ...] = (
    ("Object", "Class of the object"),
    ("Area", "Area in pixels"),
    ("Clicks", "Clicks that made it, and after a + the steps by hand"),
    ("Confidence", ""),
    ("Version", "How often the model had learned when it made the mask (weights version); 0 is the original"),
)
"""Heading and tool tip of each column; that of NUMBER is the number that is chosen."""

ID_ROLE = 3
"""The column of the number that objects are sorted and filtered by."""

_PADDING = 12
"""Left and right of a cell's text, in pixels, as the style sheet has it."""

SORT_KEY_ROLE = Qt.ItemDataRole.UserRole
"""The item role that rows are sorted by."""

ACCEPTED_HERE = "Accepted by {name}"

IGNORED_NAME = "{name} (ignored)"

OUTLINE_KEPT, OUTLINES_KEPT = "1 more outline of this object kept", "{number} more outlines of this object kept"

_HINT = "Click an object in the image.\nAccept its mask, and it is listed here."

_HIDDEN = "Masks are being rated.\nWhat made them is hidden until the end."


class ObjectModel(QAbstractTableModel):
    """The accepted objects of one image as a table model."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Annotation, ...] = ()
        self._classes: dict[int, LabelClass] = {}
        self._swatches: dict[int, QIcon] = {}
        self._number: Number = "expected_iou"
        self._confidence = UNCALIBRATED

    def choose(self, number: Number) -> None:
        """Show this number."""
        self.beginResetModel()
        self._number = number
        self.endResetModel()

    def show_objects(
        self,
        rows: tuple[Annotation, ...],
        classes: tuple[LabelClass, ...],
        confidence: Calibration = UNCALIBRATED,
    ) -> None:
        """Take the objects of a new state, and what their expected IoUs mean by now."""
        named = {entry.id: entry for entry in classes}
        if rows is self._rows and named == self._classes and confidence == self._confidence:
            return
        self.beginResetModel()
        self._rows, self._classes, self._confidence = rows, named, confidence
        self._swatches = {entry.id: icons.swatch(theme.class_colour(entry.colour)) for entry in classes}
        self.endResetModel()

    def id_of(self, row: int) -> int:
        """The annotation in a row."""
        return self._rows[row].id

    def row_of(self, annotation_id: int | None) -> int:
        """The row of an annotation, -1 where there is none."""
        return next((row for row, entry in enumerate(self._rows) if entry.id == annotation_id), -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Number of objects."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Number of columns."""
        return len(TABLE_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Headings and their tool tips."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(section)
        heading, tip = TABLE_COLUMNS[section]
        if section == ID_ROLE:
            heading, _, tip = NUMBER_WORDS[self._number]
        return {Qt.ItemDataRole.DisplayRole: translated(heading), Qt.ItemDataRole.ToolTipRole: translated(tip)}.get(
            Qt.ItemDataRole(role)
        )

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a cell shows, how it is aligned, and what it is sorted by."""
        if not index.isValid():
            return None
        entry, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._texts(entry)[column]
        if role == SORT_KEY_ROLE:
            return self._keys(entry)[column]
        if role == NUMBER_ROLE:
            return self._value(entry)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(column)
        if role == Qt.ItemDataRole.ToolTipRole and (words := note_words(entry.note)):
            return plain_tip(words)
        if role == Qt.ItemDataRole.ToolTipRole and entry.annotator and not (entry.source or entry.replaces):
            return plain_tip(translated(ACCEPTED_HERE, name=entry.annotator))
        if role == Qt.ItemDataRole.ToolTipRole and entry.source:
            return translated("Source: {source}", source=entry.source)
        if role == Qt.ItemDataRole.ToolTipRole and entry.replaces:
            return translated("Corrected: the mask that it replaces stays in the project")
        if role == Qt.ItemDataRole.ToolTipRole and entry.alternatives:
            number = len(entry.alternatives)
            return translated(OUTLINES_KEPT if number > 1 else OUTLINE_KEPT, number=number)
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return self._swatches.get(entry.class_id)
        return None

    def _name(self, entry: Annotation) -> str:
        return self._classes[entry.class_id].name if entry.class_id in self._classes else figure_texts.NONE

    def _value(self, entry: Annotation) -> float | None:
        return known_as(mask_number(entry, self._number), self._number, self._confidence)

    def _texts(self, entry: Annotation) -> tuple[str, ...]:
        return (
            translated(IGNORED_NAME, name=self._name(entry)) if entry.note.ignore else self._name(entry),
            figure_texts.area_text(entry.mask.area),
            f"{len(entry.clicks)}+{entry.strokes}" if entry.strokes else str(len(entry.clicks)),
            translated(number_words(self._value(entry), self._number)),
            translated("0 (control)") if entry.control else str(entry.weights_version),
        )

    def _keys(self, entry: Annotation) -> tuple[str | float, ...]:
        value = self._value(entry)
        known = -math.inf if value is None else value
        return self._name(entry), entry.mask.area, len(entry.clicks), known, entry.weights_version


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class ObjectsPanel(QWidget):
    """The list of objects, its selection in step with the canvas.

    Args:
        controller: told which object is selected.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._syncing = False
        self.model = ObjectModel()
        self.bar = NumberBar()
        self.bar.changed.connect(self._number)
        self.sorted = NumberFilter(self.bar)
        self.sorted.setSourceModel(self.model)
        self.sorted.setSortRole(SORT_KEY_ROLE)
        self.view = QTreeView()
        self._dress()
        self.empty = theme.label(translated(_HINT), role="muted")
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.empty.setContentsMargins(theme.GRID, 0, theme.GRID, theme.GRID)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addLayout(self._stack, 1)
        self.note = NoteForm(controller)
        layout.addWidget(self.note)

    def _dress(self) -> None:
        view = self.view
        view.setModel(self.sorted)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setAllColumnsShowFocus(True)
        view.setIconSize(QSize(2 * theme.GRID, 2 * theme.GRID))
        view.setFont(theme.tabular(view.font()))
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setSortingEnabled(True)
        view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        view.setAccessibleName(translated("Objects of this image"))
        header = view.header()
        header.setStretchLastSection(False)
        header.setSortIndicatorClearable(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        follow_font(view, self._fit)
        view.selectionModel().selectionChanged.connect(self._choose)  # the current row also moves with the focus

    def _fit(self, font: QFontMetrics) -> None:
        for column, widest in enumerate(("0,000,000", *map(translated, ("Clicks", "Confidence", "Version"))), start=1):
            self.view.header().resizeSection(column, font.horizontalAdvance(widest) + _PADDING)

    def show_state(self, state: State) -> None:
        """Show the objects and which one is selected."""
        self._syncing = True
        self.model.show_objects(state.annotations, state.classes, state.statistics.confidence)
        listed = bool(state.annotations) and state.rating is None  # a row would say what made the mask
        self.empty.setText(translated(_HINT) if state.rating is None else translated(_HIDDEN))
        self._stack.setCurrentWidget(self.view if listed else self.empty)
        self.bar.setVisible(listed)
        self.note.show_state(state)
        row = self.model.row_of(state.selected)
        index = self.sorted.mapFromSource(self.model.index(row, 0)) if row >= 0 else QModelIndex()
        flags = QItemSelectionModel.SelectionFlag
        self.view.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self._syncing = False

    def _number(self) -> None:
        chosen = self.bar.number
        if chosen is not None:
            self._syncing = True
            self.model.choose(chosen)
            self._syncing = False

    def _choose(self) -> None:
        rows = self.view.selectionModel().selectedRows()
        if rows and not self._syncing:
            self._controller.do(acts.Select(self.model.id_of(self.sorted.mapToSource(rows[0]).row())))
