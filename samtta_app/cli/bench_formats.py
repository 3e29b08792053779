"""`samtta bench formats`: masks per second and memory of an export, beside other programs."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from samtta_app.cli.run_progress import say_written, wide_console
from samtta_app.errors import UserError

CONSUMERS = "SAMTTA_CONSUMERS"
"""The variable that names an environment with other programs, as packaging/consumers.py makes it."""


def measure_format_speed(
    masks: Annotated[int, typer.Option(min=1, help="Masks that each program writes.")] = 100_000,
    side: Annotated[int, typer.Option(min=64, help="Side of the images in pixels.")] = 512,
    consumers: Annotated[
        Path | None, typer.Option(help=f"Environment that holds supervision (default: {CONSUMERS}).", metavar="DIR")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for formats.json.", metavar="DIR")] = None,
) -> None:
    """Measure how fast COCO is written and in how much memory, beside pycocotools' loop and supervision's exporter.

    supervision is left out where it is not installed.
    """
    from samtta_app.bench.figure_files import write_figure_rows
    from samtta_app.bench.format_speed import measure_formats

    console = wide_console()
    peers = {"pycocotools": Path(sys.executable)}
    other = supervision_python(consumers)
    if other is None:
        console.print("supervision is not installed: it is left out", highlight=False)
    else:
        peers["supervision"] = other
    figures = measure_formats(masks, side, peers, lambda words: console.print(words, highlight=False))
    for each in figures:
        speed, memory = f"{each.masks_per_second:,.0f} masks/s", f"{each.megabytes:.0f} MB"
        console.print(f"{each.program}: {each.masks} masks, {speed}, {memory}, ratio {each.ratio:.2f}", highlight=False)
    if out is not None:
        say_written([write_figure_rows(map(asdict, figures), out / "formats.json")])


def supervision_python(consumers: Path | None) -> Path | None:
    """The interpreter that has supervision: that of the environment named, or our own; None without any.

    Raises:
        UserError: the environment that was named has no interpreter.
    """
    own = Path(sys.executable) if importlib.util.find_spec("supervision") else None
    return consumers_python(consumers) or own


def consumers_python(consumers: Path | None) -> Path | None:
    """The interpreter of the environment with other programs; None where none is named.

    Raises:
        UserError: the environment that was named has no interpreter.
    """
    folder = consumers or (Path(os.environ[CONSUMERS]) if os.environ.get(CONSUMERS) else None)
    if folder is None:
        return None
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.is_file():
        raise UserError("This is no environment of Python", folder, "Make it with python packaging/consumers.py")
    return python
