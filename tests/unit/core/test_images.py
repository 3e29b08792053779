from __future__ import annotations

import contextlib
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import tifffile

from samtta_app.errors import ImageError, LargeImageError
from samtta_app.images import read, read_limits
from samtta_app.images.read import from_array, image_size, read_image, to_display, upright
from samtta_app.images.read_limits import MAX_WHOLE_BYTES, image_cost

RNG_SEED = 7
DATA = Path(os.environ.get("SAMTTA_DATA", "../shared/data")) / "raw16"


def colours(height: int = 20, width: int = 30) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).integers(0, 256, (height, width, 3), dtype=np.uint8)


def deep(height: int = 40, width: int = 50) -> np.ndarray:
    return np.linspace(1000, 9000, height * width).reshape(height, width).astype(np.uint16)


# --- ordinary files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "tiff"])
def test_a_lossless_colour_file_is_shown_as_it_is(tmp_path: Path, suffix: str) -> None:
    PIL.Image.fromarray(colours()).save(tmp_path / f"a.{suffix}")
    image = read_image(tmp_path / f"a.{suffix}")
    assert np.array_equal(image.pixels, colours())
    assert image.raw is image.pixels
    assert (image.height, image.width) == (20, 30)


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_a_lossy_file_has_its_size_and_about_its_colours(tmp_path: Path, suffix: str) -> None:
    flat = np.full((24, 32, 3), (200, 60, 20), np.uint8)
    PIL.Image.fromarray(flat).save(tmp_path / f"a.{suffix}", quality=95)
    image = read_image(tmp_path / f"a.{suffix}")
    assert image.pixels.shape == flat.shape
    assert np.abs(image.pixels.astype(int) - flat).max() < 12


def test_pixels_and_raw_values_cannot_be_written_to(tmp_path: Path) -> None:
    PIL.Image.fromarray(deep()).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    for values in (image.pixels, image.raw):
        with pytest.raises(ValueError, match="read-only"):
            values[0, 0] = 0


def test_equal_contents_have_one_key_and_others_another(tmp_path: Path) -> None:
    PIL.Image.fromarray(colours()).save(tmp_path / "a.png")
    PIL.Image.fromarray(colours()).save(tmp_path / "b.bmp")
    PIL.Image.fromarray(255 - colours()).save(tmp_path / "c.png")
    a, b, c = (read_image(tmp_path / name) for name in ("a.png", "b.bmp", "c.png"))
    assert a.key == b.key != c.key


def test_the_key_knows_the_shape() -> None:
    assert from_array(np.zeros((4, 6), np.uint8)).key != from_array(np.zeros((6, 4), np.uint8)).key


def test_grey_is_shown_as_equal_colours_and_kept_raw(tmp_path: Path) -> None:
    grey = colours()[..., 0]
    PIL.Image.fromarray(grey).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert all(np.array_equal(image.pixels[..., i], grey) for i in range(3))
    assert np.array_equal(image.raw, grey)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    bits = np.eye(16, dtype=bool)
    PIL.Image.fromarray(bits).save(tmp_path / "a.png")
    PIL.Image.fromarray(bits).save(tmp_path / "a.tif")
    for name in ("a.png", "a.tif"):
        assert np.array_equal(read_image(tmp_path / name).pixels[..., 0], bits * 255)


def test_a_palette_is_shown_in_its_colours_and_raw_holds_its_numbers(tmp_path: Path) -> None:
    numbers = np.array([[0, 1], [2, 1]], np.uint8)
    file = PIL.Image.frombytes("P", (2, 2), numbers.tobytes())
    file.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    file.save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.pixels[1, 0].tolist() == [70, 80, 90]
    assert np.array_equal(image.raw, numbers)


def test_transparent_parts_are_white_and_opaque_ones_unchanged(tmp_path: Path) -> None:
    rgba = np.dstack([colours(2, 2), np.array([[0, 255], [255, 0]], np.uint8)])
    PIL.Image.fromarray(rgba).save(tmp_path / "a.png")
    pixels = read_image(tmp_path / "a.png").pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 1].tolist() == rgba[0, 1, :3].tolist()


def test_grey_with_alpha_is_composited(tmp_path: Path) -> None:
    PIL.Image.frombytes("LA", (2, 1), bytes([90, 255, 90, 0])).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").pixels[0].tolist() == [[90, 90, 90], [255, 255, 255]]


def test_cmyk_is_shown_in_colours(tmp_path: Path) -> None:
    PIL.Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue = read_image(tmp_path / "a.jpg").pixels[1, 1].tolist()
    assert red > 150 > 60 > max(green, blue)


def test_one_pixel_is_an_image(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").pixels.tolist() == [[[1, 2, 3]]]
    tifffile.imwrite(tmp_path / "a.tif", np.array([[700]], np.uint16))
    assert read_image(tmp_path / "a.tif").raw.tolist() == [[700]]


def test_the_first_frame_of_an_animation_is_shown(tmp_path: Path) -> None:
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert read_image(tmp_path / "a.webp").pixels[0, 0].tolist() == [255, 0, 0]


# --- how the camera was held ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_exif_orientation_is_applied_once_to_pixels_and_raw(tmp_path: Path, orientation: int, suffix: str) -> None:
    scene = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    back = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    stored = PIL.Image.fromarray(np.ascontiguousarray(upright(scene, back)))
    exif = PIL.Image.Exif()
    exif[read.ORIENTATION] = orientation
    stored.save(tmp_path / f"a.{suffix}", exif=exif)
    image = read_image(tmp_path / f"a.{suffix}")
    assert np.array_equal(image.pixels[..., 0], scene)
    assert np.array_equal(image.raw, scene)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_our_turning_agrees_with_pillow(orientation: int) -> None:
    values = colours(3, 5)
    file = PIL.Image.fromarray(values)
    file.getexif()[read.ORIENTATION] = orientation
    assert np.array_equal(upright(values, orientation), np.asarray(PIL.ImageOps.exif_transpose(file)))


# --- deep files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_is_stretched_between_its_percentiles_and_kept_raw(tmp_path: Path, suffix: str) -> None:
    values = deep()
    PIL.Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    image = read_image(tmp_path / f"a.{suffix}")
    low, high = np.percentile(values, (1, 99))
    expected = np.clip((values - low) / (high - low) * 255, 0, 255)
    assert image.pixels.dtype == np.uint8
    assert np.abs(image.pixels[..., 0] - expected).max() <= 1
    assert image.raw.dtype == np.uint16 or suffix == "png"
    assert np.array_equal(image.raw, values)


def test_sixteen_bit_colours_in_png_keep_all_their_bits(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 65536, (6, 5, 3)).astype(">u2")
    rows = b"".join(b"\0" + values[r].tobytes() for r in range(6))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 5, 6, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    packed = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + packed)
    image = read_image(tmp_path / "a.png")
    assert image.raw.dtype == np.uint16
    assert np.array_equal(image.raw, values)


def test_float_with_nan_and_infinity_is_shown_dark_and_bright_there(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(0, 1, (30, 30)).astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    tifffile.imwrite(tmp_path / "a.tif", values)
    image = read_image(tmp_path / "a.tif")
    assert image.pixels[0, :3, 0].tolist() == [0, 255, 0]
    assert np.isnan(image.raw[0, 0])
    assert image.pixels.std() > 30


@pytest.mark.parametrize("value", [np.nan, 5.0, 0.0])
def test_a_constant_float_image_is_shown_without_a_warning(value: float) -> None:
    assert not to_display(np.full((5, 5), value, np.float32)).any()


def test_a_few_bright_spots_on_a_constant_ground_stay_visible() -> None:
    values = np.full((100, 100), 300, np.uint16)
    values[50, 50] = 4000
    assert to_display(values)[50, 50].tolist() == [255, 255, 255]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint32, np.int32, np.float16, np.float64, np.complex64])
def test_every_number_type_can_be_shown(tmp_path: Path, dtype: type) -> None:
    values = np.arange(100).reshape(10, 10).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values)
    image = read_image(tmp_path / "a.tif")
    assert image.raw.dtype == dtype
    assert image.pixels[0, 0, 0] == 0
    assert image.pixels[-1, -1, 0] == 255


def test_the_real_sixteen_bit_micrographs_are_read_whole() -> None:
    files = sorted(DATA.glob("*.tif"))
    if not files:
        pytest.skip("the 16-bit files are not here: set SAMTTA_DATA to the folder that holds raw16/")
    for path in files:
        image = read_image(path)
        assert image.raw.dtype == np.uint16
        assert image.raw.shape == image.pixels.shape[:2]
        assert image.raw.max() > 255
        assert image.pixels.min() == 0
        assert image.pixels.max() == 255
        assert 40 < image.pixels.mean() < 215


# --- pages and channels ---------------------------------------------------------------------------------------------


def test_of_several_pages_the_first_is_shown(tmp_path: Path) -> None:
    pages = np.stack([deep(), deep()[::-1]])
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    assert np.array_equal(read_image(tmp_path / "a.tif").raw, pages[0])


@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
def test_of_an_imagej_stack_the_first_plane_is_shown(tmp_path: Path, axes: str) -> None:
    stack = np.stack([deep(), deep() + 1, deep() + 2])
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": axes})
    assert np.array_equal(read_image(tmp_path / "a.tif").raw, stack[0])


def test_channels_are_colours_each_stretched_by_itself(tmp_path: Path) -> None:
    stack = np.stack([deep(), deep() // 10, deep()[:, ::-1]])
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "CYX"})
    image = read_image(tmp_path / "a.tif")
    assert image.raw.shape == (40, 50, 3)
    assert [int(image.pixels[..., i].max()) for i in range(3)] == [255, 255, 255]


def test_of_a_stack_with_channels_the_first_plane_of_each_channel_is_shown(tmp_path: Path) -> None:
    stack = np.random.default_rng(3).integers(0, 60000, (4, 2, 12, 14)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    image = read_image(tmp_path / "a.tif")
    assert np.array_equal(image.raw, stack[0].transpose(1, 2, 0))
    assert not image.pixels[..., 2].any()


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colours_are_found_however_they_are_stored(tmp_path: Path, planar: str) -> None:
    values = colours()
    stored = values if planar == "contig" else values.transpose(2, 0, 1)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar)
    assert np.array_equal(read_image(tmp_path / "a.tif").pixels, values)


def test_float_colours_saved_without_a_word_are_still_colours(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", colours().astype(np.float32), photometric="minisblack")
    assert read_image(tmp_path / "a.tif").pixels.shape == (20, 30, 3)


def test_white_is_zero_is_shown_the_right_way_round(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 255]], np.uint8), photometric="miniswhite")
    assert read_image(tmp_path / "a.tif").pixels[0, :, 0].tolist() == [255, 0]


def test_a_palette_tiff_is_shown_in_its_colours(tmp_path: Path) -> None:
    file = PIL.Image.frombytes("P", (2, 1), bytes([0, 1]))
    file.putpalette([10, 20, 30, 40, 50, 60])
    file.save(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif").pixels[0].tolist() == [[10, 20, 30], [40, 50, 60]]


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg"])
def test_packed_tiffs_are_read(tmp_path: Path, compression: str) -> None:
    flat = np.full((32, 32, 3), (200, 60, 20), np.uint8)
    PIL.Image.fromarray(flat).save(tmp_path / "a.tif", compression=compression)
    assert np.abs(read_image(tmp_path / "a.tif").pixels.astype(int) - flat).max() < 12


# --- large ----------------------------------------------------------------------------------------------------------


def test_sixty_thousand_pixels_in_a_row_are_no_problem(tmp_path: Path) -> None:
    PIL.Image.new("L", (60_000, 3), 77).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert (image.width, image.height) == (60_000, 3)


def test_many_pixels_are_no_bomb(tmp_path: Path) -> None:
    PIL.Image.new("1", (16_000, 12_000)).save(tmp_path / "a.png")
    assert 16_000 * 12_000 > 178_956_970  # Pillow's own limit
    assert image_size(tmp_path / "a.png") == (16_000, 12_000)
    assert image_cost(16_000, 12_000, 1, 1).bytes < MAX_WHOLE_BYTES
    assert image_cost(17_000, 17_000, 4, 3).bytes > MAX_WHOLE_BYTES > image_cost(13_000, 13_000, 4, 3).bytes


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_too_many_pixels_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    PIL.Image.new("L", (60, 50)).save(tmp_path / f"a.{suffix}")
    monkeypatch.setattr(read_limits, "MAX_WHOLE_BYTES", 12_000)
    with pytest.raises(LargeImageError, match=r"60 x 50.*tiles"):
        read_image(tmp_path / f"a.{suffix}")


# --- files that cannot be read --------------------------------------------------------------------------------------


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for name in ("missing.png", "folder.png"):
        with pytest.raises(ImageError, match=name):
            read_image(tmp_path / name)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(ImageError, match="empty"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg"])
def test_something_else_is_called_no_image(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Dear diary, today I annotated nine hundred cells.")
    with pytest.raises(ImageError, match="not an image"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "webp"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_an_image_error_that_says_what_to_do(
    tmp_path: Path, suffix: str, share: float
) -> None:
    path = tmp_path / f"a.{suffix}"
    PIL.Image.fromarray(colours(200, 200)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError, match=rf"a\.{suffix}") as raised:
        read_image(path)
    assert raised.value.do


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_deep_file_that_is_cut_off_is_an_image_error(tmp_path: Path, share: float) -> None:
    tifffile.imwrite(tmp_path / "a.tif", deep(200, 200))
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError, match=r"a\.tif"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "webp"])
def test_scrambled_bytes_never_raise_anything_but_an_image_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    PIL.Image.fromarray(colours(64, 64)).save(path)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(11)
    for _ in range(60):
        broken = data.copy()
        where = rng.integers(0, min(len(data), 400), 6)
        broken[where] = rng.integers(0, 256, 6)
        path.write_bytes(broken.tobytes())
        with contextlib.suppress(ImageError):
            assert read_image(path).pixels.dtype == np.uint8
