"""The class list: colour, name, key; a click chooses, a double click renames, the field below adds.

A class that is called as a task of the model takes that task's prompt. So the field offers the tasks' names, and the list
says which classes have taken one.
"""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QFrame,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from samtta_app.gui.controller import Controller
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.plain_text import plain_tip
from samtta_app.gui.widgets.translation import translated
from samtta_app.session import acts
from samtta_app.session.state import LabelClass, State

_Index = QModelIndex | QPersistentModelIndex


class ClassModel(QAbstractListModel):
    """The project's classes as a list model; editing a row asks the controller to rename.

    Args:
        controller: told about new names.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._classes: tuple[LabelClass, ...] = ()
        self._swatches: list[QIcon] = []

    def show_classes(self, classes: tuple[LabelClass, ...]) -> None:
        """Take the classes of a new state."""
        before, self._classes = self._classes, classes
        if before != classes:
            self._swatches = [
                icons.swatch(theme.class_colour(entry.colour), _key(row)) for row, entry in enumerate(classes)
            ]
        if len(before) != len(classes):
            self.beginResetModel()
            self.endResetModel()
        elif before != classes:
            self.dataChanged.emit(self.index(0), self.index(len(classes) - 1))

    def entry(self, row: int) -> LabelClass:
        """The class in a row."""
        return self._classes[row]

    def row_of(self, class_id: int) -> int:
        """The row of a class, -1 where there is none."""
        return next((row for row, entry in enumerate(self._classes) if entry.id == class_id), -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Number of classes."""
        return 0 if parent.isValid() else len(self._classes)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Every class can be renamed in place."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a row shows: the name, and a swatch with the key in it."""
        if not index.isValid():
            return None
        entry = self._classes[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return entry.name
        if role == Qt.ItemDataRole.DecorationRole:
            return self._swatches[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            key = _key(index.row())
            lines = [f"{entry.name}  ({key})" if key else entry.name]
            if entry.name in self._controller.tasks:
                lines.append(translated("Takes the model's task of this name"))
            return plain_tip("\n".join([*lines, translated("Double-click to rename")]))
        return None

    def setData(self, index: _Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask for a new name; the row changes when the state does."""
        name = str(value).strip()
        if not index.isValid() or not name or name == self._classes[index.row()].name:
            return False
        self._controller.do(acts.RenameClass(self._classes[index.row()].id, name))
        return True


def _key(row: int) -> str:
    """The key of the class in a row, "" after the ninth."""
    return str(row + 1) if row < 9 else ""


class ClassesPanel(QWidget):
    """The list of classes with a field that adds one.

    Args:
        controller: told which class is chosen, added or renamed.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._current = -1
        self.model = ClassModel(controller)
        self.view = QListView()
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setIconSize(QSize(theme.ICON, theme.ICON))
        self.view.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.view.setModel(self.model)
        self.view.setAccessibleName(translated("Classes"))
        self.view.clicked.connect(self._choose)
        self.view.activated.connect(self._choose)
        self.new_name = QLineEdit()
        self.new_name.setPlaceholderText(translated("Add a class"))
        self.new_name.setAccessibleName(translated("Name of a new class"))
        self.new_name.returnPressed.connect(self._add)
        self.tasks = theme.label("", role="muted")
        self.tasks.setWordWrap(True)
        controller.described.connect(self._offer_tasks)
        self._offer_tasks()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.GRID)
        layout.setSpacing(theme.GRID // 2)
        layout.addWidget(self.view)
        field = QVBoxLayout()
        field.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        field.addWidget(self.new_name)
        field.addWidget(self.tasks)
        layout.addLayout(field)

    def show_state(self, state: State) -> None:
        """Show the classes and the current one."""
        self.model.show_classes(state.classes)
        self._current = state.current_class
        self.view.setCurrentIndex(self.model.index(self.model.row_of(state.current_class)))
        self.new_name.setEnabled(not state.read_only)

    def _offer_tasks(self) -> None:
        """Offer the model's tasks as names of classes."""
        names = self._controller.tasks
        self.tasks.setText(
            translated("Tasks of the model, for classes of these names: {names}", names=", ".join(names))
        )
        self.tasks.setVisible(bool(names))
        completer = QCompleter(list(names), self)
        completer.setCompletionMode(QCompleter.CompletionMode.InlineCompletion)  # a popup would take the keyboard
        self.new_name.setCompleter(completer)

    def _choose(self, index: QModelIndex) -> None:
        chosen = self.model.entry(index.row()).id
        self._controller.do(acts.SetClass(chosen))

    def _add(self) -> None:
        name = self.new_name.text().strip()
        if name:
            self.new_name.clear()
            self._controller.do(acts.AddClass(name))
