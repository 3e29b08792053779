"""Between window and workflow: acts go in, requests go to the worker, replies come back, views hear of each new state once.

Views that are slow to draw listen to `drawn` instead of `state_changed`: of many quick states only the last is drawn.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal, Slot

from samtta_app.core.mask_shape import MaskShape
from samtta_app.core.messages import HoverRequest, Request, ThumbnailRequest
from samtta_app.core.planes import ReadingChoice
from samtta_app.core.replies import Failure, Hovered, Reply, Thumbnailed
from samtta_app.core.types import Click, Window
from samtta_app.errors import ExportError, StoreError, UserError
from samtta_app.formats.detections import Detections
from samtta_app.formats.export_choice import EVERYTHING, ExportChoice
from samtta_app.formats.importers import ImportedObject
from samtta_app.gui.exporting import Exported, ExportTask, ExportThread, export_words, figures_task, masks_task
from samtta_app.gui.shape_reader import ShapeReader
from samtta_app.gui.worker import MODEL, Worker
from samtta_app.phrases import Phrase
from samtta_app.session.acts import OpenImage, Show, UserAct, in_words
from samtta_app.session.project.listing import image_folders, row_of_file
from samtta_app.session.project.place_memory import LastView
from samtta_app.session.project.store import Store
from samtta_app.session.review_list import ProjectComparison
from samtta_app.session.state import Severity, State
from samtta_app.session.workflow.workflow import Workflow
from samtta_app.settings import Settings

FRAME = 16
"""Least milliseconds between two drawings: a screen shows no more."""

CLOSING_SECONDS = 5.0
"""Seconds that closing waits for the mask of an object that was already accepted by hand."""

log = logging.getLogger(__name__)


class Controller(QObject):
    """Runs one session; it decides nothing itself.

    Signals:
        state_changed(State): there is a new state; emitted once for each.
        drawn(State): this state is to be drawn. It is emitted with `state_changed`, or once for several of them that come
            within FRAME or within the time of the last drawing. Another image is drawn at once: clicks aim at what is drawn.

        described(object): the model that answers, and its device.
        exported(object): an export has ended, with an Exported or a UserError.

        hover_answered(Hovered): what a click under the pointer would show.
        thumbnailed(Thumbnailed): a small picture that was asked for.

        leaving: the project is about to be closed.
        moved: the images are in other folders now.
        shapes_read(object): forms of masks by object id.

    Args:
        workflow: decides.
        worker: answers; both belong to this controller from now on and are closed with it.
    """

    state_changed = Signal(object)
    drawn = Signal(object)
    described = Signal(object)
    exported = Signal(object)
    shapes_read = Signal(object)
    hover_answered = Signal(object)
    thumbnailed = Signal(object)
    leaving = Signal()
    moved = Signal()

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
        self._closed, self._hovers = False, 0
        self._exporting: ExportThread | None = None
        self._shaping: ShapeReader | None = None
        self.description, self.tasks = "", tuple[str, ...]()
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

    def last_view(self) -> LastView | None:
        """What was on the screen when the project was left; None where nothing is known."""
        return self.store.last_view()

    def remember_view(self, view: LastView | None) -> None:
        """Remember what is on the screen; nothing is where the project is read-only or closed.

        Raises:
            StoreError: nothing was stored.
        """
        if not self._closed and not self.store.read_only:
            with self.store.in_haste():
                self.store.remember_view(view)

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
        """End the worker, take its last answers, and close the project; an export under way is cancelled.

        Acts that wait for an answer are served first, if it comes within CLOSING_SECONDS; what was not done is logged.
        """
        if self._closed:
            return
        self.leaving.emit()
        self._reading.stop()
        self.cancel_export()
        if self._shaping is not None:
            self._shaping.stop()
        self._serve_waiting()
        self._worker.close()
        if self._exporting is not None:
            log.warning("The window was closed while an export was under way: it was cancelled")
            self._exporting.wait()
        QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall)
        self._closed = True
        self._pause.stop()
        if self.state.waiting:
            log.warning("The window was closed before these acts were done: %s", in_words(self.state.waiting))
        self._workflow.end()
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
        if isinstance(reply, Hovered):
            self.hover_answered.emit(reply)
        elif isinstance(reply, Thumbnailed):
            self.thumbnailed.emit(reply)
        elif isinstance(reply, Failure) and reply.request_id < 0:
            log.info("There is no preview under the pointer: %s", reply.text)
        elif isinstance(reply, Failure) and reply.kind == MODEL:
            log.info("There is no model: %s", reply.text)
            self._workflow.say(
                "error", Phrase("{text} Images can be looked at, but clicks are not answered.", text=reply.text)
            )
            self._pass_on(())
        else:
            self._pass_on(self._workflow.receive(reply))

    def take_engine(self, worker: Worker, settings: Settings, description: str, tasks: tuple[str, ...]) -> None:
        """Let another worker, which has its engine, answer from now on; the last answers of the one before are taken."""
        before, self._worker = self._worker, worker
        before.close(0)
        QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall)
        before.deleteLater()
        worker.replied.connect(self.receive)
        self._describe(description, tasks)
        self._pass_on(self._workflow.take_engine(settings))

    @Slot(object, object)
    def _describe(self, description: str, tasks: tuple[str, ...]) -> None:
        self.description, self.tasks = description, tasks
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
        """Have the newest state drawn, if it was not yet; then pause, so that keys and clicks are handled."""
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

    def adjust(self, settings: Settings) -> None:
        """Use what of the settings holds at once in an open project."""
        self._workflow.adjust(settings)
        if settings.overlay_opacity != self.state.display.opacity:
            self.do(Show(opacity=settings.overlay_opacity))

    def say(self, severity: Severity, text: str) -> None:
        """Show one line in the message bar, of something that happened beside the session."""
        self._workflow.say(severity, text)
        self._pass_on(())

    def ask_hover(self, click: Click, view: Window | None) -> int:
        """Ask what a click would show, and return the request's id; `hover_answered` tells it. 0 without an image.

        It changes no state, so the workflow never hears of it.
        """
        state, image = self.state, self._workflow.seen_image()
        if image is None or self._closed:
            return 0
        self._hovers -= 1  # below those of the workflow
        name = next((c.name for c in state.classes if c.id == state.current_class), "")
        self._worker.send(HoverRequest(self._hovers, image, click, view, state.current_class, name))
        return self._hovers

    def ask_thumbnail(self, path: Path, side: int) -> None:
        """Ask for a picture of at most `side` pixels of a file; `thumbnailed` tells it, when nothing else is to be done."""
        if self._closed:
            return
        with suppress(StoreError):  # the list does without; what is to be stored reports it
            planes = self.store.reading.planes
            self._hovers -= 1
            self._worker.send(ThumbnailRequest(self._hovers, path, side, planes))

    def images_where(self, wanted: Literal["look"] | int) -> frozenset[str]:
        """The names of the images with a mask that needs a look, or with objects of the class of this number."""
        return self._workflow.images_to_look_at() if wanted == "look" else self.store.images_of_class(wanted)

    def save(self) -> None:
        """Store the steps of the object that is not accepted yet, at once.

        Raises:
            StoreError: they could not be stored.
        """
        if not self._closed:
            self._workflow.save()

    def show_image(self, path: Path) -> bool:
        """Show an image of the project by its file's path; False where the project does not list it."""
        place = row_of_file(self.state.images, path)
        if place is not None and place != self.state.index:
            self.do(OpenImage(place))
        return place is not None

    def refresh_images(self) -> None:
        """List the folder's images again: some have come or gone."""
        if not self._closed:
            self._pass_on(self._workflow.refresh_images())

    def image_folders(self) -> tuple[Path, ...]:
        """The folders that hold the project's images, the topmost first; none once the project is closed."""
        if self._closed:
            return ()
        return image_folders(self.store.folder, subfolders=self.store.reading.subfolders)

    def read_shapes(self, ids: frozenset[int]) -> bool:
        """Begin to compute the forms of these objects' masks, `shapes_read` gives them; False while others are computed."""
        if self._shaping is not None or self._closed:
            return False
        self._shaping = ShapeReader(self.store.glance(), ids, self)
        self._shaping.ended.connect(self._shapes_ended)
        self._shaping.start()
        return True

    @Slot(object)
    def _shapes_ended(self, found: dict[int, MaskShape]) -> None:
        if self._shaping is not None:
            self._shaping.deleteLater()
            self._shaping = None
        if not self._closed:
            self.shapes_read.emit(found)

    # --- files --------------------------------------------------------------------------------------------------------

    def export(self, format_name: str, folder: Path, choice: ExportChoice = EVERYTHING) -> None:
        """Begin to write what is chosen in a format of FORMATS; a message and `exported` say how it ended.

        Raises:
            ExportError: another export is under way.
        """
        self._export(masks_task(self._reader(), format_name, folder, choice))

    def export_statistics(self, folder: Path) -> None:
        """Begin to write the session's figures and raw records, as `export` does.

        Raises:
            ExportError: another export is under way.
        """
        self._export(figures_task(self._reader(), folder))

    def import_objects(self, objects: Sequence[ImportedObject], source: str, *, teach: bool) -> None:
        """Store objects of another program with the name of their source; a message says how many there are.

        Raises:
            StoreError: nothing was stored.
        """
        self._pass_on(self._workflow.take_imported(objects, source, teach=teach))

    def map_images(self, folder: Path) -> None:
        """Take the project's images from another folder, where they are now.

        Raises:
            ProjectError: none of them is there; nothing has changed.
        """
        self._pass_on(self._workflow.map_images(folder))
        self.moved.emit()

    def choose_reading(self, choice: ReadingChoice) -> None:
        """Read the folder's files otherwise from now on, and show the open image again.

        Raises:
            StoreError: nothing was stored.
        """
        self._pass_on(self._workflow.choose_reading(choice))
        self.moved.emit()

    def review_boxes(self, detections: Detections, source: str) -> None:
        """Have the masks in a detector's boxes proposed, on this image and on those that are opened next."""
        if not self._closed:
            self._pass_on(self._workflow.take_detections(detections, source))

    def compare(self, comparison: ProjectComparison) -> None:
        """Review the differences with another annotator's project."""
        if not self._closed:
            self._pass_on(self._workflow.compare(comparison))

    def cancel_export(self) -> None:
        """Cancel the export that is under way; no file of it stays."""
        if self._exporting is not None:
            self._exporting.cancel()

    def _reader(self) -> Callable[[], Store]:
        if self._exporting is not None:
            raise ExportError("Another export is under way", do="Wait for its end, or cancel it")
        return self.store.reader()

    def _export(self, task: ExportTask) -> None:
        self._exporting = ExportThread(task, self)
        self._exporting.progressed.connect(self._export_progressed)
        self._exporting.ended.connect(self._export_ended)
        self._export_progressed("Exporting")
        self._exporting.start()

    @Slot(object)
    def _export_progressed(self, words: str) -> None:
        self._workflow.show_export(words)
        self._pass_on(())

    @Slot(object)
    def _export_ended(self, outcome: Exported | UserError) -> None:
        if self._exporting is not None:
            self._exporting.deleteLater()
            self._exporting = None
        self._workflow.show_export("")
        self._workflow.say(*export_words(outcome))
        self._pass_on(())
        self.exported.emit(outcome)
