"""Features by image and window: encoded once, resumed where an encoding was interrupted, the oldest dropped first.

What went wrong is never kept: after an exception the next caller encodes anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator
from functools import cached_property

from samtta_app.core.types import Image, Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures, encode

FEATURE_BYTES = 512 * 2**20
"""Bytes of features held at most."""

_Key = tuple[str, Window]


class FeatureCache:
    """Owns finished features and encodings under way; lives on the engine's thread."""

    def __init__(self, model: SamModel, budget: int = FEATURE_BYTES) -> None:
        self._model, self._budget = model, budget
        self._done: OrderedDict[_Key, ImageFeatures] = OrderedDict()
        self._running: OrderedDict[_Key, Generator[None, None, ImageFeatures]] = OrderedDict()
        self._wholes: set[_Key] = set()
        self._evicted: set[str] = set()

    def has(self, image_key: str, window: Window) -> bool:
        """Whether the features are ready."""
        return (image_key, window) in self._done

    def features(self, image: Image, window: Window) -> Generator[None, None, ImageFeatures]:
        """The features of a window; yields while they are being made, and goes on from where another caller stopped."""
        key = (image.key, window)
        while key not in self._done:
            self._advance(key, image, window)
            if key not in self._done:
                yield
        self._done.move_to_end(key)
        return self._done[key]

    def evicted(self) -> frozenset[str]:
        """The keys of images whose whole window had to go since this was asked last: they are encoded no more."""
        gone, self._evicted = frozenset(self._evicted), set()
        return gone

    def clear(self) -> None:
        """Drop everything: memory has run out."""
        self._running.clear()
        while self._done:
            self._drop()

    def _advance(self, key: _Key, image: Image, window: Window) -> None:
        if key not in self._running:
            self._running[key] = encode(self._model, image, window)
            while len(self._running) > 4:  # abandoned half-way: an image that was left before it was encoded
                self._running.popitem(last=False)
        try:
            next(self._running[key])
        except StopIteration as finished:
            del self._running[key]
            self._keep(key, finished.value, whole=window == image.whole)
        except BaseException:
            del self._running[key]  # a generator that has failed would only say that it has ended
            raise

    def _keep(self, key: _Key, features: ImageFeatures, *, whole: bool) -> None:
        self._done[key] = features
        if whole:
            self._wholes.add(key)
            self._evicted.discard(key[0])
        held = sum(f.nbytes for f in self._done.values())
        while held > self._budget and len(self._done) > 1:
            held -= self._drop()

    def _drop(self) -> int:
        """Drop the features that were used longest ago; the bytes that they held."""
        key, features = self._done.popitem(last=False)
        if key in self._wholes:
            self._wholes.remove(key)
            self._evicted.add(key[0])
        return features.nbytes


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
