"""The same weights by the engine and by the official predictor: encoding, clicks and automatic masks, as ratios.

Both sides take turns in alternating order, and a ratio is the median of the paired ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from rich.table import Table

from samtta_app.bench.busy_machine import all_cores_busy, begin_peak, memory_figure
from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.messages import AutomaticRequest, PredictRequest, PrefetchRequest
from samtta_app.core.types import Click, Image, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.images.read import from_array
from samtta_app.model.official_predictor import SamModel as SamModel
from samtta_app.model.official_predictor import (
    SamPredictor,
    official_generator,
    official_predictor,
    random_official,
    stock_model,
)

SIDE = 640
"""Side in pixels of the images of all figures but those of large windows."""

BUSY = "all cores busy"
"""Mark of rows that were measured beside other work."""

_EVERY_MASK = AutomaticSettings(pred_iou=-100.0, stability=0.0)
"""No mask is filtered before all of it is done: random weights are sure of none."""

_LARGE_CLICKS = 4
"""Clicks in a large window, the first not counted: encoding such an image takes as long as many clicks."""

_MATRIX = 2048
"""Side of the matrices whose product tells how fast the machine is: they fit no cache, as an encoder's do not."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The same work by the engine and the official predictor: medians of both, and the median ratio ours / theirs.

    Values are seconds, or bytes where the unit is "MB".
    """

    name: str
    ours: float
    theirs: float
    ratio: float
    repeats: int
    unit: Literal["ms", "MB"] = "ms"


def official_ratios(
    stock: SamModel | str, rng: np.random.Generator, repeats: int, large: Sequence[int] = (), points: int = 8
) -> tuple[Ratio, ...]:
    """Figures of a SAM, or of random weights: "vit_b", "vit_l", "vit_h", or "narrow", which is quicker.

    Both sides at rest, in windows of `large` sides, and on a busy machine; medians and 95th percentiles of clicks.

    Automatic masks are those of points x points clicks.
    """
    model = stock if not isinstance(stock, str) else stock_model() if stock == "narrow" else random_official(stock)
    engine, official = Engine(model), official_predictor(model)
    memory = _encoder_memory(engine, official, rng)
    encoding, resting = _in_turns(engine, official, rng, repeats)
    wide = [_ratio(f"click to masks, {side:,} px", _clicks_in(engine, official, rng, side)) for side in large]
    with all_cores_busy():
        _, beside = _in_turns(engine, official, rng, max(3, repeats // 2))
    return (
        _ratio(f"encode ({model.name}, {model.size} px)", encoding),
        memory,
        _ratio("click to masks", resting),
        _tail("click to masks, p95", resting),
        *wide,
        _ratio(f"click to masks, {BUSY}", beside),
        _tail(f"click to masks, {BUSY}, p95", beside),
        _automatic(engine, model, points, rng, max(2, repeats // 2)),
    )


def ratio_table(ratios: Sequence[Ratio]) -> Table:
    """The ratios with both sides' medians."""
    table = Table(title="Against segment_anything.SamPredictor, same weights, same run", title_justify="left")
    table.add_column("what")
    for column in ("samtta", "official", "", "ratio", "n"):
        table.add_column(column, justify="right")
    for r in ratios:
        scale = 1000.0 if r.unit == "ms" else 2.0**-20
        table.add_row(
            r.name, f"{scale * r.ours:.1f}", f"{scale * r.theirs:.1f}", r.unit, f"{r.ratio:.2f}", str(r.repeats)
        )
    return table


def matrix_gigaflops() -> float:
    """Billions of float32 operations a second in a product of two matrices: the machine's own peak, nearly."""
    factor = np.random.default_rng(0).random((_MATRIX, _MATRIX), dtype=np.float32)
    product = np.empty_like(factor)
    return 2e-9 * _MATRIX**3 / min(seconds_of(np.matmul, factor, factor, product) for _ in range(3))


def seconds_of(work: Callable[..., object], *inputs: object) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    work(*inputs)
    return time.perf_counter() - started


def random_image(rng: np.random.Generator, side: int = SIDE) -> Image:
    """A square image of noise."""
    return from_array(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))


def click_request(number: int, image: Image, rng: np.random.Generator) -> PredictRequest:
    """A request for the masks under a click anywhere but near the border."""
    x, y = rng.uniform(image.width * 0.2, image.width * 0.8, 2)
    return PredictRequest(number, image, Prompt((Click(float(x), float(y), True),)), image.whole)


_Pairs = list[tuple[float, float]]


def _in_turns(engine: Engine, official: SamPredictor, rng: np.random.Generator, repeats: int) -> tuple[_Pairs, _Pairs]:
    """Seconds of encoding and of a click, ours and theirs, for each of `repeats` new images."""
    encoding: _Pairs = []
    clicking: _Pairs = []
    for k in range(repeats + 1):
        image = random_image(rng)
        encode = partial(run, engine, PrefetchRequest(2 * k, image.path, image))
        encoding.append(_in_turn(k, encode, partial(official.set_image, image.pixels)))
        clicking.append(_click_in_turn(engine, official, k, click_request(2 * k + 1, image, rng)))
    return encoding[1:], clicking[1:]


def _clicks_in(engine: Engine, official: SamPredictor, rng: np.random.Generator, side: int) -> _Pairs:
    """Seconds of clicks in the whole window of one large image that both have encoded."""
    image = random_image(rng, side)
    run(engine, PrefetchRequest(0, image.path, image))
    official.set_image(image.pixels)
    clicks = [click_request(1 + k, image, rng) for k in range(_LARGE_CLICKS)]
    return [_click_in_turn(engine, official, k, click) for k, click in enumerate(clicks)][1:]


def _click_in_turn(engine: Engine, official: SamPredictor, k: int, request: PredictRequest) -> tuple[float, float]:
    where = np.array([[c.x, c.y] for c in request.prompt.clicks])
    theirs = partial(official.predict, where, np.array([1]), multimask_output=True)
    return _in_turn(k, partial(run, engine, request), theirs)


def _encoder_memory(engine: Engine, official: SamPredictor, rng: np.random.Generator) -> Ratio:
    """Peak memory of encoding an image beyond what the process holds before."""
    first, image = random_image(rng), random_image(rng)
    run(engine, PrefetchRequest(0, first.path, first))  # whatever is made once
    ours = _peak(partial(run, engine, PrefetchRequest(1, image.path, image)))
    theirs = _peak(partial(official.set_image, image.pixels))
    return Ratio("encode, peak memory", ours, theirs, ours / theirs, 1, "MB")


def _peak(work: Callable[[], object]) -> float:
    """Bytes by which a call raises this process's memory at most; nan where the system does not report it."""
    held = begin_peak()
    work()
    return max(memory_figure("VmHWM") - held, 1.0)


def _automatic(engine: Engine, model: SamModel, points: int, rng: np.random.Generator, repeats: int) -> Ratio:
    """The same automatic masks, ours and those of SAM's generator, on an image that both have encoded."""
    image, settings = random_image(rng), replace(_EVERY_MASK, points_per_side=points)
    generator = official_generator(model, settings)
    ours = partial(run, engine, AutomaticRequest(1, image, settings, frozen=True))
    pairs = [_in_turn(k, ours, partial(generator, image.pixels)) for k in range(repeats + 1)][1:]
    return _ratio(f"automatic masks of {points**2} clicks, already encoded", pairs)


def _in_turn(k: int, ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Seconds of both; the side that runs first alternates with `k`."""
    if k % 2:
        second = seconds_of(theirs)
        return seconds_of(ours), second
    return seconds_of(ours), seconds_of(theirs)


def _ratio(name: str, pairs: Sequence[tuple[float, float]]) -> Ratio:
    ours, theirs = np.array(pairs).T
    return Ratio(name, float(np.median(ours)), float(np.median(theirs)), float(np.median(ours / theirs)), len(pairs))


def _tail(name: str, pairs: Sequence[tuple[float, float]]) -> Ratio:
    """The 95th percentiles of both, and their ratio."""
    ours, theirs = (float(np.percentile(each, 95)) for each in np.array(pairs).T)
    return Ratio(name, ours, theirs, ours / theirs, len(pairs))
