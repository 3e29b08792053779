"""The page of keys: every action with its keys, which are typed or written; a key that another action has is shown."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from samtta_app.errors import SettingsError
from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.gui.actions.bindings import bindings, key_owners, native_keys, portable_keys, valid_bindings
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.translation import translated

_Index = QModelIndex | QPersistentModelIndex

HEADINGS = ("Action", "Keys")
CONFLICT = "{keys} is the key of “{owner}”. Choose another one, or take it from there."
TAKE = "Take it from “{owner}”"
DEFAULTS = {row.name: row.keys for row in ACTION_TABLE}
TEXTS = {row.name: row.text for row in ACTION_TABLE}


class KeyModel(QAbstractTableModel):
    """The actions and their keys as a table; a wish that clashes or is no key stays in its row until it is settled.

    Signals:
        wanted(str, str): an action's name, and the keys that it is to have.
    """

    wanted = Signal(str, str)

    def __init__(self, overrides: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = valid_bindings(overrides)[0]
        self._wishes: dict[str, str] = {}

    def show_keys(self, keys: Mapping[str, tuple[str, ...]], wishes: Mapping[str, str]) -> None:
        """Show these keys, and wishes that cannot be fulfilled yet."""
        self._keys, self._wishes = dict(keys), dict(wishes)
        self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Number of actions."""
        return 0 if parent.isValid() else len(ACTION_TABLE)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Action and keys."""
        return len(HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The headings."""
        shown = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return translated(HEADINGS[section]) if shown else None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Keys can be written in place."""
        usual = super().flags(index)
        return usual | Qt.ItemFlag.ItemIsEditable if index.column() == 1 else usual

    def text_of(self, name: str) -> str:
        """The keys of an action as they are written, or its wish."""
        return self._wishes.get(name, "; ".join(self._keys[name]))

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A row's action and keys; what cannot be used is red, with a mark."""
        row = ACTION_TABLE[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return (
                native_keys(self.text_of(row.name))
                if index.column()
                else f"{translated(row.menu)}: {translated(row.text).rstrip('…')}"
            )
        if row.name in self._wishes and role == Qt.ItemDataRole.ForegroundRole:
            return QColor(theme.current().bad)
        if row.name in self._wishes and role == Qt.ItemDataRole.DecorationRole and index.column():
            return icons.icon("warning", tint="bad")
        return None

    def setData(self, index: _Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Wish for keys; the row changes when they are settled."""
        name = ACTION_TABLE[index.row()].name
        text = portable_keys(str(value).strip())
        if text == self.text_of(name):
            return False
        self.wanted.emit(name, text)
        return True


class KeyEditor(QWidget):
    """The table of keys with a field to search it, one to press a key in, and what stands in a key's way.

    Args:
        overrides: the settings' `keys`.

    Signals:
        chosen(dict): the new `keys` of the settings; every key in it can be used.
    """

    chosen = Signal(object)

    def __init__(self, overrides: Mapping[str, str]) -> None:
        super().__init__()
        self._overrides = dict(overrides)
        self._wish: tuple[str, str] | None = None
        self.model = KeyModel(overrides)
        self.model.wanted.connect(self.wish)
        self.found = QSortFilterProxyModel()
        self.found.setSourceModel(self.model)
        self.found.setFilterKeyColumn(-1)
        self.found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.search = QLineEdit()
        self.search.setPlaceholderText(translated("Search actions and keys"))
        self.search.setAccessibleName(translated("Search actions and keys"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.found.setFilterFixedString)
        self._make_view()
        self.problem = theme.label(role="bad")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.take = QPushButton()
        self.take.hide()
        self.take.clicked.connect(self._take_over)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2 * theme.GRID, 0, 0)
        for part in (self.search, self.view, self.problem):
            layout.addWidget(part)
        layout.addWidget(self.take, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(self._line())

    def _make_view(self) -> None:
        view = self.view = QTreeView()
        view.setModel(self.found)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setAccessibleName(translated("Keys of actions"))
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.header().setStretchLastSection(False)
        view.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        view.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        view.header().resizeSection(1, 26 * theme.GRID)
        view.setCurrentIndex(self.found.index(0, 0))

    def _line(self) -> QHBoxLayout:
        """The field to press a key in, and the buttons for the chosen action."""
        self.press = QKeySequenceEdit()
        self.press.setMaximumSequenceLength(1)
        self.press.setAccessibleName(translated("Press a key for the chosen action"))
        self.press.editingFinished.connect(self._pressed)
        self.usual, self.none = QPushButton(translated("Default key")), QPushButton(translated("No key"))
        self.usual.clicked.connect(lambda: self.wish(self._name(), DEFAULTS[self._name()]))
        self.none.clicked.connect(lambda: self.wish(self._name(), ""))
        line = QHBoxLayout()
        line.addWidget(theme.label(translated("Press a key"), role="muted"))
        for part in (self.press, self.usual, self.none):
            line.addWidget(part)
        return line

    def _name(self) -> str:
        """The chosen action."""
        index = self.found.mapToSource(self.view.currentIndex())
        return ACTION_TABLE[max(index.row(), 0)].name

    def _pressed(self) -> None:
        text = self.press.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        self.press.clear()
        if text:
            self.wish(self._name(), text)

    def wish(self, name: str, text: str) -> None:
        """Give an action these keys; what is no key, or another action's, is said, and nothing changes."""
        self._settle(name, text, {**self._overrides, name: text})

    def _take_over(self) -> None:
        """Fulfil the wish, and take its keys from the actions that have them."""
        if self._wish is None:
            return
        name, text = self._wish
        owners = key_owners(name, text, self._overrides)
        left = {
            owner: "; ".join(key for key in keys if key not in owners[owner])
            for owner, keys in bindings(self._used()).items()
            if owner in owners
        }
        self._settle(name, text, {**self._overrides, **left, name: text})

    def _used(self) -> dict[str, str]:
        """The overrides that can be used."""
        keys = valid_bindings(self._overrides)[0]
        return {name: "; ".join(found) for name, found in keys.items() if name in self._overrides}

    def _settle(self, name: str, text: str, overrides: Mapping[str, str]) -> None:
        """Use new overrides, or show what stands in their way."""
        kept = {key: value for key, value in overrides.items() if value != DEFAULTS.get(key)}
        try:
            keys = bindings(kept)
        except SettingsError as error:
            self._show_problem(name, text, error)
            return
        self._overrides, self._wish = dict(kept), None
        self.problem.hide()
        self.take.hide()
        self.model.show_keys(keys, {})
        self.chosen.emit(dict(kept))

    def _show_problem(self, name: str, text: str, error: SettingsError) -> None:
        try:
            owners = key_owners(name, text, self._overrides)
        except SettingsError:
            owners = {}
        self._wish = (name, text)
        self.model.show_keys(valid_bindings(self._overrides)[0], {name: text})
        if owners:
            keys = {key for found in owners.values() for key in found}
            named = "”, “".join(translated(TEXTS[each]).rstrip("…") for each in owners)
            self.problem.setText(translated(CONFLICT, keys=", ".join(map(native_keys, sorted(keys))), owner=named))
            self.take.setText(translated(TAKE, owner=named))
        else:
            self.problem.setText(translated(str(error)))
        self.take.setVisible(bool(owners))
        self.problem.show()
