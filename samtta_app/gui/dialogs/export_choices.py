"""The part of the export dialog that says what of a project is exported: classes and their names, sizes, a split."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from samtta_app.core.names import displayable
from samtta_app.errors import ExportError
from samtta_app.formats.export_choice import ExportChoice
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.state import LabelClass

SHOWN_ROWS = 5
"""Classes that are seen without scrolling."""

MOST = 2**31 - 1
"""The highest number that a Qt spin box takes."""

_SHARES = (80, 10, 10)
"""Shares of a split that most data sets have."""


class ExportChoices(QWidget):
    """A table of classes, each with a tick and the name it is exported under, and the choices beside it.

    Args:
        classes: of the project.
    """

    def __init__(self, classes: Sequence[LabelClass]) -> None:
        super().__init__()
        self._classes = tuple(classes)
        self.table = QTableWidget(len(self._classes), 2)
        self.table.setHorizontalHeaderLabels([translated("Class"), translated("Exported as")])
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.verticalHeader().hide()
        for row, each in enumerate(self._classes):
            ticked = QTableWidgetItem(displayable(each.name))
            ticked.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
            ticked.setCheckState(Qt.CheckState.Checked)
            self.table.setItem(row, 0, ticked)
            self.table.setItem(row, 1, QTableWidgetItem(displayable(each.name)))
        rows = min(len(self._classes), SHOWN_ROWS) + 1
        self.table.setFixedHeight(rows * self.table.verticalHeader().defaultSectionSize() + theme.GRID)
        self.least = QSpinBox()
        self.least.setRange(0, MOST)
        self.least.setSuffix(translated(" pixels"))
        self.reviewed = QCheckBox(translated("Only reviewed objects"))
        self.stored_rows = QCheckBox(translated("Rows and columns of the files, not upright"))
        self.split = QCheckBox(translated("Split the images"))
        self.shares = tuple(QSpinBox() for _ in _SHARES)
        self.seed = QSpinBox()
        self.seed.setRange(0, MOST)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(translated("Classes"), self.table)
        form.addRow(translated("Least area"), self.least)
        form.addRow("", self.reviewed)
        form.addRow("", self.stored_rows)
        form.addRow("", self.split)
        form.addRow(translated("Train, validation, test"), self._split_row())
        form.addRow(translated("Seed"), self.seed)
        self.split.toggled.connect(self._enable_split)
        self._enable_split()

    @property
    def choice(self) -> ExportChoice:
        """What is chosen.

        Raises:
            ExportError: no class is ticked, or the shares of a split are all 0.
        """
        rows = range(len(self._classes))
        ticked = [row for row in rows if self._item(row, 0).checkState() == Qt.CheckState.Checked]
        if rows and not ticked:
            raise ExportError("No class is chosen", do="Tick a class")
        merged = {self._classes[row].name: self._name(row) for row in rows}
        merged = {name: other for name, other in merged.items() if other != name}
        names = frozenset(merged.get(each, each) for each in (self._classes[row].name for row in ticked))
        left_out = [self._classes[row].name for row in rows if row not in ticked]
        clash = next((name for name in left_out if merged.get(name, name) in names), None)
        if clash is not None:
            what = "A class that is not ticked has the name of one that is"
            raise ExportError(what, displayable(clash), "Tick it too, or give it another name")
        shares = tuple(box.value() for box in self.shares) if self.split.isChecked() else None
        return ExportChoice(
            names if left_out else frozenset(),
            merged,
            self.least.value(),
            self.reviewed.isChecked(),
            (float(shares[0]), float(shares[1]), float(shares[2])) if shares else None,
            self.seed.value() if shares else 0,
            self.stored_rows.isChecked(),
        )

    def _item(self, row: int, column: int) -> QTableWidgetItem:
        item = self.table.item(row, column)
        assert item is not None
        return item

    def _name(self, row: int) -> str:
        """The name that a class is exported under; its own where the field is empty or was not changed."""
        own, written = self._classes[row].name, self._item(row, 1).text().strip()
        return own if written in ("", displayable(own)) else written

    def _split_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        for box, share in zip(self.shares, _SHARES, strict=True):
            box.setRange(0, 100)
            box.setValue(share)
            layout.addWidget(box)
        return row

    @Slot()
    def _enable_split(self) -> None:
        for box in (*self.shares, self.seed):
            box.setEnabled(self.split.isChecked())
