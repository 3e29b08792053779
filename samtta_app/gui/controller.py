"""Between window and workflow: acts go in, requests go to the worker, replies come back, views hear of each new state once.

What is dear to draw listens to `drawn` in place of `state_changed`: a burst of states is drawn once, with the last of them.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal, Slot

from samtta_app.core.messages import Failure, Reply, Request
from samtta_app.core.names import displayable
from samtta_app.formats import EXPORTERS
from samtta_app.gui.worker import MODEL, Worker
from samtta_app.session.acts import UserAct, in_words
from samtta_app.session.project.store import Store
from samtta_app.session.state import State
from samtta_app.session.statistics.statistics_export import write_statistics
from samtta_app.session.workflow.workflow import Workflow

FRAME = 16
"""Milliseconds between two drawings at least: a screen shows no more."""

CLOSING_SECONDS = 5.0
"""Seconds that closing waits for the mask of an object that was already accepted by hand."""

log = logging.getLogger(__name__)


class Controller(QObject):
    """Runs one session; it decides nothing itself.

    Signals:
        state_changed(State): there is a new state; emitted once for each.
        drawn(State): this state is to be drawn; emitted with `state_changed`, or for several of them together within FRAME or
            as long as the last drawing took; at once where another image is shown, since clicks aim at what is drawn.
        described(str): the model that answers, and its device.

    Args:
        workflow: decides.
        worker: answers; both belong to this controller from now on and are closed with it.
    """

    state_changed = Signal(object)
    drawn = Signal(object)
    described = Signal(str)

    def __init__(self, workflow: Workflow, worker: Worker) -> None:
        super().__init__()
        self._workflow, self._worker = workflow, worker
        self._shown: State | None = None
        self._drawn: State | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._draw)
        self._reading = QTimer(self)
        self._reading.timeout.connect(self._read_on)
        self._closed = False
        self.description = ""
        worker.replied.connect(self.receive)
        worker.described.connect(self._describe)

    @property
    def state(self) -> State:
        """What is to be shown."""
        return self._workflow.state

    @property
    def up_to_date(self) -> bool:
        """Whether the newest state has been drawn."""
        return self._drawn is self._workflow.state

    @property
    def store(self) -> Store:
        """The open project, to be read from."""
        return self._workflow.store

    def start(self) -> None:
        """Load the model and resume the session; to be called once the views listen."""
        self._worker.start()
        self._pass_on(self._workflow.start(at_once=False))
        self._reading.start(0)  # between the window's events

    @Slot()
    def _read_on(self) -> None:
        """Read some of the records of earlier runs."""
        if not self._workflow.read_on():
            self._reading.stop()
        self._pass_on(())

    def close(self) -> None:
        """End the worker, take what it had still answered, and close the project.

        Acts that wait for an answer are served first, if it comes within PATIENCE; what was not done is logged.
        """
        if self._closed:
            return
        self._reading.stop()
        self._serve_waiting()
        self._worker.close()
        QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall)
        self._closed = True
        self._pause.stop()
        if self.state.waiting:
            log.warning("The window was closed before its turn came to: %s", in_words(self.state.waiting))
        self._workflow.store.close()

    def _serve_waiting(self) -> None:
        end = time.monotonic() + CLOSING_SECONDS
        while self.state.waiting and (left := end - time.monotonic()) > 0 and self._worker.wait(left):
            QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall)

    # --- the engine's replies -----------------------------------------------------------------------------------------

    @Slot(object)
    def receive(self, reply: Reply) -> None:
        """Take a reply of the worker."""
        if self._closed:
            return
        if isinstance(reply, Failure) and reply.kind == MODEL:
            log.info("There is no model: %s", reply.text)
            self._workflow.say("error", f"{reply.text} Images can be looked at, but clicks are not answered.")
            self._pass_on(())
        else:
            self._pass_on(self._workflow.receive(reply))

    @Slot(str)
    def _describe(self, description: str) -> None:
        self.description = description
        self.described.emit(description)

    def _pass_on(self, requests: tuple[Request, ...]) -> None:
        for request in requests:
            self._worker.send(request)
        state = self._workflow.state
        if state is not self._shown:
            self._shown = state
            self.state_changed.emit(state)
            moved = self._drawn is None or (state.image, state.index) != (self._drawn.image, self._drawn.index)
            if moved or not self._pause.isActive():
                self._draw()

    @Slot()
    def _draw(self) -> None:
        """Have the newest state drawn, if it was not yet; then rest, so that keys and clicks get their turn."""
        state = self._workflow.state
        if state is not self._drawn:
            self._drawn = state
            self._pause.start(FRAME)  # what a view does while it draws is drawn afterwards
            begun = time.monotonic()
            self.drawn.emit(state)
            self._pause.start(max(FRAME, round(1000 * (time.monotonic() - begun))))

    # --- what a user does ---------------------------------------------------------------------------------------------

    def do(self, act: UserAct) -> None:
        """Do what a user asked for."""
        self._pass_on(self._workflow.do(act))

    def refresh_images(self) -> None:
        """List the folder's images again: some have come or gone."""
        if not self._closed:
            self._pass_on(self._workflow.refresh_images())

    # --- files --------------------------------------------------------------------------------------------------------

    def export(self, format_name: str, folder: Path) -> list[Path]:
        """Write the annotations in one of the EXPORTERS' formats; a line says where.

        Raises:
            ExportError: it did not happen; no partial file stays.
        """
        project = self.store.project()
        return self._written(
            "Exported", EXPORTERS[format_name](project, folder), folder, (*project.remarks,), project.words
        )

    def export_statistics(self, folder: Path) -> list[Path]:
        """Write the session's figures and raw records; a line says where.

        Raises:
            ExportError: it did not happen; no partial file stays.
        """
        return self._written("Figures written", write_statistics(self.store, folder), folder, self.store.left_out)

    def _written(
        self, done: str, files: list[Path], folder: Path, remarks: tuple[str, ...], more: str = ""
    ) -> list[Path]:
        number = "1 file" if len(files) == 1 else f"{len(files)} files"
        said = displayable(f"{done}: {number} in {folder}{'. ' if more else ''}{more}")
        self._workflow.say(*(("warning", f"{said}. {displayable('; '.join(remarks))}") if remarks else ("good", said)))
        self._pass_on(())
        return files
