"""Data set folders: what bench and train read back is what was accepted, and what cannot be is said."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from samtta_app.core.project import ProjectImage
from samtta_app.core.types import Mask
from samtta_app.datasets.folder import DATASET_SUFFIXES, UNNAMED, open_dataset, read_objects
from samtta_app.errors import DatasetError, ExportError
from samtta_app.formats import FORMATS
from samtta_app.formats.dataset import DATASET, split_of
from samtta_app.session.project.store import Store
from samtta_app.train.data.labelled_images import image_paths, read_labelled
from tests.unit.formats.test_folders import HOSTILE, content, hidden
from tests.unit.formats.values import SIZE, annotation, block, project, ring
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of


def bits(mask: Mask) -> tuple[int, int, bytes]:
    return mask.x, mask.y, mask.bits.tobytes()


def place(folder: Path, name: str, size: tuple[int, int] = SIZE) -> None:
    folder.mkdir(exist_ok=True)
    data = cv2.imencode(Path(name).suffix or ".png", np.full(size, 120, np.uint8))[1].tobytes()
    (folder / name).write_bytes(data)


# --- round trips ------------------------------------------------------------------------------------------------------


def test_bench_reads_equal_masks_and_classes_and_train_reads_the_same_objects(tmp_path: Path, pictures: Path) -> None:
    objects = annotation(3, ring()), annotation(5, block(40, 0, 50, 9), class_id=4), annotation(9, ring(), "b.png")
    DATASET.write(project(*objects, folder=pictures), tmp_path)
    first, second = open_dataset(tmp_path).images
    found = [(o.image.name, o.instance, o.class_name, bits(o.mask)) for i in (first, second) for o in read_objects(i)]
    assert found == [
        ("a", 1, "object", bits(ring())),
        ("a", 2, "Zellkern äöü", bits(block(40, 0, 50, 9))),
        ("b", 1, "object", bits(ring())),
    ]
    assert content(tmp_path)["images/a.png"] == (pictures / "a.png").read_bytes()
    (record,) = read_labelled(image_paths(tmp_path, "train"))
    assert [(box.value, box.x0, box.y0) for box in record.objects] == [(1, 8, 5), (2, 40, 0)]


def test_a_real_project_comes_back_through_the_command_line_s_way(tmp_path: Path) -> None:
    with Store.open(folder_of(tmp_path / "images", "a.png", "b.jpg")) as store:
        for name in ("a.png", "b.jpg", "a.png"):
            store.accept(accepted(name), WIDTH, HEIGHT)
        DATASET.write(store.project(), tmp_path / "out")
    data = open_dataset(tmp_path / "out")
    assert [(i.name, i.path.name, len(read_objects(i))) for i in data.images] == [("a", "a.png", 1), ("b", "b.jpg", 1)]
    assert {name: len(names) for name, names in data.splits.items()} == {"train": 1, "test": 1}
    assert UNNAMED == "object"  # the project's first class has the name that the reader gives without classes


def test_where_objects_overlap_the_smaller_is_on_top_whichever_came_first(tmp_path: Path, pictures: Path) -> None:
    nucleus, cell = block(10, 10, 20, 20), block(5, 5, 30, 30)
    DATASET.write(project(annotation(1, nucleus), annotation(2, cell, class_id=4), folder=pictures), tmp_path)
    small, large = read_objects(open_dataset(tmp_path).images[0])
    assert bits(small.mask) == bits(nucleus)
    assert (large.class_name, large.mask.area) == ("Zellkern äöü", cell.area - nucleus.area)
    assert "what lies under a smaller object" in DATASET.cannot_hold


def test_an_object_that_others_cover_keeps_its_number_and_takes_nobody_elses(tmp_path: Path, pictures: Path) -> None:
    objects = annotation(1, block(0, 0, 10, 10)), annotation(2, block(0, 0, 10, 10)), annotation(3, ring(), class_id=4)
    DATASET.write(project(*objects, folder=pictures), tmp_path)
    found = read_objects(open_dataset(tmp_path).images[0])
    assert [(o.instance, o.class_name) for o in found] == [(2, "object"), (3, "Zellkern äöü")]


def test_the_reader_s_endings_are_the_writer_s() -> None:
    assert DATASET.endings == (*DATASET_SUFFIXES, ".json")


# --- the split --------------------------------------------------------------------------------------------------------


def images(*numbers: int) -> tuple[ProjectImage, ...]:
    return tuple(ProjectImage(f"{k}.png", 60, 40, k, 1) for k in numbers)


def test_a_fifth_is_tested_and_an_image_stays_on_its_side_when_more_are_annotated() -> None:
    assert split_of(images(*range(1, 21)))["test"] == ["5.png", "10.png", "15.png", "20.png"]
    early, late = split_of(images(2, 4, 5, 9)), split_of(images(*range(1, 21)))
    assert set(early["test"]) <= set(late["test"])
    assert set(early["train"]) <= set(late["train"])


@pytest.mark.parametrize(
    ("numbers", "train", "test"), [((7,), 1, 0), ((5,), 1, 0), ((1, 2), 1, 1), ((5, 10), 1, 1), ((1, 2, 5), 2, 1)]
)
def test_few_images_are_split_as_far_as_they_go(numbers: tuple[int, ...], train: int, test: int) -> None:
    found = split_of(images(*numbers))
    assert (len(found["train"]), len(found["test"])) == (train, test)
    assert sorted(found["train"] + found["test"]) == sorted(image.name for image in images(*numbers))


# --- names and images that are not right ------------------------------------------------------------------------------


def test_images_of_any_name_that_a_file_can_have_are_copied_under_portable_names(tmp_path: Path) -> None:
    folder, out = tmp_path / "images", tmp_path / "out"
    names = ("a.png", "a.jpg", "AUX.png", "x:y?.png", os.fsdecode(b"gr\xfcn.png"), "\u00c4.png")
    for name in names:
        place(folder, name)
    masks = {name: block(k, 0, k + 9, 9) for k, name in enumerate(names)}
    objects = (annotation(k, mask, name) for k, (name, mask) in enumerate(masks.items(), 1))
    made = DATASET.write(project(*objects, names=names, folder=folder), out)
    assert all(path.name.isprintable() and not set(path.name) & set('\\:*?"<>|') for path in made)
    assert not any(path.stem == "AUX" for path in made)
    assert {found.image_name: bits(found.mask) for found in DATASET.read(out)} == {n: bits(m) for n, m in masks.items()}
    assert sorted(name for names in open_dataset(out).splits.values() for name in names) == sorted(
        path.stem for path in (out / "masks").iterdir()
    )


def test_names_that_lead_elsewhere_are_copied_from_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "images"
    place(tmp_path, "photo.jpg")
    folder.mkdir(parents=True)
    names = (*(n for n in HOSTILE if n), str(tmp_path / "photo.jpg"), "../../photo.jpg")
    hostile = project(*(annotation(k, ring(), n) for k, n in enumerate(names, 1)), names=names, folder=folder)
    with pytest.raises(ExportError, match=r"None of the \d+ annotated images can be copied .*choose COCO or PNG"):
        DATASET.write(hostile, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_images_that_are_gone_damaged_or_replaced_are_left_out_and_named(tmp_path: Path) -> None:
    folder, out = tmp_path / "images", tmp_path / "out"
    names = ("a.png", "gone.png", "damaged.png", "other.png", "b.png")
    for name in ("a.png", "b.png"):
        place(folder, name)
    place(folder, "other.png", (20, 20))
    (folder / "damaged.png").write_bytes(b"\x89PNG no more")
    DATASET.write(project(*(annotation(k, ring(), n) for k, n in enumerate(names, 1)), names=names, folder=folder), out)
    assert [image.name for image in open_dataset(out).images] == ["a", "b"]
    left = json.loads((out / "dataset.json").read_text())["left_out"]
    assert left["gone.png"] == "its file is gone"
    assert "cannot be read" in left["damaged.png"]
    assert left["other.png"] == "it is 20 x 20 now, its masks are 60 x 40"
    assert set(left) == {"gone.png", "damaged.png", "other.png"}


def test_without_an_accepted_object_there_is_no_data_set_in_words(tmp_path: Path, pictures: Path) -> None:
    with pytest.raises(ExportError, match=r"no accepted objects.*Accept objects first"):
        DATASET.write(project(folder=pictures), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_more_objects_than_a_mask_can_number_are_refused_in_words(tmp_path: Path, pictures: Path) -> None:
    few = project(annotation(1, ring()), folder=pictures)
    lots = replace(few, images=(replace(few.images[0], objects=65_536), few.images[1]))
    with pytest.raises(ExportError, match=r"more than 65535 objects.*Use COCO"):
        DATASET.write(lots, tmp_path / "out")


# --- an earlier export, and files of the user --------------------------------------------------------------------------


def test_what_an_earlier_export_wrote_goes_and_the_users_files_stay(tmp_path: Path, pictures: Path) -> None:
    out = tmp_path / "out"
    DATASET.write(project(annotation(1, ring()), annotation(2, ring(), "b.png"), folder=pictures), out)
    (out / "notes.txt").write_text("mine")
    DATASET.write(project(annotation(2, ring(), "b.png"), folder=pictures), out)
    files = {"images/b.png", "masks/b.png", "split.json", "classes.json", "dataset.json", "notes.txt"}
    assert set(content(out)) == files
    assert hidden(out) == []


@pytest.mark.parametrize("file", ["images/a.png", "masks/a.png", "split.json", "classes.json", "dataset.json"])
def test_a_file_of_the_user_or_that_the_user_changed_is_refused_and_kept(
    tmp_path: Path, pictures: Path, file: str
) -> None:
    objects, out = project(annotation(1, ring()), folder=pictures), tmp_path / "out"
    DATASET.write(objects, out)
    (out / file).write_text('{"mine": []}')
    before = content(out)
    with pytest.raises(ExportError, match=file.replace(".", r"\.") if file != "dataset.json" else r"\.json|\.png"):
        DATASET.write(objects, out)
    assert content(out) == before


@pytest.mark.parametrize(
    "listed", ["../notes.png", "images/../../notes.png", "notes.png", "images/", "images/notes.txt"]
)
@pytest.mark.parametrize("known", ["", "hash"])
def test_a_planted_legend_takes_no_other_files_away(tmp_path: Path, pictures: Path, listed: str, known: str) -> None:
    out = tmp_path / "out"
    (out / "images").mkdir(parents=True)
    theirs = (tmp_path / "notes.png", out / "notes.png", out / "images" / "notes.txt")
    for one in theirs:
        one.write_text("mine")
    order = "where masks overlap, the smaller object is on top"
    (out / "dataset.json").write_text(json.dumps({"order": order, "images": {}, "files": {listed: known}}))
    DATASET.write(project(annotation(1, ring()), folder=pictures), out)
    assert [one.read_text() for one in theirs] == ["mine"] * 3


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_data_set_of_other_origin_is_read_under_its_files_names(tmp_path: Path, pictures: Path) -> None:
    DATASET.write(project(annotation(1, ring()), folder=pictures), tmp_path)
    (tmp_path / "dataset.json").unlink()
    (found,) = DATASET.read(tmp_path)
    assert (found.image_name, found.class_name, bits(found.mask)) == ("a.png", "object", bits(ring()))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": 3}'])
def test_a_legend_that_makes_no_sense_is_refused_in_words(tmp_path: Path, pictures: Path, text: str) -> None:
    DATASET.write(project(annotation(1, ring()), folder=pictures), tmp_path)
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(DatasetError, match=r"dataset\.json"):
        list(FORMATS["dataset"].read(tmp_path))
