"""Files of other programs come in object by object: what is right comes in, what is wrong is named with its reason."""

from __future__ import annotations

import base64
import itertools
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from samtta_app.core.masks import full
from samtta_app.errors import DatasetError
from samtta_app.formats import FORMATS, json_entries
from samtta_app.formats.importers import IMPORTERS, ImportCount, ImportedObject, ProjectImages, import_objects
from tests.unit.formats.values import SIZE, annotation, block, project, ring

HEIGHT, WIDTH = SIZE
Values = dict[str, object]


@pytest.fixture
def images(pictures: Path) -> ProjectImages:
    return ProjectImages(pictures, (path.name for path in sorted(pictures.iterdir())))


def brought(
    name: str, path: Path, images: ProjectImages, **told: object
) -> tuple[list[ImportedObject], list[tuple[str, str]]]:
    count = ImportCount()
    found = list(import_objects(IMPORTERS[name], path, images, count, **told))  # type: ignore[arg-type]
    assert count.objects == len(found)
    assert count.refused_number == len(count.refused)
    return found, [(each.where, each.reason) for each in count.refused]


# --- what we wrote, read as an import ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in IMPORTERS if name != "masks"])
def test_what_samtta_exports_can_be_imported(tmp_path: Path, pictures: Path, images: ProjectImages, name: str) -> None:
    objects = annotation(1, block(3, 4, 20, 30)), annotation(2, block(30, 0, 60, 40), "b.png", 4)
    FORMATS[name].write(project(*objects, folder=pictures), tmp_path / "out")
    found, refused = brought(name, tmp_path / "out", images)
    assert refused == []
    assert [(o.image_name, o.class_name, o.size) for o in found] == [
        ("a.png", "object", SIZE),
        ("b.png", "Zellkern äöü", SIZE),
    ]
    for one, before in zip(found, objects, strict=True):
        assert (full(one.mask, *SIZE) == full(before.mask, *SIZE)).all()


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("a.png", "a.png"),
        ("A.PNG", "a.png"),
        ("a", "a.png"),
        ("a.jpg", "a.png"),
        ("train/images/a.png", "a.png"),
        ("C:\\data\\a.png", "a.png"),
        ("../../../a.png", "a.png"),
        ("/etc/passwd", None),
        ("", None),
        ("..", None),
        ("\0", None),
        ("x" * 300, None),
        ("gr\udcfcn.png", None),
    ],
)
def test_an_image_is_found_by_its_name_alone(images: ProjectImages, named: str, found: str | None) -> None:
    assert images.find(named) == found


def test_a_name_that_two_images_have_is_not_guessed(pictures: Path) -> None:
    images = ProjectImages(pictures, ("x.png", "x.jpg"))
    assert images.find("x.jpg") == "x.jpg"
    assert images.find("x") is None


# --- COCO -------------------------------------------------------------------------------------------------------------

SQUARE = [[1, 1, 9, 1, 9, 9, 1, 9]]


def coco(path: Path, *objects: Values, **changes: object) -> Path:
    values = {
        "images": [{"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [
            {"id": k, "image_id": 1, "category_id": 1, "segmentation": SQUARE, **each} for k, each in enumerate(objects)
        ],
    }
    path.write_text(json.dumps({**values, **changes}))
    return path


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"segmentation": [[1, 1, 2, 2]]}, "2 corners"),
        ({"segmentation": []}, "no outline"),
        ({"segmentation": [[1, 1, float("nan"), 2, 3, 3]]}, "not finite"),
        ({"segmentation": [[1, 1, float("inf"), 2, 3, 3]]}, "not finite"),
        ({"segmentation": [[1, 1, 1e12, 2, 3, 3]]}, "far outside"),
        ({"segmentation": [[0, 0, 999_999, 999_999] * 9]}, "too long"),
        ({"segmentation": [[-20, -20, -10, -20, -10, -10]]}, "no pixels"),
        ({"segmentation": [[1, 1, "x", 2, 3, 3]]}, "no number"),
        ({"segmentation": [[1, 1, 2, 2, 3]]}, "pairs"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": [5, 5]}}, "add up"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": [-1, HEIGHT * WIDTH + 1]}}, "add up"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": [[1], [2]]}}, "add up"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": [1.5, 2398.5]}}, "add up"),
        ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": "0"}}, "run lengths"),
        ({"segmentation": {"size": [WIDTH, HEIGHT], "counts": [HEIGHT * WIDTH]}}, "size of its image"),
        ({"segmentation": 7}, "size of its image"),
        ({"category_id": 9}, "category 9"),
        ({"category_id": None}, "category None"),
        ({"image_id": 9}, "image 9"),
        ({"image_id": [1]}, "another kind"),
    ],
)
def test_an_object_that_is_wrong_is_named_and_the_others_come_in(
    tmp_path: Path, images: ProjectImages, values: Values, reason: str
) -> None:
    found, refused = brought("coco", coco(tmp_path / "c.json", {}, values, {}), images)
    assert len(found) == 2
    assert len(refused) == 1
    assert reason in refused[0][1]


def test_negative_and_outside_corners_are_cut_at_the_border(tmp_path: Path, images: ProjectImages) -> None:
    outside = {"segmentation": [[-5, -5, 5, -5, 5, 5, -5, 5]]}, {"segmentation": [[55, 30, 99, 30, 99, 99, 55, 99]]}
    (one, other), refused = brought("coco", coco(tmp_path / "c.json", *outside), images)
    assert refused == []
    assert (one.mask.area, other.mask.area) == (25, 50)


def test_ids_that_are_used_twice_are_named(tmp_path: Path, images: ProjectImages) -> None:
    image = {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}
    file = coco(tmp_path / "c.json", {"id": 5}, {"id": 5}, images=[image, {**image, "file_name": "b.png"}])
    found, refused = brought("coco", file, images)
    assert [o.image_name for o in found] == ["a.png"]
    assert refused == [("image 1", "its id is used twice"), ("object 5", "its id is used twice")]


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ({"file_name": "missing.png"}, "no image of the project"),
        ({"file_name": "../../../etc/passwd"}, "no image of the project"),
        ({"file_name": "x" * 255}, "no image of the project"),
        ({"width": 61}, "60 x 40"),
        ({"width": 60_000, "height": 60_000}, "60 x 40"),
        ({"file_name": "missing.png", "width": 60_000, "height": 60_000}, "too large"),
        ({"width": 0}, "size"),
        ({"width": "60"}, "size"),
        ({"width": None}, "size"),
    ],
)
def test_an_image_that_is_not_the_project_s_is_named(
    tmp_path: Path, images: ProjectImages, image: Values, reason: str
) -> None:
    listed = {"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT, **image}
    found, refused = brought("coco", coco(tmp_path / "c.json", {}, images=[listed]), images)
    assert found == []
    assert reason in refused[0][1]


def test_an_image_or_a_category_without_an_id_is_named(tmp_path: Path, images: ProjectImages) -> None:
    image = {"file_name": "a.png", "width": WIDTH, "height": HEIGHT}
    classes = [{"id": 1, "name": "cell"}, {"id": 1, "name": "other"}, {"id": None}]
    file = coco(tmp_path / "c.json", {}, images=[image, {"id": 1, **image}, {"id": [2]}], categories=classes)
    (one,), refused = brought("coco", file, images)
    assert one.class_name == "cell"
    assert [where for where, _ in refused] == [
        "image 1 of the list",
        "image 3 of the list",
        "category 1",
        "category 3 of the list",
    ]


@pytest.mark.parametrize("missing", ["images", "categories", "annotations"])
def test_a_list_that_is_missing_is_named(tmp_path: Path, images: ProjectImages, missing: str) -> None:
    values = json.loads(coco(tmp_path / "c.json", {}).read_text())
    (tmp_path / "c.json").write_text(json.dumps({key: value for key, value in values.items() if key != missing}))
    with pytest.raises(DatasetError, match=f"it has no '{missing}'"):
        brought("coco", tmp_path / "c.json", images)


def test_sizes_that_a_file_does_not_give_are_those_of_the_images(tmp_path: Path, images: ProjectImages) -> None:
    """Old files of labelme and some writers of COCO leave them out."""
    file = coco(tmp_path / "c.json", {}, images=[{"id": 1, "file_name": "a.png"}])
    assert [o.size for o in brought("coco", file, images)[0]] == [SIZE]
    shape = {"label": "p", "points": [[1, 1], [9, 1], [9, 9]]}
    head = {"imagePath": "a.png", "imageHeight": None, "imageWidth": None}
    (tmp_path / "a.json").write_text(json.dumps({**head, "shapes": [shape]}))
    assert [o.size for o in brought("labelme", tmp_path / "a.json", images)[0]] == [SIZE]


def test_lines_of_yolo_may_begin_with_a_byte_order_mark(tmp_path: Path, images: ProjectImages) -> None:
    (tmp_path / "data.yaml").write_text("names: [cell]", encoding="utf-8-sig")
    (tmp_path / "a.txt").write_text("0 0.1 0.1 0.5 0.1 0.5 0.5\r\n", encoding="utf-8-sig")
    (one,), refused = brought("yolo", tmp_path, images)
    assert (one.class_name, refused) == ("cell", [])


@pytest.mark.parametrize("changes", [{"images": 3}, {"categories": None}, {"annotations": {}}, {"images": [3]}])
def test_a_file_that_is_no_coco_file_is_refused_as_a_whole(
    tmp_path: Path, images: ProjectImages, changes: Values
) -> None:
    file = coco(tmp_path / "c.json", {}, **changes)
    if changes == {"annotations": {}}:
        assert brought("coco", file, images) == ([], [])
        return
    with pytest.raises(DatasetError, match="not a COCO file"):
        brought("coco", file, images)


def test_objects_take_no_memory_but_that_of_their_ids(
    tmp_path: Path, images: ProjectImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million objects are read as a hundred are: one after the other, whatever the file holds first."""
    monkeypatch.setattr(json_entries, "READ_BYTES", 4096)
    peaks = {}
    for number in (60, 600):
        file = coco(tmp_path / f"{number}.json", *({"other": list(range(300))},) * number)
        tracemalloc.start()
        try:
            assert sum(1 for _ in import_objects(IMPORTERS["coco"], file, images, ImportCount())) == number
            peaks[number] = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert file.stat().st_size > 300_000
    assert peaks[600] - peaks[60] < 540 * 200  # an id and its place in a set


def test_images_and_categories_may_stand_behind_the_objects(tmp_path: Path, images: ProjectImages) -> None:
    values = json.loads(coco(tmp_path / "c.json", {}, {}).read_text())
    shares: list[float] = []
    for order in itertools.permutations(values):
        (tmp_path / "c.json").write_text(json.dumps({"info": {"a": [1]}, **{key: values[key] for key in order}}))
        count = ImportCount()
        told = import_objects(
            IMPORTERS["coco"], tmp_path / "c.json", images, count, progress=lambda done, _: shares.append(done)
        )
        assert [o.class_name for o in told] == ["cell", "cell"], order
    assert max(shares) == 1.0


def test_a_task_of_label_studio_that_is_wrong_is_named_and_the_others_come_in(
    tmp_path: Path, pictures: Path, images: ProjectImages
) -> None:
    FORMATS["label-studio"].write(project(annotation(1, block(0, 0, 20, 20)), folder=pictures), tmp_path)
    (file,) = tmp_path.glob("label_*.json")
    tasks = json.loads(file.read_text())
    file.write_text(json.dumps([3, {"data": {}}, *tasks, {"data": {}, "annotations": [{}]}]))
    found, refused = brought("label-studio", file, images)
    assert [o.image_name for o in found] == ["a.png"]
    assert [where for where, _ in refused] == ["task 1", "task 2", "task 4"]


# --- cut off, other encodings, other kinds of files -------------------------------------------------------------------

ONE_FILE = {
    "coco": "annotations/instances_default.json",
    "cvat": "cvat.xml",
    "label-studio": "label_studio.json",
    "labelme": "labelme/a.json",
    "geojson": "geojson/a.geojson",
    "npz": "npz/a.npz",
    "tiff": "tiff/a_masks.tif",
    "png": "instances/a.png",
    "voc": "SegmentationObject/a.png",
    "yolo": "labels/train/a.txt",
}


def damaged_cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def damaged_utf16(data: bytes) -> bytes:
    return data.decode("latin-1").encode("utf-16")


def damaged_ebcdic(data: bytes) -> bytes:
    return data.decode("latin-1").encode("cp500", errors="replace")


DAMAGES = (damaged_cut, damaged_ebcdic, lambda data: b"", lambda data: b"\xff\x00" * 400)
JSON_NAMES = ("coco", "label-studio", "labelme", "geojson")
"""JSON in UTF-16 is no damage."""

DAMAGED = [(name, damage) for name in ONE_FILE for damage in DAMAGES]
DAMAGED += [(name, damaged_utf16) for name in ONE_FILE if name not in JSON_NAMES]


@pytest.mark.parametrize(("name", "damage"), DAMAGED)
def test_a_damaged_file_is_refused_in_words_and_the_reader_goes_on(
    tmp_path: Path, pictures: Path, images: ProjectImages, name: str, damage: Callable[[bytes], bytes]
) -> None:
    objects = annotation(1, block(0, 0, 20, 20)), annotation(2, block(0, 0, 20, 20), "b.png")
    FORMATS[name].write(project(*objects, folder=pictures), tmp_path)
    file = tmp_path / ONE_FILE[name]
    file.write_bytes(damage(file.read_bytes()))
    try:
        found, refused = brought(name, tmp_path, images)
    except DatasetError:
        assert name in ("coco", "cvat", "label-studio", "voc", "yolo", "png")
        return
    assert name not in ("coco", "cvat", "label-studio")
    empty_yolo = name == "yolo" and not refused  # an empty file of lines is an image without objects
    assert empty_yolo or all(reason for _, reason in refused)
    assert [o.image_name for o in found if o.image_name != "a.png"] == ["b.png"]


@pytest.mark.parametrize("name", IMPORTERS)
@pytest.mark.parametrize("place", ["nowhere", "folder", "text.json"])
def test_a_path_without_such_a_file_is_refused_in_words(
    tmp_path: Path, images: ProjectImages, name: str, place: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.json").write_text('{"hello": 1}')
    try:
        found, refused = brought(name, tmp_path / place, images)
    except DatasetError:
        return
    assert found == []
    assert refused


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
@pytest.mark.parametrize("name", ["labelme", "npz", "tiff", "masks", "yolo"])
def test_a_link_out_of_the_chosen_folder_is_not_followed(
    tmp_path: Path, pictures: Path, images: ProjectImages, name: str
) -> None:
    form = "tiff" if name == "masks" else name
    objects = annotation(1, block(0, 0, 20, 20))
    FORMATS[form].write(project(objects, folder=pictures), tmp_path / "secret")
    secret = tmp_path / "secret" / ONE_FILE[form]
    (tmp_path / "chosen").mkdir()
    (tmp_path / "chosen" / secret.name).symlink_to(secret)
    with pytest.raises(DatasetError):
        brought(name, tmp_path / "chosen", images)


# --- single formats ---------------------------------------------------------------------------------------------------


def test_labelme_polygons_are_what_labelme_draws(tmp_path: Path, images: ProjectImages) -> None:
    shapes = [
        {"label": "p", "points": [[1, 1], [9, 1], [9, 9], [1, 9]], "shape_type": "polygon"},
        {"label": "r", "points": [[20, 5], [10, 2]], "shape_type": "rectangle"},
        {"label": "c", "points": [[30, 20], [35, 20]], "shape_type": "circle"},
        {"label": "l", "points": [[30, 20], [35, 20]], "shape_type": "line"},
        {"label": "t", "points": [[30, 20], [35, 20]], "shape_type": "polygon"},
        {"points": [[1, 1], [9, 1], [9, 9]]},
    ]
    head = {"imagePath": "..\\images\\a.png", "imageHeight": HEIGHT, "imageWidth": WIDTH}
    (tmp_path / "a.json").write_text(json.dumps({**head, "shapes": shapes}))
    found, refused = brought("labelme", tmp_path / "a.json", images)
    assert [(o.class_name, o.mask.area) for o in found[:2]] == [("p", 81), ("r", 44)]
    assert found[2].mask.area == pytest.approx(np.pi * 5.5**2, rel=0.1)
    assert [where for where, _ in refused] == ["a.json, shape 4", "a.json, shape 5", "a.json, shape 6"]


def test_a_png_that_claims_more_pixels_than_its_image_is_not_decoded(tmp_path: Path, images: ProjectImages) -> None:
    huge = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00" * 9
    shape = {"label": "m", "points": [[0, 0], [9, 9]], "shape_type": "mask", "mask": base64.b64encode(huge).decode()}
    head = {"imagePath": "a.png", "imageHeight": HEIGHT, "imageWidth": WIDTH}
    (tmp_path / "a.json").write_text(json.dumps({**head, "shapes": [shape]}))
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "b.png").write_bytes(huge)
    tracemalloc.start()
    try:
        for name, path in (("labelme", "a.json"), ("png", "masks"), ("masks", "masks")):
            found, refused = brought(name, tmp_path / path, images)
            assert (found, len(refused)) == ([], 1)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.1 0.1 0.5 0.5", "box"),
        ("0 0.1 0.1 0.5", "pairs"),
        ("0 0.1 0.1 0.5 0.5 1.5 0.9", "outside"),
        ("0 0.1 0.1 0.5 0.5 -0.1 0.9", "outside"),
        ("0 0.1 0.1 0.5 0.5 nan 0.9", "not finite"),
        ("7 0.1 0.1 0.5 0.5 0.1 0.9", "class 7"),
        ("x 0.1 0.1 0.5 0.5 0.1 0.9", "invalid"),
        ("0", "corners"),
    ],
)
def test_a_line_of_yolo_that_is_wrong_is_named(tmp_path: Path, images: ProjectImages, line: str, reason: str) -> None:
    (tmp_path / "data.yaml").write_text("names: [cell]")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text(f"0 0.1 0.1 0.5 0.1 0.5 0.5\n{line}\n\n")
    (one,), ((where, why),) = brought("yolo", tmp_path / "data.yaml", images)
    assert (one.image_name, one.class_name) == ("a.png", "cell")
    assert where == "labels/a.txt, line 2"
    assert reason in why


@pytest.mark.parametrize("text", ["names: 3", "[", "names:\n  a: b", "!!python/object/apply:os.system [exit]"])
def test_a_data_yaml_that_makes_no_sense_is_refused_and_runs_nothing(
    tmp_path: Path, images: ProjectImages, text: str
) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DatasetError, match="classes cannot be read"):
        brought("yolo", tmp_path, images)


def two_discs() -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    cv2.circle(mask, (10, 10), 5, 255, -1)
    cv2.circle(mask, (40, 20), 7, 255, -1)
    return mask


def test_the_parts_of_a_mask_are_one_object_or_many(tmp_path: Path, images: ProjectImages) -> None:
    cv2.imwrite(str(tmp_path / "a_mask.png"), two_discs())
    (one,), _ = brought("masks", tmp_path, images, split_parts=False, class_name="disc")
    first, second = brought("masks", tmp_path, images, split_parts=True, class_name="disc")[0]
    assert one.class_name == first.class_name == "disc"
    assert one.mask.area == first.mask.area + second.mask.area == np.count_nonzero(two_discs())


def test_a_mask_of_many_values_is_not_taken_for_one_of_two(tmp_path: Path, images: ProjectImages) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), two_discs() // 85 + (two_discs() > 0) * np.eye(40, 60, dtype=np.uint8))
    found, ((_, reason),) = brought("masks", tmp_path, images)
    assert found == []
    assert "3 values" in reason
    assert len(brought("png", tmp_path, images)[0]) == 2


def test_label_tiffs_of_cellpose_come_in_by_their_names(tmp_path: Path, images: ProjectImages) -> None:
    labels = np.zeros(SIZE, np.uint16)
    labels[1:9, 1:9], labels[20:30, 20:50] = 7, 40_000
    tifffile.imwrite(tmp_path / "a_cp_masks.tif", labels)
    tifffile.imwrite(tmp_path / "b_masks.tif", labels.T.copy())
    found, ((where, reason),) = brought("tiff", tmp_path, images)
    assert [(o.image_name, o.mask.area) for o in found] == [("a.png", 64), ("a.png", 300)]
    assert (where, "60 x 40" in reason) == ("b_masks.tif", True)


def test_arrays_of_numpy_are_masks_or_maps_and_never_pickles(tmp_path: Path, images: ProjectImages) -> None:
    masks = np.stack([two_discs() > 0, np.ones(SIZE, bool)])
    np.savez(tmp_path / "a.npz", stack=masks)
    found, _ = brought("npz", tmp_path / "a.npz", images)
    assert [o.mask.area for o in found] == [np.count_nonzero(masks[0]), HEIGHT * WIDTH]
    np.save(tmp_path / "b.npy", np.asfortranarray(two_discs().astype(np.int32)))
    assert [o.image_name for o in brought("npz", tmp_path / "b.npy", images)[0]] == ["b.png"]
    np.save(tmp_path / "1.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "2.npy", np.full(SIZE, 0.5))
    np.save(tmp_path / "3.npy", np.full(SIZE, -1))
    for name in ("1.npy", "2.npy", "3.npy"):
        found, ((_, reason),) = brought("npz", tmp_path / name, images)
        assert (found, reason[:24]) == ([], "the file cannot be read:")


def test_polygons_of_one_group_in_cvat_are_one_object(tmp_path: Path, images: ProjectImages) -> None:
    shapes = (
        '<polygon label="c" points="1,1;9,1;9,9;1,9" group_id="1"/><polygon label="c" points="20,1;29,1;29,9" group_id="1"/>'
        '<polygon label="d" points="1,1;9,1;9,9"/><polygon label="d" points="1,1;9"/><box label="d" xtl="1"/>'
        '<mask label="m" rle="0,4" left="1" top="1" width="2" height="2"/>'
        '<mask label="m" rle="0,5" left="1" top="1" width="2" height="2"/>'
        '<mask label="m" rle="0,4" left="59" top="1" width="2" height="2"/>'
    )
    (tmp_path / "x.xml").write_text(
        f'<annotations><image id="0" name="a.png" width="60" height="40">{shapes}</image></annotations>'
    )
    found, refused = brought("cvat", tmp_path / "x.xml", images)
    assert [o.class_name for o in found] == ["c", "d", "m"]
    assert found[0].mask.area > 64
    assert len(refused) == 4


def test_an_xml_that_would_grow_without_end_is_refused(tmp_path: Path, images: ProjectImages) -> None:
    levels = "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10}">' for k in range(1, 12))
    text = f'<?xml version="1.0"?><!DOCTYPE annotations [<!ENTITY e0 "lol">{levels}]><annotations>&e11;</annotations>'
    (tmp_path / "x.xml").write_text(text)
    with pytest.raises(DatasetError, match="not a CVAT file"):
        brought("cvat", tmp_path / "x.xml", images)


def test_geojson_of_other_programs_comes_in_with_holes(tmp_path: Path, images: ProjectImages) -> None:
    rings = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], [[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]]
    features = [
        {"geometry": {"type": "Polygon", "coordinates": rings}, "properties": {"label": "leaf"}},
        {"geometry": {"type": "Point", "coordinates": [1, 1]}, "properties": None},
        {"geometry": None},
    ]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (one,), refused = brought("geojson", tmp_path / "a.geojson", images)
    assert (one.class_name, one.mask.area) == ("leaf", 96)
    assert len(refused) == 2


def test_a_ring_keeps_its_hole_through_an_import(tmp_path: Path, images: ProjectImages) -> None:
    FORMATS["coco"].write(project(annotation(1, ring())), tmp_path)
    (one,), _ = brought("coco", tmp_path / "annotations/instances_default.json", images)
    assert (full(one.mask, *SIZE) == full(ring(), *SIZE)).all()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_of_other_encodings_comes_in(tmp_path: Path, pictures: Path, images: ProjectImages, encoding: str) -> None:
    FORMATS["coco"].write(project(annotation(1, block(3, 4, 20, 30)), folder=pictures), tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("*.json")
    (tmp_path / "c.json").write_text(file.read_text(encoding="utf-8"), encoding=encoding)
    found, refused = brought("coco", tmp_path / "c.json", images)
    assert (len(found), refused) == (1, [])
