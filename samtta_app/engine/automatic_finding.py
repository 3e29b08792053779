"""What a model finds by itself in a whole image: masks, and the edges of everything."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from samtta_app.adapt.accepted_limits import SIZE_SLACK, accepted_limits
from samtta_app.core.automatic import AutomaticMask, AutomaticSettings
from samtta_app.core.masks import bounding_box
from samtta_app.core.messages import AutomaticRequest, BoxesRequest, EdgesRequest, PredictRequest, StopRequest
from samtta_app.core.replies import AutomaticFound, AutomaticMasks, Edges, Progress, SearchStopped
from samtta_app.core.types import Box, Click, Example, Image, Prompt, WaitingExample
from samtta_app.core.windows import SEEN_WHOLE
from samtta_app.engine.predicting import answered
from samtta_app.engine.resources import Resources, Work
from samtta_app.errors import LargeImageError
from samtta_app.model.answers import MaskAnswer
from samtta_app.model.automatic_masks import automatic_masks
from samtta_app.model.backbone import Look
from samtta_app.model.edges import edges_of
from samtta_app.model.mask_prototypes import (
    ALIKE_FROM,
    ClassPrototypes,
    Likeness,
    exemplar_vectors,
    likeness_of,
    mask_vectors,
    vectors_at,
)
from samtta_app.model.predictor import ImageFeatures
from samtta_app.model.weights import Weights
from samtta_app.phrases import Phrase

TOO_LARGE = "Masks and edges of everything are looked for in images of at most {side} pixels a side"
CLICK_OR_CUT = "Click on the objects, or cut the image into parts"

_Worth = Callable[[ImageFeatures, NDArray[np.float64]], NDArray[np.bool_]]


def own_settings(of: Resources) -> AutomaticSettings:
    """How automatic masks of the model are chosen by default; those of official SAMs as SAM's generator does."""
    limits = of.model.policy.limits
    return AutomaticSettings(pred_iou=limits.sure, stability=limits.stable)


def stop_finding(of: Resources, request: StopRequest) -> Work:
    """Note that a search is to end."""
    of.stopped.add(request.stopped)
    yield None
    return SearchStopped(request.id)


@dataclass(frozen=True, slots=True, eq=False)
class _Descriptions:
    """What is said of every mask that is found: its class, and how like it is to what is looked for.

    `known` holds what was said, by the identity of the mask, with the mask itself: so no other one gets that identity.
    """

    of: Resources
    features: ImageFeatures
    prototypes: ClassPrototypes
    likeness: Likeness | None
    known: dict[int, tuple[AutomaticMask, AutomaticMask | None]] = field(default_factory=dict)

    def told(self, masks: Sequence[AutomaticMask]) -> tuple[AutomaticMask, ...]:
        """The masks with what is said of them; those that are not like what is looked for are left out."""
        if self.likeness is None and self.prototypes.vectors is None:
            return tuple(masks)
        fresh = [each for each in masks if id(each) not in self.known]
        if fresh:
            vectors = mask_vectors(self.of.model, self.features, [each.mask for each in fresh])
            named = self.prototypes.named(vectors)
            alike = [math.nan] * len(fresh) if self.likeness is None else self.likeness.of(vectors).tolist()
            for each, kind, like in zip(fresh, named, alike, strict=True):
                told = None if like <= ALIKE_FROM else replace(each, class_id=kind, likeness=like)
                self.known[id(each)] = each, told
        found = (self.known[id(each)][1] for each in masks)
        return tuple(each for each in found if each is not None)


def find_masks(of: Resources, request: AutomaticRequest) -> Work:
    """Find masks by a grid of clicks; those of each pass come as a partial reply.

    Nothing that was learned changes, and the learner is not told.

    Raises:
        LargeImageError: the masks of so large an image would take more memory than there is.
    """
    started = time.perf_counter()
    _check_size(request.image)
    prompt = Prompt(class_id=request.class_id, class_name=request.class_name)
    weights, looks = yield from _knowledge(of, prompt, frozen=request.frozen)
    settings = request.settings or own_settings(of)
    if request.learned and not request.frozen:
        here = (request.image.whole, request.class_id, looks)
        settings = yield from accepted_limits(of.model, weights.tensors, of.learner.memory, settings, *here)
    likeness, settings = yield from _looked_for(of, request, settings)
    features = yield from of.cache.features(request.image, request.image.whole)
    descriptions = _Descriptions(of, features, (yield from _prototypes(of, request)), likeness)
    asked = (request.image, _loosened(settings, request.slack), prompt, looks, _worth(of, likeness))
    finding, streamed = automatic_masks(of.model, of.cache, weights.tensors, *asked), list[AutomaticMask]()
    while request.id not in of.stopped:
        try:
            part = next(finding)
        except StopIteration as end:
            found = descriptions.told(end.value)
            return AutomaticMasks(request.id, found, settings, weights.version, time.perf_counter() - started)
        if part is None:
            yield None
        else:
            new = descriptions.told(part.masks)
            streamed += new
            yield AutomaticFound(request.id, new, part.share, settings, weights.version)
    of.stopped.discard(request.id)
    seconds = time.perf_counter() - started
    return AutomaticMasks(request.id, tuple(streamed), settings, weights.version, seconds, stopped=True)


def _check_size(image: Image) -> None:
    """Refuse an image of which many masks as large as itself may be found: they are all kept until the end."""
    if image.whole.side > SEEN_WHOLE:
        raise LargeImageError(Phrase(TOO_LARGE, side=SEEN_WHOLE), image.path, CLICK_OR_CUT)


def _loosened(settings: AutomaticSettings, slack: float) -> AutomaticSettings:
    """The settings with lower limits; a limit of 0 would keep all, and is not reached."""
    if not slack:
        return settings
    least = 1e-6
    pred_iou, stability = (max(value - slack, least) for value in (settings.pred_iou, settings.stability))
    return replace(settings, pred_iou=pred_iou, stability=stability, least_side=0.0, most_side=float("inf"))


_Vectors = list[tuple[Example, tuple[Tensor, Tensor]]]


def _seen(of: Resources, examples: Sequence[Example | WaitingExample]) -> Generator[None, None, _Vectors]:
    """Objects with the vectors of each and of its ground, as seen in their whole images."""
    found: _Vectors = []
    for each in examples:
        example = yield from of.seen(each)
        features = yield from of.cache.features(example.image, example.image.whole)
        found.append((example, exemplar_vectors(of.model, features, example.mask)))
    return found


def _looked_for(
    of: Resources, request: AutomaticRequest, settings: AutomaticSettings
) -> Generator[None, None, tuple[Likeness | None, AutomaticSettings]]:
    """What the objects to be looked for have in common, and the settings with their sizes as limits."""
    if not request.alike:
        return None, settings
    seen = yield from _seen(of, request.alike)
    sides = [float(max(example.mask.bits.shape)) for example, _ in seen]
    sizes = min(sides) / SIZE_SLACK, max(sides) * SIZE_SLACK
    return likeness_of([both for _, both in seen]), replace(settings, least_side=sizes[0], most_side=sizes[1])


def _prototypes(of: Resources, request: AutomaticRequest) -> Generator[None, None, ClassPrototypes]:
    """The prototypes of the classes, of the accepted objects that the request names."""
    seen = yield from _seen(of, request.accepted)
    return ClassPrototypes.of([(each.class_id, both[0]) for each, both in seen if each.class_id is not None])


def _worth(of: Resources, likeness: Likeness | None) -> _Worth | None:
    """Which points are asked: those where the image looks more like the objects than like the ground about them.

    None for all of them.
    """
    if likeness is None:
        return None

    def worth(features: ImageFeatures, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        alike = likeness.of(vectors_at(of.model, features, torch.from_numpy(xy)))
        return np.asarray((alike > ALIKE_FROM).cpu().numpy(), dtype=np.bool_)

    return worth


# --- a detector's boxes -----------------------------------------------------------------------------------------------


def find_in_boxes(of: Resources, request: BoxesRequest) -> Work:
    """Find the mask in each box; each comes as a partial reply."""
    started, found, version = time.perf_counter(), list[AutomaticMask](), 0
    for number, box in enumerate(request.boxes, start=1):
        if request.id in of.stopped:
            break
        prompt = Prompt(box=box, class_id=request.class_id, class_name=request.class_name)
        asked = PredictRequest(request.id, request.image, prompt, frozen=request.frozen)
        answer, weights, _ = yield from answered(of, asked)
        version, mask = weights.version, _boxed(answer, box)
        found += [mask] if mask is not None else []
        new = (mask,) if mask is not None else ()
        yield AutomaticFound(request.id, new, number / len(request.boxes), None, version)
    stopped = request.id in of.stopped
    of.stopped.discard(request.id)
    return AutomaticMasks(request.id, tuple(found), None, version, time.perf_counter() - started, stopped)


def _boxed(answer: MaskAnswer, box: Box) -> AutomaticMask | None:
    """What the answer to a box shows, None where that is nothing."""
    about = bounding_box(answer.shown)
    if about is None:
        return None
    logits = answer.logits[answer.chosen]
    inner, outer = (int((logits > level).sum()) for level in (1.0, -1.0))
    said, middle = answer.iou[answer.chosen], Click((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, True)
    return AutomaticMask(answer.shown, about, said, inner / max(outer, 1), middle, answer.window, asked=box)


# --- edges ------------------------------------------------------------------------------------------------------------


def find_edges(of: Resources, request: EdgesRequest) -> Work:
    """Find edges, with progress.

    Raises:
        LargeImageError: as in `find_masks`.
    """
    started = time.perf_counter()
    _check_size(request.image)
    weights, looks = yield from _knowledge(of, Prompt(), frozen=request.frozen)
    work = edges_of(of.model, of.cache, weights.tensors, request.image, request.settings, looks)
    while True:
        try:
            share = next(work)
        except StopIteration as end:
            strength, masks = end.value
            return Edges(request.id, strength, masks, weights.version, time.perf_counter() - started)
        yield None if share is None else Progress("looking for edges", share)


def _knowledge(
    of: Resources, prompt: Prompt, *, frozen: bool
) -> Generator[None, None, tuple[Weights, tuple[Look, ...]]]:
    """The weights that answer, and the looks of accepted objects of the class."""
    if frozen:
        return of.model.frozen, ()
    weights, fitted = yield from of.learner.unfitted(prompt)
    return weights, fitted.looks.of_class(prompt.class_id)
