"""The comparison of both sides: an accepted object replayed under the frozen weights and under the adapted ones."""

from __future__ import annotations

import time

from samtta_app.adapt.strategy import NoAdaptation
from samtta_app.adapt.twin import twin_trajectory
from samtta_app.core.messages import TwinRequest
from samtta_app.core.replies import Progress, TwinReport
from samtta_app.engine.resources import Resources, Work


def replay(of: Resources, request: TwinRequest) -> Work:
    """Replay an accepted object under weights that have not seen it; once where both sides are the same.

    Raises:
        ImageError: its image cannot be read, or was replaced.
        CheckpointError: the given weights do not fit the model.
        UserError: neither the version nor a later one is still kept.
    """
    started, learner = time.perf_counter(), of.learner
    example = yield from of.seen(request.example)
    if request.weights:
        learner.keep(request.weights_version, request.weights)
    version = learner.kept(
        request.weights_version
    )  # requests come in order: a later version has not seen the object either
    known = learner.knowledge(version)
    yield Progress("comparing with the original", 0.0)
    original = NoAdaptation(single=learner.strategy.single)
    frozen = yield from twin_trajectory(of.model, of.cache, example, original, learner.knowledge(0))
    adapted = frozen
    if version != 0 or learner.strategy.fits:
        yield Progress("comparing with the original", 0.5)
        adapted = yield from twin_trajectory(of.model, of.cache, example, learner.strategy, known)
    seconds = time.perf_counter() - started
    return TwinReport(request.id, request.example.object_id, version, frozen, adapted, seconds)
