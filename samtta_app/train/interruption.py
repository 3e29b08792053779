"""Ctrl+C during a run: the run ends after the current step, so that it is saved in a consistent state."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Interruption(KeyboardInterrupt):
    """Ctrl+C after which a run was saved; `checkpoint` continues after `step` steps."""

    def __init__(self, checkpoint: Path, step: int) -> None:
        self.checkpoint, self.step = checkpoint, step
        super().__init__(f"stopped after step {step}; the same command with --resume {checkpoint} goes on")


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """In the block, the first Ctrl+C only sets the event; a second one interrupts as usual."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
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
