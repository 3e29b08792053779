"""The session's figures as one HTML page that refers to nothing outside."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from samtta_app.core.names import displayable
from samtta_app.core.page_style import PAGE_STYLE
from samtta_app.phrases import Phrase
from samtta_app.session.state import Statistics, StreamPoint
from samtta_app.session.statistics.click_curves import rolling_band, rolling_mean
from samtta_app.session.statistics.figure_notes import ATTEMPTS_NOTE, BY_HAND_NOTE, TWINS_NOTE
from samtta_app.session.statistics.grouped_figures import GroupedFigures, side_cells

Say = Callable[[str], str]
"""Says a template or a finished `Phrase` in the reader's language."""

PAGE_LANGUAGE = "en-GB"
"""Language of the page (BCP 47); a catalogue names its own language as the translation."""

PAGE_MARK = "samtta: statistics"
"""Tells the page from a user's own file in every language; it was the title of earlier pages."""

TITLE = "samtta: statistics"
OBJECTS = "{objects} accepted objects, {given_up} given up, {by_hand} changed by hand."
PAGE_HEADS = ("Objects", "Given up", "Time per object, s", "Clicks per object")
SIDE_HEADS = ("NoC₂₀@85", "NoC₃₀@90", "FR₂₀@85", "FR₃₀@90")
PAGE_SIDES = ("with learning", "without it")
SECTIONS = {"class": "Per class", "day": "Per day"}
TOTAL_ROW = "All objects"
CURVE = "Clicks per object over the stream"
CURVE_WORDS = (
    "Rolling mean of ten objects; the band holds 95 % of the means that chance would give. Clicks to an IoU of 0.85."
)
CURVE_KEY = "{number} objects; solid: with learning, dashed: without it"
DEFINITIONS = (
    ("Time per object", "Working time; a long pause counts as the pause that the settings allow."),
    ("Clicks per object", "The user's clicks, boxes and steps by hand until the shown mask fitted the accepted one."),
    ("NoC_k@t", "Mean number of clicks to an IoU of t in percent; an object that does not reach it counts as k."),
    ("FR_k@t", "Share of objects that do not reach an IoU of t in percent within k clicks."),
    ("With learning, without it", TWINS_NOTE),
    ("By hand", BY_HAND_NOTE),
    ("Given up", ATTEMPTS_NOTE),
)

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 240, 40, 28
"""The plot in pixels, and the room for its figures at the left and at the bottom."""


def statistics_page(figures: Statistics, groups: Sequence[GroupedFigures], folder: str, say: Say = str) -> str:
    """The page: what may be concluded, all objects, each class, each day, the curve, and what the words mean."""
    html = Element("html", lang=say(PAGE_LANGUAGE))
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="generator", content=PAGE_MARK)
    _text(head, "title", say(TITLE))
    _text(head, "style", PAGE_STYLE)
    main = SubElement(SubElement(html, "body"), "main")
    _text(main, "h1", folder)
    _text(main, "p", say(figures.sentence))
    counts = {"objects": figures.objects, "given_up": figures.attempts.given_up, "by_hand": figures.by_hand}
    _text(main, "p", say(Phrase(OBJECTS, **counts)))
    _table(main, TOTAL_ROW, [_row(say(TOTAL_ROW), figures)], say)
    for by, title in SECTIONS.items():
        _table(main, title, [_row(each.name, each.figures) for each in groups if each.by == by], say)
    _curve(main, figures.stream, say)
    terms = SubElement(main, "dl")
    for term, meaning in DEFINITIONS:
        _text(terms, "dt", say(term))
        _text(terms, "dd", say(meaning))
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _row(name: str, figures: Statistics) -> list[str]:
    effort = [_figure(figures.seconds_per_object), _figure(figures.person_clicks)]
    sides = [_side(side_cells(side)) for side in (figures.adapted, figures.frozen)]
    return [name, str(figures.objects), str(figures.attempts.given_up), *effort, *sides[0], *sides[1]]


def _side(cells: Sequence[float]) -> list[str]:
    return [*map(_figure, cells[:2]), *("–" if math.isnan(rate) else f"{rate * 100:.0f} %" for rate in cells[2:])]


def _figure(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}"


def _text(parent: Element, tag: str, text: str, **attributes: str) -> None:
    SubElement(parent, tag, attributes).text = displayable(text) if tag != "style" else text


def _table(parent: Element, title: str, rows: Iterable[Sequence[str]], say: Say) -> None:
    _text(parent, "h2", say(title))
    table = SubElement(SubElement(parent, "div", {"class": "wide"}), "table")
    head = SubElement(table, "thead")
    sides, names = SubElement(head, "tr"), SubElement(head, "tr")
    SubElement(sides, "th", colspan=str(1 + len(PAGE_HEADS)))
    for side in PAGE_SIDES:
        _text(sides, "th", say(side), colspan=str(len(SIDE_HEADS)))
    for name in ("", *map(say, PAGE_HEADS), *SIDE_HEADS, *SIDE_HEADS):
        _text(names, "th", name)
    body = SubElement(table, "tbody")
    for row in rows:
        line = SubElement(body, "tr")
        for column, cell in enumerate(row):
            _text(line, "td", cell, **({"class": "word"} if not column else {}))


def _curve(parent: Element, stream: Sequence[StreamPoint], say: Say) -> None:
    """Two lines over the compared objects, with the band of the one with learning; nothing where none was compared."""
    compared = [(p.adapted, p.frozen) for p in stream if p.adapted is not None and p.frozen is not None]
    if not compared:
        return
    _text(parent, "h2", say(CURVE))
    _text(parent, "p", say(CURVE_WORDS))
    adapted, frozen = [float(a) for a, _ in compared], [float(f) for _, f in compared]
    low, high = rolling_band(adapted)
    lines = {"adapted": rolling_mean(adapted), "frozen": rolling_mean(frozen)}
    top = max(5.0, float(high.max()), float(lines["frozen"].max()))
    across = (_WIDTH - _LEFT) / max(len(compared) - 1, 1)

    def points(values: Iterable[float]) -> list[str]:
        return [
            f"{_LEFT + k * across:.1f},{(_HEIGHT - _BOTTOM) * (1 - value / top):.1f}" for k, value in enumerate(values)
        ]

    svg = SubElement(parent, "svg", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", width=str(_WIDTH), role="img")
    _text(svg, "title", say(CURVE))
    band = " ".join([*points(low), *reversed(points(high))])
    SubElement(svg, "polygon", {"points": band, "fill": "var(--yes)", "fill-opacity": "0.15"})
    for name, style in (
        ("frozen", {"stroke": "var(--soft)", "stroke-dasharray": "6 4"}),
        ("adapted", {"stroke": "var(--yes)"}),
    ):
        shape = {"points": " ".join(points(lines[name])), "fill": "none", "stroke-width": "2"}
        SubElement(svg, "polyline", shape | style)
    axis = f"{_LEFT},0 {_LEFT},{_HEIGHT - _BOTTOM} {_WIDTH},{_HEIGHT - _BOTTOM}"
    SubElement(svg, "polyline", points=axis, fill="none", stroke="var(--line)")
    for value in (0.0, top / 2, top):
        height = (_HEIGHT - _BOTTOM) * (1 - value / top)
        place = {"x": str(_LEFT - 6), "y": f"{max(height, 6) + 4:.0f}", "text-anchor": "end", "font-size": "12"}
        _text(svg, "text", f"{value:.1f}", fill="var(--soft)", **place)
    place = {"x": str(_WIDTH), "y": str(_HEIGHT - 8), "text-anchor": "end", "font-size": "12", "fill": "var(--soft)"}
    _text(svg, "text", say(Phrase(CURVE_KEY, number=len(compared))), **place)
