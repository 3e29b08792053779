"""A session is opened again where it was left: image, class, zoom and place, what waits to be learned."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from samtta_app.session import acts
from samtta_app.session.project.place_memory import LastView
from samtta_app.session.project.store import Store
from tests.gui.sessions import Sitting


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        pixels = np.full((96, 128, 3), 40, np.uint8)
        cv2.circle(pixels, (60, 50), 18, (200, 210, 220), -1)
        cv2.imwrite(str(made / name), pixels)
    return made


def test_image_class_zoom_and_place_are_those_of_before(qtbot: QtBot, folder: Path) -> None:
    before = Sitting(qtbot, learn=False)
    before.opens(folder)
    before.controller.do(acts.AddClass("debris"))
    before.controller.do(acts.SetClass(2))
    before.shows("b.png")
    before.window.canvas.zoom_at(QPointF(300, 200), 3.0)
    middle, zoom = before.window.canvas.visible_rect().center(), before.window.canvas.zoom
    before.leaves()
    after = Sitting(qtbot, learn=False)
    after.opens(folder)
    assert (after.state.images[after.state.index].name, after.state.current_class) == ("b.png", 2)
    assert after.window.canvas.zoom == pytest.approx(zoom)
    found = after.window.canvas.visible_rect().center()
    assert (found.x(), found.y()) == pytest.approx((middle.x(), middle.y()), abs=0.01)
    after.shows("c.png")
    assert after.window.canvas.fitted, "another image is shown whole"
    after.leaves()


def test_a_view_that_makes_no_sense_is_none(folder: Path) -> None:
    with Store.open(folder) as store:
        assert (store.last_view(), store.last_class()) == (None, 0)
        store.remember_view(LastView("a.png", 3.5, 4.0, 2.0))
        assert store.last_view() == LastView("a.png", 3.5, 4.0, 2.0)
        for text in ("[1, 2, 3, 4]", '["a", 1, 2, -1]', '["a", 1, 2]', "{", '["a", 1, 2, NaN]', '["a", null, 2, 1]'):
            store._remember("last_view", text)
            assert store.last_view() is None
        for text in ("-1", "x", "9" * 30):
            store._remember("last_class", text)
            assert store.last_class() == 0


@pytest.mark.parametrize("what", ["deleted", "renamed", "replaced"])
def test_nothing_is_lost_where_the_open_image_is_taken_away(qtbot: QtBot, folder: Path, what: str) -> None:
    one = Sitting(qtbot, learn=False)
    one.opens(folder)
    one.previews((60, 50), (62, 52), (50, 45))
    path = folder / "a.png"
    if what == "deleted":
        path.unlink()
    elif what == "renamed":
        path.rename(folder / "z.png")
    else:
        cv2.imwrite(str(path), np.zeros((40, 50, 3), np.uint8))
    one.controller.refresh_images()
    one.controller.do(acts.Accept())
    assert [a.image_name for a in one.state.annotations] == ["a.png"], one.said
    one.shows("b.png")
    one.accepts((60, 50), (62, 52), (50, 45))
    one.leaves()
    with Store.open(folder) as store:
        assert [a.image_name for a in store.annotations()] == ["a.png", "b.png"]
        first = store.images()[0]
        assert (first.name, first.objects, bool(first.text)) == ("a.png", 1, what != "replaced")


def test_the_list_finds_images_of_a_class_and_those_that_need_a_look(qtbot: QtBot, folder: Path) -> None:
    one = Sitting(qtbot, learn=False)
    one.opens(folder)
    one.accepts((60, 50), (62, 52), (50, 45))
    one.controller.do(acts.AddClass("debris"))
    one.shows("b.png")
    one.accepts((60, 50), (62, 52), (50, 45))
    assert one.controller.images_where(1) == {"a.png"}
    assert one.controller.images_where(2) == {"b.png"}
    assert one.controller.images_where("look") <= {"a.png", "b.png"}
    choice = one.images.filter.choice
    choice.setCurrentIndex(choice.findText("object"))
    listed = [one.images.model.index(row).data() for row in range(one.images.model.rowCount())]
    assert listed == ["a.png", "b.png"], "those of the class, and the open one"
    one.leaves()


def test_t_and_n_work_through_empty_images(qtbot: QtBot, folder: Path) -> None:
    one = Sitting(qtbot, learn=False)
    one.opens(folder)
    one.presses(Qt.Key.Key_T)
    assert "1 with nothing" in one.images.summary.text()
    one.presses(Qt.Key.Key_N)
    one.wait(lambda: one.state.image is not None)
    one.presses(Qt.Key.Key_T)
    one.presses(Qt.Key.Key_N)
    one.wait(lambda: one.state.image is not None)
    assert one.state.images[one.state.index].name == "c.png"
    one.presses(Qt.Key.Key_N)
    assert "Every other image" in one.said
    one.leaves()
