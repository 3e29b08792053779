"""Ctrl+C during a run: it ends after the step that it is in, so that nothing is half done when it is saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Interruption(KeyboardInterrupt):
    """Ctrl+C, after which a run was saved: `checkpoint` goes on after `step` steps."""

    def __init__(self, checkpoint: Path, step: int) -> None:
        self.checkpoint, self.step = checkpoint, step
        super().__init__(f"stopped after step {step}; the same command with --resume {checkpoint} goes on")


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Within, the first Ctrl+C only sets the event; a second one interrupts as ever."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals are for the main thread
        yield asked
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(*_: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
