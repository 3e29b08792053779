"""The dock of proposals: searches, limits that filter at once, and the list to accept or reject, most confident first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDockWidget,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QSlider,
    QSpinBox,
    QStackedLayout,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from samtta_app.gui.controller import Controller
from samtta_app.gui.panels import figure_texts
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.font_following import follow_font
from samtta_app.gui.widgets.low_area import LowArea
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session import proposal_acts
from samtta_app.session.proposal_list import Proposals, ProposedMask
from samtta_app.session.state import LabelClass, State
from samtta_app.session.workflow.judging import SOURCE_WORDS

_Index = QModelIndex | QPersistentModelIndex

PROPOSAL_COLUMNS: tuple[tuple[str, str], ...] = (
    ("Proposal", "The class that it gets: by accepted objects that look like it, else the current one"),
    ("Area", "Area in pixels"),
    ("Stable", "Stability: how little the mask changes with its threshold"),
    (
        "Confidence",
        "Predicted fit, score or likeness; calibrated by what you accepted and rejected, once that is enough",
    ),
)
"""Heading and tool tip of each column."""

HINT = "Find masks everywhere in this image, or more like the selected object. You accept or reject each one."
SEARCHING = "Searched {share}, {number} found"
SHOWN_OF = "{shown} of {number} proposals shown"
HIDDEN = "The limits hide all {number} proposals: lower them"
NONE_FOUND = "Nothing was found in this image: lower the limits and search again, or click on an object."
NONE_LEFT = "No proposals are left: all {known} that were found are accepted or rejected."
RATED = "Masks are being rated.\nProposals are hidden until the end."
ABOVE = "Accept all from"

POSITIONS = 100
"""Positions of a slider; those of sizes are powers of 2."""

LARGEST_SIDE = 2**13
"""The sliders of sizes end here: the lowest position is no limit, and so is the highest."""


def side_at(position: int) -> float:
    """The side in pixels at a slider's position."""
    return round(math.pow(LARGEST_SIDE, position / POSITIONS), 1)


def position_of(side: float) -> int:
    """The slider's position of a side in pixels."""
    return round(POSITIONS * math.log(min(max(side, 1.0), LARGEST_SIDE), LARGEST_SIDE))


def status_words(proposals: Proposals) -> str:
    """What there is to be judged, in words; why there is nothing, where that is so."""
    number = len(proposals.found)
    if proposals.share is not None:
        return Phrase(SEARCHING, share=figure_texts.percent_text(proposals.share), number=number)
    if not proposals.searched:
        return HINT
    if not number:
        return Phrase(NONE_LEFT, known=proposals.known) if proposals.known else NONE_FOUND
    return (
        Phrase(SHOWN_OF, shown=len(proposals.shown), number=number)
        if proposals.shown
        else Phrase(HIDDEN, number=number)
    )


class ProposalModel(QAbstractTableModel):
    """The shown proposals as a table model, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[ProposedMask, ...] = ()
        self._confidences: tuple[float, ...] = ()
        self._classes: dict[int, LabelClass] = {}
        self._swatches: dict[int, QIcon] = {}
        self._current = 0

    def show_proposals(self, proposals: Proposals, classes: tuple[LabelClass, ...], current_class: int) -> None:
        """Take the proposals of a new state."""
        named = {entry.id: entry for entry in classes}
        same = proposals.shown is self._rows and proposals.confidences is self._confidences
        if same and named == self._classes and current_class == self._current:
            return
        self.beginResetModel()
        self._rows, self._confidences = proposals.shown, proposals.confidences
        if named != self._classes:
            self._swatches = {entry.id: icons.swatch(theme.class_colour(entry.colour)) for entry in classes}
        self._classes, self._current = named, current_class
        self.endResetModel()

    def number_of(self, row: int) -> int:
        """The number of the proposal in a row."""
        return self._rows[row].number

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Number of shown proposals."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Number of columns."""
        return len(PROPOSAL_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Headings and their tool tips."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _aligned(section)
        heading, tip = PROPOSAL_COLUMNS[section]
        return {Qt.ItemDataRole.DisplayRole: translated(heading), Qt.ItemDataRole.ToolTipRole: translated(tip)}.get(
            Qt.ItemDataRole(role)
        )

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a cell shows, and how it is aligned."""
        if not index.isValid():
            return None
        entry, column = self._rows[index.row()], index.column()
        kind = entry.class_id if entry.class_id in self._classes else self._current
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                self._classes[kind].name if kind in self._classes else figure_texts.NONE,
                figure_texts.area_text(entry.mask.area),
                figure_texts.percent_text(entry.stability),
                figure_texts.percent_text(self._confidences[index.row()]),
            )[column]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _aligned(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return translated(SOURCE_WORDS[entry.origin]).capitalize()
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return self._swatches.get(kind)
        return None


def _aligned(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class LimitSlider(QSlider):
    """One limit, with its name and its value beside it."""

    def __init__(self, name: str, tip: str, grid: QGridLayout) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, POSITIONS)
        name, tip = translated(name), translated(tip)
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.value_words = theme.label(role="muted")
        self.value_words.setMinimumWidth(8 * theme.GRID)
        self.value_words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        heading, row = theme.label(name), grid.rowCount()
        heading.setToolTip(tip)
        grid.addWidget(heading, row, 0)
        grid.addWidget(self, row, 1)
        grid.addWidget(self.value_words, row, 2)


class ProposalsPanel(QWidget):
    """What the dock of proposals holds.

    Args:
        controller: told of limits, choices and verdicts.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller, self._syncing = controller, False
        self._was_searching = False
        self._top, self._verdicts = QHBoxLayout(), QHBoxLayout()
        self.status, self.progress = theme.label(translated(HINT), role="muted"), QProgressBar()
        self.status.setWordWrap(True)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(theme.GRID // 2)
        self.progress.setAccessibleName(translated("Share of the image that was searched"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID)
        grid.setColumnStretch(1, 1)
        self.pred_iou = LimitSlider("Fit at least", "Least predicted IoU", grid)
        self.stability = LimitSlider(
            "Stable at least", "Least stability: how little the mask changes with its threshold", grid
        )
        self.least = LimitSlider("Side at least", "Least longer side of a mask, in pixels of the image", grid)
        self.most = LimitSlider("Side at most", "Greatest longer side of a mask, in pixels of the image", grid)
        self.border = QCheckBox(translated("Also masks at the image's border"))
        self.model, self.view = ProposalModel(), QTreeView()
        self._dress()
        self.confidence = QSpinBox()
        self.above = QPushButton(translated(ABOVE))
        self._furnish(grid)
        for slider in (self.pred_iou, self.stability, self.least, self.most):
            slider.valueChanged.connect(self._filter)
        self.border.toggled.connect(self._filter)
        self.above.clicked.connect(self._accept_above)
        self.view.selectionModel().selectionChanged.connect(self._choose)

    def _dress(self) -> None:
        view = self.view
        view.setModel(self.model)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setAllColumnsShowFocus(True)
        view.setIconSize(QSize(2 * theme.GRID, 2 * theme.GRID))
        view.setFont(theme.tabular(view.font()))
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setAccessibleName(translated("Proposals, most confident first"))
        header = view.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

        def fit(font: QFontMetrics) -> None:
            for column, widest in enumerate(("0,000,000", translated("Stable"), translated("Confidence")), start=1):
                header.resizeSection(column, font.horizontalAdvance(widest) + 2 * theme.GRID)

        follow_font(view, fit)

    def _furnish(self, grid: QGridLayout) -> None:
        """Put everything in its place."""
        self.confidence.setRange(0, 100)
        self.confidence.setValue(90)
        self.confidence.setSingleStep(5)
        self.confidence.setSuffix(" %")
        self.confidence.setAccessibleName(translated("Least confidence of what is accepted together"))
        self.above.setToolTip(
            translated("Accept every shown proposal of at least this confidence, in one step that can be undone")
        )
        self._empty = QLabel()
        self._stack = QStackedLayout()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.view)
        all_above = QHBoxLayout()
        all_above.addWidget(self.above)
        all_above.addWidget(self.confidence)
        all_above.addStretch()
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, theme.GRID)
        layout.setSpacing(theme.GRID // 2)
        border = QHBoxLayout()
        border.addWidget(self.border)
        for row in (self._top, grid, border, self._verdicts, all_above):
            row.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        self.status.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        layout.addLayout(self._top)
        layout.addWidget(self.status)
        layout.addWidget(self.progress)
        for row in (grid, border, self._verdicts, all_above):
            layout.addLayout(row)
        layout.addLayout(self._stack, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(LowArea(content))

    def show_actions(self, searches: Sequence[QAction], verdicts: Sequence[QAction]) -> None:
        """Put the window's actions into the panel as buttons: searches at the top, verdicts above the list."""
        for row, actions in ((self._top, searches), (self._verdicts, verdicts)):
            for action in actions:
                button = QToolButton()
                button.setDefaultAction(action)
                button.setProperty("role", "wide")
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                row.addWidget(button)
            row.addStretch()

    def show_state(self, state: State) -> None:
        """Show the search, the limits, and the list."""
        proposals, rated = state.proposals, state.rating is not None
        self._syncing = True
        self.status.setText(translated(RATED if rated else status_words(proposals)))
        searching = proposals.share is not None
        self.progress.setVisible(searching)
        self.progress.setValue(round(100 * (proposals.share or 0.0)))
        if searching and not self._was_searching:
            self._come_forward()
        self._was_searching = searching
        self._show_limits(proposals)
        self.model.show_proposals(Proposals() if rated else proposals, state.classes, state.current_class)
        listed = bool(proposals.shown) and not rated
        self._stack.setCurrentWidget(self.view if listed else self._empty)
        self.above.setEnabled(listed and state.preview is None and not state.read_only)
        index = self.model.index(proposals.place(), 0) if listed and proposals.place() >= 0 else QModelIndex()
        flags = QItemSelectionModel.SelectionFlag
        self.view.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self._syncing = False

    def _show_limits(self, proposals: Proposals) -> None:
        limits = proposals.limits
        self.pred_iou.setValue(round(POSITIONS * limits.pred_iou))
        self.stability.setValue(round(POSITIONS * limits.stability))
        self.least.setValue(position_of(limits.least_side))
        self.most.setValue(position_of(limits.most_side))
        self.border.setChecked(limits.border)
        self.pred_iou.value_words.setText(figure_texts.percent_text(limits.pred_iou))
        self.stability.value_words.setText(figure_texts.percent_text(limits.stability))
        self.least.value_words.setText(_side_words(limits.least_side))
        self.most.value_words.setText(_side_words(limits.most_side))

    def _come_forward(self) -> None:
        """A search begins: the dock comes before those that lie in its place."""
        dock = self.parentWidget()
        if isinstance(dock, QDockWidget) and dock.isVisibleTo(dock.window()):
            dock.raise_()

    def _filter(self, *_: object) -> None:
        if self._syncing:
            return
        least, most = self.least.value(), self.most.value()
        self._controller.do(
            proposal_acts.FilterProposals(
                self.pred_iou.value() / POSITIONS,
                self.stability.value() / POSITIONS,
                side_at(least) if least else 0.0,
                side_at(most) if most < POSITIONS else math.inf,
                self.border.isChecked(),
            )
        )

    def _accept_above(self) -> None:
        self._controller.do(proposal_acts.JudgeProposals(above=self.confidence.value() / 100))

    def _choose(self) -> None:
        rows = self.view.selectionModel().selectedRows()
        if rows and not self._syncing:
            self._controller.do(proposal_acts.ChooseProposal(self.model.number_of(rows[0].row())))


def _side_words(side: float) -> str:
    """A limit of the side in words; a dash where there is none."""
    return f"{side:.0f} px" if 0 < side < math.inf else figure_texts.NONE
