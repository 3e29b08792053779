"""Figures of several plausible answers: energy distance, matching, Dice, the cards that are right, and robustness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
from rich.console import Console
from rich.table import Table

from samtta_app.bench.ambiguity_run import CONDITIONS, AmbiguityRow, RobustnessRow
from samtta_app.bench.ambiguity_sets import AmbiguityRecords
from samtta_app.bench.tastes import TAUGHT, TasteRow
from samtta_app.core.diversity import SetFigures, figures_of
from samtta_app.core.replies import SAMPLED_CARDS
from samtta_app.core.texts import plain_cells

RIGHT_CARD = 0.85
"""IoU from which a card is right: the outline that an annotator wants."""

ALL_SETS = "all"


@dataclass(frozen=True, slots=True)
class AmbiguityFigures:
    """Means over the objects of one set, asked by one kind of prompt and answered by one method.

    `ged`, `hm_iou`, `hm_iou_published`, `dmax`, `dmean`, `alike` and `accuracy` are as in `core.diversity.SetFigures`.
    `first` is the share of outlines that the first card gets right, `cards` that any of four does, `plain` that the plain
    answer does.
    """

    model: str
    set: str
    prompt: str
    method: str
    objects: int
    ged: float
    hm_iou: float
    hm_iou_published: float
    dmax: float
    dmean: float
    alike: float
    accuracy: float
    first: float
    cards: float
    plain: float


def ambiguity_figures(rows: Iterable[AmbiguityRow]) -> list[AmbiguityFigures]:
    """For each model, set, prompt and method, then the means of all sets, each set counted once."""
    groups: dict[tuple[str, str, str, str], list[AmbiguityRow]] = defaultdict(list)
    for row in rows:
        groups[row.model, row.set, row.prompt, row.method].append(row)
    found = [_figures(*key, of_key) for key, of_key in groups.items()]
    together: dict[tuple[str, str, str], list[AmbiguityFigures]] = defaultdict(list)
    for one in found:
        together[one.model, one.prompt, one.method].append(one)
    return found + [_all_sets(*key, of_key) for key, of_key in together.items() if len(of_key) > 1]


_NUMBERS = (*(field.name for field in fields(SetFigures)), "first", "cards", "plain")


def _figures(model: str, name: str, prompt: str, method: str, rows: Sequence[AmbiguityRow]) -> AmbiguityFigures:
    each = [_of_row(row) for row in rows]
    means = {number: _mean([one[number] for one in each]) for number in _NUMBERS}
    return AmbiguityFigures(model, name, prompt, method, len(rows), **means)


def _all_sets(model: str, prompt: str, method: str, of_sets: Sequence[AmbiguityFigures]) -> AmbiguityFigures:
    means = {number: _mean([getattr(one, number) for one in of_sets]) for number in _NUMBERS}
    return AmbiguityFigures(model, ALL_SETS, prompt, method, sum(one.objects for one in of_sets), **means)


def _of_row(row: AmbiguityRow) -> dict[str, float]:
    between, answers, outlines, cards = (
        np.array(values, np.float64) for values in (row.between, row.answers, row.outlines, row.cards)
    )
    return {
        **asdict(figures_of(between, answers, outlines)),
        "first": float((cards[0] >= RIGHT_CARD).mean()),
        "cards": float((cards[:SAMPLED_CARDS] >= RIGHT_CARD).any(axis=0).mean()),
        "plain": float((np.array(row.plain) >= RIGHT_CARD).mean()),
    }


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else float("nan")


def show_ambiguity(console: Console, figures: Sequence[AmbiguityFigures], records: AmbiguityRecords) -> None:
    """Print all tables, and what their columns mean."""
    table = Table(title="Several plausible answers", title_justify="left")
    for column in ("model", "set", "prompt", "method"):
        table.add_column(column)
    columns = ("objects", "GED", "HM-IoU", "published", "Dmax", "Dmean", "alike", "accuracy", "first %", "4 cards %")
    for column in (*columns, "plain %"):
        table.add_column(column, justify="right")
    for one in figures:
        numbers = [getattr(one, name) for name in _NUMBERS]
        cells = [*(_cell(v) for v in numbers[:7]), *(_cell(100 * v, 1) for v in numbers[7:])]
        table.add_row(*plain_cells((one.model, one.set, one.prompt, one.method)), str(one.objects), *cells)
    console.print(table)
    _show_robustness(console, records.moved)
    _show_tastes(console, records.tastes)
    console.print(
        "GED: squared energy distance, 0 is ideal. HM-IoU: best matching, both sides repeated to equal numbers."
    )
    console.print("published: the same with min(m, n) pairs only. alike: mean IoU among the answers.")
    console.print(
        "first, 4 cards, plain %: outlines that the first card, one of four, the plain answer gets to IoU .85."
    )


def _show_robustness(console: Console, rows: Sequence[RobustnessRow]) -> None:
    table = Table(title="Moved prompts: mean IoU of the plain answer -> of the first card", title_justify="left")
    for column in ("model", "prompt", *CONDITIONS):
        table.add_column(column)
    for model, prompt in dict.fromkeys((row.model, row.prompt) for row in rows):
        cells = []
        for condition in CONDITIONS:
            own = [row for row in rows if (row.model, row.prompt, row.condition) == (model, prompt, condition)]
            pair = [_over_sets(own, part) for part in (lambda row: row.plain, lambda row: row.first)]
            cells.append(" -> ".join(_cell(value) for value in pair) if own else "-")
        table.add_row(*plain_cells((model, prompt)), *cells)
    console.print(table)


def _show_tastes(console: Console, rows: Sequence[TasteRow]) -> None:
    if not rows:
        return
    title = f"First cards that are wrong after {TAUGHT} objects of one taste, %"
    table = Table(title=title, title_justify="left")
    for column in ("model", "set", "taste", "objects", "before", "with the preference"):
        table.add_column(column)
    for key in dict.fromkeys((row.model, row.set, row.taste) for row in rows):
        own = [row for row in rows if (row.model, row.set, row.taste) == key]
        wrong = [100 * _mean([value < RIGHT_CARD for value in values]) for values in _pairs(own)]
        table.add_row(*plain_cells(key), str(len(own)), *(_cell(value, 1) for value in wrong))
    console.print(table)


def _pairs(rows: Sequence[TasteRow]) -> tuple[list[float], list[float]]:
    """IoU of the first cards without and with the preference."""
    return [row.before for row in rows], [row.learned for row in rows]


def _over_sets(rows: Sequence[RobustnessRow], value: Callable[[RobustnessRow], float]) -> float:
    """The mean of the sets' means."""
    sets: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        sets[row.set].append(value(row))
    return _mean([_mean(values) for values in sets.values()])


def _cell(value: float, digits: int = 3) -> str:
    return "-" if value != value else f"{value:.{digits}f}"
