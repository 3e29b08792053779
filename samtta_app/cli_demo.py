"""`samtta demo`: the sample images in the window, or annotated by a simulated person with or without one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from samtta_app.cli_bench import progress_bar, wide_console
from samtta_app.settings import Settings

if TYPE_CHECKING:
    from samtta_app.gui.controller import Controller


OBJECTS = 16
"""Objects of a simulated demo: one costs about seven seconds of one core, and two cores are done with all in two minutes."""


def open_window(
    folder: Path | None,
    settings: Settings,
    given: Mapping[str, Any],
    *,
    project: Path | None = None,
    simulate: Callable[[Controller], bool] | None = None,
) -> int:
    """Show the window until it is closed, as in `samtta_app.gui.app.run_window`. Returns the exit code."""
    from samtta_app.adapt.registry import STRATEGIES
    from samtta_app.gui.app import run_window

    words = {name: strategy.words for name, strategy in STRATEGIES.items()}
    return run_window(folder, project=project, settings=settings, strategies=words, given=given, simulate=simulate)


def open_samples(settings: Settings, given: Mapping[str, Any]) -> int:
    """Open the window on the sample images; the session in them is resumed. Returns the exit code."""
    return open_window(_samples() / "images", settings, given)


def show_demo(
    objects: int, out: Path, settings: Settings, given: Mapping[str, Any], *, simulate: bool, no_window: bool
) -> int:
    """The demo as it can be shown here: where there is no display, a simulated annotator works without a window.

    Returns the exit code.
    """
    from samtta_app.doctor import has_display

    present = has_display(sys.platform, os.environ)
    if not (present or simulate or no_window):
        _say("There is no display to open a window on: a simulated annotator works instead")
    if no_window or not present:
        simulate_without_window(objects, out, replace(settings, **given))
        return 0
    return simulate_in_window(objects, out, settings, given) if simulate else open_samples(settings, given)


def simulate_without_window(objects: int, out: Path, settings: Settings) -> None:
    """Annotate samples with the frozen and with the adapting decoder; print each object and the figures.

    Exports, statistics and pictures are written below `out`.
    """
    _say("Preparing the sample images")
    samples = _samples()
    _say(f"Loading the model {settings.model}")
    from samtta_app.bench.simulate import run_simulation, show

    simulation = run_simulation(
        samples,
        out=out,
        objects=objects,
        model=settings.model,
        strategy=settings.strategy,
        progress=lambda _, words: _say(words),
    )
    show(wide_console(), simulation)


def simulate_in_window(objects: int, out: Path, settings: Settings, given: Mapping[str, Any]) -> int:
    """Show the window while the simulated person works in it; once it is closed, write the exports below `out`."""
    from samtta_app.bench.simulate import new_folder, stepper
    from samtta_app.formats import EXPORTERS
    from samtta_app.session.stats import statistics, write_statistics
    from samtta_app.session.store import Store

    samples, folder = _samples(), new_folder(out)
    images, project = samples / "images", folder / "project"
    person = stepper(samples, objects=objects)
    code = open_window(images, settings, given, project=project, simulate=person.step)
    with Store.open(images, project) as store:
        for name, write in EXPORTERS.items():
            say_files(write(store.project(), folder / name))
        say_files(write_statistics(store, folder / "statistics"))
        Console().print(escape(statistics(store.records()).sentence), highlight=False)
    return code


def say_files(paths: Sequence[Path]) -> None:
    """Name the files that were written: each, or their number and folder where there are many."""
    console = Console(soft_wrap=True, highlight=False)
    if len(paths) > 4:
        console.print(escape(f"wrote {len(paths)} files into {paths[0].parent}"))
    else:
        for path in paths:
            console.print(escape(f"wrote {path}"))


def _say(words: str) -> None:
    """A line that is seen at once, in a file or pipe too."""
    Console(soft_wrap=True, highlight=False, markup=False).print(words)


def _samples() -> Path:
    from samtta_app.datasets.samples import ensure_samples

    with progress_bar() as bar:
        task = bar.add_task("making the sample images (once)", total=1.0)

        def told(share: float) -> None:
            bar.update(task, completed=share)
            if bar.disable:
                _say(f"Making the sample images, once: {share:.0%}")

        return ensure_samples(told)
