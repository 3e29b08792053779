"""The dock of reviews: its words, buttons and lists, and the whole way in the real window with real keys."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from samtta_app.core.masks import bounding_box
from samtta_app.core.types import Annotation
from samtta_app.gui.actions import review_actions
from samtta_app.gui.canvas.review_guide import ReviewGuide, item_here
from samtta_app.gui.dialogs.agreement_dialog import AgreementDialog
from samtta_app.gui.panels import review_panel as panels
from samtta_app.gui.panels.review_panel import ReviewPanel
from samtta_app.gui.panels.status import hint
from samtta_app.session.project.store import Store
from samtta_app.session.review_acts import NextReview
from samtta_app.session.review_list import ClassAgreement, ObjectAct, ReviewItem, ReviewList
from samtta_app.session.state import Rating
from tests.gui.scenes import Recorder, annotation, disc, picture, scene
from tests.gui.sessions import Key, Sitting
from tests.unit.session.annotators import Two, contents, two_projects
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of
from tests.unit.session.scripted import record as step
from tests.unit.values import disc as spot

ALT, CONTROL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
NAN = math.nan
IMAGE = "cells_01.png"


def theirs(number: int = 9) -> Annotation:
    return replace(annotation(number, disc(92, 60, 14), picture()), annotator="ben")


DOUBT = (
    ReviewItem(IMAGE, 2, "outline", 0.41, "cell"),
    ReviewItem("cells_02.png", 7, "clicks", 0.66, "debris"),
)
DIFFERENCES = (
    ReviewItem(IMAGE, 2, "differs", 0.46, "cell", theirs(), "cell"),
    ReviewItem(IMAGE, 1, "here", NAN, "cell"),
    ReviewItem("cells_02.png", None, "there", NAN, "", theirs(10), "debris"),
    ReviewItem(IMAGE, 2, "class", 1.0, "cell", theirs(11), "debris"),
)
AGREEMENT = (ClassAgreement("", 4, 0.845, 1, 2, 1), ClassAgreement("cell", 4, NAN, 1, 0, 1))
IN_DOUBT = ReviewList(DOUBT, 2, 17)
COMPARED = ReviewList(DIFFERENCES, 4, 6, 0, 1, "ben", AGREEMENT)


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("review", "words"),
    [
        (ReviewList(), panels.NONE_NEEDS),
        (IN_DOUBT, "2 of 17 objects need a look: the outline is unsure, 41 % expected"),
        (replace(IN_DOUBT, current=1), "2 of 17 objects need a look: more clicks may help, 66 % expected"),
        (COMPARED, "4 of 6 differences with ben are open: the outlines differ, 46 % overlap"),
        (replace(COMPARED, current=1), "4 of 6 differences with ben are open: only you have it"),
        (replace(COMPARED, current=2), "4 of 6 differences with ben are open: only the other annotator has it"),
        (
            replace(COMPARED, current=3),
            "4 of 6 differences with ben are open: the classes differ: cell here, debris there",
        ),
        (ReviewList(other="ben", total=6), "Every difference with ben is settled."),
    ],
)
def test_it_says_how_many_and_why(review: ReviewList, words: str) -> None:
    assert panels.review_sentence(review) == words


def test_every_reason_and_deed_has_words() -> None:
    assert len(set(panels.REASON_WORDS.values())) == 8
    assert len(set(panels.DEED_WORDS.values())) == 8


def test_the_history_of_an_object_names_who_and_when() -> None:
    deeds = [
        ObjectAct("accepted", "anna", "2026-11-28T10:00:00"),
        ObjectAct("class", "ben", "2026-11-28T10:05:00"),
        ObjectAct("reviewed", "", "2026-11-28T10:06:00"),
        ObjectAct("note", "carl", "tomorrow"),
    ]
    assert panels.history_words(deeds).splitlines() == [
        "Accepted by anna, 2026-11-28 10:00",
        "Another class by ben, 2026-11-28 10:05",
        "Said to be right, 2026-11-28 10:06",
        "Another note by carl, tomorrow",
    ]
    assert panels.history_words([]) == ""
    many = panels.history_words(deeds * 9).splitlines()
    assert (len(many), many[0], many[-1]) == (
        1 + panels.SHOWN_DEEDS,
        "Accepted by anna, 2026-11-28 10:00",
        "Another note by carl, tomorrow",
    )


# --- the panel --------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(qtbot: QtBot) -> tuple[ReviewPanel, Recorder]:
    recorder = Recorder(scene(review=IN_DOUBT))
    panel = ReviewPanel(recorder)  # type: ignore[arg-type]
    qtbot.addWidget(panel)
    panel.show_state(recorder.state)
    return panel, recorder


def test_the_list_shows_the_queue_and_leads_to_what_is_clicked(desk: tuple[ReviewPanel, Recorder]) -> None:
    panel, recorder = desk
    assert [panel.list.item(k).text() for k in range(panel.list.count())] == [
        "the outline is unsure, 41 % expected – cell, cells_01.png",
        "more clicks may help, 66 % expected – debris, cells_02.png",
    ]
    assert recorder.calls == [], "showing asks for nothing"
    panel.list.setCurrentRow(1)
    panel.list.itemClicked.emit(panel.list.item(1))
    assert recorder.calls == [NextReview(2)], "two steps from before the first one"
    panel.show_state(scene(review=replace(IN_DOUBT, current=0)))
    panel.list.setCurrentRow(1)
    panel.list.itemActivated.emit(panel.list.item(1))
    assert recorder.calls[1:] == [NextReview(1)]


def test_an_empty_queue_has_no_list_and_no_agreement(desk: tuple[ReviewPanel, Recorder]) -> None:
    panel, _ = desk
    panel.show_state(scene())
    assert panel.list.isHidden()
    assert panel.agreement.isHidden()
    assert panel.sentence.text() == panels.NONE_NEEDS


def test_nothing_is_told_while_masks_are_rated(desk: tuple[ReviewPanel, Recorder]) -> None:
    panel, _ = desk
    panel.show_state(scene(rating=Rating(1, (), 0), selected=1))
    assert panel.sentence.text() == panels.BEING_RATED
    assert panel.history.isHidden()
    assert panel.list.isHidden()


def test_the_history_is_that_of_the_selected_object(desk: tuple[ReviewPanel, Recorder]) -> None:
    panel, _ = desk
    assert panel.history.isHidden()
    deeds = (ObjectAct("reviewed", "ben", "2026-11-28T10:05:00"),)
    panel.show_state(scene(selected=1, review=replace(IN_DOUBT, deeds=deeds)))
    assert panel.history.text().splitlines() == ["Said to be right by ben, 2026-11-28 10:05"]
    assert not panel.history.isHidden()


def test_a_line_says_how_far_both_agree(desk: tuple[ReviewPanel, Recorder]) -> None:
    panel, _ = desk
    assert panel.agreement.isHidden()
    panel.show_state(scene(review=COMPARED))
    assert panel.agreement.text() == "4 matched, mean IoU 84 %, 1 only here, 2 only there, 1 under another class"


def test_agreement_is_a_table_that_is_saved(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, window = Recorder(scene(review=COMPARED)), QWidget()
    qtbot.addWidget(window)
    dialog = AgreementDialog(window, recorder)  # type: ignore[arg-type]
    assert dialog.windowTitle() == "Agreement with ben"
    rows = [dialog.table.topLevelItem(k) for k in range(dialog.table.topLevelItemCount())]
    assert [[row.text(k) for k in range(6)] for row in rows] == [
        ["all classes", "4", "84 %", "1", "2", "1"],
        ["cell", "4", "–", "1", "0", "1"],
    ]
    for chosen in ("", str(tmp_path / "t.csv"), str(tmp_path / "no" / "t.csv")):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, chosen=chosen: (chosen, ""))
        dialog.save.click()
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as text:
        assert [row["matched"] for row in csv.DictReader(text)] == ["4", "4"]
    said = [call[1] for call in recorder.calls if isinstance(call, tuple) and call[0] == "say"]
    assert said == ["good", "error"]


# --- actions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, set()),
        ({"selected": 1}, {"confirm_review", "fix_review", "reject_review"}),
        ({"review": IN_DOUBT}, {"review", "review_back"}),
        (
            {"review": IN_DOUBT, "selected": 2},
            {"review", "review_back", "confirm_review", "fix_review", "reject_review"},
        ),
        (
            {"review": COMPARED, "selected": 2},
            {"review", "review_back", "confirm_review", "fix_review", "take_theirs", "keep_both"},
        ),
        ({"review": COMPARED}, {"review", "review_back", "confirm_review", "take_theirs", "keep_both"}),
        ({"review": COMPARED, "read_only": True}, {"review", "review_back"}),
        ({"review": ReviewList(other="ben")}, set()),
    ],
)
def test_what_can_be_done(changes: dict[str, object], allowed: set[str]) -> None:
    state = scene(**changes)
    assert {row.name for row in review_actions.REVIEW_ACTIONS if row.enabled(state)} == allowed
    assert not any(row.enabled(None) for row in (*review_actions.REVIEW_ACTIONS, *review_actions.COMPARE_ACTIONS))


def test_only_an_item_of_the_open_image_is_here() -> None:
    assert item_here(scene(review=COMPARED)) is DIFFERENCES[0]
    assert item_here(scene(review=replace(COMPARED, current=2))) is None
    assert item_here(scene(review=COMPARED, image=None)) is None
    assert item_here(scene(review=IN_DOUBT)) is None


# --- the real window --------------------------------------------------------------------------------------------------


def guide_of(sitting: Sitting) -> ReviewGuide:
    (guide,) = sitting.window.canvas.findChildren(ReviewGuide)
    return guide


def test_a_low_panel_scrolls_and_cuts_no_line_of_the_history(desk: tuple[ReviewPanel, Recorder]) -> None:
    panel, _ = desk
    deeds = tuple(ObjectAct("note", "ana", f"2026-11-28T10:0{k}:00") for k in range(6))
    panel.resize(340, 120)
    panel.show()
    panel.show_state(scene(selected=1, review=replace(IN_DOUBT, deeds=deeds)))
    QApplication.processEvents()
    assert panel.height() == 120
    assert panel.history.height() >= panel.history.heightForWidth(panel.history.width())


def panel_of(sitting: Sitting) -> ReviewPanel:
    panel = sitting.window.docks["review"].widget()
    assert isinstance(panel, ReviewPanel)
    return panel


def shown_buttons(panel: ReviewPanel) -> list[str]:
    every = (*panel._own, *panel._compared)
    return [button.defaultAction().objectName() for button in every if button.isVisibleTo(panel)]


@pytest.fixture
def sitting(qtbot: QtBot) -> Iterator[Sitting]:
    made = Sitting(qtbot, learn=False)
    yield made
    made.leaves()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images; a tiny mask on each of them is in doubt."""
    folder = folder_of(tmp_path / "images", "a.png", "b.png")
    with Store.open(folder) as store:
        for name, place, expected in (("a.png", (12, 12, 2), 0.6), ("b.png", (110, 80, 2), 0.4)):
            doubtful = replace(step(), predicted_iou=expected)
            mask = spot(*place, HEIGHT, WIDTH)
            store.accept(accepted(name, mask, history=(doubtful,)), WIDTH, HEIGHT)
    return folder


def test_masks_in_doubt_are_reviewed_with_keys(sitting: Sitting, folder: Path) -> None:
    sitting.opens(folder)
    panel, canvas = panel_of(sitting), sitting.window.canvas
    sitting.wait(lambda: len(sitting.state.review.items) == 2)
    assert panel.sentence.text().startswith("2 of 2 objects need a look")
    assert shown_buttons(panel) == ["confirm_review", "fix_review", "reject_review"]
    whole = canvas.zoom
    sitting.presses(Key.Key_R)
    sitting.wait(lambda: sitting.state.index == 1 and sitting.state.image is not None)
    box = bounding_box(sitting.state.annotations[0].mask)
    assert box is not None
    assert canvas.zoom > 3 * whole, "a mask of five pixels is zoomed to"
    middle = canvas.visible_rect().center()
    assert (round(middle.x()), round(middle.y())) == (110, 80)
    assert hint(sitting.state).startswith("Needs a look (the outline is unsure, ")
    sitting.presses(Key.Key_Q)
    assert sitting.state.preview is not None
    sitting.presses(Key.Key_Escape)
    sitting.presses(Key.Key_R, ALT)
    sitting.wait(lambda: sitting.state.index == 0 and sitting.state.image is not None)
    sitting.presses(Key.Key_Y)
    sitting.wait(lambda: sitting.state.index == 1 and sitting.state.image is not None)
    assert panel.sentence.text().startswith("1 of 2 objects need a look")
    sitting.presses(Key.Key_Q, SHIFT)
    assert panel.sentence.text() == panels.NONE_NEEDS
    assert sitting.state.annotations == ()
    sitting.presses(Key.Key_Z, CONTROL)
    sitting.presses(Key.Key_Z, CONTROL)
    sitting.wait(lambda: len(sitting.state.review.items) == 2)
    assert panel.list.count() == 2


def test_a_mask_that_is_taken_up_and_accepted_as_it_was_is_right(sitting: Sitting, folder: Path) -> None:
    sitting.opens(folder)
    sitting.wait(lambda: len(sitting.state.review.items) == 2)
    sitting.presses(Key.Key_R)
    sitting.wait(lambda: sitting.state.index == 1 and sitting.state.image is not None)
    sitting.presses(Key.Key_Q)
    sitting.presses(Key.Key_Return)
    sitting.wait(lambda: sitting.state.index == 0 and sitting.state.image is not None)
    assert len(sitting.state.review.items) == 1
    sitting.presses(Key.Key_Z, CONTROL)
    sitting.wait(lambda: len(sitting.state.review.items) == 2)


@pytest.fixture
def both(tmp_path: Path) -> Two:
    return two_projects(tmp_path)


def chooses(monkeypatch: pytest.MonkeyPatch, sitting: Sitting, place: Path | str) -> None:
    """Compare with the project at a place, by the menu."""
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(place))
    sitting.window.actions_made["compare_project"].trigger()


def test_two_annotators_are_compared_in_the_window(
    sitting: Sitting, both: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(both.theirs)
    sitting.opens(both.mine)
    panel, guide = panel_of(sitting), guide_of(sitting)
    chooses(monkeypatch, sitting, "")
    assert sitting.state.review.other == ""
    chooses(monkeypatch, sitting, both.theirs)
    sitting.wait(lambda: sitting.state.review.other == "ben")
    QApplication.processEvents()
    assert not panel.visibleRegion().isEmpty(), "the dock has come forward"
    assert panel.list.count() == 4
    assert panel.agreement.text().startswith("4 matched, mean IoU")
    shown = ["confirm_review", "fix_review", "take_theirs", "keep_both", "agreement", "end_comparison"]
    assert shown_buttons(panel) == shown
    assert sitting.window.actions_made["confirm_review"].iconText() == panels.KEEP_MINE
    sitting.window.actions_made["agreement"].trigger()
    dialog = sitting.window.dialogs["agreement"]
    assert isinstance(dialog, AgreementDialog)
    assert dialog.table.topLevelItemCount() == 3
    dialog.close()
    sitting.presses(Key.Key_R)
    drawn = guide.outline
    assert drawn is not None
    assert drawn is sitting.state.review.items[0].theirs.mask, "both are drawn"
    sitting.presses(Key.Key_V)
    assert guide.outline is None, "masks are hidden, also the other one"
    sitting.presses(Key.Key_V)
    sitting.presses(Key.Key_Z)
    assert [a.annotator for a in sitting.state.annotations] == ["anna", "anna", "ben"]
    assert guide.outline is None, "the next one is only here"
    assert panel.sentence.text().startswith("3 of 4 differences with ben are open: only you have it")
    sitting.presses(Key.Key_Y)
    sitting.wait(lambda: sitting.state.index == 1 and sitting.state.image is not None)
    sitting.presses(Key.Key_Z, SHIFT)
    assert guide.outline is not None, "the next one is only there"
    sitting.presses(Key.Key_Z)
    assert panel.sentence.text() == "Every difference with ben is settled."
    for _ in range(5):  # four choices, and the class of one
        sitting.presses(Key.Key_Z, CONTROL)
        sitting.wait(lambda: sitting.state.image is not None)
    assert panel.list.count() == 4
    assert [a.annotator for a in sitting.controller.store.annotations()] == ["anna"] * 5
    sitting.window.actions_made["end_comparison"].trigger()
    sitting.wait(lambda: panel.list.count() == 0)
    assert guide.outline is None
    assert sitting.window.actions_made["confirm_review"].iconText() == panels.KEEP_RIGHT
    assert contents(both.theirs) == before


def test_what_cannot_be_compared_is_said_and_the_window_goes_on(
    sitting: Sitting, both: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitting.opens(both.mine)
    bare = folder_of(tmp_path / "bare")
    for place, said in ((bare, "no samtta project here"), (both.mine, "This is the project itself")):
        chooses(monkeypatch, sitting, place)
        sitting.wait(lambda said=said: said in sitting.said)
    assert sitting.state.review.other == ""
    assert [path.name for path in bare.iterdir()] == ["a.png"]


def test_a_comparison_under_way_ends_with_the_window(qtbot: QtBot, both: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    sitting = Sitting(qtbot, learn=False)
    sitting.opens(both.mine)
    chooses(monkeypatch, sitting, both.theirs)
    sitting.leaves()
    QApplication.processEvents()
    assert sitting.state.review.other == ""


def test_the_name_of_the_settings_is_under_what_is_accepted(sitting: Sitting, tmp_path: Path) -> None:
    sitting.opens(folder_of(tmp_path / "images", "a.png"))
    sitting.window.use(replace(sitting.window.settings, annotator="carl"))
    assert sitting.controller.store.annotator == "carl"
    sitting.accepts((60, 50), (30, 30), (90, 70))
    (one,) = sitting.state.annotations
    assert one.annotator == "carl"
    sitting.presses(Key.Key_Tab)
    assert panel_of(sitting).history.text().startswith("Accepted by carl, ")
    panel = sitting.window.docks["objects"].widget()
    assert panel.model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole) == "Accepted by carl"  # type: ignore[union-attr]
