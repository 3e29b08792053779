"""Workflow, store and the real engine together, on the toy model: what is stored in one run is used in the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from samtta_app.core.masks import full
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.statistics_export import write_statistics
from tests.unit.session.real import Real, annotate, pictures_in
from tests.unit.session.scripted import HEIGHT, WIDTH, Person


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return pictures_in(tmp_path / "pictures", "a.png", "b.png")


def test_a_session_goes_on_where_it_ended(pictures: Path) -> None:
    with Store.open(pictures) as store:
        person = Person(store, Real()).starts()  # type: ignore[arg-type]
        annotate(person, person.state.index, (40.0, 40.0))
        annotate(person, person.state.index, (90.0, 60.0))
        person.do(acts.NextImage())
        annotate(person, person.state.index, (40.0, 40.0))
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
        annotate(person, person.state.index, (90.0, 60.0))
        person.do(acts.Undo())
        assert len(store.annotations()) == 3
        person.do(acts.Redo())
        assert len(store.annotations()) == 4


def test_a_missing_image_is_an_error_for_a_person_and_no_traceback(pictures: Path) -> None:
    with Store.open(pictures) as store:
        person = Person(store, Real()).starts()  # type: ignore[arg-type]
        (pictures / "b.png").unlink()
        person.do(acts.NextImage())
        assert person.state.image is None
        assert person.state.message.severity == "error"
        assert "b.png" in person.state.message.text
