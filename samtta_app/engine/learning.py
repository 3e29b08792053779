"""Learning from accepted objects, and its controls: withdraw an object, pause, roll back, restore."""

from __future__ import annotations

import time
from collections.abc import Generator

import numpy as np

from samtta_app.adapt.learner import LearningOutcome
from samtta_app.adapt.memory import remember_object
from samtta_app.core.masks import bounding_box
from samtta_app.core.messages import AdaptRequest, ControlRequest, ForgetRequest, PseudoLabelRequest, RestoreRequest
from samtta_app.core.replies import AdaptReport, Controlled, Forgotten, Progress, PseudoLabel
from samtta_app.core.types import Example
from samtta_app.core.windows import varied
from samtta_app.engine.resources import Resources, Work
from samtta_app.model.predictor import ImageFeatures

NOTHING_TAUGHT = "This way of learning takes nothing from accepted masks"
TOO_PLAIN = "This mask teaches nothing: it is empty or fills its whole window"


def pseudo_label(of: Resources, request: PseudoLabelRequest) -> Work:
    """Show what a mask teaches, in the window where it is learned from."""
    example, learner = request.example, of.learner
    features, closeup = yield from _windows(of, example, whole=learner.strategy.in_order)
    item = remember_object(example, features, of.model.size, closeup)
    labels = None if item is None else learner.strategy.pseudo_label(of.model, item)
    if labels is None:
        reason = TOO_PLAIN if item is None else NOTHING_TAUGHT
        return PseudoLabel(request.id, features.window, None, reason)
    signs = labels.cpu().numpy()
    values = np.where(signs < 0, 0, np.where(signs > 0, 1, -1)).astype(np.float32)
    return PseudoLabel(request.id, features.window, values)


def _windows(
    of: Resources, example: Example, *, whole: bool
) -> Generator[None, None, tuple[ImageFeatures, ImageFeatures | None]]:
    """The window in which an object is learned from, and a narrower one in which it was accepted.

    With `whole`, only the one in which it was accepted.
    """
    box = bounding_box(example.mask)
    rng = np.random.default_rng(example.object_id)
    window = varied(box, example.clicks, example.image.whole, rng) if box and not whole else None
    window = window or example.window
    features = yield from of.cache.features(example.image, window)
    closeup = None
    if example.window.side < window.side:
        closeup = yield from of.cache.features(example.image, example.window)
    return features, closeup


def adapt(of: Resources, request: AdaptRequest) -> Work:
    """Learn from an accepted object.

    Raises:
        ImageError: its image cannot be read, or was replaced.
    """
    started, example = time.perf_counter(), (yield from of.seen(request.example))
    features, closeup = yield from _windows(of, example, whole=request.whole)
    work = of.learner.learn(example, features, closeup, learn=request.learn)
    while True:
        try:
            yield Progress("learning", next(work))
        except StopIteration as finished:
            return _report(of, request, started, finished.value)


def _report(of: Resources, request: AdaptRequest, started: float, outcome: LearningOutcome) -> AdaptReport:
    verdict = outcome.verdict
    return AdaptReport(
        request.id,
        request.example.object_id,
        verdict.kept,
        verdict.reason,
        of.learner.published.version,
        outcome.losses,
        verdict.candidate,
        verdict.published,
        verdict.frozen,
        verdict.objects,
        len(of.learner.memory),
        time.perf_counter() - started,
        outcome.data,
        of.learner.model_sha256,
    )


def forget(of: Resources, request: ForgetRequest) -> Work:
    """Withdraw an object from the replay memory."""
    yield None
    of.learner.withdraw(request.object_id)
    return Forgotten(request.id, request.object_id)


def control(of: Resources, request: ControlRequest) -> Work:
    """Pause, resume, roll back one version, or reset to the original weights."""
    yield None
    of.learner.control(request.action)
    return Controlled(request.id, request.action, of.learner.published.version, of.learner.paused)


def restore(of: Resources, request: RestoreRequest) -> Work:
    """Publish a stored version again.

    Raises:
        CheckpointError: as in `samtta_app.adapt.learner.Learner.restore`.
    """
    yield None
    of.learner.restore(request.version, request.weights)
    version = of.learner.published.version
    return Controlled(request.id, "restore", version, of.learner.paused, of.learner.model_sha256)
