"""One table says what can be done, when, and with which key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QKeySequence

from samtta_app.errors import SettingsError
from samtta_app.gui.actions.action_row import ActionRow
from samtta_app.gui.actions.action_set import BAR, BAR_END
from samtta_app.gui.actions.action_table import ACTION_TABLE, GESTURES
from samtta_app.gui.actions.bindings import bindings, key_text
from samtta_app.gui.actions.enabling import can_accept, cancellable, is_annotating, selectable
from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.session import acts
from samtta_app.session.acts import Accept
from samtta_app.session.state import Adaptation, Display, State
from samtta_app.settings import Settings, Theme
from tests.gui.scenes import Recorder, disc, entries, picture, preview, scene

ROWS = {action.name: action for action in ACTION_TABLE}
IMAGE = picture()
MASKS = (disc(60, 50, 18), disc(60, 50, 24), disc(60, 50, 12))


class Bench:
    """A desk that notes what it is asked: for the actions that do not go to the controller."""

    def __init__(self, state: State) -> None:
        self.controller = Recorder(state)
        self.canvas = Recorder(state, of=Canvas)
        self.asked: list[object] = []

    @property
    def state(self) -> State:
        """What is shown."""
        return self.controller.state

    def choose_theme(self, theme: Theme) -> None:
        """Note a theme."""
        self.asked.append(theme)

    def open_dialog(self, name: str) -> None:
        """Note a dialog."""
        self.asked.append(name)

    def open_menu(self, name: str) -> None:
        """Note a menu."""
        self.asked.append(name)

    def __getattr__(self, name: str) -> object:
        return lambda: self.asked.append(name)


def done(name: str, state: State) -> list[object]:
    """What the controller is asked for when an action runs."""
    desk = Bench(state)
    ROWS[name].run(desk)
    return desk.controller.calls


def can(name: str, state: State | None) -> bool:
    """Whether an action is enabled."""
    return ROWS[name].enabled(state)


# --- the table ------------------------------------------------------------------------------------------------------


def test_names_are_unique():
    assert len(ROWS) == len(ACTION_TABLE)


def test_every_action_has_a_text():
    assert all(action.text for action in ACTION_TABLE)


def test_the_tool_bar_holds_actions_with_icons_only():
    for name in (*sum(BAR, ()), *BAR_END):
        assert ROWS[name].icon


@pytest.mark.parametrize("action", ACTION_TABLE, ids=lambda action: action.name)
def test_without_a_project_only_the_window_itself_answers(action: ActionRow):
    window_only = {"open", "samples", "settings", "models", "quit", "switch_theme", "help", "shortcuts", "about"}
    assert action.enabled(None) == (action.name in window_only or action.name.startswith("theme_"))


@pytest.mark.parametrize("action", ACTION_TABLE, ids=lambda action: action.name)
def test_every_action_asks_for_something_when_it_runs(action: ActionRow):
    classes = tuple(replace(c) for c in scene().classes * 3)
    desk = Bench(scene(preview=preview(IMAGE, MASKS), classes=classes, selected=1))
    action.run(desk)
    assert desk.controller.calls or desk.canvas.calls or desk.asked


# --- what -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("accept", acts.Accept()),
        ("accept_next", acts.Accept(then_next=True)),
        ("cancel", acts.Cancel()),
        ("remove_click", acts.RemoveClick()),
        ("undo", acts.Undo()),
        ("redo", acts.Redo()),
        ("delete", acts.DeleteSelected()),
        ("next_image", acts.NextImage(1)),
        ("previous_image", acts.NextImage(-1)),
        ("next_unreviewed", acts.NextUnreviewed()),
        ("class_2", acts.SetClass(2)),
        ("pause", acts.ControlLearner("pause")),
        ("roll_back", acts.ControlLearner("rollback")),
        ("reset", acts.ControlLearner("reset")),
        ("masks", acts.Show(masks=False)),
        ("uncertainty", acts.Show(overlay="entropy")),
        ("uncertainty_back", acts.Show(overlay="edges")),
        ("compare", acts.Show(compare=True)),
    ],
)
def test_an_action_asks_the_controller_for(name: str, call: object):
    assert done(name, scene()) == [call]


def test_tab_leaves_it_to_the_session_whether_candidates_or_objects_are_meant():
    """By the time its turn comes there may be another preview than the one on the screen, or none."""
    for state in (scene(preview=preview(IMAGE, MASKS)), scene()):
        assert done("next", state) == [acts.Turn(1)]
        assert done("previous", state) == [acts.Turn(-1)]


@pytest.mark.parametrize("name", ["accept", "accept_next", "cancel", "remove_click", "next", "delete", "undo", "redo"])
def test_while_acts_wait_more_can_be_typed(name: str):
    waiting = scene(waiting=(Accept(),), can_undo=True, can_redo=True)
    assert next(action for action in ACTION_TABLE if action.name == name).enabled(waiting)


def test_enter_and_tab_can_be_typed_before_the_first_answer():
    first = scene(preview=preview(IMAGE, (), waiting=True))
    assert all(enabling(first) for enabling in (can_accept, selectable, is_annotating, cancellable))
    assert not can_accept(scene(preview=preview(IMAGE, (), waiting=True), read_only=True))


def test_a_paused_learner_is_resumed_by_the_same_action():
    assert done("pause", scene(adaptation=Adaptation("paused", 4, ()))) == [acts.ControlLearner("resume")]


def test_switches_are_turned_off_by_the_same_action():
    state = scene(display=Display(masks=False, overlay="edges", compare=True))
    assert done("masks", state) == [acts.Show(masks=True)]
    assert done("uncertainty", state) == [acts.Show(overlay="off")]
    assert done("compare", state) == [acts.Show(compare=False)]


@pytest.mark.parametrize("name", ["fit", "actual_size", "zoom_in", "zoom_out"])
def test_the_canvas_is_asked_to_zoom(name: str):
    desk = Bench(scene())
    ROWS[name].run(desk)
    assert desk.canvas.calls == [(name,)]


@pytest.mark.parametrize("theme", ["system", "light", "dark"])
def test_a_theme_is_chosen(theme: Theme):
    desk = Bench(scene())
    ROWS[f"theme_{theme}"].run(desk)
    assert desk.asked == [theme]


# --- when -----------------------------------------------------------------------------------------------------------


def test_accepting_needs_an_answer():
    assert not can("accept", scene())
    assert not can("accept", scene(preview=preview(IMAGE, ())))
    assert can("accept", scene(preview=preview(IMAGE, MASKS[:1])))
    assert can("accept_next", scene(preview=preview(IMAGE, MASKS[:1])))


def test_nothing_is_accepted_into_a_read_only_project():
    assert not can("accept", scene(preview=preview(IMAGE, MASKS), read_only=True))


def test_a_click_can_be_removed_only_from_a_preview():
    assert not can("remove_click", scene())
    assert can("remove_click", scene(preview=preview(IMAGE, ())))


def test_esc_drops_a_preview_or_a_selection():
    assert not can("cancel", scene())
    assert can("cancel", scene(selected=1))
    assert can("cancel", scene(preview=preview(IMAGE, ())))


def test_tab_needs_somewhere_to_go():
    assert can("next", scene())
    assert not can("next", scene(annotations=()))
    assert not can("next", scene(preview=preview(IMAGE, MASKS[:1])))
    assert can("next", scene(preview=preview(IMAGE, MASKS)))


@pytest.mark.parametrize(("name", "field"), [("undo", "can_undo"), ("redo", "can_redo")])
def test_undo_and_redo_follow_the_state(name: str, field: str):
    assert can(name, scene(**{field: True}))
    assert not can(name, scene(**{field: False}))


def test_only_a_selected_object_can_be_deleted():
    assert not can("delete", scene())
    assert can("delete", scene(selected=2))
    assert not can("delete", scene(selected=2, read_only=True))


def test_a_single_image_has_no_next_one(tmp_path):
    assert not can("next_image", scene(images=entries(tmp_path, ("todo",))))
    assert can("next_image", scene(images=entries(tmp_path, ("todo", "todo"))))


def test_the_view_needs_an_image():
    assert can("fit", scene())
    assert not can("fit", scene(image=None))


def test_export_needs_an_object(tmp_path):
    assert can("export", scene())
    assert not can("export", scene(images=entries(tmp_path, ("todo", "unreadable")), annotations=()))


def test_only_the_classes_that_exist_can_be_chosen():
    assert can("class_3", scene())
    assert not can("class_4", scene())


def test_the_learner_can_be_stopped_unless_it_is_off():
    assert can("pause", scene())
    assert not can("pause", scene(adaptation=Adaptation("off", 0, ())))


def test_the_original_weights_cannot_be_reset():
    assert not can("reset", scene(adaptation=Adaptation("idle", 0, ())))
    assert can("reset", scene())


def test_rolling_back_needs_an_older_version():
    assert can("roll_back", scene())
    assert not can("roll_back", scene(adaptation=Adaptation("idle", 4, ())))


def test_switches_show_what_the_state_says():
    settings = Settings(theme="dark")
    on = scene(display=Display(masks=True, overlay="refiner", compare=True), adaptation=Adaptation("paused", 1, ()))
    off = scene(display=Display(masks=False))
    for name in ("masks", "uncertainty", "compare", "pause"):
        assert ROWS[name].checked(on, settings)
        assert not ROWS[name].checked(off, settings)
        assert not ROWS[name].checked(None, settings)


def test_the_theme_of_the_settings_is_the_checked_one():
    checked = [
        name for name, row in ROWS.items() if name.startswith("theme_") and row.checked(None, Settings(theme="dark"))
    ]
    assert checked == ["theme_dark"]


# --- keys -----------------------------------------------------------------------------------------------------------


EXPECTED = {
    "accept": ("Return", "Enter", "E"),
    "accept_next": ("Ctrl+Return", "Ctrl+Enter"),
    "cancel": ("Esc",),
    "remove_click": ("Backspace",),
    "undo": ("Ctrl+Z",),
    "redo": ("Ctrl+Y", "Ctrl+Shift+Z"),
    "next": ("Tab",),
    "previous": ("Shift+Tab",),
    "class_1": ("1",),
    "class_9": ("9",),
    "previous_image": ("A", "PgUp"),
    "next_image": ("D", "PgDown"),
    "next_unreviewed": ("N",),
    "fit": ("F", "Ctrl+0"),
    "actual_size": ("Ctrl+1",),
    "masks": ("V",),
    "uncertainty": ("U",),
    "uncertainty_back": ("Shift+U",),
    "compare": ("C",),
    "delete": ("Del",),
    "help": ("F1",),
    "shortcuts": ("?",),
    "open": ("Ctrl+O",),
    "export": ("Ctrl+E",),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_keys_are_the_expected_ones(name: str):
    assert bindings()[name] == EXPECTED[name]


def test_no_key_is_given_twice():
    keys = [key for given in bindings().values() for key in given]
    assert len(keys) == len(set(keys))


def test_space_is_left_to_the_canvas():
    assert all("Space" not in key for given in bindings().values() for key in given)


def test_every_key_is_one_that_qt_knows():
    for given in bindings().values():
        for key in given:
            assert QKeySequence.fromString(key).count() == 1


def test_a_key_can_be_changed():
    assert bindings({"accept": "Ctrl+S; Return"})["accept"] == ("Ctrl+S", "Return")


def test_a_key_can_be_taken_away():
    assert bindings({"quit": ""})["quit"] == ()


def test_a_key_is_free_once_its_action_has_another_one():
    changed = bindings({"previous_image": "PgUp", "cancel": "A"})
    assert changed["cancel"] == ("A",)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"acept": "Return"}, "acept"),
        ({"accept": "Hyper+Q"}, "Hyper"),
        ({"accept": "Return Return"}, "Return Return"),
        ({"cancel": "Return"}, "both"),
    ],
)
def test_keys_that_cannot_work_are_refused_by_name(overrides: dict[str, str], words: str):
    with pytest.raises(SettingsError, match=words):
        bindings(overrides)


def test_the_error_of_a_shared_key_names_both_actions():
    with pytest.raises(SettingsError) as caught:
        bindings({"redo": "Ctrl+Z"})
    assert "undo" in str(caught.value)
    assert "redo" in str(caught.value)


def test_keys_are_shown_as_a_list(qapp):
    assert key_text(("Ctrl+Y", "Ctrl+Shift+Z")).count(", ") == 1
    assert key_text(()) == ""


def test_gestures_say_what_the_hand_does_and_what_it_means():
    assert all(how and what for how, what in GESTURES)
    assert any("right" in how.lower() for how, _ in GESTURES)
