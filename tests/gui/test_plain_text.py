"""Whatever a file, a folder or a class is called, the window shows that name and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent, QTextDocumentFragment
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLabel, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from samtta_app.core.names import displayable as shown_name
from samtta_app.gui.main_window import MainWindow
from samtta_app.gui.panels.start import StartPage
from samtta_app.gui.widgets.plain_text import MOST_LINE, MOST_TIP, button_text, one_line, plain_tip, title_text
from samtta_app.session.state import ImageEntry, LabelClass, Message, State
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS, Recorder, disc, picture, preview, scene

HOSTILE = (
    "<img src='/dev/zero'>",
    "<b>bold</b>",
    "a < b > c",
    "&lt;img src=x&gt;",
    "<!DOCTYPE html><table>",
    "\n<img src='/dev/zero'>",
    "<a href='file:///'>x</a>",
    "R&D &amp; [*] %1",
    "\t\x07\u202eevil",
)


def rendered(tip: str) -> str:
    """What a tool tip shows."""
    return QTextDocumentFragment.fromHtml(tip).toPlainText() if GuiQt.mightBeRichText(tip) else tip


# --- the texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_a_tip_shows_exactly_the_text_and_names_no_file(qapp: QApplication, text: str):
    tip = plain_tip(text)
    assert "<img" not in tip or not GuiQt.mightBeRichText(tip)
    assert rendered(tip).strip() == text.strip()


def test_a_tip_of_harmless_text_is_that_text():
    assert plain_tip("cells_01.png\nAnnotated") == "cells_01.png\nAnnotated"


def test_long_texts_are_cut():
    assert len(plain_tip("a" * 10**6)) == MOST_TIP
    assert len(one_line("a" * 10**6)) == MOST_LINE


@pytest.mark.parametrize(("text", "shown"), [("R&D", "R&&D"), ("&&", "&&&&"), ("a\tCtrl+Q\nb", "a Ctrl+Q b")])
def test_a_button_shows_ampersands_and_no_second_column(text: str, shown: str):
    assert button_text(text) == shown


@pytest.mark.parametrize("name", ["a[*]b", "[*]", "[*][*]x", "plain"])
def test_a_title_shows_the_mark_of_unsaved_work_as_it_is_written(qtbot: QtBot, name: str):
    window = QWidget()
    qtbot.addWidget(window)
    window.setWindowTitle(f"{title_text(name)}[*] – samtta")
    window.show()
    assert window.windowHandle().title() == f"{name} – samtta"
    window.setWindowModified(True)
    assert window.windowHandle().title() == f"{name}* – samtta"


# --- the window -----------------------------------------------------------------------------------------------------


def hostile(text: str) -> State:
    """A session in which everything that comes from data is `text`."""
    image = picture()
    folder = Path("/", text.replace("/", "∕"))
    name = text.replace("/", "∕")
    named = preview(image, (disc(60, 50, 18), disc(60, 50, 10)))
    assert named.answer
    return scene(
        folder,
        images=(ImageEntry(name, folder / name, "annotated", 2), ImageEntry("b", folder / "b", "unreadable", 0, text)),
        classes=(LabelClass(1, text, 0), LabelClass(2, "other", 1)),
        preview=replace(named, answer=replace(named.answer, no_gaps=text)),
        message=Message("error", text),
        activity=text,
    )


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = MainWindow(Recorder(scene()), settings=Settings(theme="light"), strategies=WORDS)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.show()
    return made


def tips(window: MainWindow) -> list[str]:
    """Every tool tip of the window: of widgets, actions, and rows of lists."""
    found = [widget.toolTip() for widget in window.findChildren(QWidget)]
    found += [action.toolTip() for action in window.actions_made.all()]
    for view in window.findChildren(QAbstractItemView):
        model = view.model()
        rows = range(model.rowCount()) if model is not None else ()
        found += [str(model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole) or "") for row in rows]
    return [tip for tip in found if tip]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_label_and_no_tip_takes_data_for_html(window: MainWindow, text: str):
    state = hostile(text)
    window.show_state(state)
    window.show_model(text)
    for label in window.findChildren(QLabel):
        rich = label.textFormat() != Qt.TextFormat.PlainText and GuiQt.mightBeRichText(label.text())
        assert not rich, label.text()
    assert all("<img" not in tip and "<table" not in tip for tip in tips(window) if GuiQt.mightBeRichText(tip))
    first = window.docks["images"].widget().model.index(0)
    assert (
        rendered(first.data(Qt.ItemDataRole.ToolTipRole)).strip().startswith(shown_name(state.images[0].name).strip())
    )
    shown = window.actions_made["class_1"].text()
    assert shown == button_text(text)


def test_the_pointer_on_a_hostile_class_shows_its_name(qtbot: QtBot, window: MainWindow):
    window.show_state(hostile(HOSTILE[0]))
    view = window.docks["classes"].widget().view
    where = view.visualRect(view.model().index(0)).center()
    event = QHelpEvent(QEvent.Type.ToolTip, where, view.viewport().mapToGlobal(where))
    QApplication.sendEvent(view.viewport(), event)
    qtbot.waitUntil(QToolTip.isVisible)
    assert rendered(QToolTip.text()).startswith(HOSTILE[0])
    assert "<img" not in QToolTip.text()
    QToolTip.showText(QPoint(), "")
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


@pytest.mark.parametrize("text", HOSTILE)
def test_recent_folders_are_named_as_they_are(qtbot: QtBot, text: str):
    folder = Path("/somewhere", text.replace("/", "∕"))
    page = StartPage()
    qtbot.addWidget(page)
    page.show_recent([folder])
    (button,) = page.recent
    assert isinstance(button, QAbstractButton)
    assert "…" in button.text() or button.text() == button_text(str(folder))
    assert rendered(button.toolTip()) == str(folder)
