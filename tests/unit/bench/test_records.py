"""Raw records come back as they were written; a file that holds anything else is refused in words."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from samtta_app.bench.click_rows import read_click_rows, write_records
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
