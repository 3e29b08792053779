"""Where on Earth a pixel lies, by the tags of a GeoTIFF; what makes no sense is no reference."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from samtta_app.core.types import Mask
from samtta_app.formats import FORMATS
from samtta_app.formats.geo_reference import GeoReference, geo_reference
from samtta_app.formats.importers import ImportedObject
from samtta_app.session.project.imported_objects import store_imported
from samtta_app.session.project.store import Store

SCALE, TIE = (33550, "d", 3, (0.5, 0.25, 0.0), True), (33922, "d", 6, (0.0, 0.0, 0.0, 500.0, 900.0, 0.0), True)
TURNED = (34264, "d", 16, (0, 2, 0, 10, 3, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 1), True)


def keys(*entries: tuple[int, int]) -> tuple[object, ...]:
    values = [1, 1, 0, len(entries), *(part for key, value in entries for part in (key, 0, 1, value))]
    return (34735, "H", len(values), tuple(values), True)


def tif(folder: Path, *tags: tuple[object, ...], **options: object) -> Path:
    path = folder / "a.tif"
    tifffile.imwrite(path, np.zeros((20, 30), np.uint8), photometric="minisblack", extratags=list(tags), **options)
    return path


def test_scale_and_tie_point_place_the_corners_of_pixels(tmp_path: Path) -> None:
    found = geo_reference(tif(tmp_path, SCALE, TIE, keys((1025, 1), (3072, 32633))))
    assert found is not None
    assert found.epsg == 32633
    corners = np.array([[0.0, 0.0], [30.0, 20.0]])
    assert found.to_world(corners).tolist() == [[500.0, 900.0], [515.0, 895.0]]
    assert np.allclose(found.to_pixels(found.to_world(corners)), corners)


def test_a_tie_point_at_the_centre_of_a_pixel_moves_by_half_of_one(tmp_path: Path) -> None:
    found = geo_reference(tif(tmp_path, SCALE, TIE, keys((1025, 2), (2048, 4326))))
    assert found is not None
    assert found.epsg == 4326
    assert found.to_world(np.array([[0.5, 0.5]])).tolist() == [[500.0, 900.0]]


def test_a_turned_raster_is_placed_by_its_matrix(tmp_path: Path) -> None:
    found = geo_reference(tif(tmp_path, TURNED, keys((3072, 32767))))
    assert found is not None
    assert found.epsg == 0  # defined by the user
    assert found.to_world(np.array([[5.0, 4.0]])).tolist() == [[18.0, 35.0]]
    assert np.allclose(found.to_pixels(np.array([[18.0, 35.0]])), [[5.0, 4.0]])


FLAT = (33550, "d", 3, (0.0, 0.25, 0.0), True)
NAN = (33550, "d", 3, (float("nan"), 0.25, 0.0), True)
SHORT = (33550, "d", 1, 0.5, True)


@pytest.mark.parametrize(
    "tags", [(), (SCALE,), (TIE,), (FLAT, TIE), (NAN, TIE), (SHORT, TIE), (SCALE, TIE, (274, "H", 1, 6, True))]
)
def test_tags_that_place_nothing_are_no_reference(tmp_path: Path, tags: tuple[tuple[object, ...], ...]) -> None:
    assert geo_reference(tif(tmp_path, *tags)) is None


def test_only_a_tiff_has_a_reference(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(tif(tmp_path, SCALE, TIE).read_bytes())
    (tmp_path / "b.tif").write_bytes(b"II*\0 no more")
    for name in ("a.png", "b.tif", "nowhere.tif"):
        assert geo_reference(tmp_path / name) is None


def test_a_reference_without_an_inverse_is_refused() -> None:
    with pytest.raises(ValueError, match="inverse"):
        GeoReference((1.0, 1.0, 0.0, 1.0, 1.0, 0.0), 0).to_pixels(np.zeros((1, 2)))


def test_geojson_lies_on_earth_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tif(tmp_path / "in", SCALE, TIE, keys((1025, 1), (3072, 32633)))
    mask = Mask(4, 6, np.ones((2, 8), bool))
    with Store.open(tmp_path / "in") as store:
        store_imported(store, [ImportedObject("a.tif", (20, 30), "field", mask)], "test")
        FORMATS["geojson"].write(store.project(), tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("a.geojson")
    ring = np.array(json.loads(file.read_text())["features"][0]["geometry"]["coordinates"][0])
    ring = ring.reshape(-1, 2)
    assert ring.min(axis=0).tolist() == [502.0, 898.0]
    assert ring.max(axis=0).tolist() == [506.0, 898.5]
    (found,) = FORMATS["geojson"].read(tmp_path / "out")
    assert (found.mask.x, found.mask.y, found.mask.area) == (4, 6, 16)
