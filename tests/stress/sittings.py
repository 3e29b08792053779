"""A person at the program, with and without a window: accepts one object after the other and says what is stored."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Annotation, Click
from samtta_app.engine.dispatch import Engine
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.session import acts
from samtta_app.simulation.driver import Driver
from tests.gui.sessions import Sitting
from tests.unit.session.real import Nudging
from tests.unit.session.scripted import HEIGHT, WIDTH

TOY = "toy"
TRIES = 40
"""Places at which a toy is asked, at most, until it finds something."""

LONG = 3_600_000
"""Milliseconds in which hundreds of objects are learned on a busy machine."""


class Hand(Protocol):
    """What accepts objects."""

    def accepts(self, x: float, y: float) -> Annotation:
        """Click there, or where there is something to be found, and accept; returns what the program shows as stored."""


def places() -> Iterator[tuple[float, float]]:
    """Points all over an image of the tests, without end."""
    k = 0
    while True:
        yield 8 + 37 * k % (WIDTH - 16), 8 + 23 * k % (HEIGHT - 16)
        k += 1


def digest(annotation: Annotation) -> str:
    """Tells accepted objects apart by image, class, place and every pixel."""
    mask = trimmed(annotation.mask.bits, annotation.mask.x, annotation.mask.y)
    where = f"{annotation.image_name} {annotation.class_id} {mask.x} {mask.y} {mask.bits.shape}"
    return hashlib.sha256(where.encode() + np.packbits(mask.bits).tobytes()).hexdigest()[:16]


class Headless:
    """Workflow, store and engine in one thread; every accepted object is learned and its weights are published.

    Args:
        folder: the images; `project` is another place for the session.
        model: "toy", or what `load_model` takes.
        twin: whether accepted objects are replayed for the statistics.
    """

    def __init__(self, folder: Path, project: Path | None = None, *, model: str = TOY, twin: bool = False) -> None:
        loaded = toy_model() if model == TOY else load_model(model, "cpu", 256)
        engine = Engine(loaded, adapting=Nudging()) if model == TOY else Engine(loaded)
        self.driver = Driver(folder, project or folder / ".samtta", engine, learn=True, twin=twin)

    def accepts(self, x: float, y: float) -> Annotation:
        driver, before = self.driver, len(self.driver.state.annotations)
        for step in range(TRIES):
            driver.settle(
                driver.workflow.do(acts.PlaceClick(Click((x + 11 * step) % WIDTH, (y + 7 * step) % HEIGHT, True)))
            )
            if self._turned_to_something():
                break
            driver.settle(driver.workflow.do(acts.Cancel()))
        requests = driver.workflow.do(acts.Accept())
        assert len(driver.state.annotations) == before + 1, driver.state.message
        stored = driver.state.annotations[-1]
        self.acknowledge(stored)
        driver.settle(requests)
        return stored

    def acknowledge(self, stored: Annotation) -> None:
        """Called between the accept and what follows from it."""

    def _turned_to_something(self) -> bool:
        for _ in range(3):
            preview = self.driver.state.preview
            if preview is not None and preview.candidate is not None and preview.candidate.mask.area:
                return True
            self.driver.settle(self.driver.workflow.do(acts.NextCandidate()))
        return False

    def next_image(self) -> None:
        """Go to the next image."""
        self.driver.settle(self.driver.workflow.do(acts.NextImage()))

    def settles(self) -> None:
        """Wait for everything that is under way: nothing ever is."""

    def visits(self) -> None:
        """Look at every image."""
        for index in range(len(self.driver.state.images)):
            self.driver.settle(self.driver.workflow.do(acts.OpenImage(index)))

    def close(self) -> None:
        """Leave in order."""
        self.driver.close()


class Windowed:
    """The real window, offscreen, worked with mouse and keys."""

    def __init__(self, folder: Path) -> None:
        self.qt = QApplication.instance() or QApplication([])
        self.sitting = Sitting(Patience(), strategy="samtta")  # type: ignore[arg-type]
        self.sitting.opens(folder)

    def accepts(self, x: float, y: float) -> Annotation:
        self.sitting.accepts(*(((x + 11 * k) % WIDTH, (y + 7 * k) % HEIGHT) for k in range(TRIES)))
        return self.sitting.state.annotations[-1]

    def next_image(self) -> None:
        """Go to the next image."""
        before = self.sitting.state.index
        self.sitting.presses(Qt.Key.Key_D)
        self.sitting.wait(lambda: self.sitting.state.index > before and self.sitting.settled)

    def settles(self) -> None:
        """Wait until everything that was accepted is learned."""
        Patience().waitUntil(lambda: self.sitting.state.adaptation.activity == "idle", LONG)

    def close(self) -> None:
        """Close the window and wait for what runs behind it."""
        self.sitting.leaves()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


class Patience:
    """Waits as pytest-qt does, where there is no test."""

    def waitUntil(self, condition: Callable[[], object], timeout: int) -> None:
        """Let the window work until the condition holds; TimeoutError after `timeout` milliseconds."""
        until = time.monotonic() + timeout / 1000
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError("what was waited for did not come")
            QApplication.processEvents()
            os.sched_yield()
