"""Raw records come back as they were written; a file that holds anything else is refused in words."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from samtta_app.bench.click_rows import ClickRow, known_rows, model_column, read_click_rows, side_by_side, write_records
from samtta_app.errors import DatasetError
from tests.unit.bench.recorded import clicks


def written(tmp_path: Path, **changes: Any) -> Path:
    (record, *_) = clicks([0.9])
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({**asdict(record), **changes}) + "\n")
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    records = tuple(clicks([0.2, 0.9]))
    assert read_click_rows([write_records(records, tmp_path / "a.jsonl")]) == records


@pytest.mark.parametrize(
    "changes",
    [
        {"iou": "high"},
        {"iou": None},
        {"iou": [0.5]},
        {"set": 3},
        {"click": 1.5},
        {"obeyed": "yes"},
        {"window": [1, 2, 3]},
        {"window": "0123"},
        {"accepted_iou": {}},
    ],
)
def test_a_value_of_another_type_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(DatasetError, match="not a file of bench records") as caught:
        read_click_rows([written(tmp_path, **changes)])
    assert next(iter(changes)) in str(caught.value)


@pytest.mark.parametrize("text", ["hello", "[]", "3", "{}", "[" * 100_000, '{"set": "a"}', "\x00"])
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(DatasetError, match="not a file of bench records"):
        read_click_rows([tmp_path])


# --- the model of each record -----------------------------------------------------------------------------------------


def older(path: Path, *models: str) -> Path:
    """A file of one click for each model; "" is a record from before there was a column."""
    lines = []
    for number, model in enumerate(models):
        (record,) = clicks([0.9], number, model=model)
        lines.append(json.dumps({key: value for key, value in asdict(record).items() if value or key != "model"}))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))
    return path


def test_older_records_get_the_model_of_their_run_s_settings(tmp_path: Path) -> None:
    older(tmp_path / "records" / "a.jsonl", "", "vit_b")
    assert [row.model for row in read_click_rows([tmp_path])] == ["", "vit_b"]
    (tmp_path / "bench.json").write_text('{"model": "samtta-tiny"}')
    assert [row.model for row in read_click_rows([tmp_path])] == ["samtta-tiny", "vit_b"]


@pytest.mark.parametrize("settings", ["{", "[1]", "{}", '"words"'])
def test_settings_that_say_nothing_leave_the_model_empty(tmp_path: Path, settings: str) -> None:
    older(tmp_path / "records" / "a.jsonl", "")
    (tmp_path / "bench.json").write_text(settings)
    assert [row.model for row in read_click_rows([tmp_path])] == [""]


def test_settings_beside_another_folder_are_not_those_of_the_records(tmp_path: Path) -> None:
    older(tmp_path / "quality" / "records.jsonl", "")
    (tmp_path / "bench.json").write_text('{"model": "samtta-tiny"}')
    assert [row.model for row in read_click_rows([tmp_path / "quality"])] == [""]


def test_the_side_of_the_input_belongs_to_the_model_s_name() -> None:
    assert model_column("samtta-small") == "samtta-small"
    assert model_column("samtta-small", 512) == "samtta-small at 512"


def test_new_rows_replace_those_of_their_run_and_stand_beside_the_others(tmp_path: Path) -> None:
    first, second = clicks([0.1], model="a"), clicks([0.2], model="b")
    again = [replace(first[0], iou=0.3)]
    path = write_records(side_by_side(first, second, lambda row: row.model), tmp_path / "records.jsonl")
    rows = side_by_side(known_rows(path, ClickRow), again, lambda row: row.model)
    assert rows == (*second, *again)
    assert known_rows(tmp_path / "absent.jsonl", ClickRow) == ()
