from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from rich.console import Console

from samtta_app.core.messages import Request
from samtta_app.core.replies import Reply
from samtta_app.datasets.folder import open_dataset, read_objects
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import DatasetError, ExportError, UserError
from samtta_app.session.project.store import Store
from samtta_app.session.state import State
from samtta_app.session.workflow.workflow import Workflow
from samtta_app.simulation import simulated_session
from samtta_app.simulation.annotator import STRICT, Goal
from samtta_app.simulation.contact_sheet import GAP, HEADS, LINE, SHEET_TILE
from samtta_app.simulation.driver import Driver
from samtta_app.simulation.engines import Engines
from samtta_app.simulation.simulated_session import (
    ObjectComparison,
    Simulation,
    Stepper,
    run_simulation,
    show_simulation,
    stepper,
)

ANYTHING = Goal(0.0001, 3)


@pytest.fixture(scope="module")
def simulation(shared_dataset: Path, engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    out = tmp_path_factory.mktemp("simulation") / "out"
    return run_simulation(shared_dataset, out=out, objects=5, model=engines, goal=ANYTHING)


def test_every_object_has_its_clicks_on_both_sides(simulation: Simulation) -> None:
    assert len(simulation.pairs) == 5
    assert all(1 <= len(side) <= 3 for pair in simulation.pairs for side in (pair.frozen, pair.adapted))
    assert {pair.class_name for pair in simulation.pairs} == {"nut", "bolt"}


def test_exports_and_statistics_of_the_adapting_session_lie_in_the_folder(simulation: Simulation) -> None:
    coco = json.loads((simulation.folder / "coco" / "annotations/instances_default.json").read_text())
    accepted = [pair for pair in simulation.pairs if pair.adapted[-1] >= ANYTHING.target]
    assert len(coco["annotations"]) == len(accepted) > 0
    assert {"nut", "bolt"} <= {c["name"] for c in coco["categories"]}
    assert (simulation.folder / "statistics" / "statistics.json").is_file()
    assert any(path.parent.parent.name == "png" for path in simulation.files)
    assert all(path.is_file() for path in simulation.files)


def test_the_truth_lies_where_it_lay_and_the_images_folder_gets_no_project(
    simulation: Simulation, shared_dataset: Path
) -> None:
    assert simulation.folder.is_dir()
    assert sorted(p.name for p in (shared_dataset / "images").iterdir()) == ["im0.png", "im1.png", "im2.png"]


def test_an_earlier_simulation_is_not_written_over(simulation: Simulation, dataset: Path, engines: Engines) -> None:
    again = run_simulation(dataset, out=simulation.folder, objects=1, model=engines, goal=ANYTHING)
    assert again.folder == simulation.folder.with_name("out-2")
    assert len(simulation.pairs) == 5


def test_a_place_that_cannot_be_written_is_an_export_error(dataset: Path, engines: Engines, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="cannot be made"):
        run_simulation(dataset, out=tmp_path / "file" / "out", objects=1, model=engines)


def test_progress_is_told_object_by_object_with_clicks_and_iou_of_both_sides(
    dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    told: list[tuple[float, str]] = []
    found = run_simulation(
        dataset,
        out=tmp_path / "o",
        objects=2,
        model=engines,
        goal=ANYTHING,
        progress=lambda share, words: told.append((share, words)),
    )
    assert [share for share, _ in told] == [0.5, 1.0]
    for number, ((_, words), pair) in enumerate(zip(told, found.pairs, strict=True), start=1):
        assert words.startswith(f"object {number} of 2: {pair.class_name} in {pair.image}")
        for name, side in (("frozen", pair.frozen), ("adapted", pair.adapted)):
            clicks = f"{len(side)} click{'s' if len(side) > 1 else ''}"
            assert f"{name} {clicks}, IoU {side[-1]:.2f}" in words


def test_an_object_that_got_no_click_is_said_to_have_none() -> None:
    words = ObjectComparison("a", 1, "nut", (), (0.5,), 3).words
    assert words == "nut in a · frozen no click · adapted 1 click, IoU 0.50, weights v3"


def test_every_object_is_in_the_pictures(simulation: Simulation) -> None:
    assert simulation.pictures == simulation.folder / "pictures.png"
    with PIL.Image.open(simulation.pictures) as pictures:
        assert pictures.height == LINE + 5 * (LINE + SHEET_TILE)


def test_without_an_answer_there_are_no_pictures(dataset: Path, engines: Engines, tmp_path: Path) -> None:
    found = run_simulation(dataset, out=tmp_path / "o", objects=2, model=engines, goal=Goal(0.9, 0))
    assert found.pictures is None
    console = Console(file=io.StringIO(), width=120)
    show_simulation(console, found)
    assert "Pictures" not in console.file.getvalue()  # type: ignore[attr-defined]


def test_pictures_that_cannot_be_written_are_an_export_error(tmp_path: Path) -> None:
    (tmp_path / "pictures.png").mkdir()
    with pytest.raises(ExportError, match="pictures cannot be written"):
        simulated_session._draw(
            [np.zeros((4, len(HEADS) * (SHEET_TILE + GAP) - GAP, 3), np.uint8)], tmp_path / "pictures.png"
        )


def test_both_sides_are_asked_for_by_their_names_and_the_frozen_one_never_learns(
    dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    asked: list[str] = []

    def ask(name: str) -> Engine:
        asked.append(name)
        return engines(name)

    found = run_simulation(dataset, out=tmp_path / "o", objects=4, model=ask, strategy="frozen", goal=ANYTHING)
    assert asked == ["frozen", "frozen"]
    assert all(pair.frozen == pair.adapted and pair.version == 0 for pair in found.pairs)


def test_an_unknown_strategy_is_refused_before_a_folder_is_made(
    dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="sammta"):
        run_simulation(dataset, out=tmp_path / "o", objects=1, model=engines, strategy="sammta")
    assert not (tmp_path / "o").exists()


def test_the_printed_tables_name_the_figures_and_the_folder(simulation: Simulation) -> None:
    console = Console(file=io.StringIO(), width=120)
    show_simulation(console, simulation)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for expected in (
        "FR_20@85",
        "FR_30@90",
        "frozen",
        "adapted",
        str(simulation.folder),
        "coco",
        "statistics",
        "pictures.png",
    ):
        assert expected in text


def test_failure_rates_are_those_of_the_objects() -> None:
    pairs = (
        ObjectComparison("a", 1, "nut", (0.5,) * 30, (0.95,), 1),
        ObjectComparison("a", 2, "nut", (0.91,), (0.91,), 1),
    )
    assert Simulation(Path(), pairs, ()).failure_rates(STRICT) == (0.5, 0.0)


def test_without_objects_no_failure_rate_is_claimed() -> None:
    assert all(math.isnan(rate) for rate in Simulation(Path(), (), ()).failure_rates(STRICT))


# --- at a window ----------------------------------------------------------------------------------------------------


class Window:
    """A controller without Qt: sends on what the workflow returns; answers come one by one, when `answer` is called."""

    def __init__(self, workflow: Workflow, engine: Engine) -> None:
        self.workflow, self.engine = workflow, engine
        self.waiting: list[Request] = list(workflow.start())

    @property
    def state(self) -> State:
        return self.workflow.state

    def __getattr__(self, name: str) -> object:
        return lambda *inputs: self.waiting.extend(getattr(self.workflow, name)(*inputs))

    def answer(self) -> None:
        if self.waiting:
            urgent = [r for r in self.waiting if r.lane == "urgent"]
            request = (urgent or self.waiting)[0]
            self.waiting.remove(request)
            reply: Reply = run(self.engine, request)
            self.waiting.extend(self.workflow.receive(reply))


def test_a_timer_can_step_through_a_whole_session(dataset: Path, toy: Engine, tmp_path: Path) -> None:
    with Store.open(dataset / "images", tmp_path / "p") as store:
        window = Window(Workflow(store, twin=False), toy.fresh(0))
        annotator = stepper(dataset, objects=4, goal=ANYTHING)
        ticks = 0
        while annotator.step(window):
            window.answer()
            ticks += 1
            assert ticks < 500
        assert 0 < len(store.annotations()) <= 4
        assert window.state.preview is None
        assert not annotator.step(window)


def test_a_step_does_nothing_while_an_answer_is_under_way(dataset: Path, toy: Engine, tmp_path: Path) -> None:
    target = read_objects(open_dataset(dataset).images[0])[0]
    with Driver(dataset / "images", tmp_path / "p", toy.fresh(0), learn=False) as driver:
        annotator = Stepper([target], STRICT)
        assert driver.state.image is not None
        while driver.state.preview is None:
            assert annotator.step(driver.workflow)
        before = driver.state.preview
        assert before.waiting
        assert annotator.step(driver.workflow)
        assert driver.state.preview is before


def test_images_that_the_window_does_not_have_are_passed_over(dataset: Path, toy: Engine, tmp_path: Path) -> None:
    (dataset / "images" / "elsewhere").mkdir()
    target = read_objects(open_dataset(dataset).images[0])[0]
    (dataset / "images" / "im0.png").unlink()
    with Driver(dataset / "images", tmp_path / "p", toy.fresh(0), learn=False) as driver:
        assert not Stepper([target]).step(driver.workflow)


def test_a_set_without_masks_cannot_be_simulated(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        stepper(tmp_path)
