"""Histograms of how the accepted masks of a project are formed, and their place in the exports."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.mask_shape import MaskShape
from samtta_app.core.types import Mask
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.mask_histograms import MOST_PARTS, SHARE_BINS, histograms, mask_shapes
from samtta_app.session.statistics.statistics_export import write_statistics
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted

SQUARE = Mask(10, 10, np.ones((24, 32), np.bool_))
"""A quarter of the image's width and of its height."""

SPECKS = Mask(10, 10, np.array([[True, False, True]]))


def counted(measure: str, *shapes: MaskShape) -> dict[tuple[float, float], int]:
    """The bins of one measure that hold something."""
    found = histograms(dict(enumerate(shapes)))
    return {(each.low, each.high): each.masks for each in found if each.measure == measure and each.masks}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_value_on_an_edge_is_in_the_bin_above_and_one_is_in_the_last() -> None:
    assert counted("size", MaskShape(0.25, 1, 0.0), MaskShape(0.26, 1, 0.0)) == {(0.25, 0.3): 2}
    assert counted("concavity", MaskShape(0.1, 1, 1.0), MaskShape(0.1, 1, 0.0)) == {(0.95, 1.0): 1, (0.0, 0.05): 1}


def test_many_parts_share_a_bin() -> None:
    shapes = [MaskShape(0.1, parts, 0.0) for parts in (1, 1, 2, MOST_PARTS, 500)]
    assert counted("parts", *shapes) == {(1, 2): 2, (2, 3): 1, (MOST_PARTS, math.inf): 2}


def test_every_project_has_the_same_bins() -> None:
    bins = [(each.measure, each.low) for each in histograms({})]
    assert bins == [(each.measure, each.low) for each in histograms({1: MaskShape(0.3, 2, 0.4)})]
    assert len(bins) == 2 * SHARE_BINS + MOST_PARTS
    assert not any(each.masks for each in histograms({}))


def test_shapes_are_those_of_the_stored_masks(store: Store) -> None:
    first = store.accept(accepted("a.png", SQUARE), WIDTH, HEIGHT).id
    second = store.accept(accepted("b.png", SPECKS), WIDTH, HEIGHT).id
    gone = store.accept(accepted("b.png", SPECKS), WIDTH, HEIGHT).id
    store.set_deleted(gone, True)
    found = mask_shapes(store)
    assert set(found) == {first, second}
    assert found[first] == MaskShape(0.25, 1, 0.0)
    assert found[second].parts == 2
    assert found[second].concavity == pytest.approx(1 / 3)


def test_the_exports_hold_them(store: Store, tmp_path: Path) -> None:
    store.accept(accepted("a.png", SQUARE), WIDTH, HEIGHT)
    store.accept(accepted("a.png", SPECKS), WIDTH, HEIGHT)
    made = write_statistics(store, tmp_path / "out")
    assert "histograms.csv" in {path.name for path in made}
    rows = table(tmp_path / "out" / "histograms.csv")
    held = [(row["measure"], row["low"], row["high"], row["masks"]) for row in rows if row["masks"] != "0"]
    assert ("size", "0.25", "0.3", "1") in held
    assert ("parts", "2", "3", "1") in held
    assert ("concavity", "0.3", "0.35", "1") in held
    assert rows[SHARE_BINS + MOST_PARTS - 1]["high"] == ""
    objects = table(tmp_path / "out" / "objects.csv")
    assert [(row["relative_size"], row["parts"]) for row in objects] == [
        ("0.25", "1"),
        (objects[1]["relative_size"], "2"),
    ]
    plain = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert plain["objects"][0]["shape"] == {"size": 0.25, "parts": 1, "concavity": 0.0}
    assert sum(each["masks"] for each in plain["histograms"] if each["measure"] == "parts") == 2
    assert [each["high"] for each in plain["histograms"] if each["measure"] == "parts"][-1] is None


def test_a_project_without_objects_has_empty_histograms(store: Store, tmp_path: Path) -> None:
    write_statistics(store, tmp_path)
    assert {row["masks"] for row in table(tmp_path / "histograms.csv")} == {"0"}


def test_writing_again_replaces_the_histograms(store: Store, tmp_path: Path) -> None:
    write_statistics(store, tmp_path)
    store.accept(accepted("a.png", SQUARE), WIDTH, HEIGHT)
    write_statistics(store, tmp_path)
    assert sum(int(row["masks"]) for row in table(tmp_path / "histograms.csv")) == 3
