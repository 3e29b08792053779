"""Migrations that made room for more than clicks and boxes: first other kinds of steps, then masks drawn by hand.

Released ones are never changed.
"""

from __future__ import annotations

_COLUMNS = "annotation_id, position, kind, x, y, positive, box, seconds, latency, window, weights_version, "
_FIGURES = "predicted_iou, uncertainty, iou, gaps"


def _steps_of(kinds: tuple[str, ...]) -> str:
    """Statements that make the table of steps again, for these kinds; SQLite cannot change a constraint."""
    return f"""
CREATE TABLE steps_of_any_kind (
    annotation_id INTEGER NOT NULL REFERENCES annotations(id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN {kinds}),
    x REAL, y REAL, positive INTEGER,
    box TEXT,
    seconds REAL NOT NULL, latency REAL,
    window TEXT NOT NULL,
    weights_version INTEGER NOT NULL,
    predicted_iou REAL, uncertainty REAL, iou REAL,
    gaps TEXT,
    PRIMARY KEY (annotation_id, position)
);
INSERT INTO steps_of_any_kind SELECT {_COLUMNS}{_FIGURES} FROM steps;
DROP TABLE steps;
ALTER TABLE steps_of_any_kind RENAME TO steps
"""


STEP_KINDS = _steps_of(("click", "box", "brush", "erase", "polygon", "scribble"))
"""Steps may be of other kinds than clicks and boxes."""

BY_HAND = f"""{_steps_of(("click", "box", "brush", "erase", "polygon", "scribble", "shape", "merge", "split", "copy"))};
ALTER TABLE annotations ADD COLUMN replaces TEXT
"""
"""Kinds of steps for masks that are shaped by hand, and the ids of the masks that one took the place of (JSON)."""
