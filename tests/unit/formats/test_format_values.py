"""Formats are values: what is written comes back, in flat memory, with progress, and can be cancelled."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pycocotools.mask as coco_masks
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.core.masks import trimmed
from samtta_app.core.project import Project, ProjectClass, ProjectImage
from samtta_app.core.types import Mask
from samtta_app.errors import DatasetError
from samtta_app.formats import FORMATS
from samtta_app.formats.base import ExportStoppedError, Format, LabelledMask
from tests.unit.formats.values import FOLDER, SIZE, annotation, block, project, ring

Found = list[tuple[str, str, int, int, bytes]]


def essence(objects: list[LabelledMask]) -> Found:
    return [(o.image_name, o.class_name, o.mask.x, o.mask.y, o.mask.bits.tobytes()) for o in objects]


def expected(given_project: Project) -> Found:
    names = {c.id: c.name for c in given_project.classes}
    masks = [(a, trimmed(a.mask.bits, a.mask.x, a.mask.y)) for a in given_project.annotations]
    return sorted((a.image_name, names[a.class_id], m.x, m.y, m.bits.tobytes()) for a, m in masks)


def back(form: Format, given_project: Project, out: Path) -> Found:
    form.write(given_project, out)
    return sorted(essence(list(form.read(out))))


# --- what a format says of itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_says_what_it_is(name: str) -> None:
    form = FORMATS[name]
    assert form.name == name
    assert form.title
    assert all(ending.startswith(".") for ending in form.endings)
    assert form.cannot_hold


@pytest.mark.parametrize("name", FORMATS)
def test_every_file_has_one_of_the_endings(tmp_path: Path, pictures: Path, name: str) -> None:
    made = FORMATS[name].write(project(annotation(1, ring()), folder=pictures), tmp_path)
    assert {file.suffix for file in made} <= set(FORMATS[name].endings)


# --- round trips ------------------------------------------------------------------------------------------------------


WHOLE = [name for name, form in FORMATS.items() if not any("holes" in lost for lost in form.cannot_hold)]


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_written_comes_back(tmp_path: Path, pictures: Path, name: str) -> None:
    objects = annotation(1, ring()), annotation(2, block(40, 0, 50, 9), class_id=4), annotation(3, ring(), "b.png")
    given_project = project(*objects, folder=pictures)
    assert back(FORMATS[name], given_project, tmp_path) == expected(given_project)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "dataset"])
def test_an_empty_project_comes_back_empty(tmp_path: Path, name: str) -> None:
    assert back(FORMATS[name], project(), tmp_path) == []


def test_coco_keeps_what_lies_under_another_object(tmp_path: Path) -> None:
    given_project = project(annotation(1, block(5, 5, 30, 30)), annotation(2, block(10, 10, 40, 38)))
    assert back(FORMATS["coco"], given_project, tmp_path) == expected(given_project)


def test_an_index_png_gives_what_is_seen_of_an_object(tmp_path: Path) -> None:
    under, over, hidden = block(5, 5, 30, 30), block(10, 10, 40, 38), block(12, 12, 14, 14)
    FORMATS["png"].write(project(annotation(1, hidden), annotation(2, under), annotation(3, over)), tmp_path)
    first, second = FORMATS["png"].read(tmp_path)
    assert first.mask.area == under.area - 20 * 20
    assert second.mask.area == over.area


BITS = st.binary(min_size=48, max_size=48).map(lambda data: np.frombuffer(data, np.uint8).reshape(6, 8) > 150)


@settings(max_examples=25)
@given(masks=st.lists(BITS.filter(lambda bits: bits.any()), min_size=1, max_size=4))
def test_any_mask_comes_back_from_coco(tmp_path_factory: pytest.TempPathFactory, masks: list[np.ndarray]) -> None:
    given_project = project(*(annotation(k, trimmed(bits, 3, 4)) for k, bits in enumerate(masks, 1)))
    assert back(FORMATS["coco"], given_project, tmp_path_factory.mktemp("coco")) == expected(given_project)


def test_more_than_255_objects_come_back_from_index_pngs(tmp_path: Path) -> None:
    given_project = project(*(annotation(k + 1, block(k % 60, k // 60, k % 60 + 1, k // 60 + 1)) for k in range(300)))
    assert back(FORMATS["png"], given_project, tmp_path) == expected(given_project)


# --- files of other programs --------------------------------------------------------------------------------------------


def foreign(path: Path, segmentation: object, **changes: object) -> Path:
    height, width = SIZE
    values = {
        "images": [{"id": 7, "file_name": "x.jpg", "width": width, "height": height}],
        "categories": [{"id": 3, "name": "cell"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "segmentation": segmentation}],
    }
    path.write_text(json.dumps({**values, **changes}))
    return path


def test_polygons_and_plain_run_lengths_are_read(tmp_path: Path) -> None:
    polygon = [[10, 5, 30, 5, 30, 20, 10, 20], [40, 30, 50, 30, 50, 35, 40, 35]]
    (found,) = FORMATS["coco"].read(foreign(tmp_path / "a.json", polygon))
    drawn = coco_masks.decode(coco_masks.merge(coco_masks.frPyObjects(polygon, *SIZE))).astype(bool)
    assert (found.image_name, found.class_name) == ("x.jpg", "cell")
    assert found.mask.bits.tobytes() == trimmed(drawn).bits.tobytes()
    plain = {"size": list(SIZE), "counts": [40, 10, 40 * 60 - 50]}
    (found,) = FORMATS["coco"].read(foreign(tmp_path / "b.json", plain))
    assert (found.mask.x, found.mask.y, found.mask.area) == (1, 0, 10)


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [4, 4], "counts": [16]},
        {"size": list(SIZE), "counts": "0"},
        {"size": list(SIZE), "counts": [1, 2, 3]},
        {"counts": "x"},
        "polygon",
        None,
    ],
)
def test_a_segmentation_that_is_not_right_is_refused_in_words(tmp_path: Path, segmentation: object) -> None:
    with pytest.raises(DatasetError, match="not a COCO file"):
        list(FORMATS["coco"].read(foreign(tmp_path / "a.json", segmentation)))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"images": 3, "categories": [], "annotations": []}', "\udcff"])
@pytest.mark.parametrize(("name", "file"), [("coco", "annotations/instances_default.json"), ("png", "legend.json")])
def test_another_file_is_refused_in_words(tmp_path: Path, name: str, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DatasetError):
        list(FORMATS[name].read(tmp_path))


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_without_an_export_is_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError):
        list(FORMATS[name].read(tmp_path / "nowhere"))


@pytest.mark.parametrize("file", ["../secret.png", "missing.png", "/etc/passwd"])
def test_a_legend_cannot_lead_elsewhere(tmp_path: Path, file: str) -> None:
    FORMATS["png"].write(project(annotation(1, ring())), tmp_path / "out")
    legend = json.loads((tmp_path / "out" / "legend.json").read_text())
    legend["images"][0]["file"] = file
    (tmp_path / "out" / "legend.json").write_text(json.dumps(legend))
    (tmp_path / "out" / "secret.png").write_bytes((tmp_path / "out" / "instances" / "a.png").read_bytes())
    with pytest.raises(DatasetError, match="missing"):
        list(FORMATS["png"].read(tmp_path / "out"))


# --- progress, cancel, memory -------------------------------------------------------------------------------------------


def many(
    images: int,
    each: int = 1,
    mask: Callable[[int], Mask] = lambda k: block(k % 50, 0, k % 50 + 9, 40),
    folder: Path = FOLDER,
) -> Project:
    """A project that keeps no object; ids go against the order of images."""
    listed = tuple(ProjectImage(f"{k}.png", 60, 40, k, each) for k in range(1, images + 1))

    def of_image(name: str) -> tuple:
        last = 10**6 - int(Path(name).stem) * each
        one = annotation(last, mask(0), name)
        return tuple(replace(one, id=last + k, mask=mask(k)) for k in range(each))

    return Project(folder, listed, (ProjectClass(1, "object"),), of_image)


@pytest.mark.parametrize("name", FORMATS)
def test_progress_is_told_for_every_image(tmp_path: Path, pictures: Path, name: str) -> None:
    told: list[tuple[float, str]] = []
    FORMATS[name].write(many(4, folder=pictures), tmp_path, lambda done, words: told.append((done, words)))
    assert told == [(k / 4, f"image {k + 1} of 4") for k in range(4)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_cancelled_export_leaves_what_was_there(tmp_path: Path, pictures: Path, name: str) -> None:
    out = tmp_path / "out"
    FORMATS[name].write(many(2, folder=pictures), out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def stop(done: float, words: str) -> None:
        if done >= 0.5:
            raise ExportStoppedError("The export was cancelled")

    with pytest.raises(ExportStoppedError):
        FORMATS[name].write(many(8, folder=pictures), out, stop)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with pytest.raises(ExportStoppedError):
        FORMATS[name].write(many(8, folder=pictures), tmp_path / "new", stop)
    assert not (tmp_path / "new").exists()


def test_objects_stand_in_the_order_of_their_accept(tmp_path: Path) -> None:
    FORMATS["coco"].write(many(5, each=3), tmp_path)
    ids = [a["id"] for a in json.loads((tmp_path / "annotations/instances_default.json").read_text())["annotations"]]
    assert ids == sorted(ids)
    assert len(ids) == 15


def test_the_memory_of_a_coco_export_does_not_grow_with_its_file(tmp_path: Path) -> None:
    """Each object has run lengths of some kB; what stays in memory of it is where they lie on the disk."""
    rng = np.random.default_rng(0)
    noise = Mask(0, 0, rng.random((40, 60)) > 0.5)

    def peak(images: int) -> tuple[int, int]:
        given = many(images, each=20, mask=lambda _: noise)
        tracemalloc.start()
        try:
            FORMATS["coco"].write(given, tmp_path / str(images))
            (made,) = tmp_path.glob(f"{images}/annotations/*.json")
            return tracemalloc.get_traced_memory()[1], made.stat().st_size
        finally:
            tracemalloc.stop()

    # What is imported at first use, and up to 2,000 tuples of 20 items: CPython 3.11 keeps those that `replace` needs above,
    # and uses none of them again.
    peak(101)
    (few, small), (lots, large) = peak(5), peak(50)
    assert large - small > 1_000_000
    assert lots - few < (large - small) / 5
