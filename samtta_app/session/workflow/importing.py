"""The workflow's part that shows objects of another program once they are stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from samtta_app.formats.importers import ImportedObject
from samtta_app.phrases import Phrase
from samtta_app.session.project.imported_objects import store_imported
from samtta_app.session.workflow.context import SessionContext


def take_imported(desk: SessionContext, objects: Sequence[ImportedObject], source: str, *, teach: bool) -> None:
    """Store the objects of an import in one transaction, and show them; `teach` is for the next session.

    Raises:
        StoreError: nothing was stored, and nothing has changed.
    """
    number = store_imported(desk.store, objects, source, teach=teach)
    name = desk.image_name()
    desk.change(classes=desk.store.classes())
    for other, more in Counter(found.image_name for found in objects).items():
        if other != name:
            desk.mark(other, unreadable=None, more=more)
    if name:
        desk.put_annotations(desk.store.annotations(name))
    desk.say(
        "good",
        Phrase(
            "Imported 1 object from {source}" if number == 1 else "Imported {number} objects from {source}",
            number=number,
            source=source,
        ),
    )
