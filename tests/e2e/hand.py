"""A hand at the real window: runs the real command line, and works in its window with mouse and key events.

Started as `python -m tests.e2e.hand PLAN REPORT ARGUMENT...`: PLAN is one of PLANS, REPORT the JSON file for what it saw, the
arguments are samtta's own. The events go to the window's handle, so that Qt itself finds the widget or the shortcut.
"""

from __future__ import annotations

import faulthandler
import inspect
import json
import os
import signal
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QElapsedTimer, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

import samtta_app.engine.dispatch  # noqa: F401 - torch before QApplication, as in the program itself
from samtta_app.cli.entry import main
from samtta_app.gui.dialogs.dialogs import ExportDialog
from samtta_app.gui.main_window import MainWindow
from samtta_app.session.state import State

PATIENCE = 30_000
"""Milliseconds after which something that was waited for will not come."""

Plan = Generator[Callable[[], object], None, None]
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Hand(QObject):
    """Goes on with the plan when what it waits for has come, looking every few milliseconds."""

    def __init__(self, plan: Callable[[Hand], Plan], report: Path) -> None:
        super().__init__()
        self.seen: dict[str, Any] = {}
        self._report, self._plan = report, plan(self)
        self._waiting: Callable[[], object] = self._window_there
        self._clock, self._timer = QElapsedTimer(), QTimer(self)
        self._timer.timeout.connect(self._look)
        self._clock.start()
        self._timer.start(10)

    # --- what it sees -----------------------------------------------------------------------------------------------

    @property
    def window(self) -> MainWindow:
        return next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))

    @property
    def state(self) -> State:
        return self.window.state

    def see(self, **found: object) -> None:
        """Write down what is seen, at once: the process may be killed."""
        self.seen |= found
        self._report.write_text(json.dumps(self.seen))

    def answered(self) -> bool:
        preview = self.state.preview
        return preview is not None and preview.candidate is not None and not preview.waiting

    def sampled(self) -> bool:
        """Plausible outlines have come after the answer."""
        preview = self.state.preview
        return preview is not None and preview.answer is not None and bool(preview.answer.samples)

    # --- what it does -----------------------------------------------------------------------------------------------

    def click(self, x: float, y: float, keys: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
        """Click an image point."""
        QTest.mouseClick(self.window.windowHandle(), button, keys, self._place(x, y))

    def drag(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Draw a box from one image point to another."""
        handle = self.window.windowHandle()
        QTest.mousePress(handle, LEFT, NONE, self._place(x0, y0))
        QTest.mouseMove(handle, self._place((x0 + x1) / 2, (y0 + y1) / 2))
        QTest.mouseMove(handle, self._place(x1, y1))
        QTest.mouseRelease(handle, LEFT, NONE, self._place(x1, y1))

    def press(self, widget: QWidget) -> None:
        """Click the middle of a widget, in its own window."""
        window = widget.window()
        QTest.mouseClick(window.windowHandle(), LEFT, NONE, widget.mapTo(window, widget.rect().center()))

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        """Press a key in the main window."""
        QTest.keyClick(self.window.windowHandle(), key, keys)

    def type(self, widget: QWidget, text: str) -> None:
        """Type over what a field holds."""
        self.press(widget)
        handle = widget.window().windowHandle()
        QTest.keyClick(handle, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        for letter in text:
            QTest.keyClick(handle, letter)

    def _place(self, x: float, y: float) -> QPoint:
        canvas = self.window.canvas
        there = canvas.viewportTransform().map(QPointF(x, y)).toPoint()
        return canvas.viewport().mapTo(self.window, there)

    # --- going on -----------------------------------------------------------------------------------------------------

    def _window_there(self) -> bool:
        windows = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible()]
        return bool(windows) and _ready(windows[0])

    def _line(self) -> int:
        """Where in the plan it waits, 0 at its end."""
        plan = self._plan
        if plan.gi_frame is None:
            return 0
        while inspect.isgenerator(plan.gi_yieldfrom):
            plan = plan.gi_yieldfrom
        return plan.gi_frame.f_lineno

    def _look(self) -> None:
        try:
            if self._waiting():
                self._waiting = next(self._plan, lambda: False)  # at the end it waits for the program's end
                self._clock.restart()
            elif self._clock.elapsed() > PATIENCE:
                raise TimeoutError(
                    f"waited in vain at line {self._line()}: {self.state.message}, {self.state.adaptation.last}"
                )
        except BaseException as error:
            self._timer.stop()
            self.see(error=f"{type(error).__name__}: {error}")
            self.window.close()
            raise


# --- plans: each yields what to wait for ----------------------------------------------------------------------------


def places() -> list[tuple[float, float]]:
    """Where the objects of the test's image are."""
    return [tuple(place) for place in json.loads(os.environ["SAMTTA_PLACES"])]


def _accept(hand: Hand, x: float, y: float) -> Plan:
    before = len(hand.state.annotations)
    hand.click(x, y)
    yield hand.answered
    hand.key(Qt.Key.Key_Return)
    yield lambda: len(hand.state.annotations) == before + 1


def whole_way(hand: Hand) -> Plan:
    """Click, correct, accept until something is published; export; close."""
    yield lambda: hand.state.image is not None
    hand.see(screen=QApplication.platformName(), title=hand.window.windowTitle())
    hand.key(Qt.Key.Key_U)
    yield lambda: hand.state.display.overlay == "entropy"
    (x, y), *others = places()
    hand.click(x, y)
    yield hand.answered
    yield hand.sampled
    preview = hand.state.preview
    candidates = [card.samples for card in preview.candidates] if preview else []
    hand.key(Qt.Key.Key_Tab)
    yield hand.answered
    hand.click(x + 60, y, Qt.KeyboardModifier.ShiftModifier)
    yield lambda: hand.answered() and len(hand.state.preview.clicks) == 2  # type: ignore[union-attr]
    hand.key(Qt.Key.Key_Backspace)
    yield lambda: hand.answered() and len(hand.state.preview.clicks) == 1  # type: ignore[union-attr]
    hand.key(Qt.Key.Key_Return)
    yield lambda: len(hand.state.annotations) == 1
    hand.drag(others[0][0] - 30, others[0][1] - 30, others[0][0] + 30, others[0][1] + 30)
    yield hand.answered
    hand.key(Qt.Key.Key_Space)
    yield lambda: len(hand.state.annotations) == 2
    for place in others[1:]:
        yield lambda: len(hand.state.adaptation.reports) >= len(hand.state.annotations)
        if hand.state.adaptation.version > 0:  # only when all is learned: a later lesson may hold an earlier one back
            break
        yield from _accept(hand, *place)
    yield lambda: hand.state.adaptation.version > 0
    hand.see(candidates=candidates, **_seen(hand.state))
    hand.window.grab().save(os.environ.get("SAMTTA_PICTURE", os.devnull), "PNG")
    yield from _export(hand)
    yield lambda: hand.state.adaptation.activity == "idle"
    hand.see(**_seen(hand.state))
    hand.key(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)


def _export(hand: Hand) -> Plan:
    hand.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    yield lambda: any(isinstance(w, ExportDialog) and w.isVisible() for w in QApplication.topLevelWidgets())
    dialog = next(w for w in QApplication.topLevelWidgets() if isinstance(w, ExportDialog))
    yield lambda: _ready(dialog)
    target = Path(os.environ["SAMTTA_EXPORT"])
    hand.type(dialog.folder.line, str(target))
    yield lambda: dialog.folder.line.text() == str(target)
    hand.press(dialog.go)
    yield lambda: (target / "annotations/instances_default.json").exists() and "export" not in hand.window.dialogs
    yield lambda: _ready(hand.window)


def look_again(hand: Hand) -> Plan:
    """Write down what is there after opening, and leave."""
    yield lambda: hand.state.image is not None and hand.state.adaptation.version == int(os.environ["SAMTTA_VERSION"])
    hand.see(**_seen(hand.state))
    hand.click(*places()[-1])
    yield hand.answered
    preview = hand.state.preview
    hand.see(answered_by=preview.weights_version if preview else -1)
    hand.key(Qt.Key.Key_Escape)
    yield lambda: hand.state.preview is None
    hand.key(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)


def be_killed(hand: Hand) -> Plan:
    """Accept three objects, begin a fourth, and die without a word while the learner is at work."""
    yield lambda: hand.state.image is not None
    first, second, third, fourth, *_ = places()
    for number, place in enumerate((first, second, third), start=1):
        yield from _accept(hand, *place)
        hand.see(accepted=number, areas=[a.mask.area for a in hand.state.annotations])
    hand.click(*fourth)
    yield hand.answered
    hand.see(activity=hand.state.adaptation.activity)
    os.kill(os.getpid(), signal.SIGKILL)


PLANS: Mapping[str, Callable[[Hand], Plan]] = {
    "whole_way": whole_way,
    "look_again": look_again,
    "be_killed": be_killed,
}


def _ready(window: QWidget) -> bool:
    """Whether a window is on the screen and has the keyboard; asks for it, since a bare X server has no window manager."""
    handle = window.windowHandle()
    if handle is None or not handle.isExposed():
        return False
    if not window.isActiveWindow():
        window.activateWindow()
    return window.isActiveWindow()


def _seen(state: State) -> dict[str, object]:
    return {
        "image": state.images[state.index].name,
        "areas": [a.mask.area for a in state.annotations],
        "clicks": [len(a.clicks) for a in state.annotations],
        "version": state.adaptation.version,
        "reports": len(state.adaptation.reports),
        "objects": state.statistics.objects,
    }


if __name__ == "__main__":
    faulthandler.dump_traceback_later(240, exit=True)
    application = QApplication(["samtta"])
    hand = Hand(PLANS[sys.argv[1]], Path(sys.argv[2]))
    main(sys.argv[3:])
