"""Measures automatic masks on sets one after the other, and keeps the raw records of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from samtta_app.bench.automatic_run import AutomaticAsking, AutomaticRow, run_automatic
from samtta_app.bench.click_rows import known_rows, side_by_side, write_records
from samtta_app.core.messages import ReportProgress
from samtta_app.engine.dispatch import Engine
from samtta_app.formats.detections import Detections
from samtta_app.simulation.streams import Source

AUTOMATIC_FILE = "automatic.jsonl"


def measure_sets(
    engine: Engine,
    opened: Sequence[Source],
    asking: AutomaticAsking,
    detections: Detections | None,
    *,
    model: str,
    out: Path | None,
    told: ReportProgress,
) -> tuple[AutomaticRow, ...]:
    """Measure sets; the records in `out` of other models and sets come along.

    Args:
        model: what records call the model.
        out: folder of the raw records; written after each image, so that a stopped run has shown what it measured.

    Raises:
        DatasetError: a set cannot be used, or the folder cannot be written or holds something else.
        UserError: an image cannot be read, or the engine refused.
    """
    known = known_rows(out / AUTOMATIC_FILE, AutomaticRow) if out else ()
    for done, source in enumerate(opened):
        earlier, new = known, list[AutomaticRow]()
        for row in run_automatic(engine, source, asking, detections, partial(_share, told, done, len(opened))):
            new.append(replace(row, model=model))
            known = side_by_side(earlier, new, lambda row: (row.set, row.model))
            if out is not None:
                write_records(known, out / AUTOMATIC_FILE)
    return known


def _share(told: ReportProgress, done: int, parts: int, share: float, words: str) -> None:
    told((done + share) / parts, words)
