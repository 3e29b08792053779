"""What would take too much memory or time is refused from its header, before anything is unpacked."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from samtta_app.errors import ImageError, LargeImageError
from samtta_app.images.read import image_size, read_ids, read_image
from samtta_app.images.read_limits import MAX_SMALL_BYTES, MAX_WHOLE_BYTES, READ_AHEAD_SHARE, WORK, image_cost
from tests.unit.core.crafted import (
    GIF,
    chunk,
    claiming_png,
    claiming_tiff,
    many_scans,
    noise,
    png,
    stored,
    tiff,
    written,
)


def claiming_jpeg(width: int, height: int) -> bytes:
    data = bytearray(stored("JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def claiming_bmp(width: int, height: int) -> bytes:
    data = bytearray(stored("BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def claiming_webp(width: int, height: int) -> bytes:
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4)
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little") + stored("WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def jpeg_in_tiff() -> bytes:
    """A strip of 64 x 64 that is a JPEG of 65,000 x 65,000."""
    strip = claiming_jpeg(65_000, 65_000)
    tags = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 7), (262, 3, 1, 1), (277, 3, 1, 1)]
    tags += [(273, 4, 1, 122), (278, 4, 1, 64), (279, 4, 1, len(strip))]
    return tiff(tags, strip)


BOMBS: dict[str, tuple[bytes, str]] = {
    "gif": (GIF, "cannot hold"),
    "png": (claiming_png(19_999, 19_999), "cannot hold"),
    "deep png": (claiming_png(19_999, 19_999, 16, 6), "cannot hold"),
    "palette png": (claiming_png(60_000, 60_000, 8, 3), "damaged"),
    "tiff": (claiming_tiff(19_999, 19_999), "cannot hold"),
    "unpacked tiff": (claiming_tiff(40_000, 40_000, packed=1), "cannot hold"),
    "tiff of no length": (claiming_tiff(30_000, 30_000, bits=8), "cannot hold"),
    "tiff of lines": (claiming_tiff(2**31 - 1, 9), "cannot hold"),
    "tiled tiff": (claiming_tiff(64, 64, tile=60_000, count=8), "cannot hold"),
    "jpeg": (claiming_jpeg(65_000, 65_000), "cannot hold"),
    "bmp": (claiming_bmp(50_000, 50_000), "cannot hold"),
    "bmp upside down": (claiming_bmp(50_000, -50_000), "cannot hold"),
    "webp": (claiming_webp(2**24, 255), "cannot hold"),
    "jpeg in tiff": (jpeg_in_tiff(), r"claims 65000 x 65000 pixels where 64 x 64 belong"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_size_that_the_file_cannot_hold_is_refused(tmp_path: Path, bomb: str) -> None:
    data, says = BOMBS[bomb]
    with pytest.raises(ImageError, match=says) as raised:
        read_image(written(tmp_path, "a.png", data))
    assert raised.value.do


def test_all_bombs_together_take_no_memory_to_speak_of(tmp_path: Path) -> None:
    for name, (data, _) in BOMBS.items():
        written(tmp_path, f"{name}.png", data)
    written(tmp_path, "large.png", png(20_000, 2_000, 16, 6))
    written(tmp_path, "scans.jpg", many_scans(2_000, 2_000))
    written(tmp_path, "mask.png", png(60_000, 4_000))
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from samtta_app.images.read_limits import READ_AHEAD_SHARE\nfrom samtta_app.images.read import read_image\n"
        "from samtta_app.errors import ImageError\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    try:\n        read_image(path, share=READ_AHEAD_SHARE)\n"
        "    except ImageError as e:\n        assert 'memory for' not in str(e), e\n"
        "    else:\n        raise SystemExit(f'{path} was read')\n"
        "print(peak() - before)\n"
    )
    if sys.platform == "win32":
        pytest.skip("Windows does not say a process's peak of memory in this way")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 100e6


@pytest.mark.parametrize(
    ("width", "height", "depth", "colour"), [(20_000, 9_000, 16, 6), (18_000, 15_000, 8, 6), (40_000, 11_000, 8, 0)]
)
def test_a_packed_image_of_too_many_bytes_is_refused_with_what_it_would_take(
    tmp_path: Path, width: int, height: int, depth: int, colour: int
) -> None:
    data = png(width, 64, depth, colour, rows=64)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    path = written(tmp_path, "a.png", data[:8] + header + data[8 + len(header) :] + bytes(height * 200))
    with pytest.raises(LargeImageError, match=rf"{width} x {height} = .* would take .* GB .*tiles"):
        read_image(path)


def test_plain_areas_pack_to_almost_nothing_and_are_no_bombs(tmp_path: Path) -> None:
    PIL.Image.new("1", (4_900, 7_000), 1).save(tmp_path / "page.tif", compression="group4")
    PIL.Image.new("RGB", (1_500, 1_500), (9, 200, 80)).save(tmp_path / "flat.webp", lossless=True)
    PIL.Image.new("L", (3_000, 3_000), 99).save(tmp_path / "flat.png")
    assert read_image(tmp_path / "page.tif").pixels.min() == 255
    assert (tmp_path / "page.tif").stat().st_size < 10_000
    for name in ("flat.webp", "flat.png"):
        assert read_image(tmp_path / name).pixels.std(axis=(0, 1)).max() == 0


def test_read_ahead_is_a_fraction_of_what_a_person_may_open(tmp_path: Path) -> None:
    path = written(tmp_path, "a.png", png(9_000, 6_000))
    assert image_cost(9_000, 6_000, 1, 1).bytes > MAX_WHOLE_BYTES * READ_AHEAD_SHARE == MAX_SMALL_BYTES
    with pytest.raises(LargeImageError):
        read_image(path, share=READ_AHEAD_SHARE)
    assert image_size(path) == (9_000, 6_000)
    PIL.Image.fromarray(noise(500, 500)).save(path)
    assert read_image(path, share=READ_AHEAD_SHARE).width == 500


@pytest.mark.parametrize("extra", [200, 5_000])
def test_a_jpeg_of_more_scans_than_the_work_allows_is_refused_before_it_is_decoded(tmp_path: Path, extra: int) -> None:
    side = round((WORK / extra) ** 0.5) + 64
    path = written(tmp_path, "a.jpg", many_scans(side, extra))
    with pytest.raises(LargeImageError, match="so many scans"):
        read_image(path)


def test_a_small_jpeg_of_many_scans_is_read(tmp_path: Path) -> None:
    image = read_image(written(tmp_path, "a.jpg", many_scans(64, 300)))
    assert np.abs(image.pixels.astype(int) - 77).max() <= 1


def test_a_page_that_says_it_is_packed_in_an_unknown_way_is_refused_by_name(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(), photometric="rgb", compression="jpegxl")
    with pytest.raises(ImageError, match=r"JPEGXL.*LZW or deflate"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", ["jpeg2000", "webp", "jpeg", "zstd", "lzma", "packbits", "lzw", "deflate"])
def test_ways_of_packing_that_are_checked_are_read(tmp_path: Path, compression: str) -> None:
    flat = np.full((64, 64, 3), (200, 60, 20), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", flat, photometric="rgb", compression=compression)
    assert np.abs(read_image(tmp_path / "a.tif").pixels.astype(int) - flat).max() < 12


@pytest.mark.parametrize("compression", ["jpeg2000", "webp", "jpeg"])
def test_a_strip_that_is_larger_than_its_place_is_refused(tmp_path: Path, compression: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(64, 64), photometric="rgb", compression=compression)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        places = [file.pages.first.tags[tag].valueoffset for tag in (256, 257, 278)]
        sizes = [file.pages.first.tags[tag].dtype for tag in (256, 257, 278)]
    for place, kind in zip(places, sizes, strict=True):
        struct.pack_into("<H" if kind == 3 else "<I", data, place, 16)
    with pytest.raises(ImageError, match="claims 64 x 64 pixels where 16 x 16 belong"):
        read_image(written(tmp_path, "b.tif", bytes(data)))


@pytest.mark.parametrize("number", [65_536, 2**31 - 1, -1])
def test_a_mask_with_an_id_beyond_the_highest_is_refused(tmp_path: Path, number: int) -> None:
    values = np.zeros((64, 64), np.int32)
    values[3:9, 3:9] = number
    tifffile.imwrite(tmp_path / "a.png", values)
    with pytest.raises(ImageError, match=r"The mask holds .* from 1 to 65535"):
        read_ids(tmp_path / "a.png")
    values[3:9, 3:9] = 65_535
    tifffile.imwrite(tmp_path / "a.png", values)
    assert read_ids(tmp_path / "a.png").max() == 65_535
