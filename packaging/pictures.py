"""The window on the sample images, light and dark, as pictures for the front page: `python packaging/pictures.py`.

The real program opens, real clicks and keys annotate cells, and the window is grabbed in both themes. Needs a display,
for example `xvfb-run -a -s "-screen 0 1600x1000x24" python packaging/pictures.py --out resources/pictures`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import torch  # noqa: F401 - before Qt, as samtta itself does
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.datasets.samples.sample_set import write_samples
from samtta_app.gui.app import Application, engine_for
from samtta_app.gui.main_window import MainWindow
from samtta_app.settings import Settings, Theme

DEADLINE_S = 180
"""No click takes longer, on a machine that is busy otherwise."""

LEARNING_S = 400
"""The pictures are taken after this time in any case, even while samtta still learns."""

LARGEST = 200_000
"""Bytes of a picture, at most: it lies in the repository."""

THEMES: tuple[Theme, ...] = ("light", "dark")


def main() -> None:
    """Take both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("resources/pictures"), help="folder for the pictures")
    parser.add_argument("--size", default="1280x800", help="width x height of the window")
    parser.add_argument("--objects", type=int, default=12, help="objects to accept first")
    parser.add_argument("--details", action="store_true", help="open the details of the learning panel")
    parser.add_argument("--map", action="store_true", help="show the first map of uncertainty")
    given = parser.parse_args()
    width, height = (int(part) for part in given.size.split("x"))
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="samtta-pictures-") as name:
        os.environ["SAMTTA_HOME"] = name
        qt = QApplication.instance() or QApplication([])
        samples = write_samples(Path(name) / "samples")
        application = Application(Settings(theme="light"), engine_for, strategies=STRATEGY_WORDS)
        window = application.window
        window.resize(width, height)
        window.show()
        try:
            application.open(samples / "images", Path(name) / "project")
            annotate(window, samples / "masks", given.objects)
            if given.details:
                window.docks["adaptation"].widget().details.button.click()
            if given.map:
                press(window, Qt.Key.Key_U)
                wait(lambda: window.state.overlay is not None)
            for theme in THEMES:
                window.choose_theme(theme)
                wait(lambda: window.controller.up_to_date)
                QTest.qWait(500)
                save(window, given.out / f"window_{theme}.webp")
        finally:
            application.close()
            window.close()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            qt.processEvents()


def annotate(window: MainWindow, masks: Path, objects: int) -> None:
    """Accept `objects` cells, with one more click where the first was not enough; leave one with a preview."""
    wait(lambda: window.state.image is not None)
    labels = cv2.imread(str(masks / window.state.images[window.state.index].name), cv2.IMREAD_UNCHANGED)
    press(window, Qt.Key.Key_F)
    for number in [int(n) for n in np.unique(labels) if n][:objects]:
        truth = labels == number
        click(window, inner_point(truth))
        shown = shown_mask(window, truth.shape)
        if _iou(shown, truth) < 0.85 and (truth & ~shown).sum() > 20:
            click(window, inner_point(truth & ~shown))
        if _iou(shown_mask(window, truth.shape), truth) < 0.7:
            press(window, Qt.Key.Key_Escape)
            continue
        before = len(window.state.annotations)
        press(window, Qt.Key.Key_Return)
        wait(lambda before=before: len(window.state.annotations) > before)
    with suppress(TimeoutError):
        wait(lambda: window.state.adaptation.activity == "idle", LEARNING_S)
    for number in [int(n) for n in np.unique(labels) if n][objects:]:
        click(window, inner_point(labels == number))
        if _iou(shown_mask(window, labels.shape), labels == number) > 0.75:
            return
        press(window, Qt.Key.Key_Escape)


def shown_mask(window: MainWindow, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The mask on the screen as a bitmap of the image."""
    full = np.zeros(shape, dtype=bool)
    preview = window.state.preview
    if preview is not None and preview.candidate is not None:
        mask = preview.candidate.mask
        rows, columns = mask.bits.shape
        full[mask.y : mask.y + rows, mask.x : mask.x + columns] = mask.bits
    return full


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def inner_point(region: NDArray[np.bool_]) -> tuple[float, float]:
    """The point (x, y) of a region that lies farthest from its outline."""
    inside = cv2.distanceTransform(np.pad(region.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return float(column) + 0.5, float(row) + 0.5


def click(window: MainWindow, point: tuple[float, float]) -> None:
    """Click a point of the image and wait for the mask."""
    place = window.canvas.viewportTransform().map(QPointF(*point)).toPoint()
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    QTest.mouseMove(window.canvas.viewport(), place)
    QTest.mouseClick(window.canvas.viewport(), left, none, place)
    wait(lambda: answered(window))


def answered(window: MainWindow) -> bool:
    """Whether the newest click has its mask."""
    preview = window.state.preview
    return preview is not None and preview.candidate is not None and not preview.waiting


def press(window: MainWindow, key: Qt.Key) -> None:
    """Press a key on the canvas."""
    window.activateWindow()
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, key)
    QTest.qWait(50)


def wait(condition: Callable[[], bool], deadline: float = DEADLINE_S) -> None:
    """Let the window work until the condition holds.

    Raises:
        TimeoutError: it does not within the deadline.
    """
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the window did not come so far")
        QTest.qWait(20)


def save(widget: QWidget, path: Path) -> None:
    """Write what a widget shows as WebP, in the best quality within the size that is allowed.

    Raises:
        ValueError: not even the lowest quality is small enough.
    """
    shown = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), shown.bytesPerLine())
    picture = Image.fromarray(rows[:, : 3 * shown.width()].reshape(shown.height(), shown.width(), 3).copy())
    for quality in (90, 80, 70, 60):
        picture.save(path, quality=quality, method=6)
        if path.stat().st_size <= LARGEST:
            return
    raise ValueError(f"{path} is larger than {LARGEST} bytes")


if __name__ == "__main__":
    main()
