"""The same weights by the engine and by the official predictor: encoding, clicks and automatic masks, as ratios.

Both sides take turns in alternating order, and a ratio is the median of the paired ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal, NamedTuple

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

_LARGE_CLICKS = 3
"""Clicks in a large window: encoding such an image takes as long as many clicks."""

_CLICKS = 4
"""Clicks at rest for each encoding: they take a hundredth of it."""

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


Ratios = tuple[Ratio, ...]


_Pair = tuple[float, float]
"""Ours and theirs."""
_Pairs = list[_Pair]


class _Encoded(NamedTuple):
    """An image that both have encoded, with the seconds and the bytes that this took."""

    image: Image
    official: SamPredictor
    seconds: _Pair
    peaks: _Pair


class OfficialBeside:
    """A SAM by the engine and by the official predictor, measured side by side; one image is encoded for all clicks.

    Args:
        stock: a SAM, or random weights: "vit_b", "vit_l", "vit_h", or "narrow", which is quicker.
        rng: makes images and clicks.
        repeats: encodings by each side that count. There are `_CLICKS` times as many clicks.
    """

    def __init__(self, stock: SamModel | str, rng: np.random.Generator, repeats: int) -> None:
        self._stock, self._rng, self._repeats, self._turn = stock, rng, repeats, 0

    def parts(self, large: Sequence[int], points: int) -> dict[str, Callable[[], Ratios]]:
        """What can be measured by itself, by its name: also in windows of `large` sides, and points x points clicks."""
        return {
            "official: encoding": self._encoding,
            "official: clicks": self._clicks,
            **{f"official: clicks in {side} px": partial(self._wide, side) for side in large},
            "official: clicks on a busy machine": self._busy,
            f"official: masks of {points**2} clicks": partial(self._automatic, points),
        }

    @cached_property
    def model(self) -> SamModel:
        """The SAM that both run."""
        stock = self._stock
        return stock if not isinstance(stock, str) else stock_model() if stock == "narrow" else random_official(stock)

    @cached_property
    def _engine(self) -> Engine:
        return Engine(self.model)

    @cached_property
    def _small(self) -> _Encoded:
        """The image of all clicks but those in large windows."""
        return self._encoded(SIDE)

    def _encoded(self, side: int) -> _Encoded:
        """A new image, encoded by both."""
        image, official = random_image(self._rng, side), official_predictor(self.model)
        peaks: dict[str, float] = {}

        def ours() -> None:
            peaks["ours"] = _peak(partial(run, self._engine, PrefetchRequest(0, image.path, image)))

        def theirs() -> None:
            peaks["theirs"] = _peak(partial(official.set_image, image.pixels))

        self._turn += 1
        seconds = _in_turn(self._turn, ours, theirs)
        return _Encoded(image, official, seconds, (peaks["ours"], peaks["theirs"]))

    def _encoding(self) -> Ratios:
        found = [self._encoded(SIDE) for _ in range(self._repeats + 1)][1:]
        self._small = found[-1]
        memory = replace(_ratio("encode, peak memory", [each.peaks for each in found]), unit="MB")
        return _ratio(f"encode ({self.model.name}, {self.model.size} px)", [each.seconds for each in found]), memory

    def _clicks(self, beside: str = "") -> Ratios:
        pairs = self._clicks_in(self._small, _CLICKS * self._repeats)
        return _ratio(f"click to masks{beside}", pairs), _tail(f"click to masks{beside}, p95", pairs)

    def _busy(self) -> Ratios:
        assert self._small, "it is encoded before the machine gets busy"
        with all_cores_busy():
            return self._clicks(f", {BUSY}")

    def _wide(self, side: int) -> Ratios:
        return (_ratio(f"click to masks, {side:,} px", self._clicks_in(self._encoded(side), _LARGE_CLICKS)),)

    def _clicks_in(self, at: _Encoded, clicks: int) -> _Pairs:
        """Seconds of clicks in the whole window of an image; the first is not counted."""
        asked = [click_request(k, at.image, self._rng) for k in range(clicks + 1)]
        return [_click_in_turn(self._engine, at.official, k, click) for k, click in enumerate(asked)][1:]

    def _automatic(self, points: int) -> Ratios:
        """The same automatic masks, ours and those of SAM's generator."""
        settings, at = replace(_EVERY_MASK, points_per_side=points), self._small
        theirs = partial(official_generator(at.official, settings), at.image.pixels)
        ours = partial(run, self._engine, AutomaticRequest(1, at.image, settings, frozen=True))
        pairs = [_in_turn(k, ours, theirs) for k in range(max(2, self._repeats // 2) + 1)][1:]
        return (_ratio(f"automatic masks of {points**2} clicks, already encoded", pairs),)


def official_ratios(
    stock: SamModel | str, rng: np.random.Generator, repeats: int, large: Sequence[int] = (), points: int = 8
) -> Ratios:
    """All figures of `OfficialBeside`."""
    parts = OfficialBeside(stock, rng, repeats).parts(large, points)
    return tuple(row for part in parts.values() for row in part())


def ratio_words(ratio: Ratio) -> str:
    """A ratio in a line."""
    scale = 1000.0 if ratio.unit == "ms" else 2.0**-20
    return RATIO_WORDS.format(
        name=ratio.name,
        ours=scale * ratio.ours,
        theirs=scale * ratio.theirs,
        unit=ratio.unit,
        ratio=ratio.ratio,
        repeats=ratio.repeats,
    )


RATIO_WORDS = "{name}: {ours:,.1f} beside {theirs:,.1f} {unit}, ratio {ratio:.2f}, repeats: {repeats}"


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


def _click_in_turn(engine: Engine, official: SamPredictor, k: int, request: PredictRequest) -> _Pair:
    where = np.array([[c.x, c.y] for c in request.prompt.clicks])
    theirs = partial(official.predict, where, np.array([1]), multimask_output=True)
    return _in_turn(k, partial(run, engine, request), theirs)


def _peak(work: Callable[[], object]) -> float:
    """Bytes by which a call raises this process's memory at most; nan where the system does not report it."""
    held = begin_peak()
    work()
    return max(memory_figure("VmHWM") - held, 1.0)


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
