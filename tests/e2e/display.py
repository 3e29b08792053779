"""A screen for the tests that open the real window: the one that is there, or an Xvfb of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def screen() -> Iterator[dict[str, str]]:
    """Environment variables for a program that opens a window, and what they stand for under "SAMTTA_SCREEN".

    On Linux it is the X display that there is, else an Xvfb that lives as long as this context, else (no Xvfb installed)
    Qt's offscreen platform; elsewhere the system's own screen.
    """
    if sys.platform != "linux":
        yield {"SAMTTA_SCREEN": "the system's own"}
    elif os.environ.get("DISPLAY"):
        yield {"QT_QPA_PLATFORM": "xcb", "SAMTTA_SCREEN": "the X display that was there"}
    elif shutil.which("Xvfb"):
        yield from _xvfb()
    else:
        yield {"QT_QPA_PLATFORM": "offscreen", "SAMTTA_SCREEN": "offscreen, since there is neither a display nor Xvfb"}


def _xvfb() -> Iterator[dict[str, str]]:
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as answers:
            number = answers.readline().strip()  # written when the server is ready
        yield {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "SAMTTA_SCREEN": f"Xvfb :{number}"}
    finally:
        server.terminate()
        server.wait()
