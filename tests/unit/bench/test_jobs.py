from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from samtta_app.bench.click_rows import read_click_rows
from samtta_app.bench.jobs import BenchPlan, Stopped, failed, run_bench
from samtta_app.bench.protocol import Conditions
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import DatasetError, UserError
from samtta_app.simulation.annotator import EASY, STRICT, Goal
from samtta_app.simulation.engines import Engines
from samtta_app.simulation.streams import Source, by_class, identity, sources
from tests.unit.bench.conftest import squares

ANYTHING = Goal(0.0001, 2)


def plan(*folders: Path, **changes: object) -> BenchPlan:
    settings = {"goals": (ANYTHING,), "model": "toy"} | changes
    return BenchPlan(sources(folders, "each"), Conditions(2), **settings)  # type: ignore[arg-type]


# --- what is to be done -----------------------------------------------------------------------------------------------


def test_there_is_a_job_for_each_strategy_goal_and_order_and_one_for_the_frozen_side(shared_dataset: Path) -> None:
    given = plan(shared_dataset, strategies=("samtta", "frozen", "samtta"), goals=(EASY, STRICT), orders=2)
    names = [job.name for job in given.jobs]
    assert sorted(names) == [
        "squares_frozen",
        *(f"squares_samtta_{goal}_order{order}" for goal in ("20@85", "30@90") for order in (0, 1)),
    ]
    (frozen,) = [job for job in given.jobs if job.strategy == "frozen"]
    assert (frozen.goals, frozen.orders) == ((EASY, STRICT), (0, 1))


def test_the_heaviest_jobs_come_first(shared_dataset: Path) -> None:
    given = plan(shared_dataset, goals=(EASY, STRICT), orders=2)
    costs = [job.cost for job in given.jobs]
    assert costs == sorted(costs, reverse=True)
    # 2 objects: a stream to 30@90 takes 2 x (15 + 40) units, to 20@85 2 x (10 + 40), the frozen side 2 x 2 x 15
    assert costs == [110, 110, 100, 100, 60]
    assert given.jobs[-1].strategy == "frozen"


def test_orders_begin_with_the_seed(shared_dataset: Path) -> None:
    given = replace(plan(shared_dataset, orders=2), conditions=Conditions(2, seed=5))
    assert {job.orders for job in given.jobs if job.strategy != "frozen"} == {(5,), (6,)}


def test_names_are_file_names_everywhere(tmp_path: Path) -> None:
    for way, expected in (("mix", "a+b_frozen"), ("chain", "a-then-b_frozen")):
        source = Source((tmp_path / "a", tmp_path / "b"), way)  # type: ignore[arg-type]
        assert expected in {job.name for job in BenchPlan((source,), Conditions()).jobs}


# --- forgetting, and streams by class ---------------------------------------------------------------------------------


def test_what_a_stream_taught_annotates_another_set_beside_the_original(
    shared_dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    other = squares(tmp_path / "other")
    given = plan(shared_dataset, strategies=("schoen2024",), then=sources([other], "each"))
    results = run_bench(given, engines=engines)
    assert results.failures == ()
    later = [r for r in results.records if r.set == "other after squares"]
    assert {r.strategy for r in later} == {"schoen2024", "frozen"}
    versions = {name: {r.version for r in later if r.strategy == name} for name in ("schoen2024", "frozen")}
    assert versions == {"schoen2024": {2}, "frozen": {0}}  # both objects of the stream taught, and nothing after it
    assert {r.learning_seconds for r in later} == {0.0}
    keys = [{(r.image, r.object) for r in later if r.strategy == name} for name in versions]
    assert keys[0] == keys[1]


def test_a_run_with_other_sets_afterwards_is_another_run(shared_dataset: Path, tmp_path: Path) -> None:
    given = plan(shared_dataset)
    assert "then" not in given.settings
    assert replace(given, then=given.sources).settings["then"] == ["squares"]


def test_streams_by_class_are_sources_of_their_own(shared_dataset: Path) -> None:
    (whole,) = sources([shared_dataset], "each")
    bolts, nuts = by_class(whole, "all")
    assert (bolts.name, nuts.name) == ("squares [bolt]", "squares [nut]")
    conditions = Conditions(None, split="all", protocol="schoen")
    assert [len(conditions.stream(each, 0)) for each in (bolts, nuts, whole)] == [3, 6, 9]
    assert {target.class_name for target in conditions.stream(nuts, 0)} == {"nut"}
    first = replace(conditions, objects=4).stream(whole, 0)
    assert [identity(target) for target in conditions.stream(whole, 0)][:4] == [identity(target) for target in first]
    names = {job.name for job in BenchPlan((bolts, nuts), conditions).jobs if job.strategy == "frozen"}
    assert len(names) == 2
    with pytest.raises(DatasetError, match="one set each"):
        by_class(Source((shared_dataset, shared_dataset), "mix"), None)


# --- doing it ---------------------------------------------------------------------------------------------------------


def test_every_job_leaves_a_file_and_all_records_come_back(
    shared_dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    out, told = tmp_path / "out", []
    results = run_bench(
        plan(shared_dataset, orders=2), out=out, engines=engines, progress=lambda share, words: told.append(share)
    )
    assert results.failures == ()
    assert {path.name for path in (out / "records").iterdir()} == {
        *("squares_frozen.jsonl", "squares_samtta_2@0_order0.jsonl", "squares_samtta_2@0_order1.jsonl")
    }
    assert sorted(map(str, read_click_rows([out]))) == sorted(map(str, results.records))
    assert {(r.strategy, r.order, r.position) for r in results.records} == {
        (name, order, position) for name in ("samtta", "frozen") for order in (0, 1) for position in (0, 1)
    }
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_what_is_finished_is_not_run_again_and_what_is_missing_is(
    shared_dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    asked: list[str] = []

    def ask(name: str) -> Engine:
        asked.append(name)
        return engines(name)

    first = run_bench(plan(shared_dataset), out=tmp_path, engines=ask)
    assert sorted(asked) == ["frozen", "samtta"]
    assert run_bench(plan(shared_dataset), out=tmp_path, engines=ask) == first
    assert sorted(asked) == ["frozen", "samtta"]
    (tmp_path / "records" / "squares_frozen.jsonl").unlink()
    again = run_bench(plan(shared_dataset), out=tmp_path, engines=ask)
    assert asked[2:] == ["frozen"]
    assert len(again.records) == len(first.records)


def test_a_set_may_be_added_to_a_folder_of_records(
    shared_dataset: Path, dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    dataset = dataset.rename(dataset.with_name("more"))
    run_bench(plan(shared_dataset), out=tmp_path / "out", engines=engines)
    results = run_bench(plan(shared_dataset, dataset), out=tmp_path / "out", engines=engines)
    assert {r.set for r in results.records} == {"squares", "more"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"conditions": Conditions(3)}, "objects was 2, now 3"),
        ({"conditions": Conditions(2, seed=1)}, "seed was 0, now 1"),
        ({"conditions": Conditions(2, clicker="schoen")}, "clicker was ritm, now schoen"),
        ({"orders": 2}, "orders was 1, now 2"),
    ],
)
def test_a_folder_with_records_of_other_settings_is_refused(
    shared_dataset: Path, tmp_path: Path, changed: dict[str, object], words: str
) -> None:
    given = plan(shared_dataset)
    (tmp_path / "bench.json").write_text(json.dumps(given.settings))
    with pytest.raises(DatasetError, match=words):
        run_bench(replace(given, **changed), out=tmp_path)  # type: ignore[arg-type]


def test_each_model_has_records_of_its_own_in_one_folder(
    shared_dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    asked: list[str] = []

    def ask(name: str) -> Engine:
        asked.append(name)
        return engines(name)

    first = run_bench(plan(shared_dataset), out=tmp_path, engines=ask)
    second = run_bench(plan(shared_dataset, model="/models/other.safetensors"), out=tmp_path, engines=ask)
    assert sorted(asked) == ["frozen", "frozen", "samtta", "samtta"]
    assert {row.model for row in first.records} == {"toy"}
    assert {row.model for row in second.records} == {"/models/other.safetensors"}
    assert run_bench(plan(shared_dataset), out=tmp_path, engines=ask) == first
    assert run_bench(plan(shared_dataset, model="/models/other.safetensors"), out=tmp_path, engines=ask) == second
    assert len(asked) == 4
    assert sorted(map(str, read_click_rows([tmp_path]))) == sorted(map(str, (*first.records, *second.records)))
    assert json.loads((tmp_path / "bench.json").read_text())["model"] == "toy"


def test_older_records_of_a_folder_go_on_as_those_of_its_model(
    shared_dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    first = run_bench(plan(shared_dataset), out=tmp_path, engines=engines)
    for file in (tmp_path / "records").iterdir():
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps({k: v for k, v in line.items() if k != "model"}) + "\n" for line in lines))
    assert run_bench(plan(shared_dataset), out=tmp_path, engines=engines) == first


def test_settings_that_cannot_be_read_are_not_written_over(shared_dataset: Path, tmp_path: Path) -> None:
    for text in ("{", "[1]"):
        (tmp_path / "bench.json").write_text(text)
        with pytest.raises(DatasetError, match=r"bench\.json"):
            run_bench(plan(shared_dataset), out=tmp_path)
        assert (tmp_path / "bench.json").read_text() == text


def test_without_a_folder_the_records_are_given_back_only(shared_dataset: Path, engines: Engines) -> None:
    assert {r.strategy for r in run_bench(plan(shared_dataset), engines=engines).records} == {"samtta", "frozen"}


def test_a_job_that_fails_does_not_take_the_others_with_it(
    shared_dataset: Path, dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    dataset = dataset.rename(dataset.with_name("bad"))

    def damage(name: str) -> Engine:
        for path in (dataset / "images").iterdir():
            path.write_bytes(b"broken")
        return engines(name)

    given = plan(shared_dataset, dataset)
    given.check()
    results = run_bench(given, out=tmp_path / "out", engines=damage)
    assert {r.set for r in results.records} == {"squares"}
    assert {name for name, _ in results.failures} == {"bad_frozen", "bad_samtta_2@0_order0"}
    assert all("bad" in text for _, text in results.failures)
    assert str(failed(results.failures)).startswith("2 of the parts could not be measured")


def test_the_same_reason_is_told_once() -> None:
    text = str(failed((("a", "No room."), ("b", "No room."), ("c", "No memory."))))
    assert text.count("No room.") == 1
    assert "No memory." in text
    assert "a, b, c" in text


def test_a_set_that_cannot_be_used_is_told_before_anything_is_measured(
    shared_dataset: Path, tmp_path: Path, engines: Engines
) -> None:
    empty = squares(tmp_path / "empty")
    (empty / "split.json").write_text('{"test": []}')
    with pytest.raises(DatasetError, match="no object"):
        run_bench(plan(shared_dataset, empty), out=tmp_path / "out", engines=engines)
    assert not (tmp_path / "out").exists()


def test_records_that_cannot_be_written_are_a_failure(shared_dataset: Path, engines: Engines, tmp_path: Path) -> None:
    (tmp_path / "records").touch()
    results = run_bench(plan(shared_dataset), out=tmp_path, engines=engines)
    assert results.records == ()
    assert all("cannot be written" in text for _, text in results.failures)


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(
    shared_dataset: Path, engines: Engines, tmp_path: Path
) -> None:
    def stop(share: float, words: str) -> None:
        if words.startswith("squares_frozen"):
            raise KeyboardInterrupt

    with pytest.raises(Stopped, match=r"1 of 2 parts are finished.*same command"):
        run_bench(plan(shared_dataset), out=tmp_path / "out", engines=engines, progress=stop)
    assert [path.name for path in (tmp_path / "out" / "records").iterdir()] == ["squares_samtta_2@0_order0.jsonl"]
    with pytest.raises(Stopped, match="nothing was kept"):
        run_bench(plan(shared_dataset), engines=engines, progress=stop)


def test_an_unknown_strategy_is_a_failure_with_a_near_name(shared_dataset: Path, engines: Engines) -> None:
    results = run_bench(plan(shared_dataset, strategies=("samta",)), engines=engines)
    ((name, text),) = results.failures
    assert name == "squares_samta_2@0_order0"
    assert "Did you mean samtta" in text
    with pytest.raises(UserError):
        raise failed(results.failures)
