"""`samtta train selector`: a small network that chooses which of the masks of several windows is shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from samtta_app.cli.run_progress import training_bar


def train_mask_selector(
    datasets: Annotated[
        list[Path], typer.Argument(help="Folders with images/, masks/ and split.json, or projects.", metavar="DATASET")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Selector file to write (.safetensors).", metavar="FILE")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.", metavar="M")
    ] = "samtta-small",
    objects: Annotated[int, typer.Option(min=1, help="Objects that the model is asked for.")] = 2000,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over what it answered.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="Seed of objects, clicks, first weights and batches.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: an NVIDIA GPU where there is one.")] = "auto",
) -> None:
    """Train the selector of a model: it ranks the masks of all windows, and the best one is shown.

    The model is asked for objects of the "train" split, by clicks and boxes. The selector learns the IoU of every
    mask, and is measured on the "test" split. No file is written where it chooses no better than predicted IoU.

    [bold]samtta train selector my_cells --model my_model.safetensors --out my_model.selector.safetensors[/bold]
    """
    from samtta_app.model.model_registry import load_model
    from samtta_app.train.device import training_device
    from samtta_app.train.selector.selector_run import SelectorPlan, train_selector

    opened = load_model(model, str(training_device(device)))
    with training_bar() as told:
        found = train_selector(opened, datasets, out, SelectorPlan(objects, epochs, seed), told)
    Console(soft_wrap=True).print(selector_summary(found, out), highlight=False, markup=False)


def selector_summary(found: Mapping[str, float], out: Path) -> str:
    """The last lines: where the selector is, and how well it chooses on held-out images."""
    lines = [f"wrote {out}"]
    for steps in sorted({int(name.partition("@")[2]) for name in found}):
        rule, chosen, best = (found[f"{name}@{steps}"] for name in ("rule", "chosen", "best"))
        after = {0: "a box", 1: "one click"}.get(steps, f"{steps} clicks")
        lines.append(
            f"IoU after {after}: {chosen:.3f} held out (by predicted IoU {rule:.3f}, the best mask {best:.3f})"
        )
    return "\n".join(lines)
