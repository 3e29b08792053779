"""Measures sets of ambiguous objects one after the other, and keeps the raw records of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from samtta_app.bench.ambiguity_run import AmbiguityRow, RobustnessRow, run_ambiguity
from samtta_app.bench.click_rows import known_rows, side_by_side, write_records
from samtta_app.bench.tastes import TasteRow, run_tastes
from samtta_app.core.messages import ReportProgress
from samtta_app.datasets.ambiguity import ambiguous_objects
from samtta_app.engine.dispatch import Engine


@dataclass(frozen=True, slots=True)
class AmbiguityRecords:
    """The raw records of all sets and models: answers, moved prompts, and tastes."""

    answers: tuple[AmbiguityRow, ...] = ()
    moved: tuple[RobustnessRow, ...] = ()
    tastes: tuple[TasteRow, ...] = ()

    @staticmethod
    def read(folder: Path) -> AmbiguityRecords:
        """What a folder holds.

        Raises:
            DatasetError: it holds something else.
        """
        files = _files(folder)
        return AmbiguityRecords(
            known_rows(files[0], AmbiguityRow), known_rows(files[1], RobustnessRow), known_rows(files[2], TasteRow)
        )

    def write(self, folder: Path) -> None:
        """Write them.

        Raises:
            DatasetError: the folder cannot be written.
        """
        files = _files(folder)
        write_records(self.answers, files[0])
        write_records(self.moved, files[1])
        write_records(self.tastes, files[2])


def _files(folder: Path) -> tuple[Path, Path, Path]:
    return folder / "records.jsonl", folder / "robustness.jsonl", folder / "tastes.jsonl"


def ask_sets(
    engine: Engine,
    folders: Sequence[Path],
    *,
    simulate: bool,
    objects: int,
    seed: int,
    split: str | None,
    model: str,
    out: Path | None,
    told: ReportProgress,
) -> AmbiguityRecords:
    """Measure sets one after the other; the records in `out` of other models and sets come along.

    Args:
        simulate: whether sets with one outline an object get simulated ones.
        model: what records call the model.
        out: folder of the raw records; written after each set, so that a later failure loses nothing.

    Raises:
        DatasetError: a set cannot be used, or the folder cannot be written or holds something else.
        ImageError: an image cannot be read.
    """
    known = AmbiguityRecords.read(out) if out else AmbiguityRecords()
    drawn = {
        folder.resolve().name: ambiguous_objects(folder, split, simulate=simulate, most=objects, seed=seed)
        for folder in folders
    }
    parts = 2 * len(drawn)
    for done, (name, targets) in enumerate(drawn.items()):
        answers, moved = run_ambiguity(engine, name, targets, seed=seed, told=_part_of(told, 2 * done, parts))
        tastes = run_tastes(engine, name, targets, seed=seed, told=_part_of(told, 2 * done + 1, parts))
        known = AmbiguityRecords(
            side_by_side(known.answers, [replace(row, model=model) for row in answers], _run_of),
            side_by_side(known.moved, [replace(row, model=model) for row in moved], _run_of),
            side_by_side(known.tastes, [replace(row, model=model) for row in tastes], _run_of),
        )
        if out is not None:
            known.write(out)
    return known


def _run_of(row: AmbiguityRow | RobustnessRow | TasteRow) -> tuple[str, str]:
    return row.set, row.model


def _part_of(told: ReportProgress, done: int, parts: int) -> ReportProgress:
    """Shows the share of one of several parts as a share of all."""
    return lambda share, words: told((done + share) / parts, words)
