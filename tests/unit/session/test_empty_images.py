"""An image can be done with nothing on it: stored, undone, passed over, and exported as an image without objects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from samtta_app.formats import FORMATS
from samtta_app.formats.export_choice import EVERYTHING, export_project
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.object_acts import NOT_EMPTY
from samtta_app.session.workflow.workflow import Workflow
from tests.unit.formats.values import SIZE, annotation, block, project
from tests.unit.session.scripted import Person


def statuses(person: Person) -> list[str]:
    return [entry.status for entry in person.state.images]


def test_an_image_is_marked_and_unmarked_undone_and_remembered(person: Person, store: Store) -> None:
    person.do(acts.MarkEmpty())
    assert (statuses(person)[0], store.empty_images()) == ("empty", {"a.png"})
    person.do(acts.Undo())
    assert (statuses(person)[0] == "empty", store.empty_images()) == (False, frozenset())
    person.do(acts.Redo(), acts.OpenImage(1))
    assert Workflow(store).state.images[0].status == "empty"
    person.do(acts.Undo())  # its image is opened first
    assert (person.state.index, store.empty_images()) == (0, frozenset())
    person.do(acts.Redo(), acts.MarkEmpty(False))
    assert (statuses(person)[0] == "empty", store.empty_images()) == (False, frozenset())


def test_the_next_image_without_objects_is_not_one_that_is_done(person: Person) -> None:
    person.do(acts.OpenImage(1), acts.MarkEmpty(), acts.OpenImage(0), acts.NextUnreviewed())
    assert person.state.index == 2


def test_objects_come_before_the_mark(person: Person, store: Store) -> None:
    person.do(acts.MarkEmpty())
    one = person.accepts()
    assert statuses(person)[0] == "annotated"
    assert [image.status for image in store.project().images] == ["annotated", "listed", "listed"]
    person.do(acts.MarkEmpty(False), acts.MarkEmpty())
    assert person.state.message is not None
    assert person.state.message.text == NOT_EMPTY
    person.do(acts.Undo(), acts.Select(one.id), acts.DeleteSelected())
    assert statuses(person)[0] == "empty"


def test_a_preview_is_discarded_and_comes_back(person: Person) -> None:
    person.clicks(60, 50)
    person.do(acts.MarkEmpty())
    assert (person.state.preview, statuses(person)[0]) == (None, "empty")
    person.do(acts.Undo(), acts.Undo())
    assert person.state.preview is not None


def test_an_export_says_that_it_is_empty(person: Person, store: Store) -> None:
    person.do(acts.MarkEmpty())
    found = store.project()
    assert [image.status for image in found.images] == ["empty", "listed", "listed"]
    assert found.words == "3 images: 0 annotated, 1 without objects, 2 only listed"


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_every_format_writes_an_image_without_objects(form, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(images / name), np.zeros((*SIZE, 3), np.uint8))
    some = project(annotation(1, block(2, 3, 20, 30)), folder=images)
    first, second = some.images
    with_empty = replace(some, images=(first, replace(second, empty=True)))
    files = {p.name: p for p in export_project(with_empty, form, tmp_path / "out", EVERYTHING)}
    assert files
    if form.name == "yolo":
        assert files["b.txt"].read_text() == ""
