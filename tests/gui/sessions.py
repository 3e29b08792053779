"""The real program in one process: window, controller, thread, store and a toy model, worked with mouse and keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from samtta_app.adapt.registry import STRATEGIES
from samtta_app.core.types import Mask
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import UserError
from samtta_app.gui.app import Application
from samtta_app.gui.controller import Controller
from samtta_app.gui.exporting import Exported
from samtta_app.gui.main_window import MainWindow
from samtta_app.gui.panels.images import ImagesPanel
from samtta_app.model.model_registry import toy_model
from samtta_app.session.state import State
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS
from tests.unit.model.test_hypotheses import nets_of

WAIT = 30_000
Key = Qt.Key


class Sitting:
    """A person who sits at the window of the program.

    Args:
        qtbot: waits.
        learn: whether the program learns from what is accepted.
        strategy: how it learns.
        model: the name by which the toy model goes.
        hypotheses: whether it draws plausible outlines.
    """

    def __init__(
        self,
        qtbot: QtBot,
        *,
        learn: bool = True,
        strategy: str = "samtta",
        model: str = "toy",
        hypotheses: bool = False,
    ) -> None:
        self._qtbot = qtbot
        settings = Settings(theme="light", learn=learn, strategy=strategy)  # type: ignore[arg-type]
        toy = replace(toy_model(), name=model)
        if hypotheses:
            toy = replace(toy, hypotheses=nets_of(toy, 0.3))
        self.application = Application(
            settings, lambda chosen: Engine(toy, adapting=STRATEGIES[chosen.strategy]), strategies=WORDS
        )
        self.window.resize(1200, 800)
        self.window.show()

    # --- what is seen -------------------------------------------------------------------------------------------------

    @property
    def window(self) -> MainWindow:
        return self.application.window

    @property
    def controller(self) -> Controller:
        assert self.application.controller is not None
        return self.application.controller

    @property
    def state(self) -> State:
        return self.controller.state

    @property
    def said(self) -> str:
        """Everything that the message bar says now."""
        return "\n".join(line.message.text for line in self.window.messages.lines)

    @property
    def severities(self) -> list[str]:
        return [line.message.severity for line in self.window.messages.lines]

    @property
    def images(self) -> ImagesPanel:
        panel = self.window.docks["images"].widget()
        assert isinstance(panel, ImagesPanel)
        return panel

    @property
    def settled(self) -> bool:
        """Whether the open image is there, or was just said not to come."""
        message = self.state.message
        return self.state.image is not None or (message is not None and message.severity == "error")

    @property
    def answered(self) -> bool:
        preview = self.state.preview
        return preview is not None and preview.candidate is not None and not preview.waiting

    def tip(self, row: int) -> str:
        """What the list says of an image under the pointer."""
        return str(self.images.model.index(row).data(Qt.ItemDataRole.ToolTipRole))

    def brightness(self, x: float, y: float) -> int:
        """How bright the screen is at an image point."""
        return self.window.canvas.viewport().grab().toImage().pixelColor(self.place(x, y)).lightness()

    # --- what is done -------------------------------------------------------------------------------------------------

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait for a condition, and until what led to it is on the screen."""
        self._qtbot.waitUntil(lambda: bool(condition()) and self.sees_all, timeout=WAIT)

    @property
    def sees_all(self) -> bool:
        """Whether the newest state is on the screen: several in one frame are drawn together."""
        return self.application.controller is None or self.application.controller.up_to_date

    def opens(self, folder: Path, project: Path | None = None) -> None:
        """Open a folder, as the command line does."""
        self.application.open(folder, project)
        self.wait(lambda: self.settled)

    def shows(self, name: str) -> None:
        """Choose an image in the list."""
        row = next(k for k, entry in enumerate(self.state.images) if entry.name == name)
        self.images.view.setCurrentIndex(self.images.model.index(row))
        self.wait(lambda: self.settled)

    def gives_room(self, name: str) -> None:
        """Hide the other docks: on a small screen the panel of learning is folded."""
        for other, dock in self.window.docks.items():
            dock.setVisible(other == name)
        QApplication.processEvents()

    def place(self, x: float, y: float) -> QPoint:
        """Where an image point is on the canvas."""
        return self.window.canvas.viewportTransform().map(QPointF(x, y)).toPoint()

    def clicks(self, x: float, y: float, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Click an image point with the mouse."""
        QTest.mouseClick(self.window.canvas.viewport(), Qt.MouseButton.LeftButton, keys, self.place(x, y))
        self.wait(lambda: True)

    def drags(self, start: QPoint, end: QPoint) -> None:
        """Draw a box between two points of the canvas."""
        viewport, left, none = (
            self.window.canvas.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QTest.mousePress(viewport, left, none, start)
        QTest.mouseMove(viewport, (start + end) / 2)
        QTest.mouseMove(viewport, end)
        QTest.mouseRelease(viewport, left, none, end)

    def presses(self, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key on the canvas."""
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)
        self.window.canvas.setFocus()
        QTest.keyClick(self.window.canvas, key, keys)
        self.wait(lambda: True)

    def previews(self, *places: tuple[float, float]) -> Mask:
        """Click until there is a mask that holds something: a toy's masks may be empty."""
        for x, y in places:
            self.clicks(x, y)
            self.wait(lambda: self.answered)
            for _ in range(3):
                preview = self.state.preview
                if preview is not None and preview.candidate is not None and preview.candidate.mask.area:
                    return preview.candidate.mask
                self.presses(Key.Key_Tab)
            self.presses(Key.Key_Escape)
        raise AssertionError("the toy model found nothing at all")

    def accepts(self, *places: tuple[float, float]) -> Mask:
        """Click, and press Enter."""
        before = len(self.state.annotations)
        mask = self.previews(*places)
        self.presses(Key.Key_Return)
        assert len(self.state.annotations) == before + 1, self.said
        return mask

    def leaves(self) -> None:
        """Close the window."""
        self.application.close()
        self.window.close()
        QApplication.processEvents()


def until(condition: Callable[[], bool]) -> None:
    """Let the window's events go on until a condition holds."""
    end = time.monotonic() + WAIT / 1000
    while not condition():
        assert time.monotonic() < end
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def exported(controller: Controller, name: str, folder: Path) -> tuple[Path, ...]:
    """Export in the format `name` ("statistics": the figures), wait for its end, and return the files or raise its error."""
    ends: list[Exported | UserError] = []
    controller.exported.connect(ends.append)
    if name == "statistics":
        controller.export_statistics(folder)
    else:
        controller.export(name, folder)
    until(lambda: bool(ends))
    controller.exported.disconnect(ends.append)
    (end,) = ends
    if isinstance(end, UserError):
        raise end
    return end.files
