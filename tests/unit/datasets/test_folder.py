from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from samtta_app.core.masks import full
from samtta_app.datasets.folder import open_dataset, read_labels, read_objects
from samtta_app.errors import DatasetError
from tests.unit.core.crafted import claiming_png


def labels() -> np.ndarray:
    values = np.zeros((12, 16), np.uint16)
    values[1:4, 1:5] = 1
    values[6:10, 6:14] = 300
    values[7:9, 8:10] = 0  # a hole
    values[0, 15] = 7
    return values


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for name in ("a", "b", "c"):
        PIL.Image.new("L", (16, 12), 90).save(tmp_path / "images" / f"{name}.jpg")
    for name in ("a", "b"):
        PIL.Image.fromarray(labels()).save(tmp_path / "masks" / f"{name}.png")
    (tmp_path / "split.json").write_text(json.dumps({"train": ["a", "c"], "test": ["b"]}))
    (tmp_path / "classes.json").write_text(json.dumps({"a": {"1": "cell", "300": "ring"}}))
    return tmp_path


def test_objects_come_with_id_class_and_exact_mask(folder: Path) -> None:
    found = read_objects(open_dataset(folder).images[0])
    assert [(o.image.name, o.instance, o.class_name) for o in found] == [
        ("a", 1, "cell"),
        ("a", 7, "object"),
        ("a", 300, "ring"),
    ]
    for one in found:
        assert np.array_equal(full(one.mask, 12, 16), labels() == one.instance)


def test_a_hole_stays_a_hole(folder: Path) -> None:
    ring = read_objects(open_dataset(folder).images[0])[-1]
    assert ring.mask.area == 4 * 8 - 4


def test_small_objects_are_left_out_on_request(folder: Path) -> None:
    assert [o.instance for o in read_objects(open_dataset(folder).images[0], min_area=12)] == [1, 300]


def test_an_image_without_masks_has_no_objects(folder: Path) -> None:
    assert read_objects(open_dataset(folder).images[2]) == ()


def test_a_split_chooses_images(folder: Path) -> None:
    data = open_dataset(folder)
    assert [i.name for i in data.part("train")] == ["a", "c"]
    assert [i.name for i in data.part("test")] == ["b"]
    assert len(data.part(None)) == 3


def test_an_unknown_split_is_refused_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(DatasetError, match="train, test"):
        open_dataset(folder).part("val")


def test_split_and_classes_are_optional(folder: Path) -> None:
    (folder / "split.json").unlink()
    (folder / "classes.json").unlink()
    data = open_dataset(folder)
    assert data.splits == {}
    assert {o.class_name for o in read_objects(data.images[0])} == {"object"}


def test_nothing_is_read_before_it_is_asked_for(folder: Path) -> None:
    (folder / "masks" / "b.png").write_bytes(b"broken")
    (folder / "images" / "c.jpg").write_bytes(b"broken")
    assert len(open_dataset(folder).images) == 3


def test_eight_bit_masks_and_palettes_are_instance_ids_too(folder: Path) -> None:
    values = (labels() > 0).astype(np.uint8) * 2
    for mode in ("L", "P"):
        file = PIL.Image.frombytes(mode, (16, 12), values.tobytes())
        if mode == "P":
            file.putpalette([0, 0, 0, 9, 9, 9, 8, 8, 8])
        file.save(folder / "masks" / "a.png")
        assert [o.instance for o in read_objects(open_dataset(folder).images[0])] == [2]


def test_an_upright_mask_fits_an_image_that_was_held_sideways(folder: Path) -> None:
    exif = PIL.Image.Exif()
    exif[274] = 6
    PIL.Image.new("L", (12, 16)).save(folder / "images" / "a.jpg", exif=exif)
    assert read_labels(open_dataset(folder).images[0]).shape == (12, 16)


@pytest.mark.parametrize("part", ["images", "masks"])
def test_a_missing_folder_is_named(folder: Path, part: str) -> None:
    (folder / part).rename(folder / "elsewhere")
    with pytest.raises(DatasetError, match=part):
        open_dataset(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere"):
        open_dataset(tmp_path / "nowhere")


def test_masks_of_no_image_are_refused(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / "masks" / f"{name}.png").rename(folder / "masks" / f"other_{name}.png")
    with pytest.raises(DatasetError, match="No image"):
        open_dataset(folder)


def test_two_images_of_one_name_are_refused(folder: Path) -> None:
    PIL.Image.new("L", (16, 12)).save(folder / "images" / "a.png")
    with pytest.raises(DatasetError, match='"a"'):
        open_dataset(folder)


def test_a_mask_of_another_size_is_refused_with_both_sizes(folder: Path) -> None:
    PIL.Image.new("L", (10, 10)).save(folder / "masks" / "a.png")
    with pytest.raises(DatasetError, match=r"10 x 10.*16 x 12.*a\.png"):
        read_objects(open_dataset(folder).images[0])


def test_a_mask_in_colours_is_refused(folder: Path) -> None:
    PIL.Image.new("RGB", (16, 12)).save(folder / "masks" / "a.png")
    with pytest.raises(DatasetError, match="channels"):
        read_objects(open_dataset(folder).images[0])


@pytest.mark.parametrize("number", [65_536, 2**31 - 1, -3])
def test_a_mask_with_an_id_beyond_sixteen_bits_is_refused(folder: Path, number: int) -> None:
    """What lists the objects makes room for every number up to the highest."""
    values = labels().astype(np.int32)
    values[0, 0] = number
    PIL.Image.fromarray(values).save(folder / "masks" / "a.png", format="tiff")
    with pytest.raises(DatasetError, match=r"from 1 to 65535.*") as raised:
        read_objects(open_dataset(folder).images[0])
    assert raised.value.where == str(folder / "masks" / "a.png")


@pytest.mark.parametrize("part", ["images", "masks"])
def test_a_file_that_claims_sixty_thousand_pixels_a_side_is_refused(folder: Path, part: str) -> None:
    for path in (folder / part).glob("a.*"):
        path.unlink()
    (folder / part / "a.png").write_bytes(claiming_png(60_000, 60_000))
    with pytest.raises(DatasetError, match=r"a\.png"):
        read_objects(open_dataset(folder).images[0])


def test_a_broken_mask_is_named(folder: Path) -> None:
    (folder / "masks" / "a.png").write_bytes(b"broken")
    with pytest.raises(DatasetError, match=r"a\.png"):
        read_objects(open_dataset(folder).images[0])


@pytest.mark.parametrize("name", ["split.json", "classes.json"])
@pytest.mark.parametrize("text", ["{", "[]", '{"a": 3}'])
def test_broken_json_is_named(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(DatasetError, match=r"\.json"):
        open_dataset(folder)


def test_a_split_that_names_a_missing_image_is_refused(folder: Path) -> None:
    (folder / "split.json").write_text(json.dumps({"test": ["a", "zebra"]}))
    with pytest.raises(DatasetError, match="zebra"):
        open_dataset(folder)
