"""Real sessions on the toy model: what is accepted, what the learner hears, what goes back, what is recorded."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from samtta_app.bench.click_rows import ClickRow, read_click_rows, write_records
from samtta_app.bench.protocol import Conditions, adapted, cut, frozen, records_of
from samtta_app.core.masks import crop
from samtta_app.core.messages import AdaptRequest, LoadRequest, PredictRequest
from samtta_app.core.replies import Failure
from samtta_app.core.types import Click, Mask, Window
from samtta_app.datasets.folder import open_dataset, read_objects
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import UserError
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from samtta_app.simulation.annotator import EASY, AnnotatedObject, Goal, Step
from samtta_app.simulation.driver import Driver
from samtta_app.simulation.engines import Engines
from samtta_app.simulation.streams import Source
from tests.unit.bench.conftest import squares

ANYTHING = Goal(0.0001, 3)
NEVER = Goal(1.0, 3)


def nobody(share: float, words: str) -> None:
    """Told to nobody."""


def learned(engines: Engines, source: Source, conditions: Conditions, goal: Goal, order: int = 0) -> list[ClickRow]:
    engine = engines("samtta")
    return list(adapted(engine, source, conditions, strategy="samtta", goal=goal, order=order, told=nobody))


def still(
    engines: Engines, source: Source, conditions: Conditions, goals: tuple[Goal, ...], orders: tuple[int, ...] = (0,)
) -> list[ClickRow]:
    return list(frozen(engines("frozen"), source, conditions, goals=goals, orders=orders, told=nobody))


def without_time(records: list[ClickRow]) -> list[ClickRow]:
    return [replace(r, seconds=0.0, learning_seconds=0.0) for r in records]


def heard(engine: Engine, monkeypatch: pytest.MonkeyPatch, kind: type) -> list:
    """The requests of a kind that reach the engine from now on."""
    told: list = []
    handle = engine.handle

    def listen(request: object) -> object:
        if isinstance(request, kind):
            told.append(request)
        return handle(request)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "handle", listen)
    return told


# --- the sessions ---------------------------------------------------------------------------------------------------


def test_an_accepted_object_is_in_the_store_and_a_failed_one_is_not(dataset: Path, toy: Engine, tmp_path: Path) -> None:
    target = read_objects(open_dataset(dataset).images[0])[0]
    with Driver(dataset / "images", tmp_path / "p", toy.fresh(0), learn=True) as driver:
        failed = driver.annotate("im0.png", target.mask, NEVER)
        assert not failed.accepted
        assert len(failed.steps) == 3
        assert driver.store.annotations() == ()
        assert driver.state.preview is None
        done = driver.annotate("im0.png", target.mask, ANYTHING, "nut")
        assert done.accepted
        (kept,) = driver.store.annotations()
        assert kept.clicks == tuple(step.click for step in done.steps)
        assert {c.id: c.name for c in driver.store.classes()}[kept.class_id] == "nut"


def test_the_learner_is_told_of_accepted_masks_only_and_never_of_the_truth(
    dataset: Path, toy: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = toy.fresh(0)
    told = heard(engine, monkeypatch, AdaptRequest)
    whole = Window(0, 0, 80, 64)
    with Driver(dataset / "images", tmp_path / "p", engine, learn=True) as driver:
        for target in read_objects(open_dataset(dataset).images[0]):
            driver.annotate("im0.png", target.mask, NEVER)
            driver.annotate("im0.png", target.mask, ANYTHING)
        accepted = driver.store.annotations()
    assert len(told) == len(accepted) > 0
    for request, annotation in zip(told, accepted, strict=True):
        assert np.array_equal(crop(request.example.mask, whole), crop(annotation.mask, whole))


def test_a_request_that_the_engine_cannot_answer_stops_the_bench(dataset: Path, toy: Engine, tmp_path: Path) -> None:
    engine = toy.fresh(0)
    with Driver(dataset / "images", tmp_path / "p", engine, learn=False) as driver:
        (dataset / "images" / "im1.png").write_bytes(b"broken")
        with pytest.raises(UserError, match=r"im1\.png"):
            driver.annotate("im1.png", read_objects(open_dataset(dataset).images[0])[0].mask, EASY)


def test_failures_of_requests_that_nobody_made_do_not_confuse_a_session(
    dataset: Path, toy: Engine, tmp_path: Path
) -> None:
    with Driver(dataset / "images", tmp_path / "p", toy.fresh(0), learn=False) as driver:
        before = driver.state.image
        driver.workflow.receive(Failure(10_000, LoadRequest.__name__, "late"))
        assert driver.state.image is before


# --- what goes back ---------------------------------------------------------------------------------------------------


def test_by_default_logits_go_back_and_nothing_with_the_first_click(
    dataset: Path, toy: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = toy.fresh(0)
    told = heard(engine, monkeypatch, PredictRequest)
    with Driver(dataset / "images", tmp_path / "p", engine, learn=False) as driver:
        driver.annotate("im0.png", read_objects(open_dataset(dataset).images[0])[0].mask, NEVER)
    assert told[0].prompt.logits is None
    assert all(len(np.unique(request.prompt.logits.values)) > 2 for request in told[1:])


def test_binary_feedback_is_the_shown_mask_as_zeros_and_ones_and_zeros_with_the_first_click(
    dataset: Path, toy: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = toy.fresh(0)
    told = heard(engine, monkeypatch, PredictRequest)
    shown = []
    with Driver(dataset / "images", tmp_path / "p", engine, learn=False, feedback="binary") as driver:
        send = driver.workflow.do

        def do(act: UserAct) -> object:
            preview = driver.state.preview
            if isinstance(act, acts.PlaceClick):
                shown.append(preview.candidate.logits if preview and preview.candidate else None)
            return send(act)

        monkeypatch.setattr(driver.workflow, "do", do)
        driver.annotate("im0.png", read_objects(open_dataset(dataset).images[0])[0].mask, NEVER)
    assert not told[0].prompt.logits.values.any()
    assert len(told) == 3
    for request, before in zip(told[1:], shown[1:], strict=True):
        given = request.prompt.logits
        assert given.window == before.window
        assert np.array_equal(given.values[::2, ::2], (before.values > 0).astype(np.float32))
        assert np.array_equal(given.values[::2, ::2], given.values[1::2, 1::2])


def test_the_two_kinds_of_feedback_are_answered_differently_and_recorded(dataset: Path, engines: Engines) -> None:
    source = Source((dataset,))
    found = {way: still(engines, source, Conditions(2, feedback=way), (NEVER,)) for way in ("logits", "binary")}  # type: ignore[arg-type]
    assert {way: {r.feedback for r in records} for way, records in found.items()} == {w: {w} for w in found}
    assert [r.predicted_iou for r in found["logits"]] != [r.predicted_iou for r in found["binary"]]


# --- the records ------------------------------------------------------------------------------------------------------


def test_the_frozen_side_never_leaves_the_original_weights_and_never_learns(dataset: Path, engines: Engines) -> None:
    records = still(engines, Source((dataset,)), Conditions(6, split="all"), (ANYTHING,))
    assert {(r.version, r.learning_seconds, r.strategy) for r in records} == {(0, 0.0, "frozen")}


def test_every_object_is_annotated_once_for_all_orders_and_goals(
    dataset: Path, engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, float]] = []
    annotate = Driver.annotate

    def count(self: Driver, image: str, target: object, *more: object, **named: bool) -> AnnotatedObject:
        done.append((image, more[0].target))  # type: ignore[attr-defined]
        return annotate(self, image, target, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Driver, "annotate", count)
    records = still(engines, Source((dataset,)), Conditions(9, split="all"), (ANYTHING, NEVER), (0, 1, 2))
    assert len(done) == 9
    assert {target for _, target in done} == {NEVER.target}
    assert {(r.goal, r.order, r.position) for r in records} == {
        (goal.name, order, position) for goal in (ANYTHING, NEVER) for order in range(3) for position in range(9)
    }


def test_frozen_trajectories_do_not_depend_on_the_order_even_with_a_clicker_of_chance(
    dataset: Path, engines: Engines
) -> None:
    conditions = Conditions(9, split="all", clicker="realistic")
    every = [still(engines, Source((dataset,)), conditions, (NEVER,), (order,)) for order in (0, 1)]
    by_object = [
        {(r.image, r.object, r.click): replace(r, order=0, position=0) for r in without_time(records)}
        for records in every
    ]
    assert [r.image for r in every[0]] != [r.image for r in every[1]]
    assert by_object[0] == by_object[1]


def test_both_sides_meet_the_same_luck_until_something_was_learned(dataset: Path, engines: Engines) -> None:
    conditions = Conditions(2, seed=7, clicker="realistic")
    source = Source((dataset,))
    one, other = learned(engines, source, conditions, NEVER), still(engines, source, conditions, (NEVER,))
    assert [replace(r, strategy="") for r in without_time(one)] == [
        replace(r, strategy="") for r in without_time(other)
    ]
    assert without_time(learned(engines, source, replace(conditions, seed=8), NEVER)) != without_time(one)


def test_both_sides_see_the_same_objects_of_the_split_in_the_same_order(dataset: Path, engines: Engines) -> None:
    source, conditions = Source((dataset,)), Conditions(3)
    sides = (
        learned(engines, source, conditions, ANYTHING, 3),
        still(engines, source, conditions, (ANYTHING, NEVER), (3,)),
    )
    first, second = (sorted({(r.position, r.image, r.object, r.class_name) for r in side}) for side in sides)
    assert first == second
    assert len(first) == 3
    assert {name for _, name, _, _ in first} <= {"im0", "im1"}  # the split "test"
    assert {name for *_, name in first} <= {"nut", "bolt"}


def test_there_is_one_record_per_click_and_learning_time_on_the_last_one_of_what_was_accepted(
    dataset: Path, engines: Engines
) -> None:
    records = learned(engines, Source((dataset,)), Conditions(3), ANYTHING)
    for position in range(3):
        rows = [r for r in records if r.position == position]
        assert [r.click for r in rows] == list(range(1, len(rows) + 1))
        assert all(r.learning_seconds == 0 for r in rows[:-1])
        assert (rows[-1].learning_seconds > 0) == (rows[-1].iou >= ANYTHING.target)
    assert any(r.learning_seconds > 0 for r in records)


def test_what_was_given_up_is_not_learned(dataset: Path, engines: Engines) -> None:
    records = learned(engines, Source((dataset,)), Conditions(3), NEVER)
    assert {(r.version, r.learning_seconds) for r in records} == {(0, 0.0)}
    assert len(records) == 9


def test_the_same_seed_gives_the_same_records_but_for_the_time(dataset: Path, engines: Engines) -> None:
    conditions = Conditions(2, clicker="careless10")
    first, second = (learned(engines, Source((dataset,)), conditions, ANYTHING) for _ in range(2))
    assert without_time(first) == without_time(second)


def test_a_mixed_session_spans_its_sets(dataset: Path, engines: Engines, tmp_path: Path) -> None:
    source = Source((dataset, squares(tmp_path / "more")), "mix")
    for records in (learned(engines, source, Conditions(4), ANYTHING), still(engines, source, Conditions(4), (NEVER,))):
        assert {r.set for r in records} == {"squares+more"}
        assert {(r.position, r.class_name) for r in records} == {
            *((0, "squares"), (1, "more"), (2, "squares"), (3, "more"))
        }


def test_the_second_half_of_a_chain_meets_the_objects_and_the_luck_of_its_set_alone(
    dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    other = squares(tmp_path / "more")
    conditions = Conditions(6, clicker="realistic")
    chained = still(engines, Source((dataset, other), "chain"), conditions, (NEVER,))
    alone = still(engines, Source((other,)), conditions, (NEVER,))
    assert {r.set for r in chained} == {"squares>more"}
    assert [replace(r, set="", position=0) for r in without_time(chained) if r.position >= 3] == [
        replace(r, set="", position=0) for r in without_time(alone) if r.position < 3
    ]


def test_progress_ends_at_one(dataset: Path, engines: Engines) -> None:
    told: list[float] = []
    say = lambda share, words: told.append(share)  # noqa: E731
    list(frozen(engines("frozen"), Source((dataset,)), Conditions(2), goals=(NEVER,), orders=(0,), told=say))
    assert told == [0.5, 1.0]


def test_records_come_back_equal_from_their_file(dataset: Path, engines: Engines, tmp_path: Path) -> None:
    records = learned(engines, Source((dataset,)), Conditions(2), ANYTHING)
    assert list(read_click_rows([write_records(records, tmp_path / "out" / "r.jsonl")])) == records


def test_records_hold_what_was_expected_and_the_agreement_that_the_session_itself_computed(
    dataset: Path, toy: Engine, tmp_path: Path
) -> None:
    targets = [target for image in open_dataset(dataset).images for target in read_objects(image)]
    with Driver(dataset / "images", tmp_path / "p", toy.fresh(0), learn=False) as driver:
        for target in targets:
            trial = driver.annotate(target.image.path.name, target.mask, Goal(1.0, 8))
            best = max(step.iou for step in trial.steps[1:])
            if best > trial.steps[0].iou:
                break
        assert best > trial.steps[0].iou, "some object needs a second click"
        done = driver.annotate(target.image.path.name, target.mask, Goal(best, 8))
        (kept,) = driver.store.annotations()
    assert done.accepted
    assert len(done.steps) > 1
    place = partial(ClickRow, *("s", "8@9", "frozen", "ritm", "logits", 0, 0, "im0", 2, "bolt"))
    found = list(records_of(place, done))
    assert [r.accepted_iou for r in found] == pytest.approx([step.iou for step in kept.history])
    assert [r.expected_iou for r in found] == [step.expected_iou for step in kept.history]
    assert found[-1].accepted_iou == 1.0
    assert found[0].accepted_iou < 1.0  # type: ignore[operator]
    assert [r.accepted_iou for r in records_of(place, trial)] == [None] * len(trial.steps)


def test_frozen_answers_are_compared_with_what_each_goal_would_have_accepted(dataset: Path, engines: Engines) -> None:
    goals = (ANYTHING, NEVER)
    records = still(engines, Source((dataset,)), Conditions(6, split="all"), goals, (0, 1))
    for r in records:
        reached = r.goal == ANYTHING.name and any(
            o.iou >= ANYTHING.target for o in records if (o.goal, o.order, o.position) == (r.goal, r.order, r.position)
        )
        assert (r.accepted_iou is not None) == reached
        assert r.expected_iou is not None
    assert {r.accepted_iou for r in records if r.goal == ANYTHING.name and r.iou >= ANYTHING.target} == {1.0}
    assert {r.order for r in records} == {0, 1}


def outcome(*values: float) -> AnnotatedObject:
    window = Window(0, 0, 1, 1)
    return AnnotatedObject(
        tuple(Step(Click(k, 0, True), v, v, 0, 0, 0, 0, window, v, True, v, row(k)) for k, v in enumerate(values)),
        *(False, 3.0),
    )


def row(k: int) -> Mask:
    """k + 1 pixels side by side."""
    return Mask(0, 0, np.ones((1, k + 1), np.bool_))


def test_a_longer_run_is_cut_where_an_easier_goal_would_have_stopped() -> None:
    run = outcome(0.2, 0.86, 0.7, 0.91)
    assert cut(run, EASY) == AnnotatedObject(run.steps[:2], True)
    assert cut(run, EASY).agreements == pytest.approx((1 / 2, 1))  # of its own end, not of the longer run's
    assert cut(run, Goal(0.9, 20)).agreements == pytest.approx((1 / 4, 2 / 4, 3 / 4, 1))
    assert run.agreements == (None,) * 4
    assert cut(run, Goal(0.9, 20)) == AnnotatedObject(run.steps, True)
    assert cut(run, Goal(0.95, 3)) == AnnotatedObject(run.steps[:3], False)
