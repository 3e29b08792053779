"""A table of a report, for the terminal and as Markdown."""

from __future__ import annotations

from rich.table import Table

from samtta_app.bench.tables import Sheet


def as_table(sheet: Sheet) -> Table:
    """For the terminal: words to the left, figures to the right."""
    table = Table(title=sheet.title, title_justify="left")
    for column, head in enumerate(sheet.heads):
        table.add_column(head, justify="left" if column < sheet.words else "right")
    for row in sheet.rows:
        table.add_row(*row)
    return table


def markdown(sheet: Sheet) -> str:
    """Its title as a heading, and its rows."""
    rule = ["---" if column < sheet.words else "---:" for column in range(len(sheet.heads))]
    rows = (sheet.heads, rule, *sheet.rows)
    return "\n".join([f"## {sheet.title}", "", *("| " + " | ".join(map(_cell, row)) + " |" for row in rows), ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
