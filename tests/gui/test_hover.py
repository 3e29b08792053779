"""The mask under the resting pointer: asked for off the window's thread, gone with the pointer, the click or the choice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from samtta_app.core.replies import Hovered
from samtta_app.core.types import Mask
from samtta_app.gui.canvas.hover import SLOW_TRIES, HoverPreview
from tests.gui.pointer import hovers
from tests.gui.sessions import Sitting
from tests.gui.test_hand_tools import folder_with

Key, SHIFT = Qt.Key, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def sitting(qtbot: QtBot, tmp_path: Path) -> Iterator[Sitting]:
    made = Sitting(qtbot, learn=False)
    made.opens(folder_with(tmp_path / "images"))
    made.wait(lambda: any(entry.status == "encoded" for entry in made.state.images))
    yield made
    made.leaves()


def preview_of(sitting: Sitting) -> HoverPreview:
    views = sitting.window._views
    assert views is not None
    return views.hover


def points_at(sitting: Sitting, x: float, y: float) -> None:
    hovers(sitting.window.canvas.viewport(), sitting.place(x, y))


def test_a_resting_pointer_shows_a_mask_that_goes_with_a_click(sitting: Sitting) -> None:
    hover, answers = preview_of(sitting), list[Hovered]()
    hover.choice = "on"
    sitting.controller.hover_answered.connect(answers.append)
    points_at(sitting, 40, 30)
    sitting.wait(lambda: answers)
    assert sitting.state.preview is None
    hover._take(Hovered(hover._asked, Mask(30, 20, np.ones((20, 20), np.bool_)), 0.01))
    assert hover.item is not None
    points_at(sitting, 41, 31)
    assert hover.item is None, "the mask belonged to another place"
    sitting.clicks(41, 31)
    sitting.wait(lambda: sitting.answered)
    assert hover.item is None
    hover._take(answers[0])
    assert hover.item is None, "an answer that comes late is dropped"


def test_slow_answers_switch_it_off_and_a_key_decides(sitting: Sitting) -> None:
    hover = preview_of(sitting)
    for _ in range(SLOW_TRIES):
        hover._take(Hovered(-1, Mask(1, 1, np.ones((2, 2), np.bool_)), 0.2))
    points_at(sitting, 40, 30)
    assert not hover._rest.isActive()
    sitting.controller.described.emit("a quicker model")
    points_at(sitting, 42, 30)
    assert hover._rest.isActive()
    for expected in ("off", "on"):
        sitting.presses(Key.Key_C, SHIFT)
        assert hover.choice == expected
    points_at(sitting, 60, 40)
    assert hover._rest.isActive()
    points_at(sitting, -50, 40)
    hovers(sitting.window.canvas.viewport(), QPoint(1, 1))
    sitting.wait(lambda: not hover._rest.isActive())
    assert hover._asked == 0, "outside the image nothing is asked"
