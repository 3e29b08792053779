"""`samtta auto` and `samtta edges`: what a model finds by itself in an image or a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from samtta_app.cli.pool_options import (
    ImagesAt,
    Jobs,
    RayAddress,
    ResultsAt,
    ShardSize,
    chosen_pool,
    files_sent,
    run_in_shards,
    sent_model,
    works_in_shards,
)
from samtta_app.cli.run_progress import say_written, standing
from samtta_app.core.names import displayable, is_listed
from samtta_app.errors import ExportError, ImageError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from samtta_app.core.automatic import AutomaticSettings
    from samtta_app.core.messages import ReportProgress
    from samtta_app.engine.dispatch import Engine
    from samtta_app.formats.detections import Detections
    from samtta_app.parallel.image_places import ImagePlace
    from samtta_app.parallel.shard_run import RunEnd
    from samtta_app.parallel.worker_pool import WorkerPool

_Place = Annotated[Path, typer.Argument(help="An image, or a folder of images.", metavar="FOLDER|IMAGE")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.", metavar="DIR")]
_Model = Annotated[str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.")]
_Device = Annotated[
    str, typer.Option(help="What the model runs on: auto, cpu, openvino, cuda, cuda:1 or mps.", metavar="D")
]
_InputSize = Annotated[int | None, typer.Option(help="Side of the compact model's input (default: its own).")]


def find_masks_in(
    place: ImagesAt,
    out: ResultsAt,
    format_: Annotated[
        str, typer.Option("--format", "-f", help="coco, png, or shards alone.", metavar="coco|png|shards")
    ] = "coco",
    boxes: Annotated[
        Path | None, typer.Option(help="Boxes of a detector, COCO's JSON: each becomes a mask.", metavar="JSON")
    ] = None,
    points_per_side: Annotated[int, typer.Option(help="Points along each side of an image.")] = 32,
    pred_iou: Annotated[
        float | None, typer.Option(help="Masks above this predicted IoU are kept (default: the model's own, SAM .88).")
    ] = None,
    stability: Annotated[
        float | None, typer.Option(help="Masks of this stability are kept (default: the model's own, SAM .95).")
    ] = None,
    stability_offset: Annotated[float, typer.Option(help="Logits between the two thresholds of the stability.")] = 1.0,
    box_nms: Annotated[float, typer.Option(help="Of two masks whose boxes overlap more, one is kept.")] = 0.7,
    crop_layers: Annotated[int, typer.Option(help="Layer k looks at 4^k crops as well.")] = 0,
    crop_nms: Annotated[float, typer.Option(help="The same between crops.")] = 0.7,
    crop_overlap: Annotated[float, typer.Option(help="Overlap of the first layer's crops, in shorter sides.")] = 512
    / 1500,
    crop_downscale: Annotated[int, typer.Option(help="Layer k has fewer points by this, to the power of k.")] = 1,
    min_region: Annotated[int, typer.Option(help="Parts and holes of fewer pixels are removed.")] = 0,
    max_share: Annotated[float, typer.Option(help="Masks of a larger share of the image are dropped.")] = 1.0,
    model: _Model = "samtta-small",
    input_size: _InputSize = None,
    device: _Device = "auto",
    jobs: Jobs = 1,
    ray: RayAddress = "",
    shard: ShardSize = 0,
) -> None:
    """Find masks everywhere in images, by a grid of clicks, as SAM's automatic mask generator does.

    They are written as COCO instances or index PNGs, and as COCO results with scores. A stopped run continues with the same
    command: images that are done are not looked at again. With --jobs, --ray or a URL, the work is done in shards.
    """
    from samtta_app.core.automatic import AutomaticSettings

    if format_ not in ("coco", "png", "shards"):
        raise ExportError(f"There is no format {format_!r} for found masks", do="Choose coco, png or shards")
    given = {name: value for name, value in (("pred_iou", pred_iou), ("stability", stability)) if value is not None}
    settings = replace(
        AutomaticSettings(points_per_side=points_per_side, crop_layers=crop_layers, crop_downscale=crop_downscale),
        stability_offset=stability_offset,
        box_nms=box_nms,
        crop_nms=crop_nms,
        crop_overlap=crop_overlap,
        least_region=min_region,
        largest=max_share,
    )
    settings = replace(settings, **dict[str, Any](given))
    asked = _MaskOrder(settings, given, boxes, model, input_size, device)
    if format_ == "shards" or works_in_shards(jobs, ray, shard, place, out):
        _mask_shards(asked, place, out, format_, chosen_pool(jobs, ray, device), shard)
    else:
        _masks_here(asked, Path(place), Path(out), format_)


@dataclass(frozen=True, slots=True)
class _MaskOrder:
    """What is looked for and by which model; `given` are the limits that a user named, `boxes` a detector's file."""

    settings: AutomaticSettings
    given: Mapping[str, Any]
    boxes: Path | None
    model: str
    input_size: int | None
    device: str

    @property
    def label(self) -> str:
        """What the model is called in results."""
        return f"{self.model} at {self.input_size}" if self.input_size else self.model

    def settings_of(self, engine: Engine) -> AutomaticSettings:
        """The settings with the model's own limits where none were given."""
        own = engine.automatic_settings
        limits = {"pred_iou": own.pred_iou, "stability": own.stability, **self.given}
        return replace(self.settings, **dict[str, Any](limits))

    def detections(self, names: Sequence[str]) -> Detections | None:
        """The detector's boxes; what is wrong with them is said before the model is loaded."""
        return _detections(self.boxes, names)


def _masks_here(asked: _MaskOrder, place: Path, out: Path, format_: str) -> None:
    """Image by image in this process."""
    images = _images(place)
    detections = asked.detections([path.name for path in images])

    from samtta_app.cli.auto_run import mask_images
    from samtta_app.formats import FORMATS

    engine = _engine(asked.model, asked.input_size, asked.device)
    settings = asked.settings_of(engine)
    _to_the_end(mask_images(engine, settings, asked.label, images, out, FORMATS[format_], asked.boxes, detections))


def _mask_shards(asked: _MaskOrder, place: str, out: str, format_: str, pool: WorkerPool, size: int) -> None:
    """In shards, by many processes or machines."""
    from samtta_app.formats import FORMATS
    from samtta_app.parallel.image_places import ResultPlace, found_images
    from samtta_app.parallel.mask_finding import boxes_of, model_text, settings_text
    from samtta_app.parallel.mask_shards import MaskShard, ShardedMasks
    from samtta_app.parallel.shard_run import SHARD_IMAGES, ShardPlan

    images = found_images(place)
    detections = asked.detections([image.name for image in images])
    sent = sent_model(asked.model, asked.input_size, asked.device)
    engine = sent.engine()
    settings = asked.settings_of(engine)
    by, said = model_text(engine, asked.label), settings_text(settings, asked.boxes)

    def work(part: Sequence[ImagePlace]) -> MaskShard:
        of_part = {image.name: boxes_of(detections, image.name) for image in part} if detections else None
        return MaskShard(sent, settings, by, said, of_part)

    plan = ShardPlan(
        *(images, ResultPlace(out), {"kind": "masks", "model": by, "settings": said}, work, size or SHARD_IMAGES)
    )

    def finish(end: RunEnd, told: ReportProgress) -> str:
        if format_ == "shards" or not end.standing.done:
            return ""
        told(1.0, "writing")
        found = ShardedMasks(plan.out, images, end.standing)
        folder = Path(place).parent if is_listed(Path(place).name) else Path(place)
        names = found.write(FORMATS[format_], folder, detections.categories if detections else {})
        return f"wrote {' '.join(names[-2:])} and others there" if len(names) > 2 else f"wrote {' '.join(names)} there"

    run_in_shards(plan, replace(pool, sent=files_sent(sent, pool)), finish)


def _detections(boxes: Path | None, names: Sequence[str]) -> Detections | None:
    """The boxes of a file.

    Raises:
        DatasetError: they cannot be read.
        UserError: no image has a box.
    """
    from samtta_app.formats.detections import read_detections

    found = None if boxes is None else read_detections(boxes)
    if found and not any(map(found.of, names)):
        raise UserError("No image has a box in this file", boxes, "Its image ids must be the names of the images")
    return found


def find_edges_in(
    place: _Place,
    out: _Out,
    points_per_side: Annotated[int, typer.Option(help="Points along each side of an image.")] = 16,
    box_nms: Annotated[float, typer.Option(help="Of two masks whose boxes overlap more, one is kept.")] = 0.7,
    model: _Model = "samtta-small",
    input_size: _InputSize = None,
    device: _Device = "auto",
) -> None:
    """Find the edges of everything in images from automatic masks, by SAM's protocol; one grey PNG an image."""
    from samtta_app.cli.auto_run import edge_images
    from samtta_app.core.automatic import EDGE_SETTINGS

    settings = replace(EDGE_SETTINGS, points_per_side=points_per_side, box_nms=box_nms)
    images = _images(place)
    _to_the_end(edge_images(_engine(model, input_size, device), settings, images, out))


def _engine(model: str, input_size: int | None, device: str) -> Engine:
    from samtta_app.engine.dispatch import open_engine
    from samtta_app.settings import Settings
    from samtta_app.simulation.engines import FROZEN

    replace(Settings(), device=device)
    return open_engine(model, input_size=input_size, device=device, adapting=FROZEN)


def _images(place: Path) -> tuple[Path, ...]:
    """The image files that are meant.

    Raises:
        UserError: there is none.
    """
    from samtta_app.session.project.listing import image_files

    found = (place,) if place.is_file() else image_files(place)
    if not found:
        raise ImageError("There is no image in the folder", place, "Choose a folder of images, or an image")
    return found


def _to_the_end(run: Callable[..., tuple[list[Path], Sequence[str]]]) -> None:
    """Run with progress; what failed is told on standard error, and the exit code is 1 then."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        with standing() as told:
            written, remarks = run(told)
    except KeyboardInterrupt:
        errors.print("stopped; what was found is kept, and the same command continues", markup=False)
        raise typer.Exit(130) from None
    for line in remarks:
        errors.print(f"samtta: {displayable(line)}", markup=False)
    if written:
        say_written(written)
    if remarks:
        raise typer.Exit(1)
