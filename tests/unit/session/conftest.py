"""A store on a folder of three images, closed when the test ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from samtta_app.session.project.store import Store
from tests.unit.session.scripted import Person, folder_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "images", "a.png", "b.png", "c.png")


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store.open(folder) as opened:
        yield opened


@pytest.fixture
def person(store: Store) -> Person:
    return Person(store).starts()
