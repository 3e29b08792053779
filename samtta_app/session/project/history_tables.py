"""The migration that made room for the undo history. A released one is never changed."""

from __future__ import annotations

HISTORY = """
CREATE TABLE history (place INTEGER PRIMARY KEY, entry BLOB NOT NULL);
CREATE TABLE history_arrays (number INTEGER PRIMARY KEY, array BLOB NOT NULL);
CREATE TABLE history_uses (place INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (place, number)) WITHOUT ROWID
"""
"""What was done has places from 0 up, newest last; what was undone has places from -1 down, undone last lowest."""
