"""Plots from records: what they show, and that they stand alone in a page."""

from __future__ import annotations

import io
import re

import numpy as np
import PIL.Image
import pytest
from matplotlib.axes import Axes

from samtta_app.bench.click_rows import ClickRow
from samtta_app.bench.report.figures import run_figures, runs
from samtta_app.bench.report.plots import COLOURS, INK, Plot, colours, plots, png, running_mean, svg
from tests.unit.bench.recorded import FAILED, clicks, only, solved, stream

BEFORE, AFTER = [solved(4), solved(3), FAILED], [solved(2), solved(3), solved(1)]
PAIR = [*stream(BEFORE, strategy="frozen"), *stream(AFTER)]
WOUNDS = [*stream([solved(2)], strategy="frozen", name="wounds"), *stream([solved(1)], name="wounds")]


def drawn(records: list[ClickRow]) -> list[Plot]:
    every = runs(records)
    return list(plots(every, [run_figures(run) for run in every.values()]))


def axes(plot: Plot) -> list[Axes]:
    return plot.figure.axes


def line(axis: Axes, label: str) -> list[float]:
    (found,) = (each for each in axis.get_lines() if each.get_label() == label)
    return list(np.asarray(found.get_ydata(), float))


def test_there_are_four_plots_for_each_goal_clicker_and_feedback() -> None:
    other = [*stream(BEFORE, strategy="frozen", clicker="schoen"), *stream(AFTER, clicker="schoen")]
    found = drawn([*PAIR, *other])
    assert [plot.group.clicker for plot in found] == ["ritm"] * 4 + ["schoen"] * 4
    titles = [plot.title for plot in found[:4]]
    assert titles == ["IoU by click", "NoC over the stream", "Clicks, paired per object", "Failure rate"]


def test_iou_by_click_is_the_mean_held_to_the_limit() -> None:
    (axis,) = axes(drawn(PAIR)[0])
    assert line(axis, "frozen") == pytest.approx([0.5, 0.5, 1.9 / 3, 2.3 / 3, 2.3 / 3])
    assert line(axis, "samtta") == pytest.approx([1.9 / 3, 2.3 / 3, 0.9, 0.9, 0.9])
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_title()) == ("clicks", "mean IoU", "cells")


def test_sets_have_panels_on_the_same_axes() -> None:
    for plot in drawn([*PAIR, *WOUNDS])[:3]:
        assert [axis.get_title() for axis in axes(plot)] == ["cells", "wounds"]
        assert len({axis.get_ylim() for axis in axes(plot)}) == 1


def test_the_stream_is_averaged_over_orders_and_then_over_ten_objects() -> None:
    one = stream([solved(1)] * 11 + [solved(5)])
    two = stream([solved(3)] * 11 + [solved(5)], order=1)
    positions, noc = running_mean(only([*one, *two]))
    assert positions.tolist() == list(range(1, 13))
    assert noc.tolist() == pytest.approx([2.0] * 11 + [2.3])


def test_pairs_are_counted_where_they_lie() -> None:
    records = [*stream([solved(4)] * 3 + [FAILED], strategy="frozen"), *stream([solved(2)] * 3 + [solved(5)])]
    (axis,) = axes(drawn(records)[2])
    (points,) = axis.collections
    assert np.asarray(points.get_offsets()).tolist() == [[4, 2], [5, 5]]
    large, small = points.get_sizes()
    assert large > small
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("clicks, frozen", "clicks, samtta")


def test_every_strategy_has_a_row_of_pairs() -> None:
    records = [*PAIR, *WOUNDS, *stream(AFTER, strategy="lit-lora")]
    assert len(axes(drawn(records)[2])) == 4


def test_bars_are_failure_rates_in_percent() -> None:
    axis = axes(drawn([*PAIR, *WOUNDS])[3])[0]
    assert [bar.get_height() for bar in axis.patches] == pytest.approx([100 / 3, 0, 0, 0])
    assert [text.get_text() for text in axis.get_xticklabels()] == ["cells", "wounds"]
    assert axis.get_ylabel() == "FR_5@85, %"


def test_without_a_twin_there_are_no_pairs_but_the_other_plots() -> None:
    assert [plot.title for plot in drawn(stream(AFTER))] == ["IoU by click", "NoC over the stream", "Failure rate"]
    apart = [*clicks(solved(1), 0, strategy="frozen"), *clicks(solved(1), 1)]
    assert len(drawn(apart)) == 3


def test_frozen_is_ink_and_ours_has_the_same_colour_whoever_else_is_there() -> None:
    alone, among = colours(["frozen", "samtta"]), colours(["fbrs", "samtta", "frozen", "lit-lora"])
    assert alone["samtta"] == among["samtta"] == COLOURS[0]
    assert among["frozen"] == INK
    assert len(set(among.values())) == 4
    assert colours(["fbrs"])["fbrs"] != COLOURS[0]


def test_a_drawing_stands_alone_and_takes_the_colour_of_the_pages_text() -> None:
    text = svg(drawn(PAIR)[0], "p7")
    assert text.startswith("<svg")
    assert text.rstrip().endswith("</svg>")
    assert "http" not in text
    assert INK not in text
    assert "currentColor" in text
    assert "mean IoU" in text
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert all(each.startswith("p7-") for each in ids)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^")]*)', text)) <= set(ids)


def test_the_same_records_give_the_same_drawing() -> None:
    first, again = (svg(drawn(PAIR)[2], "p") for _ in range(2))
    assert first == again


def test_a_picture_is_a_png_with_something_on_it() -> None:
    image = PIL.Image.open(io.BytesIO(png(drawn(PAIR)[0])))
    assert image.format == "PNG"
    assert len(np.unique(np.asarray(image.convert("L")))) > 10
