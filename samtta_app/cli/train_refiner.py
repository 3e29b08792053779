"""`samtta train refiner`: a refiner shows where in a mask a model is unsure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


def train_mask_refiner(
    datasets: Annotated[
        list[Path], typer.Argument(help="Folders with images/, masks/ and split.json, or projects.", metavar="DATASET")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Refiner file to write (.safetensors).", metavar="FILE")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.", metavar="M")
    ] = "samtta-small",
    windows: Annotated[int, typer.Option(min=1, help="Random windows, with up to three objects each.")] = 2000,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over them, where no minutes are given.")] = 1,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Length of the training in minutes.")] = None,
    rate: Annotated[
        float | None,
        typer.Option("--lr", min=1e-8, max=1.0, help="Highest learning rate (default: 3e-4, official SAM 1e-5)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of windows, clicks and their order.")] = 0,
    resume: Annotated[
        Path | None, typer.Option(help="Continue a stopped run from its checkpoint.", metavar="FILE")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start again, and overwrite the checkpoint of an earlier run.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: an NVIDIA GPU where there is one.")] = "auto",
) -> None:
    """Train the refiner of a model (SUM): where it changes an answer, the answer is unsure.

    The model answers clicks in random windows of the "train" split. A copy of its mask decoder and prompt encoder
    learns to correct these answers. A tenth of the images chooses the best step, and "test" gives the figures in the
    file. Ctrl+C stops a run and saves it in FILE.resume.pt; --resume continues.

    [bold]samtta train refiner my_cells --model vit_b --out sam_vit_b.refiner.safetensors[/bold]
    """
    from samtta_app.model.model_registry import load_model
    from samtta_app.train.device import training_device
    from samtta_app.train.refiner.refiner_command import train_refiner
    from samtta_app.train.refiner.refiner_run import RefinerPlan

    opened = load_model(model, str(training_device(device)))
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    plan = RefinerPlan(windows=windows, epochs=epochs, minutes=minutes, rate=rate, seed=seed)
    try:
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("reading the data sets, and measuring the start", total=1.0)
            found = train_refiner(
                *(opened, datasets, out, plan),
                resume=resume,
                fresh=fresh,
                told=lambda share, words: bar.update(task, completed=share, description=words),
            )
    except KeyboardInterrupt as stopped:
        console.print(str(stopped) or "stopped; nothing new was saved", markup=False)
        raise typer.Exit(130) from None
    Console(soft_wrap=True).print(refiner_summary(found, out), highlight=False, markup=False)


def refiner_summary(found: Mapping[str, float], out: Path) -> str:
    """The last lines: where the refiner is, and how good it is on held-out windows."""
    if not found:
        return f"wrote {out}\nthere is nothing in the test splits to measure it on"
    lines = [f"wrote {out}", f"test split, {found['objects']:.0f} objects: before -> after"]
    for words, name in (("IoU", "iou"), ("boundary IoU", "boundary_iou")):
        before, after = found[f"before_refined_{name}"], found[f"refined_{name}"]
        lines.append(f"{words} of the answer {found[name]:.3f}, of the refined mask {before:.3f} -> {after:.3f}")
    for percent in (60, 80):
        right, pixels = f"right_{percent}", f"pixels_{percent}"
        lines.append(
            f"pixels of a certainty above 0.{percent // 10}: {found[f'before_{right}']:.1%} -> {found[right]:.1%} right, "
            f"which are {found[f'before_{pixels}']:.1%} -> {found[pixels]:.1%} of all"
        )
    return "\n".join([*lines, f"of all pixels, {found['right']:.1%} are right"])
