"""Automatic masks over a stream of images: how good they are, and what they spare a simulated annotator.

Three ways are measured over the same images. "frozen" proposes masks by the original weights, and its annotator corrects
what is missing. "adapted" does the same, and learns weights, limits and sizes from every accepted mask. "by hand" learns
too, and proposes nothing. An image is proposed on before anything of it is learned. What is accepted is the model's own
mask, never the true one.
Source: Kirillov et al. 2023, "Segment Anything", section 4 (semi-automatic stage) and section 7.3 (AR@1000).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.clicks import next_click
from samtta_app.core.messages import AdaptRequest, AutomaticRequest, PredictRequest, ReportProgress
from samtta_app.core.metrics import iou
from samtta_app.core.replies import Answer, AutomaticMasks
from samtta_app.core.types import Box, Click, Example, Image, Mask, Prompt, Window
from samtta_app.datasets.folder import DataImage, TargetObject, open_dataset, read_objects
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import DatasetError, UserError
from samtta_app.formats.detections import Detections, inside_image
from samtta_app.parallel.mask_finding import loaded_image
from samtta_app.simulation.annotator import EASY, Goal
from samtta_app.simulation.engines import FROZEN
from samtta_app.simulation.streams import Source, part_of

FROZEN_WAY, ADAPTED_WAY, HAND_WAY, BOXES_WAY = "frozen", "adapted", "by hand", "boxes"
LEAST_OVERLAP = 0.5
"""Least IoU of a mask with an object that is recorded: no figure looks below."""

MOST_MASKS = 1000
"""Masks of an image that count, best first, as in AR@1000."""


@dataclass(frozen=True, slots=True)
class AutomaticRow:
    """The masks of one image, and what its annotation took.

    `objects` is the number of true objects. `scores` are those of the masks, highest first. `pairs` are masks (by place),
    objects (by place) and their IoU, from LEAST_OVERLAP on. `seconds` found them, encoding included.

    `annotated` objects were asked for: `accepted` of them were among the masks, the others took `clicks`, and `failed` of
    them were given up. `waited` are the seconds in which an annotator waited for an answer. `learning` are those of
    learning.
    """

    set: str
    way: str
    position: int
    image: str
    objects: int
    scores: list[float]
    pairs: list[tuple[int, int, float]]
    seconds: float
    annotated: int = 0
    accepted: int = 0
    clicks: int = 0
    failed: int = 0
    waited: float = 0.0
    learning: float = 0.0
    version: int = 0
    model: str = ""


class ScoredMask(NamedTuple):
    """A mask, its rank's number, the prompt that it answers, and where it was found."""

    mask: Mask
    score: float
    prompt: Prompt
    window: Window


@dataclass(frozen=True, slots=True)
class AutomaticAsking:
    """How sets are measured: `images` of each, `annotated` objects of each image, and how masks are found."""

    settings: AutomaticSettings
    images: int
    annotated: int
    seed: int
    split: str | None
    strategy: str
    goal: Goal = EASY


def images_with_objects(
    source: Source, asking: AutomaticAsking
) -> Iterator[tuple[DataImage, tuple[TargetObject, ...]]]:
    """Images of a set in a random order, each with its objects; those without are passed over.

    Raises:
        DatasetError: the set cannot be used, or has no objects.
    """
    data = open_dataset(source.folders[0])
    images = data.part(part_of(data, asking.split))
    order = np.random.default_rng(asking.seed).permutation(len(images))
    found = 0
    for place in order:
        targets = read_objects(images[place])
        if targets:
            found += 1
            yield images[place], targets
        if found == asking.images:
            return
    if not found:
        raise DatasetError("There is no object in the set", data.folder, "Choose another split")


def run_automatic(
    engine: Engine, source: Source, asking: AutomaticAsking, detections: Detections | None, told: ReportProgress
) -> Iterator[AutomaticRow]:
    """Measure a set in every way; with `detections`, masks of their boxes by the original weights as well.

    Rows come as soon as they are measured.

    Raises:
        DatasetError: the set cannot be used.
        UserError: an image cannot be read, or the engine refused.
    """
    frozen = engine.fresh(asking.seed, FROZEN)
    sides = {way: engine.fresh(asking.seed, asking.strategy) for way in (ADAPTED_WAY, HAND_WAY)}
    streams = {FROZEN_WAY: _Annotation(frozen, asking), **{way: _Annotation(one, asking) for way, one in sides.items()}}
    for position, (image, targets) in enumerate(images_with_objects(source, asking)):
        for step, (way, stream) in enumerate(streams.items()):
            share = (position + step / len(streams)) / asking.images
            told(share, f"{source.name}: image {position + 1} of {asking.images}, {way}")
            yield stream.of_image(source.name, way, position, image, targets)
        if detections is not None:
            yield _of_boxes(frozen, source.name, position, image, targets, detections)


class _Annotation:
    """One simulated annotator with an engine that learns, or does not."""

    def __init__(self, engine: Engine, asking: AutomaticAsking) -> None:
        self._engine, self._asking, self._numbers = engine, asking, itertools.count(1)

    def of_image(
        self, name: str, way: str, position: int, image: DataImage, targets: Sequence[TargetObject]
    ) -> AutomaticRow:
        """Propose, accept what is right, click at what is missing, and learn."""
        loaded, version = loaded_image(self._engine, image.path), self._engine.published.version
        started = time.perf_counter()
        masks = [] if way == HAND_WAY else self._proposed(loaded, frozen=way == FROZEN_WAY)
        seconds = time.perf_counter() - started
        pairs = overlaps_of(masks, targets)
        best = {
            target: place
            for place, target, value in sorted(pairs, key=lambda p: p[2])
            if value >= self._asking.goal.target
        }
        clicks = accepted = failed = 0
        waited = learning = 0.0
        asked = range(min(len(targets), self._asking.annotated))
        for k in asked:
            if k in best:
                found: ScoredMask | None = masks[best[k]]
                accepted += 1
            else:
                found, used, wait = self._clicked(loaded, targets[k].mask)
                clicks, failed, waited = clicks + used, failed + (found is None), waited + wait
            if found is not None:
                learning += self._learned(loaded, found)
        return AutomaticRow(
            *(name, way, position, image.name, len(targets), [each.score for each in masks], pairs, seconds),
            *(len(asked), accepted, clicks, failed, waited, learning, version),
        )

    def _proposed(self, image: Image, *, frozen: bool) -> list[ScoredMask]:
        reply = run(self._engine, AutomaticRequest(next(self._numbers), image, self._asking.settings, frozen=frozen))
        if not isinstance(reply, AutomaticMasks):
            raise UserError(f"The engine found no masks: {getattr(reply, 'text', '')}", image.path)
        found = [
            ScoredMask(each.mask, (each.predicted_iou + _known(each.stability)) / 2, Prompt((each.click,)), each.window)
            for each in reply.masks
        ]
        return sorted(found, key=lambda each: -each.score)[:MOST_MASKS]

    def _clicked(self, image: Image, target: Mask) -> tuple[ScoredMask | None, int, float]:
        """The mask that clicks led to, None where the goal was not reached; the clicks, and the seconds of waiting."""
        clicks: tuple[Click, ...] = ()
        shown, logits, window, waited = None, None, None, 0.0
        while len(clicks) < self._asking.goal.limit:
            click = next_click(target, shown, clicks, image.whole)
            if click is None:
                break
            clicks = (*clicks, click)
            prompt = Prompt(clicks, logits=logits)
            reply = run(self._engine, PredictRequest(next(self._numbers), image, prompt, window))
            if not isinstance(reply, Answer):
                raise UserError(f"The engine could not answer: {getattr(reply, 'text', '')}", image.path)
            waited += reply.seconds
            if not reply.candidates:
                continue
            best = reply.candidates[reply.chosen]
            shown, logits, window = best.mask, best.logits, best.logits.window
            if iou(shown, target) >= self._asking.goal.target:
                return ScoredMask(shown, best.predicted_iou, Prompt(clicks), window), len(clicks), waited
        return None, len(clicks), waited

    def _learned(self, image: Image, found: ScoredMask) -> float:
        """The seconds of learning from an accepted mask; the original weights learn nothing."""
        number = next(self._numbers)
        example = Example(number, image, found.window, found.mask, found.prompt.clicks, found.prompt.box)
        started = time.perf_counter()
        run(self._engine, AdaptRequest(number, example))
        return time.perf_counter() - started


def _of_boxes(
    engine: Engine,
    name: str,
    position: int,
    image: DataImage,
    targets: Sequence[TargetObject],
    detections: Detections,
) -> AutomaticRow:
    """The masks of a detector's boxes, ranked by its scores."""
    loaded, masks, seconds = loaded_image(engine, image.path), [], 0.0
    for number, each in enumerate(sorted(detections.of(image.path.name), key=lambda one: -one.score)[:MOST_MASKS]):
        box: Box | None = inside_image(each.box, loaded.width, loaded.height)
        if box is None:
            continue
        reply = run(engine, PredictRequest(number + 1, loaded, Prompt(box=box), frozen=True))
        if not isinstance(reply, Answer):
            raise UserError(f"The engine could not answer: {getattr(reply, 'text', '')}", image.path)
        seconds += reply.seconds
        masks.append(ScoredMask(reply.candidates[reply.chosen].mask, each.score, Prompt(box=box), reply.window))
    pairs = overlaps_of(masks, targets)
    scores = [each.score for each in masks]
    return AutomaticRow(name, BOXES_WAY, position, image.name, len(targets), scores, pairs, seconds)


def overlaps_of(masks: Sequence[ScoredMask], targets: Sequence[TargetObject]) -> list[tuple[int, int, float]]:
    """Places of masks and of objects whose IoU is LEAST_OVERLAP or more, and the IoU."""
    return [
        (k, place, round(value, 4))
        for k, each in enumerate(masks)
        for place, target in enumerate(targets)
        if (value := iou(each.mask, target.mask)) >= LEAST_OVERLAP
    ]


def _known(value: float) -> float:
    return 0.0 if value != value else value
