"""`samtta encode` in shards: images are encoded ahead, into files that every later run of the same model reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samtta_app.core.messages import ReportProgress
from samtta_app.engine.encoding import whole_features
from samtta_app.errors import ImageError, UserError
from samtta_app.parallel.image_places import ImagePlace
from samtta_app.parallel.mask_finding import loaded_image
from samtta_app.parallel.model_on_worker import ModelOnWorker, each_fetched, error_words
from samtta_app.parallel.shard_run import ShardResult

ENCODED_IMAGES = 4
"""Images of a shard: their features have some MB each, and go through memory."""


@dataclass(frozen=True, slots=True)
class FeatureShard:
    """Encodes a shard's images."""

    model: ModelOnWorker

    def __call__(self, images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
        """A file for each image that is seen whole."""
        engine, files, errors = self.model.engine(), dict[str, bytes](), dict[str, str]()
        for image, path in each_fetched(images, told):
            try:
                if isinstance(path, ImageError):
                    raise path
                found = whole_features(engine.resources, loaded_image(engine, path))
            except UserError as error:
                errors[image.name] = error_words(error, path, image)
                continue
            if found is not None:
                files[found[0]] = found[1]
        return ShardResult(files, errors)
