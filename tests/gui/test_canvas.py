"""The hand's gestures become clicks and boxes at the right pixels, and the state is drawn as it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from samtta_app.core.replies import Answer
from samtta_app.core.types import Box, Candidate, Click, Image, Mask, Window
from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.gui.canvas.markers import KEPT, ClickItem, FrameItem, MapItem, MaskItem
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.state import Display, Preview
from tests.gui.pointer import hovers
from tests.gui.scenes import Recorder, annotation, candidate, disc, entries, scene

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


def grey(height: int = 96, width: int = 128) -> Image:
    pixels = np.full((height, width, 3), 128, dtype=np.uint8)
    return Image("grey", Path("grey.png"), pixels, pixels)


GREY = grey()
EMPTY = scene(image=GREY, annotations=())
RING = disc(60, 50, 30)
RING = Mask(RING.x, RING.y, RING.bits & ~np.pad(disc(30, 30, 12, 61, 61).bits, 18))


def previewing(candidates: tuple[Candidate, ...] | None = None, **changes: object) -> Preview:
    found = (candidate(RING, GREY.whole),) if candidates is None else candidates
    fields: dict[str, object] = {
        "clicks": (Click(40, 40, True), Click(60, 50, False)),
        "box": None,
        "answer": Answer(1, GREY.whole, found, 0, 3, 0.1),
        "chosen": 0,
        "window": GREY.whole,
        "waiting": False,
    }
    return Preview(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def recorder(qapp: QApplication) -> Recorder:
    theme.choose(qapp, "dark")
    return Recorder(EMPTY)


@pytest.fixture
def canvas(recorder: Recorder, qtbot: QtBot) -> Iterator[Canvas]:
    made = Canvas(recorder)  # type: ignore[arg-type]
    recorder.state_changed.connect(made.show_state)
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    qtbot.waitExposed(made)
    return made


def at(canvas: Canvas, x: float, y: float) -> QPoint:
    """The screen pixel of an image point."""
    return canvas.viewportTransform().map(QPointF(x, y)).toPoint()


def press(canvas: Canvas, x: float, y: float, button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(canvas.viewport(), button, keys, at(canvas, x, y))


def drag(canvas: Canvas, start: QPoint, stop: QPoint, button: Qt.MouseButton = LEFT) -> None:
    """A drag as Qt reports it: the button is held in the moves."""
    QTest.mousePress(canvas.viewport(), button, NONE, start)
    for step in (start + (stop - start) / 2, stop):
        where = QPointF(canvas.viewport().mapToGlobal(step))
        move = QMouseEvent(QEvent.Type.MouseMove, QPointF(step), where, Qt.MouseButton.NoButton, button, NONE)
        QApplication.sendEvent(canvas.viewport(), move)
    QTest.mouseRelease(canvas.viewport(), button, NONE, stop)


def colour(canvas: Canvas, x: float, y: float) -> QColor:
    shown = canvas.viewport().grab().toImage()
    place = canvas.viewportTransform().map(QPointF(x, y)) * shown.devicePixelRatio()
    return shown.pixelColor(place.toPoint())


def items(canvas: Canvas, kind: type) -> list[object]:
    return [item for item in canvas.scene().items() if isinstance(item, kind) and item.isVisible()]


# --- the hand -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("button", "keys", "positive"),
    [(LEFT, NONE, True), (RIGHT, NONE, False), (LEFT, SHIFT, False)],
    ids=["left includes", "right excludes", "shift and left excludes"],
)
def test_a_click_reaches_the_controller_in_image_pixels(
    canvas: Canvas, recorder: Recorder, button: Qt.MouseButton, keys: Qt.KeyboardModifier, positive: bool
) -> None:
    press(canvas, 100, 20, button, keys)
    (act,) = recorder.calls
    assert isinstance(act, acts.PlaceClick)
    assert (act.click.positive, act.view) == (positive, None)
    assert (act.click.x, act.click.y) == (pytest.approx(100, abs=0.2), pytest.approx(20, abs=0.2))


def test_a_click_is_right_at_every_zoom_and_carries_the_view(canvas: Canvas, recorder: Recorder) -> None:
    canvas.zoom_at(QPointF(at(canvas, 30, 30)), 6)
    press(canvas, 30, 30)
    (act,) = recorder.calls
    assert isinstance(act, acts.PlaceClick)
    x, y, view = act.click.x, act.click.y, act.view
    assert (x, y) == (pytest.approx(30, abs=0.05), pytest.approx(30, abs=0.05))
    assert isinstance(view, Window)
    assert view == canvas.view_window()
    assert view.contains(30, 30)
    assert view.side < 128


def test_two_quick_clicks_are_two_clicks(canvas: Canvas, recorder: Recorder) -> None:
    place = at(canvas, 50, 50)
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, place)
    QTest.mouseDClick(canvas.viewport(), LEFT, NONE, place)  # what Qt makes of the second press
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, place)
    assert [type(act) for act in recorder.calls] == [acts.PlaceClick] * 2


def test_a_trembling_hand_still_clicks_where_it_pressed(canvas: Canvas, recorder: Recorder) -> None:
    start = at(canvas, 50, 50)
    drag(canvas, start, start + QPoint(4, -4))
    (act,) = recorder.calls
    assert isinstance(act, acts.PlaceClick)
    assert act.click.positive
    assert act.click.x == pytest.approx(50, abs=0.2)


@pytest.mark.parametrize("zoom", [0.5, 1, 8, 40])
@pytest.mark.parametrize(
    "slip",
    [(7, 0), (0, -7), (7, 7), (-10, 10), (7, 1), (10, -2), (60, 2), (-2, 90), (400, 0), (0, 300)],
    ids=str,
)
def test_a_click_that_slips_is_a_click_where_it_was_pressed_at_every_zoom(
    canvas: Canvas, recorder: Recorder, zoom: float, slip: tuple[int, int]
) -> None:
    canvas.zoom_at(QPointF(at(canvas, 60, 50)), zoom)
    start = at(canvas, 60, 50)
    drag(canvas, start, start + QPoint(*slip))
    (act,) = recorder.calls
    assert isinstance(act, acts.PlaceClick)
    assert act.click.positive
    assert (act.click.x, act.click.y) == pytest.approx((60, 50), abs=1 / canvas.zoom)
    assert not items(canvas, FrameItem)


@pytest.mark.parametrize("zoom", [0.5, 1, 8])
@pytest.mark.parametrize("moved", [(120, 50), (-60, 48), (300, 46), (-50, -200)], ids=str)
def test_a_drag_is_a_box_at_every_zoom(canvas: Canvas, recorder: Recorder, zoom: float, moved: tuple[int, int]) -> None:
    canvas.zoom_at(QPointF(at(canvas, 60, 50)), zoom)
    start = at(canvas, 60, 50)
    drag(canvas, start, start + QPoint(*moved))
    assert [type(act) for act in recorder.calls] == [acts.DrawBox]


def test_a_box_of_less_than_a_pixel_of_the_image_is_a_click(canvas: Canvas, recorder: Recorder) -> None:
    canvas.zoom_at(QPointF(at(canvas, 60, 50)), 1000)
    start = at(canvas, 60, 50)
    drag(canvas, start, start + QPoint(round(0.8 * canvas.zoom), round(0.8 * canvas.zoom)))
    drag(canvas, start, start + QPoint(round(1.2 * canvas.zoom), round(1.2 * canvas.zoom)))
    assert [type(act) for act in recorder.calls] == [acts.PlaceClick, acts.DrawBox]


def test_a_thin_drag_draws_no_rubber_band(canvas: Canvas) -> None:
    start = at(canvas, 20, 30)
    QTest.mousePress(canvas.viewport(), LEFT, NONE, start)
    QTest.mouseMove(canvas.viewport(), start + QPoint(200, 60))
    assert len(items(canvas, FrameItem)) == 1
    QTest.mouseMove(canvas.viewport(), start + QPoint(200, 1))
    assert not items(canvas, FrameItem)
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, start)


def test_a_drag_draws_a_box_with_a_rubber_band(canvas: Canvas, recorder: Recorder) -> None:
    start, stop = at(canvas, 80, 60), at(canvas, 20, 30)
    QTest.mousePress(canvas.viewport(), LEFT, NONE, start)
    QTest.mouseMove(canvas.viewport(), stop)
    assert len(items(canvas, FrameItem)) == 1
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, stop)
    assert not items(canvas, FrameItem)
    (act,) = recorder.calls
    assert isinstance(act, acts.DrawBox)
    assert act.view is None
    box = act.box
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((20, 30, 80, 60), abs=0.2)


def test_a_box_that_leaves_the_image_is_cut_to_it(canvas: Canvas, recorder: Recorder) -> None:
    drag(canvas, at(canvas, 100, 60), canvas.viewport().rect().bottomRight())
    (act,) = recorder.calls
    assert isinstance(act, acts.DrawBox)
    box = act.box
    assert (box.x1, box.y1) == (127.0, 95.0)


@pytest.mark.parametrize("button", [MIDDLE, LEFT], ids=["middle", "space and left"])
def test_a_drag_with_the_middle_button_or_space_moves_the_picture(
    canvas: Canvas, recorder: Recorder, button: Qt.MouseButton
) -> None:
    canvas.zoom_at(QPointF(320, 240), 4)
    before = canvas.view_window()
    if button == LEFT:
        QTest.keyPress(canvas, Qt.Key.Key_Space)
    drag(canvas, QPoint(300, 200), QPoint(200, 150), button)
    if button == LEFT:
        QTest.keyRelease(canvas, Qt.Key.Key_Space)
    after = canvas.view_window()
    assert before is not None
    assert after is not None
    assert after.x > before.x
    assert after.y > before.y
    assert recorder.calls == []


def test_space_by_itself_accepts_a_preview(canvas: Canvas, recorder: Recorder) -> None:
    QTest.keyClick(canvas, Qt.Key.Key_Space)
    assert recorder.calls == []
    recorder.become(scene(image=GREY, annotations=(), preview=previewing()))
    QTest.keyClick(canvas, Qt.Key.Key_Space)
    assert recorder.calls == [acts.Accept()]


def test_space_is_forgotten_when_the_keyboard_goes_elsewhere(canvas: Canvas, recorder: Recorder) -> None:
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    press(canvas, 50, 50)
    assert [type(act) for act in recorder.calls] == [acts.PlaceClick]


def test_other_keys_are_left_to_the_window(canvas: Canvas) -> None:
    for key in (Qt.Key.Key_E, Qt.Key.Key_Left, Qt.Key.Key_PageDown):
        QTest.keyClick(canvas, key)
    assert canvas.view_window() is None


def test_ctrl_and_left_selects_the_topmost_annotation_or_none(canvas: Canvas, recorder: Recorder) -> None:
    first, second = annotation(1, disc(40, 40, 20), GREY), annotation(2, disc(50, 40, 20), GREY)
    recorder.become(scene(image=GREY, annotations=(first, second)))
    press(canvas, 45, 40, LEFT, CTRL)
    press(canvas, 25, 40, LEFT, CTRL)
    press(canvas, 100, 80, LEFT, CTRL)
    assert recorder.calls == [acts.Select(2), acts.Select(1), acts.Select(None)]


def test_the_pointer_is_reported_in_image_pixels_and_as_nowhere_when_it_leaves(canvas: Canvas, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.hovered) as heard:
        hovers(canvas.viewport(), at(canvas, 12, 34))
    assert heard.args == [pytest.approx(12, abs=0.2), pytest.approx(34, abs=0.2)]
    with qtbot.waitSignal(canvas.hovered) as heard:
        QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert all(math.isnan(value) for value in heard.args)


def test_at_full_size_the_pixel_under_the_pointer_is_the_files(
    canvas: Canvas, recorder: Recorder, qtbot: QtBot
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    recorder.become(replace(EMPTY, image=Image("noise", Path("a.png"), pixels, pixels)))
    canvas.show_state(recorder.state)
    canvas.actual_size()
    screen = canvas.viewport().grab().toImage()
    for x, y in ((10, 20), (11, 20), (64, 48), (99, 71)):
        with qtbot.waitSignal(canvas.hovered) as heard:
            hovers(canvas.viewport(), at(canvas, x, y))
        column, row = (round(value) for value in heard.args)
        assert screen.pixelColor(at(canvas, x, y)).getRgb()[:3] == tuple(pixels[row, column].tolist())


def test_without_an_image_the_mouse_does_nothing(canvas: Canvas, recorder: Recorder) -> None:
    recorder.become(replace(EMPTY, image=None))
    press(canvas, 10, 10)
    press(canvas, 10, 10, RIGHT)
    drag(canvas, QPoint(10, 10), QPoint(100, 100))
    assert {type(act) for act in recorder.calls} <= {acts.Select}
    assert canvas.view_window() is None


# --- the eye ------------------------------------------------------------------------------------------------------------


def test_the_image_is_shown_between_neutral_grey(canvas: Canvas) -> None:
    assert colour(canvas, 64, 48) == QColor(128, 128, 128)
    assert colour(canvas, 64, -0.9) == QColor(theme.DARK.canvas)


def test_the_ground_follows_the_theme(canvas: Canvas, qapp: QApplication) -> None:
    theme.choose(qapp, "light")
    assert colour(canvas, 64, -0.9) == QColor(theme.LIGHT.canvas)


def test_an_annotation_has_its_classs_colour_at_35_percent_and_an_empty_hole(
    canvas: Canvas, recorder: Recorder
) -> None:
    recorder.become(scene(image=GREY, annotations=(annotation(1, RING, GREY, class_id=2),)))
    full = theme.class_colour(1)
    inside, expected = colour(canvas, 40, 50), [round(128 * 0.65 + 0.35 * c) for c in full.getRgb()[:3]]  # type: ignore[index]
    assert max(abs(a - b) for a, b in zip(inside.getRgb()[:3], expected, strict=True)) <= 2  # type: ignore[index]
    assert colour(canvas, 60, 50) == QColor(128, 128, 128)


def test_outlines_and_clicks_keep_their_width_at_every_zoom(canvas: Canvas, recorder: Recorder) -> None:
    block = Mask(40, 30, np.ones((40, 50), dtype=np.bool_))
    recorder.become(scene(image=GREY, annotations=(annotation(1, block, GREY),)))
    fill = colour(canvas, 60, 50)
    for factor in (1, 3, 4):
        canvas.zoom_at(QPointF(at(canvas, 39.5, 50)), factor)
        shown = canvas.viewport().grab().toImage()
        row, edge = at(canvas, 39.5, 50).y(), at(canvas, 39.5, 50).x()
        other = [
            x for x in range(edge - 20, edge + 20) if shown.pixelColor(x, row) not in (fill, QColor(128, 128, 128))
        ]
        assert 1 <= len(other) <= 3


def test_the_preview_is_brighter_than_what_is_accepted(canvas: Canvas, recorder: Recorder) -> None:
    recorder.become(scene(image=GREY, annotations=(annotation(1, RING, GREY),)))
    accepted = colour(canvas, 80, 50)
    recorder.become(scene(image=GREY, annotations=(), preview=previewing(clicks=())))
    assert colour(canvas, 80, 50).lightness() > accepted.lightness()


def test_the_selected_annotation_stands_out_above_the_others(canvas: Canvas, recorder: Recorder) -> None:
    both = (annotation(1, RING, GREY), annotation(2, disc(70, 50, 30), GREY))
    recorder.become(scene(image=GREY, annotations=both))
    plain = {item: item.look[1] for item in items(canvas, MaskItem)}  # type: ignore[attr-defined]
    recorder.become(scene(image=GREY, annotations=both, selected=1))
    changed = [item for item, style in plain.items() if item.look[1] != style]  # type: ignore[attr-defined]
    assert len(changed) == 1
    assert changed[0].zValue() == max(item.zValue() for item in plain)  # type: ignore[attr-defined]
    assert changed[0].look[1].line > 1.5


def test_an_annotation_is_traced_once_however_often_the_state_changes(canvas: Canvas, recorder: Recorder) -> None:
    both = (annotation(1, RING, GREY), annotation(2, disc(70, 50, 30), GREY))
    recorder.become(scene(image=GREY, annotations=both))
    before = set(items(canvas, MaskItem))
    recorder.become(scene(image=GREY, annotations=both, selected=2))
    recorder.become(scene(image=GREY, annotations=(both[0], replace(both[1], class_id=3)), activity="learning"))
    assert set(items(canvas, MaskItem)) == before
    recorder.become(scene(image=GREY, annotations=both[:1]))
    assert len(items(canvas, MaskItem)) == 1
    recorder.become(replace(EMPTY, image=grey(20, 20)))
    assert not items(canvas, MaskItem)


def test_masks_can_be_hidden_and_the_preview_stays(canvas: Canvas, recorder: Recorder) -> None:
    state = scene(image=GREY, annotations=(annotation(1, disc(20, 20, 9), GREY),), preview=previewing())
    recorder.become(replace(state, display=Display(masks=False)))
    assert len(items(canvas, MaskItem)) == 1
    assert colour(canvas, 20, 20) == QColor(128, 128, 128)
    recorder.become(state)
    assert len(items(canvas, MaskItem)) == 2


def test_clicks_are_twelve_pixel_discs_with_a_white_sign_and_halo(canvas: Canvas, recorder: Recorder) -> None:
    recorder.become(scene(image=GREY, annotations=(), preview=previewing(candidates=())))
    for factor in (1.0, 5.0):
        canvas.zoom_at(QPointF(at(canvas, 40, 40)), factor)
        shown, middle = canvas.viewport().grab().toImage(), at(canvas, 40, 40)
        assert shown.pixelColor(middle) == QColor("white"), "the middle of the plus"
        row = [shown.pixelColor(middle.x() + dx, middle.y() + 3) for dx in range(-12, 13)]
        green = theme.class_colour(2)
        assert QColor("white") in (row[11], row[12]), "the upright of the plus"
        assert 5 <= row.count(green) <= 12
        assert row[3] == row[-4] == QColor(128, 128, 128)


def test_include_and_exclude_differ_in_colour_and_in_sign(canvas: Canvas, recorder: Recorder) -> None:
    recorder.become(scene(image=GREY, annotations=(), preview=previewing(candidates=())))
    assert colour(canvas, 40, 40) == QColor("white")
    shown, minus = canvas.viewport().grab().toImage(), at(canvas, 60, 50)
    assert shown.pixelColor(minus + QPoint(2, 0)) == QColor("white")
    assert shown.pixelColor(minus + QPoint(0, 4)) == theme.class_colour(5)


def test_a_click_that_waits_for_its_answer_is_paler(canvas: Canvas, recorder: Recorder) -> None:
    recorder.become(scene(image=GREY, annotations=(), preview=previewing(waiting=True)))
    opacities = sorted(item.opacity() for item in items(canvas, ClickItem))  # type: ignore[attr-defined]
    assert opacities[0] < 1.0
    assert opacities[-1] == 1.0


def test_the_uncertainty_map_covers_its_padded_window_and_is_cut_to_the_window(
    canvas: Canvas, recorder: Recorder
) -> None:
    window = Window(32, 16, 64, 32)
    found = candidate(disc(60, 30, 8), window)
    entropy = np.zeros((64, 64), dtype=np.float32)
    entropy[:32, 32:] = 1.0  # the right half, down to where the window ends; below is padding
    entropy[32:] = 1.0
    state = scene(
        image=GREY,
        annotations=(),
        preview=previewing(candidates=(replace(found, entropy=entropy),), window=window, clicks=()),
    )
    recorder.become(state)
    assert not items(canvas, MapItem)
    plain = {p: colour(canvas, *p) for p in ((40, 20), (90, 20), (90, 55), (110, 20))}
    recorder.become(replace(state, display=Display(overlay="entropy")))
    assert len(items(canvas, MapItem)) == 1
    assert colour(canvas, 40, 20) == plain[40, 20], "sure"
    assert colour(canvas, 90, 20) != plain[90, 20], "unsure"
    assert colour(canvas, 90, 55) == plain[90, 55], "padding"
    assert colour(canvas, 110, 20) == plain[110, 20], "outside the window"


def test_comparing_shows_the_twins_mask_with_a_label_and_nothing_of_the_preview(
    canvas: Canvas, recorder: Recorder
) -> None:
    twin = candidate(disc(100, 20, 10), GREY.whole)
    state = scene(image=GREY, annotations=(), preview=previewing(clicks=(), frozen=twin))
    recorder.become(state)
    assert colour(canvas, 100, 20) == QColor(128, 128, 128)
    recorder.become(replace(state, display=Display(compare=True)))
    assert colour(canvas, 100, 20) != QColor(128, 128, 128)
    assert colour(canvas, 40, 50) == QColor(128, 128, 128)
    assert "Original" in canvas.comparison.text
    assert not canvas.comparison.isHidden()
    recorder.become(state)
    assert canvas.comparison.isHidden()


def test_comparing_says_when_the_twin_has_not_answered_or_was_not_asked(canvas: Canvas, recorder: Recorder) -> None:
    recorder.become(scene(image=GREY, annotations=(), display=Display(compare=True)))
    assert canvas.comparison.text == "Nothing to compare yet"
    recorder.become(scene(image=GREY, annotations=(), display=Display(compare=True), preview=previewing()))
    assert canvas.comparison.text == "Asking the original model…"


def test_the_window_is_framed_only_where_it_is_not_the_whole_image(canvas: Canvas, recorder: Recorder) -> None:
    recorder.become(scene(image=GREY, annotations=(), preview=previewing()))
    assert not items(canvas, FrameItem)
    recorder.become(scene(image=GREY, annotations=(), preview=previewing(window=Window(10, 10, 64, 64))))
    assert len(items(canvas, FrameItem)) == 1
    recorder.become(EMPTY)
    assert not items(canvas, FrameItem)


def test_the_box_of_the_prompt_is_drawn(canvas: Canvas, recorder: Recorder) -> None:
    recorder.become(scene(image=GREY, annotations=(), preview=previewing(box=Box(20, 20, 90, 80))))
    (frame,) = items(canvas, FrameItem)
    assert frame.boundingRect().getRect() == (19.5, 19.5, 71, 61)  # type: ignore[attr-defined]


def test_a_new_image_is_fitted_and_a_new_state_of_the_same_image_is_not(canvas: Canvas, recorder: Recorder) -> None:
    canvas.actual_size()
    recorder.become(scene(image=GREY, annotations=(), preview=previewing()))
    assert canvas.zoom == pytest.approx(1.0)
    recorder.become(replace(EMPTY, image=grey(400, 400)))
    assert canvas.view_window() is None
    assert canvas.zoom > 1.0


def test_the_view_is_none_for_all_of_the_image_and_lies_inside_it_otherwise(canvas: Canvas) -> None:
    assert canvas.view_window() is None
    for corner in (QPoint(0, 0), QPoint(639, 0), QPoint(0, 479), QPoint(639, 479)):
        canvas.fit()
        canvas.zoom_at(QPointF(corner), 3)
        view = canvas.view_window()
        assert view is not None
        assert view.x >= 0
        assert view.y >= 0
        assert view.x + view.width <= 128
        assert view.y + view.height <= 96


@pytest.mark.parametrize(
    ("index", "text"), [(0, "Reading cells_01.png…"), (4, "cells_05.png cannot be shown"), (9, "No image")]
)
def test_without_an_image_the_canvas_says_what_is_the_matter(
    canvas: Canvas, recorder: Recorder, index: int, text: str
) -> None:
    recorder.become(replace(EMPTY, image=None, index=index, images=entries(Path("dishes"))))
    assert canvas._empty.text == text
    assert not canvas._empty.isHidden()
    recorder.become(EMPTY)
    assert canvas._empty.isHidden()


def test_a_wide_image_of_sixty_thousand_pixels_can_be_clicked_at_its_far_end(
    canvas: Canvas, recorder: Recorder
) -> None:
    wide = grey(40, 60_000)
    recorder.become(replace(EMPTY, image=wide))
    canvas.zoom_at(QPointF(at(canvas, 59_990, 20)), 1000)
    press(canvas, 59_990, 20)
    (act,) = recorder.calls
    assert isinstance(act, acts.PlaceClick)
    x, y, view = act.click.x, act.click.y, act.view
    assert x == pytest.approx(59_990, abs=0.1)
    assert y == pytest.approx(20, abs=0.1)
    assert isinstance(view, Window)
    assert view.contains(x, y)


# --- several outlines of one object -----------------------------------------------------------------------------------


def test_kept_outlines_are_drawn_dashed_beside_the_one_on_the_screen_and_beside_the_selected_object(
    canvas: Canvas,
) -> None:
    def kept() -> int:
        return sum(item.look[1] is KEPT for item in items(canvas, MaskItem))  # type: ignore[attr-defined]

    state = canvas._state
    shown = previewing()
    canvas.show_state(replace(state, preview=replace(shown, alternatives=(disc(60, 50, 30), disc(60, 50, 8)))))
    assert kept() == 2
    canvas.show_state(state)
    assert kept() == 0
    first = replace(annotation(1, disc(30, 30, 12), state.image), alternatives=(disc(30, 30, 20),))
    with_several = replace(state, annotations=(first,))
    canvas.show_state(with_several)
    assert kept() == 0
    canvas.show_state(replace(with_several, selected=first.id))
    assert kept() == 1
    canvas.show_state(replace(with_several, selected=first.id, display=replace(state.display, masks=False)))
    assert kept() == 0
