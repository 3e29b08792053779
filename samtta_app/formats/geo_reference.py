"""Where on Earth an image lies, from a GeoTIFF's tags: an affine transform of pixel corners, and the system's number.

Source: OGC 19-008r4, "GeoTIFF". Images turned by EXIF have no reference here: a GeoTIFF is stored upright.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samtta_app.formats.outlines import OutlineRing

_SCALE, _TIEPOINT, _TRANSFORM, _KEYS, _ORIENTATION = 33550, 33922, 34264, 34735, 274
_RASTER_TYPE, _GEOGRAPHIC, _PROJECTED = 1025, 2048, 3072
_PIXEL_IS_POINT = 2
_USER_DEFINED = 32767


@dataclass(frozen=True, slots=True)
class GeoReference:
    """An affine transform (a, b, c, d, e, f) of pixel corners, and the EPSG number of its system, 0 if unknown.

    X = a x + b y + c, Y = d x + e y + f.
    """

    transform: tuple[float, ...]
    epsg: int

    def to_world(self, line: OutlineRing) -> OutlineRing:
        """Points (n, 2) of the image on Earth."""
        a, b, c, d, e, f = self.transform
        return np.asarray(line @ np.array([[a, d], [b, e]]) + np.array([c, f]))

    def to_pixels(self, line: OutlineRing) -> OutlineRing:
        """Points (n, 2) on Earth in the image.

        Raises:
            ValueError: the transform has no inverse.
        """
        a, b, c, d, e, f = self.transform
        try:
            back = np.linalg.inv(np.array([[a, d], [b, e]]))
        except np.linalg.LinAlgError as error:
            raise ValueError("the reference to the Earth has no inverse") from error
        return np.asarray((line - np.array([c, f])) @ back)


def geo_reference(path: Path) -> GeoReference | None:
    """The reference that a TIFF carries; None for any other file, and where its tags make no sense."""
    if path.suffix.lower() not in (".tif", ".tiff") or not path.is_file():
        return None
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            tags = {tag.code: tag.value for tag in file.pages[0].tags}  # type: ignore[union-attr]
        return _reference(tags) if tags.get(_ORIENTATION, 1) == 1 else None
    except (tifffile.TiffFileError, OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _reference(tags: dict[int, object]) -> GeoReference | None:
    keys = _geo_keys(tags.get(_KEYS))
    if _TRANSFORM in tags:
        m = np.asarray(tags[_TRANSFORM], dtype=np.float64).reshape(4, 4)
        found = [m[0, 0], m[0, 1], m[0, 3], m[1, 0], m[1, 1], m[1, 3]]
    elif _SCALE in tags and _TIEPOINT in tags:
        sx, sy = np.asarray(tags[_SCALE], dtype=np.float64)[:2]
        column, row, _, x, y = np.asarray(tags[_TIEPOINT], dtype=np.float64)[:5]
        found = [sx, 0.0, x - column * sx, 0.0, -sy, y + row * sy]
    else:
        return None
    if keys.get(_RASTER_TYPE) == _PIXEL_IS_POINT:  # the tie point is the centre of a pixel
        found[2] -= (found[0] + found[1]) / 2
        found[5] -= (found[3] + found[4]) / 2
    epsg = keys.get(_PROJECTED, keys.get(_GEOGRAPHIC, 0))
    if not np.isfinite(found).all() or found[0] * found[4] == found[1] * found[3]:
        return None
    return GeoReference(tuple(map(float, found)), 0 if epsg == _USER_DEFINED else epsg)


def _geo_keys(values: object) -> dict[int, int]:
    """The keys whose value stands in the directory itself."""
    if values is None:
        return {}
    rows = np.asarray(values, dtype=np.int64)[4:]
    rows = rows[: rows.size // 4 * 4].reshape(-1, 4)
    return {int(key): int(value) for key, place, _, value in rows if place == 0}
