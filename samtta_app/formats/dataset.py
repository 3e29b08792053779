"""A data set folder that `samtta bench` and `samtta train` read: the annotated images, their masks, a split, classes.

    `images/NAME.<suffix>`: copies of the annotated images without private data; see `clean_copies`.
    `masks/NAME.png`: 0 background, 1 .. n the image's objects in the order of their accept.
    `split.json`: a fifth of the images under "test", the others under "train" (see `split_of`).
    `classes.json`: the class of every object.
    `dataset.json`: the images' own names, what was left out and why, and the files' hashes.

The layout is that of `datasets.folder`. One pixel has one number, so where objects overlap, the smaller one is on top:
a nucleus stays in its cell, whichever was accepted first. NAME is the image's name without its suffix, made portable
as in the index PNGs. An image is left out where its file is gone, cannot be read, or has another size than its masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from samtta_app.core.files import staged
from samtta_app.core.messages import ReportProgress
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.errors import DatasetError, ExportError, ImageError
from samtta_app.formats.base import Format, LabelledMask, announced, unheard
from samtta_app.formats.png import painted, save_index
from samtta_app.formats.shown_images import COPIED_SUFFIXES, copy_cleaned, image_path
from samtta_app.formats.written_files import content_hash, is_written_name, portable_stems, unchanged
from samtta_app.phrases import Phrase
from samtta_app.regular_files import RECORD_BYTES, read_json

SMALLER_ON_TOP = "where masks overlap, the smaller object is on top"
TESTED_OF = 5
"""One image of so many is for tests."""
_LEGEND, _SPLIT, _CLASSES = "dataset.json", "split.json", "classes.json"
PRIVATE = "EXIF, places, dates, names and comments are taken out of the copies; orientation and colour profiles stay"


def split_of(images: Sequence[ProjectImage]) -> dict[str, list[str]]:
    """The split of annotated images by name: every fifth of the project's images is for tests.

    An image's number stays, so it stays on its side however many are annotated later. The exceptions are small: the
    last of several images is tested where none would be, and a single image is trained on. A split that the user chose
    comes first.
    """
    if any(image.part for image in images):
        return {part: [image.name for image in images if image.part == part] for part in ("train", "val", "test")}
    tested = [image.name for image in images if image.id % TESTED_OF == 0]
    if len(tested) == len(images):
        tested = tested[:-1] if len(images) > 1 else []
    elif not tested and len(images) > 1:
        tested = [images[-1].name]
    return {"train": [image.name for image in images if image.name not in tested], "test": tested}


def write_dataset(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
    """Write the data set of all annotated images; files of an earlier export go.

    Raises:
        ExportError: nothing is accepted, no image of it can be copied, or one has more than 65535 objects. It is also
            raised where the folder cannot be written, or a file of the user is in the way. No partial file stays.
    """
    annotated = tuple(image for image in project.annotated if image.objects)  # a mask file of nothing teaches nothing
    if not annotated:
        do = "Accept objects first, or choose another format"
        raise ExportError("There are no accepted objects, so there is no data set", project.folder, do)
    left_out = {image.name: why for image in annotated if (why := _left_out(project, image))}
    images = tuple(image for image in annotated if image.name not in left_out)
    if not images:
        name, why = next(iter(left_out.items()))
        text = Phrase(
            "None of the {number} annotated images can be copied ({name}: {why})",
            number=len(left_out),
            name=name,
            why=why,
        )
        raise ExportError(text, project.folder, "Put the images back, or choose COCO or PNG, which hold masks alone")
    try:
        with staged(folder, _earlier) as stage:
            written = _write(project, images, left_out, stage, progress)
    except OSError as error:
        raise ExportError(
            Phrase("The data set was not exported: {strerror}", strerror=error.strerror),
            folder,
            "Choose another folder",
        ) from error
    except ImageError as error:
        raise ExportError(
            Phrase("The data set was not exported: {what}", what=error.what), error.where, error.do
        ) from error
    return [folder / path for path in written]


def _write(
    project: Project,
    images: tuple[ProjectImage, ...],
    left_out: Mapping[str, str],
    stage: Path,
    progress: ReportProgress,
) -> list[str]:
    """Write all files below `stage`; returns their names there."""
    names, hashes = portable_stems(image.name for image in images), dict[str, str]()
    own, packed_anew = dict[str, str](), list[str]()
    for part in ("images", "masks"):
        (stage / part).mkdir()
    with (stage / _CLASSES).open("w", encoding="utf-8") as classes:
        for k, image in enumerate(announced(images, progress)):
            copy, anew = copy_cleaned(project, image, stage / "images", names[image.name])
            own[copy.name] = image.name
            packed_anew += [copy.name] if anew else []
            hashes[f"images/{copy.name}"] = content_hash(copy)
            found = _write_masks(project, image, f"masks/{names[image.name]}.png", stage, hashes)
            classes.write(f"{',' if k else '{'}\n{json_text(names[image.name])}: {json_text(found)}")
        classes.write("\n}\n")
    split = {part: [names[name] for name in of_part] for part, of_part in split_of(images).items()}
    (stage / _SPLIT).write_text(json_text(split, indent=1), encoding="utf-8")
    hashes |= {name: content_hash(stage / name) for name in (_CLASSES, _SPLIT)}
    copies = {"images": own, "privacy": PRIVATE, "packed_anew": packed_anew, "left_out": left_out}
    legend = {"order": SMALLER_ON_TOP, **copies, "files": hashes}
    (stage / _LEGEND).write_text(json_text(legend, indent=1), encoding="utf-8")
    return sorted([*hashes, _LEGEND])


def _write_masks(
    project: Project, image: ProjectImage, file: str, stage: Path, hashes: dict[str, str]
) -> dict[str, str]:
    """Write the image's mask file; returns the class of each of its numbers."""
    if image.objects > np.iinfo(np.uint16).max:
        raise ExportError("The image has more than 65535 objects, too many for one mask file", image.name, "Use COCO")
    objects = project.of_image(image.name)
    order = sorted(enumerate(objects, start=1), key=lambda one: -one[1].mask.area)
    index = painted(tuple(a for _, a in order), [number for number, _ in order], image)
    hashes[file] = save_index(index, stage / file)
    named = {c.id: c.name for c in project.classes}
    return {str(number): named[a.class_id] for number, a in enumerate(objects, start=1)}


def _left_out(project: Project, image: ProjectImage) -> str:
    """Why an image cannot be copied, "" where it can."""
    from samtta_app.images.read import image_size  # imports the decoders, which the window's start does not need

    path = image_path(project, image)
    if path is None:
        return "its file is gone"
    try:
        width, height = image_size(path, project.planes)
    except ImageError as error:
        return f"its file cannot be read: {error.what}"
    same = (width, height) == (image.width, image.height)
    return "" if same else f"it is {width} x {height} now, its masks are {image.width} x {image.height}"


def read_dataset(folder: Path) -> Iterator[LabelledMask]:
    """The objects of a data set folder, image by image, under the images' own names where an export kept them.

    Raises:
        DatasetError: the folder is no data set, or a file of it is missing or invalid.
    """
    from samtta_app.datasets.folder import open_dataset, read_objects

    own = _own_names(folder)
    for image in open_dataset(folder).images:
        for found in read_objects(image):
            yield LabelledMask(own.get(image.path.name, image.path.name), found.class_name, found.mask)


def _own_names(folder: Path) -> dict[str, str]:
    """The images' own names by file; none where the folder was not exported by samtta.

    Raises:
        DatasetError: there is a legend, but it cannot be read.
    """
    try:
        return {str(file): str(name) for file, name in read_json(folder / _LEGEND, RECORD_BYTES)["images"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DatasetError(
            Phrase("The names of the images cannot be read: {error}", error=error), folder / _LEGEND, "Remove it"
        ) from error


def _earlier(folder: Path) -> list[str]:
    """The files that an export wrote according to the folder's legend and that are unchanged, and the legend itself."""
    try:
        legend = read_json(folder / _LEGEND, RECORD_BYTES)
        if legend["order"] != SMALLER_ON_TOP or (folder / _LEGEND).is_symlink():
            return []
        return [_LEGEND, *(name for name, known in legend["files"].items() if _is_ours(folder, name, str(known)))]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _is_ours(folder: Path, name: str, known: str) -> bool:
    part, _, file = name.rpartition("/")
    endings = {"images": COPIED_SUFFIXES, "masks": (".png",)}.get(part, ())
    return (
        bool(known)
        and (name in (_CLASSES, _SPLIT) or is_written_name(file, endings))
        and unchanged(folder, name, known)
    )


DATASET = Format(
    "dataset",
    "Data set: images, masks and a split, for samtta bench and train",
    (*COPIED_SUFFIXES, ".json"),
    (
        "clicks, boxes and uncertainty",
        "alternative outlines",
        "what lies under a smaller object",
        "images that are gone, unreadable, or without objects",
        "more than 65535 objects on an image",
        "EXIF and other private data of the image files",
    ),
    write_dataset,
    read_dataset,
    splits=True,
    copies_pixels=True,
)
