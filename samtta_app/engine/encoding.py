"""Reading and encoding of images, before the first click on them."""

from __future__ import annotations

from samtta_app.core.messages import LoadRequest, PrefetchRequest, ThumbnailRequest
from samtta_app.core.replies import Loaded, Prefetched, Progress, Thumbnailed
from samtta_app.core.types import Image
from samtta_app.core.windows import SEEN_WHOLE
from samtta_app.engine.resources import Resources, Work
from samtta_app.errors import LargeImageError
from samtta_app.images.read_limits import READ_AHEAD_SHARE
from samtta_app.images.thumbnails import read_thumbnail
from samtta_app.model.feature_files import packed_features


def load(of: Resources, request: LoadRequest) -> Work:
    """Read an image.

    Raises:
        ImageError: it cannot be read.
    """
    return Loaded(request.id, (yield from of.images.read(request.path, planes=request.planes)))


def prefetch(of: Resources, request: PrefetchRequest) -> Work:
    """Encode an image's whole window; an image too large to be read ahead is skipped.

    So is an image that is never seen whole: its windows are known only at the click.

    Raises:
        ImageError: it cannot be read.
    """
    try:
        image = request.image or (yield from of.images.read(request.path, READ_AHEAD_SHARE, request.planes))
    except LargeImageError:
        return Prefetched(request.id, request.path, encoded=False)
    if image.whole.side > SEEN_WHOLE:
        return Prefetched(request.id, request.path, image.key, encoded=False)
    yield Progress("encoding", 0.0)
    yield from of.cache.features(image, image.whole)
    return Prefetched(request.id, request.path, image.key)


def make_thumbnail(of: Resources, request: ThumbnailRequest) -> Work:
    """Make a small picture; the cache of images is for those that are opened."""
    return Thumbnailed(
        request.id, request.path, (yield from read_thumbnail(request.path, request.side, request.planes))
    )


def whole_features(of: Resources, image: Image) -> tuple[str, bytes] | None:
    """An image's whole window, encoded: name and content of the file in which later runs look for it.

    None for an image that is never seen whole: its windows are known only at the click.
    """
    if image.whole.side > SEEN_WHOLE:
        return None
    work = of.cache.features(image, image.whole)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return packed_features(of.model, finished.value)
