"""Rating masks at the real window, with real keys: one mask at a time, its origin hidden, and a table at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from samtta_app.core.rating_scale import MeanRating, counts_of, mean_rating, rating_difference
from samtta_app.gui.actions.action_set import ONCE
from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.gui.actions.enabling import being_rated, has_class, rateable, selected, several
from samtta_app.gui.panels.adaptation import AdaptationPanel
from samtta_app.gui.panels.objects import ObjectsPanel
from samtta_app.gui.panels.rating_table import RatingTable, interval_words
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.state import Rating, Ratings
from tests.gui.scenes import Recorder, entries, scene, statistics
from tests.gui.sessions import Key, Sitting
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of
from tests.unit.values import disc

CONTROL = Qt.KeyboardModifier.ControlModifier
RUN = Rating(1, (2,), 3)
ROWS = {action.name: action for action in ACTION_TABLE}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images with six masks, made by the versions 0 and 1 in turn."""
    folder = folder_of(tmp_path / "images", "a.png", "b.png")
    with Store.open(folder) as store:
        for k in range(6):
            mask = disc(20 + 15 * k, 50, 8 + k, HEIGHT, WIDTH)
            store.accept(accepted("ab"[k // 3] + ".png", mask, weights_version=k % 2), WIDTH, HEIGHT)
    return folder


@pytest.fixture
def person(qtbot: QtBot, folder: Path) -> Iterator[Sitting]:
    made = Sitting(qtbot, learn=False)
    made.opens(folder)
    made.wait(lambda: made.state.statistics.objects == 6)
    yield made
    made.leaves()


def objects(person: Sitting) -> ObjectsPanel:
    panel = person.window.docks["objects"].widget()
    assert isinstance(panel, ObjectsPanel)
    return panel


def ratings(folder: Path) -> list[int | None]:
    with Store.open_to_read(folder) as store:
        return [entry.rating for entry in store.records()]


def rate(person: Sitting, key: Qt.Key) -> None:
    """Press a key once the mask is on the screen, and wait for the next one."""
    before = person.state.rating
    person.wait(lambda: person.state.image is not None)
    person.presses(key)
    person.wait(lambda: person.state.rating != before and (person.state.image is not None or not person.state.rating))


# --- at the window ------------------------------------------------------------------------------------------------------


def test_masks_are_rated_with_the_digits_and_the_table_shows_the_means(person: Sitting, folder: Path) -> None:
    person.presses(Key.Key_R, CONTROL)
    assert person.state.rating is not None
    assert "Mask 1 of 6" in person.window.status.hint.text()
    for key in (Key.Key_1, Key.Key_9, Key.Key_0, Key.Key_5, Key.Key_5):
        rate(person, key)
    assert "Mask 6 of 6" in person.window.status.hint.text()
    rate(person, Key.Key_7)
    assert person.state.rating is None
    assert sorted(filter(None, ratings(folder))) == [1, 5, 5, 7, 9, 10]
    panel = person.window.docks["adaptation"].widget()
    assert isinstance(panel, AdaptationPanel)
    person.wait(lambda: not panel.ratings.isHidden())
    assert panel.ratings.cells["frozen", "masks"].text() == panel.ratings.cells["adapted", "masks"].text() == "3"


def test_nothing_on_the_screen_tells_the_masks_apart(person: Sitting) -> None:
    panel = objects(person)
    assert panel.view.isVisible()
    person.presses(Key.Key_R, CONTROL)
    assert not panel.view.isVisible()
    assert not panel.bar.isVisible()
    assert "hidden" in panel.empty.text()
    assert panel.model.rowCount() == 1
    texts = [panel.model.index(0, column).data() for column in range(panel.model.columnCount())]
    assert "90 %" not in texts
    person.presses(Key.Key_Escape)
    person.wait(lambda: panel.view.isVisible())
    assert panel.model.rowCount() == 3
    assert "Click an object" in panel.empty.text()


def test_escape_ends_undo_takes_back_and_the_digits_are_classes_again(person: Sitting, folder: Path) -> None:
    person.presses(Key.Key_R, CONTROL)
    rate(person, Key.Key_3)
    before = person.state.rating
    person.presses(Key.Key_Z, CONTROL)
    person.wait(lambda: person.state.rating != before)
    assert ratings(folder) == [None] * 6
    rate(person, Key.Key_8)
    person.presses(Key.Key_Escape)
    person.wait(lambda: person.state.rating is None)
    assert [value for value in ratings(folder) if value] == [8]
    person.presses(Key.Key_1)
    person.presses(Key.Key_0)
    assert person.state.current_class == 1
    assert [value for value in ratings(folder) if value] == [8]


def test_a_click_draws_nothing_while_masks_are_rated(person: Sitting) -> None:
    person.presses(Key.Key_R, CONTROL)
    person.wait(lambda: person.state.image is not None)
    person.clicks(60, 50)
    assert person.state.preview is None
    assert "Masks are being rated" in person.said
    person.presses(Key.Key_Delete)
    person.presses(Key.Key_Escape)
    person.wait(lambda: person.state.rating is None)
    assert person.state.statistics.objects == 6


def test_the_menu_starts_and_ends_the_rating_and_names_the_digits(person: Sitting) -> None:
    made = person.window.actions_made
    assert not made["rate_10"].isEnabled()
    assert not made["class_9"].isVisible()
    made["rate_masks"].trigger()
    person.wait(lambda: person.state.rating is not None)
    assert made["rate_masks"].isChecked()
    assert made["rate_10"].isEnabled()
    assert made["class_9"].isVisible()
    assert made["class_9"].text() == "Rate the mask 9"
    made["rate_masks"].trigger()
    person.wait(lambda: person.state.rating is None)
    assert made["class_1"].text() == "object"
    assert not made["class_9"].isVisible()


def test_a_digit_that_is_held_rates_one_mask(person: Sitting) -> None:
    for name in ONCE:
        assert not person.window.actions_made[name].autoRepeat()
    assert person.window.actions_made["undo"].autoRepeat()


# --- actions ------------------------------------------------------------------------------------------------------------


class Desk:
    """What an action acts on."""

    def __init__(self, **changes: object) -> None:
        self.state = scene(**changes)  # type: ignore[arg-type]
        self.controller = Recorder(self.state)


@pytest.mark.parametrize(
    ("name", "rating", "act"),
    [
        ("class_2", None, acts.SetClass(2)),
        ("class_2", RUN, acts.Rate(2)),
        ("class_9", RUN, acts.Rate(9)),
        ("rate_10", RUN, acts.Rate(10)),
        ("rate_masks", None, acts.StartRating()),
        ("rate_masks", RUN, acts.StopRating()),
    ],
)
def test_an_action_does_what_the_state_says(name: str, rating: Rating | None, act: acts.UserAct) -> None:
    desk = Desk(rating=rating)
    ROWS[name].run(desk)  # type: ignore[arg-type]
    assert desk.controller.calls == [act]


def test_what_can_be_done_depends_on_the_run() -> None:
    rated, plain = scene(rating=RUN, selected=1), scene(selected=1)
    assert (being_rated(rated), being_rated(plain), being_rated(None)) == (True, False, False)
    assert (has_class(9)(rated), has_class(9)(plain)) == (True, False)
    assert (selected(rated), selected(plain)) == (False, True)
    assert (several(rated), several(plain)) == (False, True)
    assert rateable(rated)
    assert rateable(plain)
    assert not rateable(None)
    assert not rateable(scene(read_only=True))
    assert not rateable(scene(images=entries(Path("dishes"), ("todo", "encoded")), annotations=()))


# --- the table ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def table(qtbot: QtBot) -> RatingTable:
    made = RatingTable()
    qtbot.addWidget(made)
    return made


def test_the_table_has_both_sides_and_their_difference(table: RatingTable) -> None:
    before, after = counts_of([6] * 6 + [8] * 6), counts_of([9, 8])
    found = Ratings(mean_rating(before), mean_rating(after), rating_difference(before, after), ())
    table.show_statistics(replace(statistics(), ratings=found))
    assert not table.isHidden()
    assert {key: cell.text() for key, cell in table.cells.items() if key[1] != "interval"} == {
        ("adapted", "masks"): "2",
        ("adapted", "mean"): "8.5",
        ("frozen", "masks"): "12",
        ("frozen", "mean"): "7.0",
        ("difference", "masks"): "14",
        ("difference", "mean"): "+1.5",
    }
    assert " to " in table.cells["frozen", "interval"].text()
    assert table.cells["adapted", "interval"].text() == "from 10 masks on"
    table.show_statistics(statistics())
    assert table.isHidden()


def test_an_interval_in_words() -> None:
    nan = float("nan")
    assert interval_words(MeanRating(12, 7.0, 6.44, 7.55)) == "6.4 to 7.5"
    assert interval_words(MeanRating(3, 7.0, nan, nan)) == "from 10 masks on"
    assert interval_words(MeanRating(0, nan, nan, nan)) == "–"
