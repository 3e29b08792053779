"""`samtta demo`: the sample images in the window, or annotated by a simulated person with or without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from samtta_app.cli_bench import progress_bar, telling, wide_console
from samtta_app.settings import Settings

if TYPE_CHECKING:
    from samtta_app.gui.controller import Controller


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


def simulate_without_window(objects: int, out: Path, settings: Settings) -> None:
    """Annotate samples with the frozen and with the adapting decoder; print the figures, write the exports below `out`."""
    from samtta_app.bench.jobs import engine_of
    from samtta_app.bench.simulate import run_simulation, show

    samples = _samples()
    with progress_bar() as bar:
        task = bar.add_task("loading the model", total=1.0)
        simulation = run_simulation(
            samples,
            out=out,
            objects=objects,
            model=partial(engine_of, settings.model, device=settings.device),
            strategy=settings.strategy,
            progress=telling(bar, task),
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


def _samples() -> Path:
    from samtta_app.datasets.samples import ensure_samples

    with progress_bar() as bar:
        task = bar.add_task("making the sample images (once)", total=1.0)
        return ensure_samples(lambda share: bar.update(task, completed=share))
