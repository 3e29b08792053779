"""Whether the hypotheses learn an annotator's taste: one draws tight or takes the part, another one loose or the whole.

Twenty objects are accepted as the annotator wants them; then it is counted how often the first card is right. The weights
stay the original ones, so that the moved priors alone are measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from samtta_app.bench.ambiguity_run import asked, drawn_hypotheses, in_their_images, measured_prompts
from samtta_app.core.messages import AdaptRequest, ReportProgress
from samtta_app.core.metrics import iou
from samtta_app.core.replies import AdaptReport
from samtta_app.core.types import Example, Mask
from samtta_app.datasets.ambiguity import AmbiguousObject
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import UserError

TAUGHT = 20
"""Objects that are accepted before the count begins."""

TASTES = ("small", "large")
"""Of the outlines of an object, an annotator always means the smallest, or always the largest."""

_CLASS = 1
_LEARNER = "samtta:learns=0"
"""samtta's strategy without learning of weights."""


@dataclass(frozen=True, slots=True)
class TasteRow:
    """One object of a stream: IoU of the first card with the wanted outline, with what was accepted before and without.

    `taught` is how many objects were accepted before.
    """

    set: str
    image: str
    object: int
    taste: str
    taught: int
    learned: float
    before: float
    model: str = ""


def wanted(outlines: Sequence[Mask], taste: str) -> Mask:
    """The outline that an annotator of this taste means."""
    pick = min if taste == "small" else max
    return pick(outlines, key=lambda mask: mask.area)


def run_tastes(
    engine: Engine, name: str, targets: Sequence[AmbiguousObject], *, seed: int, told: ReportProgress
) -> list[TasteRow]:
    """Both tastes over the same stream of single clicks; none where the model has no hypotheses or objects are too few.

    Raises:
        ImageError: an image cannot be read.
        UserError: the engine refused.
    """
    if engine.resources.model.hypotheses is None or len(targets) <= TAUGHT:
        return []
    rows: list[TasteRow] = []
    for place, taste in enumerate(TASTES):
        learner = engine.fresh(seed, _LEARNER)
        for number, (image, target) in enumerate(in_their_images(targets)):
            done = (place + number / len(targets)) / len(TASTES)
            told(done, f"{name}: taste {taste}, object {number + 1} of {len(targets)}")
            prompt = replace(measured_prompts(target, image.whole, seed)["click"], class_id=_CLASS)
            one, mask = asked(learner, image, target, prompt), wanted(target.outlines, taste)
            if number >= TAUGHT:
                firsts = [drawn_hypotheses(learner, one, frozen=frozen).cards for frozen in (False, True)]
                learned, before = (round(iou(cards[0].mask, mask), 4) if cards else 0.0 for cards in firsts)
                rows.append(TasteRow(name, target.name, target.instance, taste, TAUGHT, learned, before))
                continue
            window = one.found.candidates[one.found.chosen].logits.window
            example = Example(number + 1, image, window, mask, prompt.clicks, prompt.box, _CLASS)
            reply = run(learner, AdaptRequest(number + 1, example))
            if not isinstance(reply, AdaptReport):
                raise UserError(f"The engine could not learn: {getattr(reply, 'text', '')}", target.path)
    return rows
