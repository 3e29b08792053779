"""The program with a window: connects store, workflow, engine and window, and closes them again."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType, MappingProxyType, TracebackType
from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot

from samtta_app.errors import UserError
from samtta_app.gui.collecting import collected_here
from samtta_app.gui.controller import FRAME, Controller
from samtta_app.gui.dialogs.crash_report import NOT_SAVED, SAVED, CrashReport, crash_report
from samtta_app.gui.engine_exchange import EngineExchange
from samtta_app.gui.folder_watch import FolderWatch
from samtta_app.gui.idle_controller import IdleController
from samtta_app.gui.main_window import MainWindow
from samtta_app.gui.opening import ImagesGoneError, ask_images, folder_and_image, require_images
from samtta_app.gui.recent import same_folder
from samtta_app.gui.sample_maker import SampleMaker
from samtta_app.gui.widgets.splash import Splash
from samtta_app.gui.widgets.splash import application as qt_application
from samtta_app.gui.widgets.translation import install_translators
from samtta_app.gui.window_renewal import renewed_window
from samtta_app.gui.worker import EngineProtocol, Worker
from samtta_app.phrases import Phrase
from samtta_app.session.project.location import places
from samtta_app.session.project.store import Store
from samtta_app.session.state import Message
from samtta_app.session.workflow.workflow import Workflow
from samtta_app.settings import Settings, changed_names, data_folder, feature_folder, learns_in_order
from samtta_app.threads import compute_with

Simulate = Callable[[Controller], bool]
"""Does a user's next act once the last one is answered; False when nothing is left to do."""

_Factory = Callable[[Settings], EngineProtocol]
"""Makes what answers: the model that the settings name, adapting as they say."""

PACE = 40
"""Milliseconds between two steps of the simulated annotator."""

TAKEN_BACK = "{why} The settings are as they were before."

WENT_WRONG = "Something went wrong ({kind}: {error}). {saved} The details are in {file}"

log = logging.getLogger(__name__)


class Application(QObject):
    """The window and the project that is open in it.

    Args:
        settings: the user's settings.
        factory: makes the engine, on the worker's thread.
        strategies: what each strategy does, in words, by name.
        given: settings that override the user's own for this run, by name, until the user changes them in the window.
    """

    def __init__(
        self,
        settings: Settings,
        factory: _Factory,
        *,
        strategies: Mapping[str, str],
        given: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self._factory, self._given = factory, dict(given)
        self._settings, self._refusal = settings, ""
        self._exchange: EngineExchange | None = None
        self._samples: SampleMaker | None = None
        self._person = QTimer(self)
        self._person.timeout.connect(self._look)
        self._simulate: Simulate | None = None
        self._closed = False
        self.controller: Controller | None = None
        self.window = MainWindow(None, settings=settings, strategies=strategies)
        self._serve(self.window)

    def _serve(self, window: MainWindow) -> None:
        """Do what a window asks for."""
        window.folder_chosen.connect(self.open_folder)
        window.samples_wanted.connect(self.open_samples)
        window.settings_changed.connect(self._use)
        window.closing.connect(self.close)

    def open(self, place: Path, project: Path | None = None) -> None:
        """Open a folder of images in place of the one open before, and resume its session.

        `place` may be an image, which is then shown first. The model is loaded in the background, once the window is on
        the screen.

        Raises:
            ProjectError: it cannot be opened; what was open before stays.
        """
        settings = replace(self.window.settings, **self._given)
        folder, image = folder_and_image(place)
        require_images(folder, project)
        store, before = Store.open(folder, project), self.controller
        try:
            workflow = Workflow(
                store,
                learn=settings.learn,
                strategy=settings.strategy,
                in_order=learns_in_order(settings.strategy),
                control_share=settings.control_share,
                idle_seconds=settings.idle_seconds,
                opacity=settings.overlay_opacity,
            )
            workflow.begin_at(image)
            opened = Controller(workflow, Worker(partial(self._factory, settings), IdleController))
            self.window.attach(opened)
        except BaseException:
            store.close()
            if before is not None:
                self.window.attach(before)
            raise
        self.controller = opened
        opened.adjust(settings)
        self._exchange = EngineExchange(opened, self._factory, settings)
        self._exchange.refused.connect(self._take_back)
        if before is not None:
            before.close()
            before.deleteLater()
        watch = FolderWatch(opened.image_folders, opened)
        watch.changed.connect(opened.refresh_images)
        opened.moved.connect(watch.watch)
        QTimer.singleShot(0, opened, partial(self._start, opened))

    def _start(self, controller: Controller) -> None:
        if controller is self.controller and not self._closed:
            controller.start()

    def simulate(self, simulate: Simulate) -> None:
        """Let a simulated annotator work in the window."""
        self._simulate = simulate
        self._person.start(PACE)

    @Slot(Path)
    def open_folder(self, place: Path) -> None:
        """Open a folder, or the folder of an image; if that fails, a message says why."""
        try:
            if self.controller is not None and self.controller.show_image(place):
                return
            folder = folder_and_image(place)[0]
            if self.controller is not None and same_folder(self.controller.state.project, places(folder, None)[1]):
                return  # also under another name: its project is locked by this very window
            try:
                self.open(place)
            except ImagesGoneError as gone:
                self._find_images(gone)
        except UserError as e:
            self.window.report(e)

    def _find_images(self, gone: ImagesGoneError) -> None:
        """Ask where the images of a project are now; the project remembers it."""
        self.window.show_message(Message("warning", str(gone)))
        found = ask_images(self.window, Path(gone.where))
        if found is not None:
            self.open(found, gone.home)

    @Slot()
    def open_samples(self) -> None:
        """Make the sample images on another thread, and open them."""
        if self._samples is None:
            self.window.show_message(Message("info", "The samples are being made; this takes a few seconds, once"))
            self._samples = SampleMaker()
            self._samples.made.connect(self._samples_made)
            self._samples.start()

    @Slot()
    def close(self) -> None:
        """End everything that runs; a second call does nothing."""
        self._closed = True
        self._person.stop()
        if self._samples is not None:
            self._samples.give_up()
            self._samples = None
        if self.controller is not None:
            self.controller.close()

    def report_crash(self, error: BaseException, file: Path) -> None:
        """Save first, then say what went wrong; a report can be copied, and the first one stays open."""
        saved = Phrase(SAVED)
        try:
            if self.controller is not None:
                self.controller.save()
        except Exception as reason:
            log.exception("nothing could be saved after an unexpected error")
            saved = Phrase(NOT_SAVED, reason=reason)
        text = Phrase(WENT_WRONG, kind=type(error).__name__, error=error, saved=saved, file=file)
        self.window.show_message(Message("error", text))
        if "crash" not in self.window.dialogs:
            self.window.dialogs.show("crash", CrashReport(self.window, crash_report(error, file), saved))

    @Slot(object)
    def _samples_made(self, made: Path | UserError) -> None:
        if self._samples is not None:
            self._samples.thread_of_work.join()  # that thread must not be the last to hold a QObject
            self._samples = None
        if isinstance(made, UserError):
            self.window.report(made)
        else:
            self.open_folder(made / "images")

    @Slot(object)
    def _use(self, settings: Settings) -> None:
        """Let other settings hold at once; what was given for this run holds until it is changed here."""
        before, self._settings = self._settings, settings
        changed = changed_names(before, settings)
        self.window.messages.retract(self._refusal)
        self._given = {name: value for name, value in self._given.items() if name not in changed}
        if "language" in changed:
            QTimer.singleShot(0, self, self._speak)  # the dialog that was changed is in the middle of it
        if self.controller is not None and self._exchange is not None:
            wanted = replace(settings, **self._given)
            self.controller.adjust(wanted)
            self._exchange.want(wanted)

    @Slot(object, object)
    def _take_back(self, values: Mapping[str, Any], why: str) -> None:
        """An engine could not be made: let the earlier values hold, and say why, also in dialogs."""
        if values:
            why = Phrase(TAKEN_BACK, why=Phrase.of(why))
            self.window.use(replace(self.window.settings, **values))
        self._refusal = why
        self.window.show_message(Message("error", why))
        self.window.dialogs.refuse(self.window.settings, why)

    @Slot()
    def _speak(self) -> None:
        """Say everything in the language that is chosen now, in another window about the same session."""
        if self._closed:
            return
        if self.controller is not None and not self.controller.up_to_date:
            QTimer.singleShot(FRAME, self, self._speak)  # what is on the screen is remembered only once it is drawn
            return
        install_translators(qt_application(), self._settings.language)
        before = self.window
        before.closing.disconnect(self.close)
        self.window = renewed_window(before, self.controller)
        self._serve(self.window)

    @Slot()
    def _look(self) -> None:
        if self.controller is None or self._simulate is None or not self._simulate(self.controller):
            self._person.stop()


# --- the run --------------------------------------------------------------------------------------------------------


def run_window(
    folder: Path | None,
    *,
    project: Path | None = None,
    settings: Settings,
    strategies: Mapping[str, str],
    given: Mapping[str, Any] = MappingProxyType({}),
    simulate: Simulate | None = None,
    samples: bool = False,
    notices: Sequence[str] = (),
    splash: Splash | None = None,
) -> int:
    """Show the window until it is closed; without a folder it shows the start page.

    Args:
        folder: the images, or one of them; the session in it (or in `project`) is resumed.
        project: another place for the project's files.
        settings: the user's settings; if the model cannot be used, the window says so and still shows images.
        strategies: what each strategy does, in words, by name.
        given: settings that override the user's own for this run, by name ("model", "strategy").
        simulate: a simulated annotator to work in the window.
        samples: open the sample images, which are made first where there are none.
        notices: what the user should know at the start, for example about the settings.
        splash: what is shown until the window is.

    Returns:
        The exit code.

    Raises:
        ProjectError: the folder cannot be opened.
    """
    qt = qt_application(settings.language)
    with _log_file() as file, collected_here():
        application = Application(settings, engine_for, strategies=strategies, given=given)
        with _hooks(application, file):
            try:
                if folder is not None:
                    try:
                        application.open(folder, project)
                    except ImagesGoneError:
                        QTimer.singleShot(0, application, partial(application.open_folder, folder))  # it asks
                for text in notices:
                    application.window.show_message(Message("warning", text))
                application.window.show()
                if splash is not None:
                    splash.finish(application.window)
                if samples:
                    application.open_samples()
                if simulate is not None:
                    application.simulate(simulate)
                return int(qt.exec())
            finally:
                application.close()
                application.window.close()


def engine_for(settings: Settings) -> EngineProtocol:
    """The engine that the settings name; without learning, nothing adapts to clicks either.

    Raises:
        CheckpointError: as in `open_engine`.
    """
    from samtta_app.engine.dispatch import open_engine  # imports torch, which takes seconds: the window is shown

    compute_with(settings.threads)
    adapting = settings.strategy if settings.learn else "frozen"
    return open_engine(
        settings.model,
        device=settings.device,
        adapting=adapting,
        tidy=settings.tidy_masks,
        features=feature_folder(),
        feature_bytes=settings.kept_features * 2**20,
    )


@contextmanager
def _log_file() -> Iterator[Path]:
    """Also log into a file of the user's data folder while the window is open; go on without one that cannot be made."""
    file = data_folder() / "samtta.log"
    handler: logging.Handler
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(file, "a", 1_000_000, 2, encoding="utf-8", errors="backslashreplace")
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("samtta_app")
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield file
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


@contextmanager
def _hooks(application: Application, file: Path) -> Iterator[None]:
    """Unexpected errors are logged and said in one line, and the window goes on; Ctrl+C and SIGTERM close it in order."""

    def crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            application.window.close()
            return
        log.critical("unexpected error", exc_info=(kind, error, trace))
        application.report_crash(error, file)

    def stopped(number: int, frame: FrameType | None) -> None:
        application.window.close()

    beat = QTimer()  # lets Python see signals while Qt waits
    beat.timeout.connect(_nothing)
    beat.start(200)
    hook, sys.excepthook = sys.excepthook, crashed
    handlers = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        beat.stop()
        sys.excepthook = hook
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _nothing() -> None:
    pass
