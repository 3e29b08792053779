"""Cycles of objects are collected on the window's thread, and on no other, while the window is open."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from samtta_app.gui import collecting
from samtta_app.gui.collecting import collected_here


class Knot:
    """An object that holds itself, so that only a collection can free it."""

    def __init__(self, freed_on: list[int]) -> None:
        self.itself = self
        weakref.finalize(self, lambda: freed_on.append(threading.get_ident()))


@pytest.fixture(autouse=True)
def _collecting_as_before() -> Iterator[None]:
    enabled = gc.isenabled()
    yield
    (gc.enable if enabled else gc.disable)()


def tie(freed_on: list[int], number: int = 2_000) -> None:
    """More objects than Python makes between two collections."""
    for _ in range(number):
        Knot(freed_on)


def test_another_thread_that_makes_objects_frees_none(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "COLLECT_EVERY", 5)
    freed_on: list[int] = []
    gc.collect()
    with collected_here():
        other = threading.Thread(target=tie, args=(freed_on,))
        other.start()
        other.join()
        assert freed_on == []
        qtbot.waitUntil(lambda: len(freed_on) == 2_000)
    assert set(freed_on) == {threading.get_ident()}


def test_it_waits_until_enough_was_made(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "COLLECT_EVERY", 1)
    counts = [(10, 0, 0), (10, 0, 0)]
    collected: list[int] = []
    monkeypatch.setattr(gc, "get_count", lambda: counts.pop() if counts else (10, 0, 0))
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 10, 10))
    monkeypatch.setattr(gc, "collect", collected.append)
    with collected_here():
        qtbot.waitUntil(lambda: not counts)
        assert collected == []
        monkeypatch.setattr(gc, "get_count", lambda: (701, 11, 3))
        qtbot.waitUntil(lambda: len(collected) >= 2)
    monkeypatch.undo()
    assert set(collected) == {0, 1}  # the oldest objects are not due


def broken() -> None:
    """What may happen while the window is open."""
    with collected_here():
        assert not gc.isenabled()
        raise KeyError


@pytest.mark.parametrize("enabled", [True, False])
def test_afterwards_it_is_as_before_also_after_an_error(enabled: bool, qtbot: QtBot) -> None:
    (gc.enable if enabled else gc.disable)()
    with pytest.raises(KeyError):
        broken()
    assert gc.isenabled() is enabled
