"""`samtta bench shift` and `samtta bench nested`: new data sets to measure on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from samtta_app.cli.run_progress import progress_bar, say_written, telling
from samtta_app.errors import UserError


def write_shifted_look(
    dataset: Annotated[Path, typer.Argument(help="Folder with images/ and masks/.", metavar="DATASET")],
    look: Annotated[str, typer.Option(help="What changes.", metavar="edges|speckle|halo|far")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The new data set.", metavar="DIR")],
    split: Annotated[str | None, typer.Option(help='Split, or "all" (default: test where there is one).')] = None,
) -> None:
    """Write a known data set with a changed look, to choose hyper-parameters on."""
    from samtta_app.datasets.folder import open_dataset
    from samtta_app.datasets.shifted import SHIFTED_LOOKS, write_shifted
    from samtta_app.simulation.streams import part_of

    if look not in SHIFTED_LOOKS:
        raise UserError(f"There is no look named {look!r}", "--look", f"There are {', '.join(SHIFTED_LOOKS)}")
    data = open_dataset(dataset)
    with progress_bar() as bar:
        told = telling(bar, bar.add_task(data.name, total=1.0))
        folder = write_shifted(
            data, look, out, split=part_of(data, split), progress=lambda share: told(share, data.name)
        )
    say_written([folder])


def write_nested_sets(
    out: Annotated[Path, typer.Argument(help="Folder for the two new data sets.", metavar="OUT")],
    images: Annotated[int, typer.Option(min=1, help="Images; more go on where fewer end.")] = 16,
    train: Annotated[int, typer.Option(min=0, help="So many of them, the first, are in the split train.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the images.")] = 0,
) -> None:
    """Write OUT/cell and OUT/nucleus, wholes and parts of the same objects, to measure task prompts on.

    Hypotheses are trained on such sets too: on those of one seed, to be measured on those of another.
    """
    from samtta_app.datasets.nested import write_nested

    with progress_bar() as bar:
        told = telling(bar, bar.add_task("", total=1.0))
        folders = write_nested(
            out, images=images, train=train, seed=seed, progress=lambda share: told(share, "drawing cells")
        )
    say_written(folders)
