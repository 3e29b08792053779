"""Pascal VOC: index PNGs of classes and of objects with VOC's palette, XML with boxes, and lists of images.

    `SegmentationClass/NAME.png`, `SegmentationObject/NAME.png`: 0 background, then the numbers.
    `Annotations/NAME.xml`: boxes, whose corners count from 1 and are both included.
    `ImageSets/Segmentation/PART.txt`: names of images; PART is "train" without a split.
    `labelmap.txt`: the classes and their colours, as CVAT and datumaro read them.

Where objects overlap, the later accepted one is on top. 255 means "undecided" in VOC: ignore
regions have it in both PNGs, and an image has 254 objects at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from samtta_app.core.masks import bounding_box
from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import displayable
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.types import Annotation
from samtta_app.errors import DatasetError, ExportError, ImageError
from samtta_app.formats.base import (
    INVALID,
    Format,
    Found,
    LabelledMask,
    Reading,
    Refused,
    announced,
    checked_size,
    is_plain_file,
    strictly,
    unheard,
)
from samtta_app.formats.label_maps import numbered_objects
from samtta_app.formats.png import painted, save_with_palette, voc_palette
from samtta_app.formats.recorded_files import read_record, recorded, written_paths
from samtta_app.formats.written_files import portable_stems
from samtta_app.phrases import Phrase
from samtta_app.regular_files import LIST_BYTES, read_text

UNDECIDED = 255
_CLASSES, _OBJECTS, _LABELS = "SegmentationClass", "SegmentationObject", "labelmap.txt"


def _write(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
    if len(project.classes) >= UNDECIDED:
        raise ExportError("There are more than 254 classes, too many for Pascal VOC", project.folder, "Use COCO")
    stems, listed = portable_stems(image.name for image in project.annotated), dict[str, object]()
    parts: dict[str, list[str]] = {"train": []}
    with recorded(folder, "voc", {"images": listed}) as stage:
        for part in (_CLASSES, _OBJECTS, "Annotations", "ImageSets/Segmentation"):
            (stage / part).mkdir(parents=True)
        for image in announced(project.annotated, progress):
            stem = stems[image.name]
            _write_image(project, image, stage, stem)
            listed[stem] = image.name
            parts.setdefault(image.part or "train", []).append(stem)
        for part, names in parts.items():
            file = stage / "ImageSets" / "Segmentation" / f"{part}.txt"
            file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        (stage / _LABELS).write_text(_label_map(project), encoding="utf-8")
    return written_paths(folder, "voc")


def _write_image(project: Project, image: ProjectImage, stage: Path, stem: str) -> None:
    if image.objects >= UNDECIDED:
        raise ExportError("The image has more than 254 objects, too many for Pascal VOC", image.name, "Use COCO")
    objects = project.of_image(image.name)
    numbers = {c.id: k for k, c in enumerate(project.classes, start=1)}
    given = {_CLASSES: [numbers[a.class_id] for a in objects], _OBJECTS: list(range(1, len(objects) + 1))}
    shades = {
        part: [UNDECIDED if a.note.ignore else value for a, value in zip(objects, values, strict=True)]
        for part, values in given.items()
    }
    for part, values in shades.items():
        save_with_palette(painted(objects, values, image), stage / part / f"{stem}.png")
    (stage / "Annotations" / f"{stem}.xml").write_text(
        _xml(project, image, tuple(a for a in objects if not a.note.ignore)), encoding="utf-8"
    )


def _xml(project: Project, image: ProjectImage, objects: tuple[Annotation, ...]) -> str:
    from xml.sax.saxutils import escape  # brings HTTP, which the window's first paint does without

    named = {c.id: escape(displayable(c.name)) for c in project.classes}
    size = f"<size><width>{image.width}</width><height>{image.height}</height><depth>3</depth></size>"
    lines = [
        "<annotation>",
        f"<filename>{escape(displayable(image.name))}</filename>",
        size,
        "<segmented>1</segmented>",
    ]
    for annotation in objects:
        box = bounding_box(annotation.mask)
        if box is not None:
            corners = {"xmin": box.x0, "ymin": box.y0, "xmax": box.x1, "ymax": box.y1}
            places = "".join(f"<{key}>{int(value) + 1}</{key}>" for key, value in corners.items())
            about = "<pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>"
            lines.append(f"<object><name>{named[annotation.class_id]}</name>{about}<bndbox>{places}</bndbox></object>")
    return "\n".join([*lines, "</annotation>", ""])


def _label_map(project: Project) -> str:
    colours = voc_palette()
    lines = ["# label:color_rgb:parts:actions", "background:0,0,0::"]
    for k, one in enumerate(project.classes, start=1):
        name = displayable(one.name).replace(":", "_").replace("#", "_")
        lines.append(f"{name}:{','.join(map(str, colours[k]))}::")
    return "\n".join([*lines, ""])


def read_voc(path: Path, reading: Reading) -> Iterator[Found]:
    """The objects of SegmentationObject, each with the class that SegmentationClass has on its pixels.

    Raises:
        DatasetError: there is no such folder, or its list of classes makes no sense.
    """
    try:
        lines = [line.split(":") for line in read_text(path / _LABELS, LIST_BYTES).splitlines() if line[:1] != "#"]
        labels = [line[0] for line in lines if line[0]]
        files = sorted(filter(is_plain_file, (path / _OBJECTS).glob("*.png")))
    except (OSError, ValueError) as error:
        text = Phrase("This is not a folder of Pascal VOC with a {labels}: {error}", labels=_LABELS, error=error)
        raise DatasetError(text, path, "Choose another folder") from error
    names = read_record(path, "voc").get("images")
    for file in files:
        own = names.get(file.stem, file.stem) if isinstance(names, dict) else file.stem
        try:
            yield from _image(file, path / _CLASSES / file.name, str(own), labels, reading)
        except ImageError as error:
            yield Refused(file.name, error.what)
        except INVALID as error:
            yield Refused(file.name, str(error))


def _image(file: Path, classes: Path, name: str, labels: list[str], reading: Reading) -> Iterator[LabelledMask]:
    from samtta_app.images.read import image_size, read_ids

    width, height = image_size(file)
    checked_size(name, height, width, reading)
    index, kinds = read_ids(file), read_ids(classes)
    if kinds.shape != index.shape:
        raise ValueError("the masks of classes and of objects differ in size")
    for found in numbered_objects(np.where(index == UNDECIDED, 0, index), name, reading):
        mask = found.mask
        rows, columns = mask.bits.shape
        there = kinds[mask.y : mask.y + rows, mask.x : mask.x + columns][mask.bits]
        number = int(np.bincount(there).argmax())
        if not 1 <= number < len(labels):
            raise ValueError(f"class {number} is not in {_LABELS}")
        yield LabelledMask(name, labels[number], mask)


VOC = Format(
    "voc",
    "Pascal VOC: index PNGs of classes and objects, and XML",
    (".png", ".xml", ".txt", ".json"),
    (
        "clicks, boxes and uncertainty",
        "alternative outlines",
        "what lies under another object",
        "more than 254 objects on an image",
        "the classes of ignore regions",
    ),
    _write,
    strictly(read_voc),
    splits=True,
    holds_ignored=True,
)
