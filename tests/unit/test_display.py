"""Whether a window can be opened is asked of the display itself, and nothing that is asked can hang or end the program."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from samtta_app import display
from samtta_app.display import X11_LIBRARIES, display_fault, missing_libraries, named_display, qt_fault

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be without a display")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bare() -> dict[str, str]:
    """The environment without a display."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return {name: text for name, text in os.environ.items() if name not in names}


def test_only_linux_can_be_without_a_display():
    assert display_fault("darwin", {}) == display_fault("win32", {}) == ""
    assert display_fault("linux", {}) == "there is no display"


@pytest.mark.parametrize("platform", ["offscreen", "minimal", "offscreen:size=100x100", "vnc;xcb"])
def test_a_platform_without_windows_needs_no_display(platform: str):
    assert display_fault("linux", {"QT_QPA_PLATFORM": platform}) == ""


@linux
@pytest.mark.parametrize("name", [":4711", "nowhere:0", ":not a number", "x" * 5000])
def test_a_display_that_does_not_answer_is_named(bare: dict[str, str], name: str):
    fault = display_fault("linux", {**bare, "DISPLAY": name})
    assert name in fault
    assert "does not answer" in fault


@linux
def test_a_wayland_display_that_does_not_answer_is_named_and_x_is_asked_where_there_is_one(
    bare: dict[str, str], tmp_path: Path
):
    dead = {**bare, "WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert "wayland-9" in display_fault("linux", dead)
    assert ":4711" in display_fault("linux", {**dead, "DISPLAY": ":4711"})
    assert "wayland-9" in display_fault("linux", {**dead, "DISPLAY": ":4711", "QT_QPA_PLATFORM": "wayland"})


@linux
def test_a_wayland_display_that_answers_will_do(bare: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("wayland-0")
        server.listen()
        environment = {**bare, "WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": "."}
        assert display_fault("linux", environment) == ""
        forced = {**environment, "QT_QPA_PLATFORM": "xcb"}
        assert display_fault("linux", forced) == "the Wayland display wayland-0 does not answer"


@linux
def test_a_display_that_keeps_silent_is_given_up(bare: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(display, "DISPLAY_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1] - 6000
        if number < 0:
            pytest.fail("the system gave a port below those of X")
        assert "does not answer" in display_fault("linux", {**bare, "DISPLAY": f"127.0.0.1:{number}"})


@linux
def test_a_display_that_refuses_once_is_asked_again(bare: dict[str, str]):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            for _ in range(3):
                connection, _ = server.accept()
                asked.append(connection.recv(1))
                connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        fault = display_fault("linux", {**bare, "DISPLAY": f"127.0.0.1:{server.getsockname()[1] - 6000}"})
        thread.join()
    assert len(asked) == 3
    assert "does not answer" in fault


def test_missing_libraries_are_named():
    def load(name: str) -> object:
        if "cursor" in name:
            raise OSError(name)
        return object()

    assert missing_libraries(X11_LIBRARIES, load) == ["libxcb-cursor.so.0"]


@linux
def test_libraries_that_qt_would_end_the_process_for_are_a_fault(bare: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(display, "missing_libraries", lambda names: ["libxcb-cursor.so.0"])
    assert "libxcb-cursor.so.0" in display_fault("linux", {**bare, "DISPLAY": ":0"})
    assert "libxcb-cursor.so.0" in display_fault("linux", {**bare, "DISPLAY": ":0", "QT_QPA_PLATFORM": "xcb"})


@linux
def test_a_platform_that_qt_does_not_have_is_a_fault_in_qts_own_words(bare: dict[str, str]):
    environment = {**bare, "QT_QPA_PLATFORM": "no-such-platform"}
    assert "no-such-platform" in display_fault("linux", environment)
    assert qt_fault({**bare, "QT_QPA_PLATFORM": "offscreen"}) == ""


def test_what_is_named_is_said():
    assert named_display({}) == ""
    assert named_display({"DISPLAY": ":1", "WAYLAND_DISPLAY": "w"}) == "w"
    assert named_display({"QT_QPA_PLATFORM": "offscreen"}) == "offscreen"


@linux
def test_the_real_command_ends_with_2_and_one_line_under_a_dead_display(bare: dict[str, str]):
    environment = {
        **bare,
        "DISPLAY": ":4711",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    done = subprocess.run(
        [sys.executable, "-m", "samtta_app", "open"], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "samtta doctor" in done.stderr
