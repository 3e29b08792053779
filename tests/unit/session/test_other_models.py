"""What one model learned is not used by another, whatever its name: it learns again from the stored objects, and says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from samtta_app.model.fingerprint import weights_sha256
from samtta_app.model.model_registry import toy_model
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.unit.session.real import Nudging, Real, annotate, pictures_in, same
from tests.unit.session.scripted import Person

PLACES = ((40.0, 40.0), (90.0, 60.0))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return pictures_in(tmp_path / "pictures", "a.png")


def engine(seed: int = 0) -> Real:
    """The toy under its usual name, with other weights for another seed."""
    real = Real(Nudging())
    real.engine = type(real.engine)(toy_model(seed), adapting=Nudging())
    return real


def session(pictures: Path, real: Real, *places: tuple[float, float]) -> tuple[str, int]:
    """A sitting with this engine; what is said at its start, and the version that then answers."""
    with Store.open(pictures) as store:
        person = Person(store, real, twin=False).starts()  # type: ignore[arg-type]
        said = person.state.message.text if person.state.message else ""
        version = person.state.adaptation.version
        annotate(person, 0, *places)
        return said, version


def test_every_byte_of_the_weights_tells_models_apart_and_nothing_else_does() -> None:
    one, again, other = toy_model(), replace(toy_model(), name="renamed"), toy_model(1)
    assert weights_sha256(one) == weights_sha256(again) != weights_sha256(other)
    assert len(weights_sha256(one)) == 64
    for name, value in toy_model().net.state_dict().items():
        changed = toy_model()
        with torch.no_grad():
            changed.net.state_dict()[name].view(-1)[-1] += 1e-3
        assert weights_sha256(changed) != weights_sha256(one), (name, value.shape)


def test_weights_of_the_same_name_on_other_weights_are_not_loaded_and_all_is_learned_again(pictures: Path) -> None:
    assert session(pictures, engine(), *PLACES) == ("", 0)
    updated = engine(1)
    said, version = session(pictures, updated)
    assert updated.learned == [1, 2]
    assert "not learned on top of these weights of 'toy'" in said
    assert "learns again from the project's 2 objects" in said
    assert version == 4  # no number is given twice
    assert not same(updated.engine.published.tensors, engine().engine.published.tensors)


def test_it_is_said_and_done_once(pictures: Path) -> None:
    session(pictures, engine(), *PLACES)
    first = engine(1)
    session(pictures, first)
    again = engine(1)
    said, version = session(pictures, again)
    assert (said, version, again.learned) == ("", 4, [])
    assert again.ids == [1, 2]
    assert same(again.engine.published.tensors, first.engine.published.tensors)


def test_back_on_the_first_model_its_own_version_answers_and_only_the_new_objects_are_learned(pictures: Path) -> None:
    first = engine()
    session(pictures, first, *PLACES)
    session(pictures, engine(1), (60.0, 20.0))
    back = engine()
    said, version = session(pictures, back)
    assert said == ""
    assert back.learned == [3]
    assert version == 6
    again = engine(1)
    assert session(pictures, again) == ("", 5)
    assert again.learned == []


def test_a_version_that_was_rolled_back_stays_so_when_another_model_was_used_meanwhile(pictures: Path) -> None:
    with Store.open(pictures) as store:
        person = Person(store, engine(), twin=False).starts()  # type: ignore[arg-type]
        annotate(person, 0, *PLACES)
        person.do(acts.ControlLearner("rollback"))
    session(pictures, engine(1))
    assert session(pictures, engine()) == ("", 1)
