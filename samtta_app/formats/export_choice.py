"""What a user chooses of a project for an export: classes, reviewed objects, sizes, merged classes, and a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import to_text
from samtta_app.core.project import Project, ProjectClass
from samtta_app.core.types import Annotation
from samtta_app.errors import ExportError
from samtta_app.formats.base import Format, unheard
from samtta_app.formats.recorded_files import recorded, written_paths
from samtta_app.formats.stored_rows import in_stored_rows
from samtta_app.phrases import Phrase

SPLIT_PARTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What of a project is exported.

    Args:
        classes: names of the classes, after merging; all where it is empty.
        merged: new name of a class by its name; classes with the same new name become one.
        least_area: pixels that an object has at least.
        reviewed: whether only objects that a user confirmed are exported.
        shares: of the images for training, validation and test; None makes no split.
        seed: of the split; the same seed gives each image the same part, however many images there are.
        stored_rows: masks are in the rows and columns of the image files, not upright as the camera meant them.

    Raises:
        ExportError: the shares do not add up, or the least area is negative.
    """

    classes: frozenset[str] = frozenset()
    merged: Mapping[str, str] = field(default_factory=dict)
    least_area: int = 0
    reviewed: bool = False
    shares: tuple[float, float, float] | None = None
    seed: int = 0
    stored_rows: bool = False

    def __post_init__(self) -> None:
        if self.least_area < 0:
            raise ExportError(
                Phrase("An object cannot have {least_area} pixels", least_area=self.least_area), do="Name 0 or more"
            )
        if self.shares is not None and (min(self.shares) < 0 or not 0 < sum(self.shares) < float("inf")):
            raise ExportError("The shares of a split are not positive", do="Name three such as 80/10/10")


EVERYTHING = ExportChoice()
"""All objects under their own classes, without a split."""


def chosen_objects(project: Project, choice: ExportChoice) -> Project:
    """The project with the chosen objects only; objects are read once to count them where some may be left out.

    Raises:
        ExportError: a class that was named does not exist.
    """
    classes, numbers = _classes(project, choice)

    def of_image(name: str) -> tuple[Annotation, ...]:
        found = (a for a in project.of_image(name) if a.class_id in numbers and _wanted(a, project, choice))
        return tuple(replace(a, class_id=numbers[a.class_id]) for a in found)

    images = project.images
    if choice.classes or choice.least_area or choice.reviewed:
        images = tuple(replace(i, objects=len(of_image(i.name))) if i.objects else i for i in images)
    if choice.shares is not None:
        images = tuple(replace(image, part=split_part(image.name, choice.shares, choice.seed)) for image in images)
    return replace(project, images=images, classes=classes, of_image=of_image)


def without_ignored(project: Project) -> Project:
    """The project without its ignore regions."""

    def of_image(name: str) -> tuple[Annotation, ...]:
        return tuple(a for a in project.of_image(name) if a.id not in project.ignored)

    images = tuple(replace(i, objects=len(of_image(i.name))) if i.objects else i for i in project.images)
    return replace(project, images=images, of_image=of_image, ignored=frozenset())


def split_part(name: str, shares: tuple[float, float, float], seed: int) -> str:
    """The part of a split that an image belongs to: a hash of seed and name falls into one of the shares.

    An image keeps its part when others come or go. Parts of few images may differ from the shares.
    """
    place = int.from_bytes(blake2b(f"{seed}:{to_text(name)}".encode(), digest_size=8).digest(), "big") / 2**64
    bound = 0.0
    for part, share in zip(SPLIT_PARTS, shares, strict=True):
        bound += share / sum(shares)
        if place < bound and share > 0:
            return part
    return next(part for part, share in reversed(tuple(zip(SPLIT_PARTS, shares, strict=True))) if share > 0)


def export_project(
    project: Project, form: Format, folder: Path, choice: ExportChoice, progress: ReportProgress = unheard
) -> list[Path]:
    """Write what was chosen; a split is the format's own, or one folder for each part. Returns the files' paths.

    Raises:
        ExportError: as the format's `write`; a split appears whole or not at all. Also where the format copies upright
            pixels and `stored_rows` is chosen, or `in_stored_rows` fails.
    """
    some = project if choice == EVERYTHING else chosen_objects(project, choice)
    if choice.stored_rows:
        if form.copies_pixels:
            text = Phrase("{title}: its pixels are upright, so its masks are too", title=Phrase(form.title))
            raise ExportError(text, folder, "Choose another format, or upright masks")
        some = in_stored_rows(some)
    some = some if form.holds_ignored or not some.ignored else without_ignored(some)
    if choice.shares is None or form.splits:
        return form.write(some, folder, progress)
    parts = {part: _only(some, part) for part in SPLIT_PARTS}
    total, done = max(len(some.annotated), 1), 0
    with recorded(folder, f"{form.name}-split", {"seed": choice.seed, "shares": list(choice.shares)}) as stage:
        for part, content in parts.items():
            if content.annotated:
                form.write(content, stage / part, _within(progress, done / total, len(content.annotated) / total))
            done += len(content.annotated)
    return written_paths(folder, f"{form.name}-split")


def _within(progress: ReportProgress, start: float, share: float) -> ReportProgress:
    return lambda done, words: progress(start + share * done, words)


def _only(project: Project, part: str) -> Project:
    return replace(project, images=tuple(image for image in project.images if image.part == part))


def _wanted(annotation: Annotation, project: Project, choice: ExportChoice) -> bool:
    if choice.reviewed and annotation.id not in project.reviewed:
        return False
    return not choice.least_area or annotation.mask.area >= choice.least_area


def _classes(project: Project, choice: ExportChoice) -> tuple[tuple[ProjectClass, ...], dict[int, int]]:
    """The classes of the export, and their number by the project's; a merged class has its first member's number."""
    names = {c.name for c in project.classes}
    merged = {name: choice.merged.get(name, name) for name in names}
    for name in [*choice.merged, *(choice.classes - set(merged.values()))]:
        if name not in names:
            known = ", ".join(sorted(names))
            raise ExportError(
                Phrase('There is no class "{name}"', name=name),
                project.folder,
                Phrase("Name one of: {known}", known=known),
            )
    numbers: dict[int, int] = {}
    found: dict[str, ProjectClass] = {}
    for each in project.classes:
        name = merged[each.name]
        if not choice.classes or name in choice.classes:
            numbers[each.id] = found.setdefault(name, ProjectClass(each.id, name)).id
    return tuple(found.values()), numbers
