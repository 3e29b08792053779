"""The Qt binding gives nothing away: an overridden handler costs no reference (PySide6 6.12.0 did, and aborted Python 3.11)."""

from __future__ import annotations

import sys

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QEvent, QModelIndex, QObject
from PySide6.QtWidgets import QWidget

TIMES = 300


class Widget(QWidget):
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        return False


class Model(QAbstractListModel):
    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 1

    def data(self, index: QModelIndex, role: int = 0) -> None:
        return None


def test_handlers_that_return_nothing_do_not_use_up_none(qapp, qtbot):
    widget, model = Widget(), Model()
    qtbot.addWidget(widget)
    before = sys.getrefcount(None)
    for _ in range(TIMES):
        QCoreApplication.sendEvent(widget, QEvent(QEvent.Type.PaletteChange))
        model.index(0).data()
    assert sys.getrefcount(None) > before - TIMES // 2


def test_handlers_that_return_false_do_not_use_up_false(qapp, qtbot):
    widget, watched = Widget(), QObject()
    qtbot.addWidget(widget)
    watched.installEventFilter(widget)
    before = sys.getrefcount(False)
    for _ in range(TIMES):
        QCoreApplication.sendEvent(watched, QEvent(QEvent.Type.User))
    assert sys.getrefcount(False) > before - TIMES // 2
