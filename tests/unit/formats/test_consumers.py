"""Other programs read our exports as the same masks, and we read what they write.

They live in an environment of their own: `python packaging/consumers.py` makes it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import cv2
import numpy as np
import pytest

from samtta_app.core.masks import full, trimmed
from samtta_app.formats import FORMATS
from samtta_app.formats.importers import IMPORTERS, ImportCount, ProjectImages, import_objects
from tests.unit.formats.values import SIZE, annotation, block, project, ring

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("SAMTTA_CONSUMERS", ROOT / ".consumers"))
PYTHON = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
TOOLS = Path(__file__).with_name("foreign_tools.py")

pytestmark = pytest.mark.skipif(
    not PYTHON.is_file(), reason="other programs are not installed: python packaging/consumers.py"
)

Found = list[tuple[str, str, bytes]]


def staircase() -> np.ndarray:
    """An object without holes, in one part, with slanted edges, at the corner of the image."""
    bits = np.zeros(SIZE, np.bool_)
    for row in range(20):
        bits[row, row // 2 : 40 - row] = True
    return bits


WITH_HOLES = (
    ("a", "object", full(ring(), *SIZE)),
    ("b", "Zellkern", staircase()),
    ("b", "object", full(block(40, 30, 60, 40), *SIZE)),
)
SOLID = (("a", "object", full(block(8, 5, 30, 20), *SIZE)), *WITH_HOLES[1:])


def run(*arguments: object) -> None:
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "DISPLAY")}
    clean |= {"YOLO_OFFLINE": "1", "YOLO_CONFIG_DIR": os.environ.get("TMPDIR", gettempdir())}
    command = [str(PYTHON), str(TOOLS), *map(str, arguments)]
    done = subprocess.run(
        command, env={**clean, "QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def written(name: str, objects: tuple, pictures: Path, out: Path) -> None:
    """Our export of these objects."""
    classes = {"object": 1, "Zellkern": 4}
    made = project(
        *(annotation(k, trimmed(bits), f"{image}.png", classes[c]) for k, (image, c, bits) in enumerate(objects, 1)),
        folder=pictures,
    )
    FORMATS[name].write(made, out)


def essence(objects: tuple) -> Found:
    return sorted((image, label.split()[0], bits.tobytes()) for image, label, bits in objects)


@pytest.mark.parametrize(
    ("name", "tool", "file", "objects"),
    [
        ("coco", "datumaro-coco_instances", "", WITH_HOLES),
        ("coco-polygons", "datumaro-coco_instances", "", SOLID),
        ("cvat", "datumaro-cvat", "cvat.xml", WITH_HOLES),
        ("cvat-polygons", "datumaro-cvat", "cvat_polygons.xml", SOLID),
        ("voc", "datumaro-voc_instance_segmentation", "", WITH_HOLES),
        ("coco", "supervision-coco", "annotations/instances_default.json", WITH_HOLES),
        ("yolo", "supervision-yolo", "", SOLID),
        ("yolo", "ultralytics", "", SOLID),
        ("labelme", "labelme", "labelme", WITH_HOLES),
        ("label-studio", "label-studio", "label_studio.json", WITH_HOLES),
    ],
)
def test_another_program_reads_the_same_masks(
    tmp_path: Path, pictures: Path, name: str, tool: str, file: str, objects: tuple
) -> None:
    written(name, objects, pictures, tmp_path / "out")
    if tool in ("datumaro-coco_instances", "datumaro-cvat"):
        shutil.copytree(pictures, tmp_path / "out" / "images")  # it wants the images there
    run("read", tool, tmp_path / "out" / file, pictures, tmp_path / "found.npz")
    with np.load(tmp_path / "found.npz") as data:
        found = zip(data["names"].tolist(), data["classes"].tolist(), data["masks"], strict=True)
        assert essence(tuple(found)) == essence(objects)


def test_boxes_of_pascal_voc_are_those_of_the_masks(tmp_path: Path, pictures: Path) -> None:
    written("voc", SOLID, pictures, tmp_path / "out")
    run("boxes", "supervision", tmp_path / "out" / "Annotations", pictures, tmp_path / "found.json")
    found = {image: boxes for image, _, boxes in json.loads((tmp_path / "found.json").read_text())}
    assert found["a"] == [[8, 5, 30, 20]]
    assert found["b"] == [[0, 0, 40, 20], [40, 30, 60, 40]]


@pytest.mark.parametrize(
    ("name", "tool", "file", "objects"),
    [
        ("yolo", "supervision-yolo", "", SOLID),
        ("labelme", "supervision-labelme", "", SOLID),
        ("coco", "datumaro-coco_instances", "made/annotations/instances_default.json", WITH_HOLES),
        ("label-studio", "label-studio", "", WITH_HOLES),
    ],
)
def test_we_read_what_another_program_writes(
    tmp_path: Path, pictures: Path, name: str, tool: str, file: str, objects: tuple
) -> None:
    names, classes, masks = zip(*objects, strict=True)
    np.savez(tmp_path / "given.npz", masks=np.array(masks), names=np.array(names), classes=np.array(classes))
    run("write", tool, tmp_path / "given.npz", pictures, tmp_path / "out")
    images = ProjectImages(pictures, (path.name for path in pictures.iterdir()))
    count = ImportCount()
    found = [
        (Path(o.image_name).stem, o.class_name, full(o.mask, *SIZE))
        for o in import_objects(IMPORTERS[name], tmp_path / "out" / file, images, count)
    ]
    assert count.refused == []
    assert essence(tuple(found)) == essence(objects)


def grown(bits: np.ndarray, by: int = 1) -> np.ndarray:
    return cv2.dilate(bits.astype(np.uint8), np.ones((2 * by + 1,) * 2, np.uint8)).astype(bool)


def test_polygons_of_coco_differ_from_supervision_s_by_its_border_alone(tmp_path: Path, pictures: Path) -> None:
    """COCO's own tools draw a polygon along pixel edges; supervision draws it with OpenCV, which includes the border."""
    written("coco-polygons", SOLID, pictures, tmp_path / "out")
    run(
        "read",
        "supervision-coco",
        tmp_path / "out" / "annotations/instances_polygons.json",
        pictures,
        tmp_path / "f.npz",
    )
    with np.load(tmp_path / "f.npz") as data:
        theirs = dict(
            zip(zip(data["names"].tolist(), data["classes"].tolist(), strict=True), data["masks"], strict=True)
        )
    for image, label, bits in SOLID:
        drawn = next(mask for (name, other), mask in theirs.items() if (name, other.split()[0]) == (image, label))
        assert (drawn >= bits).all()
        assert (drawn <= grown(bits)).all()


def test_what_supervision_writes_as_coco_comes_in_without_its_border_where_it_is_a_polygon(
    tmp_path: Path, pictures: Path
) -> None:
    names, classes, masks = zip(*WITH_HOLES, strict=True)
    np.savez(tmp_path / "given.npz", masks=np.array(masks), names=np.array(names), classes=np.array(classes))
    run("write", "supervision-coco", tmp_path / "given.npz", pictures, tmp_path / "out")
    images, count = ProjectImages(pictures, (path.name for path in pictures.iterdir())), ImportCount()
    found = [full(o.mask, *SIZE) for o in import_objects(IMPORTERS["coco"], tmp_path / "out" / "c.json", images, count)]
    assert count.refused == []
    assert (found[0] == masks[0]).all()  # it has a hole, and comes as run lengths
    for one, bits in zip(found[1:], masks[1:], strict=True):
        assert (one <= bits).all()
        assert (bits <= grown(one, 2)).all()  # two pixels at a sharp corner
