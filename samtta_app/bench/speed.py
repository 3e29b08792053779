"""Speed: click to mask at rest, while learning and on a busy machine, encoder, learning, hypotheses, large windows.

Times are medians of repeats on images that are new to the engine. The comparison with `segment_anything.SamPredictor`
runs the same weights in the same process. On the busy machine, a separate process spins on every core.

It is measured part by part. Each part is told and written at once, so that a run that was stopped goes on with the next.
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
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samtta_app.bench.busy_machine import all_cores_busy, begin_peak, memory_figure
from samtta_app.bench.official_ratios import (
    BUSY,
    SIDE,
    OfficialBeside,
    Ratio,
    SamModel,
    click_request,
    matrix_gigaflops,
    random_image,
    ratio_table,
    ratio_words,
    seconds_of,
)
from samtta_app.core.files import write_whole
from samtta_app.core.messages import (
    AdaptRequest,
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

_WARM_UP = 2

_SIDES = (SIDE, 3000, 6000)
"""Sides in pixels of the windows in which a click is measured: a small image, a camera's, a microscope's."""

_LOOKS = 3
"""Clicks in each of these windows; few, because the largest image takes seconds to make."""

_POINTS = 8
"""Clicks along a side: together they are one batch of SAM's generator."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of `repeats` measurements of one thing."""

    name: str
    p50: float
    p95: float
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


_Rows = tuple[Timing | Ratio | _Look, ...]


@dataclass(frozen=True, slots=True)
class Speed:
    """What `run_speed` measured.

    Args:
        model: its description.
        settings: what decides on the figures beside the machine.
        timings: of the model by itself.
        ratios: to the official predictor.
        looks: clicks by the window's side.
        gigaflops: of a product of matrices; nan before it was measured.
        done: names of the parts that were measured.
    """

    model: str
    settings: str = ""
    timings: tuple[Timing, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    looks: tuple[_Look, ...] = ()
    gigaflops: float = math.nan
    done: tuple[str, ...] = ()

    def timing(self, name: str) -> Timing:
        """The timing of this name."""
        return next(t for t in self.timings if t.name == name)

    def with_part(self, name: str, rows: _Rows) -> Speed:
        """The same with the rows of one more part."""
        return replace(
            self,
            timings=(*self.timings, *(row for row in rows if isinstance(row, Timing))),
            ratios=(*self.ratios, *(row for row in rows if isinstance(row, Ratio))),
            looks=(*self.looks, *(row for row in rows if isinstance(row, _Look))),
            done=(*self.done, name),
        )


def run_speed(
    *,
    model: str | Path | Engine = "samtta-small",
    repeats: int = 20,
    seed: int = 0,
    progress: ReportProgress | None = None,
    say: Callable[[str], None] = lambda line: None,
    out: Path | None = None,
    official: SamModel | str = "narrow",
    points_per_side: int = _POINTS,
    sides: Sequence[int] = _SIDES,
) -> Speed:
    """Measure the model, also in windows of these `sides`, and a stock SAM against the official predictor.

    The stock SAM is one of `OfficialBeside`. `sides[0]` is that of the images of all other figures. `say` gets a line for
    each figure. A file in `out` with the same model and settings says what need not be measured again.

    Raises:
        UserError: the model cannot be loaded or did not answer.
        DatasetError: the figures cannot be written.
    """
    tell = progress or (lambda _share, _words: None)
    engine = (model if isinstance(model, Engine) else open_engine(model)).fresh(seed)
    stock = official if isinstance(official, str) else official.name
    settings = f"{stock}, {repeats} repeats, seed {seed}, {points_per_side}^2 points, sides {[*sides]}"
    speed = Speed(engine.description, settings)
    speed = (_read(out, speed) if out else None) or speed
    rng = np.random.default_rng(seed)
    beside = OfficialBeside(official, rng, max(3, repeats // 2))
    parts = _own_parts(engine, rng, repeats, seed, sides) | beside.parts(sides[1:], points_per_side)
    for number, (name, measure) in enumerate(parts.items()):
        if name in speed.done:
            continue
        tell(number / len(parts), name)
        rows = measure()
        speed = speed.with_part(name, rows)
        if out is not None:
            _write(speed, out)
        for row in rows:
            say(_line(row))
    speed = replace(speed, gigaflops=matrix_gigaflops())
    tell(1.0, "done")
    if out is not None:
        _write(speed, out)
    return speed


def _own_parts(
    engine: Engine, rng: np.random.Generator, repeats: int, seed: int, sides: Sequence[int]
) -> dict[str, Callable[[], _Rows]]:
    """What is measured of the model by itself, by its name."""
    few = max(3, repeats // 2)

    def resting() -> _Rows:
        encoder, clicks = _encoder_and_clicks(engine, rng, repeats)
        return _timing("encoder", encoder), _timing("click to mask, at rest", clicks)

    def learning() -> _Rows:
        clicks, steps = _while_learning(engine, rng, repeats)
        return _timing("click to mask, while learning", clicks), _timing("one learning step", steps)

    def accepted() -> _Rows:
        return (_timing("learning from an accepted object", _accepted(engine.fresh(seed), rng, few)),)

    def plausible() -> _Rows:
        seconds = _plausible(engine, rng, few)
        return (_timing("sixteen plausible outlines", seconds),) if seconds else ()

    def busy() -> _Rows:
        with all_cores_busy():
            return (_timing(f"click to mask, {BUSY}", _encoder_and_clicks(engine, rng, few)[1]),)

    def in_window(side: int) -> _Rows:
        return (_look(engine, rng, side),)

    return {
        "encoder and clicks": resting,
        "clicks while learning": learning,
        "accepted objects": accepted,
        "plausible outlines": plausible,
        "clicks on a busy machine": busy,
        **{f"clicks in {side} px": partial(in_window, side) for side in sides},
    }


def _line(row: Timing | Ratio | _Look) -> str:
    """A figure in a line."""
    if isinstance(row, Ratio):
        return ratio_words(row)
    if isinstance(row, _Look):
        return LOOK_WORDS.format(side=row.side, ms=1000 * row.seconds)
    return TIMING_WORDS.format(name=row.name, p50=1000 * row.p50, p95=1000 * row.p95, repeats=row.repeats)


TIMING_WORDS = "{name}: {p50:,.1f} ms, p95 {p95:,.1f} ms, repeats: {repeats}"
LOOK_WORDS = "click to masks in {side:,} px, already encoded: {ms:,.0f} ms"


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
    console.print(ratio_table(speed.ratios))
    console.print(f"A ratio below 1 means that samtta is faster. A matrix product: {speed.gigaflops:.0f} GFLOPS.")


# --- one model by itself --------------------------------------------------------------------------------------------


def _encoder_and_clicks(engine: Engine, rng: np.random.Generator, repeats: int) -> tuple[list[float], list[float]]:
    encoder, clicks = [], []
    for k in range(repeats + _WARM_UP):
        image = random_image(rng)
        encoder.append(seconds_of(run, engine, PrefetchRequest(3 * k, image.path, image)))
        clicks.append(seconds_of(run, engine, click_request(3 * k + 1, image, rng)))
    return encoder[_WARM_UP:], clicks[_WARM_UP:]


def _while_learning(engine: Engine, rng: np.random.Generator, repeats: int) -> tuple[list[float], list[float]]:
    """Clicks at a random moment of a learning step: they wait for its end, then for their answer."""
    busy: list[float] = []
    steps: list[float] = []
    image = random_image(rng)
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
                answer = seconds_of(run, engine, click_request(1001 + 2 * k, image, rng))
                busy.append(rng.random() * step + answer)
        if len(busy) >= repeats + _WARM_UP:
            work.close()
            return busy[_WARM_UP:], steps[_WARM_UP:]
    raise UserError("The model never learned, so clicks while learning cannot be measured")


def _accepted(engine: Engine, rng: np.random.Generator, repeats: int) -> list[float]:
    """Seconds of whole lessons, once there are enough objects for tests and replay."""
    lessons: list[float] = []
    for k in range(repeats + _WARM_UP + 1):
        example = _example(k, random_image(rng), rng)
        run(engine, _click_on(2 * k, example))
        lessons.append(seconds_of(run, engine, AdaptRequest(2 * k + 1, example)))
    return lessons[_WARM_UP + 1 :]


def _plausible(engine: Engine, rng: np.random.Generator, repeats: int) -> list[float]:
    """Seconds from the answer to a click in a disc to the cards of its hypotheses; empty where the model has none."""
    seconds: list[float] = []
    for k in range(repeats + _WARM_UP):
        example = _example(k, random_image(rng), rng)
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


# --- the machine ----------------------------------------------------------------------------------------------------


def _look(engine: Engine, rng: np.random.Generator, side: int) -> _Look:
    """Clicks in the whole window of a new image; the memory that they need beside image and features."""
    image = random_image(rng, side)
    run(engine, PrefetchRequest(0, image.path, image))
    clicks = [replace(click_request(k, image, rng), candidates=True) for k in range(1 + _LOOKS)]
    run(engine, clicks[0])
    held = begin_peak()
    seconds = [seconds_of(run, engine, click) for click in clicks[1:]]
    return _Look(side, float(np.median(seconds)), (memory_figure("VmHWM") - held) / 2**20, _LOOKS)


# --- parts ----------------------------------------------------------------------------------------------------------


def _timing(name: str, seconds: Sequence[float]) -> Timing:
    p50, p95 = (float(v) for v in np.percentile(seconds, (50, 95)))
    return Timing(name, p50, p95, len(seconds))


def _click_on(number: int, example: Example) -> PredictRequest:
    return PredictRequest(number, example.image, Prompt(example.clicks), example.window)


def _example(number: int, image: Image, rng: np.random.Generator) -> Example:
    side = int(rng.integers(SIDE // 6, SIDE // 3))
    x, y = (int(v) for v in rng.integers(SIDE // 10, SIDE - side - SIDE // 10, 2))
    rows, columns = np.mgrid[0:side, 0:side]
    bits = np.hypot(rows - side / 2, columns - side / 2) < side / 2
    click = Click(x + side / 2, y + side / 2, True)
    return Example(number, image, image.whole, Mask(x, y, bits), (click,), None)


_FILE = "speed.json"


def _write(speed: Speed, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / _FILE, json.dumps(asdict(speed), indent=1).encode())
    except OSError as e:
        raise DatasetError(f"The timings cannot be written: {e.strerror}", folder, "Choose another folder") from e


def _read(folder: Path, like: Speed) -> Speed | None:
    """What an earlier run of the same model and settings has measured; None where there is none."""
    try:
        known = json.loads((folder / _FILE).read_bytes())
        kinds = {"timings": Timing, "ratios": Ratio, "looks": _Look}
        known |= {name: tuple(kind(**row) for row in known[name]) for name, kind in kinds.items()}
        speed = Speed(**{**known, "done": tuple(known["done"])})
    except (OSError, ValueError, KeyError, TypeError):  # none, or of an earlier version
        return None
    return speed if (speed.model, speed.settings) == (like.model, like.settings) else None
