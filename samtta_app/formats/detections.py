"""Boxes of a detector, from a JSON file in COCO's layout.

Either a list of results, {"image_id", "category_id", "bbox": [x, y, width, height], "score"}, or a data set with images,
annotations and categories. In a list of results, an image's id is its file name, with or without its ending. It
may also be the number that the name is, as for COCO's own images.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtta_app.core.types import Box
from samtta_app.errors import DatasetError
from samtta_app.phrases import Phrase
from samtta_app.regular_files import RECORD_BYTES, read_json

_LAYOUT = "Give a JSON file of COCO detections: a list of image_id, category_id, bbox and score"


@dataclass(frozen=True, slots=True)
class DetectedBox:
    """A box in image pixels, corners included, with the detector's score; it may lie outside the image."""

    box: Box
    score: float
    category: int


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes by the id of their image as text, in the file's order, and the names of categories by their ids."""

    boxes: Mapping[str, tuple[DetectedBox, ...]]
    categories: Mapping[int, str]

    def of(self, name: str) -> tuple[DetectedBox, ...]:
        """The boxes of the image of this file name."""
        stem = Path(name).stem
        keys = (name, stem, str(int(stem)) if stem.isascii() and stem.isdigit() else stem)
        return next((self.boxes[key] for key in keys if key in self.boxes), ())


def read_detections(path: Path) -> Detections:
    """The boxes of a file.

    Raises:
        DatasetError: it cannot be read, or an entry is no box.
    """
    try:
        found = read_json(path, RECORD_BYTES)
        if isinstance(found, list):
            return _sorted([(str(entry["image_id"]), entry) for entry in found], {})
        images = {image["id"]: str(image["file_name"]) for image in found["images"]}
        names = {int(each["id"]): str(each["name"]) for each in found.get("categories", ())}
        return _sorted([(images[entry["image_id"]], entry) for entry in found["annotations"]], names)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise DatasetError(
            Phrase("The detections cannot be read: {words}", words=_words(error)), path, _LAYOUT
        ) from error


def _sorted(entries: list[tuple[str, Any]], names: dict[int, str]) -> Detections:
    boxes: dict[str, list[DetectedBox]] = {}
    for key, entry in entries:
        boxes.setdefault(key, []).append(_detected(entry))
    known = {box.category for own in boxes.values() for box in own}
    named = {number: names.get(number, f"category {number}") for number in sorted(known)}
    return Detections({key: tuple(own) for key, own in boxes.items()}, named)


def _detected(entry: Mapping[str, Any]) -> DetectedBox:
    x, y, width, height = (float(value) for value in entry["bbox"])
    score = float(entry.get("score", 1.0))
    if not all(map(math.isfinite, (x, y, width, height, score))) or width <= 0 or height <= 0:
        raise ValueError(f"{list(entry['bbox'])} with score {score} is no box")
    return DetectedBox(Box(x, y, x + max(width - 1, 0.0), y + max(height - 1, 0.0)), score, int(entry["category_id"]))


def inside_image(box: Box, width: int, height: int) -> Box | None:
    """The part of a box that lies in the image, None where there is none."""
    if box.x1 < 0 or box.y1 < 0 or box.x0 > width - 1 or box.y0 > height - 1:
        return None
    return Box(max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, width - 1.0), min(box.y1, height - 1.0))


def _words(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
