"""Speed: click to mask at rest, while learning and on a busy machine, encoder, learning, hypotheses, large windows.

Times are medians of repeats on images that are new to the engine. The comparison with `segment_anything.SamPredictor`
runs the same weights in the same process. Both sides take turns in alternating order, and the ratio is the median of
the paired ratios. On the busy machine, a separate process spins on every core.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samtta_app.bench.busy_machine import all_cores_busy, begin_peak, memory_figure
from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.files import write_whole
from samtta_app.core.messages import (
    AdaptRequest,
    AutomaticRequest,
    HypothesesRequest,
    PredictRequest,
    PrefetchRequest,
    ReportProgress,
)
from samtta_app.core.names import displayable
from samtta_app.core.replies import Answer, Hypotheses, Progress
from samtta_app.core.types import Click, Example, Image, Mask, Prompt
from samtta_app.engine.dispatch import Engine, open_engine, run
from samtta_app.errors import DatasetError, UserError
from samtta_app.images.read import from_array
from samtta_app.model.official_predictor import SamPredictor, official_generator, official_predictor, stock_model

_SIDE = 640
_WARM_UP = 2

_SIDES = (640, 3000, 6000)
"""Sides in pixels of the windows in which a click is measured: a small image, a camera's, a microscope's."""

_LOOKS = 3
"""Clicks in each of these windows; few, because the largest image takes seconds to make."""

_EVERY_MASK = AutomaticSettings(pred_iou=-100.0, stability=0.0)
"""No mask is filtered before all of it is done: random weights are sure of none."""

_POINTS = 8
"""Clicks along a side: together they are one batch of SAM's generator."""

BUSY = "all cores busy"
"""Mark of rows that were measured beside other work."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of `repeats` measurements of one thing."""

    name: str
    p50: float
    p95: float
    repeats: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """The same work by the engine and the official predictor: median seconds of both, and the median ratio ours / theirs."""

    name: str
    ours: float
    theirs: float
    ratio: float
    repeats: int


@dataclass(frozen=True, slots=True)
class _Look:
    """A click answered in a window of `side` pixels, already encoded: median seconds, and additional memory.

    `megabytes` is nan where the system does not report it.
    """

    side: int
    seconds: float
    megabytes: float
    repeats: int


@dataclass(frozen=True, slots=True)
class Speed:
    """What `run_speed` measured."""

    model: str
    timings: tuple[Timing, ...]
    ratios: tuple[Ratio, ...]
    looks: tuple[_Look, ...] = ()

    def timing(self, name: str) -> Timing:
        """The timing of this name."""
        return next(t for t in self.timings if t.name == name)


def run_speed(
    *,
    model: str | Path | Engine = "samtta-small",
    repeats: int = 20,
    seed: int = 0,
    progress: ReportProgress | None = None,
    out: Path | None = None,
    stock_size: int = 1024,
    points_per_side: int = _POINTS,
    sides: Sequence[int] = _SIDES,
) -> Speed:
    """Measure the model, also in windows of these `sides`, and a stock SAM of `stock_size` against the official predictor.

    Raises:
        UserError: the model cannot be loaded or did not answer.
    """
    tell = progress or (lambda _share, _words: None)
    engine = (model if isinstance(model, Engine) else open_engine(model)).fresh(seed)
    rng = np.random.default_rng(seed)
    tell(0.0, "encoder and clicks")
    encoder, idle = _encoder_and_clicks(engine, rng, repeats)
    tell(0.3, "clicks while learning")
    busy, steps = _while_learning(engine, rng, repeats)
    tell(0.4, "accepted objects")
    objects = _accepted(engine.fresh(seed), rng, max(3, repeats // 2))
    tell(0.45, "plausible outlines")
    plausible = _plausible(engine, rng, max(3, repeats // 2))
    tell(0.5, "clicks on a busy machine")
    with all_cores_busy():
        _, beside = _encoder_and_clicks(engine, rng, max(3, repeats // 2))
    tell(0.6, "clicks in large windows")
    looks = tuple(_look(engine, rng, side) for side in sides)
    tell(0.7, "against segment_anything.SamPredictor")
    ratios = (
        *_against_official(rng, max(3, repeats // 2), stock_size, seed),
        _automatic_ratio(points_per_side, stock_size, rng, max(2, repeats // 4), seed),
    )
    tell(1.0, "done")
    timings = (
        _timing("encoder", encoder),
        _timing("click to mask, at rest", idle),
        _timing(f"click to mask, {BUSY}", beside),
        _timing("click to mask, while learning", busy),
        _timing("one learning step", steps),
        _timing("learning from an accepted object", objects),
        *([_timing("sixteen plausible outlines", plausible)] if plausible else []),
    )
    speed = Speed(engine.description, timings, ratios, looks)
    if out is not None:
        _write(speed, out)
    return speed


def show_speed(console: Console, speed: Speed) -> None:
    """Print the timings and the ratios."""
    table = Table(title=Text(displayable(speed.model)), title_justify="left")
    table.add_column("what")
    for column in ("p50 ms", "p95 ms", "x encoder", "n"):
        table.add_column(column, justify="right")
    encoder = speed.timings[0].p50
    for t in speed.timings:
        table.add_row(t.name, f"{1000 * t.p50:.1f}", f"{1000 * t.p95:.1f}", f"{t.p50 / encoder:.2f}", str(t.repeats))
    console.print(table)
    table = Table(title="Click to masks by the window's side, already encoded", title_justify="left")
    table.add_column("what")
    for look in speed.looks:
        table.add_column(f"{look.side:,} px", justify="right")
    table.add_row("ms", *(f"{1000 * look.seconds:.0f}" for look in speed.looks))
    table.add_row("peak MB", *("-" if math.isnan(look.megabytes) else f"{look.megabytes:.0f}" for look in speed.looks))
    console.print(table)
    table = Table(title="Against segment_anything.SamPredictor, same weights, same run", title_justify="left")
    table.add_column("what")
    for column in ("samtta ms", "official ms", "ratio", "n"):
        table.add_column(column, justify="right")
    for r in speed.ratios:
        table.add_row(r.name, f"{1000 * r.ours:.1f}", f"{1000 * r.theirs:.1f}", f"{r.ratio:.2f}", str(r.repeats))
    console.print(table)
    console.print("A ratio below 1 means that samtta is faster.")


# --- one model by itself --------------------------------------------------------------------------------------------


def _encoder_and_clicks(engine: Engine, rng: np.random.Generator, repeats: int) -> tuple[list[float], list[float]]:
    encoder, clicks = [], []
    for k in range(repeats + _WARM_UP):
        image = _image(rng)
        encoder.append(_seconds(run, engine, PrefetchRequest(3 * k, image.path, image)))
        clicks.append(_seconds(run, engine, _click(3 * k + 1, image, rng)))
    return encoder[_WARM_UP:], clicks[_WARM_UP:]


def _while_learning(engine: Engine, rng: np.random.Generator, repeats: int) -> tuple[list[float], list[float]]:
    """Clicks at a random moment of a learning step: they wait for its end, then for their answer."""
    busy: list[float] = []
    steps: list[float] = []
    image = _image(rng)
    for k in range(20 * (repeats + _WARM_UP)):
        work = engine.handle(AdaptRequest(1000 + 2 * k, _example(k, image, rng)))
        ended = False
        while not ended and len(busy) < repeats + _WARM_UP:
            started = time.perf_counter()
            try:
                stage = next(work)
            except StopIteration:
                ended = True
                continue
            step = time.perf_counter() - started
            if isinstance(stage, Progress) and stage.stage == "learning" and stage.fraction > 0:
                steps.append(step)
                answer = _seconds(run, engine, _click(1001 + 2 * k, image, rng))
                busy.append(rng.random() * step + answer)
        if len(busy) >= repeats + _WARM_UP:
            work.close()
            return busy[_WARM_UP:], steps[_WARM_UP:]
    raise UserError("The model never learned, so clicks while learning cannot be measured")


def _accepted(engine: Engine, rng: np.random.Generator, repeats: int) -> list[float]:
    """Seconds of whole lessons, once there are enough objects for tests and replay."""
    lessons: list[float] = []
    for k in range(repeats + _WARM_UP + 1):
        example = _example(k, _image(rng), rng)
        run(engine, _click_on(2 * k, example))
        lessons.append(_seconds(run, engine, AdaptRequest(2 * k + 1, example)))
    return lessons[_WARM_UP + 1 :]


def _plausible(engine: Engine, rng: np.random.Generator, repeats: int) -> list[float]:
    """Seconds from the answer to a click in a disc to the cards of its hypotheses; empty where the model has none."""
    seconds: list[float] = []
    for k in range(repeats + _WARM_UP):
        example = _example(k, _image(rng), rng)
        pixels = example.image.pixels // 4
        x, y = example.mask.x, example.mask.y
        rows, columns = example.mask.bits.shape
        pixels[y : y + rows, x : x + columns][example.mask.bits] += 150
        click = _click_on(2 * k, replace(example, image=from_array(pixels)))
        answer = run(engine, replace(click, window=None))
        if not isinstance(answer, Answer):
            raise UserError("The model did not answer a click")
        shown = answer.candidates[answer.chosen]
        request = HypothesesRequest(2 * k + 1, click.image, click.prompt, shown.logits.window, shown.mask)
        started = time.perf_counter()
        reply = run(engine, request)
        seconds += [time.perf_counter() - started] if isinstance(reply, Hypotheses) and reply.cards else []
    return seconds[_WARM_UP:]


# --- against the official predictor ---------------------------------------------------------------------------------


def _against_official(rng: np.random.Generator, repeats: int, size: int, seed: int) -> tuple[Ratio, ...]:
    """Both sides at rest, and their clicks on a busy machine; medians and 95th percentiles of clicks."""
    model = stock_model(size=size, seed=seed)
    sides = Engine(model, seed=seed), official_predictor(model)
    encoding, resting = _in_turns(*sides, rng, repeats)
    with all_cores_busy():
        _, beside = _in_turns(*sides, rng, max(3, repeats // 2))
    return (
        _ratio(f"encode (stock SAM, {size} px)", encoding),
        _ratio("click to masks", resting),
        _tail("click to masks, p95", resting),
        _ratio(f"click to masks, {BUSY}", beside),
        _tail(f"click to masks, {BUSY}, p95", beside),
    )


_Pairs = list[tuple[float, float]]


def _in_turns(engine: Engine, official: SamPredictor, rng: np.random.Generator, repeats: int) -> tuple[_Pairs, _Pairs]:
    """Seconds of encoding and of a click, ours and theirs, for each of `repeats` new images."""
    encoding: list[tuple[float, float]] = []
    clicking: list[tuple[float, float]] = []
    for k in range(repeats + 1):
        image = _image(rng)
        request = _click(2 * k + 1, image, rng)
        where = np.array([[c.x, c.y] for c in request.prompt.clicks])
        encode = partial(run, engine, PrefetchRequest(2 * k, image.path, image))
        encoding.append(_in_turn(k, encode, partial(official.set_image, image.pixels)))
        click = partial(run, engine, request)
        clicking.append(_in_turn(k, click, partial(official.predict, where, np.array([1]), multimask_output=True)))
    return encoding[1:], clicking[1:]


def _automatic_ratio(points: int, size: int, rng: np.random.Generator, repeats: int, seed: int) -> Ratio:
    """The same automatic masks, ours and those of SAM's generator, on an image that both have encoded."""
    model, image, settings = (
        stock_model(size=size, seed=seed),
        _image(rng),
        replace(_EVERY_MASK, points_per_side=points),
    )
    engine, generator = Engine(model, seed=seed), official_generator(model, settings)
    ours = partial(run, engine, AutomaticRequest(1, image, settings, frozen=True))
    pairs = [_in_turn(k, ours, partial(generator, image.pixels)) for k in range(repeats + 1)][1:]
    return _ratio(f"automatic masks of {points**2} clicks, already encoded", pairs)


def _in_turn(k: int, ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Seconds of both; the side that runs first alternates with `k`."""
    if k % 2:
        second = _seconds(theirs)
        return _seconds(ours), second
    return _seconds(ours), _seconds(theirs)


def _ratio(name: str, pairs: Sequence[tuple[float, float]]) -> Ratio:
    ours, theirs = np.array(pairs).T
    return Ratio(name, _median(ours), _median(theirs), _median(ours / theirs), len(pairs))


def _tail(name: str, pairs: Sequence[tuple[float, float]]) -> Ratio:
    """The 95th percentiles of both, and their ratio."""
    ours, theirs = (float(np.percentile(each, 95)) for each in np.array(pairs).T)
    return Ratio(name, ours, theirs, ours / theirs, len(pairs))


# --- the machine ----------------------------------------------------------------------------------------------------


def _look(engine: Engine, rng: np.random.Generator, side: int) -> _Look:
    """Clicks in the whole window of a new image; the memory that they need beside image and features."""
    image = from_array(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))
    run(engine, PrefetchRequest(0, image.path, image))
    clicks = [replace(_click(k, image, rng), candidates=True) for k in range(1 + _LOOKS)]
    run(engine, clicks[0])
    held = begin_peak()
    seconds = [_seconds(run, engine, click) for click in clicks[1:]]
    return _Look(side, float(np.median(seconds)), (memory_figure("VmHWM") - held) / 2**20, _LOOKS)


# --- parts ----------------------------------------------------------------------------------------------------------


def _seconds(work: Callable[..., object], *inputs: object) -> float:
    started = time.perf_counter()
    work(*inputs)
    return time.perf_counter() - started


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values))


def _timing(name: str, seconds: Sequence[float]) -> Timing:
    p50, p95 = (float(v) for v in np.percentile(seconds, (50, 95)))
    return Timing(name, p50, p95, len(seconds))


def _image(rng: np.random.Generator) -> Image:
    return from_array(rng.integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8))


def _click(number: int, image: Image, rng: np.random.Generator) -> PredictRequest:
    x, y = rng.uniform(image.width * 0.2, image.width * 0.8, 2)
    return PredictRequest(number, image, Prompt((Click(float(x), float(y), True),)), image.whole)


def _click_on(number: int, example: Example) -> PredictRequest:
    return PredictRequest(number, example.image, Prompt(example.clicks), example.window)


def _example(number: int, image: Image, rng: np.random.Generator) -> Example:
    side = int(rng.integers(_SIDE // 6, _SIDE // 3))
    x, y = (int(v) for v in rng.integers(_SIDE // 10, _SIDE - side - _SIDE // 10, 2))
    rows, columns = np.mgrid[0:side, 0:side]
    bits = np.hypot(rows - side / 2, columns - side / 2) < side / 2
    click = Click(x + side / 2, y + side / 2, True)
    return Example(number, image, image.whole, Mask(x, y, bits), (click,), None)


def _write(speed: Speed, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "speed.json", json.dumps(asdict(speed), indent=1).encode())
    except OSError as e:
        raise DatasetError(f"The timings cannot be written: {e.strerror}", folder, "Choose another folder") from e
