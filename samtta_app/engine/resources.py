"""What the requests of one engine share: model, read files, encoded images, larger model, heads, refiner and learner."""

from __future__ import annotations

from collections.abc import Generator

from samtta_app.adapt.learner import Learner
from samtta_app.core.replies import Partial, Reply
from samtta_app.core.types import Example, WaitingExample
from samtta_app.errors import UserError
from samtta_app.images.image_cache import ImageCache
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache, Larger
from samtta_app.model.memory_shortage import give_back
from samtta_app.model.refiner import Refiner, refiner_for
from samtta_app.uncertainty.heads import for_clicks, heads_for, larger_for

Work = Generator[Partial | None, None, Reply | None]
"""A request under way: each yield is a place to serve a more urgent one, with a partial reply or None.

It returns the reply; None where a partial reply was the answer.
"""


class Resources:
    """The only state of an engine; the functions that answer requests hold none of their own.

    Attributes:
        model: what answers.
        cache: its encoded images.
        images: files that were read.
        learner: the published weights, and what they learned from.
        heads: predict what a mask would gain. `no_heads` says why there are none; `click_heads` are those asked at a
            click.
        stopped: numbers of requests that are to end at their next step.
        larger: a second model; by default the one that the heads were trained with.
    """

    def __init__(self, model: SamModel, learner: Learner, cache: FeatureCache, larger: Larger | None) -> None:
        self.model, self.learner, self.cache = model, learner, cache
        self.images = ImageCache()
        self.heads, self.no_heads = heads_for(model)
        self.click_heads = for_clicks(self.heads) if self.heads else None
        self.larger = larger_for(self.heads, model.device) if self.heads and larger is None else larger
        self._refiner: Refiner | None = None
        self.stopped: set[int] = set()

    def refiner(self) -> tuple[Refiner | None, str]:
        """The model's refiner, or None and the reason; searched again each time, because its file may have been added."""
        if self._refiner is not None:
            return self._refiner, ""
        self._refiner, reason = refiner_for(self.model)
        return self._refiner, reason

    def second(self) -> tuple[SamModel, FeatureCache]:
        """The larger model and its encoded images.

        Raises:
            UserError: there is no larger model.
            CheckpointError: it cannot be loaded.
        """
        if self.larger is None:
            raise UserError("There is no larger model to ask", "", "Open one beside this one")
        return self.larger.model, self.larger.cache

    def seen(self, example: Example | WaitingExample) -> Generator[None, None, Example]:
        """The example in its image, which is read where it waits.

        Raises:
            ImageError: the image cannot be read, or is not the one that the object was accepted on.
        """
        if isinstance(example, Example):
            return example
        return example.seen((yield from self.images.read(example.image.path, planes=example.image.planes)))

    def free(self) -> None:
        """Drop everything that can be computed again."""
        self.cache.clear()
        self.images.clear()
        if self.larger is not None:
            self.larger.clear()
        give_back(self.model.device)
