"""The bench of exports: every program writes the same masks, and the figures say how much each needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from samtta_app.bench.format_peers import by_pycocotools
from samtta_app.bench.format_speed import bench_project, measure_formats
from samtta_app.cli.bench_formats import CONSUMERS, measure_format_speed, supervision_python
from samtta_app.errors import UserError
from samtta_app.formats.coco import COCO
from samtta_app.regular_files import read_json


def test_both_sides_write_the_same_masks(tmp_path: Path) -> None:
    (ours,) = COCO.write(bench_project(120, 96, tmp_path), tmp_path / "out")
    said = by_pycocotools(120, 96, tmp_path / "theirs.json")
    theirs = json.loads((tmp_path / "theirs.json").read_text())["annotations"]
    entries = read_json(ours)["annotations"]
    assert len(entries) == 120
    for mine, other in zip(entries, theirs, strict=True):
        for key in ("id", "segmentation", "area", "bbox", "image_id"):
            assert mine[key] == other[key]
    assert said["masks_per_second"] == pytest.approx(120 / said["processor_seconds"])


def test_the_command_says_speed_memory_and_ratio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CONSUMERS, raising=False)
    measure_format_speed(masks=100, side=64, consumers=None, out=tmp_path)
    rows = read_json(tmp_path / "formats.json")
    assert [(row["program"], row["masks"]) for row in rows[:3]] == [
        ("samtta", 10),
        ("samtta", 100),
        ("pycocotools", 100),
    ]
    assert rows[1]["ratio"] == 1.0
    assert all(row["seconds"] > 0 and row["megabytes"] >= 0 for row in rows[:3])
    said = capsys.readouterr().out
    assert "masks/s" in said
    assert "ratio" in said


def test_a_program_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"unknown ended with 1"):
        measure_formats(1, 64, {"unknown": Path(sys.executable)})
    with pytest.raises(UserError, match="environment"):
        supervision_python(tmp_path)
