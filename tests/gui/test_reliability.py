"""The reliability diagram shows every bin where it belongs, as large as its share, and says how far things are apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel

from samtta_app.core.calibration import Bin
from samtta_app.gui.panels.adaptation import AdaptationPanel
from samtta_app.gui.panels.reliability import DOT_LARGEST, SMALLEST, ReliabilityDiagram, sentence
from samtta_app.gui.widgets import theme
from samtta_app.session.state import Trust
from tests.gui.scenes import WORDS, Recorder, scene, statistics

RAW = (Bin(0.8, 0.9, 25, 0.85, 0.6), Bin(0.9, 1.0, 75, 0.95, 0.9))
TRUST = Trust(100, RAW, (Bin(0.6, 0.7, 100, 0.65, 0.7),), 0.1, 0.05)
SOME = replace(statistics(), trust=TRUST, review=3)


@pytest.fixture
def diagram(qapp, qtbot) -> ReliabilityDiagram:
    theme.choose(qapp, "light")
    made = ReliabilityDiagram()
    qtbot.addWidget(made)
    made.show()
    return made


def test_every_bin_is_a_dot_at_what_was_expected_and_came_true(diagram: ReliabilityDiagram):
    diagram.show_statistics(SOME)
    x, y = diagram.dots["raw"].getData()
    assert list(zip(x, y, strict=True)) == [(0.85, 0.6), (0.95, 0.9)]
    assert list(diagram.dots["calibrated"].getData()[0]) == [0.65]


def test_the_axes_say_percent(diagram: ReliabilityDiagram):
    diagram.show_statistics(SOME)
    for side, words in (("bottom", "confidence in %"), ("left", "true fit in %")):
        axis = diagram.plot.getAxis(side)
        assert axis.labelText == words
        assert axis.scale == 100


def test_a_dot_is_as_large_as_its_share(diagram: ReliabilityDiagram):
    diagram.show_statistics(SOME)
    small, large = (spot.size() for spot in diagram.dots["raw"].points())
    assert small == pytest.approx((SMALLEST + DOT_LARGEST) / 2)
    assert small < large < DOT_LARGEST
    assert diagram.dots["calibrated"].points()[0].size() == DOT_LARGEST


def test_it_is_hidden_without_answers(diagram: ReliabilityDiagram):
    diagram.show_statistics(statistics())
    assert not diagram.isVisible()
    assert sentence(statistics()) == ""
    diagram.show_statistics(SOME)
    assert diagram.isVisible()


def test_the_words_name_both_errors_and_the_queue():
    assert sentence(SOME) == (
        "Confidence is off by 5 % on average, by 10 % before it is corrected (100 answers). "
        "Masks that need a second look: 3"
    )
    assert "(1 answer)" in sentence(replace(SOME, trust=replace(TRUST, answers=1)))


def test_both_sides_can_be_told_apart_in_both_themes(qapp, diagram: ReliabilityDiagram):
    diagram.show_statistics(SOME)
    for name in ("dark", "light"):
        theme.choose(qapp, name)
        colours = {diagram.dots[side].opts["brush"].color().name() for side in ("raw", "calibrated")}
        assert len(colours) == 2
        marks = {mark.palette().color(mark.foregroundRole()).name() for mark in diagram.legend.findChildren(QLabel)}
        assert colours <= marks


def test_the_panel_shows_it_among_its_details(qapp, qtbot):
    panel = AdaptationPanel(Recorder(scene()), WORDS)
    qtbot.addWidget(panel)
    panel.resize(320, 900)
    panel.show()
    panel.show_state(scene(statistics=SOME))
    assert not panel.reliability.isVisible()
    panel.details.button.click()
    assert panel.reliability.isVisible()
    assert panel.reliability.width() <= panel.width()
