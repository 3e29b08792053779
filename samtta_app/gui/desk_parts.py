"""What `samtta bench desk` measures of the window, one part in a process of its own; the figures are printed as JSON.

No model answers: the parts are about the window, the list, the canvas and the project.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Annotation, Mask, Window
from samtta_app.datasets.samples.desk_images import write_large_image, write_small_images
from samtta_app.errors import UserError
from samtta_app.gui.app import Application
from samtta_app.gui.collecting import collected_here
from samtta_app.gui.widgets.splash import application as qt_application
from samtta_app.gui.worker import EngineProtocol
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.settings import Settings

Figures = dict[str, float]

WAIT = 600.0
"""Seconds after which a part is given up."""

PAN_FRAMES, PAN_STEP = 240, 7
"""Frames that are panned, and screen pixels between two of them."""

STROKES, POINTS = 8, 30
"""Strokes of the brush, and moves of the pointer in each."""

REMEMBERED = (100, 500)
"""The memory after this many accepted objects is compared."""


class FirstPaint(QObject):
    """Notes when a widget is painted first."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.at = math.nan
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note the time of the first paint."""
        if event.type() == QEvent.Type.Paint and math.isnan(self.at):
            self.at = time.time()
        return False


def start_part(begun: float) -> Figures:
    """Seconds from the start of the process to the first paint of the window."""
    made = _application()
    filling = made.window.stage.filling
    seen = FirstPaint(filling if filling is not None else made.window)
    made.window.show()
    _until(lambda: not math.isnan(seen.at))
    made.close()
    return {"first_paint_seconds": seen.at - begun}


def many_part(number: int) -> Figures:
    """Seconds until a folder of so many images is listed and painted, and the megabytes that it takes."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_small_images(folder, number)
        first, grown = _listed(folder)
        again, _ = _listed(folder)
    return {"images": number, "open_seconds": first, "open_again_seconds": again, "open_megabytes": grown}


def pan_part(masks: int, side: int) -> Figures:
    """Milliseconds of a frame while so many masks on an image of this side are panned at 100 %, half of them zoomed out."""
    with TemporaryDirectory() as place:
        made = _opened_large(Path(place), masks, side)
        canvas, times = made.window.canvas, []
        for scale in (1.0, 0.25):
            canvas.look_at(QPointF(side / 2, side / 2), scale)
            _settle()
            for k in range(PAN_FRAMES // 2):
                begun = time.perf_counter()
                canvas.pan(QPoint(PAN_STEP, PAN_STEP if k % 2 else -PAN_STEP))
                canvas.viewport().repaint()
                times.append(1000 * (time.perf_counter() - begun))
        made.close()
        return {"masks": masks, "side": side, **_spread("pan", times)}


def brush_part() -> Figures:
    """Milliseconds from a move of the pointer with the brush to the end of its paint."""
    with TemporaryDirectory() as place:
        write_small_images(Path(place), 1, side=1024)
        made = _opened(Path(place))
        made.window.canvas.fit()
        assert made.controller is not None
        made.controller.do(acts.UseTool("brush", 24.0))
        _settle()
        view, times = made.window.canvas.viewport(), []
        for stroke in range(STROKES):
            y = 120.0 + 40 * stroke
            _mouse(view, QEvent.Type.MouseButtonPress, QPointF(150, y))
            for k in range(POINTS):
                begun = time.perf_counter()
                _mouse(view, QEvent.Type.MouseMove, QPointF(150 + 8 * k, y + 6 * math.sin(k)))
                QApplication.processEvents()  # paints what the move made stale
                times.append(1000 * (time.perf_counter() - begun))
            _mouse(view, QEvent.Type.MouseButtonRelease, QPointF(150 + 8 * POINTS, y))
            _settle()
        made.close()
        return _spread("brush", times)


def memory_part() -> Figures:
    """Megabytes after 100 and after 500 objects that were drawn and accepted, and the growth as a share."""
    with TemporaryDirectory() as place:
        write_small_images(Path(place), 1, side=1024)
        made = _opened(Path(place))
        assert made.controller is not None
        known: Figures = {}
        for k in range(1, REMEMBERED[-1] + 1):
            x, y = 20.0 + 38 * (k % 25), 20.0 + 45 * (k // 25)
            made.controller.do(acts.PaintStroke(((x, y), (x + 12, y + 6)), 16.0))
            made.controller.do(acts.Accept())
            _settle(1)
            if k in REMEMBERED:
                known[f"megabytes_at_{k}"] = resident_megabytes()
        first, last = (known[f"megabytes_at_{k}"] for k in REMEMBERED)
        made.close()
        return {**known, "memory_growth": last / first - 1}


def resident_megabytes() -> float:
    """The memory of this process that is in use now; nan where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return math.nan
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run_part(name: str, given: list[str]) -> Figures:
    """Run a part by its name with the numbers that it takes."""
    parts: dict[str, Callable[..., Figures]] = {
        "start": start_part,
        "many": many_part,
        "pan": pan_part,
        "brush": brush_part,
        "memory": memory_part,
    }
    values = [float(text) if name == "start" else int(text) for text in given]
    return parts[name](*values)


# --- below the surface ------------------------------------------------------------------------------------------------


def _no_model(settings: Settings) -> EngineProtocol:
    raise UserError("The bench of the window needs no model")


def _application() -> Application:
    qt_application()
    made = Application(replace(Settings(), theme="light", hover="off"), _no_model, strategies={})
    made.window.resize(1600, 1000)
    return made


def _listed(folder: Path) -> tuple[float, float]:
    """Seconds until a folder is listed, its first image shown and all painted, and the megabytes that this takes."""
    made = _application()
    made.window.show()
    _settle()
    memory, begun = resident_megabytes(), time.perf_counter()
    made.open(folder)
    _until(
        lambda: made.controller is not None and made.controller.state.image is not None and made.controller.up_to_date
    )
    _settle()
    seconds, grown = time.perf_counter() - begun, resident_megabytes() - memory
    made.close()
    made.window.close()
    return seconds, grown


def _opened(folder: Path) -> Application:
    made = _application()
    made.window.show()
    made.open(folder)
    _until(lambda: made.controller is not None and made.controller.state.image is not None)
    _settle()
    return made


def _opened_large(folder: Path, masks: int, side: int) -> Application:
    """The window on one image with so many discs, spread over it."""
    write_large_image(folder / "large.tif", side)
    across = math.ceil(math.sqrt(masks))
    radius = max(side // across // 3, 3)
    rows, columns = np.ogrid[: 2 * radius + 1, : 2 * radius + 1]
    disc = trimmed((rows - radius) ** 2 + (columns - radius) ** 2 <= radius**2)
    window = Window(0, 0, side, side)

    def annotation(k: int) -> Annotation:
        x, y = (round((part + 0.5) * side / across) - radius for part in (k % across, k // across))
        mask = Mask(x, y, disc.bits)
        return Annotation(0, "large.tif", 1, mask, None, (), window, 0, math.nan, math.nan, 0.0, "", source="bench")

    with Store.open(folder) as store:
        store.accept_all([annotation(k) for k in range(masks)], side, side)
    return _opened(folder)


def _spread(name: str, times: list[float]) -> Figures:
    return {
        f"{name}_p50_ms": float(np.percentile(times, 50)),
        f"{name}_p95_ms": float(np.percentile(times, 95)),
        f"{name}_most_ms": max(times),
    }


def _mouse(view: QWidget, kind: QEvent.Type, place: QPointF) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else left
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else left
    QApplication.sendEvent(view, QMouseEvent(kind, place, view.mapToGlobal(place), button, held, none))


def _until(condition: Callable[[], bool]) -> None:
    """Let the window's events go on until a condition holds.

    Raises:
        UserError: it did not hold in WAIT seconds.
    """
    end = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > end:
            raise UserError("The window did not get so far in time")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)


def _settle(rounds: int = 5) -> None:
    """Let what is due be drawn."""
    for _ in range(rounds):
        QApplication.processEvents()


def print_part() -> None:
    """Run the part that the arguments name, and print its figures."""
    with collected_here():
        figures = run_part(sys.argv[1], sys.argv[2:])
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
    os._exit(0)  # nothing is to be kept


if __name__ == "__main__":
    print_part()
