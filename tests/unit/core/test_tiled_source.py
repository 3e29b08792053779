"""Large TIFF files are read by tile, and every pixel is that of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile

from samtta_app.core.types import Image, Window
from samtta_app.errors import ImageError
from samtta_app.images import tiff_tiles
from samtta_app.images.image_source import read_reduced, source_of
from samtta_app.images.read import read_image


@pytest.fixture(autouse=True)
def every_tiff_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff_tiles, "WHOLE_SHARE", 0.0)
    monkeypatch.setattr("samtta_app.images.read.LEAST_TILED", 0)


def noise(*shape: int, top: int = 256, kind: Any = np.uint8) -> np.ndarray:
    small = np.random.default_rng(0).integers(0, top, (shape[0] // 8 + 1, shape[1] // 8 + 1, *shape[2:])).astype(kind)
    return np.ascontiguousarray(small.repeat(8, 0).repeat(8, 1)[: shape[0], : shape[1]])


def opened(path: Path, pixels: np.ndarray, **how: Any) -> Image:
    tifffile.imwrite(path, pixels, **how)
    found = read_image(path, tiled=True)
    assert found.tiles is not None
    assert found.pixels.size == 0
    return found


@pytest.mark.parametrize(
    "how",
    [
        {"tile": (256, 128), "compression": "zlib", "photometric": "rgb", "bigtiff": True},
        {"rowsperstrip": 100, "compression": "lzw", "photometric": "rgb"},
        {"photometric": "rgb", "bigtiff": True},
        {
            "tile": (256, 256),
            "compression": "jpeg",
            "compressionargs": {"level": 100, "lossless": True},
            "photometric": "rgb",
        },
    ],
    ids=["tiles", "strips", "unpacked", "jpeg"],
)
def test_windows_are_those_of_the_whole_image(tmp_path: Path, how: dict[str, Any]) -> None:
    pixels = noise(1337, 1501, 3)
    found = opened(tmp_path / "a.tif", pixels, **how)
    assert (found.width, found.height) == (1501, 1337)
    part = Window(490, 1000, 700, 337)
    assert np.array_equal(source_of(found).read(part), pixels[1000:1337, 490:1190])
    half = source_of(found).read(Window(100, 90, 651, 579), 1)
    whole = cv2.resize(np.pad(pixels, ((0, 1), (0, 1), (0, 0)), mode="edge"), (751, 669), interpolation=cv2.INTER_AREA)
    assert np.array_equal(half, whole[90:, 100:])
    assert read_reduced(found, found.whole, 300).shape == (335, 376, 3)
    source_of(found).read(Window(512, 512, 512, 512))
    value = found.tiles.value_at(600, 700) if found.tiles else None
    assert value is not None
    assert np.array_equal(value, pixels[700, 600])


def test_deep_values_are_stretched_alike_in_every_tile(tmp_path: Path) -> None:
    values = noise(900, 1300, top=5000, kind=np.uint16)
    tiled = opened(tmp_path / "a.tif", values, tile=(128, 128))
    shown = source_of(tiled).read(tiled.whole).astype(int)
    assert abs(shown - read_image(tmp_path / "a.tif").pixels).max() <= 3, "the limits are found of a part of the values"


def test_the_key_names_the_content_and_not_how_it_is_packed(tmp_path: Path) -> None:
    pixels = noise(1100, 1100, 3)
    keys = {
        opened(tmp_path / "a.tif", pixels, tile=(256, 256), photometric="rgb").key,
        opened(tmp_path / "b.tif", pixels, rowsperstrip=7, compression="zlib", photometric="rgb").key,
    }
    assert len(keys) == 1
    pixels[1, 1] += 1
    assert opened(tmp_path / "c.tif", pixels, tile=(256, 256), photometric="rgb").key not in keys


def test_a_file_that_is_cut_off_is_refused_in_words(tmp_path: Path) -> None:
    opened(tmp_path / "a.tif", noise(1100, 1100, 3), tile=(256, 256), photometric="rgb")
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError, match="rows are missing"):
        read_image(tmp_path / "a.tif", tiled=True)
