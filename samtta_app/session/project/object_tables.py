"""The migration that made room for annotators: whose an object is, who did what to it, and whose outline was chosen."""

from __future__ import annotations

OBJECT_ACTS = """
ALTER TABLE annotations ADD COLUMN annotator TEXT;
CREATE TABLE object_acts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    object_id INTEGER NOT NULL REFERENCES annotations(id),
    what TEXT NOT NULL,
    annotator TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE INDEX acts_of_object ON object_acts(object_id);
CREATE TRIGGER object_changed AFTER UPDATE OF reviewed, class_id, deleted, ignore, note ON annotations BEGIN
    INSERT INTO object_acts (object_id, what, annotator, created)
    SELECT new.id, what, coalesce((SELECT value FROM meta WHERE key = 'annotator'), ''),
        strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')
    FROM (
        SELECT CASE
            WHEN new.deleted IS NOT old.deleted THEN CASE new.deleted WHEN 1 THEN 'deleted' ELSE 'returned' END
            WHEN new.reviewed IS NOT old.reviewed THEN CASE new.reviewed WHEN 1 THEN 'reviewed' ELSE 'unreviewed' END
            WHEN new.class_id IS NOT old.class_id THEN 'class'
            WHEN new.note IS NOT old.note OR new.ignore IS NOT old.ignore THEN 'note'
        END AS what
    ) WHERE what IS NOT NULL;
END;
CREATE TABLE compared_objects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    other TEXT NOT NULL,
    image TEXT NOT NULL,
    mine INTEGER NOT NULL,
    theirs TEXT NOT NULL,
    verdict TEXT NOT NULL,
    annotator TEXT NOT NULL,
    created TEXT NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0
)
"""
"""The annotator of an object (NULL where unknown), and a row for each change of one, made by the database itself.

So no act can be forgotten, and undo is an act too. A choice names the other annotator, the object here (0 without one),
and the other one by its number and date ("" without one).
"""
