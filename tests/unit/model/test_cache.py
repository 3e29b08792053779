"""Features are made once, go on where they were interrupted, and do not grow without limit."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator

from samtta_app.core.types import Window
from samtta_app.model.cache import UNDER_WAY, FeatureCache
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import ImageFeatures
from tests.unit.values import picture


def finish(work: Generator[None, None, ImageFeatures]) -> ImageFeatures:
    while True:
        try:
            next(work)
        except StopIteration as done:
            made: ImageFeatures = done.value
            return made


def steps(cache: FeatureCache, seed: int) -> tuple[int, ImageFeatures]:
    image = picture(seed)
    work, count = cache.features(image, image.whole), 0
    while True:
        try:
            next(work)
            count += 1
        except StopIteration as done:
            return count, done.value


def test_the_second_time_costs_nothing_and_gives_the_same_value() -> None:
    cache = FeatureCache(toy_model())
    first, made = steps(cache, 1)
    second, again = steps(cache, 1)
    assert first > 0
    assert second == 0
    assert again is made


def test_an_interrupted_encoding_is_gone_on_with_by_the_next_caller() -> None:
    cache, image = FeatureCache(toy_model()), picture(1)
    total, _ = steps(FeatureCache(toy_model()), 1)
    abandoned = cache.features(image, image.whole)
    next(abandoned)
    abandoned.close()
    rest, _ = steps(cache, 1)
    assert rest == total - 1


def test_two_callers_share_one_encoding() -> None:
    cache, image = FeatureCache(toy_model()), picture(1)
    one, two = cache.features(image, image.whole), cache.features(image, image.whole)
    next(one)
    _, made = steps(cache, 1)
    assert finish(one) is made
    assert finish(two) is made


def test_windows_of_one_image_are_different_features() -> None:
    cache, image = FeatureCache(toy_model()), picture(1)
    steps(cache, 1)
    assert cache.has(image.key, image.whole)
    assert not cache.has(image.key, Window(0, 0, 10, 10))


def test_the_oldest_features_go_when_the_budget_is_reached() -> None:
    model = toy_model()
    _, one = steps(FeatureCache(model), 1)
    cache = FeatureCache(model, budget=2 * one.nbytes)
    for seed in (1, 2, 1, 3):
        steps(cache, seed)
    held = [seed for seed in (1, 2, 3) if cache.has(picture(seed).key, picture(seed).whole)]
    assert held == [1, 3]


def test_a_budget_smaller_than_one_image_still_answers() -> None:
    cache = FeatureCache(toy_model(), budget=1)
    assert steps(cache, 1)[1].nbytes > 1
    assert cache.has(picture(1).key, picture(1).whole)


def test_everything_can_be_dropped_and_is_told_once() -> None:
    cache = FeatureCache(toy_model())
    for seed in (1, 2):
        steps(cache, seed)
    part = cache.features(picture(3), picture(3).whole)
    next(part)
    cache.clear()
    assert not any(cache.has(picture(seed).key, picture(seed).whole) for seed in (1, 2, 3))
    assert cache.evicted() == {picture(1).key, picture(2).key}
    assert cache.evicted() == frozenset()


def test_of_encodings_that_are_not_finished_the_oldest_is_given_up() -> None:
    cache = FeatureCache(toy_model())
    begun = [cache.features(picture(seed), picture(seed).whole) for seed in range(UNDER_WAY + 1)]
    for work in begun:
        next(work)
    full = steps(FeatureCache(toy_model()), 0)[0]
    assert steps(cache, 0)[0] == full  # begun again
    assert steps(cache, UNDER_WAY)[0] == full - 1  # gone on with


def test_a_dropped_cache_frees_its_features_at_once() -> None:
    cache = FeatureCache(toy_model())
    features = weakref.ref(steps(cache, 1)[1].embedding)
    gc.disable()
    try:
        del cache
        assert features() is None
    finally:
        gc.enable()
