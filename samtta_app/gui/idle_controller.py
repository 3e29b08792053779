"""Answers requests while there is no model: images can still be viewed."""

from __future__ import annotations

from collections.abc import Generator

from samtta_app.core.messages import LoadRequest, PredictRequest, Request, ThumbnailRequest
from samtta_app.core.replies import Failure, Loaded, Reply, Thumbnailed
from samtta_app.errors import ImageError


class IdleController:
    """Reads images, answers a click with the reason why there is no model, and ignores everything else.

    Args:
        reason: why there is no model, in words for the user.
    """

    description = "no model"
    tasks: tuple[str, ...] = ()
    device_refusal = ""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def handle(self, request: Request) -> Generator[None, None, Reply | None]:
        """Answer `request` as far as that is possible without a model."""
        yield None
        kind = type(request).__name__
        if isinstance(request, PredictRequest):
            return Failure(request.id, kind, self._reason)
        if isinstance(request, ThumbnailRequest):
            from samtta_app.images.thumbnails import read_thumbnail  # brings the decoders, which a start can do without

            made = yield from read_thumbnail(request.path, request.side, request.planes)
            return Thumbnailed(request.id, request.path, made)
        if not isinstance(request, LoadRequest):
            return None
        from samtta_app.images.read import reading  # brings the decoders, which a start can do without

        try:
            return Loaded(request.id, (yield from reading(request.path, planes=request.planes)))
        except ImageError as e:
            return Failure(request.id, kind, str(e))
