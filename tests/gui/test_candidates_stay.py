"""Candidates in the real window stay after later clicks, after undo and redo, and after a restart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from pytestqt.qtbot import QtBot

from samtta_app.core.types import Candidate
from samtta_app.gui.panels.candidates import CandidatesStrip
from tests.gui.sessions import Key, Qt, Sitting
from tests.unit.values import picture

PLACES = ((60.0, 50.0), (30.0, 30.0), (90.0, 60.0), (24.0, 70.0))
CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def cards(sitting: Sitting) -> tuple[int, int | None]:
    """How many cards there are, also behind their row of numbers, and which one is marked."""
    (strip,) = sitting.window.findChildren(CandidatesStrip)
    there = strip.cards if strip.isVisible() else []
    seen = [card for card in there if not card.isHidden() and not card.picture.pixmap().isNull()]
    return len(seen), next((k for k, card in enumerate(seen) if card.property("chosen")), None)


def shown(sitting: Sitting) -> Candidate:
    preview = sitting.state.preview
    assert preview is not None
    assert preview.candidate is not None
    return preview.candidate


def test_candidates_stay_after_later_clicks_undo_accept_and_a_restart(qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.fromarray(picture(3, 96, 128, ((60, 50, 18),)).pixels).save(folder / "a.png")
    sitting = Sitting(qtbot)
    sitting.opens(folder)
    for place in PLACES:
        sitting.previews(place)
        first = cards(sitting)
        sitting.clicks(place[0] + 9, place[1] + 6)
        sitting.wait(lambda: sitting.answered)
        if first[0] > 1 and cards(sitting)[0] > 1:
            break
        sitting.presses(Key.Key_Escape)
    after, answer = cards(sitting), shown(sitting)
    assert after[0] > 1
    assert after[1] == 0

    sitting.presses(Key.Key_2, ALT)
    assert cards(sitting) == (after[0], 1)
    other = shown(sitting)
    assert other is not answer
    sitting.presses(Key.Key_Z, CTRL)
    assert cards(sitting) == first
    sitting.presses(Key.Key_Y, CTRL)
    assert cards(sitting) == (after[0], 1)
    sitting.presses(Key.Key_Return)
    assert cards(sitting) == (0, None)
    sitting.presses(Key.Key_Z, CTRL)
    assert cards(sitting) == (after[0], 1)
    sitting.presses(Key.Key_Return)
    sitting.leaves()

    again = Sitting(qtbot)
    again.opens(folder)
    again.presses(Key.Key_Z, CTRL)
    again.wait(lambda: again.answered)
    assert cards(again) == (after[0], 1)
    assert np.array_equal(shown(again).mask.bits, other.mask.bits)
    again.leaves()
