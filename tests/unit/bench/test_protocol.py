from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from samtta_app.bench.annotator import EASY, Goal, Step
from samtta_app.bench.driver import Driver
from samtta_app.bench.protocol import Record, cut, read_records, run_bench, stream
from samtta_app.core.masks import crop
from samtta_app.core.messages import AdaptRequest, Failure, LoadRequest
from samtta_app.core.types import Click, Window
from samtta_app.datasets.folder import open_dataset, read_objects
from samtta_app.engine import Engine
from samtta_app.errors import DatasetError, UserError

ANYTHING = Goal(0.0001, 3)
NEVER = Goal(1.0, 3)


def order(dataset: Path, seed: int = 0, **changes: object) -> list[tuple[str, int]]:
    settings = {"split": None, "objects": 99, "per_image": 9, "min_area": 1} | changes
    found = stream(open_dataset(dataset), seed=seed, **settings)  # type: ignore[arg-type]
    return [(t.image.name, t.instance) for t in found]


# --- the stream -----------------------------------------------------------------------------------------------------


def test_the_stream_is_the_same_for_a_seed_and_another_for_another(dataset: Path) -> None:
    assert order(dataset, 1) == order(dataset, 1)
    assert len({tuple(order(dataset, seed)) for seed in range(5)}) > 1


def test_every_object_comes_once_and_images_are_not_mixed(dataset: Path) -> None:
    found = order(dataset)
    assert len(found) == len(set(found)) == 9
    names = [name for name, _ in found]
    assert sum(a != b for a, b in pairwise(names)) == 2


def test_a_stream_has_a_length_and_takes_a_few_of_each_image(dataset: Path) -> None:
    assert len(order(dataset, objects=4)) == 4
    assert len({name for name, _ in order(dataset, objects=3, per_image=1)}) == 3


def test_a_stream_without_objects_is_refused(dataset: Path) -> None:
    with pytest.raises(DatasetError, match="no object of 5000"):
        order(dataset, min_area=5000)


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
    told: list[AdaptRequest] = []
    engine = toy.fresh(0)
    handle = engine.handle

    def listen(request: object) -> object:
        if isinstance(request, AdaptRequest):
            told.append(request)
        return handle(request)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "handle", listen)
    whole = Window(0, 0, 80, 64)
    with Driver(dataset / "images", tmp_path / "p", engine, learn=True) as driver:
        for target in read_objects(open_dataset(dataset).images[0]):
            driver.annotate("im0.png", target.mask, NEVER)
            driver.annotate("im0.png", target.mask, ANYTHING)
        accepted = driver.store.annotations()
    assert len(told) == len(accepted) > 0
    for request, annotation in zip(told, accepted, strict=True):
        assert np.array_equal(crop(request.example.mask, whole), crop(annotation.mask, whole))


def test_the_frozen_side_never_leaves_the_original_weights(dataset: Path, toy: Engine) -> None:
    records = run_bench(dataset, model=toy, objects=6, split="all", targets=(ANYTHING,))
    assert {r.version for r in records if r.side == "frozen"} == {0}


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


# --- the records ----------------------------------------------------------------------------------------------------


def test_both_sides_of_every_goal_see_the_same_objects_in_the_same_order(dataset: Path, toy: Engine) -> None:
    records = run_bench(dataset, model=toy, objects=5, targets=(ANYTHING, NEVER), seed=3)
    streams = {
        (goal, side): sorted({(r.position, r.image, r.object) for r in records if (r.goal, r.side) == (goal, side)})
        for goal in (ANYTHING.name, NEVER.name)
        for side in ("frozen", "adapted")
    }
    first = next(iter(streams.values()))
    assert len(first) == 5
    assert all(found == first for found in streams.values())
    assert {name for _, name, _ in first} <= {"im0", "im1"}  # the split "test"


def test_there_is_one_record_per_click_in_order(dataset: Path, toy: Engine) -> None:
    records = run_bench(dataset, model=toy, objects=2, targets=(NEVER,))
    for position in (0, 1):
        for side in ("frozen", "adapted"):
            clicks = [r.click for r in records if (r.position, r.side) == (position, side)]
            assert clicks == [1, 2, 3]


def test_before_anything_was_learned_both_sides_answer_alike(dataset: Path, toy: Engine) -> None:
    records = run_bench(dataset, model=toy, objects=1, targets=(NEVER,))
    frozen, adapted = ([(r.x, r.y, r.iou) for r in records if r.side == side] for side in ("frozen", "adapted"))
    assert frozen == adapted


def test_the_same_seed_gives_the_same_records_but_for_the_time(dataset: Path, toy: Engine) -> None:
    def figures() -> list[tuple[object, ...]]:
        records = run_bench(dataset, model=toy, objects=4, split="all", targets=(ANYTHING,))
        return [(r.side, r.position, r.click, r.x, r.y, r.iou, r.version) for r in records]

    assert figures() == figures()


def test_every_order_is_another_stream_of_a_session_that_learned_nothing(dataset: Path, toy: Engine) -> None:
    records = run_bench(dataset, model=toy, objects=4, orders=2, seed=5, split="all", targets=(ANYTHING,))
    assert {r.order for r in records} == {5, 6}
    assert {r.version for r in records if r.position == 0} == {0}


def test_progress_ends_at_one_and_names_the_set(dataset: Path, toy: Engine) -> None:
    told: list[tuple[float, str]] = []
    run_bench(dataset, model=toy, objects=2, orders=2, targets=(NEVER,), progress=lambda *t: told.append(t))
    assert [share for share, _ in told] == [0.25, 0.5, 0.75, 1.0]
    assert all("squares" in text for _, text in told)


def test_records_are_one_json_line_per_click_and_come_back_equal(dataset: Path, toy: Engine, tmp_path: Path) -> None:
    records = run_bench(dataset, model=toy, objects=2, targets=(NEVER,), out=tmp_path / "out")
    lines = (tmp_path / "out" / "records.jsonl").read_text().splitlines()
    assert len(lines) == len(records)
    assert set(json.loads(lines[0])) == set(Record.__slots__)
    assert read_records(tmp_path / "out" / "records.jsonl") == records


def test_another_file_is_not_taken_for_records(tmp_path: Path) -> None:
    for text in ("hello", '{"set": 1}', "[]"):
        (tmp_path / "r.jsonl").write_text(text)
        with pytest.raises(DatasetError, match=r"r\.jsonl"):
            read_records(tmp_path / "r.jsonl")


def test_records_that_cannot_be_written_are_an_error(dataset: Path, toy: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        run_bench(dataset, model=toy, objects=1, targets=(NEVER,), out=tmp_path / "file" / "out")


def steps(*values: float) -> tuple[Step, ...]:
    return tuple(Step(Click(k, 0, True), v, 0, 0, 0, 0, Window(0, 0, 1, 1), v, True) for k, v in enumerate(values))


def test_a_longer_run_is_cut_where_an_easier_goal_would_have_stopped() -> None:
    run = steps(0.2, 0.86, 0.7, 0.91)
    assert cut(run, EASY) == run[:2]
    assert cut(run, Goal(0.9, 20)) == run
    assert cut(run, Goal(0.95, 3)) == run[:3]
