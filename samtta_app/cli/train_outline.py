"""`samtta train outline`: a small network that draws the outlines of masks again at full resolution."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from samtta_app.cli.run_progress import training_bar


def train_outline_network(
    datasets: Annotated[
        list[Path], typer.Argument(help="Folders with images/, masks/ and split.json, or projects.", metavar="DATASET")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Outline file to write (.safetensors).", metavar="FILE")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.", metavar="M")
    ] = "samtta-small",
    answers: Annotated[int, typer.Option(min=1, help="Answers of the model that are learned from.")] = 1500,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps, of six patches each.")] = 3000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of objects, clicks, patches and first weights.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: an NVIDIA GPU where there is one.")] = "auto",
) -> None:
    """Train the outline network of a model: it sees the picture, the clicks and the mask.

    The model answers objects of the "train" split as it would in use. The network is measured on the "test" split. No
    file is written where outlines get no better.

    [bold]samtta train outline my_cells --model my_model.safetensors --out my_model.outline.safetensors[/bold]
    """
    from samtta_app.model.model_registry import load_model
    from samtta_app.train.device import training_device
    from samtta_app.train.outline.outline_run import OutlinePlan, train_outline

    opened = load_model(model, str(training_device(device)))
    with training_bar() as told:
        found = train_outline(opened, datasets, out, OutlinePlan(answers, steps, seed), told)
    Console(soft_wrap=True).print(outline_summary(found, out), highlight=False, markup=False)


def outline_summary(found: Mapping[str, float], out: Path) -> str:
    """The last lines: where the network is, and what it does to held-out answers."""
    return (
        f"wrote {out}\n"
        f"test split: IoU {found['before']:.3f} -> {found['after']:.3f}, "
        f"IoU .85 and more {found['done_before']:.1%} -> {found['done_after']:.1%}"
    )
