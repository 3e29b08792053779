"""The draw of control objects: which objects the frozen weights answer, from the project's seed and the object's number."""

from __future__ import annotations

import secrets

import numpy as np

from samtta_app.session.project.cells import LARGEST_NUMBER
from samtta_app.session.project.database import Database

_SEED = "control_seed"


class ControlDraws(Database):
    """The part of an open project that draws control objects."""

    def draws_control(self, share: float) -> bool:
        """Whether the next object is a control object.

        The draw belongs to the number that the object gets with its accept. So it stays the same until an object is
        accepted: neither giving up nor closing the project draws again.

        Args:
            share: of the objects, 0 .. 1. An object drawn for a share is also drawn for a larger one.

        Raises:
            StoreError: the project has no seed yet, and none can be stored.
        """
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'annotations'").fetchone()
        number = 1 + (row[0] if row is not None and isinstance(row[0], int) and row[0] > 0 else 0)
        return is_control(self._control_seed(), number, share)

    def _control_seed(self) -> int:
        """The project's own seed, made at its first draw; one that is damaged is replaced."""
        known = self._recall(_SEED, "")
        if known.isascii() and known.isdecimal() and int(known) <= LARGEST_NUMBER:
            return int(known)
        made = secrets.randbelow(LARGEST_NUMBER)
        with self._writing():
            self._put(_SEED, str(made))
        return made


def is_control(seed: int, number: int, share: float) -> bool:
    """The draw for object `number`; every number has a generator of its own, so no draw depends on those before it."""
    return bool(np.random.default_rng([seed, number]).random() < share)
