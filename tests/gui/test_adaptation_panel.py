"""The adaptation panel opens with one sentence, then the curve, then the details, and claims nothing beyond the figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea

from samtta_app.gui.panels.adaptation import FACTS, AdaptationPanel, facts
from samtta_app.gui.panels.curve import ClickCurve
from samtta_app.gui.panels.figure_texts import FIGURE_ROWS, figure
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.state import (
    Adaptation,
    AttemptFigures,
    ControlFigures,
    GroupFigures,
    MeanDifference,
    SideFigures,
    StreamPoint,
)
from samtta_app.session.statistics.click_curves import rolling_mean
from samtta_app.session.statistics.figure_notes import TWINS_NOTE
from tests.gui.scenes import WORDS, Recorder, report, scene, statistics, stream


@pytest.fixture
def panel(qapp, qtbot) -> AdaptationPanel:
    theme.choose(qapp, "light")
    made = AdaptationPanel(Recorder(scene()), WORDS)
    qtbot.addWidget(made)
    made.resize(320, 600)
    made.show()
    made.show_state(scene())
    return made


EMPTY = scene(statistics=statistics(0), adaptation=Adaptation("idle", 0, ()))


# --- the sentence ---------------------------------------------------------------------------------------------------


def test_the_panel_opens_with_the_sentence_of_the_statistics(panel: AdaptationPanel):
    assert panel.sentence.text() == "Learning helps: 4.2 clicks per object over the last 20, 6.9 without it"


def test_the_sentence_is_never_cut(panel: AdaptationPanel):
    assert panel.sentence.wordWrap()
    assert panel.sentence.height() >= panel.sentence.heightForWidth(panel.sentence.width())
    assert panel.sentence.width() <= panel.width()


def test_it_is_said_when_it_is_too_early_to_tell(panel: AdaptationPanel):
    panel.show_state(scene(statistics=statistics(6)))
    assert panel.sentence.text() == "Too early to tell: 6 objects"


def test_an_empty_session_says_what_to_do(panel: AdaptationPanel):
    panel.show_state(EMPTY)
    assert panel.empty.isVisible()
    assert "Accept" in panel.empty.text()
    assert not panel.curve.isVisible()


def test_the_hint_goes_with_the_first_object(panel: AdaptationPanel):
    panel.show_state(EMPTY)
    panel.show_state(scene())
    assert not panel.empty.isVisible()
    assert panel.curve.isVisible()


# --- the strategy ---------------------------------------------------------------------------------------------------

OFF = Adaptation("off", 0, (), strategy="frozen")


def test_the_strategy_and_its_state_are_named_in_plain_words(panel: AdaptationPanel):
    assert panel.strategy.text() == "samtta: Learns from accepted objects.\nWaiting for the next accepted object"
    panel.show_state(scene(adaptation=Adaptation("learning", 4, (), strategy="fbrs")))
    assert panel.strategy.text() == "fbrs: Fits every object.\nLearning"
    assert panel.facts["strategy"].text() == "fbrs"


def test_the_strategy_is_never_cut(panel: AdaptationPanel):
    assert panel.strategy.height() >= panel.strategy.heightForWidth(panel.strategy.width())
    assert panel.strategy.width() <= panel.width()


def test_frozen_says_once_that_the_original_answers_and_waits_for_nothing(panel: AdaptationPanel):
    panel.show_state(scene(statistics=statistics(0), adaptation=OFF))
    assert panel.sentence.text() == "Off: the original model answers"
    assert not panel.strategy.isVisible()
    assert not panel.empty.isVisible()
    assert not panel.curve.isVisible()
    shown = [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]
    assert not any(word in text for text in shown for word in ("Waiting", "Too early", "Accept"))


def test_objects_that_nobody_replays_draw_no_empty_curve(panel: AdaptationPanel):
    alone = replace(statistics(0), stream=(StreamPoint(1, 3, None, None),))
    panel.show_state(scene(statistics=alone, adaptation=OFF))
    assert not panel.curve.isVisible()
    assert panel.sentence.text() == "Off: the original model answers"


def test_what_was_learned_before_stays_to_be_seen_while_it_is_off(panel: AdaptationPanel):
    panel.show_state(scene(adaptation=OFF))
    assert panel.sentence.text().startswith("Learning helps")
    assert panel.curve.isVisible()
    assert panel.strategy.text() == "Off: the original model answers"


# --- details --------------------------------------------------------------------------------------------------------


def test_the_details_are_closed_at_first(panel: AdaptationPanel):
    assert not panel.details.body.isVisible()


def test_the_details_open_and_close(panel: AdaptationPanel):
    panel.details.button.click()
    assert panel.details.body.isVisible()
    panel.details.button.click()
    assert not panel.details.body.isVisible()


def test_the_details_stay_open_when_the_state_changes(panel: AdaptationPanel):
    panel.details.button.click()
    panel.show_state(EMPTY)
    panel.show_state(scene())
    assert panel.details.body.isVisible()


def test_every_fact_has_a_place(panel: AdaptationPanel):
    assert set(panel.facts) == {name for name, _, _ in FACTS} == set(facts(scene().adaptation, statistics()))


def fact(name: str, **changes: object) -> str:
    state = scene(**changes)
    return facts(state.adaptation, state.statistics)[name]


def test_the_version_is_named():
    assert fact("version") == "4"
    assert fact("version", adaptation=Adaptation("idle", 0, ())) == "0 (original)"


@pytest.mark.parametrize(
    ("activity", "words"),
    [
        ("off", "Off: version 1 answers, and nothing is learned"),
        ("remembering", "Looking again at the objects accepted before"),
        ("idle", "Waiting"),
        ("learning", "Learning"),
        ("comparing", "Comparing with the original"),
        ("paused", "Paused"),
    ],
)
def test_the_activity_is_named(activity, words):
    assert fact("activity", adaptation=Adaptation(activity, 1, ())).startswith(words)


def test_the_loss_is_shown_from_first_to_last_step():
    assert fact("loss") == "error 0.610 → 0.310"


def test_a_kept_update_says_why():
    assert fact("update") == "Kept: no worse on 6 objects"


def test_a_dropped_update_says_why(panel: AdaptationPanel):
    state = scene(adaptation=Adaptation("idle", 4, (report(kept=False),)))
    panel.show_state(state)
    assert panel.facts["update"].text().startswith("Dropped: worse than before")
    assert panel.facts["update"].property("role") == "warn"


def test_kept_and_dropped_differ_in_words_and_colour(panel: AdaptationPanel):
    assert panel.facts["update"].property("role") == "good"


def test_the_newest_report_counts():
    reports = (report(kept=False), report(kept=True))
    assert fact("update", adaptation=Adaptation("idle", 4, reports)).startswith("Kept")


def test_the_guards_three_figures_are_shown():
    text = fact("guard")
    assert text == (
        "91.2 % new, 90.2 % before, 86.1 % original (on the last 6 accepted objects, each before it was learned)"
    )


def test_a_guard_of_one_object_speaks_of_one():
    one = replace(report(), guard_objects=1)
    assert fact("guard", adaptation=Adaptation("idle", 1, (one,))).endswith(
        "(on the last accepted object, before it was learned)"
    )


def test_without_compared_objects_the_guard_shows_no_figure():
    empty = replace(report(), guard_objects=0, guard_candidate=float("nan"))
    assert fact("guard", adaptation=Adaptation("idle", 1, (empty,))) == "–"


def test_without_steps_there_is_no_loss():
    assert fact("loss", adaptation=Adaptation("idle", 1, (replace(report(), losses=()),))) == "–"


def test_the_memory_and_the_time_are_shown():
    assert fact("memory") == "14"
    assert fact("time") == "8.4 s"


def test_before_the_first_update_nothing_is_claimed():
    assert fact("update", adaptation=Adaptation("idle", 0, ())) == "None yet"
    assert fact("time", statistics=statistics(0)) == "–"


# --- the table ------------------------------------------------------------------------------------------------------


def test_the_table_compares_both_sides(panel: AdaptationPanel):
    rows = {
        name: (panel.cells[name, "adapted"].text(), panel.cells[name, "frozen"].text()) for name, _, _ in FIGURE_ROWS
    }
    assert rows == {
        "noc_85": ("4.6", "6.9"),
        "noc_90": ("7.2", "10.4"),
        "fr_20_85": ("5 %", "15 %"),
        "fr_30_90": ("10 %", "20 %"),
    }


def test_the_table_says_how_many_objects_it_rests_on(panel: AdaptationPanel):
    assert panel.cells["objects", "adapted"].text() == "40"


def test_figures_that_do_not_exist_are_dashes(panel: AdaptationPanel):
    panel.show_state(EMPTY)
    assert {panel.cells[name, side].text() for name, _, _ in FIGURE_ROWS for side in ("adapted", "frozen")} == {"–"}


def test_a_second_table_counts_what_was_given_up(panel: AdaptationPanel):
    side = SideFigures(40, 4.6, 7.2, 0.05, 0.1)
    every = AttemptFigures(10, SideFigures(50, 7.7, 11.8, 0.24, 0.28), SideFigures(50, 7.8, 12.0, 0.25, 0.3), side)
    panel.show_state(scene(statistics=replace(statistics(), user=side, attempts=every)))
    accepted = {name: panel.cells[name, "user"].text() for name, _, _ in FIGURE_ROWS}
    assert accepted == {"noc_85": "4.6", "noc_90": "7.2", "fr_20_85": "5 %", "fr_30_90": "10 %"}
    tried = {name: panel.attempts[name, "user"].text() for name, _, _ in FIGURE_ROWS}
    assert tried == {"noc_85": "7.7", "noc_90": "11.8", "fr_20_85": "24 %", "fr_30_90": "28 %"}
    assert [panel.attempts["fr_20_85", side].text() for side in ("adapted", "frozen")] == ["25 %", "5 %"]
    assert panel.attempts["objects", "user"].text() == "50"


def test_the_panel_says_that_the_comparison_favours_learning(panel: AdaptationPanel):
    panel.details.button.click()
    shown = [label for label in panel.findChildren(QLabel) if label.isVisible() and label.text() == TWINS_NOTE]
    assert len(shown) == 1
    assert "favours learning" in TWINS_NOTE
    assert all(TWINS_NOTE in panel.cells[name, "adapted"].toolTip() for name, _, _ in FIGURE_ROWS)
    assert TWINS_NOTE in panel.curve.toolTip()


def test_control_objects_are_compared_with_their_interval(panel: AdaptationPanel):
    panel.details.button.click()
    controls = panel.controls
    assert not controls.isVisible()
    found = ControlFigures(
        *(GroupFigures(270, 3.21, 7.9), GroupFigures(31, 4.4, 130.25)),
        *(MeanDifference(-1.19, -2.04, -0.35), MeanDifference()),
        "Learning saves clicks, by 31 control objects",
    )
    panel.show_state(scene(statistics=replace(statistics(), controls=found)))
    assert controls.isVisible()
    assert controls.sentence.text() == "Learning saves clicks, by 31 control objects"
    rows = {name: [controls.cells[name, k].text() for k in (1, 2, 3)] for name in ("clicks", "seconds")}
    assert rows == {"clicks": ["3.2", "4.4", "−1.2 (−2.0 to −0.3)"], "seconds": ["7.9", "130.2", "–"]}
    assert [controls.cells["objects", k].text() for k in (1, 2)] == ["270", "31"]
    assert all(cell.toolTip() for cell in controls.cells.values())


def test_few_control_objects_are_called_too_few(panel: AdaptationPanel):
    panel.details.button.click()
    words = "Not enough objects yet: 3 control objects, 20 others; each group needs 15"
    found = ControlFigures(GroupFigures(20, 3.0, 7.0), GroupFigures(3, 4.0, 8.0), sentence=words)
    panel.show_state(scene(statistics=replace(statistics(), controls=found)))
    assert panel.controls.sentence.text() == words
    assert panel.controls.cells["clicks", 3].text() == "–"
    QCoreApplication.processEvents()
    assert panel.controls.sentence.height() >= panel.controls.sentence.heightForWidth(panel.controls.sentence.width())


def test_the_panel_stays_as_narrow_as_it_is_with_control_objects(panel: AdaptationPanel):
    panel.details.button.click()
    far = MeanDifference(-11.94, -12.04, -10.35)
    found = ControlFigures(GroupFigures(9270, 13.21, 127.9), GroupFigures(1131, 14.4, 130.25), far, far, "Words")
    panel.show_state(scene(statistics=replace(statistics(), controls=found)))
    assert panel.details.body.minimumSizeHint().width() <= panel.width()


def test_rates_are_percent_and_clicks_are_numbers():
    assert figure("fr_20_85", 0.125) == "12 %"
    assert figure("noc_85", 4.25) == "4.2"


def test_every_figure_explains_itself(panel: AdaptationPanel):
    assert all(cell.toolTip() for cell in (*panel.cells.values(), *panel.attempts.values()))


def test_every_heading_explains_itself_in_the_terms_of_the_papers(panel: AdaptationPanel):
    tips = {label.text(): label.toolTip() for label in panel.findChildren(QLabel)}
    headings = [heading for _, heading, _ in (*FACTS, *FIGURE_ROWS)]
    assert all(tips[heading] for heading in headings)
    assert not any(term in heading for heading in headings for term in ("NoC", "FR", "IoU", "Guard", "loss"))


def test_numbers_in_the_panel_are_of_equal_width(panel: AdaptationPanel):
    assert panel.cells["noc_85", "adapted"].font().featureValue(theme.TABULAR) == 1


# --- buttons --------------------------------------------------------------------------------------------------------


def test_the_buttons_are_the_windows_actions(qtbot, panel: AdaptationPanel):
    actions = [QAction(text, panel) for text in ("Pause", "Roll back", "Reset")]
    actions[1].setEnabled(False)
    panel.show_actions(actions)
    buttons = [panel._buttons.itemAt(k).widget() for k in range(3)]
    assert [button.text() for button in buttons] == ["Pause", "Roll back", "Reset"]
    assert [button.isEnabled() for button in buttons] == [True, False, True]
    with qtbot.waitSignal(actions[0].triggered):
        buttons[0].click()


# --- the curve ------------------------------------------------------------------------------------------------------


@pytest.fixture
def curve(qapp, qtbot) -> ClickCurve:
    theme.choose(qapp, "light")
    made = ClickCurve()
    qtbot.addWidget(made)
    return made


def drawn(curve: ClickCurve, side: str) -> tuple[list[float], list[float]]:
    x, y = curve.lines[side].getData()
    return list(x if x is not None else []), list(y if y is not None else [])


def test_the_rolling_mean_is_that_of_the_last_values():
    values = np.arange(30, dtype=float)
    means = rolling_mean(values, 10)
    assert means[29] == pytest.approx(values[20:].mean())
    assert means[12] == pytest.approx(values[3:13].mean())


def test_at_the_start_the_mean_is_that_of_all_values_so_far():
    assert rolling_mean([4, 8, 3], 10).tolist() == pytest.approx([4, 6, 5])


def test_nothing_has_no_mean():
    assert rolling_mean([]).shape == (0,)


def test_both_sides_are_drawn_as_rolling_means(curve: ClickCurve):
    points = stream(25)
    curve.show_stream(points)
    for side in ("adapted", "frozen"):
        x, y = drawn(curve, side)
        assert x == list(range(1, 26))
        assert y == pytest.approx(list(rolling_mean([getattr(point, side) for point in points])))


def test_objects_that_were_not_replayed_leave_a_gap(curve: ClickCurve):
    points = (StreamPoint(1, 3, 2, 4), StreamPoint(2, 3, None, None), StreamPoint(3, 3, 2, 6))
    curve.show_stream(points)
    assert drawn(curve, "adapted")[0] == [1, 3]
    assert drawn(curve, "frozen")[1] == pytest.approx([4, 5])


def test_the_axis_of_clicks_starts_at_zero(curve: ClickCurve):
    curve.show_stream(stream(25))
    low, high = curve.plot.viewRange()[1]
    assert low <= 0 < high
    assert high >= max(point.frozen for point in stream(25))


def test_a_young_stream_has_room_for_ten(curve: ClickCurve):
    curve.show_stream(stream(2))
    assert curve.plot.viewRange()[0][1] >= 10


def test_an_empty_stream_draws_nothing(curve: ClickCurve):
    curve.show_stream(stream(5))
    curve.show_stream(())
    assert drawn(curve, "adapted") == ([], [])


def test_words_above_the_plot_say_what_its_axes_count(curve: ClickCurve):
    assert curve.unit.text() == "clicks to 85 % fit, in the order of annotation"


def test_the_sides_differ_in_line_style_too(curve: ClickCurve):
    styles = {curve.lines[side].opts["pen"].style() for side in ("adapted", "frozen")}
    assert len(styles) == 2


def test_the_legend_names_both_sides(curve: ClickCurve):
    assert [line.text() for line in curve.legend.words] == ["with learning", "without it (original model)"]


def test_the_curve_follows_the_theme(qapp, curve: ClickCurve):
    curve.show()
    theme.choose(qapp, "dark")
    assert curve.lines["adapted"].opts["pen"].color().name() == theme.DARK.accent
    assert curve.plot.backgroundBrush().color().name() == theme.DARK.background


def test_the_curve_is_not_moved_by_accident(curve: ClickCurve):
    assert curve.plot.getViewBox().mouseEnabled() == [False, False]


def test_the_lines_stay_when_the_theme_changes(curve: ClickCurve):
    curve.show_stream(stream(12))
    before = drawn(curve, "adapted")
    QCoreApplication.sendEvent(curve, QEvent(QEvent.Type.PaletteChange))
    assert drawn(curve, "adapted") == before
    assert len(before[0]) == 12


# --- versions ---------------------------------------------------------------------------------------------------------


def test_versions_say_why_and_lead_back_to_any(panel: AdaptationPanel, qtbot):
    reports = report(version=1), report(version=2), report(kept=False, version=2)
    state = scene(adaptation=Adaptation("idle", 2, reports))
    panel._controller.state = state  # type: ignore[misc]
    panel.show_state(state)
    panel.details.button.click()
    rows = [panel.versions.list.item(row).text() for row in range(panel.versions.list.count())]
    assert rows[0] == "No new version – Dropped: worse than before on 6 objects (0.871 < 0.902)"
    assert rows[1].startswith("Version 2 – Kept: ")
    assert rows[1].endswith("(answers now)")
    assert rows[-1] == "Original model"
    enabled = []
    for row in range(4):
        panel.versions.list.setCurrentRow(row)
        enabled.append(panel.versions.button.isEnabled())
    assert enabled == [False, False, True, True]
    panel.versions.list.setCurrentRow(2)
    qtbot.mouseClick(panel.versions.button, Qt.MouseButton.LeftButton)
    assert panel._controller.calls[-1] == acts.GoBackTo(1)


def test_a_low_panel_folds_to_its_sentence(panel: AdaptationPanel):
    panel.resize(320, 60)
    assert panel.folded
    assert panel.sentence.isVisible()
    panel.resize(320, 600)
    assert not panel.folded


@pytest.mark.parametrize("height", [216, 260, 400])
def test_a_panel_shows_the_whole_curve_or_none(panel: AdaptationPanel, height: int):
    panel.resize(344, height)
    panel.show_state(scene())
    QApplication.processEvents()
    assert not panel.folded
    lowest = panel.curve.mapTo(panel, panel.curve.rect().bottomLeft()).y()
    area = panel.findChild(QScrollArea)
    assert lowest <= area.mapTo(panel, area.rect().bottomLeft()).y() + 1
    assert panel.curve.plot.height() >= panel.curve.plot.minimumHeight() > 0
    assert panel.curve.y() < panel.strategy.y() < panel.details.y(), "the sentence, the curve, then the details"


def test_the_band_lies_about_the_line_with_learning(curve: ClickCurve):
    curve.show_stream(stream())
    middle = curve.lines["adapted"].getData()[1]
    low, high = (end.getData()[1] for end in curve.ends)
    assert np.all(low <= middle)
    assert np.all(middle <= high)
    assert curve.band.path().boundingRect().height() > 1
