"""`samtta train`: make the compact model anew from data set folders and a recipe."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from samtta_app.errors import DatasetError

if TYPE_CHECKING:
    from samtta_app.train.checkpoint import Progress as Reached

app = typer.Typer(no_args_is_help=True, help="Train what samtta ships.", pretty_exceptions_enable=False)


@app.callback()
def group() -> None:
    """Train what samtta ships."""


@app.command("model")
def train_compact_model(
    datasets: Annotated[
        list[Path],
        typer.Argument(help="Folders with images/, split.json and, if there are, masks/.", metavar="DATASET"),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Weights file to write (.safetensors).", metavar="FILE")],
    recipe: Annotated[Path, typer.Option(help="Recipe: packaging/recipes holds ours.", metavar="FILE")],
    size: Annotated[str, typer.Option(help="Size of the model.")] = "small",
    resume: Annotated[
        Path | None, typer.Option(help="Go on from a checkpoint (FILE.resume.pt).", metavar="FILE")
    ] = None,
    backbone: Annotated[Path | None, typer.Option(help="Starting weights of the backbone.", metavar="FILE")] = None,
    head: Annotated[Path | None, typer.Option(help="Starting weights of the neck.", metavar="FILE")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Length of the whole run (default: the recipe's).")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.")] = os.cpu_count() or 1,
) -> None:
    """Train the compact model; Ctrl+C stops, and --resume goes on from the last checkpoint."""
    from samtta_app.train.loop import train_model

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("reading the data sets")
        try:
            train_model(
                datasets,
                size=size,
                out=out,
                recipe=recipe,
                resume=resume,
                backbone=backbone,
                head=head,
                device=device,
                threads=threads,
                minutes=minutes,
                report=lambda reached: bar.update(task, description=_standing(reached)),
            )
        except ValueError as error:
            raise DatasetError(f"Training cannot go on: {error}") from error
    Console(soft_wrap=True).print(f"wrote {out}", highlight=False, markup=False)


def _standing(reached: Reached) -> str:
    return (
        f"step {reached.step}, {reached.masks} masks, IoU after the first click {reached.first_iou:.3f}, "
        f"after the last {reached.last_iou:.3f}"
    )
