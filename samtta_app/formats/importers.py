"""Objects of other programs' files for a project: which image each belongs to, whether it fits, and why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import component, folded, storable
from samtta_app.core.object_notes import NO_NOTE, ObjectNote
from samtta_app.core.planes import FIRST_PLANE, PlaneChoice
from samtta_app.core.types import Mask
from samtta_app.errors import DatasetError, ImageError
from samtta_app.formats.base import FoundReader, LabelledMask, Reading, Refused, unheard
from samtta_app.formats.coco_reading import read_coco
from samtta_app.formats.cvat import read_cvat
from samtta_app.formats.geojson import read_geojson
from samtta_app.formats.label_maps import read_binary_masks, read_index_pngs, read_label_maps
from samtta_app.formats.label_studio import read_label_studio
from samtta_app.formats.labelme import read_labelme
from samtta_app.formats.numpy_files import read_numpy
from samtta_app.formats.voc import read_voc
from samtta_app.formats.yolo import read_yolo
from samtta_app.phrases import Phrase

MOST_REASONS = 10_000
"""Refused objects that are named; of more, only the number is kept."""

LONGEST_LABEL = 200
"""Characters of a class name; the rest is cut off."""


@dataclass(frozen=True, slots=True)
class Importer:
    """A format that can be imported.

    Args:
        name: what commands call it.
        title: what a user reads.
        read: gives its objects.
        asks_parts: whether a user says if the parts of one mask are one object or many.
    """

    name: str
    title: str
    read: FoundReader
    asks_parts: bool = False


IMPORTERS: Mapping[str, Importer] = {
    each.name: each
    for each in (
        Importer("coco", "COCO: a JSON file of instances", read_coco),
        Importer("labelme", "labelme: JSON files", read_labelme),
        Importer("yolo", "YOLO segmentation: a folder with data.yaml, or label files", read_yolo),
        Importer("png", "Index PNG: each number is an object", read_index_pngs),
        Importer("cvat", "CVAT for images: an XML file", read_cvat),
        Importer("npz", "NumPy: .npz or .npy files", read_numpy),
        Importer("tiff", "Label TIFF: each number is an object", read_label_maps),
        Importer("masks", "Masks of 0 and 255", read_binary_masks, asks_parts=True),
        Importer("voc", "Pascal VOC: a folder with SegmentationObject", read_voc),
        Importer("geojson", "GeoJSON: polygons in pixels", read_geojson),
        Importer("label-studio", "Label Studio: a JSON file with brush masks", read_label_studio),
    )
}


class ProjectImages:
    """The images of a project by the names that other programs' files give them; a name is never opened as a path.

    Args:
        folder: of the images.
        names: of the images, below the folder.
        planes: what is read of files with many planes.
    """

    def __init__(self, folder: Path, names: Iterable[str], planes: PlaneChoice = FIRST_PLANE) -> None:
        self._folder, self._planes = folder, planes
        self._sizes: dict[str, tuple[int, int] | None] = {}
        self._found: dict[str, str | None] = {}
        listed = tuple(names)
        self._exact = set(listed)
        self._alike: dict[str, set[str]] = {}
        for name in listed:
            for key in {folded(name), folded(component(name)), folded(Path(name).name), folded(Path(name).stem)}:
                self._alike.setdefault(key, set()).add(name)

    def find(self, name: str) -> str | None:
        """The image that a name means: the last part of a path, with or without its ending; None where it is not clear."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> str | None:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        for wanted in (name, *("/".join(parts[k:]) for k in range(len(parts)))):
            if wanted in self._exact:
                return wanted
        last = parts[-1] if parts else ""
        for key in (folded(last), folded(PurePosixPath(last).stem)):
            if len(found := self._alike.get(key, set())) == 1:
                return next(iter(found))
        return None

    def size_of(self, name: str) -> tuple[int, int] | None:
        """Height and width of the image that a name means; None where there is none or it cannot be read."""
        from samtta_app.images.read import image_size  # imports the decoders, which the window's start does not need

        found = self.find(name)
        if found is None:
            return None
        if found not in self._sizes:
            try:
                width, height = image_size(self._folder / found, self._planes)
                self._sizes[found] = height, width
            except ImageError:
                self._sizes[found] = None
        return self._sizes[found]


@dataclass(frozen=True, slots=True, eq=False)
class ImportedObject:
    """An object that fits the project: its image's name, height and width of that image, its class's name, mask and note."""

    image_name: str
    size: tuple[int, int]
    class_name: str
    mask: Mask
    note: ObjectNote = NO_NOTE


@dataclass(slots=True)
class ImportCount:
    """What an import brings: objects by image and by class, and what was refused."""

    by_image: Counter[str] = field(default_factory=Counter)
    by_class: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    refused_number: int = 0

    @property
    def objects(self) -> int:
        """How many objects come in."""
        return self.by_image.total()

    @property
    def words(self) -> str:
        """A sentence of the numbers."""
        objects, images = self.objects, len(self.by_image)
        return Phrase(
            "{objects} on {images}, {refused} refused",
            objects=Phrase("1 object") if objects == 1 else Phrase("{number} objects", number=objects),
            images=Phrase("1 image") if images == 1 else Phrase("{number} images", number=images),
            refused=self.refused_number,
        )

    def add(self, found: ImportedObject | Refused) -> None:
        """Count one object."""
        if isinstance(found, ImportedObject):
            self.by_image[found.image_name] += 1
            self.by_class[found.class_name] += 1
        else:
            self.refused_number += 1
            if len(self.refused) < MOST_REASONS:
                self.refused.append(found)


def import_objects(
    importer: Importer,
    path: Path,
    images: ProjectImages,
    count: ImportCount,
    *,
    split_parts: bool = False,
    class_name: str = "object",
    progress: ReportProgress = unheard,
) -> Iterator[ImportedObject]:
    """The objects of a file that fit the project, one after the other; all of them are counted, refused ones too.

    Raises:
        DatasetError: it is no file of this format. Objects that came before a cut are counted as given.
    """
    if not path.exists():
        raise DatasetError("There is no such file or folder", path, "Choose another")
    share = 0.0

    def tell(read: float) -> None:
        nonlocal share
        share = read
        progress(share, Phrase("object {number}", number=count.objects + count.refused_number))

    reading = Reading(images.size_of, split_parts, class_name, tell)
    for number, found in enumerate(importer.read(path, reading)):
        if number % 100 == 0:
            tell(share)
        checked = found if isinstance(found, Refused) else _fitting(found, images, class_name)
        count.add(checked)
        if isinstance(checked, ImportedObject):
            yield checked


def _fitting(found: LabelledMask, images: ProjectImages, class_name: str) -> ImportedObject | Refused:
    name = images.find(found.image_name)
    where = storable(found.image_name)[:100] or "an object"
    if name is None:
        return Refused(where, "no image of the project has this name, or several have")
    size = images.size_of(name)
    if size is None:
        return Refused(where, "its image cannot be read")
    rows, columns = found.mask.bits.shape
    if not found.mask.bits.any():
        return Refused(where, "its mask has no pixels")
    if min(found.mask.x, found.mask.y) < 0 or found.mask.y + rows > size[0] or found.mask.x + columns > size[1]:
        why = Phrase("its mask does not lie in its image of {width} x {height} pixels", width=size[1], height=size[0])
        return Refused(where, why)
    label = storable(found.class_name).strip()[:LONGEST_LABEL] or class_name
    return ImportedObject(name, size, label, found.mask, found.note)
