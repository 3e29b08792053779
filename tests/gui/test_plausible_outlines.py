"""Plausible outlines in the real window: they come after a click, G and Tab and K work, and exports hold what was kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from pytestqt.exceptions import TimeoutError as NothingCameError
from pytestqt.qtbot import QtBot

from samtta_app.core.metrics import iou
from samtta_app.gui.panels.candidates import CandidatesStrip
from samtta_app.regular_files import read_json
from samtta_app.session.workflow.plausible import NO_MORE
from tests.gui.sessions import Key, Sitting, exported
from tests.unit.values import picture

PLACES = ((60.0, 50.0), (30.0, 30.0), (90.0, 60.0), (24.0, 70.0), (106.0, 24.0), (64.0, 78.0))


@pytest.fixture
def sit(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., Sitting]]:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.fromarray(picture(3, 96, 128, ((60, 50, 18),)).pixels).save(folder / "a.png")
    sitting: list[Sitting] = []

    def make(**options: object) -> Sitting:
        sitting.append(Sitting(qtbot, **options))  # type: ignore[arg-type]
        sitting[-1].opens(folder)
        return sitting[-1]

    yield make
    for each in sitting:
        each.leaves()


def strip_of(sitting: Sitting) -> CandidatesStrip:
    (found,) = sitting.window.findChildren(CandidatesStrip)
    return found


def drawn(sitting: Sitting) -> bool:
    preview = sitting.state.preview
    return preview is not None and preview.answer is not None and preview.answer.samples > 0


def cards(sitting: Sitting) -> list[str]:
    """What the cards say of their samples, also those behind their row of numbers."""
    there = strip_of(sitting).cards if strip_of(sitting).isVisible() else []
    return [card.samples.text() for card in there if not card.isHidden()]


def click_at(sitting: Sitting, x: float, y: float) -> None:
    sitting.clicks(x, y)


def box_at(sitting: Sitting, x: float, y: float) -> None:
    sitting.drags(sitting.place(x - 16, y - 16), sitting.place(x + 16, y + 16))


def with_cards(sitting: Sitting, ask: Callable[[Sitting, float, float], None] = click_at) -> None:
    """Ask until plausible outlines are there, and not all of them are one."""
    for x, y in PLACES:
        ask(sitting, x, y)
        sitting.wait(lambda: sitting.answered)
        with suppress(NothingCameError):  # nothing plausible here: a toy's masks may be empty
            sitting._qtbot.waitUntil(lambda: drawn(sitting), timeout=3000)
        sitting.wait(lambda: True)
        if drawn(sitting) and len(cards(sitting)) > 1:
            return
        sitting.presses(Key.Key_Escape)
    raise AssertionError("the toy model has no two plausible outlines anywhere")


def test_cards_come_after_a_click_and_the_outline_on_the_screen_stays(sit: Callable[..., Sitting]) -> None:
    sitting = sit(hypotheses=True)
    with_cards(sitting)
    preview = sitting.state.preview
    assert all(" of 16 samples" in words for words in cards(sitting))
    assert preview.candidate.samples is not None
    assert len(cards(sitting)) == len(preview.candidates)


def test_tab_chooses_k_keeps_and_the_export_holds_both_outlines(sit: Callable[..., Sitting], tmp_path: Path) -> None:
    sitting = sit(hypotheses=True)
    with_cards(sitting)
    first = sitting.state.preview.candidate.mask
    sitting.presses(Key.Key_K)
    assert sum("kept" in words for words in cards(sitting)) == 1
    sitting.presses(Key.Key_Tab)
    chosen = sitting.state.preview.candidate.mask
    assert iou(chosen, first) < 1
    sitting.presses(Key.Key_Return)
    (saved,) = sitting.state.annotations
    assert iou(saved.mask, chosen) == 1
    assert [iou(mask, first) for mask in saved.alternatives] == [1]
    exported(sitting.controller, "coco", tmp_path / "out")
    (entry,) = read_json(tmp_path / "out" / "annotations/instances_default.json")["annotations"]
    assert len(entry["samtta"]["alternatives"]) == 1


def test_g_draws_them_after_a_second_click_and_says_why_it_cannot(sit: Callable[..., Sitting]) -> None:
    sitting = sit(hypotheses=True)
    sitting.presses(Key.Key_G)
    assert sitting.state.preview is None
    with_cards(sitting)
    sitting.clicks(62, 52)
    sitting.wait(lambda: sitting.answered)
    assert not drawn(sitting)
    sitting.presses(Key.Key_G)
    sitting.wait(lambda: drawn(sitting) or sitting.said)


def test_a_model_without_hypotheses_says_so_and_goes_on(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.previews(*PLACES)
    assert not any(cards(sitting))
    sitting.presses(Key.Key_G)
    assert NO_MORE in sitting.said
    sitting.presses(Key.Key_Return)
    assert len(sitting.state.annotations) == 1


def test_a_box_draws_them_as_well(sit: Callable[..., Sitting]) -> None:
    sitting = sit(hypotheses=True)
    with_cards(sitting, box_at)
    assert sitting.state.preview.box is not None
    assert len(cards(sitting)) > 1
