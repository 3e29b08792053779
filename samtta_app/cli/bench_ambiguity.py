"""`samtta bench ambiguity`: several plausible answers against the outlines of several annotators."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from samtta_app.cli.run_progress import say_written, standing, wide_console


def measure_ambiguity(
    datasets: Annotated[
        list[Path],
        typer.Argument(help="Sets with annotators/, folders of nested sets, or any sets.", metavar="DATASET"),
    ],
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Simulate outlines for sets with one outline an object.")
    ] = False,
    objects: Annotated[int, typer.Option(min=1, help="Objects of each set.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of objects, simulated outlines and prompts.")] = 0,
    split: Annotated[str, typer.Option(help='Split, or "all".')] = "test",
    model: Annotated[
        str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.")
    ] = "samtta-small",
    hypotheses: Annotated[
        Path | None, typer.Option(help="Hypotheses to use instead of the model's own.", metavar="FILE")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the raw records and figures.", metavar="DIR")
    ] = None,
) -> None:
    """Measure how well sampled hypotheses match what several annotators drew.

    They are compared with the three candidates, and with plain answers to moved prompts. The figures are energy distance,
    matching, Dice, and whether the first card, or one of four, is right. Moved prompts also show how robust answers are.
    """
    from samtta_app.bench.ambiguity_sets import ask_sets
    from samtta_app.bench.figure_files import write_figure_rows
    from samtta_app.bench.report.ambiguity_figures import ambiguity_figures, show_ambiguity
    from samtta_app.engine.dispatch import open_engine
    from samtta_app.simulation.engines import FROZEN

    engine = open_engine(model, adapting=FROZEN, hypotheses=hypotheses)
    label = f"{model} with {hypotheses.stem}" if hypotheses else model
    with standing() as told:
        records = ask_sets(
            *(engine, datasets),
            simulate=simulate,
            objects=objects,
            seed=seed,
            split=None if split == "all" else split,
            model=label,
            out=out,
            told=told,
        )
    figures = ambiguity_figures(records.answers)
    show_ambiguity(wide_console(), figures, records)
    if out is not None:
        say_written([write_figure_rows(map(asdict, figures), out / "ambiguity.json")])
