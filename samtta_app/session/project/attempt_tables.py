"""Migrations that brought given-up objects and control objects into the database; released ones are never changed."""

from __future__ import annotations

ATTEMPTS = """
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image TEXT NOT NULL,
    class TEXT NOT NULL,
    why TEXT NOT NULL,
    object_id INTEGER,
    seconds REAL NOT NULL,
    created TEXT NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE attempt_steps (
    attempt_id INTEGER NOT NULL REFERENCES attempts(id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    x REAL, y REAL, positive INTEGER,
    box TEXT,
    seconds REAL NOT NULL, latency REAL,
    window TEXT NOT NULL,
    weights_version INTEGER NOT NULL,
    predicted_iou REAL, uncertainty REAL, iou REAL,
    gaps TEXT,
    PRIMARY KEY (attempt_id, position)
)
"""
"""Objects that were begun and given up, and their steps as those of accepted objects; figures alone read them.

Image and class are names, so that no image and no class has to stay for an object that was never made.
"""

CONTROL_OBJECTS = """
ALTER TABLE annotations ADD COLUMN control INTEGER;
ALTER TABLE attempts ADD COLUMN control INTEGER
"""
"""Whether the frozen weights answered an object by a draw: 1 they did, 0 the draw was for learning, NULL without a draw."""
