"""`samtta train decoder`: fine-tune the mask decoder of a model on data set folders."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from samtta_app.errors import TrainingError

if TYPE_CHECKING:
    from samtta_app.train.decoder.decoder_run import DecoderPlan, DecoderReached, HeldOut


_Sets = Annotated[
    list[Path],
    typer.Argument(
        help="Folders with images/, split.json and masks/, or projects; some may be without masks/.", metavar="DATASET"
    ),
]
_Out = Annotated[
    Path, typer.Option("--out", "-o", help="Model file to write: .pth, or .safetensors if compact.", metavar="FILE")
]
_Tuned = Annotated[
    str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.", metavar="M")
]
_Tasks = Annotated[
    list[str] | None,
    typer.Option(help="Task of a set with masks, as my_cells=nucleus; may be repeated.", metavar="SET=TASK"),
]


def train_sam_decoder(
    datasets: _Sets,
    out: _Out,
    model: _Tuned = "samtta-small",
    steps: Annotated[int | None, typer.Option(min=1, help="Length of the run in steps.")] = None,
    minutes: Annotated[float, typer.Option(min=0.01, help="Length in minutes, where no steps are given.")] = 10.0,
    rate: Annotated[float, typer.Option("--lr", min=1e-8, max=1.0, help="Highest learning rate.")] = 1e-4,
    images: Annotated[int, typer.Option(min=1, help="Images of a step, with up to 8 objects each.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of images, objects and prompts.")] = 0,
    photos: Annotated[
        int, typer.Option(min=1, help="Maximum images of a set without masks/ used for proposals.")
    ] = 100,
    believe_all: Annotated[
        bool, typer.Option("--believe-all", help="Trust every pixel of a proposal, for comparison; needs no refiner.")
    ] = False,
    task: _Tasks = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue a stopped run from its checkpoint.", metavar="FILE")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start again, and overwrite the checkpoint of an earlier run.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: an NVIDIA GPU where there is one.")] = "auto",
) -> None:
    """Fine-tune only the mask decoder of a model, with the recipe that trained SAM itself.

    The decoder learns from the "train" list of split.json and is measured on "test". The best decoder is kept, so the
    file is never worse there than the model it starts from. Ctrl+C stops a run and saves it in FILE.resume.pt; --resume
    continues.

    In a folder without masks/ it learns from what the model itself proposes. Each pixel counts as far as the model's
    refiner (`samtta train refiner`) finds it certain. Half of each step is from such images, half from folders with
    masks/.

    With --task, a vector for the task is learned with the decoder (SUM). It is used with an object's first prompt and
    saved in FILE. A class of that name takes it. Sets without a task teach clicks under all other classes. An official
    SAM's FILE then holds tensors that Meta's own code does not expect.

    DATASET may be a samtta project: its accepted masks are read as they are (SAM's data engine, the model in the loop).
    """
    if Path(model).expanduser().resolve() == out.resolve():
        raise TrainingError("The output file is the model that the run starts from", out, "Choose another --out")
    from samtta_app.model.model_registry import load_model
    from samtta_app.train.decoder.decoder_files import net_in_file
    from samtta_app.train.decoder.decoder_run import DecoderPlan, tune_decoder
    from samtta_app.train.decoder.set_tasks import set_tasks
    from samtta_app.train.device import training_device

    tasks = set_tasks(datasets, task or ())
    opened = load_model(model, str(training_device(device)))
    plan = DecoderPlan(steps, minutes, rate, images, seed=seed, weigh=not believe_all, photos=photos)
    given = opened, net_in_file(opened, model), datasets, out, plan
    reached = with_bar(plan, partial(tune_decoder, *given, tasks=tasks, resume=resume, fresh=fresh))
    Console(soft_wrap=True).print(decoder_summary(reached, out), highlight=False, markup=False)


def with_bar(plan: DecoderPlan, tune: Callable[..., DecoderReached]) -> DecoderReached:
    """Run `tune` with `report` and `told` and a progress bar; Ctrl+C ends it with one line and exit code 130."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("reading the data sets, and measuring the start", total=1.0)
            return tune(
                report=lambda now: bar.update(task, completed=now.share(plan), description=decoder_progress(now)),
                told=lambda words: bar.update(task, description=words),
            )
    except KeyboardInterrupt as stopped:
        console.print(str(stopped) or "stopped; nothing new was saved", markup=False)
        raise typer.Exit(130) from None


def decoder_progress(reached: DecoderReached) -> str:
    """The text of the progress bar."""
    return (
        f"step {reached.step}, loss {reached.loss:.3f}, held-out IoU {three(reached.before)} -> {three(reached.best)}"
    )


def decoder_summary(reached: DecoderReached, out: Path) -> str:
    """The last line: the figures before, and those of the file."""
    before = f"held-out IoU after 1, 3, 5 clicks: before {three(reached.before)}"
    if reached.best_step == 0:
        return f"wrote {out}: nothing was better than the starting weights, which it holds; {before}, after the same"
    return f"wrote {out}: {before}, after {three(reached.best)} (step {reached.best_step} of {reached.step})"


def three(figures: HeldOut) -> str:
    """Three figures in a row."""
    return " ".join(f"{value:.3f}" for value in figures)
