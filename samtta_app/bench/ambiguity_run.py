"""Several plausible answers against the outlines of several annotators, with the original weights.

Source: Li et al. 2024 (A-SAM), section 4 and its released code. Boxes there lie in windows of 128 pixels; shifts are
scaled to the window of each box.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.diversity import overlaps
from samtta_app.core.messages import HypothesesRequest, PredictRequest, ReportProgress
from samtta_app.core.open_prompts import common_click, loose_box, moved_box
from samtta_app.core.readings import listed_readings
from samtta_app.core.replies import Answer, Hypotheses
from samtta_app.core.types import Click, Image, Mask, Prompt, Window
from samtta_app.datasets.ambiguity import AmbiguousObject
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import UserError
from samtta_app.images.read import read_image

BOX_SCALE_TESTED, BOX_SHIFT_TESTED = (0.8, 1.2), 8 / 128
"""The tested box: scale, and largest shift in sides of the window (A-SAM, section 4)."""

CONDITIONS = {
    "none": ((1.0, 1.0), 0.0),
    "shift": ((1.0, 1.0), 5 / 128),
    "scale": ((0.85, 1.15), 0.0),
    "shift+": ((1.0, 1.0), 8 / 128),
    "scale+": ((0.7, 1.3), 0.0),
    "shift scale": ((0.85, 1.15), 5 / 128),
    "shift+ scale+": ((0.7, 1.3), 8 / 128),
}
"""How a prompt is moved to test robustness: scale, and largest shift in sides of the window (A-SAM, figure 5)."""

DRAWN = 16
"""Plain answers to moved prompts: as many as there are hypotheses."""

METHODS = ("candidates", "jitter", "hypotheses")
"""The three candidates of one window, the plain answers to a moved prompt, and sampled hypotheses."""


@dataclass(frozen=True, slots=True)
class AmbiguityRow:
    """The answers of one method to one prompt: IoU of each with each outline, among each other, and of the outlines.

    `cards` (k, n) are the IoU of what the user is shown, in its order, with each outline; `counts` are their samples.
    `plain` (n,) is that of the plain answer.
    """

    set: str
    image: str
    object: int
    kind: str
    prompt: str
    method: str
    between: list[list[float]]
    answers: list[list[float]]
    outlines: list[list[float]]
    cards: list[list[float]]
    counts: list[int]
    plain: list[float]
    model: str = ""


@dataclass(frozen=True, slots=True)
class RobustnessRow:
    """Mean IoU with all outlines of the plain answer and of the first card, for a prompt under a condition."""

    set: str
    image: str
    object: int
    prompt: str
    condition: str
    plain: float
    first: float
    model: str = ""


class OpenQuestion(NamedTuple):
    """An object in its image, a prompt for it, and the plain answer."""

    image: Image
    target: AmbiguousObject
    prompt: Prompt
    found: Answer

    @property
    def shown(self) -> Mask:
        """The mask on the screen."""
        return self.found.candidates[self.found.chosen].mask


def asked(
    engine: Engine, image: Image, target: AmbiguousObject, prompt: Prompt, window: Window | None = None
) -> OpenQuestion:
    """The plain answer to a prompt, by the original weights; in a given window there are three candidates.

    Raises:
        UserError: the engine refused.
    """
    request = PredictRequest(1, image, prompt, window, frozen=True, candidates=window is not None)
    reply = run(engine, request)
    if not isinstance(reply, Answer):
        raise UserError(f"The engine could not answer: {getattr(reply, 'text', '')}", target.path)
    return OpenQuestion(image, target, prompt, reply)


def drawn_hypotheses(engine: Engine, one: OpenQuestion, *, frozen: bool = True) -> Hypotheses:
    """Hypotheses in the window of the plain answer.

    Raises:
        UserError: the engine refused.
    """
    window = one.found.candidates[one.found.chosen].logits.window
    reply = run(engine, HypothesesRequest(1, one.image, one.prompt, window, one.shown, frozen=frozen, masks=True))
    if not isinstance(reply, Hypotheses):
        raise UserError(f"The engine could not draw hypotheses: {getattr(reply, 'text', '')}", one.target.path)
    return reply


def measured_prompts(target: AmbiguousObject, extent: Window, seed: int) -> dict[str, Prompt]:
    """One click in the middle of what the outlines share, and a loose box about all of them."""
    rng = _draws(target, seed)
    click = common_click(target.outlines, extent, rng)
    box = loose_box(target.outlines, extent, BOX_SCALE_TESTED, BOX_SHIFT_TESTED, rng)
    return {"click": Prompt((click,)) if click else Prompt(box=box), "box": Prompt(box=box)}


def moved_prompt(
    prompt: Prompt, side: int, scale: tuple[float, float], shift: float, extent: Window, rng: np.random.Generator
) -> Prompt:
    """A prompt whose box is scaled and shifted, or whose click is shifted, within the image.

    Args:
        side: of the window in which shifts are counted, in pixels.
    """
    by = (rng.uniform(-1, 1, 2) * shift * side).tolist()
    if prompt.box is not None:
        return replace(prompt, box=moved_box(prompt.box, float(rng.uniform(*scale)), by, extent))
    click = prompt.clicks[0]
    x, y = (
        min(max(at + move, 0.0), length - 1.0)
        for at, move, length in ((click.x, by[0], extent.width), (click.y, by[1], extent.height))
    )
    return replace(prompt, clicks=(Click(x, y, click.positive),))


def run_ambiguity(
    engine: Engine, name: str, targets: Sequence[AmbiguousObject], *, seed: int, told: ReportProgress
) -> tuple[list[AmbiguityRow], list[RobustnessRow]]:
    """Ask for every object by a click and by a box, in every way.

    Raises:
        ImageError: an image cannot be read.
    """
    rows, robust = [], []
    for done, (image, target) in enumerate(in_their_images(targets)):
        told(done / len(targets), f"{name}: object {done + 1} of {len(targets)}")
        for kind, prompt in measured_prompts(target, image.whole, seed).items():
            one = asked(engine, image, target, prompt)
            found = (_row(engine, name, one, kind, method, seed) for method in METHODS)
            rows += [row for row in found if row is not None]
            robust += _robustness(engine, name, one, kind, seed)
    return rows, robust


def in_their_images(targets: Sequence[AmbiguousObject]) -> Iterator[tuple[Image, AmbiguousObject]]:
    """Every object with its image, which is read once for all its objects."""
    for path, of_image in groupby(sorted(targets, key=lambda target: str(target.path)), key=lambda target: target.path):
        image = read_image(path)
        yield from ((image, target) for target in of_image)


def _row(engine: Engine, name: str, one: OpenQuestion, kind: str, method: str, seed: int) -> AmbiguityRow | None:
    answers, cards, counts = _answers(engine, one, method, seed)
    if not answers:
        return None
    outlines, target = one.target.outlines, one.target
    return AmbiguityRow(
        *(name, target.name, target.instance, target.kind, kind, method),
        between=_rounded(overlaps(answers, outlines)),
        answers=_rounded(overlaps(answers, answers)),
        outlines=_rounded(overlaps(outlines, outlines)),
        cards=_rounded(overlaps(cards, outlines)),
        counts=counts,
        plain=_rounded(overlaps([one.shown], outlines))[0],
    )


def _answers(engine: Engine, one: OpenQuestion, method: str, seed: int) -> tuple[list[Mask], list[Mask], list[int]]:
    """The answers of a method, and what of them is shown: masks in their order, and how many answers each stands for.

    Without hypotheses in the model there are none.
    """
    window = one.found.candidates[one.found.chosen].logits.window
    if method == "candidates":
        found = asked(engine, one.image, one.target, one.prompt, window).found
        masks = [candidate.mask for candidate in found.candidates]
        shown = [masks[found.chosen], *(mask for k, mask in enumerate(masks) if k != found.chosen)]
        return masks, shown, [1] * len(shown)
    if method == "jitter":
        rng, extent = _draws(one.target, seed), one.image.whole
        moved = [
            moved_prompt(one.prompt, window.side, BOX_SCALE_TESTED, BOX_SHIFT_TESTED, extent, rng) for _ in range(DRAWN)
        ]
        masks = [_plain(engine, one, each, window) for each in moved]
        return masks, masks[:1], [1]
    reply = drawn_hypotheses(engine, one)
    if not reply.masks:
        return [], [], []
    plain = one.found.candidates
    cards = listed_readings(reply.cards, plain, plain[one.found.chosen])
    return list(reply.masks), [card.mask for card in cards], [card.samples or 0 for card in cards]


def _plain(engine: Engine, one: OpenQuestion, prompt: Prompt, window: Window) -> Mask:
    """The plain answer to another prompt in the same window, where that holds it."""
    inside = all(window.contains(click.x, click.y) for click in prompt.clicks)
    return asked(engine, one.image, one.target, prompt, window if inside else None).shown


def _robustness(engine: Engine, name: str, one: OpenQuestion, kind: str, seed: int) -> list[RobustnessRow]:
    rows, side = [], one.found.window.side
    for condition, (scale, shift) in CONDITIONS.items():
        if one.prompt.box is None and condition != "none" and not shift:
            continue  # a click has no size
        moved = moved_prompt(one.prompt, side, scale, shift, one.image.whole, _draws(one.target, seed))
        again = asked(engine, one.image, one.target, moved)
        cards = drawn_hypotheses(engine, again).cards
        first = cards[0].mask if cards else again.shown
        plain, sampled = (
            round(float(overlaps([mask], one.target.outlines).mean()), 4) for mask in (again.shown, first)
        )
        rows.append(RobustnessRow(name, one.target.name, one.target.instance, kind, condition, plain, sampled))
    return rows


def _draws(target: AmbiguousObject, seed: int) -> np.random.Generator:
    """The same draws for the same object, whatever else is measured."""
    return np.random.default_rng([seed, target.instance, zlib.crc32(target.name.encode())])


def _rounded(values: NDArray[np.float64]) -> list[list[float]]:
    """To the digits that records keep."""
    return [[round(float(value), 4) for value in row] for row in values]
