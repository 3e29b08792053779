"""Every kind of file that an annotator brings: its own values, what is shown of them, and which plane it is."""

from __future__ import annotations

import io
import logging
import warnings
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest
import tifffile

from samtta_app.core.planes import FIRST_PLANE, PlaneChoice, parsed_planes
from samtta_app.errors import ImageError
from samtta_app.images.read import image_size, read_image
from samtta_app.session.project.pictures import picture_of
from tests.unit.core.crafted import PATIENT, dicom, noise, stored, written

DEEP = noise().astype(np.uint16) * 257


def chosen(channel: int | None = None, **positions: int) -> PlaneChoice:
    return PlaneChoice(tuple(positions.items()), channel)


# --- formats --------------------------------------------------------------------------------------------------------


def test_a_lossless_jpeg_2000_keeps_its_values_of_eight_and_sixteen_bits(tmp_path: Path) -> None:
    for values in (noise(), noise(channels=1), DEEP, DEEP[..., 0]):
        for codec in ("jp2", "j2k"):
            data = imagecodecs.jpeg2k_encode(values, level=0, codecformat=codec)
            image = read_image(written(tmp_path, "a.jp2", data))
            assert image.raw.dtype == values.dtype
            assert np.array_equal(image.raw, values)
            assert image_size(image.path) == (48, 40)


PNM: dict[str, tuple[bytes, np.ndarray]] = {
    "P1": (b"P1 # a comment\n3 2\n101 0 1 0\n", np.array([[0, 1, 0], [1, 0, 1]], bool)),
    "P2": (b"P2\n3 2\n9\n0 1 2\n3 4 9\n", np.array([[0, 1, 2], [3, 4, 9]], np.uint8)),
    "P3": (b"P3\n1 2\n300\n1 2 300 4 5 6\n", np.array([[[1, 2, 300]], [[4, 5, 6]]], np.uint16)),
    "P4": (b"P4\n3 2\n\xa0\x40", np.array([[0, 1, 0], [1, 0, 1]], bool)),
    "P5": (b"P5 3 2 255\n\0\x01\x02\x03\x04\xff", np.array([[0, 1, 2], [3, 4, 255]], np.uint8)),
    "P5 deep": (b"P5 2 1 65535\n\x01\0\xff\xff", np.array([[256, 65535]], np.uint16)),
    "P6": (b"P6 1 2 255\n\x01\x02\x03\x04\x05\x06", np.array([[[1, 2, 3]], [[4, 5, 6]]], np.uint8)),
    "Pf": (b"Pf\n2 2\n-1.0\n" + np.array([3, 4, 1, 2], "<f4").tobytes(), np.array([[1, 2], [3, 4]], np.float32)),
    "PF": (b"PF\n1 1\n1.0\n" + np.array([1, 2, 3], ">f4").tobytes(), np.array([[[1, 2, 3]]], np.float32)),
}


@pytest.mark.parametrize("kind", PNM)
def test_a_pnm_keeps_its_values_and_a_cut_one_is_refused(tmp_path: Path, kind: str) -> None:
    data, values = PNM[kind]
    image = read_image(written(tmp_path, "a.pnm", data))
    assert image.raw.dtype == values.dtype
    assert np.array_equal(image.raw, values)
    assert image_size(image.path) == (image.width, image.height)
    with pytest.raises(ImageError):
        read_image(written(tmp_path, "a.pnm", data[:-4]))


@pytest.mark.parametrize(
    "head", [b"P5 0 3 255\n", b"P5 3 3 70000\n", b"P6 x y 255\n", b"P2\n2 1\n9\n1 10\n", b"P5 60000 60000 255\n"]
)
def test_a_pnm_that_makes_no_sense_is_refused(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(ImageError):
        read_image(written(tmp_path, "a.pnm", head))


def test_an_avif_is_read_and_says_where_it_had_more_bits(tmp_path: Path) -> None:
    plain = read_image(written(tmp_path, "a.avif", stored("AVIF", quality=100, subsampling="4:4:4")))
    assert np.abs(plain.pixels.astype(int) - noise()).max() <= 4
    assert plain.notice == ""
    deep = imagecodecs.avif_encode(noise().astype(np.uint16) * 4, level=100, bitspersample=10, pixelformat="444")
    assert read_image(written(tmp_path, "b.avif", deep)).notice == "Its values of 10 bits are read with 8."


@pytest.mark.parametrize("kind", ["GIF", "JPEG 2000", "AVIF", "PNM", "DICOM"])
def test_a_file_that_is_cut_off_is_no_image(tmp_path: Path, kind: str) -> None:
    data = stored(kind)
    for length in (len(data) // 2, len(data) - 60):
        with pytest.raises(ImageError):
            read_image(written(tmp_path, "a", data[:length]))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF"])
def test_a_frame_of_an_animation_is_chosen(tmp_path: Path, kind: str) -> None:
    grey = [PIL.Image.new("RGB", (48, 40), (60 * k, 60 * k, 60 * k)) for k in (1, 2, 3)]
    grey[0].save(tmp_path / "a", kind, save_all=True, append_images=grey[1:], lossless=True)
    first, last = read_image(tmp_path / "a"), read_image(tmp_path / "a", planes=chosen(frame=2))
    assert first.axes == last.axes == (("frame", 3),)
    assert (first.notice, last.notice) == ("This is frame 1 of 3.", "This is frame 3 of 3.")
    assert abs(int(first.pixels[5, 5, 0]) - 60) <= 3
    assert abs(int(last.pixels[5, 5, 0]) - 180) <= 3
    assert read_image(tmp_path / "a", planes=chosen(frame=99)).notice == "This is frame 3 of 3."


# --- colours --------------------------------------------------------------------------------------------------------


def wide_profile() -> bytes:
    """A profile of RGB with the channels in another order, so that a conversion shows."""
    data = bytearray(PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes())
    data = data.replace("sRGB".encode("utf-16-be"), "Wide".encode("utf-16-be")).replace(
        b"sRGB built-in", b"Wide built-in"
    )
    red, blue = data.index(b"rXYZ"), data.index(b"bXYZ")
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_colour_profile_becomes_srgb_and_the_values_stay(tmp_path: Path, kind: str) -> None:
    values = np.zeros((40, 48, 3), np.uint8)
    values[..., 0] = 200
    image = read_image(written(tmp_path, "a", stored(kind, values, icc_profile=wide_profile(), quality=100)))
    assert image.raw[5, 5, 0] > 190
    assert image.pixels[5, 5, 2] > 190 > 60 > image.pixels[5, 5, 0]


def test_a_profile_that_is_srgb_or_damaged_changes_nothing(tmp_path: Path) -> None:
    srgb = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile at all", wide_profile()[:200]):
        image = read_image(written(tmp_path, "a.png", stored("PNG", icc_profile=profile)))
        assert np.array_equal(image.pixels, noise())


def test_opacity_is_kept_beside_a_profile(tmp_path: Path) -> None:
    values = np.full((40, 48, 4), (200, 0, 0, 255), np.uint8)
    values[0, :, 3] = 0
    image = read_image(written(tmp_path, "a.png", stored("PNG", values, icc_profile=wide_profile())))
    assert image.pixels[0].min() == 255
    assert image.pixels[5, 5, 2] > 190 > image.pixels[5, 5, 0]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_are_shown_as_colours(tmp_path: Path, kind: str) -> None:
    file = io.BytesIO()
    PIL.Image.new("CMYK", (48, 40), (0, 255, 255, 0)).save(file, kind)
    image = read_image(written(tmp_path, "a", file.getvalue()))
    assert image.pixels[5, 5, 0] > 200 > 60 > image.pixels[5, 5, 1]
    assert image.raw.shape == (40, 48, 4)


# --- pages, axes, channels ------------------------------------------------------------------------------------------


def stack(path: Path, values: np.ndarray, **options: Any) -> Path:
    tifffile.imwrite(path, values, **options)
    return path


def test_a_place_on_every_axis_of_an_ome_tiff_is_chosen(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 60_000, (2, 3, 2, 40, 48), dtype=np.uint16)
    path = stack(tmp_path / "a.ome.tif", values, metadata={"axes": "TZCYX"}, photometric="minisblack")
    first, other = read_image(path), read_image(path, planes=chosen(T=1, Z=2))
    assert first.axes == (("T", 2), ("Z", 3))
    assert np.array_equal(first.raw, values[0, 0].transpose(1, 2, 0))
    assert np.array_equal(other.raw, values[1, 2].transpose(1, 2, 0))
    assert other.notice == "This is page 6 of 6."
    assert picture_of(first) != picture_of(other)


def test_pages_of_several_sizes_are_chosen_and_sized(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for side in (40, 30):
            file.write(noise(side, 48), photometric="rgb")
    other = chosen(file=1)
    image = read_image(tmp_path / "a.tif", planes=other)
    assert image.axes == (("file", 2),)
    assert image.pixels.shape == (30, 48, 3)
    assert image_size(tmp_path / "a.tif", other) == (48, 30)
    assert image.notice == "This is page 2 of 2."


def test_masks_and_reduced_copies_are_no_pages(tmp_path: Path) -> None:
    values, small = noise(channels=1), noise(20, 24, 1)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(small, subfiletype=1, metadata=None)
        file.write(values > 9, subfiletype=4, metadata=None)
        file.write(255 - values, subfiletype=1, metadata=None)
        file.write(values, metadata=None)
        file.write(values // 2, metadata=None)
    image = read_image(tmp_path / "a.tif")
    assert np.array_equal(image.raw, values)
    assert (image.notice, image.axes) == ("This is page 1 of 2.", (("I", 2),))
    assert image_size(tmp_path / "a.tif") == (48, 40)
    assert np.array_equal(read_image(tmp_path / "a.tif", planes=chosen(I=1)).raw, values // 2)


def test_a_page_of_inks_is_chosen(tmp_path: Path) -> None:
    pages = [PIL.Image.new("CMYK", (48, 40), (0, value, value, 0)) for value in (0, 255)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    image = read_image(tmp_path / "a.tif", planes=chosen(I=1))
    assert image.pixels[5, 5].tolist() == [255, 0, 0]
    assert image.notice == "This is page 2 of 2."


def test_a_channel_is_shown_alone_and_the_picture_stays_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, "a.png", stored("PNG"))
    whole, green = read_image(path), read_image(path, planes=chosen(1))
    assert np.array_equal(green.pixels, np.repeat(noise()[..., 1:2], 3, axis=2))
    assert np.array_equal(green.raw, noise())
    assert green.notice == "Channel 2 of 3 is shown."
    assert green.key != whole.key
    assert picture_of(green) == picture_of(whole)


def test_a_value_that_stands_for_nothing_is_left_out_of_the_stretch(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(1000, 1100, (40, 48)).astype(np.float32)
    values[:20] = -9999
    plain = stack(tmp_path / "a.tif", values, photometric="minisblack")
    named = stack(tmp_path / "b.tif", values, photometric="minisblack", extratags=[(42113, "s", 0, "-9999", True)])
    assert read_image(plain).pixels[30:].std() < 5
    image = read_image(named)
    assert image.pixels[30:].std() > 50
    assert image.pixels[:20].max() == 0
    assert image.raw[3, 3] == -9999


def test_a_choice_is_stored_as_text_and_nonsense_is_no_choice() -> None:
    choice = chosen(2, T=3)
    assert parsed_planes(choice.as_text()) == choice
    assert FIRST_PLANE.as_text() == chosen(T=0).as_text() == ""
    for text in ("", "[", "[]", '{"positions": {"T": -1}, "channel": null}', '{"positions": {}, "channel": true}'):
        assert parsed_planes(text) == FIRST_PLANE


# --- DICOM ----------------------------------------------------------------------------------------------------------


def test_grey_values_are_rescaled_and_shown_through_the_file_s_window(tmp_path: Path) -> None:
    stored_values = np.linspace(0, 2000, 40 * 48).astype(np.uint16).reshape(40, 48)
    window = {
        "RescaleSlope": "1",
        "RescaleIntercept": "-1000",
        "WindowCenter": ["0", "50"],
        "WindowWidth": ["200", "9"],
    }
    image = read_image(written(tmp_path, "a.dcm", dicom(stored_values, **window)))
    assert np.array_equal(image.raw, stored_values.astype(np.int32) - 1000)
    assert image.pixels[image.raw < -100].max() == 0
    assert image.pixels[image.raw > 100].min() == 255
    assert 120 < image.pixels[image.raw == 0].mean() < 136
    half = read_image(written(tmp_path, "b.dcm", dicom(stored_values, RescaleSlope="0.5", RescaleIntercept="0")))
    assert half.raw.dtype == np.float32
    assert half.pixels.min() == 0 < half.pixels.max() == 255


def test_monochrome_1_is_shown_inverted(tmp_path: Path) -> None:
    values = noise(channels=1)
    image = read_image(written(tmp_path, "a.dcm", dicom(values, PhotometricInterpretation="MONOCHROME1")))
    assert np.array_equal(image.pixels[..., 0], 255 - values)
    assert np.array_equal(image.raw, values)


def test_a_frame_of_a_dicom_is_chosen(tmp_path: Path) -> None:
    frames = np.stack([noise(channels=1), noise(channels=1) // 2])
    path = written(tmp_path, "a.dcm", dicom(frames))
    image = read_image(path, planes=chosen(frame=1))
    assert np.array_equal(image.raw, frames[1])
    assert image.axes == (("frame", 2),)
    assert image_size(path) == (48, 40)


def test_no_message_or_log_holds_a_patient_s_data(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        odd = dicom(noise(channels=1), PhotometricInterpretation=PATIENT)
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    bad = [
        odd,
        dicom(noise(channels=1), WindowCenter="5", WindowWidth="0"),
        dicom(noise(channels=1), Rows=60_000, Columns=60_000),
        dicom(noise(channels=1))[:900].replace(b"OB", b"UN"),
    ]
    said = [repr(read_image(written(tmp_path, "a.dcm", dicom(noise()))))]
    for data in bad:
        try:
            said.append(repr(read_image(written(tmp_path, "b.dcm", data)).notice))
        except ImageError as error:
            said.append(str(error))
    for text in (*said, caplog.text):
        assert "Doe" not in text
        assert "4711" not in text
