"""`samtta train`: make a compact model from data set folders and a recipe, or fine-tune a mask decoder."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn
from rich.text import Text

from samtta_app.cli.train_decoder import train_sam_decoder
from samtta_app.cli.train_heads import train_uncertainty_heads
from samtta_app.cli.train_hypotheses import train_hypothesis_networks
from samtta_app.cli.train_outline import train_outline_network
from samtta_app.cli.train_refiner import train_mask_refiner
from samtta_app.cli.train_selector import train_mask_selector

if TYPE_CHECKING:
    from samtta_app.train.compact.progress import RunStanding

THREADS = os.cpu_count() or 1
TRAIN_LINE_SECONDS = 60.0
"""Seconds between two progress lines where there is no terminal."""

train_app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Train models: a compact one of your own, or a mask decoder.",
)
train_app.command("decoder")(train_sam_decoder)
train_app.command("heads")(train_uncertainty_heads)
train_app.command("refiner")(train_mask_refiner)
train_app.command("selector")(train_mask_selector)
train_app.command("outline")(train_outline_network)
train_app.command("hypotheses")(train_hypothesis_networks)


@train_app.callback()
def group() -> None:
    """Train models: a compact one of your own, or a mask decoder."""


_Datasets = Annotated[list[Path], typer.Argument(help="Folders of images, as described above.", metavar="DATASET")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Model file to write (.safetensors).", metavar="FILE")]
_Size = Annotated[str, typer.Option(help="Size of the model: small, or base, which is wider and slower.")]
Start = Annotated[
    str | None,
    typer.Option(
        help="Start with a trained model: a file or a shipped model's name; a smaller one is widened.", metavar="MODEL"
    ),
]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Length of the whole run (default: the recipe's).")]
Resume = Annotated[Path | None, typer.Option(help="Continue a stopped run from its checkpoint.", metavar="FILE")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start again, and overwrite the checkpoint of an earlier run.")]
RecipeFile = Annotated[
    Path | None,
    typer.Option(
        "--recipe",
        help="TOML file of stages, learning rates, shares of the sets, augmentation (default: one of samtta's own).",
        metavar="FILE",
    ),
]
BackboneFile = Annotated[
    Path | None,
    typer.Option(help="Without --start: MobileNetV2 weights, safetensors with timm's names.", metavar="FILE"),
]
Head = Annotated[Path | None, typer.Option(help="With --backbone: the DeepLab head that follows it.", metavar="FILE")]
_LeaveOut = Annotated[
    str | None,
    typer.Option(help="Leave out this part of the sets, to measure on them: samtta bench --left-out.", metavar="K/N"),
]
_Device = Annotated[str, typer.Option(help="cpu, cuda, or auto: an NVIDIA GPU where there is one.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads, where it runs on a CPU.")]


@train_app.command("model")
def train_compact_model(
    datasets: _Datasets,
    out: _Out,
    size: _Size = "small",
    start: Start = None,
    minutes: Minutes = None,
    resume: Resume = None,
    fresh: Fresh = False,
    recipe: RecipeFile = None,
    backbone: BackboneFile = None,
    head: Head = None,
    device: _Device = "auto",
    threads: Threads = THREADS,
    leave_out: _LeaveOut = None,
) -> None:
    """Train a compact model that answers clicks, for images of your own.

    A DATASET is a folder with [bold]images/[/bold], [bold]masks/[/bold] and [bold]split.json[/bold]. A mask is a PNG of
    the same name: 0 is background, each object has its own number. The file split.json names images to learn from
    ("train") and to measure on ("test"). A folder without masks/ is a set of photos, in which objects are found.

    A samtta project may stand for a DATASET: its accepted masks are read; every fifth image is for tests. Annotate,
    train, annotate with the new model: SAM's data engine with the model in the loop.

    The quickest way to a model for your own domain starts with the shipped one:

    [bold]samtta train model my_cells --start samtta-small --minutes 60 --out my_cells.safetensors[/bold]

    [bold]samtta open FOLDER --model my_cells.safetensors[/bold] then annotates with it. Ctrl+C stops a run and saves it;
    [bold]--resume my_cells.resume.pt[/bold] continues at the next step.
    """
    from samtta_app.datasets.folds import fold_named
    from samtta_app.model.model_registry import model_file
    from samtta_app.train.compact.training_command import train_model

    console = Console(stderr=True, highlight=False)
    if leave_out:
        datasets, left = fold_named(leave_out).split(datasets)
        console.print("left out:", *(folder.name for folder in left), markup=False, soft_wrap=True)
    try:
        with told(console) as report:
            train_model(
                datasets,
                size=size,
                out=out,
                recipe=recipe,
                resume=resume,
                fresh=fresh,
                start=model_file(start) if start else None,
                backbone=backbone,
                head=head,
                device=device,
                threads=threads,
                minutes=minutes,
                report=report,
            )
    except KeyboardInterrupt as stopped:
        console.print(str(stopped) or "stopped; nothing new was saved", markup=False, soft_wrap=True)
        raise typer.Exit(130) from None
    Console(soft_wrap=True).print(f"wrote {out}", highlight=False, markup=False)


class Bar(Progress):
    """A bar with a line of text below it."""

    line = "reading the data sets"

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, then the line."""
        yield from super().get_renderables()
        yield Text(self.line)


class TrainProgress:
    """Shows a run: a bar on a terminal, elsewhere a line of text now and then."""

    def __init__(self, console: Console, bar: Bar) -> None:
        self.console, self.bar = console, bar
        self.task = bar.add_task("", total=None, left="")
        self.due = 0.0

    def __call__(self, standing: RunStanding) -> None:
        """Show where the run is."""
        if self.console.is_terminal:
            self.bar.line = standing.line
            self.bar.update(self.task, total=1.0, completed=standing.share, left=standing.left)
        elif time.monotonic() >= self.due:
            self.due = time.monotonic() + TRAIN_LINE_SECONDS
            line = f"{standing.share:.0%}, {standing.left}: {standing.line}"
            self.console.print(line, markup=False, soft_wrap=True)


class _Printed(logging.Handler):
    """Log records as lines above the bar."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self.console = console

    def emit(self, record: logging.LogRecord) -> None:
        self.console.print(record.getMessage(), markup=False, soft_wrap=True)


@contextmanager
def told(console: Console) -> Iterator[TrainProgress]:
    """The progress bar of a run on standard error; its log appears as lines above."""
    log = logging.getLogger("samtta_app.train")
    level, handler = log.level, _Printed(console)
    columns = (SpinnerColumn(), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[left]}"))
    bar = Bar(*columns, console=console, disable=not console.is_terminal)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False  # else the command line's own handler would print warnings twice
    try:
        with bar:
            yield TrainProgress(console, bar)
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = True
