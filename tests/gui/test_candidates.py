"""Candidates are shown side by side with their figures, and a click on one chooses it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from samtta_app.core.calibration import Calibration
from samtta_app.core.masks import trimmed
from samtta_app.core.types import Click, Gaps, Window
from samtta_app.gui.panels.candidates import THUMBNAIL, CandidatesStrip, frame_of, sharp, thumbnail
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.advice import Advice
from samtta_app.session.state import State
from tests.gui.scenes import Recorder, candidate, disc, picture, preview, scene

IMAGE = picture()
MASKS = (disc(60, 50, 18), disc(60, 50, 24), disc(60, 50, 12))
THREE = scene(preview=preview(IMAGE, MASKS))
ONE = scene(preview=preview(IMAGE, MASKS[:1]))
GAPS = Gaps(0.02, 0.1, 0.1, 0.8)


@pytest.fixture
def strip(qapp, qtbot) -> Iterator[CandidatesStrip]:
    theme.choose(qapp, "light")
    window = QWidget()
    qtbot.addWidget(window)
    made = CandidatesStrip(Recorder(scene()))
    made.setParent(window)
    window.show()
    yield made
    window.close()


def calls(strip: CandidatesStrip) -> list[object]:
    return strip._controller.calls


def visible(strip: CandidatesStrip) -> list[bool]:
    return [card.isVisible() for card in strip.cards]


# --- when -----------------------------------------------------------------------------------------------------------


def test_the_strip_is_hidden_without_a_preview(strip: CandidatesStrip):
    strip.show_state(scene())
    assert not strip.isVisible()


def test_the_strip_is_hidden_before_the_first_answer(strip: CandidatesStrip):
    strip.show_state(scene(preview=preview(IMAGE, (), waiting=True)))
    assert not strip.isVisible()


def test_the_strip_appears_with_the_candidates(strip: CandidatesStrip):
    strip.show_state(THREE)
    assert strip.isVisible()
    assert visible(strip) == [True, True, True]


def test_a_single_candidate_is_shown_alone(strip: CandidatesStrip):
    strip.show_state(THREE)
    strip.show_state(ONE)
    assert visible(strip) == [True, False, False]


def test_cards_are_equally_wide_and_no_figure_touches_its_name(strip: CandidatesStrip):
    strip.show_state(gained(GAPS, Gaps(-0.1, -0.1, -0.1, 0.5), None))
    assert len({card.width() for card in strip.cards}) == 1
    for figure in strip.cards[1].gains:
        assert figure.text() == "no gain"
        names = [
            label
            for label in figure.parentWidget().findChildren(QLabel)
            if label.y() == figure.y() and label is not figure
        ]
        assert all(figure.x() - label.x() - label.width() >= theme.GRID for label in names)


def test_the_strip_goes_with_the_preview(strip: CandidatesStrip):
    strip.show_state(THREE)
    strip.show_state(scene())
    assert not strip.isVisible()


def test_the_strip_is_hidden_without_an_image(strip: CandidatesStrip):
    strip.show_state(replace(THREE, image=None))
    assert not strip.isVisible()


def test_the_strip_shrinks_to_what_it_holds(strip: CandidatesStrip):
    strip.show_state(THREE)
    wide = strip.width()
    strip.show_state(ONE)
    assert strip.width() < wide / 2


def test_plausible_outlines_have_as_many_cards_as_there_are_and_say_how_many_samples_look_so(strip: CandidatesStrip):
    masks = tuple(disc(60, 50, radius) for radius in (10, 14, 18, 22, 26))
    shown = preview(IMAGE, masks)
    counts = (9, 4, 2, 1, 0)
    cards = tuple(replace(card, samples=k) for card, k in zip(shown.candidates, counts, strict=True))
    answer = replace(shown.answer, candidates=cards, samples=16)
    state = scene(preview=replace(shown, answer=answer, alternatives=(cards[1].mask,)))
    strip.show_state(state)
    assert visible(strip) == [True] * 5
    words = [card.samples.text() for card in strip.cards]
    assert words == [
        "9 of 16 samples",
        "4 of 16 samples, kept",
        "2 of 16 samples",
        "1 of 16 samples",
        "0 of 16 samples",
    ]
    assert strip.cards[0].toolTip().startswith("9 of 16 samples look like this")
    QTest.mouseClick(strip.cards[4], Qt.MouseButton.LeftButton)
    assert calls(strip) == [acts.NextCandidate(4)]
    strip.show_state(THREE)
    assert visible(strip) == [True, True, True, False, False]
    assert not any(card.samples.isVisible() for card in strip.cards[:3])


# --- what -----------------------------------------------------------------------------------------------------------


def test_every_card_shows_its_confidence(strip: CandidatesStrip):
    strip.show_state(THREE)
    assert [card.quality.text() for card in strip.cards] == ["93 %", "85 %", "77 %"]


def test_confidence_is_what_the_heads_expect_where_there_are_any(strip: CandidatesStrip):
    known = replace(candidate(MASKS[0], IMAGE.whole, 0.93), gaps=GAPS)
    answer = replace(ONE.preview.answer, candidates=(known,))
    strip.show_state(replace(ONE, preview=replace(ONE.preview, answer=answer)))
    assert strip.cards[0].quality.text() == "80 %"


def test_confidence_is_calibrated_on_the_session(strip: CandidatesStrip):
    halved = Calibration((0.0, 1.0), (0.0, 0.5))
    strip.show_state(replace(THREE, statistics=replace(THREE.statistics, confidence=halved)))
    assert [card.quality.text() for card in strip.cards] == ["46 %", "43 %", "38 %"]
    assert "Confidence 46 %" in strip.cards[0].toolTip()
    assert "Predicted IoU 0.93" in strip.cards[0].toolTip()


def test_the_tool_tip_says_what_the_figures_are(strip: CandidatesStrip):
    strip.show_state(THREE)
    assert "Predicted IoU 0.93" in strip.cards[0].toolTip()
    assert "mean entropy 0.08 bits" in strip.cards[0].toolTip()


def test_the_mask_on_the_screen_is_marked(strip: CandidatesStrip):
    strip.show_state(replace(THREE, preview=replace(THREE.preview, chosen=2)))
    assert [card.property("chosen") for card in strip.cards] == [False, False, True]


def test_the_mark_moves_without_drawing_thumbnails_anew(strip: CandidatesStrip):
    strip.show_state(THREE)
    before = [card.picture.pixmap().cacheKey() for card in strip.cards]
    strip.show_state(replace(THREE, preview=replace(THREE.preview, chosen=1)))
    assert [card.picture.pixmap().cacheKey() for card in strip.cards] == before
    assert strip.cards[1].property("chosen")


def test_new_candidates_get_new_thumbnails(strip: CandidatesStrip):
    strip.show_state(THREE)
    before = strip.cards[0].picture.pixmap().cacheKey()
    strip.show_state(scene(preview=preview(IMAGE, MASKS[::-1])))
    assert strip.cards[0].picture.pixmap().cacheKey() != before


def test_thumbnails_are_as_sharp_as_the_screen(qapp):
    shown = sharp(np.zeros((40, 80, 3), dtype=np.uint8), 2.0)
    assert shown.width() == 2 * THUMBNAIL
    assert shown.deviceIndependentSize().width() == THUMBNAIL


def test_thumbnails_keep_their_shape(qapp):
    shown = sharp(np.zeros((40, 80, 3), dtype=np.uint8), 1.0)
    assert (shown.width(), shown.height()) == (THUMBNAIL, THUMBNAIL // 2)


# --- choosing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("chosen", "clicked", "step"), [(0, 1, 1), (0, 2, 2), (2, 0, -2)])
def test_a_click_on_a_card_chooses_it(strip: CandidatesStrip, chosen: int, clicked: int, step: int):
    strip.show_state(replace(THREE, preview=replace(THREE.preview, chosen=chosen)))
    QTest.mouseClick(strip.cards[clicked], Qt.MouseButton.LeftButton)
    assert calls(strip) == [acts.NextCandidate(step)]


def test_a_click_on_the_chosen_card_asks_for_nothing(strip: CandidatesStrip):
    strip.show_state(THREE)
    QTest.mouseClick(strip.cards[0], Qt.MouseButton.LeftButton)
    assert calls(strip) == []


def test_a_press_that_ends_elsewhere_chooses_nothing(strip: CandidatesStrip):
    strip.show_state(THREE)
    QTest.mousePress(strip.cards[1], Qt.MouseButton.LeftButton)
    QTest.mouseRelease(strip.cards[1], Qt.MouseButton.LeftButton, pos=QPoint(-50, -50))
    assert calls(strip) == []


# --- thumbnails -----------------------------------------------------------------------------------------------------


def candidates(*masks):
    return tuple(candidate(mask, IMAGE.whole) for mask in masks)


def test_the_frame_holds_every_candidate():
    frame = frame_of(candidates(disc(30, 30, 10), disc(60, 50, 10)), IMAGE)
    assert frame.contains(20, 20)
    assert frame.contains(70, 60)


def test_the_frame_stays_inside_the_image():
    frame = frame_of(candidates(disc(3, 3, 10)), IMAGE)
    assert (frame.x, frame.y) == (0, 0)
    assert frame.x + frame.width <= IMAGE.width


def test_empty_masks_are_shown_in_the_whole_image():
    empty = trimmed(np.zeros((96, 128), dtype=np.bool_))
    assert frame_of(candidates(empty), IMAGE) == IMAGE.whole


def test_a_thumbnail_tints_the_mask_and_dims_the_rest():
    colour = theme.class_colour(0)
    shown = thumbnail(IMAGE, candidate(MASKS[0], IMAGE.whole), IMAGE.whole, colour, 128)
    tint = np.array(colour.getRgb()[:3])
    assert shown.shape == (96, 128, 3)
    assert np.abs(shown[50, 60].astype(int) - (IMAGE.pixels[50, 60] / 2 + tint / 2)).max() <= 1
    assert (shown[5, 5] < IMAGE.pixels[5, 5]).all()


def test_a_thumbnail_of_a_huge_window_is_small():
    image = picture(2000, 3000)
    shown = thumbnail(
        image, candidate(disc(60, 50, 18), image.whole), Window(0, 0, 3000, 2000), theme.class_colour(0), 96
    )
    assert max(shown.shape) <= 200


def test_a_thumbnail_leaves_the_image_as_it_is():
    before = IMAGE.pixels.copy()
    thumbnail(IMAGE, candidate(MASKS[0], IMAGE.whole), IMAGE.whole, theme.class_colour(0), 64)
    assert np.array_equal(IMAGE.pixels, before)


def test_a_mask_is_tinted_in_the_colour_of_the_current_class(strip: CandidatesStrip):
    shown = []
    for current in (1, 2):
        strip.show_state(scene(preview=preview(IMAGE, MASKS), current_class=current))
        image = strip.cards[0].picture.pixmap().toImage()
        shown.append(image.pixelColor(image.width() // 2, image.height() // 2).name())
    assert shown[0] != shown[1]


# --- what would help ------------------------------------------------------------------------------------------------


def gained(*gaps: Gaps | None, advice: Advice | None = None, why: str = "") -> State:
    """As many candidates as there are gaps, and an advice."""
    shown = preview(IMAGE, MASKS[: len(gaps)])
    found = tuple(replace(entry, gaps=gap) for entry, gap in zip(shown.candidates, gaps, strict=True))
    assert shown.answer
    answer = replace(shown.answer, candidates=found, no_gaps=why)
    return scene(preview=replace(shown, answer=answer, advice=advice))


def test_every_card_shows_what_its_mask_would_gain(strip: CandidatesStrip):
    strip.show_state(gained(Gaps(0.02, 0.11, -0.034, 0.8), Gaps(math.nan, 0.0, 0.2, 0.7)))
    assert [figure.text() for figure in strip.cards[0].gains] == ["no gain", "+11 %", "+2 %"]
    assert [figure.text() for figure in strip.cards[1].gains] == ["+20 %", "no gain", "–"]
    assert all(figure.isVisible() for figure in strip.cards[0].gains)
    assert "Expected gain in IoU from another candidate (task gap): +0.11" in strip.cards[0].toolTip()


def test_without_heads_there_are_no_gains_but_a_reason(strip: CandidatesStrip):
    strip.show_state(gained(None, why="The model 'toy' has no uncertainty heads"))
    assert not any(figure.isVisible() for figure in strip.cards[0].gains)
    assert "has no uncertainty heads" in strip.cards[0].toolTip()
    assert not strip.advice.isVisible()
    assert not strip.follow.isVisible()


def test_one_more_click_is_advised_in_words(strip: CandidatesStrip):
    strip.show_state(gained(GAPS, advice=Advice("click", 0.1, Click(70, 40, False))))
    assert strip.advice.text() == "One more click may help: up to +10 %, where the ring is"
    assert not strip.follow.isVisible()
    strip.show_state(gained(GAPS))
    assert not strip.advice.isVisible()


@pytest.mark.parametrize(
    ("act", "words", "call"),
    [("candidate", "Show the next", acts.NextCandidate()), ("larger", "Ask it", acts.AskLarger())],
)
def test_a_button_does_what_is_advised(strip: CandidatesStrip, act: str, words: str, call: object):
    strip.show_state(gained(GAPS, GAPS, GAPS, advice=Advice(act, 0.2)))
    assert strip.follow.text() == words
    QTest.mouseClick(strip.follow, Qt.MouseButton.LeftButton)
    assert calls(strip) == [call]


def test_no_figure_is_cut_when_it_grows_or_a_card_is_new(strip: CandidatesStrip):
    four = preview(IMAGE, (*MASKS, disc(60, 50, 9)))
    for chance in (0.05, 0.5, 1.0):
        strip.show_state(scene(preview=four, statistics=replace(scene().statistics, confidence=certain(chance))))
        assert all(card.quality.width() >= card.quality.sizeHint().width() for card in strip.cards)
        assert all(card.rect().contains(card.quality.geometry()) for card in strip.cards)


def certain(chance: float) -> Calibration:
    """Every mask is expected to fit so well."""
    return Calibration((0.0, 1.0), (chance, chance))
