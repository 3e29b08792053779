"""The work of `samtta auto` and `samtta edges`: image after image, each kept when it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.files import write_whole
from samtta_app.core.messages import EdgesRequest, ReportProgress
from samtta_app.core.replies import Edges
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import ExportError, ImageError, UserError
from samtta_app.formats.base import Format
from samtta_app.formats.detections import Detections
from samtta_app.formats.found_masks import (
    earlier_find,
    project_of,
    raw_files,
    read_found,
    write_found,
    write_results,
)
from samtta_app.formats.written_files import portable_stems
from samtta_app.parallel.mask_finding import (
    boxes_of,
    found_in_image,
    loaded_image,
    model_text,
    settings_text,
    shares_heard,
)

Ended = tuple[list[Path], Sequence[str]]
"""The files that were written, and a line for each thing that went wrong."""


def mask_images(
    engine: Engine,
    settings: AutomaticSettings,
    model: str,
    images: Sequence[Path],
    out: Path,
    form: Format,
    boxes: Path | None,
    detections: Detections | None,
) -> Callable[[ReportProgress], Ended]:
    """A run that finds masks in images and writes them; it begins when it is called.

    `detections` are the content of the file `boxes`.
    """

    def work(told: ReportProgress) -> Ended:
        files = raw_files([path.name for path in images], out)
        said, by = settings_text(settings, boxes), model_text(engine, model)
        finding = engine, settings, by, said
        done: dict[str, Path] = {}
        remarks: list[str] = []
        for number, path in enumerate(images):
            words = f"{path.name}, image {number + 1} of {len(images)}"
            raw, tell = files[path.name], _part(told, number, len(images), words)
            tell(0.0)
            try:
                if earlier_find(raw, path, by, said) is None:
                    write_found(
                        found_in_image(*finding, path.name, path, boxes_of(detections, path.name), tell, remarks), raw
                    )
                done[path.name] = raw
            except ImageError as error:
                remarks.append(str(error))
        if not done:
            return [], remarks
        categories = detections.categories if detections else {}
        project = project_of(images[0].parent, list(done), lambda name: read_found(done[name]), categories)
        return [*form.write(project, out), write_results(map(read_found, done.values()), out)], remarks

    return work


def _part(told: ReportProgress, number: int, total: int, words: str) -> Callable[[float], None]:
    return lambda share: told((number + share) / total, words)


# --- edges ------------------------------------------------------------------------------------------------------------


def edge_images(
    engine: Engine, settings: AutomaticSettings, images: Sequence[Path], out: Path
) -> Callable[[ReportProgress], Ended]:
    """A run that writes the edges of images as grey PNGs, 255 for the strongest edge of the image."""

    def work(told: ReportProgress) -> Ended:
        stems = portable_stems([path.name for path in images])
        written: list[Path] = []
        remarks: list[str] = []
        for number, path in enumerate(images):
            tell = _part(told, number, len(images), f"{path.name}, image {number + 1} of {len(images)}")
            try:
                image = loaded_image(engine, path)
            except ImageError as error:
                remarks.append(str(error))
                continue
            reply = run(engine, EdgesRequest(2, image, settings, frozen=True), shares_heard(tell))
            if not isinstance(reply, Edges):
                raise UserError(f"The engine found no edges: {getattr(reply, 'text', '')}", path)
            written.append(_written(reply, out / f"{stems[path.name]}.png"))
        return written, remarks

    return work


def _written(edges: Edges, path: Path) -> Path:
    data = cv2.imencode(".png", np.rint(255 * edges.strength).astype(np.uint8))[1].tobytes()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise ExportError(f"The edges cannot be written: {error.strerror}", path, "Choose another folder") from error
    return path
