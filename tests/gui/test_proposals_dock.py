"""Proposals in the window: found while they are shown, filtered by sliders, judged by keys, a lasso or all together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from samtta_app.core.masks import bounding_box
from samtta_app.core.types import Mask, Window
from samtta_app.gui.panels import proposals_panel as panels
from samtta_app.gui.panels.proposals_panel import ProposalsPanel
from samtta_app.session.proposal_acts import ChooseProposal, FilterProposals, JudgeProposals
from samtta_app.session.proposal_list import ProposalLimits, Proposals, ProposedMask
from samtta_app.session.state import Rating
from tests.gui.scenes import Recorder, disc, scene
from tests.gui.sessions import Sitting
from tests.unit.session.scripted import folder_of, proposed

Key = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier


def listed(count: int = 3, **changes: object) -> Proposals:
    """Discs side by side, the first the most confident."""
    masks = [disc(20 + 12 * k, 40, 5) for k in range(min(count, 8))]
    found = tuple(one(k, masks[k % 8]) for k in range(count))
    confidences = tuple(1 - 0.1 * min(k, 9) for k in range(count))
    return replace(Proposals("cells_01.png", found, found, confidences, current=0, searched=True), **changes)  # type: ignore[arg-type]


def one(number: int, mask: Mask) -> ProposedMask:
    box, click = bounding_box(mask), proposed(20, 20, 5).click
    assert box is not None
    return ProposedMask(number, "grid", mask, box, 0.9 - 1e-5 * number, 0.9, 0.8, click, Window(0, 0, 128, 96))


@pytest.fixture
def desk(qtbot: QtBot) -> tuple[ProposalsPanel, Recorder]:
    recorder = Recorder(scene(proposals=listed()))
    panel = ProposalsPanel(recorder)  # type: ignore[arg-type]
    qtbot.addWidget(panel)
    panel.show_state(recorder.state)
    return panel, recorder


def test_the_list_and_the_sliders_ask_for_acts(desk: tuple[ProposalsPanel, Recorder]) -> None:
    panel, recorder = desk
    assert panel.model.rowCount() == 3
    assert [panel.model.index(k, 3).data() for k in range(3)] == ["100 %", "90 %", "80 %"]
    assert recorder.calls == [], "showing asks for nothing"
    panel.view.setCurrentIndex(panel.model.index(1, 0))
    panel.above.click()
    panel.pred_iou.setValue(70)
    assert recorder.calls[:2] == [ChooseProposal(1), JudgeProposals(above=0.9)]
    last = recorder.calls[-1]
    assert isinstance(last, FilterProposals)
    assert (last.pred_iou, last.least_side, last.most_side, last.border) == (0.7, 0.0, float("inf"), True)


@pytest.mark.parametrize(
    ("proposals", "words"),
    [
        (Proposals(), panels.HINT),
        (Proposals(searched=True), panels.NONE_FOUND),
        (Proposals(searched=True, known=4), panels.NONE_LEFT.format(known=4)),
        (listed(share=0.25), panels.SEARCHING.format(share="25 %", number=3)),
        (listed(shown=(), confidences=(), limits=ProposalLimits(1.0)), panels.HIDDEN.format(number=3)),
        (listed(), panels.SHOWN_OF.format(shown=3, number=3)),
    ],
)
def test_it_says_what_there_is(desk: tuple[ProposalsPanel, Recorder], proposals: Proposals, words: str) -> None:
    panel, _ = desk
    panel.show_state(scene(proposals=proposals))
    assert panel.status.text() == words
    assert panel.progress.isHidden() == (proposals.share is None)


def test_nothing_is_listed_while_masks_are_rated(desk: tuple[ProposalsPanel, Recorder]) -> None:
    panel, _ = desk
    panel.show_state(scene(proposals=listed(), rating=Rating(1, (), 0)))
    assert panel.model.rowCount() == 0
    assert not panel.above.isEnabled()


def test_ten_thousand_proposals_are_listed_and_traced_bit_by_bit(qtbot: QtBot) -> None:
    sitting = Recorder(scene(proposals=listed(10_000)))
    panel = ProposalsPanel(sitting)  # type: ignore[arg-type]
    qtbot.addWidget(panel)
    panel.show_state(sitting.state)
    assert panel.model.rowCount() == 10_000
    panel.show_state(replace(sitting.state, proposals=replace(sitting.state.proposals, current=9_999)))
    assert panel.view.currentIndex().row() == 9_999


def folder_with_shapes(folder: Path) -> Path:
    return folder_of(folder, "a.png", "b.png")


def test_find_judge_with_keys_lasso_and_undo_in_the_real_window(qtbot: QtBot, tmp_path: Path) -> None:
    sitting = Sitting(qtbot, learn=False)
    try:
        sitting.opens(folder_with_shapes(tmp_path / "images"))
        sitting.presses(Key.Key_F, CTRL)
        assert sitting.state.proposals.share is not None
        sitting.presses(Key.Key_Period, CTRL)
        sitting.wait(lambda: sitting.state.proposals.share is None and sitting.state.proposals.searched)
        sitting.controller.do(FilterProposals(pred_iou=-10.0, stability=0.0, least_side=0.0, most_side=1e6))
        give_some(sitting)
        assert [each.number for each in sitting.state.proposals.shown] == [0, 1, 2]
        item = sitting.window.canvas.proposals.item
        assert item.outlines >= 3, "each is drawn"
        sitting.presses(Key.Key_Period)
        assert sitting.state.proposals.current == 1
        sitting.presses(Key.Key_W)
        assert [a.source for a in sitting.state.annotations] == ["automatic mask"]
        sitting.presses(Key.Key_S)
        assert [each.number for each in sitting.state.proposals.found] == [0]
        sitting.presses(Key.Key_Z, CTRL)
        sitting.presses(Key.Key_Z, CTRL)
        assert len(sitting.state.proposals.found) == 3
        assert not sitting.state.annotations
        sitting.presses(Key.Key_O)
        circles(sitting, Qt.MouseButton.RightButton, (8, 26), (28, 26), (28, 54), (8, 54))
        assert {each.number for each in sitting.state.proposals.found} == {1, 2}
        sitting.clicks(44, 40)
        assert sitting.state.proposals.current == 2
        circles(sitting, Qt.MouseButton.LeftButton, (20, 20), (60, 20), (60, 60), (20, 60))
        assert len(sitting.state.annotations) == 2
    finally:
        sitting.leaves()


def give_some(sitting: Sitting) -> None:
    """Put three discs in the place of what the toy model found."""
    desk = sitting.controller._workflow._desk
    desk.change(proposals=replace(desk.state.proposals, found=listed().found))
    sitting.controller._workflow.do(FilterProposals(border=True))
    sitting.controller._pass_on(())
    sitting.wait(lambda: len(sitting.state.proposals.shown) == 3)
    sitting.wait(lambda: sitting.window.canvas.proposals.item.outlines >= 3)


def circles(sitting: Sitting, button: Qt.MouseButton, *places: tuple[float, float]) -> None:
    """Draw with the lasso."""
    points: list[QPoint] = [sitting.place(*place) for place in places]
    viewport = sitting.window.canvas.viewport()
    QTest.mousePress(viewport, button, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(viewport, point)
    QTest.mouseRelease(viewport, button, pos=points[-1])
    sitting.wait(lambda: True)


def test_boxes_of_a_detector_come_from_the_menu(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = tmp_path / "boxes.json", tmp_path / "bad.json"
    good.write_text(json.dumps([{"image_id": "a", "category_id": 1, "bbox": [20, 20, 40, 40], "score": 0.8}]))
    bad.write_text("{")
    sitting = Sitting(qtbot, learn=False)
    try:
        sitting.opens(folder_with_shapes(tmp_path / "images"))
        for path in (bad, good):
            monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, path=path: (str(path), ""))
            sitting.window.actions_made["review_boxes"].trigger()
            if path is bad:
                sitting.wait(lambda: "detections cannot be read" in sitting.said)
        sitting.wait(lambda: sitting.state.proposals.searched and sitting.state.proposals.share is None)
        assert sitting.controller._workflow._desk.search.source == "boxes.json"
    finally:
        sitting.leaves()
