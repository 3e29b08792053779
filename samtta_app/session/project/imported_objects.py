"""Stores the objects of an import as annotations with their source named: all of them in one transaction, or none."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from samtta_app.core.masks import bounding_box
from samtta_app.core.types import Annotation, Window
from samtta_app.core.windows import around
from samtta_app.errors import StoreError
from samtta_app.formats.importers import ImportedObject
from samtta_app.session.project import rows
from samtta_app.session.project.class_list import PALETTE
from samtta_app.session.project.learning_log import now
from samtta_app.session.project.store import Store


def store_imported(store: Store, objects: Iterable[ImportedObject], source: str, *, teach: bool = False) -> int:
    """Store every object, with its class, which is made where there is none of its name; returns their number.

    An object has no history, since nothing is known of how it was made. It is to be learned from where `teach` says so;
    the next session does that.

    Raises:
        StoreError: nothing was stored.
        UserError: reading the objects failed; nothing was stored.
    """
    if not source:
        raise StoreError("An import needs the name of its source")
    with store.writing() as db:
        classes = {c.name: c.id for c in store.classes()}
        pictures: dict[str, str] = {}
        number, created, annotator = 0, now(), store.annotator
        for found in objects:
            if found.class_name not in classes:
                fresh = max(classes.values()) + 1
                row = (fresh, found.class_name, (fresh - 1) % PALETTE)
                db.execute("INSERT INTO classes (id, name, colour) VALUES (?, ?, ?)", row)
                classes[found.class_name] = fresh
            if found.image_name not in pictures:
                pictures[found.image_name] = store.image_imported(found.image_name, *found.size)
            annotation = _annotation(found, classes[found.class_name], source, created, pictures[found.image_name])
            annotation = replace(annotation, annotator=annotator)
            db.execute(
                f"INSERT INTO annotations ({rows.ANNOTATION}, teaches) "
                f"VALUES ({rows.placeholders(rows.ANNOTATION, more=1)})",
                (*rows.annotation_row(annotation), int(teach)),
            )
            number += 1
    return number


def _annotation(found: ImportedObject, class_id: int, source: str, created: str, picture: str) -> Annotation:
    height, width = found.size
    box, whole = bounding_box(found.mask), Window(0, 0, width, height)
    return Annotation(
        id=0,
        image_name=found.image_name,
        class_id=class_id,
        mask=found.mask,
        box=box,
        history=(),
        window=around(box, whole) if box else whole,
        weights_version=0,
        predicted_iou=math.nan,
        uncertainty=math.nan,
        seconds=0.0,
        created=created,
        picture=picture,
        source=source,
        note=found.note,
    )
