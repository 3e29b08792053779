"""Undo and redo over restarts: after a kill every state comes back, to the pixel and the logit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer, Reply
from samtta_app.core.rounding import in_half_precision, in_steps
from samtta_app.core.types import Candidate, Logits
from samtta_app.errors import StoreError
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.workflow import stored_history
from samtta_app.session.workflow.entry_codec import _known, array_bytes, array_of, entry_bytes, entry_of
from samtta_app.session.workflow.history import LEVELS, Entry, Relabelled
from tests.unit.session.acted import digest, opened
from tests.unit.session.scripted import HEIGHT, WHOLE, WIDTH, Person, Script
from tests.unit.session.test_undoing import redo, undo
from tests.unit.values import disc

ROOT = Path(__file__).parents[3]


def killed(folder: Path, seed: int, count: int) -> list[str]:
    """What there was after each act of a program that was killed after the last one."""
    command = [sys.executable, "-m", "tests.unit.session.acted", str(folder), str(seed), str(count)]
    done = subprocess.run(command, cwd=ROOT, timeout=120, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_reopened_and_undone_a_hundred_times(folder: Path) -> None:
    states = killed(folder, 0, 125)
    assert len(states) > 100
    with Store.open(folder) as store:
        person = opened(store)
        assert digest(person) == states[-1]
        for before in states[-2:-52:-1]:
            undo(person)
            assert digest(person) == before
    with Store.open(folder) as store:  # closed without an end, as by a crash
        person = opened(store)
        for before in states[-52:-102:-1]:
            undo(person)
            assert digest(person) == before
    with Store.open(folder) as store:
        person = opened(store)
        for after in states[-100:]:
            redo(person)
            assert digest(person) == after
        assert not person.state.can_redo


def test_an_act_that_cannot_be_stored_with_its_history_is_stored_without_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("The disk is full")

    with Store.open(folder) as store:
        person = opened(store)
        person.accepts(40, 40)
        monkeypatch.setattr(store, "keep_history", full)
        person.accepts(60, 50)
        person.do(acts.Select(1), acts.DeleteSelected())
        shown = digest(person)
        assert [a.id for a in person.state.annotations] == [2]
        assert person.state.statistics.objects == 1
        undo(person)
        assert [a.id for a in person.state.annotations] == [1, 2]
        redo(person)
        assert digest(person) == shown
        monkeypatch.undo()
        person.do(acts.AddClass("leaf"))
    with Store.open(folder) as store:
        person = opened(store)
        undo(person)
        assert digest(person) == shown


class Official(Script):
    """Four masks at each click, with maps as large as those of an official model."""

    def _predict(self, request: PredictRequest) -> Reply:
        rows, columns = np.ogrid[:256, :256]
        found = disc(60, 50, 10 + request.id % 5, HEIGHT, WIDTH)

        def one(k: int) -> Candidate:
            away = np.hypot(rows - 120 - k, columns - 130 - request.id).astype(np.float32)
            logits = in_half_precision((50 - away) / 5)
            return Candidate(found, Logits(WHOLE, logits), 0.9, in_steps(np.exp2(-np.abs(logits))), 0.1)

        return Answer(request.id, WHOLE, tuple(map(one, range(4))), 0, 0, 0.04, request.twin)


def test_a_hundred_objects_of_an_official_model_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds the newest of them alone; the project has room for a hundred such."""
    monkeypatch.setattr(stored_history, "HELD_BYTES", 2**20)
    objects, clicks, most = 2, 3, 8
    with Store.open(folder) as store:
        person = Person(store, Official(), twin=False, learn=False).starts()
        states = [digest(person)]
        for k in range(objects):
            for step in range(clicks):
                person.clicks(40 + step, 40 + k)
                states.append(digest(person))
            person.do(acts.Accept())
            states.append(digest(person))
        assert store.history_bytes() / (objects * clicks) * most * LEVELS < stored_history.STORED_BYTES
        for before in states[-2::-1]:
            undo(person)
            assert digest(person) == before


@pytest.mark.parametrize(
    ("values", "most"),
    [
        (np.random.default_rng(0).normal(0, 9, (32, 32)), 4200),
        (in_half_precision(np.random.default_rng(0).normal(0, 9, (32, 32)).astype(np.float32)), 2100),
        (in_steps(np.random.default_rng(0).random((32, 32), np.float32)), 1100),
        ([0.0, -0.0], 40),
        ([np.nan, np.inf, 2.0, 1e30], 40),
    ],
)
def test_an_array_comes_back_to_the_bit_and_takes_no_more_than_it_holds(values: ArrayLike, most: int) -> None:
    given = np.asarray(values, np.float32)
    packed = array_bytes(given)
    found = array_of(packed)
    assert (found.tobytes(), found.dtype, found.shape) == (given.tobytes(), given.dtype, given.shape)
    assert not found.flags.writeable
    assert len(packed) < most


def test_what_cannot_be_read_ends_the_history_and_nothing_else(folder: Path) -> None:
    with Store.open(folder) as store:
        person = opened(store)
        person.accepts(40, 40)
        person.do(acts.AddClass("leaf"), acts.AddClass("stem"))
        with store.writing() as db:
            db.execute("UPDATE history SET entry = X'C1' WHERE place = 1")
    with Store.open(folder) as store:
        person = opened(store)
        undo(person)
        undo(person)
        assert person.state.message.text == "There is nothing to undo"
        assert [c.name for c in person.state.classes] == ["object", "leaf"]
        assert not person.state.can_undo
        person.accepts(60, 50)
        undo(person)
        assert [a.id for a in person.state.annotations] == [1]


def test_the_names_of_files_that_are_no_text_are_kept(folder: Path) -> None:
    odd = os.fsdecode(b"\xff.png")
    entry = Relabelled(odd, 1, 2, 3)
    made = entry_of(entry_bytes(entry, lambda array: 0), {})
    assert (made.image, made.after) == (odd, 3)  # type: ignore[union-attr]


def test_an_entry_may_hold_every_kind_of_entry() -> None:
    assert {kind.__name__ for kind in Entry.__args__} <= set(_known())
