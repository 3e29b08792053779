"""Texts that come from data (names of files, classes, folders) as Qt shows them: plain, whatever is in them.

Qt takes a tool tip that looks like HTML for HTML, and reads the files that it names. In menus and on buttons "&" marks a
key. In a window's title "[*]" stands for the mark of unsaved work.
"""

from __future__ import annotations

import html

from PySide6.QtGui import Qt  # what Qt says of texts is there, not in QtCore

MOST_TIP, MOST_LINE = 2000, 80
"""Characters of a tool tip and of a line in a menu. Longer texts are wider than the screen, or slow to lay out."""


def plain_tip(text: str) -> str:
    """A tool tip that shows exactly `text`."""
    text = _cut(text, MOST_TIP)
    if not Qt.mightBeRichText(text):
        return text
    return f'<p style="white-space:pre-wrap">{html.escape(text)}</p>'


def button_text(text: str) -> str:
    """What a menu or a button is given to show `text`, in one line."""
    return one_line(text).replace("&", "&&")


def title_text(text: str) -> str:
    """What a window's title is given to show `text`."""
    return one_line(text).replace("[*]", "[*][*]")


def one_line(text: str) -> str:
    """The text in one line, without control characters, cut where it is very long."""
    return _cut("".join(c if c.isprintable() else " " for c in text), MOST_LINE)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
