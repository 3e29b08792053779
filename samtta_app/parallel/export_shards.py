"""`samtta export` in shards: each shard is an export of its images, with the project's own ids, in a folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from samtta_app.core.messages import ReportProgress
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.types import Annotation
from samtta_app.errors import ExportError
from samtta_app.formats import FORMATS
from samtta_app.formats.export_choice import ExportChoice, export_project
from samtta_app.parallel.image_places import ImagePlace
from samtta_app.parallel.shard_manifest import SHARDS
from samtta_app.parallel.shard_run import ShardResult


def images_of_project(project: Project) -> tuple[ImagePlace, ...]:
    """The annotated images; the version of each changes with its objects. They are read once, image by image."""
    return tuple(
        ImagePlace(image.name, str(project.folder / image.name), _objects_version(project, image))
        for image in project.annotated
    )


def _objects_version(project: Project, image: ProjectImage) -> str:
    digest = blake2b(repr((image, project.classes)).encode("utf-8", "surrogatepass"), digest_size=10)
    for each in project.of_image(image.name):
        own = each.id, each.class_id, each.created, each.note, each.id in project.reviewed, each.id in project.ignored
        mask = each.mask
        digest.update(repr((own, mask.x, mask.y, mask.bits.shape)).encode("utf-8", "surrogatepass"))
        digest.update(mask.bits.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class StoredObjects:
    """The objects of a shard's images, out of the project: they travel with it."""

    objects: Mapping[str, tuple[Annotation, ...]]

    def __call__(self, name: str) -> tuple[Annotation, ...]:
        """The objects of an image."""
        return self.objects[name]


@dataclass(frozen=True, slots=True)
class ExportShard:
    """Exports the images of a shard. `project` holds them alone, with their objects."""

    project: Project
    form: str
    choice: ExportChoice

    def __call__(self, images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
        """The files of the export."""
        with tempfile.TemporaryDirectory(prefix="samtta-") as here:
            folder = Path(here, "export")
            try:
                written = export_project(self.project, FORMATS[self.form], folder, self.choice, told)
            except ExportError as error:
                return ShardResult({}, dict.fromkeys((image.name for image in images), str(error)))
            return ShardResult(
                {f"{SHARDS}/{key}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in written}
            )


def export_shard(project: Project, form: str, choice: ExportChoice, images: Sequence[ImagePlace]) -> ExportShard:
    """What exports these images of a project; their objects are read now."""
    names = {image.name for image in images}
    objects = {name: project.of_image(name) for name in names}
    ids = {each.id for found in objects.values() for each in found}
    part = replace(
        project,
        images=tuple(image for image in project.images if image.name in names),
        of_image=StoredObjects(objects),
        remarks=(),
        reviewed=project.reviewed & ids,
        ignored=project.ignored & ids,
    )
    return ExportShard(part, form, choice)
