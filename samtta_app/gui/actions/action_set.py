"""The table of actions as Qt actions: in menus, in the tool bar, with tool tips that name their keys."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QSignalBlocker
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QSizePolicy, QToolBar, QWidget

from samtta_app.gui.actions.action_row import ActionRow, ActionTarget, Menu
from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.gui.actions.bindings import bindings, key_text, valid_bindings
from samtta_app.gui.widgets import icons
from samtta_app.gui.widgets.plain_text import button_text, plain_tip
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.state import State
from samtta_app.settings import Settings

MENUS: tuple[Menu, ...] = ("File", "Edit", "Draw", "Propose", "Image", "Class", "View", "Learning", "Help")
"""The menus, from left to right."""

BAR: tuple[tuple[str, ...], ...] = (
    ("open", "export"),
    ("accept", "cancel", "undo", "redo", "delete"),
    ("brush", "eraser", "polygon"),
    ("previous_image", "next_image", "next_unreviewed"),
    ("fit", "masks", "uncertainty", "compare"),
)
"""The tool bar's groups."""

ONCE = {
    *("accept", "accept_next", "accept_ignored", "join", "rate_10"),
    *("confirm_review", "reject_review", "take_theirs", "keep_both"),
    *(f"class_{number}" for number in range(1, 10)),
}
"""A key that is held longer does these once: each would take a new object, or rate the next mask unseen."""

BAR_END: tuple[str, ...] = ("switch_theme", "shortcuts")
"""What stands at the far end of the tool bar."""


class ActionSet(QObject):
    """The Qt actions of one window.

    Args:
        desk: what they act on; it is only touched when an action runs.
        settings: for the keys.
        parent: the window that owns them.

    Attributes:
        keys: the keys of every action, in Qt's portable spelling.
        left_out: which of the settings' keys cannot be used, and why; their actions keep the default keys.
    """

    def __init__(self, desk: ActionTarget, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._desk, self._settings = desk, settings
        self._shown: State | None = None
        self.keys, self.left_out = valid_bindings(settings.keys)
        self._made = {action.name: self._make(action) for action in ACTION_TABLE}

    def __getitem__(self, name: str) -> QAction:
        """The Qt action of a row of the table."""
        return self._made[name]

    def all(self) -> list[QAction]:
        """Every action, in the table's order."""
        return list(self._made.values())

    def use(self, settings: Settings) -> None:
        """Take new keys.

        Raises:
            SettingsError: they are not valid; the keys stay as they were.
        """
        if settings.keys != self._settings.keys:
            self.keys = bindings(settings.keys)
        self._settings = settings
        for action in ACTION_TABLE:
            self._name(self._made[action.name], action)

    def show_state(self, state: State | None) -> None:
        """Enable and check what the state allows and says."""
        self._shown = state
        for action in ACTION_TABLE:
            made = self._made[action.name]
            made.setEnabled(action.enabled(state))
            if action.checked is not None:
                with QSignalBlocker(made):
                    made.setChecked(action.checked(state, self._settings))
        self._name_classes(state)

    def _name_classes(self, state: State | None) -> None:
        """The class actions have the classes' names; those without a class are hidden. They rate while masks are rated."""
        names = [entry.name for entry in state.classes] if state else []
        if state is not None and state.rating is not None:
            names = [translated("Rate the mask {number}", number=number) for number in range(1, 10)]
        for number in range(1, 10):
            made = self._made[f"class_{number}"]
            made.setVisible(number <= len(names))
            made.setText(
                button_text(names[number - 1]) if number <= len(names) else translated("Class {number}", number=number)
            )

    def tint(self) -> None:
        """Draw the icons again, in the present palette."""
        for action in ACTION_TABLE:
            if action.icon:
                self._made[action.name].setIcon(icons.icon(action.icon))

    def fill_menus(self, menu_bar: QMenuBar) -> dict[Menu, QMenu]:
        """Make the menus; the File menu gets its list of recent folders from the window."""
        menus: dict[Menu, QMenu] = {title: menu_bar.addMenu(translated(f"&{title}")) for title in MENUS}
        for action in ACTION_TABLE:
            menu = menus[action.menu]
            if action.divides and menu.actions():
                menu.addSeparator()
            menu.addAction(self._made[action.name])
        return menus

    def fill_bar(self, bar: QToolBar) -> None:
        """Put the tool bar's groups into `bar`."""
        for number, group in enumerate(BAR):
            if number:
                bar.addSeparator()
            bar.addActions([self._made[name] for name in group])
        room = QWidget()
        room.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        bar.addWidget(room)
        bar.addActions([self._made[name] for name in BAR_END])

    def _make(self, action: ActionRow) -> QAction:
        made = QAction(translated(action.text), self)
        made.setObjectName(action.name)
        made.setCheckable(action.checked is not None)
        made.setAutoRepeat(not action.held and action.name not in ONCE)
        if action.short:
            made.setIconText(translated(action.short))
        if action.icon:
            made.setIcon(icons.icon(action.icon))
            made.setIconVisibleInMenu(False)
        made.triggered.connect(partial(self._run, action))
        self._name(made, action)
        return made

    def _name(self, made: QAction, action: ActionRow) -> None:
        keys = self.keys[action.name]
        made.setShortcuts([QKeySequence.fromString(key) for key in keys])
        plain = translated(action.text).rstrip("…")
        made.setToolTip(plain_tip(f"{plain}  ({key_text(keys)})" if keys else plain))

    def _run(self, action: ActionRow, checked: bool = False) -> None:
        action.run(self._desk)
        if action.checked is not None:  # Qt has flipped the switch by itself; only the state decides its position
            self.show_state(self._shown)
