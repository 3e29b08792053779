"""`samtta auto` in shards: masks of each image as a line of JSON, and what the lines of all shards become at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.messages import ReportProgress
from samtta_app.errors import ImageError, UserError
from samtta_app.formats.base import Format
from samtta_app.formats.found_masks import FoundInImage, found_of_text, found_text, project_of, write_results
from samtta_app.parallel.image_places import ImagePlace, ResultPlace
from samtta_app.parallel.mask_finding import Boxes, found_in_image
from samtta_app.parallel.model_on_worker import ModelOnWorker, each_fetched, error_words
from samtta_app.parallel.shard_manifest import SHARDS, Standing
from samtta_app.parallel.shard_run import ShardResult, read_file


@dataclass(frozen=True, slots=True)
class MaskShard:
    """Finds masks in a shard's images. `by` and `said` name model and settings in each line; `boxes` are by image."""

    model: ModelOnWorker
    settings: AutomaticSettings
    by: str
    said: str
    boxes: Mapping[str, Boxes] | None = None

    def __call__(self, images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
        """The masks, a line for each image; the seconds are left out, so that the same images give the same bytes."""
        engine, lines, errors = self.model.engine(), list[str](), dict[str, str]()
        for image, path in each_fetched(images, told):
            try:
                if isinstance(path, ImageError):
                    raise path
                boxes = None if self.boxes is None else self.boxes.get(image.name) or ()
                head = engine, self.settings, self.by, self.said, image.name
                found = found_in_image(*head, path, boxes, lambda share: None, [])
            except UserError as error:
                errors[image.name] = error_words(error, path, image)
                continue
            lines.append(found_text(replace(found, seconds=0.0)) + "\n")
        return ShardResult({lines_name(key): "".join(lines).encode()}, errors)


def lines_name(key: str) -> str:
    """The file of a shard's masks."""
    return f"{SHARDS}/{key}.jsonl"


class ShardedMasks:
    """The masks of all finished images, read shard by shard.

    Args:
        out: where they are.
        images: all images of the run, in order.
        standing: which are finished.
    """

    def __init__(self, out: ResultPlace, images: Sequence[ImagePlace], standing: Standing) -> None:
        self.names = [image.name for image in images if image.name in standing.done]
        self._out, self._standing = out, standing
        self._shard = lru_cache(maxsize=2)(self._read)

    def of_image(self, name: str) -> FoundInImage:
        """The masks of an image.

        Raises:
            ExportError: the file of its shard has changed.
        """
        return self._shard(self._standing.done[name])[name]

    def _read(self, key: str) -> dict[str, FoundInImage]:
        name = lines_name(key)
        data = read_file(self._out, name, self._standing.entries[key].files[name])
        found = (found_of_text(line) for line in data.splitlines())
        return {each.image: each for each in found}

    def write(self, form: Format, folder: Path, classes: Mapping[int, str]) -> list[str]:
        """Write them as `samtta auto` does on one machine, also where the place is a URL. Returns the files' names.

        Args:
            form: COCO or index PNGs.
            folder: of the images.
            classes: names of a detector's categories.

        Raises:
            ExportError: a file cannot be written, or that of a shard has changed.
        """
        project = project_of(folder, self.names, self.of_image, classes)
        if not self._out.shared:
            home = Path(self._out.root)
            written = [*form.write(project, home), write_results(map(self.of_image, self.names), home)]
            return [path.relative_to(home).as_posix() for path in written]
        with tempfile.TemporaryDirectory(prefix="samtta-") as here:
            home = Path(here)
            files = [*form.write(project, home), write_results(map(self.of_image, self.names), home)]
            names = [path.relative_to(home).as_posix() for path in files]
            for name in names:
                self._out.put(name, (home / name).read_bytes())
        return names
