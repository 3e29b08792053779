"""Masks that a model found in the images of a folder: one raw file an image, and what they become.

<out>/proposals/NAME.json   the masks of one image as run lengths, with how they were found; written whole when it is done
<out>/results.json          all of them as COCO results, with scores
<out>/annotations/instances_default.json, or index PNGs: as an export of accepted objects

An image with a raw file of the same content, model and settings is not looked at again, so that a stopped run continues.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import ValidationError, convert

from samtta_app.core.automatic import AutomaticMask
from samtta_app.core.files import write_whole
from samtta_app.core.masks import bounding_box, from_rle, to_rle
from samtta_app.core.project import Project, ProjectClass, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.core.types import Annotation, Mask, Window
from samtta_app.errors import DatasetError, ExportError
from samtta_app.formats.written_files import content_hash, portable_stems
from samtta_app.phrases import Phrase
from samtta_app.regular_files import RECORD_BYTES, read_json

RAW_FOLDER, RESULTS_FILE = "proposals", "results.json"
UNNAMED_CLASS = ProjectClass(1, "object")


@dataclass(frozen=True, slots=True)
class FoundMask:
    """A mask as run lengths (COCO's, of the whole image), by how sure it is, and what it answers.

    `score` is by what masks are ranked: the predicted IoU, or a detector's score. `prompt` is x, y of a click, or x0, y0,
    x1, y1 of a box, in image pixels.
    """

    counts: str
    score: float
    predicted_iou: float
    stability: float | None
    prompt: tuple[float, ...]
    category: int = 1


@dataclass(frozen=True, slots=True)
class FoundInImage:
    """The masks of one image, and what found them: the file's hash, the model, and the settings as text."""

    image: str
    width: int
    height: int
    source: str
    model: str
    settings: str
    seconds: float
    masks: tuple[FoundMask, ...]

    def same_run(self, source: str, model: str, settings: str) -> bool:
        """Whether another run would find the same."""
        return (self.source, self.model, self.settings) == (source, model, settings)


def found_mask(mask: Mask, width: int, height: int, **about: object) -> FoundMask:
    """A mask with the rest of its fields."""
    return FoundMask(to_rle(mask, height, width).decode("ascii"), **about)  # type: ignore[arg-type]


def of_automatic(masks: Sequence[AutomaticMask], width: int, height: int) -> tuple[FoundMask, ...]:
    """Automatic masks, those of the highest predicted IoU first."""
    ranked = sorted(masks, key=lambda each: -each.predicted_iou)
    return tuple(
        found_mask(
            *(each.mask, width, height),
            score=each.predicted_iou,
            predicted_iou=each.predicted_iou,
            stability=each.stability,
            prompt=(each.click.x, each.click.y),
        )
        for each in ranked
    )


def raw_files(names: Sequence[str], out: Path) -> dict[str, Path]:
    """The raw file of each image."""
    return {name: out / RAW_FOLDER / f"{stem}.json" for name, stem in portable_stems(names).items()}


def earlier_find(path: Path, image: Path, model: str, settings: str) -> FoundInImage | None:
    """What an earlier run has found in the same image in the same way; None where it has not, or its file is damaged."""
    try:
        found = read_found(path)
        return found if found.same_run(content_hash(image), model, settings) else None
    except (OSError, DatasetError):
        return None


def read_found(path: Path) -> FoundInImage:
    """A raw file.

    Raises:
        DatasetError: it holds something else.
    """
    try:
        return convert(read_json(path, RECORD_BYTES), FoundInImage)
    except (OSError, ValueError, ValidationError) as error:
        raise DatasetError(Phrase("This is no file of found masks: {error}", error=error), path, "Remove it") from error


def write_found(found: FoundInImage, path: Path) -> None:
    """Write a raw file, whole or not at all.

    Raises:
        ExportError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, found_text(found).encode())
    except OSError as error:
        raise ExportError(
            Phrase("The masks cannot be written: {strerror}", strerror=error.strerror), path, "Choose another folder"
        ) from error


def found_text(found: FoundInImage) -> str:
    """The masks of an image as JSON, in one line."""
    masks = [{name: getattr(mask, name) for name in FoundMask.__dataclass_fields__} for mask in found.masks]
    return json_text({name: getattr(found, name) for name in FoundInImage.__dataclass_fields__} | {"masks": masks})


def found_of_text(text: str | bytes) -> FoundInImage:
    """The masks that `found_text` wrote.

    Raises:
        ValueError: it holds something else.
    """
    return convert(json.loads(text), FoundInImage)


def project_of(
    folder: Path, names: Iterable[str], read: Callable[[str], FoundInImage], classes: Mapping[int, str]
) -> Project:
    """The found masks as a project, to be written as any export; the masks are read image by image.

    Smaller masks come later, so that an index PNG shows them on top.

    Args:
        folder: of the images.
        names: of the images.
        read: gives the masks of one.
        classes: names of categories by their ids; none means that everything is an object.

    Raises:
        DatasetError: a raw file holds something else.
    """
    heads, first = [], {}
    total = 1
    for number, name in enumerate(names, start=1):
        found = read(name)
        heads.append(ProjectImage(name, found.width, found.height, number, len(found.masks)))
        first[name] = total
        total += len(found.masks)
    named = tuple(ProjectClass(number, name) for number, name in classes.items()) or (UNNAMED_CLASS,)
    return Project(folder, tuple(heads), named, lambda name: _annotations_of(read(name), first[name]))


def _annotations_of(found: FoundInImage, first: int) -> tuple[Annotation, ...]:
    masks = [(each, from_rle(each.counts.encode("ascii"), found.height, found.width)) for each in found.masks]
    masks.sort(key=lambda pair: -pair[1].area)
    window = Window(0, 0, found.width, found.height)
    return tuple(
        Annotation(
            *(first + k, found.image, each.category, mask, None, (), window, 0),
            predicted_iou=each.predicted_iou,
            uncertainty=float("nan"),
            seconds=0.0,
            created="",
        )
        for k, (each, mask) in enumerate(masks)
    )


def write_results(images: Iterable[FoundInImage], out: Path) -> Path:
    """Write results.json, COCO's layout of scored masks; images are numbered as in instances_default.json. Returns its path.

    Raises:
        DatasetError: a raw file holds something else.
        ExportError: it cannot be written.
    """
    rows = [row for number, found in enumerate(images, start=1) for row in _results(found, number)]
    try:
        write_whole(out / RESULTS_FILE, json.dumps(rows).encode())
    except OSError as error:
        raise ExportError(
            Phrase("The results cannot be written: {strerror}", strerror=error.strerror), out, "Choose another folder"
        ) from error
    return out / RESULTS_FILE


def _results(found: FoundInImage, number: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for each in found.masks:
        box = bounding_box(from_rle(each.counts.encode("ascii"), found.height, found.width))
        rows.append(
            {
                "image_id": number,
                "category_id": each.category,
                "segmentation": {"size": [found.height, found.width], "counts": each.counts},
                "bbox": [box.x0, box.y0, box.x1 - box.x0 + 1, box.y1 - box.y0 + 1] if box else [0, 0, 0, 0],
                "score": each.score,
            }
        )
    return rows
