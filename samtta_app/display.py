"""Whether a window can be opened here. The display itself is asked, because Qt ends the process where it cannot open one."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

DISPLAY_SECONDS = 10.0
"""Seconds after which a silent display counts as dead; a forwarded one on a slow line needs one or two."""

WINDOWLESS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")
"""Qt platforms that need no display."""

_ASK_X = """
import ctypes, sys, time
try:
    xcb = ctypes.CDLL("libxcb.so.1")
except OSError:
    sys.exit(2)
xcb.xcb_connect.restype = ctypes.c_void_p
xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
for wait in (0.2, 0.5, 0):
    if not xcb.xcb_connection_has_error(xcb.xcb_connect(None, None)):
        sys.exit(0)
    time.sleep(wait)
sys.exit(1)
"""
"""Connects like Qt's X11 platform, in a separate process, because a connection may hang.

It tries three times: an X server that has just lost its last client restarts and refuses new clients meanwhile.
"""

_ASK_QT = "import sys; from PySide6.QtWidgets import QApplication; QApplication(sys.argv[:1])"

X11_LIBRARIES: Mapping[str, tuple[str, str]] = {
    "libEGL.so.1": ("libegl1", "libglvnd-egl"),
    "libGL.so.1": ("libgl1", "libglvnd-glx"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11"),
}
"""Shared object that Qt's X11 platform loads -> its package on Debian and Ubuntu, and on Fedora."""


def missing_libraries(libraries: Iterable[str], load: Callable[[str], object] = ctypes.CDLL) -> list[str]:
    """The shared objects that cannot be loaded."""
    missing = []
    for name in libraries:
        try:
            load(name)
        except OSError:
            missing.append(name)
    return missing


def named_display(environment: Mapping[str, str]) -> str:
    """The display or Qt platform that the environment names, "" where it names none."""
    names = ("WAYLAND_DISPLAY", "DISPLAY", "QT_QPA_PLATFORM")
    return next((environment[name] for name in names if environment.get(name)), "")


def display_fault(system: str, environment: Mapping[str, str]) -> str:
    """Why no window can be opened, "" where one can; only Linux can be without a display. It takes some 0.01 s."""
    if not system.startswith("linux"):
        return ""
    platform = _platform(environment)
    if platform in WINDOWLESS:
        return ""
    if platform and platform not in ("xcb", "wayland", "wayland-egl"):
        return qt_fault(environment)
    if platform != "xcb" and _wayland_answers(environment):
        return ""
    if platform.startswith("wayland") or not environment.get("DISPLAY"):
        name = environment.get("WAYLAND_DISPLAY")
        return f"the Wayland display {name} does not answer" if name else "there is no display"
    missing = missing_libraries(X11_LIBRARIES)
    if missing:
        return f"Qt's libraries are missing: {', '.join(missing)}"
    return _x_fault(environment)


def qt_fault(environment: Mapping[str, str]) -> str:
    """Qt's error where it cannot open a window, "" where it can; a separate process tries it in about a second."""
    code, said = _tried([sys.executable, "-c", _ASK_QT], environment)
    if code == 0:
        return ""
    lines = [line for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "could not" in line.lower() or "error" in line.lower()]
    return (telling or lines or [f"Qt ended with {code}"])[0].strip()


def _platform(environment: Mapping[str, str]) -> str:
    """The first Qt platform that the environment names; "xcb:..." and "wayland;xcb" are reduced to it."""
    return environment.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0].strip()


def _x_fault(environment: Mapping[str, str]) -> str:
    display = environment.get("DISPLAY", "")
    code, _ = _tried([sys.executable, "-I", "-S", "-c", _ASK_X], environment)
    if code == 2:
        return "Qt's libraries are missing: libxcb.so.1"
    return f"the display {display} does not answer" if code else ""


def _tried(command: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit code (-1: it did not end or could not be started) and stderr of a command."""
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=DISPLAY_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"no answer within {DISPLAY_SECONDS:.0f} s"
    except OSError as error:
        return -1, str(error)
    return done.returncode, done.stderr


def _wayland_answers(environment: Mapping[str, str]) -> bool:
    name = environment.get("WAYLAND_DISPLAY", "")
    if not name:
        return False
    path = Path(environment.get("XDG_RUNTIME_DIR", os.sep), name)  # an absolute name replaces the folder
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(DISPLAY_SECONDS)
            client.connect(str(path))
    except OSError:
        return False
    return True
