"""Crops: each object as a PNG of its own box, under its class's name; what is not the object is transparent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from samtta_app.core.masks import trimmed
from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import file_names
from samtta_app.core.project import Project
from samtta_app.errors import DatasetError
from samtta_app.formats.base import INVALID, Format, Found, LabelledMask, Reading, Refused, announced, strictly, unheard
from samtta_app.formats.recorded_files import read_record, recorded, written_paths
from samtta_app.formats.shown_images import save_png, shown_pixels
from samtta_app.formats.written_files import portable_stems
from samtta_app.regular_files import RECORD_BYTES, read_bytes


def _write(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
    stems = portable_stems(image.name for image in project.annotated)
    folders, named = file_names({c.id: c.name for c in project.classes}), {c.id: c.name for c in project.classes}
    listed: dict[str, object] = {}
    left_out: dict[str, str] = {}
    with recorded(folder, "crops", {"objects": listed, "left_out": left_out}) as stage:
        for image in announced(project.annotated, progress):
            objects, pixels = project.of_image(image.name), shown_pixels(project, image)
            if isinstance(pixels, str):
                left_out[image.name] = pixels
                continue
            for annotation in objects:
                mask = trimmed(annotation.mask.bits, annotation.mask.x, annotation.mask.y)
                rows, columns = mask.bits.shape
                part = pixels[mask.y : mask.y + rows, mask.x : mask.x + columns]
                file = f"crops/{folders[annotation.class_id]}/{stems[image.name]}_{annotation.id}.png"
                (stage / file).parent.mkdir(parents=True, exist_ok=True)
                save_png(np.dstack([part, mask.bits.astype(np.uint8) * 255]), stage / file)
                listed[file] = [image.name, named[annotation.class_id], mask.x, mask.y]
    return written_paths(folder, "crops")


def _read(path: Path, reading: Reading) -> Iterator[Found]:
    listed = read_record(path, "crops").get("objects")
    if not isinstance(listed, dict):
        raise DatasetError("There is no export of crops here", path, "Choose another folder")
    for file, values in listed.items():
        try:
            name, label, x, y = values
            if not (path / file).resolve().is_relative_to(path.resolve()):
                raise ValueError("it lies outside the folder")
            data = np.frombuffer(read_bytes(path / file, RECORD_BYTES), dtype=np.uint8)
            pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4:
                raise ValueError("it is no PNG with an alpha channel")
            yield LabelledMask(str(name), str(label), trimmed(pixels[..., 3] > 0, int(x), int(y)))
        except (OSError, *INVALID) as error:
            yield Refused(str(file), str(error))


CROPS = Format(
    "crops",
    "Crops: one PNG per object, transparent around it",
    (".png", ".json"),
    (
        "clicks, boxes and uncertainty",
        "alternative outlines",
        "images that are gone, unreadable, or without objects",
    ),
    _write,
    strictly(_read),
    copies_pixels=True,
)
