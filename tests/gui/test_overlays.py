"""Key U in the real window: every map of uncertainty with its key, its value under the pointer, its opacity, or its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSlider, QStyle, QStyleOptionSlider
from pytestqt.qtbot import QtBot

from samtta_app.core.types import Window
from samtta_app.gui.canvas.markers import ClickItem, MapItem, MaskItem
from samtta_app.gui.canvas.overlay import scale_of
from samtta_app.gui.panels.candidates import CandidatesStrip
from samtta_app.gui.panels.colour_bar import MAP_WORDS, ColourBar, Ramp
from samtta_app.gui.widgets import theme
from samtta_app.model.model_registry import toy_model
from samtta_app.model.refiner import save_refiner, untrained
from samtta_app.session import acts
from samtta_app.session.acts import OverlayKind
from samtta_app.session.state import Display, Overlay, State
from samtta_app.session.workflow.overlays import MEASURING, NO_LESSON, NO_MAP, UNLEARNED, overlay_of
from samtta_app.settings import Settings, load_settings, model_folder
from tests.gui.pointer import hovers
from tests.gui.scenes import Recorder, disc, picture, preview, scene
from tests.gui.sessions import Key, Sitting
from tests.unit.values import picture as painted

SHIFT, ALT, NONE = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.NoModifier,
)
PLACES = ((60.0, 50.0), (30.0, 30.0), (90.0, 70.0), (20.0, 80.0))
IMAGE = picture()
PREVIEW = preview(IMAGE, (disc(60, 50, 18), disc(60, 50, 24), disc(60, 50, 12)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k in (1, 2):
        cv2.imwrite(str(tmp_path / f"{k}.png"), painted(k, discs=((60, 50, 18),)).pixels)
    return tmp_path


@pytest.fixture
def sit(qtbot: QtBot, folder: Path) -> Iterator[Callable[..., Sitting]]:
    sitting: list[Sitting] = []

    def make(**options: object) -> Sitting:
        sitting.append(Sitting(qtbot, **options))  # type: ignore[arg-type]
        sitting[-1].opens(folder)
        return sitting[-1]

    yield make
    for each in sitting:
        each.leaves()


def with_refiner() -> None:
    """Put a refiner of the toy into the model folder: the toy's own decoder, which mends a mask by answering again."""
    model_folder().mkdir(parents=True)
    save_refiner(untrained(toy_model()), toy_model(), model_folder() / "toy.refiner.safetensors", {})


def key_of(sitting: Sitting) -> ColourBar:
    (key,) = sitting.window.stage.findChildren(ColourBar)
    return key


def overlay(sitting: Sitting) -> Overlay:
    found = overlay_of(sitting.state)
    assert found is not None
    return found


def goes_to(sitting: Sitting, kind: OverlayKind) -> Overlay:
    """Press U until `kind` is on, and wait for its map or its reason."""
    for _ in range(7):
        if sitting.state.display.overlay != kind:
            sitting.presses(Key.Key_U)
    sitting.wait(lambda: overlay(sitting).reason != MEASURING)
    return overlay(sitting)


def drawn(sitting: Sitting) -> list[MapItem]:
    return [item for item in sitting.window.canvas.scene().items() if isinstance(item, MapItem)]


# --- the key ----------------------------------------------------------------------------------------------------------


def test_u_goes_through_every_map_and_shift_u_back(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    key, seen = key_of(sitting), []
    assert not key.isVisible()
    for _ in range(8):
        sitting.presses(Key.Key_U)
        seen.append((sitting.state.display.overlay, key.isVisible(), key.title.text()))
    assert seen == [
        ("entropy", True, "Doubt"),
        ("refiner", True, "Change by a second pass"),
        ("ensemble", True, "Disagreement between clicks"),
        ("disagreement", True, "Disagreement between outlines"),
        ("adapted", True, "Changed by learning"),
        ("lesson", True, "What this mask teaches"),
        ("edges", True, "Edges of everything"),
        ("off", False, "Edges of everything"),
    ]
    sitting.presses(Key.Key_U, SHIFT)
    assert sitting.state.display.overlay == "edges"
    assert key.isVisible()


@pytest.mark.parametrize("strategy", ["samtta", "schoen2024"])
def test_what_a_mask_would_teach_is_shown_before_enter_and_what_it_taught_afterwards(
    sit: Callable[..., Sitting], strategy: str
) -> None:
    sitting = sit(strategy=strategy)
    sitting.previews(*PLACES)
    before = goes_to(sitting, "lesson").values
    assert before is not None
    assert {*np.unique(before).tolist()} == {-1.0, 0.0, 1.0}  # object, background, and the band that is left out
    key = key_of(sitting)
    assert key.unit.text() == "green object, blue background, clear left out"
    assert not key.ramp.isVisible()
    assert len(drawn(sitting)) == 1
    sitting.presses(Key.Key_Return)
    sitting.wait(lambda: len(sitting.state.annotations) == 1 and sitting.state.preview is None)
    assert overlay(sitting).reason == NO_LESSON
    sitting.controller.do(acts.Select(sitting.state.annotations[0].id))
    sitting.wait(lambda: overlay(sitting).reason != MEASURING)
    assert overlay(sitting).values is not None
    clicks = [i for i in sitting.window.canvas.scene().items() if isinstance(i, ClickItem)]
    assert len(clicks) == len(sitting.state.annotations[0].clicks) > 0


def test_where_nothing_is_learned_the_key_to_the_lesson_says_so(sit: Callable[..., Sitting]) -> None:
    sitting = sit(strategy="frozen")
    sitting.previews(*PLACES)
    assert "takes nothing from accepted masks" in goes_to(sitting, "lesson").reason


def test_without_an_answer_the_key_says_what_to_do(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.presses(Key.Key_U)
    key = key_of(sitting)
    assert key.reason.isVisible()
    assert key.reason.text() == NO_MAP
    assert not key.ramp.isVisible()
    assert drawn(sitting) == []


def test_the_entropy_is_drawn_with_its_key(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.previews(*PLACES)
    before = sitting.window.canvas.grab().toImage()
    goes_to(sitting, "entropy")
    key = key_of(sitting)
    assert len(drawn(sitting)) == 1
    assert sitting.window.canvas.grab().toImage() != before
    assert (key.unit.text(), key.least.text(), key.greatest.text()) == ("0 to 1 bit", "0 sure", "1 unsure")
    assert key.ramp.isVisible()
    assert not key.reason.isVisible()


def test_the_refiners_map_is_that_of_the_mask_on_the_screen(sit: Callable[..., Sitting]) -> None:
    with_refiner()
    sitting = sit()
    sitting.previews(*PLACES)
    found = goes_to(sitting, "refiner")
    assert found.reason == ""
    assert found.values is not None
    assert 0 <= found.values.min() <= found.values.max() <= 1
    assert len(drawn(sitting)) == 1
    assert drawn(sitting)[0].boundingRect().width() == found.window.width  # type: ignore[union-attr]
    assert key_of(sitting).unit.text() == "difference of probability"
    sitting.presses(Key.Key_Tab)
    sitting.wait(lambda: overlay(sitting).reason != MEASURING)
    assert overlay(sitting).values is not found.values


def test_without_a_refiner_the_reason_stands_in_its_place_and_the_mask_is_filled(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.previews(*PLACES)
    found = goes_to(sitting, "refiner")
    key = key_of(sitting)
    assert found.values is None
    assert "no refiner" in found.reason
    assert key.reason.text() == found.reason
    assert key.reason.height() >= key.reason.heightForWidth(key.reason.width())
    assert not key.ramp.isVisible()
    assert drawn(sitting) == []
    (mask,) = [i for i in sitting.window.canvas.scene().items() if isinstance(i, MaskItem)]
    assert mask.look[1].fill > 0
    assert "no refiner" in key.accessibleName()
    assert sitting.said == ""


def test_jittered_clicks_disagree_somewhere_and_never_by_more_than_a_half(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.previews(*PLACES)
    while sitting.state.preview.chosen != np.argmax([c.predicted_iou for c in sitting.state.preview.candidates]):  # type: ignore[union-attr]
        sitting.presses(Key.Key_Tab)
    found = goes_to(sitting, "ensemble")
    assert found.values is not None, found.reason
    assert 0 < found.values.max() <= 0.5
    assert key_of(sitting).unit.text() == "spread of probability"
    assert key_of(sitting).greatest.text() == f"{scale_of(found):g} open"


def test_what_was_learned_is_shown_once_something_was(sit: Callable[..., Sitting]) -> None:
    sitting = sit(strategy="schoen2024")  # its newest weights always answer
    sitting.previews(*PLACES)
    assert goes_to(sitting, "adapted").reason == UNLEARNED
    sitting.presses(Key.Key_Return)
    sitting.wait(lambda: sitting.state.adaptation.version > 0 and sitting.state.adaptation.activity == "idle")
    sitting.clicks(60, 50)
    sitting.wait(lambda: sitting.answered and overlay(sitting).reason != MEASURING)
    found = overlay(sitting)
    assert found.values is not None, found.reason
    assert 0 < found.values.max() <= 1
    assert len(drawn(sitting)) == 1


def test_a_new_click_takes_the_old_map_away_with_its_mask(sit: Callable[..., Sitting]) -> None:
    with_refiner()
    sitting = sit()
    sitting.previews(*PLACES)
    before = goes_to(sitting, "refiner")
    waiting: list[Overlay | None] = []

    def look(state: State) -> None:
        if state.preview is not None and state.preview.waiting:
            waiting.append(overlay_of(state))

    sitting.controller.state_changed.connect(look)
    sitting.clicks(62, 52)
    sitting.wait(lambda: sitting.answered and overlay(sitting).reason != MEASURING)
    assert waiting, "no state without the new answer was shown"
    assert all(shown is before for shown in waiting), "the old mask keeps its map as long as it is shown"
    assert overlay(sitting) is not before


# --- the value under the pointer --------------------------------------------------------------------------------------


def test_the_value_under_the_pointer_is_shown_and_marked(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.previews(*PLACES)
    found = goes_to(sitting, "entropy")
    key, viewport = key_of(sitting), sitting.window.canvas.viewport()
    assert found.values is not None
    for x, y in ((60, 50), (30, 40)):
        hovers(viewport, sitting.place(x, y))
        sitting.wait(lambda x=x, y=y: sitting.window.status.position.text().startswith(f"{x}, {y} "))
        assert key.value.text() == f"{found.at(x, y):.3f}"
    plain = key.ramp.grab().toImage()
    hovers(viewport, QPoint(3, 3))  # beside the image
    sitting.wait(lambda: key.value.text() == "")
    assert key.ramp.grab().toImage() != plain


def test_a_map_that_changes_under_a_resting_pointer_changes_its_value(key: ColourBar) -> None:
    key.show_hover(78, 50)
    key.show_state(scene(image=IMAGE, preview=PREVIEW, display=Display(overlay="entropy")))
    first = key.value.text()
    key.show_state(scene(image=IMAGE, preview=replace(PREVIEW, chosen=1), display=Display(overlay="entropy")))
    assert first
    assert key.value.text() not in ("", first)


# --- opacity ----------------------------------------------------------------------------------------------------------


def handle(slider: QSlider) -> QPoint:
    """The middle of a slider's handle."""
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    part = QStyle.SubControl.SC_SliderHandle
    return slider.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, part, slider).center()


def test_the_slider_is_dragged_with_the_mouse_and_remembered(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.previews(*PLACES)
    goes_to(sitting, "entropy")
    slider, left = key_of(sitting).slider, Qt.MouseButton.LeftButton
    clicks, (item,) = len(sitting.state.preview.clicks), drawn(sitting)  # type: ignore[union-attr]
    assert item.opacity() == pytest.approx(0.8)
    start = handle(slider)
    QTest.mousePress(slider, left, NONE, start)
    QTest.mouseMove(slider, QPoint(slider.width() // 2, start.y()))
    assert 0.3 < sitting.state.display.opacity < 0.7
    assert load_settings().overlay_opacity == 0.8  # not before it is let go
    QTest.mouseRelease(slider, left, NONE, QPoint(slider.width() // 2, start.y()))
    chosen = sitting.state.display.opacity
    sitting.wait(lambda: sitting.sees_all)
    assert drawn(sitting) == [item]
    assert item.opacity() == pytest.approx(chosen)
    assert load_settings().overlay_opacity == sitting.window.settings.overlay_opacity == chosen
    assert key_of(sitting).percent.text() == f"{round(chosen * 100)} %"
    assert len(sitting.state.preview.clicks) == clicks  # type: ignore[union-attr]


def test_the_slider_is_reached_and_moved_by_keys_alone(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.previews(*PLACES)
    goes_to(sitting, "entropy")
    slider = key_of(sitting).slider
    sitting.presses(Key.Key_O, ALT)
    assert slider.hasFocus()
    QTest.keyClick(slider, Key.Key_Left)
    assert sitting.state.display.opacity == pytest.approx(0.75)
    assert load_settings().overlay_opacity == pytest.approx(0.75)
    QTest.keyClick(slider, Key.Key_Home)
    assert sitting.state.display.opacity == 0.0
    sitting.wait(lambda: sitting.sees_all)
    assert drawn(sitting)[0].opacity() == 0.0
    QTest.keyClick(slider, Key.Key_Return)
    assert len(sitting.state.annotations) == 1  # other keys act as everywhere


def test_a_remembered_opacity_holds_for_the_next_project(
    qtbot: QtBot, sit: Callable[..., Sitting], tmp_path: Path
) -> None:
    sitting = sit()
    sitting.window.use(Settings(theme="light", overlay_opacity=0.35))
    other = tmp_path / "other"
    other.mkdir()
    cv2.imwrite(str(other / "1.png"), painted(3).pixels)
    sitting.opens(other)
    assert sitting.state.display.opacity == 0.35
    sitting.presses(Key.Key_U)
    assert key_of(sitting).slider.value() == 35


# --- the strip --------------------------------------------------------------------------------------------------------


@pytest.fixture
def key(qapp: QApplication, qtbot: QtBot) -> ColourBar:
    made = ColourBar(Recorder(scene()))  # type: ignore[arg-type]
    qtbot.addWidget(made)
    return made


def test_the_key_is_there_while_an_overlay_is_on_and_an_image_is_shown(key: ColourBar) -> None:
    key.show_state(scene())
    assert not key.isVisible()
    key.show_state(scene(display=Display(overlay="entropy")))
    assert key.isVisible()
    key.show_state(scene(display=Display(overlay="entropy"), image=None))
    assert not key.isVisible()


@pytest.mark.parametrize(
    ("kind", "greatest", "top"), [("refiner", 0.03, "0.1"), ("ensemble", 0.2, "0.2"), ("adapted", 0.21, "0.5")]
)
def test_a_map_is_stretched_to_a_round_value_that_the_key_names(
    key: ColourBar, kind: OverlayKind, greatest: float, top: str
) -> None:
    values = np.linspace(0, greatest, 64, dtype=np.float32).reshape(8, 8)
    found = Overlay(kind, IMAGE.whole, values)
    key.show_state(scene(image=IMAGE, preview=PREVIEW, display=Display(overlay=kind), overlay=found))
    assert key.greatest.text().split()[0] == top
    assert MAP_WORDS[kind][0] in key.accessibleName()
    assert top in key.accessibleName()


def test_entropy_and_what_is_nearly_one_have_the_whole_scale() -> None:
    small, large = np.full((4, 4), 0.01, np.float32), np.full((4, 4), 0.6, np.float32)
    assert scale_of(Overlay("entropy", Window(0, 0, 4, 4), small)) == 1.0
    assert scale_of(Overlay("refiner", Window(0, 0, 4, 4), large)) == 1.0


def test_every_part_that_takes_the_keyboard_has_a_name(key: ColourBar) -> None:
    assert "pacity" in key.slider.accessibleName()
    assert key.slider.focusPolicy() == Qt.FocusPolicy.StrongFocus


def test_the_key_takes_the_mouse(key: ColourBar) -> None:
    assert not key.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


def test_showing_a_state_asks_for_nothing(key: ColourBar) -> None:
    key.show_state(scene(display=Display(overlay="entropy", opacity=0.3)))
    assert key.slider.value() == 30
    assert key._controller.calls == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_ramp_goes_from_the_ground_to_the_strongest_colour(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    palette = theme.choose(qapp, name)  # type: ignore[arg-type]
    ramp = Ramp()
    qtbot.addWidget(ramp)
    image = ramp.grab().toImage()
    left, right = image.pixelColor(0, 3), image.pixelColor(image.width() - 1, 3)
    ground = QColor(palette.canvas)
    assert all(abs(a - b) <= 2 for a, b in zip(left.getRgb(), ground.getRgb(), strict=True))  # type: ignore[arg-type]
    assert right.hslSaturationF() > 0.5


def test_the_ramp_is_as_pale_as_the_map_and_marks_one_value(qtbot: QtBot) -> None:
    ramp = Ramp()
    qtbot.addWidget(ramp)
    strong = ramp.grab().toImage()
    ramp.show_values(0.0, None)
    pale = ramp.grab().toImage()
    assert pale.pixelColor(ramp.width() - 1, 3) == QColor(theme.LIGHT.canvas)
    ramp.show_values(1.0, 0.5)
    marked = ramp.grab().toImage()
    middle = round(0.5 * (ramp.width() - 4)) + 1
    assert marked.pixelColor(middle, 3) == QColor(theme.LIGHT.text)
    assert marked.pixelColor(10, 3) == strong.pixelColor(10, 3)


@pytest.mark.parametrize("width", [700, 1000, 1600])
def test_the_key_and_the_candidates_do_not_cover_each_other(sit: Callable[..., Sitting], width: int) -> None:
    sitting = sit()
    sitting.window.resize(width, 700)
    sitting.previews(*PLACES)
    goes_to(sitting, "refiner")
    QApplication.processEvents()
    (strip,) = sitting.window.stage.findChildren(CandidatesStrip)
    key = key_of(sitting)
    assert strip.isVisible()
    assert key.isVisible()
    assert not strip.geometry().intersects(key.geometry())
    assert sitting.window.stage.rect().contains(key.geometry())
