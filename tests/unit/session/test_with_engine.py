"""Workflow, store and the real engine together, on the toy model: what is stored in one run is used in the next."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from samtta_app.core.masks import full
from samtta_app.core.messages import Reply, Request
from samtta_app.engine import Engine, run
from samtta_app.model.sam import toy_model
from samtta_app.session.stats import write_statistics
from samtta_app.session.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, Person
from tests.unit.values import picture


class Real:
    """The engine in the place of the script."""

    def __init__(self) -> None:
        self.engine = Engine(toy_model())

    def answer(self, request: Request) -> Reply:
        return run(self.engine, request)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for k, name in enumerate(("a.png", "b.png")):
        pixels = picture(k, HEIGHT, WIDTH, ((40, 40, 14), (90, 60, 18))).pixels
        (tmp_path / name).write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())
    return tmp_path


def annotate(person: Person, x: float, y: float) -> None:
    person.clicks(x, y)
    person.clicks(x + 3, y)
    person.does(person.workflow.accept())


def test_a_session_goes_on_where_it_ended(pictures: Path) -> None:
    with Store.open(pictures) as store:
        person = Person(store, Real()).starts()  # type: ignore[arg-type]
        annotate(person, 40, 40)
        annotate(person, 90, 60)
        person.does(person.workflow.next_image())
        annotate(person, 40, 40)
        before = person.state
        masks = [full(a.mask, HEIGHT, WIDTH) for a in store.annotations()]
        assert len(masks) == 3
        assert before.statistics.frozen.objects == 3
        assert len(before.adaptation.reports) == 3
        write_statistics(store, pictures / "out")
    with Store.open(pictures) as store:
        person = Person(store, Real()).starts()  # type: ignore[arg-type]
        after = person.state
        assert after.index == 1
        assert after.adaptation.version == before.adaptation.version
        assert after.adaptation.memory_objects == 3
        assert after.statistics == before.statistics
        assert all(
            (full(a.mask, HEIGHT, WIDTH) == mask).all() for a, mask in zip(store.annotations(), masks, strict=True)
        )
        annotate(person, 90, 60)
        person.does(person.workflow.undo())
        assert len(store.annotations()) == 3
        person.does(person.workflow.redo())
        assert len(store.annotations()) == 4


def test_a_missing_image_is_an_error_for_a_person_and_no_traceback(pictures: Path) -> None:
    with Store.open(pictures) as store:
        person = Person(store, Real()).starts()  # type: ignore[arg-type]
        (pictures / "b.png").unlink()
        person.does(person.workflow.next_image())
        assert person.state.image is None
        assert person.state.message.severity == "error"
        assert "b.png" in person.state.message.text
