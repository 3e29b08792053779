"""What labelme needs for what `samtta bench desk` measures: `python desk_peers.py start BEGUN` or `... many FOLDER`.

This file imports nothing of samtta, so that it runs in the environment that holds labelme, with whatever Qt is there.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import time
from contextlib import suppress
from typing import Any

BINDINGS = ("PySide6", "PyQt6", "PyQt5")
"""Bindings of Qt that versions of labelme use, newest first."""

LABELME_MODULES = ("labelme._app", "labelme.app")
"""Where versions of labelme have their window, newest first."""

LOADERS = ("_import_images_from_dir", "import_images_from_dir", "importDirImages")
"""What versions of labelme call to list a folder, newest first."""


def labelme_start(begun: str) -> dict[str, float]:
    """Seconds from the start of the process to the first paint of labelme's window."""
    core, qt, window = _labelme()
    painted: list[float] = []

    class _Painted(core.QObject):  # type: ignore[misc, name-defined]
        def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: ANN401, N802 (Qt's own)
            if event.type() == core.QEvent.Type.Paint:
                painted.append(time.time())
            return False

    seen = _Painted()
    window.centralWidget().installEventFilter(seen)
    window.installEventFilter(seen)
    window.show()
    while not painted:
        qt.processEvents()
    return {"first_paint_seconds": painted[0] - float(begun)}


def labelme_many(folder: str) -> dict[str, float]:
    """Seconds until labelme has listed a folder, shown its first image and painted its window."""
    _, qt, window = _labelme()
    window.show()
    qt.processEvents()
    begun = time.perf_counter()
    load = next(getattr(window, name) for name in LOADERS if hasattr(window, name))
    named = "root_dir" in inspect.signature(load).parameters
    load(root_dir=folder) if named else load(folder)
    for _ in range(5):
        qt.processEvents()
    return {"open_seconds": time.perf_counter() - begun}


def _labelme() -> tuple[Any, Any, Any]:
    """Qt's core, the application and labelme's window."""
    core = widgets = made = None
    for name in BINDINGS:
        with suppress(ImportError):
            core, widgets = importlib.import_module(f"{name}.QtCore"), importlib.import_module(f"{name}.QtWidgets")
            break
    assert widgets is not None, "there is no binding of Qt"
    qt = widgets.QApplication([])
    for name in LABELME_MODULES:
        with suppress(ImportError):
            made = importlib.import_module(name)
            break
    assert made is not None, "labelme is not installed"
    window = made.MainWindow()
    window.resize(1600, 1000)
    return core, qt, window


if __name__ == "__main__":
    found = {"start": labelme_start, "many": labelme_many}[sys.argv[1]](sys.argv[2])
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)
