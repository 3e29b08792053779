"""`samtta train hypotheses`: networks that draw several plausible outlines for one prompt (A-SAM)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from samtta_app.cli.run_progress import training_bar
from samtta_app.errors import UserError


def train_hypothesis_networks(
    datasets: Annotated[
        list[Path],
        typer.Argument(help="Sets with annotators/, folders of nested sets, or any sets.", metavar="DATASET"),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Hypotheses file to write (.safetensors).", metavar="FILE")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.", metavar="M")
    ] = "samtta-small",
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Simulate outlines for sets with one outline an object.")
    ] = False,
    objects: Annotated[int, typer.Option(min=1, help="Objects of each set.")] = 300,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps, of four prompts each.")] = 3000,
    without: Annotated[
        str, typer.Option(help="Leave a part out, to measure it.", metavar="object|prompt|posterior")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Seed of objects, prompts, outlines and first weights.")] = 0,
    resume: Annotated[
        Path | None, typer.Option(help="Continue a stopped run from its checkpoint.", metavar="FILE")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start again, and overwrite the checkpoint of an earlier run.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: an NVIDIA GPU where there is one.")] = "auto",
) -> None:
    """Train the hypotheses of a model: several plausible outlines where a prompt leaves the object open.

    They are learned from what several annotators drew, from parts and wholes, and with --simulate from sets with one outline
    an object. The encoder stays as it is. No file is written where they are no better than the candidates. Ctrl+C stops a
    run and saves it in FILE.resume.pt; --resume continues.

    [bold]samtta train hypotheses my_cells --simulate --out my_model.hypotheses.safetensors[/bold]
    """
    from samtta_app.model.model_registry import load_model
    from samtta_app.train.device import training_device
    from samtta_app.train.hypotheses.hypotheses_command import train_hypotheses
    from samtta_app.train.hypotheses.hypotheses_run import HypothesesPlan

    if without not in ("", "object", "prompt", "posterior"):
        raise UserError(
            f"There is no part {without!r} to leave out", "--without", "There are object, prompt, posterior"
        )
    opened = load_model(model, str(training_device(device)))
    plan = HypothesesPlan(objects, steps, seed, simulate, without)
    with training_bar() as told:
        found = train_hypotheses(opened, datasets, out, plan, resume=resume, fresh=fresh, told=told)
    Console(soft_wrap=True).print(hypotheses_summary(found, out), highlight=False, markup=False)


def hypotheses_summary(found: Mapping[str, float], out: Path) -> str:
    """The last lines: where the networks are, and how well their samples match held-out outlines."""
    return (
        f"wrote {out}\n"
        f"test split: squared energy distance {found['ged']:.3f} (the three candidates {found['candidates']:.3f}), "
        f"HM-IoU {found['hm_iou']:.3f} ({found['candidates_hm_iou']:.3f}), "
        f"mean IoU among the samples {found['alike']:.3f}"
    )
