"""The page of statistics: time, clicks and figures of all objects, of each class and of each day."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from samtta_app.core.names import displayable
from samtta_app.errors import UserError
from samtta_app.gui.dialogs.reading_dialogs import dialog_layout
from samtta_app.gui.panels import figure_texts
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.project.store import Store
from samtta_app.session.state import Statistics
from samtta_app.session.statistics.figure_notes import TWINS_NOTE
from samtta_app.session.statistics.grouped_figures import GroupedFigures, grouped_figures
from samtta_app.session.statistics.statistics_page import SECTIONS, TOTAL_ROW
from samtta_app.session.statistics.tally import Tally

STATISTICS_READ = "Reading the statistics…"
FIRST_HEADS: tuple[tuple[str, str], ...] = (
    ("", ""),
    ("Objects", "Accepted objects"),
    ("Given up", "Objects that were begun and given up"),
    ("Time per object", "Working time without long pauses"),
    ("Clicks per object", "Your own clicks, until the shown mask fitted the accepted one"),
)
"""Heading and tool tip of the columns before those of `FIGURE_ROWS`."""

BOTH_SIDES = "Figures of clicks: with learning / without it"

_Found = tuple[Statistics, Sequence[GroupedFigures]]


class FigureReader(QObject):
    """Reads the session's figures on a thread of its own: thousands of objects take seconds.

    Signals:
        ended(object): the figures of all objects with those of the groups, or a UserError.

    Args:
        read: opens what is stored.
        parent: owns it, and waits for its end.
    """

    ended = Signal(object)

    def __init__(self, read: Callable[[], Store], parent: QObject) -> None:
        super().__init__(parent)
        self._read = read
        self._thread = threading.Thread(target=self._run, name="samtta-statistics", daemon=True)

    def start(self) -> None:
        """Begin; to be called when the signal has its receiver."""
        self._thread.start()

    def wait(self) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            with self._read() as store:
                records, attempts = store.records(), store.attempts()
            found: _Found | UserError = Tally(records, attempts).figures(), grouped_figures(records, attempts)
        except UserError as error:
            found = error
        self.ended.emit(found)


class StatisticsDialog(QDialog):
    """Shows the figures as a table; they can be exported from here.

    Args:
        parent: the window.
        read: opens what is stored.

    Signals:
        export_wanted: the user wants them as files.
    """

    export_wanted = Signal()

    def __init__(self, parent: QWidget, read: Callable[[], Store]) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("Statistics"))
        self.sentence = theme.label(translated(STATISTICS_READ), role="title")
        self.sentence.setWordWrap(True)
        self.table = QTreeWidget()
        self._dress()
        self.note = theme.label(translated(BOTH_SIDES), role="muted")
        self.note.setToolTip(translated(TWINS_NOTE))
        buttons = QDialogButtonBox()
        self.export = buttons.addButton(translated("Export…"), QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(translated("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        self.export.clicked.connect(self.export_wanted)
        buttons.rejected.connect(self.close)
        layout = dialog_layout(self)
        for part in (self.sentence, self.table, self.note, buttons):
            layout.addWidget(part)
        self._reader = FigureReader(read, self)
        self._reader.ended.connect(self._show)
        self.finished.connect(self._reader.wait)
        self._reader.start()

    def _dress(self) -> None:
        figures = [(name, tip) for _, name, tip in figure_texts.FIGURE_ROWS]
        heads = [*FIRST_HEADS, *figures]
        self.table.setColumnCount(len(heads))
        self.table.setRootIsDecorated(False)
        self.table.setItemsExpandable(False)
        self.table.setFont(theme.tabular(self.table.font()))
        self.table.setAccessibleName(translated("Statistics"))
        self.table.setMinimumSize(64 * theme.GRID, 32 * theme.GRID)
        for column, (heading, tip) in enumerate(heads):
            self.table.headerItem().setText(column, translated(heading))
            self.table.headerItem().setToolTip(column, translated(tip))
            self.table.headerItem().setTextAlignment(column, _side(column))
        self.table.header().setStretchLastSection(False)
        self.table.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    @Slot(object)
    def _show(self, found: _Found | UserError) -> None:
        if isinstance(found, UserError):
            self.sentence.setText(translated(str(found)))
            return
        figures, groups = found
        self.sentence.setText(translated(figures.sentence))
        self._add(translated(TOTAL_ROW), figures)
        for by, title in SECTIONS.items():
            section = QTreeWidgetItem(self.table, [translated(title)])
            section.setFlags(Qt.ItemFlag.ItemIsEnabled)
            for group in groups:
                if group.by == by:
                    self._add(displayable(group.name), group.figures, section)
        self.table.expandAll()
        self._widen()

    def _widen(self) -> None:
        """Show every column, as far as the screen is wide enough."""
        beside = self.width() - self.table.viewport().width()
        room = self.screen().availableGeometry().width() - 4 * theme.GRID
        self.resize(min(max(self.table.header().length() + beside, self.width()), room), self.height())

    def _add(self, name: str, of: Statistics, section: QTreeWidgetItem | None = None) -> None:
        effort = figure_texts.seconds(of.seconds_per_object), figure_texts.number_text(of.person_clicks, 1)
        pairs = (
            " / ".join(figure_texts.figure(field, getattr(side, field)) for side in (of.adapted, of.frozen))
            for field, _, _ in figure_texts.FIGURE_ROWS
        )
        cells = [name, str(of.objects), str(of.attempts.given_up), *effort, *pairs]
        row = QTreeWidgetItem(cells)
        for column in range(len(cells)):
            row.setTextAlignment(column, _side(column))
        if section is None:
            self.table.addTopLevelItem(row)
        else:
            section.addChild(row)


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
