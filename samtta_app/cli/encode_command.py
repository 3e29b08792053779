"""`samtta encode`: images are encoded ahead, so that the first click on each is answered at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from samtta_app.cli.pool_options import (
    ImagesAt,
    Jobs,
    RayAddress,
    ShardSize,
    chosen_pool,
    files_sent,
    run_in_shards,
    sent_model,
)

if TYPE_CHECKING:
    from samtta_app.core.messages import ReportProgress
    from samtta_app.parallel.shard_run import RunEnd


def encode_images(
    place: ImagesAt,
    out: Annotated[
        str,
        typer.Option(
            "--out", "-o", help="Folder or URL (default: where the window looks for them).", metavar="DIR|URL"
        ),
    ] = "",
    model: Annotated[
        str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.")
    ] = "samtta-small",
    input_size: Annotated[
        int | None, typer.Option(help="Side of the compact model's input (default: its own).")
    ] = None,
    device: Annotated[str, typer.Option(help="What the model runs on: auto, cpu, cuda or mps.", metavar="D")] = "auto",
    jobs: Jobs = 1,
    ray: RayAddress = "",
    shard: ShardSize = 0,
) -> None:
    """Encode images ahead, each as a whole, so that the first click on it needs no encoding.

    A stopped run continues with the same command. The window finds the files by the image's content: names may change.
    """
    from samtta_app.model.fingerprint import weights_sha256
    from samtta_app.parallel.feature_shards import ENCODED_IMAGES, FeatureShard
    from samtta_app.parallel.image_places import ResultPlace, found_images
    from samtta_app.parallel.shard_run import ShardPlan
    from samtta_app.settings import feature_folder, load_settings

    images, pool = found_images(place), chosen_pool(jobs, ray, device)
    sent = sent_model(model, input_size, device)
    opened = sent.engine().resources.model
    settings = {"kind": "features", "model": f"{weights_sha256(opened)[:16]} at {opened.size}"}
    target = ResultPlace(out or str(feature_folder()))
    plan = ShardPlan(images, target, settings, lambda part: FeatureShard(sent), shard or ENCODED_IMAGES)

    def finish(end: RunEnd, told: ReportProgress) -> str:
        entries = [end.standing.entries[key] for key in set(end.standing.done.values())]
        files = {name: facts.size for entry in entries for name, facts in entry.files.items()}
        kept, total = load_settings().kept_features, sum(files.values()) / 2**20
        words = ENCODED_WORDS.format(number=len(files), total=total)
        return words if out or total <= kept else f"{words}. {BUDGET_WORDS.format(kept=kept)}"

    run_in_shards(plan, replace(pool, sent=files_sent(sent, pool)), finish)


ENCODED_WORDS = "{number:,} encoded images, {total:,.0f} MB"
BUDGET_WORDS = "The window keeps {kept:,} MB of them: raise the setting kept_features, or it drops the oldest"
