"""Something is on the screen at once: before the window's own modules, and long before torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from samtta_app.gui.widgets.splash import application, show_splash

ROOT = Path(__file__).resolve().parents[2]


def test_the_splash_is_shown_and_goes_when_the_window_comes(qtbot: QtBot):
    splash, window = show_splash(), QWidget()
    qtbot.addWidget(window)
    assert splash.isVisible()
    window.show()
    splash.finish(window)
    assert not splash.isVisible()
    splash.deleteLater()


def test_it_is_readable_in_the_platforms_colours(qapp: QApplication, qtbot: QtBot):
    splash = show_splash()
    qtbot.addWidget(splash)
    shown = splash.grab().toImage()
    colours = {shown.pixelColor(x, y).name() for x in range(0, shown.width(), 2) for y in range(0, shown.height(), 2)}
    assert len(colours) > 8  # ground, letters, mark


def test_the_application_is_made_once(qapp: QApplication):
    assert application() is qapp
    assert qapp.applicationDisplayName() == "samtta"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("samtta_app.gui.widgets.splash", ["torch", "numpy", "pyqtgraph", "cv2"]),
        (
            "samtta_app.gui.app",
            ["torch", "timm", "skimage", "scipy.optimize", "scipy.ndimage", "matplotlib", "PIL", "tifffile"],
        ),
    ],
)
def test_what_a_start_does_not_need_is_not_loaded(module: str, absent: list[str]):
    code = f"import sys, {module}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
