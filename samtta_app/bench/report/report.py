"""The report of a bench: figures, tables and plots, computed from raw records only."""

from __future__ import annotations

import json
import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

from rich.console import Console

from samtta_app.bench.click_rows import ClickRow
from samtta_app.bench.report.comparisons import Chained, Comparison, chains, comparisons, mean_comparisons, unfinished
from samtta_app.bench.report.figures import PARTS, BenchRun, RunFigures, RunKey, mean_of_sets, run_figures, runs
from samtta_app.bench.report.goals import GoalCheck, check_goals
from samtta_app.bench.report.intervals import LEVEL, RESAMPLES, Estimate
from samtta_app.bench.report.table_formats import as_table, markdown_text
from samtta_app.bench.report.table_formats import table_markdown as markdown_table
from samtta_app.bench.report.tables import LEGEND, Sheet, report_tables
from samtta_app.core.files import marked, staged
from samtta_app.core.names import storable
from samtta_app.core.page_style import PAGE_STYLE
from samtta_app.core.texts import csv_text
from samtta_app.errors import DatasetError
from samtta_app.extras import extra_advice

log = logging.getLogger(__name__)

_MARKS = {
    "report.md": b"# Simulated annotation",
    "figures.csv": b"set,goal,strategy,",
    "summary.json": b'"resamples"',
    "report.html": b"<title>samtta bench",
}
"""First bytes of the report's files, which tell them from a user's own files of the same name."""


@dataclass(frozen=True, slots=True, eq=False)
class _Report:
    """Everything computed from some records; `alone` are runs without a twin."""

    runs: Mapping[RunKey, BenchRun]
    figures: tuple[RunFigures, ...]
    comparisons: tuple[Comparison, ...]
    chains: tuple[Chained, ...]
    goals: tuple[GoalCheck, ...]
    alone: tuple[RunKey, ...]

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """The tables in order; the goals appear only where one was measured."""
        checks = self.goals if any(check.met is not None for check in self.goals) else ()
        return report_tables(self.figures, self.comparisons, self.chains, checks, self.alone)

    @property
    def scope(self) -> str:
        """What was run, in a sentence."""
        objects = sum(len(run.places) for run in self.runs.values())
        named = (sorted({key[column] for key in self.runs} - {""}) for column in range(len(RunKey._fields)))
        words = "; ".join(f"{n} {', '.join(v)}" for n, v in zip(RunKey._fields, named, strict=True) if v)
        return f"{objects:,} annotated objects: {words}."


def build_report(records: Iterable[ClickRow]) -> _Report:
    """The report of the records of one or several benches.

    Raises:
        DatasetError: the records do not fit together, or there are none.
    """
    every = runs(records)
    if not every:
        raise DatasetError("There are no clicks in the records", "", "Run `samtta bench` first")
    compared, chained = comparisons(every), chains(every)
    alone = unfinished(every, compared)
    return _Report(
        every, tuple(map(run_figures, every.values())), compared, chained, check_goals(compared, chained), alone
    )


def show_report(console: Console, records: Iterable[ClickRow]) -> None:
    """Print the tables that fit a terminal (goals, clicks, comparisons, chains), and the definitions in short.

    Raises:
        DatasetError: as `build_report`.
    """
    for sheet in build_report(records).sheets:
        if sheet.brief:
            console.print(as_table(sheet))
    console.print(
        "NoC counts a failure as the limit. FR is strict: not reached within the limit. Less is better for both, and a "
        f"positive reduction is better. [low, high] is the {LEVEL:.0%} bootstrap interval over orders and objects.",
        markup=False,
    )


def write_report(records: Iterable[ClickRow], folder: Path) -> tuple[Path, ...]:
    """Write report.md, figures.csv, summary.json and report.html into `folder` (it is made); returns their paths.

    The page is one file that contains its plots and has no outside references. Without its libraries (the extra "bench")
    it is left out, and the log says so.

    Raises:
        DatasetError: as `build_report`, or the folder cannot be written.
        ExportError: a file of the user is in the way.
    """
    found = build_report(records)
    texts = {
        "report.md": report_markdown(found),
        "figures.csv": figures_csv(found),
        "summary.json": json.dumps(summary(found), indent=1, allow_nan=False),
    }
    try:
        texts["report.html"] = page(found)
    except ModuleNotFoundError as e:
        log.warning("report.html is left out, because %s is not installed. %s", e.name, extra_advice("bench"))
    try:
        with staged(folder, marked(_MARKS)) as stage:
            for name, text in texts.items():
                (stage / name).write_text(storable(text), encoding="utf-8", newline="")
    except OSError as e:
        raise DatasetError(f"The report cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return tuple(folder / name for name in texts)


def report_markdown(found: _Report) -> str:
    """The tables and definitions as Markdown."""
    lines = ["# Simulated annotation", "", markdown_text(found.scope), ""]
    lines += map(markdown_table, found.sheets)
    lines += ["## Definitions", "", *(f"- **{term}**: {meaning}" for term, meaning in LEGEND), ""]
    return "\n".join(lines)


def page(found: _Report) -> str:
    """The tables, plots and definitions as one HTML page.

    Raises:
        ModuleNotFoundError: jinja2 or matplotlib, which are optional, is not installed.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from samtta_app.bench.report.plots import Group, plots, svg

    groups: dict[Group, list[tuple[str, str, str]]] = defaultdict(list)
    for k, plot in enumerate(plots(found.runs, found.figures)):
        groups[plot.group].append((plot.title, plot.words, svg(plot, f"p{k}")))
    house = Environment(
        loader=PackageLoader("samtta_app.bench", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    names = tuple(dict.fromkeys(key.set for key in found.runs))
    values = {"sets": names, "scope": found.scope, "sheets": found.sheets, "groups": groups, "legend": LEGEND}
    return house.get_template("page.html.j2").render(values, style=PAGE_STYLE)


def figures_csv(found: _Report) -> str:
    """One row per run and per mean of sets: every figure with its interval.

    The pairs with frozen follow, by part of the stream.
    """
    compared = {c.key: c for c in (*found.comparisons, *mean_comparisons(found.comparisons))}
    rows: list[dict[str, object]] = []
    for f in (*found.figures, *mean_of_sets(found.figures)):
        row: dict[str, object] = {**f.key._asdict(), "objects": f.objects, "orders": f.orders}
        cells = dict(f.named)
        if f.key in compared:
            cells |= _compared_cells(compared[f.key])
        for name, estimate in cells.items():
            low, high = estimate.interval
            row |= {name: estimate.value, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    heads = tuple(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
    lines = ([row.get(name, "") for name in heads] for row in rows)
    return csv_text(heads, (["" if _undefined(cell) else cell for cell in line] for line in lines))


def _undefined(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _compared_cells(c: Comparison) -> dict[str, Estimate]:
    cells = {f"{name}_clicks": share for name, share in c.outcomes.items()}
    for part, figures_of_part in c.parts.items():
        end = "" if part == PARTS[0] else "_" + part.replace(" ", "_")
        for name, pair in figures_of_part.items():
            sides = {
                "frozen": pair.before,
                "adapted": pair.after,
                "reduction": pair.reduction,
                "change": pair.difference,
            }
            cells |= {f"{name}_{side}{end}": estimate for side, estimate in sides.items()}
    return cells


def summary(found: _Report) -> dict[str, object]:
    """Everything as plain values: an estimate is {"value", "low", "high"}, undefined values are null."""
    return {
        "resamples": RESAMPLES,
        "level": LEVEL,
        "figures": [_plain(f) for f in (*found.figures, *mean_of_sets(found.figures))],
        "comparisons": [_plain(c) for c in (*found.comparisons, *mean_comparisons(found.comparisons))],
        "chains": [_plain(c) for c in found.chains],
        "goals": [_plain(g) for g in found.goals],
        "without_twin": [_plain(key) for key in found.alone],
    }


def _plain(value: object) -> object:
    if isinstance(value, Estimate):
        low, high = value.interval
        return _plain({"value": value.value, "low": low, "high": high})
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, RunKey):
        return value._asdict()
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return None if _undefined(value) else value
