"""What learning made of each accepted object: versions with kept or dropped and why, and the way back to any of them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from samtta_app.core.replies import AdaptReport
from samtta_app.gui.controller import Controller
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session import acts
from samtta_app.session.state import Adaptation

_SHOWN = 50
"""Newest lessons in the list: a longer one costs time at each state, and has no reader."""

_KEPT = "Version {version} – {reason}"
_DROPPED = "No new version – {reason}"
_ANSWERS = "{text} (answers now)"
_ORIGINAL = "Original model"
GO_BACK = "Let this version answer"

_VERSION = Qt.ItemDataRole.UserRole


class VersionList(QWidget):
    """The newest lessons, newest first, and the original model; a button lets the chosen version answer again.

    Args:
        controller: takes the act.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._shown: tuple[object, ...] = ()
        self.list = QListWidget()
        self.list.setAccessibleName(translated("Versions of the model"))
        self.list.setWordWrap(True)
        self.list.setFixedHeight(20 * theme.GRID)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(self._enable)
        self.list.itemActivated.connect(self._go_back)
        self.button = QPushButton(translated(GO_BACK))
        self.button.clicked.connect(self._go_back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.list)
        layout.addWidget(self.button)
        self._enable()

    def show_adaptation(self, adaptation: Adaptation) -> None:
        """Show the lessons; the choice stays."""
        shown = adaptation.reports, adaptation.version, adaptation.activity == "off"
        if shown == self._shown:
            return
        self._shown = shown
        chosen = self._version()
        self.list.clear()
        for report in reversed(adaptation.reports[-_SHOWN:]):
            self._add(lesson_words(report), report.version if report.kept else None, adaptation.version)
        self._add(translated(_ORIGINAL), 0, adaptation.version)
        for row in range(self.list.count()):
            if chosen is not None and self.list.item(row).data(_VERSION) == chosen:
                self.list.setCurrentRow(row)
        self._enable()

    def _add(self, text: str, version: int | None, published: int) -> None:
        item = QListWidgetItem(translated(_ANSWERS, text=text) if version == published else text)
        item.setData(_VERSION, version)
        if version is None:
            item.setForeground(self.palette().placeholderText())
        self.list.addItem(item)

    def _version(self) -> int | None:
        """The chosen version, None where none is chosen or the lesson was dropped."""
        item = self.list.currentItem()
        version = item.data(_VERSION) if item is not None else None
        return version if isinstance(version, int) else None

    def _enable(self, *_: object) -> None:
        adaptation = self._controller.state.adaptation
        self.button.setEnabled(adaptation.activity != "off" and self._version() not in (None, adaptation.version))

    def _go_back(self, *_: object) -> None:
        version = self._version()
        if version is not None and self.button.isEnabled():
            self._controller.do(acts.GoBackTo(version))


def lesson_words(report: AdaptReport) -> str:
    """What became of a lesson, and why."""
    return translated(_KEPT if report.kept else _DROPPED, version=report.version, reason=Phrase.of(report.reason))
