"""What real folders hold: masks of every kind, files that are none, splits that do not fit. Nothing passes unseen."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samtta_app.train import pseudo
from samtta_app.train.data import SYNTHETIC, SampleSource
from samtta_app.train.evaluate import held_out_views
from samtta_app.train.loop import read_held_out, read_sets
from samtta_app.train.pseudo import pseudo_records
from samtta_app.train.records import MIN_OBJECT_AREA, MIN_OBJECT_SIDE, has_masks, image_paths, read_records, with_boxes
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
    (read,) = read_records(with_mask(tmp_path, mask))
    scale = 300 if mode.startswith("I") else 1
    assert [box.value for box in read.objects] == [scale, 2 * scale, 3 * scale]
    assert np.array_equal(read.layers[0], values.astype(np.uint16) * scale)


def test_a_black_and_white_mask_is_one_object(tmp_path: Path) -> None:
    (read,) = read_records(with_mask(tmp_path, Image.fromarray(ids() > 0)))
    assert [box.value for box in read.objects] == [1]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_a_mask_of_several_channels_is_skipped_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    assert read_records(with_mask(tmp_path, Image.fromarray(ids()).convert(mode))) == []
    assert "p0.png" in caplog.text
    assert "channels" in caplog.text


def test_an_empty_mask_is_no_record_and_no_complaint(tmp_path: Path) -> None:
    assert read_records(with_mask(tmp_path, Image.new("L", (96, 96)))) == []


@pytest.mark.parametrize("size", [(96, 95), (48, 96), (1, 1)])
def test_a_mask_of_another_size_is_skipped_with_both_sizes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, size: tuple[int, int]
) -> None:
    assert read_records(with_mask(tmp_path, Image.new("L", size, 1))) == []
    assert "(96, 96)" in caplog.text
    assert str(size[::-1]) in caplog.text


def test_a_mask_that_is_cut_off_is_skipped_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = with_mask(tmp_path, Image.fromarray(ids()))
    file = paths[0].parents[1] / "masks" / "p0.png"
    file.write_bytes(file.read_bytes()[:60])
    assert read_records(paths) == []
    assert "p0.png" in caplog.text


def test_a_missing_mask_is_named_and_the_other_images_are_still_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = write_set(tmp_path / "set", 6)
    (data / "masks" / "p1.png").unlink()
    read = read_records(image_paths(data, "train"))
    assert [one.name for one in read] == ["p0", "p2"]
    assert "p1.png" in caplog.text


# --- images of every kind -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_images_in_colours_are_kept_in_three_channels(tmp_path: Path, mode: str) -> None:
    data = write_set(tmp_path / "set", 2)
    file = data / "images" / "p0.png"
    image = Image.open(file).convert("RGB").convert(mode)
    file.unlink()
    image.save(file.with_suffix(".tif"))
    (read,) = read_records(image_paths(data, "train"))
    assert read.pixels.shape == (96, 96, 3)
    assert read.pixels[read.layers[0] > 0].mean() > 150


def test_an_image_of_sixteen_bits_keeps_its_contrast(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", 2)
    pixels, labels = picture(0)
    Image.fromarray(pixels.astype(np.uint16) * 200 + 5000).save(data / "images" / "p0.png")
    (read,) = read_records(image_paths(data, "train"))
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
    with pytest.raises(ValueError, match=r"set: no readable split\.json"):
        image_paths(data, "train")


def test_a_folder_without_images_is_refused_with_its_name(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set")
    (data / "images").rename(data / "pictures")
    with pytest.raises(ValueError, match="set: no readable images folder"):
        image_paths(data, "train")


def test_images_come_in_the_order_of_the_split_and_missing_ones_are_left_out(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set")
    (data / "split.json").write_text(json.dumps({"train": ["p3", "gone", "p0"], "test": []}))
    assert [path.stem for path in image_paths(data, "train")] == ["p3", "p0"]
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
    with pytest.raises(ValueError, match=r"no usable image with an object in .*one.*two"):
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


# --- photos ---------------------------------------------------------------------------------------------------------


def photo(file: Path) -> Path:
    pixels = np.full((60, 80, 3), (30, 60, 30), np.uint8)
    pixels[20:40, 25:55] = (200, 40, 40)
    Image.fromarray(pixels).save(file)
    return file


def test_a_set_without_masks_is_a_set_of_photos(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", masks=False)
    assert not has_masks(data)
    sets = read_sets([data], "train", tmp_path / "cache")
    assert {file.name for file in (tmp_path / "cache" / "set").iterdir()} == {"p0.npz", "p1.npz"}
    assert all(one.layers.shape == (4, 96, 96) for one in sets["set"])
    assert read_held_out([data]) == {}


def test_a_full_disk_leaves_no_half_written_pseudo_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(file: object, **_: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    file, cache = photo(tmp_path / "a.png"), tmp_path / "cache"
    cache.mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(pseudo.np, "savez_compressed", stopped)
        with pytest.raises(OSError, match="No space left"):
            pseudo._cached(file, cache)
    assert list(cache.iterdir()) == []
    assert pseudo._cached(file, cache) == cache / "a.npz"


def test_photos_keep_their_order_around_one_that_is_broken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = [photo(tmp_path / "c.png"), tmp_path / "b.png", photo(tmp_path / "a.png")]
    files[1].write_bytes(b"no photo")
    read = pseudo_records(files, tmp_path / "cache", workers=1)
    assert [one.name for one in read] == ["c", "a"]
    assert "b.png" in caplog.text
