"""The same acts teach the same, bit for bit: with fast hands in the real window, and one after the other without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from samtta_app.adapt.registry import STRATEGIES
from samtta_app.adapt.strategy import AdaptationStrategy
from samtta_app.engine.dispatch import Engine
from samtta_app.gui.app import Application
from samtta_app.model.model_registry import toy_model
from samtta_app.session.acts import UserAct
from samtta_app.settings import Settings, learns_in_order
from samtta_app.simulation.driver import Driver
from tests.gui.scenes import WORDS
from tests.gui.sessions import Sitting
from tests.unit.brisk import brisk
from tests.unit.session.real import pictures_in

ENTER, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Escape
FIRST = ((20, 20), (60, 40), ENTER, (44, 30), (30, 44), ESCAPE)
SECOND = ((50, 22), (24, 48), (70, 60), ENTER, (64, 20), ENTER, (40, 40), (20, 60), ESCAPE)
IN_ORDER = [name for name, each in STRATEGIES.items() if each.in_order]
IN_ITS_TIME = [name for name in STRATEGIES if name not in IN_ORDER]


class Quick(Sitting):
    """A person whose hands never wait; what they do is noted."""

    def __init__(self, qtbot: QtBot, strategy: AdaptationStrategy) -> None:
        self._qtbot = qtbot
        self.engine = Engine(toy_model(), adapting=strategy)
        self.acts: list[UserAct] = []
        chosen = Settings(theme="light", strategy=strategy.name)
        self.application = Application(chosen, lambda _: self.engine, strategies=WORDS)
        self.window.resize(1200, 800)
        self.window.show()

    @property
    def strategy(self) -> str:
        """The name of how it learns, without options."""
        return self.state.adaptation.strategy.partition(":")[0]

    def begins(self, folder: Path) -> None:
        """Open a folder; from then on the acts are noted."""
        self.opens(folder)
        controller, do = self.controller, self.controller.do

        def noted(act: UserAct) -> None:
            self.acts.append(act)
            do(act)

        controller.do = noted  # type: ignore[method-assign]
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)
        self.window.canvas.setFocus()

    def types(self, *strokes: tuple[int, int] | Qt.Key) -> None:
        """Click image points and press keys without looking at any answer."""
        viewport, left = self.window.canvas.viewport(), Qt.MouseButton.LeftButton
        for stroke in strokes:
            if isinstance(stroke, tuple):
                QTest.mouseClick(viewport, left, Qt.KeyboardModifier.NoModifier, self.place(*stroke))
            else:
                QTest.keyClick(self.window.canvas, stroke)

    def rests(self) -> None:
        """Wait until everything is answered, learned and compared."""
        self.wait(lambda: not self.state.waiting and self.state.preview is None and not self.state.activity)
        self.wait(lambda: self.state.adaptation.activity == "idle" and len(self.state.adaptation.reports) > 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pictures_in(tmp_path / "images", "a.png")


@pytest.fixture
def quick(qtbot: QtBot, request: pytest.FixtureRequest) -> Iterator[Quick]:
    quick = Quick(qtbot, brisk(request.param))
    yield quick
    quick.leaves()


def one_by_one(folder: Path, project: Path, strategy: str, acts: list[UserAct]) -> Engine:
    """An engine after the acts, each of which waits for all that the one before it led to."""
    engine = Engine(toy_model(), adapting=brisk(strategy))
    with Driver(folder, project, engine, learn=True, twin=True) as driver:
        for act in acts:
            driver.settle(driver.workflow.do(act))
    return engine


def same(one: Engine, other: Engine) -> bool:
    left, right = one.published, other.published
    return left.version == right.version and all(torch.equal(v, right.tensors[k]) for k, v in left.tensors.items())


@pytest.mark.parametrize("quick", IN_ORDER, indirect=True)
def test_a_strategy_that_learns_in_order_never_minds_how_fast_the_hands_are(
    quick: Quick, folder: Path, tmp_path: Path
) -> None:
    quick.begins(folder)
    quick.types(*FIRST, *SECOND)
    quick.rests()
    name = quick.strategy
    engine = one_by_one(folder, tmp_path / "alone", name, quick.acts)
    assert len(quick.acts) == len(FIRST + SECOND)
    given_up = 0 if STRATEGIES[name].resets else 1  # the released code keeps what a given-up object taught
    assert engine.published.version == 3 + given_up
    assert same(quick.engine, engine)
    assert any(
        not torch.equal(v, engine.resources.model.frozen.tensors[k]) for k, v in engine.published.tensors.items()
    )


@pytest.mark.parametrize("quick", IN_ITS_TIME, indirect=True)
def test_clicks_between_an_accept_and_its_lesson_change_nothing_for_any_strategy(
    quick: Quick, folder: Path, tmp_path: Path
) -> None:
    quick.begins(folder)
    quick.types(*FIRST)
    quick.rests() if quick.strategy != "frozen" else quick.wait(lambda: not quick.state.waiting)
    quick.types((50, 22), (24, 48), ENTER, (40, 40), ESCAPE)
    quick.rests() if quick.strategy != "frozen" else quick.wait(lambda: not quick.state.waiting)
    engine = one_by_one(folder, tmp_path / "alone", quick.strategy, quick.acts)
    assert same(quick.engine, engine)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_settings_know_which_strategies_learn_in_order(name: str) -> None:
    assert learns_in_order(name) is STRATEGIES[name].in_order
