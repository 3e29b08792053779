"""Menus, tool bar and tool tips are made from the table, and every action's state is the state's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QToolBar

from samtta_app.errors import SettingsError
from samtta_app.gui.actions.action_set import BAR, BAR_END, MENUS, ActionSet
from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.state import Adaptation, Display, LabelClass
from samtta_app.settings import Settings
from tests.gui.scenes import Recorder, disc, picture, preview, scene


class Window(QMainWindow):
    """A window with a controller, and nothing in it."""

    def __init__(self) -> None:
        super().__init__()
        self.controller = Recorder(scene())

    @property
    def state(self):
        """What is shown."""
        return self.controller.state


@pytest.fixture
def window(qapp, qtbot) -> Window:
    theme.choose(qapp, "light")
    made = Window()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def actions(window: Window) -> ActionSet:
    return ActionSet(window, Settings(), window)


def test_every_row_of_the_table_is_an_action(actions: ActionSet):
    assert [made.objectName() for made in actions.all()] == [row.name for row in ACTION_TABLE]


def test_an_action_has_the_keys_of_the_table(actions: ActionSet):
    assert [key.toString() for key in actions["redo"].shortcuts()] == ["Ctrl+Y", "Ctrl+Shift+Z"]


@pytest.mark.parametrize("name", [name for group in (*BAR, BAR_END) for name in group])
def test_every_tool_names_its_key(actions: ActionSet, name: str):
    tip, keys = actions[name].toolTip(), actions[name].shortcuts()
    assert keys
    assert all(key.toString() in tip for key in keys)


def test_an_action_without_a_key_has_a_plain_tool_tip(actions: ActionSet):
    assert actions["reset"].toolTip() == "Reset to the original model"


def test_every_tool_has_an_icon(actions: ActionSet):
    for name in (name for group in (*BAR, BAR_END) for name in group):
        assert not actions[name].icon().isNull()


def test_accepting_does_not_repeat_itself_when_its_key_is_held(actions: ActionSet):
    assert not actions["accept"].autoRepeat()
    assert not actions["compare"].autoRepeat()
    assert actions["undo"].autoRepeat()


# --- state ----------------------------------------------------------------------------------------------------------


def test_actions_are_enabled_as_the_table_says(actions: ActionSet):
    for state in (None, scene(), scene(selected=1), scene(preview=preview(picture(), (disc(60, 50, 18),)))):
        actions.show_state(state)
        for row in ACTION_TABLE:
            assert actions[row.name].isEnabled() == row.enabled(state), row.name


def test_switches_are_checked_as_the_state_says(actions: ActionSet):
    actions.show_state(scene(display=Display(masks=False, overlay="entropy")))
    assert not actions["masks"].isChecked()
    assert actions["uncertainty"].isChecked()


def test_showing_a_state_triggers_nothing(window: Window, actions: ActionSet):
    actions.show_state(scene(display=Display(overlay="entropy", compare=True)))
    assert window.controller.calls == []


def test_a_triggered_action_runs(window: Window, actions: ActionSet):
    actions.show_state(scene())
    actions["undo"].trigger()
    assert window.controller.calls == [acts.Undo()]


def test_a_disabled_action_does_not_run(window: Window, actions: ActionSet):
    actions.show_state(scene())
    actions["accept"].trigger()
    assert window.controller.calls == []


def test_a_switch_stands_as_the_state_says_and_not_as_it_was_clicked(window: Window, actions: ActionSet):
    actions.show_state(scene())
    actions["uncertainty"].trigger()  # this controller does not change its state
    assert window.controller.calls == [acts.Show(overlay="entropy")]
    assert not actions["uncertainty"].isChecked()


def test_the_pause_button_stays_down_while_learning_is_paused(actions: ActionSet):
    actions.show_state(scene(adaptation=Adaptation("paused", 4, ())))
    assert actions["pause"].isChecked()


def test_class_actions_bear_the_classes_names(actions: ActionSet):
    actions.show_state(scene(classes=(LabelClass(1, "R&D", 0), LabelClass(2, "cell", 1))))
    assert actions["class_1"].text() == "R&&D"
    assert [actions[f"class_{n}"].isVisible() for n in (1, 2, 3)] == [True, True, False]


def test_without_a_project_there_are_no_classes(actions: ActionSet):
    actions.show_state(scene())
    actions.show_state(None)
    assert not actions["class_1"].isVisible()


# --- keys -----------------------------------------------------------------------------------------------------------


def test_keys_can_be_changed_while_the_window_is_open(actions: ActionSet):
    actions.use(Settings(keys={"accept": "Ctrl+S"}))
    assert [key.toString() for key in actions["accept"].shortcuts()] == ["Ctrl+S"]
    assert actions["accept"].toolTip() == "Accept  (Ctrl+S)"


def test_keys_that_cannot_work_leave_the_present_ones(actions: ActionSet):
    with pytest.raises(SettingsError):
        actions.use(Settings(keys={"cancel": "Return"}))
    assert actions["accept"].shortcuts()[0].toString() == "Return"
    assert actions.keys["cancel"] == ("Esc",)


def test_keys_of_the_settings_hold_from_the_start(window: Window):
    made = ActionSet(window, Settings(keys={"masks": "F7"}), window)
    assert made["masks"].shortcut().toString() == "F7"


# --- menus and tool bar ---------------------------------------------------------------------------------------------


def texts(actions: list[QAction]) -> list[str]:
    return [action.text() for action in actions if not action.isSeparator()]


def test_every_action_stands_in_its_menu(window: Window, actions: ActionSet):
    menus = actions.fill_menus(window.menuBar())
    assert list(menus) == list(MENUS)
    for title, menu in menus.items():
        assert texts(menu.actions()) == [actions[row.name].text() for row in ACTION_TABLE if row.menu == title]


def test_no_menu_begins_or_ends_with_a_line(window: Window, actions: ActionSet):
    for menu in actions.fill_menus(window.menuBar()).values():
        assert not menu.actions()[0].isSeparator()
        assert not menu.actions()[-1].isSeparator()


def test_the_tool_bar_has_groups(window: Window, actions: ActionSet):
    bar = QToolBar()
    window.addToolBar(bar)
    actions.fill_bar(bar)
    assert sum(action.isSeparator() for action in bar.actions()) == len(BAR) - 1
    names = [action.objectName() for action in bar.actions() if action.objectName()]
    assert names == [name for group in (*BAR, BAR_END) for name in group]


def test_icons_are_tinted_anew(qapp, actions: ActionSet):
    before = actions["undo"].icon().pixmap(20, 20).toImage()
    theme.choose(qapp, "dark")
    actions.tint()
    assert actions["undo"].icon().pixmap(20, 20).toImage() != before


def test_a_new_theme_is_the_checked_one(actions: ActionSet):
    actions.use(replace(Settings(), theme="dark"))
    actions.show_state(None)
    assert [theme for theme in ("system", "light", "dark") if actions[f"theme_{theme}"].isChecked()] == ["dark"]
