"""GeoJSON, one file for each image: polygons with holes along the pixels' edges, geo-referenced where the TIFF is.

Source: RFC 7946; outer rings run counter-clockwise in their coordinates. Without a reference the coordinates are pixels:
x to the right, y down, pixel (0, 0) covers 0 .. 1. With a reference that is not WGS 84, the old member `crs` names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from samtta_app.core.masks import trimmed
from samtta_app.core.names import is_inside
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.core.types import Annotation
from samtta_app.formats.base import INVALID, Format, Found, LabelledMask, Reading, Refused, checked_size, strictly
from samtta_app.formats.geo_reference import GeoReference, geo_reference
from samtta_app.formats.image_files import file_by_image, files_of_images
from samtta_app.formats.outlines import OutlineRing, parts_of, within
from samtta_app.regular_files import RECORD_BYTES, read_json


def _write_image(project: Project, image: ProjectImage, file: Path, home: Path) -> None:
    named = {c.id: c.name for c in project.classes}
    place = geo_reference(project.folder / image.name) if is_inside(image.name) else None
    own: dict[str, object] = {"image": image.name, "width": image.width, "height": image.height}
    head: dict[str, object] = {"type": "FeatureCollection", "samtta": own}
    if place is not None:
        own["transform"] = list(place.transform)
        if place.epsg not in (0, 4326):
            head["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{place.epsg}"}}
    with file.open("w", encoding="utf-8") as out:
        out.write(f'{json_text(head)[:-1]}, "features": [')
        for k, annotation in enumerate(project.of_image(image.name)):
            feature = _feature(annotation, named[annotation.class_id], place)
            out.write(f"{',' * (k > 0)}\n{json_text(feature)}")
        out.write("\n]}\n")


def _feature(annotation: Annotation, label: str, place: GeoReference | None) -> dict[str, object]:
    parts = [
        [_line(ring, place, hole=k > 0) for k, ring in enumerate((p.outer, *p.holes))]
        for p in parts_of(annotation.mask)
    ]
    return {
        "type": "Feature",
        "id": annotation.id,
        "properties": {"class": label},
        "geometry": {"type": "MultiPolygon", "coordinates": parts},
    }


def _line(ring: OutlineRing, place: GeoReference | None, *, hole: bool) -> list[list[float]]:
    """A closed line, counter-clockwise in its coordinates, or clockwise around a hole."""
    line = np.concatenate([ring, ring[:1]])
    line = line if place is None else place.to_world(line)
    x, y = line.T
    ahead = float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) > 0
    found: list[list[float]] = (line if ahead != hole else line[::-1]).tolist()
    return [[int(x), int(y)] for x, y in found] if place is None else found


def _read_image(file: Path, name: str, reading: Reading) -> Iterator[Found]:
    found = read_json(file, RECORD_BYTES)
    own = found.get("samtta") or {}
    image = str(own.get("image", name))
    known = reading.size_of(image) or (None, None)
    place = GeoReference(tuple(map(float, own["transform"])), 0) if "transform" in own else None
    for number, feature in enumerate(found["features"], start=1):
        try:
            height, width = checked_size(image, own.get("height", known[0]), own.get("width", known[1]), reading)
            rings = [_pixels(ring, place) for part in _polygons(feature["geometry"]) for ring in part]
            properties = feature.get("properties") or {}
            label = str(properties.get("class") or properties.get("label") or reading.class_name)
            yield LabelledMask(image, label, trimmed(within(rings, height, width)))
        except INVALID as error:
            yield Refused(f"{file.name}, feature {number}", str(error))


def _polygons(geometry: dict[str, Any]) -> list[Any]:
    if geometry["type"] == "Polygon":
        return [geometry["coordinates"]]
    if geometry["type"] == "MultiPolygon":
        return list(geometry["coordinates"])
    raise ValueError(f"a geometry of the type {geometry['type']!s:.20} has no area")


def _pixels(ring: object, place: GeoReference | None) -> OutlineRing:
    line = np.asarray(ring, dtype=np.float64)
    line = line[:-1] if len(line) > 1 and (line[0] == line[-1]).all() else line
    if place is None:
        return line
    back = place.to_pixels(line)
    near = np.rint(back)
    return np.where(np.abs(back - near) < 1e-3, near, back)


read_geojson = files_of_images("geojson", ".geojson", _read_image)
GEOJSON = Format(
    "geojson",
    "GeoJSON: polygons with holes, one file per image",
    (".geojson", ".json"),
    ("clicks, boxes and uncertainty", "alternative outlines"),
    file_by_image("geojson", ".geojson", _write_image),
    strictly(read_geojson),
)
