"""Folds of data sets: a model that was trained without some sets is measured on them, since their looks are new to it.

Sets marked as novel are kept for the end: no model may learn from them, and none is chosen by them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from samtta_app.errors import DatasetError, UserError

NOVEL_FILE = "NOVEL"
"""A data set with a file of this name is never learned from."""

_MOST = 20


@dataclass(frozen=True, slots=True)
class Fold:
    """One of `count` parts of the sets with masks, from 1: by name, every `count`-th set is of the same part."""

    number: int
    count: int

    def split(self, folders: Sequence[Path]) -> tuple[list[Path], list[Path]]:
        """The folders that are learned from, and those that are left out, each in the given order.

        Photos without masks are always learned from: there is no object in them to measure.
        """
        masked = [folder for folder in folders if (folder / "masks").is_dir()]
        names = sorted(masked, key=lambda folder: folder.resolve().name)
        out = names[self.number - 1 :: self.count]
        return [folder for folder in folders if folder not in out], [folder for folder in folders if folder in out]


def fold_named(text: str) -> Fold:
    """The fold "2/3".

    Raises:
        UserError: it is no fold.
    """
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text)
    if found is None or not (2 <= int(found[2]) <= _MOST and 1 <= int(found[1]) <= int(found[2])):
        raise UserError(f"{text!r} is no fold", "", "Write its number and how many there are: 1/3, 2/3 or 3/3")
    return Fold(int(found[1]), int(found[2]))


def left_out_sets(folders: Sequence[Path], fold: str | None) -> Sequence[Path]:
    """The sets that the fold of this name leaves out; all of them where none is named.

    Raises:
        UserError: it is no fold.
    """
    return fold_named(fold).split(folders)[1] if fold else folders


def check_not_novel(folder: Path) -> None:
    """Refuse to learn from a set that is kept for measuring.

    Raises:
        DatasetError: the folder is marked as novel.
    """
    if (folder / NOVEL_FILE).exists():
        raise DatasetError(
            "The data set is novel: figures count only while no model has learned from it",
            folder,
            f"Leave it out, or delete its file {NOVEL_FILE} to learn from it",
        )
