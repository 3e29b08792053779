"""A report table for the terminal and as Markdown; names of sets and classes stay plain text in it."""

from __future__ import annotations

import re

from rich.table import Table
from rich.text import Text

from samtta_app.bench.report.tables import Sheet
from samtta_app.core.names import displayable
from samtta_app.core.texts import plain_cells


def as_table(sheet: Sheet) -> Table:
    """For the terminal: words to the left, figures to the right."""
    table = Table(title=Text(displayable(sheet.title)), title_justify="left")
    for column, head in enumerate(sheet.heads):
        table.add_column(Text(displayable(head)), justify="left" if column < sheet.words else "right")
    for row in sheet.rows:
        table.add_row(*plain_cells(row))
    return table


def table_markdown(sheet: Sheet) -> str:
    """Its title as a heading, and its rows."""
    rule = ["---" if column < sheet.words else "---:" for column in range(len(sheet.heads))]
    head, *rows = ("| " + " | ".join(map(_cell, row)) + " |" for row in (sheet.heads, *sheet.rows))
    return "\n".join([f"## {markdown_text(sheet.title)}", "", head, "| " + " | ".join(rule) + " |", *rows, ""])


def markdown_text(text: str) -> str:
    """`text` in one line, escaped so that a page shows it as text, not as HTML or a link."""
    return re.sub(r"[\\`<]|\](?=\()|&(?=#?\w+;)", r"\\\g<0>", displayable(text))


def _cell(text: str) -> str:
    return markdown_text(text).replace("|", "\\|")
