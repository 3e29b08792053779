"""Photos: pseudo-masks are made once, kept by content, and made again when what was kept is broken."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samtta_app.errors import DatasetError, ImageError
from samtta_app.train.data.pseudo_masks import MAX_SIDE, MIN_SIDE, pseudo_records, read_photo


def colours(place: tuple[int, int] = (25, 20)) -> np.ndarray:
    """A red square at (x, y) on green."""
    pixels = np.full((60, 80, 3), (30, 60, 30), np.uint8)
    x, y = place
    pixels[y : y + 20, x : x + 30] = (200, 40, 40)
    return pixels


def photo(file: Path, place: tuple[int, int] = (25, 20)) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(colours(place)).save(file)
    return file


def test_masks_are_made_once_and_read_back(tmp_path: Path) -> None:
    files, cache = [photo(tmp_path / "a.png")], tmp_path / "cache"
    (first,) = pseudo_records(files, cache, workers=1)
    (kept,) = cache.iterdir()
    made = kept.stat().st_mtime_ns
    (again,) = pseudo_records(files, cache, workers=1)
    assert kept.stat().st_mtime_ns == made
    assert first.objects == again.objects
    assert np.array_equal(first.layers, again.layers)


def test_photos_of_one_name_have_masks_of_their_own(tmp_path: Path) -> None:
    files = [
        photo(tmp_path / "a.png"),
        photo(tmp_path / "a.bmp", (5, 35)),
        photo(tmp_path / "other" / "a.png", (45, 5)),
    ]
    records = pseudo_records(files, tmp_path / "cache", workers=1)
    for record, (x, y) in zip(records, ((25, 20), (5, 35), (45, 5)), strict=True):
        assert all(abs(box.x0 - x) <= 2 and abs(box.y0 - y) <= 2 for box in record.objects)
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_several_processes_make_what_one_makes(tmp_path: Path) -> None:
    files = [photo(tmp_path / f"{i}.png", (5 + 10 * i, 30 - 5 * i)) for i in range(3)]
    one, two = (pseudo_records(files, tmp_path / f"cache{n}", workers=n) for n in (1, 2))
    assert [record.name for record in two] == ["0", "1", "2"]
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.layers, b.layers)


def test_a_photo_that_was_exchanged_gets_new_masks(tmp_path: Path) -> None:
    file, cache = photo(tmp_path / "a.png"), tmp_path / "cache"
    (before,) = pseudo_records([file], cache, workers=1)
    photo(file, (45, 35))
    (after,) = pseudo_records([file], cache, workers=1)
    assert after.objects[0].x0 > before.objects[0].x0 + 10


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04 no archive", b"\x80\x04K\x01.", None])
def test_a_kept_file_that_is_cut_off_or_something_else_is_made_again(tmp_path: Path, broken: bytes | None) -> None:
    files, cache = [photo(tmp_path / "a.png")], tmp_path / "cache"
    (first,) = pseudo_records(files, cache, workers=1)
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if broken is None else broken)
    (again,) = pseudo_records(files, cache, workers=1)
    assert np.array_equal(first.layers, again.layers)
    assert kept.read_bytes() == whole


def test_a_kept_file_with_other_content_is_made_again(tmp_path: Path) -> None:
    files, cache = [photo(tmp_path / "a.png")], tmp_path / "cache"
    (first,) = pseudo_records(files, cache, workers=1)
    (kept,) = cache.iterdir()
    for other in ({"layers": np.zeros((60, 80), np.uint16)}, {"masks": first.layers}, {"layers": np.zeros((1, 2, 3))}):
        np.savez_compressed(kept, **other)
        (again,) = pseudo_records(files, cache, workers=1)
        assert np.array_equal(first.layers, again.layers)


def test_photos_keep_their_order_around_ones_that_are_broken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = [photo(tmp_path / "c.png"), tmp_path / "b.png", tmp_path / "gone.jpg", photo(tmp_path / "a.png")]
    files[1].write_bytes(photo(tmp_path / "x.png").read_bytes()[:70])
    read = pseudo_records(files, tmp_path / "cache", workers=1)
    assert [one.name for one in read] == ["c", "a"]
    assert all(name in caplog.text for name in ("b.png", "gone.jpg"))


def test_a_photo_without_a_thing_in_it_is_no_record_and_no_complaint(tmp_path: Path) -> None:
    Image.new("RGB", (60, 60), (90, 90, 90)).save(tmp_path / "plain.png")
    assert pseudo_records([tmp_path / "plain.png"], tmp_path / "cache", workers=1) == []


def test_a_folder_that_cannot_be_written_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(DatasetError, match="cannot be kept") as caught:
        pseudo_records([photo(tmp_path / "a.png")], tmp_path / "cache", workers=1)
    assert caught.value.where == str(tmp_path / "cache")


def test_a_photo_held_sideways_is_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(colours()).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.jpg", exif=exif, quality=95)
    pixels = read_photo(tmp_path / "a.jpg")
    assert pixels.shape == (60, 80, 3)
    assert np.abs(pixels.astype(int) - colours()).mean() < 6
    (record,) = pseudo_records([tmp_path / "a.jpg"], tmp_path / "cache", workers=1)
    assert record.layers.shape[1:] == (60, 80)


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "RGBA"])
def test_photos_of_every_mode_have_three_channels(tmp_path: Path, mode: str) -> None:
    grey = Image.fromarray(colours()).convert("L")
    image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 250) if mode == "I;16" else grey.convert(mode)
    image.save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png").shape == (60, 80, 3)


def test_large_photos_are_reduced_and_tiny_ones_refused(tmp_path: Path) -> None:
    Image.new("RGB", (2 * MAX_SIDE, MAX_SIDE)).save(tmp_path / "large.png")
    assert read_photo(tmp_path / "large.png").shape == (MAX_SIDE // 2, MAX_SIDE, 3)
    Image.new("RGB", (MIN_SIDE, MIN_SIDE)).save(tmp_path / "least.png")
    assert read_photo(tmp_path / "least.png").shape == (MIN_SIDE, MIN_SIDE, 3)
    Image.new("RGB", (MIN_SIDE, MIN_SIDE - 1)).save(tmp_path / "tiny.png")
    with pytest.raises(ImageError, match="32 x 31 pixels, too few"):
        read_photo(tmp_path / "tiny.png")
