"""How fast a model is on this machine: one window, encoded as it is before the first click."""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch

from samtta_app.checkpoints.measured_speeds import MeasuredSpeed, remember_speed
from samtta_app.core.messages import ReportProgress
from samtta_app.core.types import Window
from samtta_app.images.read import from_array
from samtta_app.model.backbone import SamModel
from samtta_app.model.loading import open_model
from samtta_app.model.model_registry import model_file
from samtta_app.model.predictor import encode

TIMED_WINDOWS = 5
"""Windows that are timed after the first, which warms up; the median is told."""

TIMED_SECONDS = 4.0
"""Seconds of timed windows after which no other one begins: large models take as long for a single one."""


def arithmetic_threads() -> int:
    """Threads that a model of this process computes with."""
    return torch.get_num_threads()


def measured_speed(
    source: str, device: str = "auto", progress: ReportProgress = lambda share, words: None
) -> MeasuredSpeed:
    """Load a model, time it, and remember the figure.

    Args:
        source: a name or a path, as for `load_model`.
        device: what it runs on.
        progress: is told the share, 0 .. 1.

    Raises:
        CheckpointError: the model cannot be loaded, or does not answer.
    """
    progress(0.0, "loading the model")
    path = model_file(source)
    model = open_model(source, device).model
    _seconds(model, 0)
    taken: list[float] = []
    while len(taken) < TIMED_WINDOWS and sum(taken) < TIMED_SECONDS:
        progress((1 + len(taken)) / (1 + TIMED_WINDOWS), "encoding windows")
        taken.append(_seconds(model, 1 + len(taken)))
    speed = MeasuredSpeed(round(1000 * statistics.median(taken), 2), str(model.device))
    remember_speed(path, speed)
    progress(1.0, "done")
    return speed


def _seconds(model: SamModel, seed: int) -> float:
    """Seconds to encode a square window of the input's size."""
    pixels = np.random.default_rng(seed).integers(0, 256, (model.size, model.size, 3), dtype=np.uint8)
    image = from_array(pixels)
    started = time.perf_counter()
    for _ in encode(model, image, Window(0, 0, model.size, model.size)):
        pass
    if model.device.type == "cuda":
        torch.cuda.synchronize(model.device)
    return time.perf_counter() - started
