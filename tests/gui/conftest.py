"""What holds for every test with widgets: they are gone when it ends, and the next one begins in the same theme.

Cycles are collected here alone, as the program does it: on another thread they would take widgets down under Qt's hands.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from samtta_app.gui.widgets import theme


@pytest.fixture(autouse=True, scope="module")
def no_other_thread_collects() -> Iterator[None]:
    """Switch the automatic collection off, and leave what is loaded by now out of every later one, which makes them quick."""
    gc.disable()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def no_widget_left(qapp) -> Iterator[None]:
    """Delete every window, also that of a whole run in this process: a theme dresses every widget that is alive."""
    theme.choose(qapp, "light")
    yield
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QMainWindow):
            widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
