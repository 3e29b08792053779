"""What a long check prints at its end: a table, and how to see each broken promise again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

SHOWN = 12


def show(title: str, rows: Sequence[Mapping[str, object]], broken: Sequence[str]) -> int:
    """Print one line per row and the first broken promises; returns the exit code, 1 where a promise is broken."""
    console = Console(width=170, highlight=False)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*(f"{v:.2f}" if isinstance(v, float) else escape(str(v)) for v in row.values()))
    console.print(table)
    for line in broken[:SHOWN]:
        console.print(f"broken: {line}", markup=False, soft_wrap=True)
    if len(broken) > SHOWN:
        console.print(f"broken: {len(broken) - SHOWN} more")
    console.print(f"{len(broken)} broken promises" if broken else "every promise held")
    return 1 if broken else 0
