"""Exports of real projects into real folders: hostile names, files of the user, earlier exports, kills, two at once."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from pycocotools.coco import COCO

from samtta_app.core.files import staged
from samtta_app.core.masks import full
from samtta_app.core.project import Project, ProjectClass, ProjectImage
from samtta_app.errors import ExportError
from samtta_app.formats import FORMATS
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.statistics_export import write_statistics
from tests.unit.core.test_names import HOSTILE, is_plain
from tests.unit.formats.values import FOLDER, annotation, block, project, ring
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of

ROOT = Path(__file__).parents[3]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
NAMES = (
    *(n for n in HOSTILE if n),
    "a.png",
    "A.PNG",
    "a.jpg",
    "b.png",
    "b.jpg",
    "b.png.png",
    "\u00c4.png",
    "A\u0308.png",
)


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def hidden(folder: Path) -> list[str]:
    return [p.name for home in (folder, folder.parent) for p in home.iterdir() if p.name.startswith(".samtta-")]


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["coco", "png"])
def test_whatever_images_are_called_nothing_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    out = tmp_path / "deep" / "deeper" / "out"
    photo = tmp_path / "photo.jpg"
    photo.write_text("mine")
    names = (*NAMES, str(tmp_path / "photo"), str(tmp_path / "photo.jpg"), "../../../photo.jpg")
    made = FORMATS[name].write(project(*(annotation(k, ring(), n) for k, n in enumerate(names, 1)), names=names), out)
    assert all(path.resolve().is_relative_to(out) and is_plain(path.name) for path in made)
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == {photo, *made}
    assert photo.read_text() == "mine"


def test_every_image_has_masks_of_its_own_whatever_it_is_called(tmp_path: Path) -> None:
    places = {name: block(k % 50, k // 50, k % 50 + 2, k // 50 + 2) for k, name in enumerate(NAMES)}
    FORMATS["png"].write(
        project(*(annotation(k, m, n) for k, (n, m) in enumerate(places.items(), 1)), names=NAMES), tmp_path
    )
    legend = json.loads((tmp_path / "legend.json").read_text("utf-8"))
    assert [entry["image"] for entry in legend["images"]] == list(NAMES)
    for entry in legend["images"]:
        with PIL.Image.open(tmp_path / "instances" / entry["file"]) as image:
            assert (np.asarray(image) == full(places[entry["image"]], 40, 60)).all()


def test_a_name_that_no_file_can_have_reaches_no_reader_of_the_coco_file(tmp_path: Path) -> None:
    names = ("a.png", "../../x.png", "/etc/x.png", "a\0.png", "gr\udcfcn.png")
    FORMATS["coco"].write(project(names=names), tmp_path)
    found = [
        i["file_name"]
        for i in json.loads((tmp_path / "annotations/instances_default.json").read_text("utf-8"))["images"]
    ]
    assert (found[0], found[4]) == ("a.png", "gr\udcfcn.png")
    assert all((Path("/images") / name).parent == Path("/images") and "\0" not in name for name in found)


# --- earlier exports and files of the user ----------------------------------------------------------------------------


@pytest.mark.parametrize("user", [False, True])
def test_masks_of_an_earlier_export_go_and_a_users_files_stay(tmp_path: Path, user: bool) -> None:
    out = tmp_path / "out"
    FORMATS["png"].write(project(annotation(1, ring(), "a.png"), annotation(2, ring(), "b.png")), out)
    if user:
        (out / "instances" / "mine.png").write_text("mine")
        (out / "notes.txt").write_text("mine")
    FORMATS["png"].write(project(annotation(2, ring(), "b.png")), out)
    masks = {"instances/b.png", "classes/b.png", "legend.json"}
    assert set(content(out)) == masks | ({"instances/mine.png", "notes.txt"} if user else set())
    assert hidden(out) == []


def test_masks_of_an_export_before_there_were_hashes_go_too(tmp_path: Path) -> None:
    FORMATS["png"].write(project(annotation(1, ring(), "a.png"), annotation(2, ring(), "b.png")), tmp_path)
    legend = json.loads((tmp_path / "legend.json").read_text("utf-8"))
    older = {key: legend[key] for key in ("order", "classes", "images")}
    (tmp_path / "legend.json").write_text(json.dumps(older))
    FORMATS["png"].write(project(annotation(2, ring(), "b.png")), tmp_path)
    assert set(content(tmp_path)) == {"instances/b.png", "classes/b.png", "legend.json"}


def test_a_mask_that_the_user_changed_is_the_users(tmp_path: Path) -> None:
    both = project(annotation(1, ring(), "a.png"), annotation(2, ring(), "b.png"))
    FORMATS["png"].write(both, tmp_path)
    (tmp_path / "instances" / "a.png").write_text("mended by hand")
    before = content(tmp_path)
    with pytest.raises(ExportError, match=r"changed since.*instances/a\.png.*another folder"):
        FORMATS["png"].write(both, tmp_path)
    assert content(tmp_path) == before
    FORMATS["png"].write(project(annotation(2, ring(), "b.png")), tmp_path)
    assert content(tmp_path)["instances/a.png"] == b"mended by hand"


@pytest.mark.parametrize(
    "listed", [["../notes.txt"], ["instances/../../notes.txt"], ["/etc/hosts"], ["notes.txt"], ["instances/"], ["3"]]
)
def test_a_planted_legend_takes_no_other_files_away(tmp_path: Path, listed: list[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for place in (tmp_path / "notes.txt", out / "notes.txt"):
        place.write_text("mine")
    plant(out, dict.fromkeys(listed, ""))
    FORMATS["png"].write(project(annotation(1, ring())), out)
    assert (tmp_path / "notes.txt").read_text() == (out / "notes.txt").read_text() == "mine"


def plant(folder: Path, files: object) -> None:
    order = "where masks overlap, the later accepted object is on top"
    (folder / "legend.json").write_text(json.dumps({"order": order, "images": [], "files": files}))


@pytest.mark.parametrize("files", ["no list", None, [3], 7])
def test_a_legend_that_makes_no_sense_is_the_users(tmp_path: Path, files: object) -> None:
    plant(tmp_path, files)
    before = content(tmp_path)
    with pytest.raises(ExportError, match=r"legend\.json"):
        FORMATS["png"].write(project(annotation(1, ring())), tmp_path)
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "file"),
    [("png", "legend.json"), ("png", "instances/a.png"), ("coco", "annotations/instances_default.json")],
)
def test_a_file_of_the_user_of_an_exports_name_is_refused_and_kept(tmp_path: Path, name: str, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text('{"mine": 1}')
    with pytest.raises(ExportError, match=file):
        FORMATS[name].write(project(annotation(1, ring())), tmp_path)
    assert content(tmp_path) == {file: b'{"mine": 1}'}


def test_all_formats_and_figures_can_share_a_folder_again_and_again(tmp_path: Path) -> None:
    folder, out = folder_of(tmp_path / "images", "a.png", "b.png"), tmp_path / "images" / "export"
    with Store.open(folder) as store:
        for _ in range(3):
            store.accept(accepted(), WIDTH, HEIGHT)
            for form in FORMATS.values():
                form.write(store.project(), out)
            write_statistics(store, out)
    (out / "objects.csv").write_text("mine,too\n")
    with Store.open(folder) as store, pytest.raises(ExportError, match=r"objects\.csv"):
        write_statistics(store, out)
    figures = {"objects.csv", "clicks.csv", "attempts.csv", "attempt_clicks.csv", "histograms.csv", "ratings.csv"}
    figures |= {"groups.csv", "statistics.html"}
    figures |= {"statistics.json", "dataset.json", "split.json", "classes.json", "images/a.png", "masks/a.png"}
    names = ("yolo", "voc", "labelme", "cvat", "cvat-polygons", "geojson", "npz", "tiff", "label-studio", "crops")
    others = {
        "annotations/instances_polygons.json",
        "data.yaml",
        "images/train/a.png",
        "labels/train/a.txt",
        "labelmap.txt",
    }
    others |= {"SegmentationClass/a.png", "SegmentationObject/a.png", "Annotations/a.xml", "labelme/a.json"}
    others |= {"ImageSets/Segmentation/train.txt", "cvat.xml", "cvat_polygons.xml", "geojson/a.geojson", "npz/a.npz"}
    others |= {"tiff/a_masks.tif", "label_studio.json", *(f"crops/object/a_{k}.png" for k in (1, 2, 3))}
    others |= {f"samtta-{name}.json" for name in names}
    masks = {"annotations/instances_default.json", "legend.json", "instances/a.png", "classes/a.png"}
    assert set(content(out)) == {*masks, *figures, *others}
    assert len(COCO(out / "annotations/instances_default.json").anns) == 3


def test_the_users_class_names_are_text_in_tables(tmp_path: Path) -> None:
    with Store.open(folder_of(tmp_path / "images", "=a.png")) as store:
        store.rename_class(1, "=HYPERLINK(1)\udcfc")
        store.accept(accepted("=a.png"), WIDTH, HEIGHT)
        write_statistics(store, tmp_path / "out")
    with (tmp_path / "out" / "objects.csv").open(newline="", encoding="utf-8") as file:
        (line,) = csv.DictReader(file, strict=True)
    assert (line["image"], line["class"], line["steps"]) == ("'=a.png", "'=HYPERLINK(1)\ufffd", "1")


# --- kills, and two at once -------------------------------------------------------------------------------------------


def exporting(folder: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "samtta_app", "export", str(folder), "--format", "png", "--out", str(out)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@POSIX
def test_exports_that_are_killed_at_any_time_leave_the_old_masks_or_the_new_ones(tmp_path: Path) -> None:
    """SIGKILL as soon as the export has begun to write, and a moment later; what the moment hits is left to chance."""
    names = [f"{k:03}.png" for k in range(40)]
    folder, out = folder_of(tmp_path / "images", *names), tmp_path / "out"
    with Store.open(folder) as store:
        for name in names:
            store.accept(accepted(name), WIDTH, HEIGHT)
        FORMATS["png"].write(store.project(), out)
        old = content(out)
        store.accept(accepted("000.png", block(0, 0, 9, 9)), WIDTH, HEIGHT)
        FORMATS["png"].write(store.project(), tmp_path / "expected")
    new = content(tmp_path / "expected")
    rng, killed = random.Random(0), 0
    for tried in range(12):
        with exporting(folder, out) as process:
            while process.poll() is None and not hidden(out):
                os.sched_yield()
            for _ in range(rng.randrange(3000) >> tried):  # a fast machine is done after few of them
                os.sched_yield()
            process.kill()
            process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert content(out) in (old, new)
        if killed == 2:
            break
    assert killed
    with exporting(folder, out) as whole:
        said = whole.communicate(timeout=120)
    assert whole.returncode == 0, said
    assert content(out) == new
    assert hidden(out) == []


def test_an_export_into_a_folder_that_is_being_written_is_refused_with_words(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "images", "a.png")
    Store.open(folder).close()
    with staged(tmp_path / "out") as stage:
        (stage / "x").touch()
        with exporting(folder, tmp_path / "out") as process:
            _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert b"Another export is writing into this folder" in said
    assert os.listdir(tmp_path / "out") == ["x"]


# --- many objects -----------------------------------------------------------------------------------------------------


class Counting:
    """A project of many images that counts how often objects are read, and keeps none."""

    def __init__(self, images: int, each: int, folder: Path = FOLDER) -> None:
        self.reads: list[str] = []
        self.each = each
        listed = tuple(ProjectImage(f"{k}.png", 60, 40, k, each) for k in range(1, images + 1))
        self.project = Project(folder, listed, (ProjectClass(1, "object"),), self.read)

    def read(self, name: str) -> tuple[object, ...]:  # type: ignore[return-value]
        self.reads.append(name)
        first = int(Path(name).stem) * self.each
        one = annotation(first, block(0, 0, 60, 40), name)
        one.mask.bits.setflags(write=True)
        return tuple(replace(one, id=first + k, mask=block(k % 50, 0, k % 50 + 9, 40)) for k in range(self.each))  # type: ignore[return-value]


@pytest.mark.parametrize("name", FORMATS)
def test_objects_are_read_image_by_image_and_each_once(tmp_path: Path, pictures: Path, name: str) -> None:
    many = Counting(images=30, each=3, folder=pictures)
    FORMATS[name].write(many.project, tmp_path)
    assert sorted(many.reads) == sorted(f"{k}.png" for k in range(1, 31))


def test_the_memory_of_a_png_export_is_that_of_one_image(tmp_path: Path) -> None:
    def peak(images: int) -> int:
        tracemalloc.start()
        try:
            FORMATS["png"].write(Counting(images, each=200).project, tmp_path / str(images))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few = peak(3)
    assert peak(30) < 2 * few
