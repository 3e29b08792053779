"""Boxes of a detector are read in both of COCO's layouts, and every other file is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from samtta_app.core.types import Box
from samtta_app.errors import DatasetError
from samtta_app.formats.detections import inside_image, read_detections


def entry(image: object, **changes: object) -> dict[str, object]:
    return {"image_id": image, "category_id": 3, "bbox": [10, 20, 5, 7], "score": 0.75} | changes


def written(folder: Path, values: object) -> Path:
    path = folder / "boxes.json"
    path.write_text(json.dumps(values))
    return path


@pytest.mark.parametrize("key", ["cell.png", "cell"])
def test_a_list_of_results_names_its_images(key: str, tmp_path: Path) -> None:
    found = read_detections(written(tmp_path, [entry(key), entry("other.png")]))
    (box,) = found.of("cell.png")
    assert (box.box, box.score, box.category) == (Box(10, 20, 14, 26), 0.75, 3)
    assert found.categories == {3: "category 3"}
    assert found.of("third.png") == ()


def test_a_number_is_the_image_whose_name_it_is(tmp_path: Path) -> None:
    found = read_detections(written(tmp_path, [entry(139), entry(139, score=0.5)]))
    assert [box.score for box in found.of("000000000139.jpg")] == [0.75, 0.5]


def test_a_data_set_brings_its_names(tmp_path: Path) -> None:
    values = {
        "images": [{"id": 8, "file_name": "a.png"}],
        "annotations": [entry(8, category_id=2)],
        "categories": [{"id": 2, "name": "cell"}],
    }
    found = read_detections(written(tmp_path, values))
    assert len(found.of("a.png")) == 1
    assert found.categories == {2: "cell"}


@pytest.mark.parametrize(
    "values",
    [
        [entry("a", bbox=[1, 2, 3])],
        [entry("a", bbox=[1, 2, 0, 4])],
        [entry("a", bbox=[1, 2, -3, 4])],
        [entry("a", bbox=[float("nan"), 2, 3, 4])],
        [entry("a", score="high")],
        [{"bbox": [1, 2, 3, 4]}],
        ["a"],
        {"annotations": []},
        {"images": [], "annotations": [entry(5)]},
        17,
    ],
)
def test_what_is_no_list_of_boxes_is_refused(values: object, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"detections cannot be read.*Give a JSON"):
        read_detections(written(tmp_path, values))


def test_broken_json_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('[{"image_id": ')
    for name in ("b.json", "none.json"):
        with pytest.raises(DatasetError, match="cannot be read"):
            read_detections(tmp_path / name)


def test_a_box_is_cut_to_its_image_and_gone_outside() -> None:
    assert inside_image(Box(-5, 3, 200, 8), 100, 50) == Box(0, 3, 99, 8)
    for box in (Box(100, 0, 120, 9), Box(-9, 0, -1, 9), Box(0, 50, 9, 60), Box(0, -9, 9, -0.5)):
        assert inside_image(box, 100, 50) is None
