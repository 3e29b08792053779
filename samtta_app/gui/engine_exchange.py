"""Another engine for the open project: it is made ready beside the one that answers, and takes over once it can answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from samtta_app.core.replies import Reply
from samtta_app.errors import UserError
from samtta_app.gui.controller import Controller
from samtta_app.gui.idle_controller import IdleController
from samtta_app.gui.main_window import LOADING
from samtta_app.gui.worker import EngineProtocol, Worker
from samtta_app.settings import Settings, changed_names

OF_THE_ENGINE = frozenset({"model", "device", "strategy", "learn", "tidy_masks", "kept_features", "threads"})
"""The settings that an engine is made from."""

MAY_FAIL = frozenset({"model", "device"})
"""Those of them that a machine may lack."""

STEPPING = 150
"""Milliseconds without another change before an engine is made: a number is reached in steps."""

log = logging.getLogger(__name__)

_Factory = Callable[[Settings], EngineProtocol]


class EngineExchange(QObject):
    """Keeps the engine of a project as the settings name it.

    The one before answers until the new one is ready, and goes on where that fails.

    Args:
        controller: of the project; owns this.
        factory: makes an engine, on the thread of its worker.
        settings: those of the engine that answers.

    Signals:
        refused(dict, str): an engine could not be made; the values of the settings that are to hold again, and why. No
            values where there is no engine to go back to.
    """

    refused = Signal(object, object)

    def __init__(self, controller: Controller, factory: _Factory, settings: Settings) -> None:
        super().__init__(controller)
        self._controller, self._factory = controller, factory
        self._running = self._wanted = settings
        self._next: Worker | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(STEPPING)
        self._pause.timeout.connect(self._make)
        controller.leaving.connect(self._give_up)

    def want(self, settings: Settings) -> None:
        """Have an engine of these settings answer; one that is being made for other settings is given up."""
        before, self._wanted = self._wanted, settings
        if not _differ(before, settings):
            return
        self._give_up()
        if not _differ(self._running, settings):
            self._describe()
            return
        self._controller.described.emit(LOADING)
        self._pause.start()

    @Slot()
    def _make(self) -> None:
        """Begin to make the engine that is wanted."""
        made = partial(_engine_on_device, self._factory, self._wanted, self._running.device)
        self._next = Worker(made, IdleController)
        self._next.replied.connect(self._refuse)
        self._next.described.connect(self._take_over)
        self._next.start()

    def _describe(self) -> None:
        """Say which engine answers."""
        self._controller.described.emit(self._controller.description or LOADING)

    @Slot()
    def _give_up(self) -> None:
        self._pause.stop()
        if self._next is not None:
            self._next.close(0)
            self._next.deleteLater()
            self._next = None

    @Slot(object, object)
    def _take_over(self, description: str, tasks: tuple[str, ...]) -> None:
        """The new engine can answer."""
        worker = self._next
        if worker is None or self.sender() is not worker:
            return
        self._next, self._running = None, self._wanted
        worker.replied.disconnect(self._refuse)
        worker.described.disconnect(self._take_over)
        self._controller.take_engine(worker, self._running, description, tasks)

    @Slot(object)
    def _refuse(self, reply: Reply) -> None:
        """The new engine could not be made: nothing else is said by a worker that was asked nothing."""
        if self.sender() is not self._next:
            return
        self._give_up()
        log.info("The engine stays: %s", reply)
        wanted, self._wanted = self._wanted, self._running
        back: Mapping[str, Any] = MappingProxyType({})
        if self._controller.description == IdleController.description:
            self._running = self._wanted = wanted
        else:
            names = _differ(self._running, wanted)
            back = {name: getattr(self._running, name) for name in (names & MAY_FAIL or names)}
        self._describe()
        self.refused.emit(back, getattr(reply, "text", ""))


def _differ(one: Settings, other: Settings) -> frozenset[str]:
    """The names of the engine's settings that differ."""
    return OF_THE_ENGINE.intersection(changed_names(one, other))


def _engine_on_device(factory: _Factory, settings: Settings, before: str) -> EngineProtocol:
    """The engine of these settings, which is not to run elsewhere than on the device that was just chosen.

    Raises:
        UserError: it cannot.
    """
    engine = factory(settings)
    if settings.device != before and engine.device_refusal:
        raise UserError(engine.device_refusal, do="samtta doctor says what it lacks")
    return engine
