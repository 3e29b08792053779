"""The dialog that shows how far two annotators agree: one row a class, and a button that saves the table."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from samtta_app.core.files import write_whole
from samtta_app.core.names import displayable
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.reading_dialogs import dialog_layout
from samtta_app.gui.panels.figure_texts import percent_text
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.project.comparison import ALL_CLASSES, agreement_csv
from samtta_app.session.review_list import ClassAgreement

AGREEMENT_TITLE = "Agreement with {other}"

AGREEMENT_HEADS: tuple[tuple[str, str], ...] = (
    ("Class", "Class of the objects here"),
    ("Matched", "Objects that both annotators have: their masks overlap by 30 % or more"),
    ("Mean IoU", "Mean overlap of matched objects"),
    ("Only here", "Objects that only this project has"),
    ("Only there", "Objects that only the other project has"),
    ("Other class", "Matched objects that have another class there"),
)
"""Heading and tool tip of each column."""

SAVE_TABLE, TABLE_FILES = "Save the table…", "Tables (*.csv)"
TABLE_SAVED, TABLE_NOT_SAVED = "Agreement written to {path}", "The table was not saved: {reason}"


class AgreementDialog(QDialog):
    """The agreement of the comparison that is open.

    Args:
        parent: the window.
        controller: of the project; it says in the message bar how saving ended.
    """

    def __init__(self, parent: QWidget, controller: Controller) -> None:
        super().__init__(parent)
        self._controller, self._agreement = controller, controller.state.review.agreement
        self.setWindowTitle(translated(AGREEMENT_TITLE, other=displayable(controller.state.review.other)))
        self.table = QTreeWidget()
        self._dress()
        for one in self._agreement:
            self._add(one)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.save = buttons.addButton(translated(SAVE_TABLE), QDialogButtonBox.ButtonRole.ActionRole)
        self.save.clicked.connect(self._save)
        buttons.rejected.connect(self.close)
        layout = dialog_layout(self)
        layout.addWidget(self.table)
        layout.addWidget(buttons)

    def _dress(self) -> None:
        table = self.table
        table.setColumnCount(len(AGREEMENT_HEADS))
        table.setRootIsDecorated(False)
        table.setFont(theme.tabular(table.font()))
        table.setAccessibleName(translated("Agreement of both annotators"))
        table.setMinimumSize(72 * theme.GRID, 24 * theme.GRID)
        for column, (heading, tip) in enumerate(AGREEMENT_HEADS):
            table.headerItem().setText(column, translated(heading))
            table.headerItem().setToolTip(column, translated(tip))
            table.headerItem().setTextAlignment(column, _side(column))
        table.header().setStretchLastSection(False)
        table.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def _add(self, one: ClassAgreement) -> None:
        name = displayable(one.name) or translated(ALL_CLASSES)
        cells = name, one.matched, percent_text(one.mean_iou), one.here, one.there, one.relabelled
        row = QTreeWidgetItem(self.table, [str(cell) for cell in cells])
        for column in range(len(cells)):
            row.setTextAlignment(column, _side(column))

    def _save(self) -> None:
        start = str(self._controller.state.folder / "agreement.csv")
        chosen = QFileDialog.getSaveFileName(self, translated(SAVE_TABLE), start, translated(TABLE_FILES))[0]
        if not chosen:
            return
        try:
            write_whole(Path(chosen), agreement_csv(self._agreement).encode())
        except OSError as error:
            self._controller.say("error", Phrase(TABLE_NOT_SAVED, reason=error.strerror))
        else:
            self._controller.say("good", Phrase(TABLE_SAVED, path=displayable(chosen)))


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
