"""What a model finds by itself in a whole image: masks, and the edges of everything."""

from __future__ import annotations

import time
from collections.abc import Generator

from samtta_app.adapt.accepted_limits import accepted_limits
from samtta_app.core.messages import AutomaticRequest, EdgesRequest
from samtta_app.core.replies import AutomaticFound, AutomaticMasks, Edges, Progress
from samtta_app.core.types import Prompt
from samtta_app.engine.resources import Resources, Work
from samtta_app.model.automatic_masks import automatic_masks
from samtta_app.model.backbone import Look
from samtta_app.model.edges import edges_of
from samtta_app.model.weights import Weights


def find_masks(of: Resources, request: AutomaticRequest) -> Work:
    """Find masks by a grid of clicks; those of each pass come as a partial reply.

    Nothing that was learned changes, and the learner is not told.
    """
    started = time.perf_counter()
    prompt = Prompt(class_id=request.class_id, class_name=request.class_name)
    weights, looks = yield from _knowledge(of, prompt, frozen=request.frozen)
    settings = request.settings
    if request.learned and not request.frozen:
        known = of.learner.memory
        settings = yield from accepted_limits(of.model, weights.tensors, known, settings, request.class_id, looks)
    finding = automatic_masks(of.model, of.cache, weights.tensors, request.image, settings, prompt, looks)
    while True:
        try:
            part = next(finding)
        except StopIteration as end:
            return AutomaticMasks(request.id, end.value, settings, weights.version, time.perf_counter() - started)
        yield AutomaticFound(request.id, part.masks, part.share) if part else None


def find_edges(of: Resources, request: EdgesRequest) -> Work:
    """Find edges, with progress."""
    started = time.perf_counter()
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
