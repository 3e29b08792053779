"""Plots of the report: small multiples, one column per set, equal axes, frozen always in ink.

Colours are Okabe and Ito's (2008), which are distinct for colour-blind readers. Figures are made without pyplot, so
none stays in memory.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator

from samtta_app.bench.report.figures import BenchRun, RunFigures, RunKey, per_object, weights_of
from samtta_app.bench.report.goals import OURS
from samtta_app.bench.report.intervals import NO_ESTIMATE, Floats, means
from samtta_app.core.names import displayable
from samtta_app.simulation.annotator import goal_named
from samtta_app.simulation.engines import FROZEN

INK = "#1c2330"
"""Text, axes and the frozen twin; `svg` puts the page's own text colour in its place."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
STYLE: Mapping[Any, Any] = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.12,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "samtta",
    "text.parse_math": False,  # data set names may hold a "$"
}
LABEL = 40
"""Characters of a label: about as wide as a panel."""
_WINDOW = 10  # objects of the running mean over the stream


class Group(NamedTuple):
    """What one plot shows: one panel per set, one colour per strategy."""

    goal: str
    clicker: str
    feedback: str
    model: str = ""

    @classmethod
    def of(cls, key: RunKey) -> Group:
        """The plot that a run appears in."""
        return cls(key.goal, key.clicker, key.feedback, key.model)


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A drawn figure with its heading and a sentence that explains it."""

    group: Group
    title: str
    words: str
    figure: Figure


def plots(every: Mapping[RunKey, BenchRun], measured: Sequence[RunFigures]) -> tuple[Plot, ...]:
    """All plots, goal by goal: IoU by click, NoC over the stream, clicks paired per object, failure rates."""
    groups = dict.fromkeys(Group.of(k) for k in every)
    found: list[Plot] = []
    for group in groups:
        here = {k: run for k, run in every.items() if Group.of(k) == group}
        with rc_context(dict(STYLE)):
            found += [_by_click(group, here), _over_stream(group, here), *_paired(group, here)]
            found.append(_failures(group, [f for f in measured if f.key in here]))
    return tuple(found)


def svg(plot: Plot, prefix: str) -> str:
    """The plot as an SVG element without outside references.

    Its ids begin with `prefix`. Ink gets the page's text colour.
    """
    file = io.StringIO()
    with rc_context(dict(STYLE)):
        plot.figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", text)
    return text.replace(INK, "currentColor")


def png(plot: Plot) -> bytes:
    """The plot as a PNG on white, 150 dots per inch."""
    file = io.BytesIO()
    with rc_context(dict(STYLE)):
        FigureCanvasAgg(plot.figure)
        plot.figure.savefig(file, format="png", dpi=150, facecolor="white")
    return file.getvalue()


def colours(strategies: Sequence[str]) -> dict[str, str]:
    """A colour for each strategy: ink for frozen, the first colour for ours, the others in order."""
    learning = sorted((s for s in strategies if s != FROZEN), key=lambda s: s != OURS)
    start = 0 if OURS in learning else 1
    return {FROZEN: INK} | {s: COLOURS[(start + k) % len(COLOURS)] for k, s in enumerate(learning)}


def _label(name: str) -> str:
    """A set's or strategy's name for a plot; a long one is cut to leave room for the axes."""
    text = displayable(name)
    return text if len(text) <= LABEL else f"{text[: LABEL - 10]}…{text[-9:]}"


def _strategies(keys: Sequence[RunKey]) -> list[str]:
    return sorted(dict.fromkeys(k.strategy for k in keys), key=lambda s: (s != FROZEN, s != OURS))


def _panels(names: Sequence[str], rows: int = 1, height: float = 2.6) -> tuple[Figure, list[list[Axes]]]:
    """Rows of panels with one column per name; the first row has the names as titles."""
    figure = Figure(figsize=(max(4.2, 0.9 + 2.7 * len(names)), 0.5 + height * rows), layout="constrained")
    axes = figure.subplots(rows, len(names), sharex=True, sharey=True, squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(_label(name))
    return figure, [list(row) for row in axes]


def _legend(figure: Figure, axes: Sequence[Axes]) -> None:
    named = {label: h for a in axes for h, label in zip(*a.get_legend_handles_labels(), strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=min(len(named), 6))


def _lines(here: Mapping[RunKey, BenchRun], draw: Callable[[Axes, BenchRun, str], None]) -> tuple[Figure, list[Axes]]:
    """One panel per set, in which `draw` is called for each strategy, frozen first."""
    names = list(dict.fromkeys(k.set for k in here))
    figure, (axes,) = _panels(names)
    shade = colours(_strategies(list(here)))
    for axis, name in zip(axes, names, strict=True):
        for strategy in shade:
            for key, run in here.items():
                if (key.set, key.strategy) == (name, strategy):
                    draw(axis, run, shade[strategy])
    _legend(figure, axes)
    return figure, axes


def _by_click(group: Group, here: Mapping[RunKey, BenchRun]) -> Plot:
    def draw(axis: Axes, run: BenchRun, colour: str) -> None:
        found = means(run.iou, weights_of(run))
        clicks = np.arange(1, len(found) + 1)
        low, high = np.array([each.interval for each in found]).T
        axis.fill_between(clicks, low, high, color=colour, alpha=0.15, linewidth=0)
        axis.plot(clicks, [each.value for each in found], color=colour, linewidth=1.6, label=_label(run.key.strategy))

    figure, axes = _lines(here, draw)
    goal = goal_named(group.goal)
    for axis in axes:
        axis.axhline(goal.target, color=INK, linewidth=0.8, linestyle=(0, (2, 3)), alpha=0.6)
        axis.set(xlabel="clicks", xlim=(1, goal.limit))
        axis.set_xticks([1, *range(5, goal.limit + 1, 5)])
    axes[0].set_ylabel("mean IoU")
    words = "Held from the click that reached the goal (dotted); bands are 95 % bootstrap intervals."
    return Plot(group, "IoU by click", words, figure)


def running_mean(run: BenchRun) -> tuple[Floats, Floats]:
    """Positions (counted from 1) and NoC there: mean over orders, then over the last 10 objects of the stream."""
    positions = np.array([place.position for place in run.places])
    noc = per_object(run)["noc"]
    there = np.unique(positions)
    level = np.array([noc[positions == position].mean() for position in there])
    sums = np.concatenate([[0.0], np.cumsum(level)])
    ends = np.arange(1, len(level) + 1)
    starts = np.maximum(ends - _WINDOW, 0)
    return there + 1.0, (sums[ends] - sums[starts]) / (ends - starts)


def _over_stream(group: Group, here: Mapping[RunKey, BenchRun]) -> Plot:
    def draw(axis: Axes, run: BenchRun, colour: str) -> None:
        axis.plot(*running_mean(run), color=colour, linewidth=1.6, label=_label(run.key.strategy))

    figure, axes = _lines(here, draw)
    for axis in axes:
        axis.set(xlabel="objects annotated", ylim=(0, None))
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[0].set_ylabel("clicks per object")
    words = f"Clicks to the goal, mean over orders and the last {_WINDOW} objects of the stream; a failure counts as the limit."
    return Plot(group, "NoC over the stream", words, figure)


def _paired(group: Group, here: Mapping[RunKey, BenchRun]) -> list[Plot]:
    """A row of panels for each strategy; no plot where nothing is paired."""
    pairs = {key: _counts(here, key) for key in here if key.strategy != FROZEN}
    pairs = {key: counts for key, counts in pairs.items() if counts.size}
    if not pairs:
        return []
    names = list(dict.fromkeys(k.set for k in pairs))
    strategies = _strategies(list(pairs))
    figure, axes = _panels(names, len(strategies), 2.7)
    shade = colours(strategies)
    limit = goal_named(group.goal).limit
    largest = max(counts[:, 2].max() for counts in pairs.values())
    for row, strategy in zip(axes, strategies, strict=True):
        for axis, name in zip(row, names, strict=True):
            axis.plot([0, limit + 1], [0, limit + 1], color=INK, linewidth=0.8, alpha=0.6)
            axis.set(xlim=(0, limit + 1), ylim=(0, limit + 1), aspect="equal")
            axis.xaxis.set_major_locator(MultipleLocator(5))
            axis.yaxis.set_major_locator(MultipleLocator(5))
            for key, counts in pairs.items():
                if (key.set, key.strategy) == (name, strategy):
                    size = 4 + 150 * counts[:, 2] / largest
                    axis.scatter(counts[:, 0], counts[:, 1], s=size, color=shade[strategy], alpha=0.55, linewidths=0)
        row[0].set_ylabel(f"clicks, {_label(strategy)}")
    for axis in axes[-1]:
        axis.set_xlabel(f"clicks, {FROZEN}")
    words = f"Areas are numbers of objects; below the line learning saved clicks. {limit} is also where failures lie."
    return [Plot(group, "Clicks, paired per object", words, figure)]


def _counts(here: Mapping[RunKey, BenchRun], key: RunKey) -> Floats:
    """How often each pair of clicks occurs: rows of (frozen, adapted, objects); no rows without a twin."""
    twin = here.get(key._replace(strategy=FROZEN))
    if twin is None:
        return np.zeros((0, 3))
    before = dict(zip(twin.places, per_object(twin)["noc"], strict=True))
    after = zip(here[key].places, per_object(here[key])["noc"], strict=True)
    both = [(before[place], noc) for place, noc in after if place in before]
    if not both:
        return np.zeros((0, 3))
    found, counts = np.unique(np.array(both), axis=0, return_counts=True)
    return np.column_stack([found, counts])


def _failures(group: Group, measured: Sequence[RunFigures]) -> Plot:
    names = list(dict.fromkeys(f.key.set for f in measured))
    strategies = _strategies([f.key for f in measured])
    shade = colours(strategies)
    figure, ((axis,),) = _panels([""])
    figure.set_size_inches(max(4.2, 1.2 + len(names) * (0.5 + 0.35 * len(strategies))), 3.0)
    width = 0.8 / len(strategies)
    for column, strategy in enumerate(strategies):
        at = {f.key.set: f.named.get("fr", NO_ESTIMATE) for f in measured if f.key.strategy == strategy}
        places = np.array([names.index(name) for name in at]) + (column - (len(strategies) - 1) / 2) * width
        rates = 100 * np.array([each.value for each in at.values()])
        bounds = 100 * np.array([each.interval for each in at.values()])
        fill = 0.45 if strategy == FROZEN else 0.85
        axis.bar(places, rates, 0.92 * width, color=shade[strategy], alpha=fill, label=_label(strategy))
        axis.errorbar(places, rates, np.abs(bounds.T - rates), fmt="none", ecolor=INK, elinewidth=1, capsize=2.5)
    axis.set_xticks(range(len(names)), [_label(name) for name in names])
    axis.tick_params(axis="x", length=0)
    axis.grid(visible=False, axis="x")
    axis.set(ylabel=f"FR_{group.goal}, %", ylim=(0, None))
    _legend(figure, [axis])
    return Plot(
        group, "Failure rate", "Share of objects that miss the goal; whiskers are 95 % bootstrap intervals.", figure
    )
