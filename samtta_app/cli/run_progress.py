"""How the command line shows that a run goes on: a bar, lines now and then, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

BENCH_LINE_SECONDS = 30.0
"""Seconds between two progress lines where there is no terminal."""


def wide_console() -> Console:
    """Standard output. In a file or pipe, tables are as wide as they need, not 80 columns."""
    console = Console()
    return console if console.is_terminal else Console(width=160)


def say_written(files: Sequence[Path]) -> None:
    """Say which files were written into their folder."""
    names = " ".join(file.name for file in files)
    wide_console().print(f"wrote {names} into {files[0].parent}", highlight=False, markup=False, soft_wrap=True)


def progress_bar() -> Progress:
    """A bar on standard error that disappears when it is done; no bar where standard error is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def training_bar() -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error for a training; Ctrl+C ends the command with a word about what was saved."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console) as bar:
            yield telling(bar, bar.add_task("reading the data sets", total=1.0))
    except KeyboardInterrupt as stopped:
        console.print(str(stopped) or "stopped; nothing was written", markup=False)
        raise typer.Exit(130) from None


def telling(bar: Progress, task: TaskID) -> Callable[[float, str], None]:
    """Shows the completed share of the task, 0 .. 1, and a few words on the bar."""
    return lambda share, words: bar.update(task, completed=share, description=words)


class RunProgress:
    """Shows the progress of a run and its estimated time left: a bar on a terminal, elsewhere a line now and then."""

    def __init__(self, console: Console, bar: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._bar, self._clock = console, bar, clock
        self._task = bar.add_task("", total=1.0, left="")
        self._began = clock()
        self._due = self._began + BENCH_LINE_SECONDS

    def __call__(self, share: float, words: str) -> None:
        """Show the completed share, 0 .. 1."""
        now = self._clock()
        left = time_left(now - self._began, share)
        if self._console.is_terminal:
            self._bar.update(self._task, completed=share, description=words, left=left)
        elif now >= self._due:
            self._due = now + BENCH_LINE_SECONDS
            self._console.print(f"{share:.0%}, {left}: {words}", highlight=False, markup=False, soft_wrap=True)


def time_left(seconds: float, share: float) -> str:
    """Estimated time left, in words, of a run whose `share` took `seconds`."""
    if share <= 0:
        return "time left not known yet"
    minutes = round(seconds / share * (1 - share) / 60)
    if minutes < 1:
        return "less than a minute left"
    return f"about {minutes} min left" if minutes < 120 else f"about {minutes / 60:.1f} h left"


@contextmanager
def standing() -> Iterator[RunProgress]:
    """The progress display of a long run, on standard error."""
    console = Console(stderr=True)
    words = TextColumn("{task.description}", markup=False)
    columns = (words, BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield RunProgress(console, bar)
