"""Between window and workflow: acts go in, requests go to the worker, replies come back, views hear of each new state once.

What is dear to draw listens to `drawn` in place of `state_changed`: a burst of states is drawn once, with the last of them.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal, Slot

from samtta_app.core.messages import ControlAction, Failure, Reply, Request
from samtta_app.core.names import displayable
from samtta_app.core.types import Box, Window
from samtta_app.formats import EXPORTERS
from samtta_app.gui.worker import MODEL, Worker
from samtta_app.session.acts import in_words
from samtta_app.session.project.store import Store
from samtta_app.session.state import OverlayKind, State
from samtta_app.session.statistics.statistics_export import write_statistics
from samtta_app.session.workflow.workflow import Workflow

FRAME = 16
"""Milliseconds between two drawings at least: a screen shows no more."""

CLOSING_SECONDS = 5.0
"""Seconds that closing waits for the mask of an object that was already accepted by hand."""

log = logging.getLogger(__name__)


class Controller(QObject):
    """Runs one session; it decides nothing itself. Its methods are named like the workflow's.

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

    # --- images -------------------------------------------------------------------------------------------------------

    def open_image(self, index: int) -> None:
        """Show an image."""
        self._pass_on(self._workflow.open_image(index))

    def next_image(self, step: int = 1) -> None:
        """Show the next image, or with -1 the previous."""
        self._pass_on(self._workflow.next_image(step))

    def next_unreviewed(self) -> None:
        """Show the next image without an annotation."""
        self._pass_on(self._workflow.next_unreviewed())

    def refresh_images(self) -> None:
        """List the folder's images again: some have come or gone."""
        if not self._closed:
            self._pass_on(self._workflow.refresh_images())

    # --- one object ---------------------------------------------------------------------------------------------------

    def click(self, x: float, y: float, positive: bool, view: Window | None = None) -> None:
        """Include or exclude an image point."""
        self._pass_on(self._workflow.click(x, y, positive, view))

    def box(self, box: Box, view: Window | None = None) -> None:
        """Ask for the object in a box."""
        self._pass_on(self._workflow.box(box, view))

    def next_candidate(self, step: int = 1) -> None:
        """Show another candidate mask."""
        self._pass_on(self._workflow.next_candidate(step))

    def turn(self, step: int = 1) -> None:
        """Show another candidate mask, or select another annotation."""
        self._pass_on(self._workflow.turn(step))

    def ask_larger(self) -> None:
        """Have the larger model answer the object at hand."""
        self._pass_on(self._workflow.ask_larger())

    def accept(self, then_next: bool = False) -> None:
        """Store the shown mask, and learn from it."""
        self._pass_on(self._workflow.accept(then_next))

    def cancel(self) -> None:
        """Put the preview aside, or drop the selection."""
        self._pass_on(self._workflow.cancel())

    def remove_click(self) -> None:
        """Take back the newest click."""
        self._pass_on(self._workflow.remove_click())

    def undo(self) -> None:
        """Undo the newest act."""
        self._pass_on(self._workflow.undo())

    def redo(self) -> None:
        """Do again what was undone last."""
        self._pass_on(self._workflow.redo())

    # --- annotations and classes --------------------------------------------------------------------------------------

    def select(self, annotation_id: int | None) -> None:
        """Select an annotation, or none."""
        self._pass_on(self._workflow.select(annotation_id))

    def select_next(self, step: int = 1) -> None:
        """Select the next annotation."""
        self._pass_on(self._workflow.select_next(step))

    def next_review(self) -> None:
        """Show the accepted mask that needs a second look most."""
        self._pass_on(self._workflow.next_review())

    def confirm_review(self) -> None:
        """The selected mask is right; show the next one that needs a look."""
        self._pass_on(self._workflow.confirm_review())

    def delete_selected(self) -> None:
        """Delete the selected annotation."""
        self._pass_on(self._workflow.delete_selected())

    def set_class(self, class_id: int) -> None:
        """Choose a class."""
        self._pass_on(self._workflow.set_class(class_id))

    def add_class(self, name: str) -> None:
        """Add a class."""
        self._pass_on(self._workflow.add_class(name))

    def rename_class(self, class_id: int, name: str) -> None:
        """Give a class another name."""
        self._pass_on(self._workflow.rename_class(class_id, name))

    # --- the view, the learner, files ---------------------------------------------------------------------------------

    def show(
        self,
        *,
        masks: bool | None = None,
        overlay: OverlayKind | None = None,
        opacity: float | None = None,
        compare: bool | None = None,
    ) -> None:
        """Show or hide masks, a map of uncertainty (`opacity` 0 .. 1), and the answer of the original weights."""
        self._pass_on(self._workflow.show(masks=masks, overlay=overlay, opacity=opacity, compare=compare))

    def control(self, action: ControlAction) -> None:
        """Pause, resume, roll back, or reset the learner."""
        self._pass_on(self._workflow.control(action))

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
