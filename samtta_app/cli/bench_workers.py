"""`samtta bench workers`: images per second by the number of workers, and what that means for many."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samtta_app.cli.pool_options import ImagesAt, RayAddress, chosen_pool, files_sent, sent_model
from samtta_app.cli.run_progress import say_written, wide_console
from samtta_app.errors import UserError

if TYPE_CHECKING:
    from samtta_app.parallel.shard_run import ShardWork


def measure_workers(
    place: ImagesAt,
    workers: Annotated[str, typer.Option(help="Numbers of workers, the first is the base.", metavar="1,2")] = "1,2",
    work: Annotated[str, typer.Option(help="auto, encode, or both.", metavar="auto|encode|both")] = "both",
    images: Annotated[int, typer.Option(min=1, help="Images that each number of workers does.")] = 64,
    size: Annotated[int, typer.Option("--shard", min=1, help="Images of a shard.")] = 4,
    points_per_side: Annotated[int, typer.Option(help="Points along each side, for auto.")] = 8,
    model: Annotated[str, typer.Option("--model", "-m", help="Shipped model, or a weights file.")] = "samtta-small",
    input_size: Annotated[
        int | None, typer.Option(help="Side of the compact model's input (default: its own).")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, openvino, cuda or mps.", metavar="D")] = "auto",
    ray: RayAddress = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for workers.json.", metavar="DIR")] = None,
) -> None:
    """Measure how the rate grows with the workers: processes of this machine, or of a Ray cluster with --ray.

    Each worker has one thread. Nothing else should run meanwhile; what did is said.
    """
    from samtta_app.bench.figure_files import write_figure_rows
    from samtta_app.bench.worker_speed import WorkerFigures, measure_scaling
    from samtta_app.parallel.feature_shards import FeatureShard
    from samtta_app.parallel.image_places import found_images
    from samtta_app.parallel.mask_shards import MaskShard

    numbers = _numbers(workers)
    if work not in ("auto", "encode", "both"):
        raise UserError(f"There is no work {work!r} to measure", "", "Choose auto, encode or both")
    found, base = found_images(place), chosen_pool(1, ray, device)
    if len(found) < images:
        found = found * -(-images // len(found))
    sent = sent_model(model, input_size, device)
    settings = replace(sent.engine().automatic_settings, points_per_side=points_per_side)
    shards: dict[str, ShardWork] = {"auto": MaskShard(sent, settings, model, "measured"), "encode": FeatureShard(sent)}
    pool = replace(base, sent=files_sent(sent, base))
    pools = [(n, replace(pool, most=n) if ray else replace(pool, processes=n, apart=True)) for n in numbers]
    console = wide_console()
    rows: list[WorkerFigures] = []
    for name in ("auto", "encode") if work == "both" else (work,):
        for row in measure_scaling(name, shards[name], found[:images], pools, size):
            console.print(SCALING_WORDS.format(**asdict(row)), highlight=False, soft_wrap=True)
            rows.append(row)
            if out is not None:  # at once: a run that is stopped keeps them
                write_figure_rows(map(asdict, rows), out / "workers.json")
    if out is not None:
        say_written([out / "workers.json"])


SCALING_WORDS = (
    "{work}, {workers} workers: {rate:.2f} images/s, {of_linear:.2f} of linear, {by_processor:.2f} by processor time. "
    "A worker had {worker_share:.2f} cores and threads: {threads}. "
    "Of {cores} cores, the driver had {driver_share:.3f}, other programs {others:.2f}. "
    "Results: {result_bytes:,.0f} bytes an image"
)


def _numbers(text: str) -> list[int]:
    """The numbers of workers.

    Raises:
        UserError: the text holds something else.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() and int(part) for part in parts):
        raise UserError(f"{text!r} is no list of numbers of workers", "", "Write --workers 1,2,4")
    return [int(part) for part in parts]
