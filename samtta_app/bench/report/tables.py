"""Tables of the report as plain text: rows of cells that Markdown, HTML and the terminal write out alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from samtta_app.bench.report.comparisons import Chained, Comparison, beside, mean_comparisons
from samtta_app.bench.report.figures import IOU_AT, MEAN, PARTS, RunFigures, RunKey, mean_of_sets
from samtta_app.bench.report.goals import SEED, GoalCheck
from samtta_app.bench.report.intervals import LEVEL, NO_ESTIMATE, RESAMPLES, Estimate, combined

LEGEND: tuple[tuple[str, str], ...] = (
    ("click", "A positive or negative point; the clicker places the next one in the error of the mask that is shown."),
    ("goal k@t", "At most k clicks for each object; it is accepted at the first click whose IoU is at least t percent."),
    ("NoC", "Mean number of clicks to the goal; an object that does not reach it counts as k."),
    ("FR", "Failure rate, strict: share of objects that do not reach t within k clicks. Reached at click k is no failure."),
    ("FR (RITM)", "Share of objects whose number of clicks is k or more, as RITM counts: reached at click k is a failure."),
    ("NoC_20@90", "From the run to 30@90, its clicks cut to the first 20; an object not at .90 by then counts as 20."),
    ("IoU@k", "Mean IoU after click k; an object that has reached its goal keeps the IoU that it was accepted with."),
    ("boundary IoU@k", "The same of the boundary IoU (Cheng et al. 2021)."),
    ("harm", "Share of clicks after an object's first that lower its IoU by more than .02, on the way to the goal."),
    ("seconds", "Per click: from the click to its mask. Per adaptation: what learning from one object took. p50 is the "
     "median, p95 the 95th percentile (nearest rank)."),
    ("calibration error", "Of the expected IoU of every answer: mean over ten bins of |expected - true|, weighted by answers "
     "(Guo et al. 2017). It is given as shown, and calibrated (isotonic) along the stream. The calibration uses what the "
     "session knows: its answers' IoU with the masks accepted before. The error uses the true masks. Negative is better."),
    ("model", "What was given to --model. Models are never taken together: no comparison, mean or goal goes across them."),
    ("frozen", "The twin that never learns, on the same objects in the same order; pairs are by set, order, position, object."),
    ("reduction", "Relative: (frozen - adapted) / frozen. Positive is better; - where frozen is 0."),
    ("difference", "FR adapted - FR frozen in percentage points. Negative is better."),
    ("fewer / equal / more", "Share of objects that take fewer, as many, more clicks than with the frozen twin."),
    ("thirds, first 20", "Parts of the stream by position; what is learned helps later objects only."),
    (MEAN, "Every set has the same weight. A mean of reductions leaves out sets in which frozen never fails."),
    ("chain a>b", "One stream, first of a, then of b. Its second half is paired with a run of b that began from nothing."),
    ("[low, high]", f"{LEVEL:.0%} percentile bootstrap interval of {RESAMPLES:,} resamples: orders with replacement, in each "
     "of them objects with replacement; both sides of a pair together. Resamples without a value are left out."),
)  # fmt: skip
"""Every term of the report and its definition."""


WORDS = len(RunKey._fields)
"""A row of a run begins with its key."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its title, column heads, and rows with as many cells as heads; the first `words` columns are text.

    `brief` tables are also shown in a terminal.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int
    brief: bool = False


def format_estimate(estimate: Estimate, digits: int = 2, factor: float = 1.0, sign: str = "") -> str:
    """The value and its interval, "3.40 [3.10, 3.71]"; "-" without a value."""
    if not np.isfinite(estimate.value):
        return "-"
    low, high = (f"{factor * bound:{sign}.{digits}f}" for bound in estimate.interval)
    return f"{factor * estimate.value:{sign}.{digits}f} [{low}, {high}]"


def format_percent(estimate: Estimate, sign: str = "") -> str:
    """A share (0 .. 1) in percent, without its unit; `sign` "+" always shows the sign."""
    return format_estimate(estimate, 1, 100.0, sign)


def report_tables(
    every: Sequence[RunFigures],
    compared: Sequence[Comparison],
    chained: Sequence[Chained],
    checks: Sequence[GoalCheck],
    alone: Sequence[RunKey],
) -> tuple[Sheet, ...]:
    """Every table with rows, in the order of the report."""
    figures = _ordered((*every, *mean_of_sets(every)))
    comparing = _ordered((*compared, *(c for c in mean_comparisons(compared) if len(c.sets) > 1)))
    found = (
        _goals(checks),
        _clicks(figures),
        _against_frozen(comparing),
        _strategies(compared),
        _parts(comparing, "noc"),
        _parts(comparing, "fr"),
        _curve("IoU after clicks", "iou", figures),
        _curve("Boundary IoU after clicks", "boundary_iou", figures),
        _trust(figures),
        _seconds(figures),
        _chains(chained),
        Sheet("Without a twin to compare with", RunKey._fields, tuple(map(tuple, alone)), WORDS, brief=True),
    )
    same = [name for name in ("clicker", "feedback", "model") if len({getattr(f.key, name) for f in every}) == 1]
    return tuple(_without(sheet, same) for sheet in found if sheet.rows)


Keyed = TypeVar("Keyed", RunFigures, Comparison)


def _ordered(every: Sequence[Keyed]) -> list[Keyed]:
    """Runs grouped by goal, clicker, feedback and model, then by set; otherwise in their own order."""
    groups = list(dict.fromkeys(each.key._replace(set="", strategy="") for each in every))
    sets = list(dict.fromkeys(each.key.set for each in every))
    return sorted(
        every, key=lambda each: (groups.index(each.key._replace(set="", strategy="")), sets.index(each.key.set))
    )


def _without(sheet: Sheet, names: Sequence[str]) -> Sheet:
    """The table without these columns, because they are the same in every row."""
    kept = [column for column, head in enumerate(sheet.heads) if head not in names]
    heads, *rows = (tuple(row[column] for column in kept) for row in (sheet.heads, *sheet.rows))
    return replace(sheet, heads=heads, rows=tuple(rows), words=sheet.words - len(sheet.heads) + len(kept))


def _goals(checks: Sequence[GoalCheck]) -> Sheet:
    rows = []
    for c in checks:
        text = format_estimate if c.unit == "clicks" else format_percent
        reached = f"{text(c.reached, sign='+')} {c.unit}" if c.reached else "-"
        rows.append((c.goal, c.model, c.words, c.needed, c.verdict, reached, c.note))
    return Sheet("Goals", ("k@t", "model", "goal", "needed", "met", "reached", "of"), tuple(rows), 5, brief=True)


def _figures(title: str, columns: Iterable[tuple[str, str, int, float]], every: Sequence[RunFigures]) -> Sheet:
    """A row for each run; a column is its head, the figure's name, digits, and a factor."""
    chosen = [column for column in columns if any(column[1] in f.named for f in every)]
    rows = (
        (
            *f.key,
            str(f.objects),
            str(f.orders),
            *(format_estimate(f.named.get(c[1], NO_ESTIMATE), c[2], c[3]) for c in chosen),
        )
        for f in every
    )
    return Sheet(title, (*RunKey._fields, "objects", "orders", *(column[0] for column in chosen)), tuple(rows), WORDS)


def _clicks(every: Sequence[RunFigures]) -> Sheet:
    columns = (("NoC", "noc", 2, 1.0), ("FR %", "fr", 1, 100.0), ("FR (RITM) %", "fr_ritm", 1, 100.0))
    more = (("NoC_20@90", "noc_20@90", 2, 1.0), ("harm %", "harm", 1, 100.0))
    return replace(_figures("Clicks and failures", (*columns, *more), every), brief=True)


def _curve(title: str, name: str, every: Sequence[RunFigures]) -> Sheet:
    return _figures(title, ((f"@{k}", f"{name}@{k}", 3, 1.0) for k in IOU_AT), every)


def _trust(every: Sequence[RunFigures]) -> Sheet:
    columns = (("as said", "ece", 3, 1.0), ("calibrated", "ece_calibrated", 3, 1.0), ("change", "ece_change", 3, 1.0))
    measured = [f for f in every if np.isfinite(f.named["ece"].value)]
    return replace(_figures("Calibration error of the expected IoU", columns, measured), brief=True)


def _seconds(every: Sequence[RunFigures]) -> Sheet:
    columns = [
        (f"{words} {p}, ms", f"{name}_{p}", 0, 1000.0)
        for name, words in (("seconds", "click"), ("learning_seconds", "adaptation"))
        for p in ("p50", "p95")
    ]
    return _figures("Time", columns, every)


def _against_frozen(compared: Sequence[Comparison]) -> Sheet:
    rows = []
    for c in compared:
        noc, fr = c.whole["noc"], c.whole["fr"]
        cells = (
            format_percent(noc.reduction, "+"),
            format_percent(fr.reduction, "+"),
            format_percent(fr.difference, "+"),
        )
        last = c.whole["noc_20@90"].reduction if "noc_20@90" in c.whole else NO_ESTIMATE
        shares = " / ".join(f"{100 * c.outcomes[name].value:.0f}" for name in ("fewer", "equal", "more"))
        rows.append((*c.key, str(c.objects), str(c.unpaired), *cells, format_percent(last, "+"), shares))
    heads = ("pairs", "unpaired", "NoC reduction %", "FR reduction %", "FR difference, points", "NoC_20@90 reduction %")
    return Sheet(
        "Adapted against frozen", (*RunKey._fields, *heads, "fewer / equal / more %"), tuple(rows), WORDS, brief=True
    )


def _strategies(compared: Sequence[Comparison]) -> Sheet:
    rows = []
    for own, theirs in beside(compared, SEED):
        cells = [", ".join(own.sets)]
        for name in ("noc", "fr"):
            mine = own.whole[name].reduction
            cells += [format_percent(mine, "+"), _times(mine, theirs.whole[name].reduction) if theirs else "-"]
        rows.append((*own.key[1:], *cells))
    heads = ("sets", "NoC reduction %", f"x {SEED}", "FR reduction %", f"x {SEED}")
    return Sheet("Strategies, mean of sets", (*RunKey._fields[1:], *heads), tuple(rows), WORDS, brief=True)


def _times(mine: Estimate, theirs: Estimate) -> str:
    """The ratio of two reductions; "-" where theirs is not positive."""
    return format_estimate(combined(lambda a, b: np.where(b > 0, a / np.where(b > 0, b, 1), np.nan), mine, theirs))


def _parts(compared: Sequence[Comparison], name: str) -> Sheet:
    """Frozen and adapted by part of the stream."""
    rows = []
    for c in compared:
        for side in ("frozen", "adapted", "reduction %"):
            cells = []
            for part in PARTS[1:]:
                pair = c.parts[part][name]
                value = {"frozen": pair.before, "adapted": pair.after}.get(side)
                scaled = (
                    format_estimate(value or NO_ESTIMATE) if name == "noc" else format_percent(value or NO_ESTIMATE)
                )
                cells.append(scaled if value else format_percent(pair.reduction, "+"))
            rows.append((*c.key, side, *cells))
    title = {"noc": "NoC over the stream", "fr": "FR over the stream, %"}[name]
    return Sheet(title, (*RunKey._fields, "side", *PARTS[1:]), tuple(rows), WORDS + 1)


def _chains(chained: Sequence[Chained]) -> Sheet:
    rows = []
    for c in chained:
        noc, fr = c.figures["noc"], c.figures["fr"]
        cells = (format_estimate(noc.before), format_estimate(noc.after), format_estimate(noc.difference, sign="+"))
        rows.append(
            (
                *c.key,
                str(c.objects),
                *cells,
                format_percent(fr.before),
                format_percent(fr.after),
                format_percent(fr.difference, "+"),
            )
        )
    heads = ("pairs", "NoC fresh", "NoC chained", "difference", "FR fresh %", "FR chained %", "difference, points")
    return Sheet(
        "Second half of a chain, beside a fresh start", (*RunKey._fields, *heads), tuple(rows), WORDS, brief=True
    )
