"""Figures of points by group: means and intervals worked out by hand, and their tables."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from samtta_app.bench.points import Point
from samtta_app.bench.report.point_figures import (
    PointGroup,
    point_groups,
    point_tables,
    show_points,
    size_of,
    write_point_tables,
)
from samtta_app.errors import DatasetError, ExportError


def point(points: int, iou: float, oracle: float | None = None, *, instance: int = 1, **what: object) -> Point:
    row = Point("s", "centre", "im", instance, points, 1.0, 2.0, True, iou, iou if oracle is None else oracle, 0.5)
    return replace(row, **{"area": 500, "class_name": "nut", **what})  # type: ignore[arg-type]


def objects(ious: list[float], start: int = 0, **what: object) -> list[Point]:
    """One point on each object of an image of its own; they are numbered from `start`."""
    return [point(1, iou, instance=k, image=f"im{k}", **what) for k, iou in enumerate(ious, start)]


def only(rows: list[Point], by: str, group: str = "", **what: str) -> PointGroup:
    chosen = {"set": "s", "way": "centre", "model": "", "look": "windows", **what}
    (found,) = (
        each
        for each in point_groups(rows)
        if (each.by, each.group) == (by, group) and all(getattr(each, k) == v for k, v in chosen.items())
    )
    return found


def shown(rows: list[Point]) -> str:
    console = Console(file=io.StringIO(), width=200)
    show_points(console, point_groups(rows))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_sizes_are_those_of_coco() -> None:
    areas = (1, 32 * 32 - 1, 32 * 32, 96 * 96 - 1, 96 * 96, 10**7)
    assert [size_of(area) for area in areas] == ["small", "small", "medium", "medium", "large", "large"]


def test_means_are_over_objects_and_a_finished_object_keeps_its_mask() -> None:
    found = only([point(2, 0.4), point(1, 0.2, 0.6), point(1, 1.0, instance=2)], "all")
    assert found.objects == 2
    assert found.confident[1].value == pytest.approx(0.6)
    assert found.oracle[1].value == pytest.approx(0.8)
    for count in (2, 3, 5, 9):
        assert found.confident[count].value == found.oracle[count].value == pytest.approx(0.7)


def test_a_class_and_a_size_have_their_own_objects_only() -> None:
    rows = [*objects([0.2, 0.4], class_name="nut"), *objects([0.9], 2, class_name="bolt", area=10**5)]
    assert only(rows, "class", "nut").confident[1].value == pytest.approx(0.3)
    assert only(rows, "class", "bolt").confident[3].value == pytest.approx(0.9)
    assert only(rows, "size", "small").objects == 2
    assert only(rows, "size", "large").objects == 1
    assert {each.group for each in point_groups(rows) if each.by == "size"} == {"small", "large"}


def test_objects_without_an_area_or_a_class_are_in_no_such_group() -> None:
    assert [each.by for each in point_groups(objects([0.5, 0.7], area=None, class_name=""))] == ["all"]


def test_models_and_looks_and_ways_are_kept_apart() -> None:
    rows = [
        point(1, iou, model=model, whole=whole, way=way)
        for iou, (model, whole, way) in zip(
            (0.1, 0.2, 0.3, 0.4),
            [("a", False, "centre"), ("b", False, "centre"), ("b", True, "centre"), ("b", True, "random")],
            strict=True,
        )
    ]
    whole = [(g.model, g.look, g.way, g.confident[1].value) for g in point_groups(rows) if g.by == "all"]
    assert whole == [
        ("a", "windows", "centre", 0.1),
        ("b", "windows", "centre", 0.2),
        ("b", "whole image", "centre", 0.3),
        ("b", "whole image", "random", 0.4),
    ]


def test_several_sets_of_a_model_are_also_taken_together_by_size_but_not_by_class() -> None:
    rows = [*objects([0.2]), *objects([0.6, 0.7], set="t"), *objects([0.9], model="b")]
    together = [g for g in point_groups(rows) if g.set == "all"]
    assert [(g.model, g.by, g.group, g.objects) for g in together] == [("", "all", "", 3), ("", "size", "small", 3)]
    assert together[0].confident[1].value == pytest.approx(0.5)


def test_the_interval_holds_the_mean_and_is_as_wide_as_the_objects_differ() -> None:
    wide, narrow = only(objects([0.1, 0.9] * 20), "all"), only(objects([0.45, 0.55] * 20), "all")
    for found, spread in ((wide, 0.4), (narrow, 0.05)):
        low, high = found.confident[1].interval
        assert low < 0.5 < high
        # 1.96 standard errors of a mean of 40 to each side
        assert high - low == pytest.approx(2 * 1.96 * spread / 40**0.5, rel=0.15)


def test_objects_of_one_image_are_drawn_together() -> None:
    ious = [0.1] * 10 + [0.9] * 10
    apart = only(objects(ious), "all").confident[1].interval
    two = [point(1, iou, instance=k, image=f"im{k // 10}") for k, iou in enumerate(ious)]
    together = only(two, "all").confident[1].interval
    assert together[1] - together[0] > 1.5 * (apart[1] - apart[0])


def test_few_objects_have_a_mean_and_no_interval(tmp_path: Path) -> None:
    rows = [*objects([0.5] * 5 + [0.7] * 5), *objects([0.25], 10, class_name="bolt", area=10**6)]
    (_, sizes, classes) = point_tables(point_groups(rows))
    assert [row[-2] for row in sizes.rows][2] == "0.250"
    assert "[" in sizes.rows[1][-2]
    assert [row[4] for row in classes.rows] == ["all", "bolt", "nut"]
    write_point_tables(point_groups(rows), tmp_path)
    table = list(csv.DictReader((tmp_path / "points.csv").read_text().splitlines()))
    bolts = [row for row in table if row["group"] == "bolt" and row["points"] == "1"]
    assert [(row["mask"], row["iou"], row["low"]) for row in bolts] == [
        ("most confident", "0.25", ""),
        ("oracle", "0.25", ""),
    ]


def test_tables_have_the_form_of_sam_s_table_of_groups() -> None:
    text = shown([*objects([0.25, 0.75] * 6), *objects([1.0], 12, class_name="bolt")])
    for expected in (
        "1 point",
        "3 points",
        "most confident",
        "oracle",
        "small",
        "bolt",
        "0.538 [",
        "32² and 96² pixels",
    ):
        assert expected in text
    assert "Mean IoU by class" not in shown(objects([0.5], class_name=""))


def test_files_are_written_once_more_and_a_user_s_own_are_left(tmp_path: Path) -> None:
    groups = point_groups(objects([0.5] * 12))
    for _ in range(2):
        files = write_point_tables(groups, tmp_path / "out")
    assert [file.name for file in files] == ["points.md", "points.csv"]
    assert files[0].read_text().startswith("# Points")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "points.md").write_text("my notes")
    with pytest.raises(ExportError, match=r"points\.md"):
        write_point_tables(groups, tmp_path / "mine")
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_point_tables(groups, tmp_path / "file")
