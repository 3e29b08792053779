"""The layout of the project's database: its tables by named migrations, oldest first."""

from __future__ import annotations

from samtta_app.session.project.alternative_outlines import ALTERNATIVES
from samtta_app.session.project.attempt_tables import ATTEMPTS, CONTROL_OBJECTS
from samtta_app.session.project.hand_tables import BY_HAND, STEP_KINDS
from samtta_app.session.project.history_tables import HISTORY
from samtta_app.session.project.note_rows import NOTES
from samtta_app.session.project.object_tables import OBJECT_ACTS

_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE images (name TEXT PRIMARY KEY, width INTEGER NOT NULL, height INTEGER NOT NULL);
CREATE TABLE classes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, colour INTEGER NOT NULL);
INSERT INTO classes VALUES (1, 'object', 0);
CREATE TABLE annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image TEXT NOT NULL REFERENCES images(name),
    class_id INTEGER NOT NULL REFERENCES classes(id),
    x INTEGER NOT NULL, y INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    rle BLOB NOT NULL,
    box TEXT,
    window TEXT NOT NULL,
    weights_version INTEGER NOT NULL,
    predicted_iou REAL, uncertainty REAL,
    seconds REAL NOT NULL,
    created TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX annotations_of_image ON annotations(image);
CREATE TABLE steps (
    annotation_id INTEGER NOT NULL REFERENCES annotations(id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('click', 'box')),
    x REAL, y REAL, positive INTEGER,
    box TEXT,
    seconds REAL NOT NULL, latency REAL,
    window TEXT NOT NULL,
    weights_version INTEGER NOT NULL,
    predicted_iou REAL, uncertainty REAL, iou REAL,
    PRIMARY KEY (annotation_id, position)
);
CREATE TABLE weights (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL UNIQUE,
    sha256 TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE adaptations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    object_id INTEGER NOT NULL REFERENCES annotations(id),
    kept INTEGER NOT NULL,
    reason TEXT NOT NULL,
    version INTEGER NOT NULL,
    losses TEXT NOT NULL,
    guard_candidate REAL, guard_published REAL, guard_frozen REAL,
    guard_objects INTEGER NOT NULL,
    memory_objects INTEGER NOT NULL,
    seconds REAL NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE controls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL,
    version INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE twins (
    object_id INTEGER PRIMARY KEY REFERENCES annotations(id),
    weights_version INTEGER NOT NULL,
    frozen TEXT NOT NULL,
    adapted TEXT NOT NULL,
    seconds REAL NOT NULL
);
"""

_GAPS = """
ALTER TABLE annotations ADD COLUMN gaps TEXT;
ALTER TABLE annotations ADD COLUMN reviewed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN gaps TEXT
"""
"""What a mask would gain, as JSON in the order of `samtta_app.core.types.Gaps` (NULL where the model had no heads).

The other column: whether a user reviewed the mask and confirmed it."""

LEARNED = """
ALTER TABLE annotations ADD COLUMN teaches INTEGER NOT NULL DEFAULT 0;
ALTER TABLE weights ADD COLUMN model TEXT NOT NULL DEFAULT '';
CREATE TABLE learned (
    object_id INTEGER NOT NULL REFERENCES annotations(id),
    model TEXT NOT NULL,
    PRIMARY KEY (object_id, model)
);
UPDATE annotations SET teaches = 1 WHERE EXISTS (SELECT 1 FROM adaptations);
INSERT INTO learned SELECT DISTINCT object_id, '' FROM adaptations
"""
"""Which objects are to be learned from, and which were, by which model (SHA-256 of its weights, "" where it is not known).

An older project only says that something was learned in it: then all of its objects are to be learned from.
"""

PICTURES = """
ALTER TABLE annotations ADD COLUMN picture TEXT;
ALTER TABLE images ADD COLUMN picture TEXT;
ALTER TABLE images ADD COLUMN bytes INTEGER
"""
"""The content of the picture that an object was accepted on, and of the one that was seen last, with its file's size."""

IMAGE_IDS = "CREATE TABLE image_ids (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)"
"""Numbers of images in exports, opened or not; a number is never given twice, and stays when its image is gone."""

RATINGS = """
CREATE TABLE ratings (
    annotation_id INTEGER PRIMARY KEY REFERENCES annotations(id),
    value INTEGER NOT NULL CHECK (value BETWEEN 1 AND 10),
    created TEXT NOT NULL
)
"""
"""What a user thinks of an accepted mask, rated without its numbers; 10 is best."""

SOURCES = "ALTER TABLE annotations ADD COLUMN source TEXT"
"""The file that an object was imported from, NULL for one that was drawn here."""

JUDGED_PROPOSALS = """
CREATE TABLE judged_proposals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image TEXT NOT NULL,
    origin TEXT NOT NULL,
    expected REAL,
    annotation_id INTEGER REFERENCES annotations(id),
    x INTEGER, y INTEGER, width INTEGER, height INTEGER, rle BLOB,
    created TEXT NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX judged_of_image ON judged_proposals(image)
"""
"""A proposal that became an annotation names it; one that was rejected has its mask here."""

EMPTY_IMAGES = "CREATE TABLE empty_images (name TEXT PRIMARY KEY, created TEXT NOT NULL)"
"""Objects on an image come before its mark: it counts again once they are gone."""

MIGRATIONS: tuple[tuple[str, str], ...] = (
    ("first", _FIRST),
    ("gaps", _GAPS),
    ("learned", LEARNED),
    ("pictures", PICTURES),
    ("image_ids", IMAGE_IDS),
    ("step_kinds", STEP_KINDS),
    ("ratings", RATINGS),
    ("attempts", ATTEMPTS),
    ("control_objects", CONTROL_OBJECTS),
    ("alternatives", ALTERNATIVES),
    ("by_hand", BY_HAND),
    ("sources", SOURCES),
    ("history", HISTORY),
    ("notes", NOTES),
    ("judged_proposals", JUDGED_PROPOSALS),
    ("empty_images", EMPTY_IMAGES),
    ("object_acts", OBJECT_ACTS),
)
"""Name and statements, oldest first; a released name is never changed or removed."""

TABLES = (
    *("meta", "images", "classes", "annotations", "steps"),
    *("weights", "adaptations", "controls", "twins", "learned", "image_ids"),
    "ratings",
    *("attempts", "attempt_steps"),
    "judged_proposals",
    "empty_images",
    *("object_acts", "compared_objects"),
)
"""All of them, those first that others refer to."""
