"""Sets whose images have names that are not UTF-8, or as long as names can be, are learned from like any other."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from samtta_app.errors import DatasetError
from samtta_app.train.data.labelled_images import image_paths, read_labelled
from samtta_app.train.data.pseudo_masks import pseudo_records

NAMES = (b"gr\xfcn", b"x" * 251, "\u00e4".encode() * 120, b"a\nb", b"NUL", b"[red]x")
LINUX = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are bytes on Linux only")


def set_of(folder: Path, stem: str) -> Path:
    labels = np.zeros((80, 90), np.uint8)
    labels[20:50, 30:70] = 1
    for part, pixels in (("images", np.where(labels, 200, 40).astype(np.uint8)), ("masks", labels)):
        (folder / part).mkdir(parents=True)
        PIL.Image.fromarray(pixels).save(folder / part / f"{stem}.png", format="PNG")
    (folder / "split.json").write_text(json.dumps({"train": [stem]}))
    return folder


@LINUX
@pytest.mark.parametrize("name", NAMES)
def test_an_image_of_any_name_is_a_record_with_masks_and_a_photo_without(tmp_path: Path, name: bytes) -> None:
    stem = os.fsdecode(name)
    paths = image_paths(set_of(tmp_path / os.fsdecode(b"s\xe4t"), stem), "train")
    (record,) = read_labelled(paths)
    assert (record.name, len(record.objects)) == (stem, 1)
    for _ in range(2):
        (photo,) = pseudo_records(paths, tmp_path / "cache", workers=1)
        assert photo.name == stem
    (kept,) = (tmp_path / "cache").iterdir()
    assert kept.name.isprintable()
    assert len(os.fsencode(kept.name)) <= 255


@pytest.mark.parametrize("name", ["../images/a", "/etc/hosts", "..", ""])
def test_a_split_that_names_a_way_out_of_the_set_finds_nothing(tmp_path: Path, name: str) -> None:
    folder = set_of(tmp_path / "set", "a")
    (folder / "split.json").write_text(json.dumps({"train": [name]}))
    with pytest.raises(DatasetError, match="None of the 1 images"):
        image_paths(folder, "train")
