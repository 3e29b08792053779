"""Index PNGs: every number has one meaning, and overlaps follow the stated order."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samtta_app.core.masks import full
from samtta_app.core.project import ProjectImage
from samtta_app.core.types import Mask
from samtta_app.errors import ExportError
from samtta_app.formats import FORMATS
from samtta_app.formats.png import painted
from tests.unit.formats.values import SIZE, annotation, block, project, ring


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_pixels_are_those_of_the_masks(tmp_path: Path) -> None:
    FORMATS["png"].write(project(annotation(5, ring(), class_id=4)), tmp_path)
    instances, classes = pixels(tmp_path / "instances" / "a.png"), pixels(tmp_path / "classes" / "a.png")
    assert instances.shape == classes.shape == SIZE
    assert instances.dtype == classes.dtype == np.uint8
    assert ((instances == 1) == full(ring(), *SIZE)).all()
    assert ((classes == 2) == full(ring(), *SIZE)).all()
    assert set(np.unique(classes)) == {0, 2}


def test_where_masks_overlap_the_later_accepted_is_on_top(tmp_path: Path) -> None:
    under, over = block(0, 0, 20, 20), block(10, 10, 30, 30)
    FORMATS["png"].write(project(annotation(8, under), annotation(9, over, class_id=4)), tmp_path)
    instances, classes = pixels(tmp_path / "instances" / "a.png"), pixels(tmp_path / "classes" / "a.png")
    assert (instances[10:20, 10:20] == 2).all()
    assert (classes[10:20, 10:20] == 2).all()
    assert (instances[:10, :20] == 1).all()
    assert instances.max() == 2
    assert "later accepted" in json.loads((tmp_path / "legend.json").read_text("utf-8"))["order"]


def test_the_legend_says_what_every_number_is(tmp_path: Path) -> None:
    FORMATS["png"].write(project(annotation(8, block(0, 0, 5, 5)), annotation(11, ring(), class_id=4)), tmp_path)
    legend = json.loads((tmp_path / "legend.json").read_text("utf-8"))
    assert legend["classes"] == {"1": "object", "2": "Zellkern äöü"}
    assert legend["images"] == [
        {
            "image": "a.png",
            "file": "a.png",
            "objects": [{"value": 1, "annotation": 8, "class": 1}, {"value": 2, "annotation": 11, "class": 2}],
        }
    ]


def test_more_than_255_objects_are_written_with_16_bits(tmp_path: Path) -> None:
    blocks = [block(k % 60, k // 60, k % 60 + 1, k // 60 + 1) for k in range(300)]
    FORMATS["png"].write(project(*(annotation(k, b) for k, b in enumerate(blocks, 1))), tmp_path)
    instances, classes = pixels(tmp_path / "instances" / "a.png"), pixels(tmp_path / "classes" / "a.png")
    assert instances.max() == 300
    assert instances[299 // 60, 299 % 60] == 300
    assert classes.dtype == np.uint8


def test_numbers_have_the_colours_of_pascal_voc(tmp_path: Path) -> None:
    FORMATS["png"].write(project(annotation(5, ring(), class_id=4)), tmp_path)
    for part, colour in (("instances", (128, 0, 0)), ("classes", (0, 128, 0))):
        with Image.open(tmp_path / part / "a.png") as image:
            assert image.mode == "P"
            shown = np.array(image.convert("RGB"))
        assert (shown[full(ring(), *SIZE)] == colour).all()
        assert (shown[~full(ring(), *SIZE)] == 0).all()
    (back,) = FORMATS["png"].read(tmp_path)
    assert (full(back.mask, *SIZE) == full(ring(), *SIZE)).all()


def test_only_annotated_images_have_files(tmp_path: Path) -> None:
    made = FORMATS["png"].write(project(annotation(1, ring(), "b.png")), tmp_path)
    assert sorted(made) == sorted(p for p in tmp_path.rglob("*") if p.is_file())
    assert {p.relative_to(tmp_path).as_posix() for p in made} == {"instances/b.png", "classes/b.png", "legend.json"}


def test_images_that_differ_in_their_ending_only_do_not_overwrite_each_other(tmp_path: Path) -> None:
    names = ("a.png", "A.jpg", "b.tif")
    annotations = (annotation(1, ring(), "a.png"), annotation(2, ring(), "A.jpg"), annotation(3, ring(), "b.tif"))
    FORMATS["png"].write(project(*annotations, names=names), tmp_path)
    assert {p.name for p in (tmp_path / "instances").iterdir()} == {"a.png.png", "A.jpg.png", "b.png"}


def test_a_mask_that_reaches_over_the_rim_is_cut(tmp_path: Path) -> None:
    over = Mask(-3, 35, np.ones((20, 10), np.bool_))
    index = painted((annotation(1, over),), [1], ProjectImage("a.png", SIZE[1], SIZE[0]))
    assert (index == full(over, *SIZE)).all()
    outside = painted((annotation(1, Mask(100, 5, np.ones((2, 2), np.bool_))),), [1], ProjectImage("a", 60, 40))
    assert not outside.any()


def test_too_many_objects_are_refused_and_no_partial_file_stays(tmp_path: Path) -> None:
    one = annotation(1, block(0, 0, 2, 2))
    crowd = [replace(one, id=k) for k in range(65_536)]
    with pytest.raises(ExportError, match="65535"):
        FORMATS["png"].write(
            project(annotation(1, ring(), "b.png"), *crowd, names=("b.png", "a.png")), tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_on_a_full_disk_no_partial_file_stays(tmp_path: Path) -> None:
    import resource

    noise = np.random.default_rng(0).random(SIZE) < 0.5
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(ExportError, match="out"):
            FORMATS["png"].write(project(annotation(1, Mask(0, 0, noise))), tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "out").exists()
