"""`samtta demo`: the sample images in the window, or a simulated annotator on them, with or without a window."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rich.console import Console
from rich.text import Text

from samtta_app.cli.run_progress import progress_bar, wide_console
from samtta_app.core.names import displayable
from samtta_app.display import display_fault
from samtta_app.errors import UserError
from samtta_app.settings import Language, Settings, read_settings

if TYPE_CHECKING:
    from samtta_app.gui.controller import Controller
    from samtta_app.gui.widgets.splash import Splash


DEMO_OBJECTS = 12
"""Objects of a simulated demo. One takes about eight seconds of one core, so that two cores need less than two minutes."""


def open_window(
    folder: Path | None,
    settings: Settings,
    given: Mapping[str, Any],
    *,
    project: Path | None = None,
    simulate: Callable[[Controller], bool] | None = None,
    samples: bool = False,
) -> int:
    """Show the window until it is closed, as in `samtta_app.gui.app.run_window`. Returns the exit code.

    Raises:
        UserError: Qt cannot be loaded.
    """
    from samtta_app.adapt.strategy_words import STRATEGY_WORDS

    try:
        splash = _splash(settings.language)
        from samtta_app.gui.app import run_window
    except ImportError as error:
        raise UserError(f"Qt cannot be loaded: {error}", do="Run samtta doctor: it names what is missing") from error
    return run_window(
        folder,
        project=project,
        settings=settings,
        strategies=STRATEGY_WORDS,
        given=given,
        simulate=simulate,
        samples=samples,
        notices=[str(error) for error in read_settings()[1]],
        splash=splash,
    )


def _splash(language: Language) -> Splash | None:
    """Show at once that samtta starts, while torch loads behind the window for some seconds.

    On Windows torch must be loaded before Qt, because its c10.dll cannot be initialised after it. So Windows shows
    nothing yet. On Linux and macOS the order makes no difference.
    """
    if sys.platform == "win32":
        importlib.import_module("samtta_app.engine.dispatch")
        return None
    from samtta_app.gui.widgets.splash import show_splash

    return show_splash(language)


def leave(code: int) -> NoReturn:
    """End the process now that the window is closed and everything is stored.

    This skips the clean-up of torch and Qt, which takes seconds on a busy machine. It also ends an engine's thread that
    may still be loading torch.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the reader of the pipe is gone
            stream.flush()
    os._exit(code)


def open_samples(settings: Settings, given: Mapping[str, Any]) -> int:
    """Open the window on the sample images, and resume their session. Returns the exit code.

    The images are made behind the window the first time.
    """
    return open_window(None, settings, given, samples=True)


def show_demo(
    objects: int, out: Path, settings: Settings, given: Mapping[str, Any], *, simulate: bool, no_window: bool
) -> int:
    """The demo that this machine can show: without a display, a simulated annotator works without a window.

    Returns the exit code.
    """
    fault = "" if no_window else display_fault(sys.platform, os.environ)
    if fault and not simulate:
        _say(
            f"No window can be opened: {fault}. A simulated annotator works instead; samtta doctor says what is missing"
        )
    if fault or no_window:
        simulate_without_window(objects, out, replace(settings, **given))
        return 0
    leave(simulate_in_window(objects, out, settings, given) if simulate else open_samples(settings, given))


def simulate_without_window(objects: int, out: Path, settings: Settings) -> None:
    """Annotate samples with the frozen and with the adapting decoder; print each object and the figures.

    Exports, statistics and pictures are written below `out`.
    """
    _say("Preparing the sample images")
    samples = _samples()
    _say(f"Loading the model {settings.model}")
    from samtta_app.simulation.engines import engine_of
    from samtta_app.simulation.simulated_session import run_simulation, show_simulation

    simulation = run_simulation(
        samples,
        out=out,
        objects=objects,
        model=partial(engine_of, settings.model, device=settings.device),
        strategy=settings.strategy,
        progress=lambda _, words: _say(words),
    )
    show_simulation(wide_console(), simulation)


def simulate_in_window(objects: int, out: Path, settings: Settings, given: Mapping[str, Any]) -> int:
    """Show the window while the simulated annotator works in it; once it is closed, write the exports below `out`."""
    from samtta_app.formats import FORMATS
    from samtta_app.session.project.store import Store
    from samtta_app.session.statistics.statistics_export import statistics, write_statistics
    from samtta_app.simulation.simulated_session import new_folder, stepper

    samples, folder = _samples(), new_folder(out)
    images, project = samples / "images", folder / "project"
    person = stepper(samples, objects=objects)
    code = open_window(images, settings, given, project=project, simulate=person.step)
    with Store.open(images, project) as store:
        content = store.project()
        for name, form in FORMATS.items() if content.annotated else ():
            say_files(form.write(content, folder / name))
        say_files(write_statistics(store, folder / "statistics"))
        say(statistics(store.records()).sentence)
    return code


def say_files(paths: Sequence[Path]) -> None:
    """Name the written files: each of them, or their number and folder if there are many."""
    if len(paths) > 4:
        say(f"wrote {len(paths)} files into {paths[0].parent}")
    else:
        for path in paths:
            say(f"wrote {path}")


def say(text: str) -> None:
    """Print one line without interpreting markup."""
    Console(soft_wrap=True, highlight=False).print(Text(displayable(text)))


def say_remarks(opening: str, remarks: Sequence[str]) -> None:
    """Print on stderr how the project was opened, if that is worth a line, and what was left out, each on a line."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for line in (opening, *remarks):
        if line:
            console.print(Text.assemble(("samtta:", "yellow"), " ", displayable(line)))


def _say(words: str) -> None:
    """Print a line at once, in a file or pipe too."""
    Console(soft_wrap=True, highlight=False, markup=False).print(words)


def _samples() -> Path:
    from samtta_app.datasets.samples.sample_set import ensure_samples

    with progress_bar() as bar:
        task = bar.add_task("making the sample images (once)", total=1.0)

        def told(share: float) -> None:
            bar.update(task, completed=share)
            if bar.disable:
                _say(f"Making the sample images, once: {share:.0%}")

        return ensure_samples(told)
