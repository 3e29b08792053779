"""What a file's own tags say is believed, what they do not say is not made up, and what is not shown is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

from samtta_app.images import tiff_pages
from samtta_app.images.read import from_array, read_image
from samtta_app.images.stretching import DARK_BELOW, is_dark, to_display
from samtta_app.train.data.labelled_images import read_labelled
from samtta_app.train.data.pseudo_masks import read_photo
from tests.unit.core.crafted import noise


def tif(folder: Path, values: np.ndarray, **options: Any) -> Path:
    tifffile.imwrite(folder / "a.tif", values, **options)
    return folder / "a.tif"


# --- opacity --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_fourth_channel_of_no_stated_meaning_is_not_opacity(tmp_path: Path, planar: str) -> None:
    values = np.dstack([noise(), noise(channels=1) // 9])
    stored = values if planar == "contig" else values.transpose(2, 0, 1)
    image = read_image(tif(tmp_path, stored, photometric="rgb", planarconfig=planar, extrasamples=["unspecified"]))
    assert np.array_equal(image.pixels, values[..., :3])
    assert np.array_equal(image.raw, values)
    assert image.notice == "Channel 4 is not shown."


def test_a_file_that_says_opacity_is_laid_over_white(tmp_path: Path) -> None:
    values = np.dstack([noise(), np.full((40, 48), 255, np.uint8)])
    values[0, :, 3] = 0
    image = read_image(tif(tmp_path, values, photometric="rgb", extrasamples=["unassalpha"]))
    assert image.pixels[0].min() == 255
    assert np.array_equal(image.pixels[1:], values[1:, :, :3])
    assert image.notice == ""


def test_opacity_that_the_colours_were_multiplied_by_is_not_applied_twice(tmp_path: Path) -> None:
    values = np.full((40, 48, 4), (100, 20, 0, 128), np.uint8)
    image = read_image(tif(tmp_path, values, photometric="rgb", extrasamples=["assocalpha"]))
    assert image.pixels[3, 3].tolist() == [227, 147, 127]


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_more_channels_than_colours_are_named(tmp_path: Path, depth: type) -> None:
    values = np.dstack([noise(), noise()[..., :2]]).astype(depth)
    image = read_image(tif(tmp_path, values, photometric="rgb", planarconfig="contig"))
    assert np.array_equal(image.raw, values)
    assert image.notice == "Channels 4 to 5 are not shown."
    assert image.pixels.std() > 30


@pytest.mark.parametrize(
    ("extra", "first", "notice"), [("unspecified", 90, "Channel 2 is not shown."), ("unassalpha", 255, "")]
)
def test_grey_with_a_second_channel_is_grey(tmp_path: Path, extra: str, first: int, notice: str) -> None:
    values = np.full((40, 48, 2), 90, np.uint8)
    values[..., 1] = 0
    path = tif(tmp_path, values, photometric="minisblack", planarconfig="contig", extrasamples=[extra])
    image = read_image(path)
    assert image.pixels[0, 0].tolist() == [first] * 3
    assert image.notice == notice


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_transparent_value_of_a_png_is_transparent(tmp_path: Path, mode: str) -> None:
    file = PIL.Image.new(mode, (20, 20), 200 if mode == "L" else (200, 100, 0))
    file.putpixel((3, 3), 77 if mode == "L" else (7, 7, 7))
    file.save(tmp_path / "a.png", transparency=77 if mode == "L" else (7, 7, 7))
    image = read_image(tmp_path / "a.png")
    assert image.pixels[3, 3].tolist() == [255, 255, 255]
    assert image.pixels[4, 4, 0] == 200


# --- pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("mode", ["L", "P", "RGB", "CMYK"])
def test_a_file_of_ten_pages_shows_the_first_and_says_so(tmp_path: Path, mode: str, compression: str) -> None:
    pages = [PIL.Image.new("L", (30, 20), 90 + 9 * k).convert(mode) for k in range(10)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression=compression)
    image = read_image(tmp_path / "a.tif")
    assert image.notice == "This is page 1 of 10."
    assert np.abs(image.pixels.astype(int) - 90).max() <= 2


@pytest.mark.parametrize("axes", ["ZYX", "TYX", "CYX", "TCYX", "ZCYX"])
@pytest.mark.parametrize("ome", [False, True])
def test_of_a_stack_the_first_plane_of_each_channel_is_read_and_the_rest_is_counted(
    tmp_path: Path, axes: str, ome: bool
) -> None:
    shape = tuple({"Z": 5, "T": 5, "C": 4, "Y": 20, "X": 30}[axis] for axis in axes)
    values = np.random.default_rng(0).integers(0, 60_000, shape).astype(np.uint16)
    metadata = {"axes": axes}
    path = tmp_path / ("a.ome.tif" if ome else "a.tif")
    tifffile.imwrite(path, values, ome=ome, imagej=not ome, metadata=metadata, photometric="minisblack")
    image = read_image(path)
    expected = values[0] if axes[0] in "ZT" else values
    assert np.array_equal(image.raw, expected.transpose(1, 2, 0) if "C" in axes else expected)
    assert ("page 1 of 5" in image.notice) == (axes[0] in "ZT")
    assert ("Channel 4 is not shown" in image.notice) == ("C" in axes)


def test_pages_of_several_sizes_are_counted(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for side in (20, 30, 40):
            file.write(noise(side, side), photometric="rgb")
    image = read_image(tmp_path / "a.tif")
    assert (image.width, image.notice) == (20, "This is page 1 of 3.")


def test_smaller_copies_of_the_page_are_no_pages(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(noise(64, 64), photometric="rgb", subifds=1)
        file.write(noise(32, 32), photometric="rgb", subfiletype=1)
    assert read_image(tmp_path / "a.tif").notice == ""


def test_of_more_pages_than_are_looked_at_the_first_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_pages, "MOST_PAGES", 4)
    pages = [PIL.Image.fromarray(noise(20, 20, 1)) for _ in range(9)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    image = read_image(tmp_path / "a.tif")
    assert np.array_equal(image.raw, noise(20, 20, 1))
    assert image.notice == "This is page 1 of 5."


def test_a_chain_of_pages_that_bites_its_tail_ends(tmp_path: Path) -> None:
    path = tif(tmp_path, noise(20, 20), photometric="rgb", metadata=None)
    with tifffile.TiffFile(path) as file:
        first = file.pages.first
        end = first.offset + 2 + 12 * len(first.tags)
        offset = first.offset
    data = bytearray(path.read_bytes())
    data[end : end + 4] = offset.to_bytes(4, "little")
    path.write_bytes(bytes(data))
    assert np.array_equal(read_image(path).pixels, noise(20, 20))


def test_other_files_that_a_file_names_are_not_opened(tmp_path: Path) -> None:
    """An OME header may say that a plane lies in another file."""
    secret = np.full((20, 30), 999, np.uint16)
    tifffile.imwrite(tmp_path / "secret.tif", secret)
    text = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYCZT" Type="uint16" SizeX="30" SizeY="20" SizeC="2" SizeZ="1" SizeT="1"><Channel ID="Channel:0:0"/>'
        '<TiffData FirstC="0" IFD="0" PlaneCount="1"><UUID FileName="a.ome.tif">urn:uuid:0</UUID></TiffData>'
        '<TiffData FirstC="1" IFD="0" PlaneCount="1"><UUID FileName="secret.tif">urn:uuid:1</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    values = np.arange(600, dtype=np.uint16).reshape(20, 30)
    tifffile.imwrite(tmp_path / "a.ome.tif", values, description=text, metadata=None)
    assert not (read_image(tmp_path / "a.ome.tif").raw == 999).all(axis=(0, 1)).any()


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_a_moving_picture_says_that_it_has_more_frames(tmp_path: Path, kind: str) -> None:
    frames = [PIL.Image.new("RGB", (20, 20), colour) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    frames[0].save(tmp_path / f"a.{kind}", save_all=True, append_images=frames[1:], lossless=True)
    image = read_image(tmp_path / f"a.{kind}")
    assert image.notice == "This is frame 1 of 3."
    assert image.pixels[5, 5].tolist() == [200, 0, 0]


def test_an_ordinary_image_has_no_notice(tmp_path: Path) -> None:
    PIL.Image.fromarray(noise()).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").notice == ""
    assert from_array(noise()).notice == ""


# --- dark files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("highest", [1, 12, 20, 40, DARK_BELOW - 1])
@pytest.mark.parametrize("kind", ["png", "tif", "bmp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_dark_file_is_stretched_for_the_eye_and_kept_raw(
    tmp_path: Path, highest: int, kind: str, channels: int
) -> None:
    values = np.asarray(noise(40, 48, channels).astype(int) * (highest + 1) // 256, np.uint8)
    PIL.Image.fromarray(values).save(tmp_path / f"a.{kind}")
    image = read_image(tmp_path / f"a.{kind}")
    assert np.array_equal(image.raw, values)
    assert (int(image.pixels.min()), int(image.pixels.max())) == (0, 255)
    deeper = to_display(values.astype(np.uint16))
    assert np.array_equal(image.pixels, deeper)


@pytest.mark.parametrize(
    "values",
    [
        noise(),
        np.full((40, 48), 20, np.uint8),
        np.zeros((40, 48), np.uint8),
        np.where(np.arange(1920).reshape(40, 48) == 5, 64, 3).astype(np.uint8),
        np.asarray(noise() // 8 + 100, np.uint8),
        np.asarray(noise(15, 15) // 16, np.uint8),
    ],
    ids=["ordinary", "one value", "black", "one bright pixel", "little contrast", "few pixels"],
)
def test_other_eight_bit_files_look_as_they_are(tmp_path: Path, values: np.ndarray) -> None:
    PIL.Image.fromarray(values).save(tmp_path / "a.png")
    shown = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
    assert not is_dark(values)
    assert np.array_equal(read_image(tmp_path / "a.png").pixels, shown)


def test_a_dark_palette_keeps_its_colours(tmp_path: Path) -> None:
    file = PIL.Image.fromarray(noise(channels=1) // 128, "P")
    file.putpalette([10, 10, 10, 30, 30, 30])
    file.save(tmp_path / "a.png")
    assert set(np.unique(read_image(tmp_path / "a.png").pixels)) == {10, 30}


def test_what_is_trained_on_is_what_the_window_shows_of_a_dark_file(tmp_path: Path) -> None:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    values, mask = np.asarray(noise(64, 64) // 16, np.uint8), np.zeros((64, 64), np.uint8)
    mask[10:30, 10:30] = 1
    PIL.Image.fromarray(values).save(tmp_path / "images" / "a.png")
    PIL.Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    (record,) = read_labelled([tmp_path / "images" / "a.png"])
    shown = read_image(tmp_path / "images" / "a.png").pixels
    assert shown.max() == 255 > values.max()
    assert np.array_equal(record.pixels, shown)
    assert record.layers.max() == 1
    assert np.array_equal(read_photo(tmp_path / "images" / "a.png"), shown)
    assert np.array_equal(from_array(values).pixels, values)
