"""`samtta bench desk`: first paint, many images, panning, the brush and memory, beside labelme where it is given."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from samtta_app.cli.bench_formats import CONSUMERS, consumers_python
from samtta_app.cli.run_progress import say_written, wide_console


def measure_desk_speed(
    images: Annotated[int, typer.Option(min=1, help="Images in the folder that is opened.")] = 100_000,
    masks: Annotated[int, typer.Option(min=1, help="Masks on the image that is panned.")] = 2000,
    side: Annotated[int, typer.Option(min=64, help="Side of that image in pixels.")] = 20_000,
    part: Annotated[
        list[str] | None, typer.Option(help="Run this part alone: start, many, pan, brush or memory.", metavar="PART")
    ] = None,
    consumers: Annotated[
        Path | None, typer.Option(help=f"Environment that holds labelme (default: {CONSUMERS}).", metavar="DIR")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for desk.json.", metavar="DIR")] = None,
) -> None:
    """Measure how quick the window is; first paint and many images also beside labelme, as ratios.

    labelme is left out where no environment holds it.
    """
    from samtta_app.bench.desk_speed import DESK_PARTS, measure_desk
    from samtta_app.bench.figure_files import write_figure_rows

    console = wide_console()
    unknown = set(part or ()) - set(DESK_PARTS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: the parts are {', '.join(DESK_PARTS)}")
    labelme = consumers_python(consumers)
    if labelme is None:
        console.print("labelme is not installed: it is left out", highlight=False)
    figures = measure_desk(
        images=images,
        masks=masks,
        side=side,
        labelme=labelme,
        parts=tuple(part or DESK_PARTS),
        told=lambda words: console.print(words, highlight=False),
    )
    for each in figures:
        beside = "" if math.isnan(each.ratio) else f", labelme {each.labelme:.3g}, ratio {each.ratio:.2f}"
        verdict = {True: ", goal reached", False: ", goal missed", None: ""}[each.reached]
        console.print(f"{each.name}: {each.value:.3g}{beside}{verdict}", highlight=False)
    if out is not None:
        rows = ({**asdict(each), "ratio": each.ratio, "reached": each.reached} for each in figures)
        say_written([write_figure_rows(rows, out / "desk.json")])
