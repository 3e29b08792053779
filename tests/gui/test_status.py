"""The status bar says what to do next, where one is, and what lies under the pointer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QObject, QTranslator
from PySide6.QtWidgets import QApplication

from samtta_app.core.types import Image
from samtta_app.gui.main_window import LOADING
from samtta_app.gui.panels import figure_texts
from samtta_app.gui.panels.adaptation import ACTIVITY
from samtta_app.gui.panels.status import LEARNER, StatusBar, hint, pixel_text, place
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import install_translators
from samtta_app.phrases import Phrase
from samtta_app.session.state import Activity, Adaptation, Rating
from tests.gui.scenes import STATUSES, Recorder, disc, entries, picture, preview, scene

IMAGE = picture()
MASKS = (disc(60, 50, 18), disc(60, 50, 24))


@pytest.fixture
def status(qapp, qtbot) -> StatusBar:
    theme.choose(qapp, "light")
    made = StatusBar(Recorder(scene()))
    qtbot.addWidget(made)
    made.show()
    return made


# --- the hint -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "Open a folder"),
        (scene(), "Click an object"),
        (scene(selected=1), "Delete"),
        (scene(selected=1, rating=Rating(1, (2, 3), 4)), "Mask 5 of 7"),
        (scene(image=None), "Reading"),
        (scene(read_only=True), "read-only"),
        (scene(image=None, index=STATUSES.index("unreadable")), "cannot be read"),
        (scene(preview=preview(IMAGE, (), waiting=True)), "Looking"),
        (scene(preview=preview(IMAGE, ())), "Click again"),
        (scene(preview=preview(IMAGE, MASKS)), "Tab"),
        (scene(preview=preview(IMAGE, MASKS[:1])), "Enter accepts"),
    ],
)
def test_the_hint_says_what_can_be_done_now(state, words: str):
    assert words in hint(state)


def test_a_hint_is_one_line():
    assert "\n" not in hint(scene(preview=preview(IMAGE, MASKS)))
    assert len(hint(scene(preview=preview(IMAGE, MASKS)))) < 90


def test_the_place_counts_from_one():
    assert place(scene(index=2)) == "3 / 6"


def test_no_images_have_no_place(tmp_path):
    assert place(scene(images=entries(tmp_path, ()))) == ""


# --- the value under the pointer ------------------------------------------------------------------------------------


def image_of(raw: np.ndarray) -> Image:
    pixels = np.zeros((*raw.shape[:2], 3), dtype=np.uint8)
    return Image("k", Path("k.tif"), pixels, raw)


def test_the_value_is_the_files_own():
    raw = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    assert pixel_text(image_of(raw), 2, 1) == "2, 1   30000"


def test_colours_are_shown_channel_by_channel():
    raw = np.full((3, 4, 3), (10, 20, 30), dtype=np.uint8)
    assert pixel_text(image_of(raw), 0, 0).endswith("10 20 30")


def test_floats_are_shown_with_four_digits():
    assert pixel_text(image_of(np.full((3, 4), 0.123456, dtype=np.float32)), 1, 1).endswith("0.1235")


def test_the_pixel_is_the_one_whose_centre_is_nearest():
    raw = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert pixel_text(image_of(raw), 1.4, 0.6).startswith("1, 1")
    assert pixel_text(image_of(raw), -0.4, -0.4).startswith("0, 0")


@pytest.mark.parametrize("point", [(-1, 0), (0, -1), (4, 0), (0, 3), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_outside_the_image_there_is_no_value(point: tuple[float, float]):
    assert pixel_text(image_of(np.zeros((3, 4), dtype=np.uint8)), *point) == ""


def test_without_an_image_there_is_no_value():
    assert pixel_text(None, 1, 1) == ""


# --- the bar --------------------------------------------------------------------------------------------------------


def test_the_bar_shows_hint_place_and_learner(status: StatusBar):
    status.show_state(scene(index=1))
    assert status.hint.text() == hint(scene())
    assert status.image.text() == "2 / 6"
    assert status.learner.text() == "Learning on · version 4"
    status.show_state(scene(adaptation=Adaptation("off", 0, ())))
    assert status.learner.text() == "Learning off · original model"


def test_every_state_of_the_learner_has_words_here_and_in_its_panel():
    assert set(LEARNER) == set(get_args(Activity)) == {*ACTIVITY, "off"}


@pytest.mark.parametrize(
    ("activity", "words"), [("off", "off"), ("learning", "Learning…"), ("comparing", "Comparing"), ("paused", "paused")]
)
def test_the_learners_state_is_shown(status: StatusBar, activity, words):
    status.show_state(scene(adaptation=Adaptation(activity, 2, ())))
    assert words in status.learner.text()


def test_what_runs_in_the_background_is_shown_while_it_runs(status: StatusBar):
    status.show_state(scene(activity="encoding 40%"))
    assert status.work.isVisible()
    assert status.work.text() == "encoding 40%"
    status.show_state(scene())
    assert not status.work.isVisible()


def test_the_pointer_is_followed(status: StatusBar):
    status.show_state(scene())
    status.show_hover(60.2, 49.9)
    assert status.position.text() == f"60, 50   {IMAGE.raw[50, 60]}"
    status.show_hover(float("nan"), float("nan"))
    assert status.position.text() == ""


def test_the_place_of_the_pointer_does_not_make_the_bar_jump(status: StatusBar):
    status.show_state(scene())
    before = status.position.minimumWidth()
    status.show_hover(1, 1)
    assert status.position.minimumWidth() == before > 100


def test_the_zoom_is_shown_in_percent(status: StatusBar):
    status.show_zoom(1.5)
    assert status.zoom.text() == "150 %"


def test_model_and_device_are_shown(status: StatusBar):
    status.show_model("samtta-small on cpu")
    status.show_state(scene())
    assert status.model.isVisible()
    status.show_model("")
    assert not status.model.isVisible()


def test_the_size_of_the_model_stands_in_the_tool_tip(status: StatusBar):
    status.show_model("samtta-small (3.0 M parameters) on cpu")
    assert status.model.text() == "samtta-small on cpu"
    assert "3.0 M parameters" in status.model.toolTip()


def test_no_hint_is_so_long_that_it_widens_the_window(status: StatusBar):
    status.show_state(None)
    before = status.minimumSizeHint().width()
    status.hint.setText("a long sentence " * 40)
    assert status.minimumSizeHint().width() == before


def test_without_a_project_only_the_hint_is_there(status: StatusBar):
    status.show_state(scene())
    status.show_state(None)
    assert status.image.text() == status.learner.text() == ""
    assert not status.image.isVisible()


def test_every_field_explains_itself(status: StatusBar):
    assert all(field.toolTip() for field in status._fields)


def test_a_new_image_is_the_one_that_is_read_out(status: StatusBar):
    status.show_state(scene())
    status.show_state(replace(scene(), image=image_of(np.full((96, 128), 7, dtype=np.uint8))))
    status.show_hover(5, 5)
    assert status.position.text().endswith("7")


# --- how numbers are written ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_not_a_number_is_a_dash(value):
    assert figure_texts.number_text(value) == figure_texts.percent_text(value) == figure_texts.seconds(value) == "–"


def test_numbers_have_the_digits_that_were_asked_for():
    assert figure_texts.number_text(0.12345) == "0.12"
    assert figure_texts.number_text(0.12345, 3) == "0.123"


def test_shares_are_whole_percent():
    assert figure_texts.percent_text(0.0) == "0 %"
    assert figure_texts.percent_text(1.0) == "100 %"


def test_gains_are_points_and_losses_are_none():
    assert [figure_texts.gain(value) for value in (0.051, 0.004, 0.0, -0.2, None)] == [
        *("+5 %", "no gain", "no gain", "no gain"),
        "–",
    ]
    assert [figure_texts.signed_text(value) for value in (0.051, -0.2, float("nan"))] == ["+0.05", "−0.20", "–"]


def test_long_times_are_minutes():
    assert figure_texts.seconds(8.42) == "8.4 s"
    assert figure_texts.seconds(150) == "2.5 min"


def test_thousands_are_set_apart():
    assert figure_texts.area_text(1234567) == "1\u202f234\u202f567"
    assert figure_texts.area_text(999) == "999"


def test_the_model_and_the_device_are_said_in_the_users_language(qapp, qtbot, status: StatusBar):
    text = Phrase("{model} ({size} M parameters) on {device}", model="toy", size="5.7", device="cpu")
    status.show_model(text)
    assert status.model.text() == "toy on cpu"
    owner = QObject()
    install_translators(owner, "de")
    status.show_model(text)
    assert status.model.text() == "toy auf cpu"
    status.show_model(LOADING)
    assert status.model.text() == "Modell wird geladen…"
    for translator in owner.findChildren(QTranslator):
        QCoreApplication.removeTranslator(translator)


def test_a_hint_without_room_ends_in_three_dots(status: StatusBar):
    status.show_state(scene(preview=preview(IMAGE, MASKS)))
    status.resize(2000, 30)
    QApplication.processEvents()
    assert status.hint.shown == status.hint.text()
    status.resize(status.minimumSizeHint().width() + 120, 30)
    QApplication.processEvents()
    assert status.hint.shown.endswith("…")
    assert status.hint.text().endswith("takes away")
