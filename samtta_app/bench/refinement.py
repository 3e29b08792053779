"""Quality of a model's refiner: the refined mask beside the answer, and the reliability of the uncertainty map.

Source: Liu et al. 2024, "Uncertainty-aware Fine-tuning of Segmentation Foundation Models" (SUM), section 3.2.3. On
HRSOD 98 % of the pixels with a certainty above 0.6 are right, and 28.5 % of the others. Here the original weights
answer one click of RITM's annotator on each object. The pixels of the answer's window are counted.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from samtta_app.bench.click_rows import known_rows
from samtta_app.core.certainty import Reliability, certainty_in_window, certainty_reliability, pooled
from samtta_app.core.clicks import next_click
from samtta_app.core.files import write_whole
from samtta_app.core.masks import crop
from samtta_app.core.messages import LoadRequest, PredictRequest, RefineRequest, ReportProgress
from samtta_app.core.metrics import boundary_iou, iou
from samtta_app.core.replies import Answer, Loaded, Refined, Reply
from samtta_app.core.texts import plain_cells
from samtta_app.core.types import Candidate, Image, Prompt, Window
from samtta_app.datasets.folder import TargetObject
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import DatasetError, UserError
from samtta_app.simulation.streams import Source, objects_of

_NAN = float("nan")
REFINE_FILE = "refine.jsonl"


@dataclass(frozen=True, slots=True)
class RefinedObject:
    """One object after one click: the answer and the refined answer (nan, with the `reason`, where there is none).

    `reliability` holds shares of the window's pixels. `window` is x, y, width, height. `seconds` counts the refining.
    `model` is `model_column` of what answered; older records lack it.
    """

    set: str
    image: str
    object: int
    x: float
    y: float
    window: tuple[int, int, int, int]
    iou: float
    boundary_iou: float
    predicted_iou: float
    refined_iou: float
    refined_boundary_iou: float
    refined_predicted_iou: float
    reliability: Reliability | None
    seconds: float
    reason: str
    model: str = ""

    @property
    def run(self) -> tuple[str, str]:
        """What was measured at once: a set, with one model."""
        return self.set, self.model


def run_refine(
    engine: Engine, source: Source, *, objects: int, seed: int, split: str | None, told: ReportProgress
) -> tuple[RefinedObject, ...]:
    """Ask for every object with one click, and refine the answer.

    Raises:
        DatasetError: the set cannot be used.
        UserError: an image cannot be read, or no answer was refined (the model has no refiner).
    """
    targets = sorted(objects_of(source, objects=objects, seed=seed, split=split), key=lambda target: target.image.name)
    found: list[RefinedObject] = []
    numbers = itertools.count(1)
    for done, target in enumerate(targets, start=1):
        loaded = run(engine, LoadRequest(next(numbers), target.image.path))
        if not isinstance(loaded, Loaded):
            raise _unanswered(loaded, target)
        found.append(_refined(engine, loaded.image, source.name, target, numbers))
        told(done / len(targets), f"{source.name}: object {done} of {len(targets)}")
    if all(row.reliability is None for row in found):
        raise UserError(f"No answer was refined: {found[0].reason}")
    return tuple(found)


def _refined(engine: Engine, image: Image, name: str, target: TargetObject, numbers: Iterator[int]) -> RefinedObject:
    click = next_click(target.mask, None, (), image.whole)
    if click is None:
        raise DatasetError(f"Object {target.instance} is empty", target.image.path, "Leave it out of the masks")
    prompt = Prompt((click,))
    answered = run(engine, PredictRequest(next(numbers), image, prompt, twin=True))
    if not isinstance(answered, Answer):
        raise _unanswered(answered, target)
    answer = answered.candidates[answered.chosen]
    reply = run(engine, RefineRequest(next(numbers), image, prompt, answered.window, answer))
    if not isinstance(reply, Refined):
        raise _unanswered(reply, target)
    window, mask = reply.window, reply.mask
    return RefinedObject(
        *(name, target.image.name, target.instance, click.x, click.y),
        (window.x, window.y, window.width, window.height),
        *(iou(answer.mask, target.mask), boundary_iou(answer.mask, target.mask, image.whole), answer.predicted_iou),
        refined_iou=_NAN if mask is None else iou(mask, target.mask),
        refined_boundary_iou=_NAN if mask is None else boundary_iou(mask, target.mask, image.whole),
        refined_predicted_iou=reply.predicted_iou,
        reliability=_reliability(reply, answer, answered.window, target),
        seconds=reply.seconds,
        reason=reply.reason,
    )


def _reliability(reply: Refined, answer: Candidate, window: Window, target: TargetObject) -> Reliability | None:
    """Reliability over the window of the answer; pixels that the refiner does not see count as certain."""
    if reply.uncertainty is None:
        return None
    right = crop(answer.mask, window) == crop(target.mask, window)
    return certainty_reliability(certainty_in_window(reply.uncertainty, reply.window, window), right)


def _unanswered(reply: Reply, target: TargetObject) -> UserError:
    return UserError(f"The engine could not answer: {getattr(reply, 'text', '')}", target.image.path)


# --- figures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RefinedSet:
    """Figures of one set (or of several as one): means over its `refined` objects; the others of `objects` are left out.

    `certainty_reliability` holds shares of pixels; every window has equal weight. `seconds` is the median.
    """

    model: str
    name: str
    objects: int
    refined: int
    iou: float
    refined_iou: float
    boundary_iou: float
    refined_boundary_iou: float
    reliability: Reliability
    seconds: float


def refined_sets(rows: Iterable[RefinedObject]) -> tuple[RefinedSet, ...]:
    """For each model one per set, in the order of the rows, then one of all its sets together if there are several."""
    models: dict[str, dict[str, list[RefinedObject]]] = {}
    for row in rows:
        models.setdefault(row.model, {}).setdefault(row.set, []).append(row)
    found = []
    for by_set in models.values():
        found += [_figures(name, own) for name, own in by_set.items()]
        if len(by_set) > 1:
            found.append(_figures("all", [row for own in by_set.values() for row in own]))
    return tuple(found)


def _figures(name: str, rows: Sequence[RefinedObject]) -> RefinedSet:
    kept = [row for row in rows if row.reliability is not None]

    def mean(figure: str) -> float:
        return float(np.mean([getattr(row, figure) for row in kept])) if kept else _NAN

    return RefinedSet(
        *(rows[0].model, name, len(rows), len(kept)),
        iou=mean("iou"),
        refined_iou=mean("refined_iou"),
        boundary_iou=mean("boundary_iou"),
        refined_boundary_iou=mean("refined_boundary_iou"),
        reliability=pooled([row.reliability for row in kept if row.reliability]),
        seconds=float(np.median([row.seconds for row in kept])) if kept else _NAN,
    )


def show_refined(console: Console, found: Sequence[RefinedSet]) -> None:
    """Print a table of the figures."""
    table = Table(title="Answers to one click, refined, without adaptation", title_justify="left")
    table.add_column("model")
    table.add_column("set")
    heads = ("objects", "refined", "IoU", "refined", "boundary IoU", "refined")
    for column in (*heads, "right %", "c > .6 %", "right %", "rest right %", "c > .8 %", "right %", "ms"):
        table.add_column(column, justify="right")
    for one in found:
        shares = one.reliability
        percents = (shares.right, shares.pixels_60, shares.right_60, shares.rest_right, shares.pixels_80)
        table.add_row(
            *plain_cells((one.model, one.name, str(one.objects), str(one.refined))),
            *(_cell(v, 3) for v in (one.iou, one.refined_iou, one.boundary_iou, one.refined_boundary_iou)),
            *(_cell(100 * v, 1) for v in (*percents, shares.right_80)),
            _cell(1000 * one.seconds, 0),
        )
    console.print(table)
    console.print(
        "right %: the share of right pixels in the windows. It is given for all pixels, for a certainty c above .6, for "
        "the rest, and for c above .8. The median time of refining is in ms.",
        soft_wrap=True,
    )


def known_refined(folder: Path) -> tuple[RefinedObject, ...]:
    """The rows of `folder`/refine.jsonl, none without the file.

    Raises:
        DatasetError: the file holds something else.
    """
    return known_rows(folder / REFINE_FILE, RefinedObject, _with_nan)


def write_refined(rows: Iterable[RefinedObject], folder: Path) -> Path:
    """Write `folder`/refine.jsonl, one JSON object per object of the sets; returns its path.

    Raises:
        DatasetError: it cannot be written.
    """
    text = "".join(json.dumps(_without_nan(asdict(row))) + "\n" for row in rows)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / REFINE_FILE, text.encode())
    except OSError as e:
        raise DatasetError(f"The records cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return folder / REFINE_FILE


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nan(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _with_nan(values: Any) -> Any:  # noqa: ANN401 (what JSON holds)
    """What `_without_nan` left out; a refined answer alone has a reliability."""
    if not isinstance(values, dict):
        return _NAN if values is None else values
    return {
        name: inner if name == "reliability" and inner is None else _with_nan(inner) for name, inner in values.items()
    }


def _cell(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
