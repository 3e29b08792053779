"""Uncertainty measures by name, for a MeasureRequest: UncertainSAM's baselines, its heads, and maps.

Each measure is taken and timed alone, starting from the encoded image and the decoder, so that its own cost is known.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from samtta_app.core.clicks import clicks_near
from samtta_app.core.messages import MeasureRequest
from samtta_app.core.replies import Measured
from samtta_app.core.types import Image, Logits, Prompt, Window
from samtta_app.errors import UserError
from samtta_app.images.image_source import source_of
from samtta_app.model.answers import MaskAnswer, answer_prompt, corrected
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache, Larger
from samtta_app.model.predictor import Decoded, ImageFeatures, decode_many, encode
from samtta_app.model.weights import Tensors, Weights
from samtta_app.phrases import Phrase
from samtta_app.uncertainty import entropies
from samtta_app.uncertainty.augmented_views import versions
from samtta_app.uncertainty.heads import GapHeads, for_clicks, load_heads
from samtta_app.uncertainty.maps import entropy, mean_entropy

SHRUNK_FROM = 2048
"""Windows with a longer side are reduced to this before the other versions are made of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Measuring:
    """What is measured: a model under some weights, the larger model, and the heads or why there are none.

    `single` is whether the single mask answers at every click.
    """

    model: SamModel
    cache: FeatureCache
    weights: Weights
    larger: Larger | None = None
    heads: GapHeads | None = None
    no_heads: str = ""
    single: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Result of one measure: numbers by name, a map (g, g), or the reason for neither.

    `seconds` is set where it is not the time of the whole work.
    """

    numbers: Mapping[str, float] | None = None
    map: Tensor | None = None
    absent: str = ""
    seconds: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One model in one window."""

    model: SamModel
    tensors: Tensors
    features: ImageFeatures

    def ask(self, prompts: Sequence[Prompt]) -> tuple[Decoded, ...]:
        """All masks for each prompt, in one pass."""
        with torch.no_grad():
            return decode_many(self.model, self.tensors, self.features, prompts)

    def candidates(self, prompts: Sequence[Prompt]) -> tuple[Tensor, Tensor]:
        """Probabilities of the three candidates (A, 3, g, g), and their predicted IoU (A, 3), for each prompt."""
        found = self.ask(prompts)
        logits, iou = torch.stack([f.logits[1:] for f in found]), torch.stack([f.iou[1:] for f in found])
        return torch.sigmoid(logits.float()), iou

    def shown(self, prompts: Sequence[Prompt]) -> Tensor:
        """Probability (A, g, g) of the mask that each prompt would show."""
        if prompts[0].ambiguous:
            return entropies.picked(*self.candidates(prompts))
        answers = zip(prompts, self.ask(prompts), strict=True)
        near = [corrected(self.model, self.features, p, found.logits[:1], 0.0)[0] for p, found in answers]
        return torch.sigmoid(torch.stack(near).float())


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One measured answer: the models, the prompt, the answer, and alternative clicks."""

    knows: Measuring
    request: MeasureRequest
    found: MaskAnswer
    side: _Side
    others: tuple[Prompt, ...]

    @property
    def shown(self) -> Tensor:
        """Logits (g, g) of the mask on the screen."""
        return self.found.logits[self.found.chosen].float()

    @property
    def p(self) -> Tensor:
        """Its probability (g, g)."""
        return torch.sigmoid(self.shown)


_Work = Generator[None, None, _Found]

NO_CLICK = "There is no alternative place for the newest click"
NO_LARGER = "There is no larger model to compare with"


def measured(knows: Measuring, request: MeasureRequest) -> Generator[None, None, Measured]:
    """Answer the request; yields while something is being encoded. Timed work is never interrupted.

    Raises:
        UserError: there is no measure of a name.
        CheckpointError: the file of heads cannot be used; the larger model cannot be loaded.
    """
    unknown = next((name for name in request.names if name not in MEASURES), None)
    if unknown is not None:
        raise UserError(
            Phrase("There is no measure named {unknown!r}", unknown=unknown),
            "",
            Phrase("There are {names}", names=", ".join(MEASURES)),
        )
    if request.heads is not None:
        knows = replace(knows, heads=load_heads(request.heads, knows.model))
    case = yield from _case(knows, request)
    began = time.perf_counter()
    case.side.ask((request.prompt,))
    seconds = {"decoder": time.perf_counter() - began}
    numbers: dict[str, float] = {}
    maps: dict[str, Logits] = {}
    absent: dict[str, str] = {}
    for name in request.names:
        began = time.perf_counter()
        got = yield from MEASURES[name](case)
        seconds |= got.seconds or {name: time.perf_counter() - began}
        values = got.map.float().cpu().numpy() if got.map is not None else None
        finite = {key: value for key, value in (got.numbers or {}).items() if math.isfinite(value)}
        numbers |= finite
        if values is not None and np.isfinite(values).all():
            maps[name] = Logits(case.found.window, values)
        if not finite and name not in maps:
            absent[name] = got.absent or "The model's answer is not finite"
    return Measured(request.id, numbers, maps, seconds, absent)


def _case(knows: Measuring, request: MeasureRequest) -> Generator[None, None, Case]:
    prompt = request.prompt
    asked = (knows.model, knows.cache, knows.weights, request.image, prompt, request.window)
    found = yield from answer_prompt(*asked, single=knows.single)
    features = yield from knows.cache.features(request.image, found.window)
    clicks = tuple(click for click in request.clicks if found.window.contains(click.x, click.y))
    if prompt.clicks and not clicks:
        clicks = clicks_near(prompt.clicks[-1], found.shown, found.window)
    others = tuple(replace(prompt, clicks=(*prompt.clicks[:-1], click)) for click in clicks if prompt.clicks)
    return Case(knows, request, found, _Side(knows.model, knows.weights.tensors, features), others)


# --- measures of the answer itself ----------------------------------------------------------------------------------


def _score(case: Case) -> _Work:
    return _Found({"score": 1 - case.found.iou[case.found.chosen]})
    yield


def _entropy(case: Case) -> _Work:
    doubts = entropy(case.shown)
    return _Found({"entropy": float(mean_entropy(case.shown, doubts))}, doubts)
    yield


def _heads(case: Case) -> _Work:
    """All heads' values for the shown mask; timed with all heads, and with only those of every click."""
    heads = case.knows.heads
    if heads is None:
        return _Found(absent=case.knows.no_heads)
    each, tokens, seconds = for_clicks(heads), case.found.tokens, {}
    with torch.no_grad():
        for name, asked in (("gaps", each), ("heads", heads)):
            began = time.perf_counter()
            said = asked.predicted(tokens)
            numbers = {key: float(value[case.found.chosen]) for key, value in said.items()}
            seconds[name] = time.perf_counter() - began
    return _Found(numbers, seconds=seconds)
    yield


def _adapted(case: Case) -> _Work:
    """Change of the probability by what was learned, relative to the original weights' mask for the same prompt."""
    frozen = _Side(case.side.model, case.side.model.frozen.tensors, case.side.features)
    return _Found(map=(case.p - frozen.shown((case.request.prompt,))[0]).abs())
    yield


# --- Bayesian measures ----------------------------------------------------------------------------------------------


def _h_a(case: Case) -> _Work:
    found, prompt = case.found, case.request.prompt
    if prompt.ambiguous:  # the answer already holds the candidates
        p, iou = torch.sigmoid(found.logits.float())[None], torch.tensor([found.iou], device=found.logits.device)
    else:
        p, iou = case.side.candidates((prompt,))
    return _Found({"h_a": entropies.task_entropy(p, iou)})
    yield


def _h_xp(case: Case) -> _Work:
    if not case.others:
        return _Found(absent=NO_CLICK)
    return _Found({"h_xp": entropies.answer_entropy(case.side.shown(case.others))})
    yield


def _ensemble(case: Case) -> _Work:
    """The same clicks as for H_Xp without given ones: near the newest click, where a user might have clicked as well."""
    prompt = case.request.prompt
    if not prompt.clicks:
        return _Found(absent=NO_CLICK)
    near = clicks_near(prompt.clicks[-1], case.found.shown, case.found.window)
    jittered = [replace(prompt, clicks=(*prompt.clicks[:-1], click)) for click in near]
    return _Found(map=entropies.deviation(case.side.shown(jittered)))
    yield


def _h_theta(case: Case) -> _Work:
    second = yield from _larger(case)
    if second is None:
        return _Found(absent=NO_LARGER)
    other = entropies.probabilities_on_grid(second.shown((case.request.prompt,)), case.side.model.grid)
    return _Found({"h_theta": entropies.answer_entropy(torch.cat([case.p[None], other]))})


def _h_aug(case: Case) -> _Work:
    sides = yield from _in_versions(case.side, case.request.image)
    others = [side.shown((case.request.prompt,)) for side in sides[1:]]
    return _Found({"h_aug": entropies.answer_entropy(torch.cat([case.p[None], *others]))})


def _h_y(case: Case) -> _Work:
    second = yield from _larger(case)
    if second is None or not case.others:
        return _Found(absent=NO_CLICK if second else NO_LARGER)
    maps = []
    for side in (case.side, second):
        for version in (yield from _in_versions(side, case.request.image)):
            maps.append(
                entropies.probabilities_on_grid(entropies.mixed(*version.candidates(case.others)), case.side.model.grid)
            )
            yield
    return _Found({"h_y": entropies.answer_entropy(torch.cat(maps))})


def _larger(case: Case) -> Generator[None, None, _Side | None]:
    """The larger model with its original weights in the answer's window."""
    larger = case.knows.larger
    if larger is None:
        return None
    features = yield from larger.cache.features(case.request.image, case.found.window)
    return _Side(larger.model, larger.model.frozen.tensors, features)


def _in_versions(side: _Side, image: Image) -> Generator[None, None, list[_Side]]:
    """The same model on the five versions of the window, the unchanged one first."""
    window, found = side.features.window, [side]
    for pixels in versions(_pixels(image, window))[1:]:
        seen = Image(image.key, image.path, pixels, pixels)
        features = yield from encode(side.model, seen, seen.whole)
        found.append(replace(side, features=replace(features, window=window)))
    return found


def _pixels(image: Image, window: Window) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pixels = source_of(image).read(window)
    if window.side <= SHRUNK_FROM:
        return pixels
    scale = SHRUNK_FROM / window.side
    size = max(round(window.width * scale), 1), max(round(window.height * scale), 1)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


MEASURES: Mapping[str, Callable[[Case], _Work]] = {
    "score": _score,
    "entropy": _entropy,
    "h_a": _h_a,
    "h_xp": _h_xp,
    "h_theta": _h_theta,
    "h_aug": _h_aug,
    "h_y": _h_y,
    "heads": _heads,
    "ensemble": _ensemble,
    "adapted": _adapted,
}
"""Name -> measure.

Numbers: "score" is 1 - predicted IoU, "entropy" H of the shown mask, "h_..." the Bayesian ones, "heads" all heads by
name. Maps: "entropy", "ensemble", "adapted".
"""
