"""Everything that can be done with the mouse can be done without it, and a screen reader can name it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QMenu,
    QScrollBar,
    QTabBar,
    QToolBar,
    QToolButton,
    QWidget,
)

from samtta_app.core.planes import ReadingChoice
from samtta_app.gui.dialogs.crash_report import CrashReport
from samtta_app.gui.main_window import MainWindow
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS, Recorder, disc, no_objects, picture, preview, scene

CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QKeySequenceEdit, QLineEdit, QTabBar
)  # fmt: skip

DIALOGS = (
    "statistics",
    "agreement",
    "settings",
    "export",
    "import",
    "planes",
    "models",
    "display",
    "help",
    "shortcuts",
    "about",
)
OF_THE_SYSTEM = {"boxes", "compare_project", "find_images"}
"""They only ask for a file or a folder."""


def controls(root: QWidget) -> Iterator[QWidget]:
    """The controls that a user sees as such; parts of another control are not counted."""
    for widget in root.findChildren(QWidget):
        inside = widget.parentWidget()
        part = isinstance(inside, (QAbstractSpinBox, QComboBox, QLineEdit, QKeySequenceEdit, QTabBar))
        if not isinstance(widget, CONTROLS) or part or isinstance(widget, (QScrollBar, QHeaderView)):
            continue
        if widget.window() is root.window() and widget.isVisibleTo(root) and widget.isEnabled():
            yield widget


def has_key(widget: QWidget) -> bool:
    """Whether a key does the same: that of its action."""
    action = widget.defaultAction() if isinstance(widget, QToolButton) else None
    return action is not None and bool(action.shortcuts())


def in_order(widget: QWidget) -> bool:
    """Whether Tab leads there."""
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def named(widget: QWidget) -> bool:
    """Whether a screen reader has a name for it: its own, its text, or that of its label."""
    if isinstance(widget, QTabBar):
        return all(widget.tabText(k) for k in range(widget.count()))
    return bool(QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name))


def menu_actions(menu: QMenu) -> Iterator[QAction]:
    """The actions of a menu and of those in it; all are reached with Alt and the arrow keys."""
    for action in menu.actions():
        yield action
        if action.menu() is not None:
            yield from menu_actions(action.menu())


def unreachable(root: QWidget) -> list[str]:
    """What can only be done with the mouse, or has no name."""
    found = []
    for widget in controls(root):
        owner = widget.parentWidget()
        kind = f"{type(owner).__name__} / {type(widget).__name__} {widget.objectName() or widget.toolTip()!r}"
        if not in_order(widget) and not has_key(widget):
            found.append(f"{kind}: neither in the tab order nor with a key")
        if not named(widget):
            found.append(f"{kind}: without a name")
    return found


@pytest.fixture
def window(qapp, qtbot, tmp_path: Path) -> MainWindow:
    controller = Recorder(scene(tmp_path, selected=1))
    controller.store = SimpleNamespace(folder=tmp_path, reading=ReadingChoice(), reader=lambda: no_objects)
    made = MainWindow(controller, settings=Settings(theme="light"), strategies=WORDS)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    return made


def test_every_action_of_the_window_has_a_key_or_stands_in_a_menu(window: MainWindow):
    image = picture()
    for state in (window.state, scene(preview=preview(image, [disc(60, 50, 18), disc(40, 40, 9)]))):
        window.show_state(state)
        listed = {id(a) for title in window.menuBar().actions() for a in menu_actions(title.menu())}
        assert all("&" in title.text() for title in window.menuBar().actions())
        bar = {a for bar in window.findChildren(QToolBar) for a in bar.actions() if not a.isSeparator()}
        every = {*window.actions_made.all(), *bar}
        lost = [a.text() for a in every if a.isEnabled() and a.text() and not a.shortcuts() and id(a) not in listed]
        assert lost == []
        assert all(a.text() for a in window.actions_made.all())


def test_every_control_of_the_window_is_reached_by_keys_and_named(window: MainWindow):
    assert unreachable(window) == []
    window.show_state(scene(preview=preview(picture(), [disc(60, 50, 18), disc(40, 40, 9)])))
    for dock in window.docks.values():
        dock.show()
        dock.raise_()  # some lie behind others
        QApplication.processEvents()
        assert unreachable(window) == [], dock.objectName()


def test_every_control_of_every_dialog_is_reached_by_keys_and_named(window: MainWindow):
    found = {}
    assert {*DIALOGS, *OF_THE_SYSTEM} == set(window._opener._makers)
    window.dialogs.show("crash", CrashReport(window, "Traceback", "Stored"))
    for name in ("crash", *DIALOGS):
        if name != "crash":
            window.open_dialog(name)
        dialog = window.dialogs[name]
        QApplication.processEvents()
        pages = getattr(dialog, "pages", None)
        for page in range(pages.count() if pages is not None else 1):
            if pages is not None:
                pages.setCurrentIndex(page)
            if lost := [line for line in unreachable(dialog) if QDialogButtonBox.__name__ not in line]:
                found[f"{name} {page}"] = lost
    assert found == {}


def test_a_control_that_only_the_mouse_reaches_is_found(qtbot):
    root = QWidget()
    qtbot.addWidget(root)
    button = QToolButton(root)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    root.show()
    assert [line.partition(": ")[2] for line in unreachable(root)] == [
        "neither in the tab order nor with a key",
        "without a name",
    ]
