"""Cycles are collected on the window's thread alone; elsewhere Qt would crash."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QTimer

COLLECT_EVERY = 1000
"""Milliseconds between two looks whether enough was made since the last collection."""


@contextmanager
def collected_here() -> Iterator[None]:
    """Collect cycles on this thread alone, once a second.

    Python otherwise collects on any thread that allocates. The engine's thread would then delete widgets of a closed
    window while the window's own thread paints.

    Source: pyqtgraph's GarbageCollector, whose package takes a third of the time until the window is painted.
    """
    enabled, timer = gc.isenabled(), QTimer()
    timer.timeout.connect(_collect)
    gc.disable()
    timer.start(COLLECT_EVERY)
    try:
        yield
    finally:
        timer.stop()
        if enabled:
            gc.enable()


def _collect() -> None:
    """Collect what Python would have collected by now: younger objects more often."""
    for generation, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)):
        if count <= most:
            return
        gc.collect(generation)
