"""`samtta bench`: simulated annotation of data sets, and speed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

if TYPE_CHECKING:
    from samtta_app.bench.protocol import Record

NAMES = {"run", "quality", "speed"}
"""The group's commands; any other first word is a data set."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Measure: annotation of data sets by a simulated annotator, or speed.",
    epilog="[bold]samtta bench DATASET...[/bold] is short for [bold]samtta bench run DATASET...[/bold]",
)

Model = Annotated[str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.")]
InputSize = Annotated[
    int | None, typer.Option(help="Side of the compact model's input (default: its own).", metavar="PIXELS")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the raw records and figures.", metavar="DIR")]


def wide_console() -> Console:
    """Standard output; into a file or pipe, tables are as wide as they need, not 80 columns."""
    console = Console()
    return console if console.is_terminal else Console(width=160)


def progress_bar() -> Progress:
    """A bar on standard error that goes when it is done; none where standard error is no terminal."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def telling(bar: Progress, task: TaskID) -> Callable[[float, str], None]:
    """Shows on the bar what share of the task is done, 0 .. 1, and a few words."""
    return lambda share, words: bar.update(task, completed=share, description=words)


@app.command("run")
def run(
    datasets: Annotated[
        list[Path], typer.Argument(help="Folders with images/ and masks/ (instance ids).", metavar="DATASET")
    ],
    objects: Annotated[int, typer.Option(min=1, help="Objects of each stream.")] = 60,
    orders: Annotated[int, typer.Option(min=1, help="Streams: each in another order, learning from nothing.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the first order.")] = 0,
    split: Annotated[str | None, typer.Option(help='Split, or "all" (default: test where there is one).')] = None,
    model: Model = "samtta-small",
    out: Out = None,
) -> None:
    """Annotate data sets with RITM's clicker, frozen and adapted over the same stream."""
    from samtta_app.bench.protocol import run_bench, write_records
    from samtta_app.bench.report import compare, show, write_summary
    from samtta_app.datasets.folder import open_dataset
    from samtta_app.engine import open_engine

    opened = [open_dataset(folder) for folder in datasets]
    engine = open_engine(model)
    records: list[Record] = []
    console = wide_console()
    with progress_bar() as bar:
        for dataset in opened:
            task = bar.add_task(dataset.name, total=1.0)
            records += run_bench(
                dataset,
                objects=objects,
                orders=orders,
                seed=seed,
                split=split,
                model=engine,
                progress=telling(bar, task),
            )
            if out is not None:  # after each set, so that a later one that fails takes nothing away
                write_records(records, out)
    comparisons = compare(records)
    show(console, comparisons)
    if out is not None:
        write_summary(comparisons, out)
        console.print(f"wrote records.jsonl and summary.json into {out}", highlight=False, markup=False, soft_wrap=True)


@app.command("quality")
def quality(
    datasets: Annotated[
        list[Path], typer.Argument(help="Folders with images/ and masks/ (instance ids).", metavar="DATASET")
    ],
    objects: Annotated[int, typer.Option(min=1, help="Objects of each set.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the choice of objects.")] = 0,
    split: Annotated[str | None, typer.Option(help='Split, or "all" (default: test where there is one).')] = None,
    model: Model = "samtta-small",
    input_size: InputSize = None,
    out: Out = None,
) -> None:
    """Twenty clicks on every object without adaptation: IoU by click, candidates, predicted IoU, obedience."""
    from samtta_app.bench.protocol import run_bench, write_records
    from samtta_app.bench.quality import TO_THE_END, qualities, show, write_qualities
    from samtta_app.datasets.folder import open_dataset
    from samtta_app.engine import open_engine

    opened = [open_dataset(folder) for folder in datasets]
    engine = open_engine(model, input_size=input_size)
    records: list[Record] = []
    with progress_bar() as bar:
        for dataset in opened:
            told = telling(bar, bar.add_task(dataset.name, total=1.0))
            records += run_bench(
                dataset,
                objects=objects,
                seed=seed,
                split=split,
                targets=(TO_THE_END,),
                model=engine,
                progress=told,
                learn=False,
            )
            if out is not None:  # after each set, so that a later one that fails takes nothing away
                write_records(records, out)
    found = qualities(records)
    show(wide_console(), found)
    if out is not None:
        write_qualities(found, out)


@app.command("speed")
def speed(
    model: Model = "samtta-small",
    input_size: InputSize = None,
    repeats: Annotated[int, typer.Option(min=3, help="Measurements of each time.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the images and clicks.")] = 0,
    out: Out = None,
) -> None:
    """Click to mask at rest and while learning, encoder, learning step; and ratios to the official SamPredictor."""
    from samtta_app.bench.speed import run_speed, show
    from samtta_app.engine import open_engine

    with progress_bar() as bar:
        task = bar.add_task("loading the model", total=1.0)
        measured = run_speed(
            model=open_engine(model, input_size=input_size),
            repeats=repeats,
            seed=seed,
            out=out,
            progress=telling(bar, task),
        )
    show(wide_console(), measured)
