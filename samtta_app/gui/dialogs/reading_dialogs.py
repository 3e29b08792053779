"""The dialogs to read: keys and gestures, and what this program is."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from samtta_app.gui.actions.action_set import MENUS
from samtta_app.gui.actions.action_table import ACTION_TABLE, GESTURES
from samtta_app.gui.actions.bindings import key_text
from samtta_app.gui.dialogs.word_room import WordRoom
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.translation import translated

CLASS_DIGITS = tuple(f"class_{number}" for number in range(1, 10))
"""The actions that choose a class; they are one row of the list."""


def dialog_layout(dialog: QDialog) -> QVBoxLayout:
    """The layout of a dialog: margins and distances in steps of the grid, and room for words that wrap."""
    layout = QVBoxLayout(dialog)
    WordRoom(dialog)
    layout.setContentsMargins(3 * theme.GRID, 3 * theme.GRID, 3 * theme.GRID, 2 * theme.GRID)
    layout.setSpacing(2 * theme.GRID)
    return layout


class ShortcutsDialog(QDialog):
    """Every key and gesture, by menu, in two columns.

    Args:
        parent: the window.
        keys: the present keys, by action.
    """

    def __init__(self, parent: QWidget, keys: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("Keys and gestures"))
        self.rows = _rows(keys)
        columns = QHBoxLayout()
        columns.setSpacing(6 * theme.GRID)
        half = ("Mouse", "File", "Edit")
        for titles in (half, tuple(title for title in self.rows if title not in half)):
            columns.addLayout(_column({title: self.rows[title] for title in titles if title in self.rows}))
        inner = QWidget()
        inner.setLayout(columns)
        area = QScrollArea()
        area.setWidget(inner)
        area.setWidgetResizable(True)
        layout = dialog_layout(self)
        layout.addWidget(area)
        layout.addWidget(
            theme.label(translated("Every key can be changed in the settings, on the page of keys."), role="muted")
        )
        self.resize(QSize(116 * theme.GRID, 76 * theme.GRID))


TERMS = "Apache License 2.0. Qt and PySide6 are used under the LGPL-3.0; you may replace their libraries."


class AboutDialog(QDialog):
    """What this is, which version, which model, and under which licences.

    Args:
        parent: the window.
        model: the model's description, "" where none runs.
    """

    licences_wanted = Signal()

    def __init__(self, parent: QWidget, model: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("About samtta"))
        mark = QLabel()
        mark.setPixmap(icons.app_icon().pixmap(QSize(7 * theme.GRID, 7 * theme.GRID)))
        words = QVBoxLayout()
        words.addWidget(theme.label("samtta", role="heading"))
        self.text = theme.label("\n".join(line for line in (_version(), translated(model)) if line), role="muted")
        words.addWidget(self.text)
        what = theme.label(
            translated(
                "Outline objects in images with Segment Anything. Its mask decoder learns from your clicks and accepted masks "
                "while you work. The figures compare it with the original model on the same objects."
            )
        )
        what.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(2 * theme.GRID)
        head.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        terms = theme.label(translated(TERMS), role="muted")
        terms.setWordWrap(True)
        licences = QPushButton(translated("Licences"))
        licences.clicked.connect(self.licences_wanted)
        close = QPushButton(translated("Close"))
        close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(licences)
        buttons.addWidget(close)
        layout = dialog_layout(self)
        layout.addLayout(head)
        layout.addWidget(what)
        layout.addWidget(terms)
        layout.addLayout(buttons)
        self.setMinimumWidth(52 * theme.GRID)


def _version() -> str:
    try:
        return translated("Version {version}", version=metadata.version("samtta"))
    except metadata.PackageNotFoundError:  # run from a checkout
        return translated("Version of the checkout")


def _rows(keys: Mapping[str, tuple[str, ...]]) -> dict[str, list[tuple[str, str]]]:
    """For each menu, the actions and their keys; the nine classes are one row, and actions without a key are left out."""
    rows: dict[str, list[tuple[str, str]]] = {"Mouse": [(translated(what), translated(how)) for how, what in GESTURES]}
    for menu in MENUS:
        found = [
            (translated(row.text).rstrip("…"), key_text(keys[row.name]))
            for row in ACTION_TABLE
            if row.menu == menu and keys[row.name] and row.name not in CLASS_DIGITS
        ]
        digits = [key_text(keys[name]) for name in CLASS_DIGITS if keys[name]]
        if menu == "Class" and digits:
            found.insert(0, (translated("Choose a class"), f"{digits[0]} – {digits[-1]}"))
        if found:
            rows[menu] = found
    return rows


def _column(rows: Mapping[str, list[tuple[str, str]]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(3 * theme.GRID)
    grid.setVerticalSpacing(theme.GRID // 2)
    line = 0
    for title, entries in rows.items():
        if line:
            grid.setRowMinimumHeight(line, theme.GRID)
            line += 1
        grid.addWidget(theme.label(translated(title), role="heading"), line, 0, 1, 2)
        for what, how in entries:
            line += 1
            words, key = theme.label(what), theme.label(how, role="muted")
            words.setWordWrap(True)
            key.setWordWrap(True)
            grid.addWidget(words, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(key, line, 1, Qt.AlignmentFlag.AlignTop)
        line += 1
    grid.setColumnStretch(0, 3)
    grid.setColumnStretch(1, 2)
    grid.setRowStretch(line, 1)
    return grid
