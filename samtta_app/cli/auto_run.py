"""The work of `samtta auto` and `samtta edges`: image after image, each kept when it is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.files import write_whole
from samtta_app.core.messages import AutomaticRequest, EdgesRequest, LoadRequest, PredictRequest, ReportProgress
from samtta_app.core.replies import Answer, AutomaticFound, AutomaticMasks, Edges, Failure, Loaded, Partial, Progress
from samtta_app.core.types import Image, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import ExportError, ImageError, UserError
from samtta_app.formats.base import Format
from samtta_app.formats.detections import DetectedBox, Detections, inside_image
from samtta_app.formats.found_masks import (
    FoundInImage,
    FoundMask,
    earlier_find,
    found_mask,
    of_automatic,
    project_of,
    raw_files,
    write_found,
    write_results,
)
from samtta_app.formats.written_files import content_hash, portable_stems

Ended = tuple[list[Path], Sequence[str]]
"""The files that were written, and a line for each thing that went wrong."""


def mask_images(
    engine: Engine,
    settings: AutomaticSettings,
    model: str,
    images: Sequence[Path],
    out: Path,
    form: Format,
    boxes: Path | None,
    detections: Detections | None,
) -> Callable[[ReportProgress], Ended]:
    """A run that finds masks in images and writes them; it begins when it is called.

    `detections` are the content of the file `boxes`.
    """

    def work(told: ReportProgress) -> Ended:
        files = raw_files([path.name for path in images], out)
        said, by = _settings_text(settings, boxes), f"{model} {engine.resources.learner.model_sha256[:16]}"
        done: dict[str, Path] = {}
        remarks: list[str] = []
        for number, path in enumerate(images):
            words = f"{path.name}, image {number + 1} of {len(images)}"
            raw, tell = files[path.name], _part(told, number, len(images), words)
            tell(0.0)
            try:
                if earlier_find(raw, path, by, said) is None:
                    write_found(_found(engine, settings, by, said, path, detections, tell, remarks), raw)
                done[path.name] = raw
            except ImageError as error:
                remarks.append(str(error))
        if not done:
            return [], remarks
        project = project_of(images[0].parent, done, detections.categories if detections else {})
        return [*form.write(project, out), write_results(done, out)], remarks

    return work


def _settings_text(settings: AutomaticSettings, boxes: Path | None) -> str:
    """What decides on the masks beside image and model: the settings, or the boxes' file."""
    return json.dumps(asdict(settings)) if boxes is None else f"boxes {content_hash(boxes)}"


def _part(told: ReportProgress, number: int, total: int, words: str) -> Callable[[float], None]:
    return lambda share: told((number + share) / total, words)


def _found(
    engine: Engine,
    settings: AutomaticSettings,
    model: str,
    said: str,
    path: Path,
    detections: Detections | None,
    tell: Callable[[float], None],
    remarks: list[str],
) -> FoundInImage:
    """The masks of one image.

    Raises:
        ImageError: the image cannot be read.
        UserError: the engine refused.
    """
    image = _loaded(engine, path)
    if detections is None:
        reply = run(engine, AutomaticRequest(2, image, settings, frozen=True), _heard(tell))
        if not isinstance(reply, AutomaticMasks):
            raise UserError(f"The engine found no masks: {getattr(reply, 'text', '')}", path)
        masks, seconds = of_automatic(reply.masks, image.width, image.height), reply.seconds
    else:
        masks, seconds = _boxed(engine, image, detections.of(path.name), tell, remarks)
    head = (path.name, image.width, image.height, content_hash(path), model, said)
    return FoundInImage(*head, seconds, masks)


def _heard(tell: Callable[[float], None]) -> Callable[[Partial], None]:
    def heard(part: Partial) -> None:
        if isinstance(part, AutomaticFound):
            tell(part.share)
        elif isinstance(part, Progress):
            tell(part.fraction)

    return heard


def _loaded(engine: Engine, path: Path) -> Image:
    reply = run(engine, LoadRequest(1, path))
    if isinstance(reply, Failure):
        raise ImageError(reply.text.removesuffix("."))
    assert isinstance(reply, Loaded), "reading an image ends with the image or a failure"
    return reply.image


def _boxed(
    engine: Engine, image: Image, boxes: Sequence[DetectedBox], tell: Callable[[float], None], remarks: list[str]
) -> tuple[tuple[FoundMask, ...], float]:
    """A mask for each box in the image, those of the highest score first, and the seconds that they took."""
    masks, seconds, outside = [], 0.0, 0
    for number, each in enumerate(sorted(boxes, key=lambda one: -one.score)):
        tell(number / len(boxes))
        box = inside_image(each.box, image.width, image.height)
        if box is None:
            outside += 1
            continue
        answer = run(engine, PredictRequest(3 + number, image, Prompt(box=box), frozen=True))
        if not isinstance(answer, Answer):
            raise UserError(f"The engine could not answer: {getattr(answer, 'text', '')}", image.path)
        seconds += answer.seconds
        shown = answer.candidates[answer.chosen]
        if shown.mask.area:
            about = {"score": each.score, "predicted_iou": shown.predicted_iou, "stability": None}
            prompt = (box.x0, box.y0, box.x1, box.y1)
            masks.append(
                found_mask(shown.mask, image.width, image.height, **about, prompt=prompt, category=each.category)
            )
    if outside:
        remarks.append(f"{image.path.name}: {outside} of {len(boxes)} boxes lie outside the image and were left out")
    return tuple(masks), seconds


# --- edges ------------------------------------------------------------------------------------------------------------


def edge_images(
    engine: Engine, settings: AutomaticSettings, images: Sequence[Path], out: Path
) -> Callable[[ReportProgress], Ended]:
    """A run that writes the edges of images as grey PNGs, 255 for the strongest edge of the image."""

    def work(told: ReportProgress) -> Ended:
        stems = portable_stems([path.name for path in images])
        written: list[Path] = []
        remarks: list[str] = []
        for number, path in enumerate(images):
            tell = _part(told, number, len(images), f"{path.name}, image {number + 1} of {len(images)}")
            try:
                image = _loaded(engine, path)
            except ImageError as error:
                remarks.append(str(error))
                continue
            reply = run(engine, EdgesRequest(2, image, settings, frozen=True), _heard(tell))
            if not isinstance(reply, Edges):
                raise UserError(f"The engine found no edges: {getattr(reply, 'text', '')}", path)
            written.append(_written(reply, out / f"{stems[path.name]}.png"))
        return written, remarks

    return work


def _written(edges: Edges, path: Path) -> Path:
    data = cv2.imencode(".png", np.rint(255 * edges.strength).astype(np.uint8))[1].tobytes()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise ExportError(f"The edges cannot be written: {error.strerror}", path, "Choose another folder") from error
    return path
