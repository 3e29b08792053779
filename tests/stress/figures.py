"""What a long check prints at its end: a table, and how to see each broken promise again."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that did not hold: of which kind of work or file, what happened, and the words that show it again."""

    of: str
    what: str
    again: str


def counting(description: str | None, name: str, kinds: Sequence[str], count: int) -> argparse.ArgumentParser:
    """The options of checks that try something again and again, by a seed."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.stress.{name}", description=description)
    parser.add_argument("--count", type=int, default=count, help="tries in all, the kinds in turn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=list(kinds), help="only this kind (may be repeated)")
    parser.add_argument("--only", type=int, help="only the try of this number")
    parser.add_argument("--minutes", type=float, default=1e9, help="end after so many")
    parser.add_argument("--report", type=Path, help="a JSON file for the broken promises")
    return parser


def numbers(asked: argparse.Namespace) -> Iterator[int]:
    """The numbers of the tries, until the time is over."""
    end = time.monotonic() + 60 * asked.minutes
    for number in range(asked.count) if asked.only is None else [asked.only]:
        if time.monotonic() > end:
            return
        yield number


def named(kinds: Sequence[str] | None) -> str:
    """The options that name these kinds: a try's number counts among them."""
    return "".join(f' --kind "{kind}"' for kind in kinds or ())


def show(title: str, rows: Sequence[Mapping[str, object]], broken: Sequence[Broken], report: Path | None = None) -> int:
    """Print one line per row and the first broken promises; returns the exit code, 1 where a promise is broken."""
    console = Console(width=170, highlight=False)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name, value in rows[0].items():
        table.add_column(name, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*(f"{v:.2f}" if isinstance(v, float) else escape(str(v)) for v in row.values()))
    console.print(table)
    for one in broken[:SHOWN]:
        console.print(f"broken: {one.of}: {one.what}  {one.again}", markup=False, soft_wrap=True)
    if len(broken) > SHOWN:
        console.print(f"broken: {len(broken) - SHOWN} more")
    console.print(f"{len(broken)} broken promises" if broken else "every promise held")
    if report is not None:
        report.write_text(json.dumps([[one.of, one.what, one.again] for one in broken]))
    return 1 if broken else 0
