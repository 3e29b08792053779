"""Histograms of the masks' forms: read when they are looked at, each mask once, beside the window's thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from samtta_app.core.mask_shape import MaskShape
from samtta_app.errors import StoreError
from samtta_app.gui import shape_reader
from samtta_app.gui.panels.adaptation import AdaptationPanel
from samtta_app.gui.panels.shape_plots import SHAPE_PLOTS, ShapePlots
from samtta_app.gui.widgets import theme
from samtta_app.session.project.store import Store
from samtta_app.session.state import Statistics, StreamPoint
from samtta_app.session.statistics import mask_histograms
from tests.gui.scenes import Recorder, scene, statistics
from tests.gui.sessions import Key, Sitting
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of
from tests.unit.values import disc


def of(*ids: int) -> Statistics:
    """Figures of a session with these objects."""
    return replace(statistics(), stream=tuple(StreamPoint(number, 1, None, None) for number in ids))


@pytest.fixture
def recorder() -> Recorder:
    made = Recorder(scene())
    made.answers["read_shapes"] = True
    return made


@pytest.fixture
def plots(qapp: object, qtbot: QtBot, recorder: Recorder) -> ShapePlots:
    made = ShapePlots(recorder)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    return made


def heights(plots: ShapePlots, measure: str) -> dict[float, int]:
    """The bars that are not empty, by where they begin."""
    options = plots.bars[measure].opts
    return {round(x, 2): int(y) for x, y in zip(options["x0"], options["height"], strict=True) if y}


# --- the widget ---------------------------------------------------------------------------------------------------------


def test_nothing_is_read_before_the_plots_are_looked_at(plots: ShapePlots, recorder: Recorder) -> None:
    plots.show_statistics(of(1, 2))
    assert recorder.calls == []
    plots.show()
    assert recorder.calls == [("read_shapes", frozenset({1, 2}))]


def test_each_mask_is_asked_for_once(plots: ShapePlots, recorder: Recorder) -> None:
    plots.show()
    plots.show_statistics(of(1, 2))
    recorder.shapes_read.emit({1: MaskShape(0.3, 1, 0.0)})  # 2 could not be read
    plots.show_statistics(of(1, 2, 3))
    plots.show_statistics(of(1, 2, 3))
    assert recorder.calls == [("read_shapes", frozenset({1, 2})), ("read_shapes", frozenset({3}))]


def test_what_comes_while_others_are_read_is_asked_for_afterwards(plots: ShapePlots, recorder: Recorder) -> None:
    plots.show()
    plots.show_statistics(of(1))
    recorder.answers["read_shapes"] = False
    plots.show_statistics(of(1, 2))
    recorder.answers["read_shapes"] = True
    recorder.shapes_read.emit({1: MaskShape(0.3, 1, 0.0)})
    assert recorder.calls[-1] == ("read_shapes", frozenset({2}))


def test_the_bars_count_masks_and_a_deleted_one_leaves(plots: ShapePlots, recorder: Recorder) -> None:
    plots.show()
    plots.show_statistics(of(1, 2, 3))
    shapes = {1: MaskShape(0.31, 1, 0.0), 2: MaskShape(0.32, 2, 0.5), 3: MaskShape(0.9, 400, 0.5)}
    recorder.shapes_read.emit(shapes)
    assert plots.words.text() == "Forms of 3 masks"
    assert heights(plots, "size") == {0.3: 2, 0.9: 1}
    assert heights(plots, "parts") == {1: 1, 2: 1, 10: 1}
    assert heights(plots, "concavity") == {0.0: 1, 0.5: 2}
    plots.show_statistics(of(3))
    assert plots.words.text() == "Form of 1 mask"
    assert heights(plots, "size") == {0.9: 1}
    plots.show_statistics(of(2, 3))
    assert heights(plots, "size") == {0.3: 1, 0.9: 1}
    assert len(recorder.calls) == 1


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_plots_follow_the_theme_and_say_what_they_show(qapp: object, plots: ShapePlots, name: str) -> None:
    theme.choose(qapp, name)  # type: ignore[arg-type]
    plots.show()
    for measure, words, tip in SHAPE_PLOTS:
        assert plots.plots[measure].getAxis("bottom").labelText == words
        assert plots.plots[measure].toolTip() == tip
        assert plots.bars[measure].opts["brush"] == theme.current().accent


# --- at the window ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = folder_of(tmp_path / "images", "a.png")
    with Store.open(folder) as store:
        for k in range(3):
            store.accept(accepted("a.png", disc(40, 50, 10 + 10 * k, HEIGHT, WIDTH)), WIDTH, HEIGHT)
    return folder


@pytest.fixture
def person(qtbot: QtBot, folder: Path) -> Iterator[Sitting]:
    made = Sitting(qtbot, learn=False)
    made.opens(folder)
    made.wait(lambda: made.state.statistics.objects == 3)
    yield made
    made.leaves()


def opened(person: Sitting) -> ShapePlots:
    """The plots, once the user has opened the details and what is below them."""
    person.gives_room("adaptation")
    panel = person.window.docks["adaptation"].widget()
    assert isinstance(panel, AdaptationPanel)
    panel.details.button.click()
    panel.shapes.parentWidget().button.click()  # type: ignore[attr-defined]
    return panel.shapes


def test_stored_masks_are_read_on_another_thread_and_new_ones_follow(
    person: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def watched(store: Store, ids: tuple[int, ...]) -> dict[int, MaskShape]:
        threads.append(threading.current_thread().name)
        return mask_histograms.mask_shapes(store, ids)

    monkeypatch.setattr(shape_reader, "mask_shapes", watched)
    plots = opened(person)
    person.wait(lambda: plots.words.text() == "Forms of 3 masks")
    assert sum(heights(plots, "parts").values()) == 3
    assert set(threads) == {"samtta-shapes"}
    person.accepts((60, 50), (30, 70), (90, 30), (10, 10))
    person.wait(lambda: plots.words.text() == "Forms of 4 masks")
    assert len(threads) == 4
    person.presses(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: plots.words.text() == "Forms of 3 masks")


def test_the_window_closes_while_masks_are_read(qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(store: Store, ids: tuple[int, ...]) -> dict[int, MaskShape]:
        begun.set()
        go.wait(10)
        return {}

    monkeypatch.setattr(shape_reader, "mask_shapes", slow)
    made = Sitting(qtbot, learn=False)
    made.opens(folder)
    made.wait(lambda: made.state.statistics.objects == 3)
    opened(made)
    made.wait(begun.is_set)
    assert not made.controller.read_shapes(frozenset({1}))
    go.set()
    made.leaves()
    assert "samtta-shapes" not in {thread.name for thread in threading.enumerate()}


def test_masks_that_cannot_be_read_are_left_out_and_nothing_is_lost(
    person: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(store: Store, ids: tuple[int, ...]) -> dict[int, MaskShape]:
        raise StoreError("The disk is gone")

    monkeypatch.setattr(shape_reader, "mask_shapes", fail)
    plots = opened(person)
    person.wait(lambda: person.controller._shaping is None)
    assert plots.words.text() == "Forms of 0 masks"
    assert person.state.statistics.objects == 3
