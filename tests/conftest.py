"""What holds for every test: no stray warning log, no thread left behind, nothing written outside the test's folder."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.e2e.display import screen

settings.register_profile(
    "samtta", deadline=None, database=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("samtta")  # no test is timed

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
os.environ["LANGUAGE"] = "en"  # what is tested is said in English, on any machine
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell does that to what it starts in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker of pytest-xdist a screen of its own: on one, the windows of two tests take each other's focus."""
    if sys.platform == "linux" and "PYTEST_XDIST_WORKER" in os.environ and os.environ.pop("DISPLAY", None):
        os.environ.pop("WAYLAND_DISPLAY", None)
        until_the_end = ExitStack()
        os.environ.update(until_the_end.enter_context(screen()))
        config.add_cleanup(until_the_end.close)


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: many tests wait for a program, a window or a disk."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """A report about a name that is not UTF-8 reaches the process that prints it: half characters travel as escapes."""
    return _encodable((yield))


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    return type(value)(map(_encodable, value)) if isinstance(value, (list, tuple)) else value


class _Collector(logging.Handler):
    """Keeps what was logged at WARNING or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record."""
        self.records.append(record)


@pytest.fixture(autouse=True)
def no_stray_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that logs at WARNING or above, unless it asked for `caplog`, to look at the log itself."""
    collector = _Collector()
    logging.getLogger().addHandler(collector)
    yield
    logging.getLogger().removeHandler(collector)
    if collector.records and "caplog" not in request.fixturenames:
        lines = [f"{record.name}: {record.levelname}: {record.getMessage()}" for record in collector.records]
        pytest.fail("logged, although the test did not ask for caplog:\n" + "\n".join(lines), pytrace=False)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test that leaves a Python thread of its own running."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and not _passing(thread)]
    for thread in left:
        thread.join(2)
    names = [thread.name for thread in left if thread.is_alive()]
    if names:
        pytest.fail(f"threads left running: {', '.join(names)}", pytrace=False)


def _passing(thread: threading.Thread) -> bool:
    """Threads of libraries that live as long as the process: tqdm's monitor, Qt's own as Python sees them, fsspec's."""
    library = isinstance(thread, threading._DummyThread) or type(thread).__name__ == "TMonitor"
    return library or thread.name.startswith(("fsspecIO", "asyncio_"))


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the homes of all tests lie: pytest reads a whole folder for each numbered one that it makes in it."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def samtta_home(homes: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh folder in place of the person's own settings, models and logs."""
    home = Path(tempfile.mkdtemp(dir=homes))
    monkeypatch.setenv("SAMTTA_HOME", str(home))
    return home
