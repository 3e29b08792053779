"""Edges are matched one to one within a distance, and their figures are those of the BSDS protocol."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from samtta_app.bench.edges_run import EdgeRow, edge_counts, matching_pixels
from samtta_app.bench.report.edge_figures import area_under, edge_figures, recall_at_half, show_edges
from samtta_app.cli.bench import bench_app
from samtta_app.errors import DatasetError


def line(row: int, side: int = 200) -> np.ndarray:
    found = np.zeros((side, side), bool)
    found[row, 20:120] = True
    return found


def test_pixels_match_within_the_distance_and_only_once() -> None:
    """A hundredth of 0.75 diagonals of 200 x 200 is 2.1 pixels."""
    assert matching_pixels(line(50), line(50)) == 100
    assert matching_pixels(line(52), line(50)) == 100
    assert matching_pixels(line(53), line(50)) == 0
    assert matching_pixels(line(49) | line(51), line(50)) == 100, "each border pixel has one partner"
    assert matching_pixels(line(50) & False, line(50)) == 0


def test_counts_fall_with_the_threshold_and_thick_edges_are_thinned() -> None:
    strength = np.zeros((200, 200), np.float32)
    strength[48:53, 20:120] = 0.9
    strength[120, 20:120] = 0.3
    matched, found = edge_counts(strength, line(50), [0.2, 0.25, 0.5, 0.95])
    assert found[0] == found[1]
    assert 190 <= found[0] <= 200
    assert 90 <= found[2] <= 100
    assert found[3] == matched[3] == 0
    assert matched[0] == matched[2] == found[2]


def row(**changes: object) -> EdgeRow:
    values: dict[str, object] = {
        "set": "s",
        "image": "a",
        "thresholds": [0.25, 0.5, 0.75],
        "matched": [80, 60, 20],
        "found": [160, 75, 20],
        "true": 100,
        "masks": 12,
        "seconds": 1.0,
        "model": "m",
    }
    return EdgeRow(**(values | changes))  # type: ignore[arg-type]


def test_figures_by_hand() -> None:
    (one,) = edge_figures([row()])
    best = 2 * 0.8 * 0.6 / 1.4
    assert (one.ods, one.ois, one.threshold) == (pytest.approx(best), pytest.approx(best), 0.5)
    assert one.r50 == pytest.approx(0.8)
    other = row(image="b", matched=[90, 20, 5], found=[100, 20, 5])
    (both,) = edge_figures([row(), other])
    precision, recall = 170 / 260, 170 / 200
    assert both.ods == pytest.approx(2 * precision * recall / (precision + recall))
    precision, recall = 150 / 175, 150 / 200
    assert both.ois == pytest.approx(2 * precision * recall / (precision + recall))
    console = Console(width=160, record=True)
    show_edges(console, [both])
    assert "ODS" in console.export_text()


def test_the_area_ends_where_recall_does() -> None:
    precision, recall = np.array([0.5, 1.0]), np.array([0.5, 0.0])
    assert area_under(precision, recall) == pytest.approx(np.linspace(1, 0.5, 51).sum() / 100)
    assert recall_at_half(np.array([0.6, 0.9]), np.array([0.7, 0.1])) == pytest.approx(0.7)


def test_the_command_measures_a_set(shared_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--images", "1", "--points-per-side", "4", "--input-size", "128", "--thresholds", "9"]
    bench_app(["edges", str(shared_dataset), *options, "--out", str(tmp_path)], standalone_mode=False)
    assert "ODS" in capsys.readouterr().out
    (figures,) = json.loads((tmp_path / "edges.json").read_text())
    assert 0 < figures["ods"] <= figures["ois"] <= 1
    assert figures["masks"] > 0
    (tmp_path / "edges.jsonl").write_text("[]\n")
    with pytest.raises(DatasetError, match="other records"):
        bench_app(["edges", str(shared_dataset), *options, "--out", str(tmp_path)], standalone_mode=False)
