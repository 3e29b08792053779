"""The figures follow from the raw records, and the sentence claims no more than they show."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from samtta_app.core.replies import TwinReport
from samtta_app.core.types import Box
from samtta_app.errors import ExportError
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.statistics_export import CLICK_COLUMNS, OBJECT_COLUMNS, statistics, write_statistics
from tests.unit.session.scripted import HEIGHT, NAN, WIDTH, accepted, record, report


def trajectory(clicks: int) -> tuple[float, ...]:
    """Reaches .85 and .90 at this click."""
    return (*(0.5 for _ in range(clicks - 1)), 0.95)


def replayed(number: int, adapted: int, frozen: int, version: int = 1) -> ObjectRecord:
    return ObjectRecord(
        *(number, "a.png", "object", "2026-01-01", 2.0, version, (record(),)),
        *(trajectory(frozen), trajectory(adapted), version),
    )


def test_without_objects_every_figure_is_nan_and_nothing_is_claimed() -> None:
    figures = statistics(())
    assert figures.objects == 0
    assert math.isnan(figures.person_clicks)
    assert math.isnan(figures.seconds_per_object)
    assert math.isnan(figures.adapted.noc_85)
    assert figures.stream == ()
    assert figures.sentence == "Too early to tell: 0 objects"


def test_the_persons_clicks_are_the_steps_until_iou_85() -> None:
    steps = tuple(record(iou=value) for value in (NAN, 0.6, 0.86, 1.0))
    one = ObjectRecord(1, "a.png", "object", "", 3.0, 0, steps)
    other = ObjectRecord(2, "a.png", "object", "", 5.0, 0, (record(),))
    figures = statistics((one, other))
    assert [p.person for p in figures.stream] == [3, 1]
    assert (figures.person_clicks, figures.seconds_per_object) == (2.0, 4.0)
    assert figures.stream[0].adapted is None
    assert figures.adapted.objects == 0


def test_an_object_not_reached_within_twenty_clicks_counts_as_twenty() -> None:
    steps = tuple(record(iou=0.5) for _ in range(24))
    (point,) = statistics((ObjectRecord(1, "a.png", "object", "", 3.0, 0, (*steps, record())),)).stream
    assert point.person == 20


def test_noc_and_fr_are_the_fields_own() -> None:
    figures = statistics(
        (
            ObjectRecord(1, "a", "o", "", 1.0, 0, (record(),), (0.5, 0.86, 0.91), (0.91,), 1),
            ObjectRecord(2, "a", "o", "", 1.0, 0, (record(),), (0.5,) * 30, (0.5,) * 19 + (0.86,) + (0.87,) * 10, 1),
        )
    )
    assert (figures.frozen.objects, figures.adapted.objects) == (2, 2)
    assert (figures.frozen.noc_85, figures.frozen.noc_90) == (11.0, 16.5)
    assert (figures.frozen.fr_20_85, figures.frozen.fr_30_90) == (0.5, 0.5)
    assert (figures.adapted.noc_85, figures.adapted.fr_20_85) == (10.5, 0.0)
    assert (figures.adapted.noc_90, figures.adapted.fr_30_90) == (15.5, 0.5)


def test_it_says_that_learning_helps_when_it_does() -> None:
    records = [replayed(k, adapted=4 + k % 2, frozen=7) for k in range(30)]
    assert statistics(records).sentence == ("Learning helps: 4.5 clicks per object over the last 20, 7.0 without it")


def test_it_says_plainly_when_learning_does_not_help() -> None:
    records = [replayed(k, adapted=6, frozen=5 - k % 2) for k in range(12)]
    assert statistics(records).sentence == (
        "Learning does not help: 6.0 clicks per object over the last 12, 4.5 without it"
    )


def test_a_difference_within_chance_is_not_claimed() -> None:
    records = [replayed(k, adapted=5 + 6 * (k % 2), frozen=12 - 7 * (k % 2)) for k in range(20)]
    assert statistics(records).sentence.startswith("No clear difference so far: 8.0 clicks")


def test_no_difference_at_all_is_not_claimed_either() -> None:
    assert statistics([replayed(k, 5, 5) for k in range(20)]).sentence.startswith("No clear difference")


@pytest.mark.parametrize(("number", "text"), [(1, "1 object"), (6, "6 objects"), (9, "9 objects")])
def test_with_few_objects_it_is_too_early_to_tell(number: int, text: str) -> None:
    assert statistics([replayed(k, 1, 9) for k in range(number)]).sentence == f"Too early to tell: {text}"


def test_objects_that_were_not_replayed_are_no_evidence() -> None:
    unknown = [ObjectRecord(k, "a.png", "object", "", 1.0, 0, (record(),)) for k in range(50)]
    assert statistics([*unknown, replayed(99, 1, 9)]).sentence == "Too early to tell: 1 object"


def test_answers_of_the_original_weights_are_no_evidence_for_learning() -> None:
    sentence = statistics([replayed(k, 5, 5, version=0) for k in range(12)]).sentence
    assert sentence.startswith("Nothing learnt yet: 12 objects")


def filled(store: Store) -> None:
    history = (record(None, 0.4), record(iou=NAN, seconds=1.25), record(seconds=2.0))
    saved = store.accept(accepted(history=history, box=Box(1, 2, 3, 4)), WIDTH, HEIGHT)
    store.accept(accepted("b.png"), WIDTH, HEIGHT)
    store.log_twin(TwinReport(1, saved.id, 3, (0.5, 0.86, 0.92), (0.95,), 0.2))
    store.log_adaptation(report(saved.id, 1))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_tables_hold_every_object_and_every_step(store: Store, tmp_path: Path) -> None:
    filled(store)
    made = write_statistics(store, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in made)
    objects, clicks = table(tmp_path / "out" / "objects.csv"), table(tmp_path / "out" / "clicks.csv")
    assert list(objects[0]) == list(OBJECT_COLUMNS)
    assert list(clicks[0]) == list(CLICK_COLUMNS)
    assert [row["person_clicks_85"] for row in objects] == ["3", "1"]
    assert (objects[0]["adapted_clicks_85"], objects[0]["frozen_clicks_85"], objects[0]["frozen_clicks_90"]) == (
        "1",
        "2",
        "3",
    )
    assert objects[1]["replayed_version"] == objects[1]["adapted_clicks_90"] == ""
    assert [(row["object_id"], row["step"], row["kind"]) for row in clicks] == [
        ("1", "1", "box"),
        ("1", "2", "click"),
        ("1", "3", "click"),
        ("2", "1", "click"),
    ]
    assert (clicks[0]["x"], clicks[1]["iou"], clicks[1]["seconds"]) == ("", "", "1.25")


def test_the_json_is_strict_and_holds_figures_and_raw_records(store: Store, tmp_path: Path) -> None:
    filled(store)
    write_statistics(store, tmp_path)

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    found = json.loads((tmp_path / "statistics.json").read_text("utf-8"), parse_constant=refuse)
    assert found["figures"]["objects"] == 2
    assert found["figures"]["frozen"]["noc_90"] == 3.0
    assert found["objects"][0]["frozen"] == [0.5, 0.86, 0.92]
    assert found["objects"][0]["steps"][1]["iou"] is None
    assert found["adaptations"][0]["version"] == 1
    assert "weights" not in found["adaptations"][0]


def test_statistics_of_an_empty_session_are_written_too(store: Store, tmp_path: Path) -> None:
    write_statistics(store, tmp_path)
    assert table(tmp_path / "objects.csv") == []
    assert json.loads((tmp_path / "statistics.json").read_text("utf-8"))["figures"]["person_clicks"] is None


def test_a_folder_that_cannot_be_written_is_refused_with_its_name(store: Store, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ExportError, match="taken"):
        write_statistics(store, tmp_path / "taken")


def test_a_mask_by_hand_that_no_clicks_reach_is_in_the_rates_and_not_in_the_curve() -> None:
    hand = replace(record(None, iou=1.0), hand="brush")
    never, found = (0.5,) * 20, (0.5, 0.9)
    drawn = ObjectRecord(1, "a.png", "object", "", 3.0, 0, (record(iou=0.4), hand), never, never, 1)
    reached = replace(drawn, object_id=2, adapted=found)
    clicked = replace(drawn, object_id=3, steps=(record(iou=0.4), record()))
    figures = statistics((drawn, reached, clicked))
    assert [p.person for p in figures.stream] == [2, 2, 2]
    assert [(p.adapted, p.frozen) for p in figures.stream] == [(None, None), (2, 20), (20, 20)]
    assert figures.adapted.fr_20_85 == pytest.approx(2 / 3)
    assert "2 objects" in figures.sentence


def test_figures_per_class_and_per_day_and_a_page_of_its_own(store: Store, tmp_path: Path) -> None:
    leaf = store.add_class("<leaf>")
    for class_id in (1, leaf.id, leaf.id):
        saved = store.accept(accepted(class_id=class_id, seconds=float(class_id)), WIDTH, HEIGHT)
        store.log_twin(TwinReport(0, saved.id, 1, trajectory(4), trajectory(2), 0.1))
    write_statistics(store, tmp_path / "out")
    with (tmp_path / "out" / "groups.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["by"], row["name"], row["objects"]) for row in rows[:2]] == [
        ("class", "object", "1"),
        ("class", "<leaf>", "2"),
    ]
    assert (rows[1]["adapted_noc_85"], rows[1]["frozen_noc_85"], rows[1]["seconds_per_object"]) == ("2", "4", "2")
    assert [row["objects"] for row in rows[2:]] == ["3"]
    page = (tmp_path / "out" / "statistics.html").read_text("utf-8")
    assert "&lt;leaf&gt;" in page
    assert "<leaf>" not in page
    assert "<polyline" in page
    assert "http" not in page
