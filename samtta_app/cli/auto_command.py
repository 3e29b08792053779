"""`samtta auto` and `samtta edges`: what a model finds by itself in an image or a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from samtta_app.cli.run_progress import say_written, standing
from samtta_app.core.names import displayable
from samtta_app.errors import ExportError, ImageError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from samtta_app.engine.dispatch import Engine
    from samtta_app.formats.detections import Detections

_Place = Annotated[Path, typer.Argument(help="An image, or a folder of images.", metavar="FOLDER|IMAGE")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.", metavar="DIR")]
_Model = Annotated[str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.")]
_Device = Annotated[str, typer.Option(help="What the model runs on: auto, cpu, cuda, cuda:1 or mps.", metavar="D")]
_InputSize = Annotated[int | None, typer.Option(help="Side of the compact model's input (default: its own).")]


def find_masks_in(
    place: _Place,
    out: _Out,
    format_: Annotated[str, typer.Option("--format", "-f", help="coco or png.", metavar="coco|png")] = "coco",
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
) -> None:
    """Find masks everywhere in images, by a grid of clicks, as SAM's automatic mask generator does.

    They are written as COCO instances or index PNGs, and as COCO results with scores. A stopped run continues with the same
    command: images that are done are not looked at again.
    """
    from samtta_app.core.automatic import AutomaticSettings
    from samtta_app.formats import FORMATS

    if format_ not in ("coco", "png"):
        raise ExportError(f"There is no format {format_!r} for found masks", do="Choose coco or png")
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
    images = _images(place)
    detections = _detections(boxes, images)  # what is wrong is said before the model is loaded

    from samtta_app.cli.auto_run import mask_images

    engine = _engine(model, input_size, device)
    own = engine.automatic_settings
    limits = {"pred_iou": own.pred_iou, "stability": own.stability} | given
    label = f"{model} at {input_size}" if input_size else model
    settings = replace(settings, **dict[str, Any](limits))
    _to_the_end(mask_images(engine, settings, label, images, out, FORMATS[format_], boxes, detections))


def _detections(boxes: Path | None, images: tuple[Path, ...]) -> Detections | None:
    """The boxes of a file.

    Raises:
        DatasetError: they cannot be read.
        UserError: no image has a box.
    """
    from samtta_app.formats.detections import read_detections

    found = None if boxes is None else read_detections(boxes)
    if found and not any(found.of(path.name) for path in images):
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
