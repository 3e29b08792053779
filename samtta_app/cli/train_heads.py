"""`samtta train heads`: networks that predict what a mask would gain from a larger model, another candidate, or more clicks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from samtta_app.errors import TrainingError


def train_uncertainty_heads(
    datasets: Annotated[
        list[Path], typer.Argument(help="Folders with images/, masks/ and split.json, or projects.", metavar="DATASET")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Heads file to write (.safetensors).", metavar="FILE")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.", metavar="M")
    ] = "samtta-small",
    larger: Annotated[
        str | None,
        typer.Option(help="Larger model for the model gap; without one it is not learned.", metavar="M"),
    ] = None,
    windows: Annotated[int, typer.Option(min=1, help="Random windows, with up to three objects each.")] = 2000,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over what the models answered.")] = 20,
    tokens: Annotated[
        str, typer.Option(help="What the heads read, to compare: both tokens, or one.", metavar="both|iou|mask")
    ] = "both",
    seed: Annotated[int, typer.Option(min=0, help="Seed of windows, clicks, first weights and batches.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that ask the models (0: this one alone).")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: an NVIDIA GPU where there is one.")] = "auto",
) -> None:
    """Train the uncertainty heads of a model (UncertainSAM).

    Both models answer random windows of the "train" split, with one click and with eight. The heads learn the gains
    from the decoder's tokens, and are measured on the "test" split. After Ctrl+C the same command continues.

    [bold]samtta train heads my_cells --model vit_b --larger vit_l --out sam_vit_b.heads.safetensors[/bold]
    """
    from samtta_app.model.model_registry import load_model
    from samtta_app.train.device import training_device
    from samtta_app.train.heads.heads_run import HeadsPlan, Tokens, train_heads

    if tokens not in get_args(Tokens):
        raise TrainingError(f"There are no tokens {tokens!r}", do="Choose both, iou, or mask")
    place = str(training_device(device))
    opened, second = load_model(model, place), load_model(larger, place) if larger else None
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    plan = HeadsPlan(windows=windows, epochs=epochs, tokens=cast(Tokens, tokens), seed=seed)
    try:
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("reading the data sets", total=1.0)
            found = train_heads(
                *(opened, second, datasets, out, plan),
                workers=workers,
                told=lambda share, words: bar.update(task, completed=share, description=words),
            )
    except KeyboardInterrupt:
        console.print("stopped; the same command continues with the stored answers", markup=False)
        raise typer.Exit(130) from None
    Console(soft_wrap=True).print(heads_summary(found, out), highlight=False, markup=False)


def heads_summary(found: Mapping[str, float], out: Path) -> str:
    """The last lines: where the heads are, and how well they rank held-out answers."""
    lines = [f"wrote {out}"]
    for gap in ("model", "task", "prompt"):
        own, score = found.get(f"{gap}_gap"), found.get(f"{gap}_gap_score")
        if own is not None and score is not None:
            told = found.get(f"{gap}_gap_told_best")
            more = "" if told is None else f", told which candidate is best {told:.1%}"
            words = f"predicted IoU alone {score:.1%}{more}, chance 50 %"
            lines.append(f"{gap} gap: relative area {own:.1%} held out ({words})")
    return "\n".join(lines)
