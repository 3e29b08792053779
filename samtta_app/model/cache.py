"""Features by image and window: encoded once, resumed where an encoding was interrupted, the oldest dropped first.

Failures are never kept: after an exception the next caller encodes again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import cached_property

from cachetools import FIFOCache, LRUCache

from samtta_app.core.types import Image, Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.feature_files import FeatureFiles
from samtta_app.model.predictor import ImageFeatures, encode

FEATURE_BYTES = 512 * 2**20
"""Bytes of features held at most."""

UNDER_WAY = 4
"""Encodings that are not finished; an older one was abandoned, because its image was left before it was encoded."""

_Key = tuple[str, Window]


class _Finished(LRUCache[_Key, ImageFeatures]):
    """Finished features, of `budget` bytes at most, the newest in any case.

    `wholes` are the keys of whole images among them; `evicted` are the images whose whole window was dropped.
    """

    def __init__(self, budget: int) -> None:
        super().__init__(budget, lambda features: min(features.nbytes, budget))
        self.wholes: set[_Key] = set()
        self.evicted: set[str] = set()

    def popitem(self) -> tuple[_Key, ImageFeatures]:
        """Drop the features that were used longest ago."""
        key, features = super().popitem()
        if key in self.wholes:
            self.wholes.remove(key)
            self.evicted.add(key[0])
        return key, features


class FeatureCache:
    """Owns finished features and encodings under way; lives on the engine's thread.

    Args:
        model: what encodes.
        budget: bytes of features held at most.
        files: features that were encoded in earlier runs, and where new ones are kept; None keeps them in memory alone.
    """

    def __init__(self, model: SamModel, budget: int = FEATURE_BYTES, files: FeatureFiles | None = None) -> None:
        self._model, self._files = model, files
        self._done = _Finished(budget)
        self._running: FIFOCache[_Key, Generator[None, None, ImageFeatures]] = FIFOCache(UNDER_WAY)

    def has(self, image_key: str, window: Window) -> bool:
        """Whether the features are ready."""
        return (image_key, window) in self._done

    def features(self, image: Image, window: Window) -> Generator[None, None, ImageFeatures]:
        """The features of a window; yields while they are being made, and continues where another caller stopped."""
        key = (image.key, window)
        while key not in self._done:
            self._advance(key, image, window)
            if key not in self._done:
                yield
        return self._done[key]

    def evicted(self) -> frozenset[str]:
        """The keys of images whose whole window was dropped since the last call: they are no longer encoded."""
        gone, self._done.evicted = frozenset(self._done.evicted), set()
        return gone

    def clear(self) -> None:
        """Drop everything: memory has run out."""
        self._running.clear()
        while self._done:
            self._done.popitem()

    def _made(self, image: Image, window: Window) -> Generator[None, None, ImageFeatures]:
        """The features, from the disk where they are kept there."""
        kept = self._files.read(image.key, window) if self._files else None
        if kept is not None:
            return kept
        made = yield from encode(self._model, image, window)
        if self._files:
            self._files.keep(made)
        return made

    def _advance(self, key: _Key, image: Image, window: Window) -> None:
        if key not in self._running:
            self._running[key] = self._made(image, window)
        try:
            next(self._running[key])
        except StopIteration as finished:
            del self._running[key]
            self._done[key] = finished.value
            if window == image.whole:
                self._done.wholes.add(key)
                self._done.evicted.discard(image.key)
        except BaseException:
            del self._running[key]  # a generator that has failed would only report its end
            raise


class Larger:
    """A second, larger model beside the one that answers: loaded when it is first asked, with features of its own.

    Args:
        load: gives the model.
        budget: bytes of features held at most.
    """

    def __init__(self, load: Callable[[], SamModel], budget: int = FEATURE_BYTES // 4) -> None:
        self._load, self._budget = load, budget

    @cached_property
    def model(self) -> SamModel:
        """The model.

        Raises:
            CheckpointError: as in `load_model`.
        """
        return self._load()

    @cached_property
    def cache(self) -> FeatureCache:
        """Its features."""
        return FeatureCache(self.model, self._budget)

    def clear(self) -> None:
        """Drop the features that it holds, if it was ever asked."""
        if "cache" in self.__dict__:
            self.cache.clear()
