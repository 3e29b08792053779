"""What a model finds by itself in one image: masks everywhere, or a mask for each box of a detector."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.messages import AutomaticRequest, LoadRequest, PredictRequest
from samtta_app.core.replies import Answer, AutomaticFound, AutomaticMasks, Failure, Loaded, Partial, Progress
from samtta_app.core.types import Image, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import ImageError, UserError
from samtta_app.formats.detections import DetectedBox, Detections, inside_image
from samtta_app.formats.found_masks import FoundInImage, FoundMask, found_mask, of_automatic
from samtta_app.formats.written_files import content_hash

Boxes = Sequence[DetectedBox] | None
"""The boxes of an image that become masks; None finds masks everywhere."""


def settings_text(settings: AutomaticSettings, boxes: Path | None) -> str:
    """What decides on the masks beside image and model: the settings, or the boxes' file."""
    return json.dumps(asdict(settings)) if boxes is None else f"boxes {content_hash(boxes)}"


def model_text(engine: Engine, label: str) -> str:
    """The model, by its label and its weights."""
    return f"{label} {engine.resources.learner.model_sha256[:16]}"


def boxes_of(detections: Detections | None, name: str) -> Boxes:
    """The boxes of the image of this name; None where there are no detections at all."""
    return None if detections is None else detections.of(name)


def shares_heard(tell: Callable[[float], None]) -> Callable[[Partial], None]:
    """Passes on how far a request is."""

    def heard(part: Partial) -> None:
        if isinstance(part, AutomaticFound):
            tell(part.share)
        elif isinstance(part, Progress):
            tell(part.fraction)

    return heard


def loaded_image(engine: Engine, path: Path) -> Image:
    """An image, read by the engine.

    Raises:
        ImageError: it cannot be read.
    """
    reply = run(engine, LoadRequest(1, path))
    if isinstance(reply, Failure):
        raise ImageError(reply.text.removesuffix("."))
    assert isinstance(reply, Loaded), "reading an image ends with the image or a failure"
    return reply.image


def found_in_image(
    engine: Engine,
    settings: AutomaticSettings,
    model: str,
    said: str,
    name: str,
    path: Path,
    boxes: Boxes,
    tell: Callable[[float], None],
    remarks: list[str],
) -> FoundInImage:
    """The masks of one image, found as `settings` say; `model` and `said` are noted in them.

    `tell` gets the completed share, `remarks` a line for what was left out.

    Raises:
        ImageError: the image cannot be read.
        UserError: the engine refused.
    """
    image = loaded_image(engine, path)
    if boxes is None:
        reply = run(engine, AutomaticRequest(2, image, settings, frozen=True), shares_heard(tell))
        if not isinstance(reply, AutomaticMasks):
            raise UserError(f"The engine found no masks: {getattr(reply, 'text', '')}", path)
        masks, seconds = of_automatic(reply.masks, image.width, image.height), reply.seconds
    else:
        masks, seconds = _boxed(engine, image, name, boxes, tell, remarks)
    head = (name, image.width, image.height, content_hash(path), model, said)
    return FoundInImage(*head, seconds, masks)


def _boxed(
    engine: Engine,
    image: Image,
    name: str,
    boxes: Sequence[DetectedBox],
    tell: Callable[[float], None],
    remarks: list[str],
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
        remarks.append(f"{name}: {outside} of {len(boxes)} boxes lie outside the image and were left out")
    return tuple(masks), seconds
