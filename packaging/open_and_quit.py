"""Open samtta's window on a folder with one image, as a person would, wait until it stands, and quit: exit code 0.

Usage: python packaging/open_and_quit.py FOLDER (made where it is missing). The installed samtta is opened.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch  # noqa: F401 - before Qt, as samtta itself does
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from samtta_app.cli.entry import main

DEADLINE_MS, STEP_MS = 120_000, 100


def quit_when_shown(seen: list[str]) -> None:
    """Close the window once it is visible, with its title kept in `seen`; give up at the deadline."""
    timer = QTimer(QApplication.instance())
    waited = [0]

    def look() -> None:
        waited[0] += STEP_MS
        windows = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible() and widget.windowTitle()]
        if windows and waited[0] > 10 * STEP_MS:
            seen.extend(window.windowTitle() for window in windows)
            timer.stop()
            QApplication.closeAllWindows()
            QApplication.quit()
        elif waited[0] > DEADLINE_MS:
            QApplication.exit(3)

    timer.timeout.connect(look)
    timer.start(STEP_MS)


def open_and_quit(folder: Path) -> int:
    """Run samtta's own command line on the folder; 0 when a window with a title was seen and it ended well."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((320, 240), 60).save(folder / "noise.png")
    seen: list[str] = []
    run_loop = QApplication.exec

    def exec_and_quit(*_: object) -> int:
        quit_when_shown(seen)
        return run_loop()

    QApplication.exec = exec_and_quit  # type: ignore[method-assign]
    try:
        main([str(folder)])
    except SystemExit as end:
        if end.code not in (0, None):
            print(f"samtta ended with {end.code!r}", file=sys.stderr)
            return 1
    print(f"window seen: {', '.join(seen) or 'none'}")
    return 0 if seen else 4


if __name__ == "__main__":
    sys.exit(open_and_quit(Path(sys.argv[1])))
