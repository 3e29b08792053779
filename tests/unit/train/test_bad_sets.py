"""What real folders hold: masks of every kind, files that are none, splits that do not fit. Nothing passes unseen."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samtta_app.errors import DatasetError
from samtta_app.images.read import MOST_ID
from samtta_app.train.batches import SYNTHETIC, SampleSource
from samtta_app.train.data.crops import Zoom, held_out_views
from samtta_app.train.data.labelled_images import (
    MIN_OBJECT_AREA,
    MIN_OBJECT_SIDE,
    has_masks,
    image_paths,
    read_labelled,
    with_boxes,
)
from samtta_app.train.training_sets import read_held_out, read_sets
from tests.unit.core.crafted import POSTSCRIPT, claiming_png
from tests.unit.train.material import picture, record, write_set


def with_mask(folder: Path, mask: Image.Image) -> list[Path]:
    """A set of one image with this mask; returns the image's path."""
    data = write_set(folder / "set", 2)
    mask.save(data / "masks" / "p0.png")
    return image_paths(data, "train")


def ids() -> np.ndarray:
    return picture(0)[1]


# --- masks of every kind --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "P", "I;16"])
def test_instance_ids_are_read_from_every_one_channel_mask(tmp_path: Path, mode: str) -> None:
    values = ids()
    if mode == "I;16":
        mask = Image.fromarray(values.astype(np.uint16) * 300)
    else:
        mask = Image.frombytes(mode, values.shape[::-1], values.tobytes())
        if mode == "P":
            mask.putpalette([0, 0, 0, 0, 0, 0, 255, 255, 255])  # colours lie: two ids share one
    (read,) = read_labelled(with_mask(tmp_path, mask))
    scale = 300 if mode.startswith("I") else 1
    assert [box.value for box in read.objects] == [scale, 2 * scale, 3 * scale]
    assert np.array_equal(read.layers[0], values.astype(np.uint16) * scale)


def test_a_black_and_white_mask_is_one_object(tmp_path: Path) -> None:
    (read,) = read_labelled(with_mask(tmp_path, Image.fromarray(ids() > 0)))
    assert [box.value for box in read.objects] == [1]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_a_mask_of_several_channels_is_skipped_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    assert read_labelled(with_mask(tmp_path, Image.fromarray(ids()).convert(mode))) == []
    assert "p0.png" in caplog.text
    assert "channels" in caplog.text


@pytest.mark.parametrize("worst", [-1, MOST_ID + 1])
def test_ids_that_do_not_fit_are_refused_and_not_wrapped_around(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, worst: int
) -> None:
    values = ids().astype(np.int32)
    values[0, 0] = worst
    paths = with_mask(tmp_path, Image.fromarray(ids()))
    Image.fromarray(values).save(paths[0].parents[1] / "masks" / "p0.png", format="tiff")
    assert read_labelled(paths) == []
    assert f"from 1 to {MOST_ID}" in caplog.text


def test_masks_and_images_that_claim_more_than_they_hold_are_skipped_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = write_set(tmp_path / "set", 6)
    (data / "masks" / "p0.png").write_bytes(claiming_png(60_000, 60_000))
    (data / "images" / "p1.png").write_bytes(claiming_png(19_999, 19_999))
    (data / "masks" / "p2.png").write_bytes(POSTSCRIPT)
    names = [path.stem for path in image_paths(data, "train")]
    assert [one.name for one in read_labelled(image_paths(data, "train"))] == [
        n for n in names if n not in ("p0", "p1", "p2")
    ]
    assert caplog.text.count("cannot hold") == 2
    assert "PostScript" in caplog.text


def test_a_mask_with_fractions_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = with_mask(tmp_path, Image.fromarray(ids()))
    Image.fromarray(ids() / np.float32(3)).save(paths[0].parents[1] / "masks" / "p0.png", format="tiff")
    assert read_labelled(paths) == []
    assert "p0.png" in caplog.text


def test_an_empty_mask_is_no_record_and_no_complaint(tmp_path: Path) -> None:
    assert read_labelled(with_mask(tmp_path, Image.new("L", (96, 96)))) == []


@pytest.mark.parametrize("size", [(96, 95), (48, 96), (1, 1)])
def test_a_mask_of_another_size_is_skipped_with_both_sizes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, size: tuple[int, int]
) -> None:
    assert read_labelled(with_mask(tmp_path, Image.new("L", size, 1))) == []
    assert f"The mask is {size[0]} x {size[1]}, its image 96 x 96" in caplog.text
    assert "masks/p0.png" in caplog.text.replace("\\", "/")


def test_a_mask_that_is_cut_off_is_skipped_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = with_mask(tmp_path, Image.fromarray(ids()))
    file = paths[0].parents[1] / "masks" / "p0.png"
    file.write_bytes(file.read_bytes()[:60])
    assert read_labelled(paths) == []
    assert "p0.png" in caplog.text


def test_a_missing_mask_is_named_and_the_other_images_are_still_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = write_set(tmp_path / "set", 6)
    (data / "masks" / "p1.png").unlink()
    read = read_labelled(image_paths(data, "train"))
    assert [one.name for one in read] == ["p0", "p2"]
    assert "p1.png" in caplog.text


# --- images of every kind -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_images_in_colours_are_kept_in_three_channels(tmp_path: Path, mode: str) -> None:
    data = write_set(tmp_path / "set", 2)
    file = data / "images" / "p0.png"
    grey = np.asarray(Image.open(file))
    image = Image.fromarray(np.stack([grey, grey // 2, grey // 4], -1)).convert(mode)
    file.unlink()
    image.save(file.with_suffix(".tif"))
    (read,) = read_labelled(image_paths(data, "train"))
    assert read.pixels.shape == (96, 96, 3)
    red, _, blue = read.pixels[read.layers[0] > 0].mean(0)
    assert red > 150
    assert blue < 100


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_images_that_are_all_grey_are_kept_in_one_channel(tmp_path: Path, mode: str) -> None:
    data = write_set(tmp_path / "set", 2)
    file = data / "images" / "p0.png"
    Image.open(file).convert(mode).save(file)
    (read,) = read_labelled(image_paths(data, "train"))
    assert np.array_equal(read.pixels, picture(0)[0])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_held_sideways_is_read_upright_as_its_mask_was_drawn(tmp_path: Path, orientation: int) -> None:
    data = write_set(tmp_path / "set", 2)
    (data / "images" / "p0.png").unlink()
    pixels, labels = (part[:70] for part in picture(0))
    turned = Image.fromarray(pixels)
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    if orientation in undo:
        turned = turned.transpose(undo[orientation])
    exif = Image.Exif()
    exif[274] = orientation
    turned.save(data / "images" / "p0.jpg", exif=exif, quality=95)
    Image.fromarray(labels).save(data / "masks" / "p0.png")
    (read,) = read_labelled(image_paths(data, "train"))
    assert read.pixels.shape == (70, 96)
    assert read.pixels[labels > 0].mean() > 170
    assert read.pixels[labels == 0].mean() < 70


def test_an_image_of_sixteen_bits_keeps_its_contrast(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", 2)
    pixels, labels = picture(0)
    Image.fromarray(pixels.astype(np.uint16) * 200 + 5000).save(data / "images" / "p0.png")
    (read,) = read_labelled(image_paths(data, "train"))
    assert read.pixels.dtype == np.uint8
    assert float(read.pixels[labels > 0].mean()) - float(read.pixels[labels == 0].mean()) > 100


def test_a_set_of_a_single_image_is_enough_to_draw_from(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", 2)
    sets = read_sets([data], "train", tmp_path / "cache")
    assert len(sets["set"]) == 1
    source = SampleSource(sets, {"set": 1.0}, 64, 2, 0)
    assert source[0][1].shape == (2, 16, 16)


# --- objects --------------------------------------------------------------------------------------------------------


def test_lines_thinner_than_the_least_side_are_no_objects() -> None:
    labels = np.zeros((1, 60, 60), np.uint16)
    labels[0, 5 : 5 + MIN_OBJECT_SIDE - 1, 5:50] = 1
    labels[0, 20 : 20 + MIN_OBJECT_SIDE, 5:50] = 2
    labels[0, 40:45, 5:8] = 3  # fifteen pixels
    assert MIN_OBJECT_AREA > 5 * 3
    found = with_boxes("x", np.zeros((60, 60), np.uint8), labels).objects
    assert [(box.value, box.y0, box.y1, box.side) for box in found] == [(2, 20, 25, 45)]


def test_every_layer_has_objects_of_its_own() -> None:
    layers = np.zeros((3, 40, 40), np.uint16)
    layers[0, 2:12, 2:12], layers[0, 20:30, 20:30], layers[2, 2:32, 2:32] = 1, 4, 1
    found = with_boxes("x", np.zeros((40, 40), np.uint8), layers).objects
    assert [(box.layer, box.value) for box in found] == [(0, 1), (0, 4), (2, 1)]


# --- folders and splits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["{", "[1]", "3", '{"test": ["p0"]}', "\xff"])
def test_a_split_that_cannot_be_used_is_refused_with_the_folder(tmp_path: Path, text: str) -> None:
    data = write_set(tmp_path / "set")
    (data / "split.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DatasetError, match=r"no readable split\.json with 'train'") as caught:
        image_paths(data, "train")
    assert caught.value.where == str(data / "split.json")
    assert "images/" in caught.value.do


@pytest.mark.parametrize("names", ["p0", {"p0": 1}, [1, 2], None])
def test_a_split_that_is_no_list_of_names_is_refused(tmp_path: Path, names: object) -> None:
    data = write_set(tmp_path / "set")
    (data / "split.json").write_text(json.dumps({"train": names}))
    with pytest.raises(DatasetError, match="not a list of names"):
        image_paths(data, "train")


def test_names_beyond_ascii_are_found(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set")
    for part in ("images", "masks"):
        (data / part / "p0.png").rename(data / part / "Zürich_細胞.png")
    (data / "split.json").write_text(json.dumps({"train": ["Zürich_細胞"]}, ensure_ascii=False), encoding="utf-8")
    (read,) = read_labelled(image_paths(data, "train"))
    assert read.name == "Zürich_細胞"


def test_a_split_whose_images_are_all_elsewhere_is_refused(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set")
    (data / "split.json").write_text(json.dumps({"train": ["a", "b"]}))
    with pytest.raises(DatasetError, match="None of the 2 images"):
        image_paths(data, "train")


def test_what_is_no_image_lies_beside_images_unharmed(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set")
    for name in ("p0.txt", "._p0.png", "Thumbs.db", "p0.png~"):
        (data / "images" / name).write_bytes(b"no picture")
    assert [path.name for path in image_paths(data, "train")] == ["p0.png", "p1.png"]


def test_two_images_that_would_share_a_mask_are_refused_by_name(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set")
    Image.fromarray(picture(7)[0]).save(data / "images" / "p1.jpg")
    with pytest.raises(DatasetError, match='named "p1"'):
        image_paths(data, "train")


def test_two_photos_of_one_name_are_both_meant(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", masks=False)
    Image.fromarray(picture(7)[0]).save(data / "images" / "p1.jpg")
    assert [path.name for path in image_paths(data, "train")] == ["p0.png", "p1.jpg", "p1.png"]


def test_a_folder_without_images_is_refused_with_its_name(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set")
    (data / "images").rename(data / "pictures")
    with pytest.raises(DatasetError, match="no readable images folder"):
        image_paths(data, "train")


def test_images_come_in_the_order_of_the_split_and_missing_ones_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = write_set(tmp_path / "set")
    (data / "split.json").write_text(json.dumps({"train": ["p3", "gone", "p0"], "test": []}))
    assert [path.stem for path in image_paths(data, "train")] == ["p3", "p0"]
    assert "1 of the 3 images of 'train' are not there: gone" in caplog.text
    assert image_paths(data, "test") == []


def test_an_empty_set_beside_a_good_one_does_not_stop_a_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    good, bad = write_set(tmp_path / "good"), write_set(tmp_path / "bad")
    for file in (bad / "masks").iterdir():
        file.write_bytes(b"")
    sets = read_sets([good, bad], "train", tmp_path / "cache")
    assert (len(sets["good"]), len(sets["bad"])) == (2, 0)
    assert SampleSource(sets, {"good": 0.5, "bad": 0.5}, 64, 1, 0).names == ["good"]
    assert "bad/masks/p0.png" in caplog.text.replace("\\", "/")


def test_sets_without_an_object_are_refused_together_by_name(tmp_path: Path) -> None:
    folders = [write_set(tmp_path / name) for name in ("one", "two")]
    for folder in folders:
        for file in (folder / "masks").iterdir():
            Image.new("L", (96, 96)).save(file)
    with pytest.raises(DatasetError, match=r"no usable image with an object in .*one.*two"):
        read_sets(folders, "train", tmp_path / "cache")


@pytest.mark.parametrize("mixture", [{"elsewhere": 1.0}, {"squares": 0.0}, {"squares": 2.0, SYNTHETIC: -1.0}])
def test_a_mixture_that_gives_no_share_to_the_sets_at_hand_is_refused(mixture: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="the mixture gives no share to any of the sets squares"):
        SampleSource({"squares": [record(0)]}, mixture, 64, 1, 0)


def test_a_test_split_without_objects_is_left_out_of_the_held_out_figures(tmp_path: Path) -> None:
    good, empty = write_set(tmp_path / "good"), write_set(tmp_path / "empty")
    (empty / "split.json").write_text(json.dumps({"train": ["p0"], "test": []}))
    assert list(read_held_out([good, empty])) == ["good"]
    assert held_out_views([], 4, 64, seed=0) == []


def test_a_set_whose_objects_can_never_be_seen_is_named_instead_of_searched_for_ever() -> None:
    speck = np.zeros((1, 200, 200), np.uint16)
    speck[0, 50:55, 50:55] = 1
    records = [with_boxes("x", speck[0].astype(np.uint8), speck)]
    far = Zoom(product=(20.0, 20.0), product_share=1.0, far_share=0.0)
    source = SampleSource({"specks": records}, {"specks": 1.0}, 32, 1, 0, zoom=far)
    with pytest.raises(DatasetError, match="windows of specks"):
        source[0]


def test_a_set_without_masks_is_a_set_of_photos(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", masks=False)
    assert not has_masks(data)
    sets = read_sets([data], "train", tmp_path / "cache")
    assert [one.name for one in sets["set"]] == ["p0", "p1"]
    assert all(one.layers.shape[1:] == (96, 96) and len(one.layers) > 1 for one in sets["set"])
    assert read_held_out([data]) == {}
