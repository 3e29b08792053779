"""What all commands that can use many processors or machines have in common: --jobs, --ray, --shard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from samtta_app.cli.run_progress import standing
from samtta_app.core.names import displayable
from samtta_app.errors import UserError

if TYPE_CHECKING:
    from samtta_app.core.messages import ReportProgress
    from samtta_app.parallel.model_on_worker import ModelOnWorker
    from samtta_app.parallel.shard_run import RunEnd, ShardPlan
    from samtta_app.parallel.worker_pool import WorkerPool

ImagesAt = Annotated[
    str, typer.Argument(help="An image, a folder, a URL (s3://, https://), or a .txt that lists them.", metavar="PLACE")
]
ResultsAt = Annotated[str, typer.Option("--out", "-o", help="Folder or URL for the files.", metavar="DIR|URL")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes of this machine.", metavar="N")]
RayAddress = Annotated[
    str,
    typer.Option("--ray", help="A Ray cluster does the work: its address, or auto for this one's.", metavar="ADDRESS"),
]
ShardSize = Annotated[
    int, typer.Option("--shard", min=0, help="Images that a worker takes at a time (default: by the work).")
]

SHOWN_ERRORS = 20
"""Images that failed and are printed; the manifest has all of them."""


def chosen_pool(jobs: int, ray: str, device: str = "auto") -> WorkerPool:
    """What works on the tasks of a command. In a cluster, only --device cuda gives each worker a GPU.

    Raises:
        UserError: both processes and a cluster are named.
    """
    from samtta_app.parallel.worker_pool import WorkerPool

    if ray and jobs > 1:
        raise UserError("--jobs and --ray cannot be given together", "", "Leave one out")
    return WorkerPool(jobs, ray, gpus=1.0 if device.startswith("cuda") else 0.0)


def works_in_shards(jobs: int, ray: str, shard: int, *places: str) -> bool:
    """Whether a command works in shards, which many can share: where it is told to, or a place is no folder."""
    from samtta_app.parallel.image_places import LIST_SUFFIX, is_url

    return bool(jobs > 1 or ray or shard or any(is_url(place) or place.endswith(LIST_SUFFIX) for place in places))


def sent_model(model: str, input_size: int | None, device: str) -> ModelOnWorker:
    """The model that each worker loads.

    Raises:
        CheckpointError: there is none.
        SettingsError: there is no such device.
    """
    from samtta_app.model.model_registry import model_file
    from samtta_app.parallel.model_on_worker import ModelOnWorker
    from samtta_app.settings import Settings

    replace(Settings(), device=device)
    return ModelOnWorker(str(model_file(model)), input_size, device)


def files_sent(model: ModelOnWorker, pool: WorkerPool) -> tuple[Path, ...]:
    """What a cluster's machines need of the model."""
    from samtta_app.parallel.sent_files import files_of_model

    return files_of_model(Path(model.file)) if pool.ray else ()


def run_in_shards(
    plan: ShardPlan, pool: WorkerPool, finish: Callable[[RunEnd, ReportProgress], str] = lambda end, told: ""
) -> None:
    """Run with progress, errors as they come, and words at the end. Exit code 1 where an image or a shard failed.

    Args:
        plan: what to do.
        pool: what works on it.
        finish: called at the end; returns what to say of it.
    """
    from samtta_app.parallel.shard_run import run_shards

    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    shown: list[str] = []

    def say(line: str) -> None:
        shown.append(line)
        if len(shown) <= SHOWN_ERRORS:
            errors.print(f"samtta: {displayable(line)}", markup=False)

    try:
        with standing() as told:
            end = run_shards(plan, pool, told, say)
            words = finish(end, told)
    except KeyboardInterrupt:
        errors.print("stopped; finished shards are kept, and the same command continues", markup=False)
        raise typer.Exit(130) from None
    for line in end.failures:
        say(line)
    if len(shown) > SHOWN_ERRORS:
        errors.print(f"and {len(shown) - SHOWN_ERRORS} more; the files of the manifest name them", markup=False)
    done = len(end.standing.done)
    console = Console(soft_wrap=True, highlight=False)
    console.print(DONE.format(done=done, total=len(plan.images), place=plan.out.root), markup=False)
    if words:
        console.print(words, markup=False)
    if shown:
        raise typer.Exit(1)


DONE = "{done:,} of {total:,} images are done in {place}"
