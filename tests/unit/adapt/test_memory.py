"""Memory keeps each object's own features, ignores what is unsure, and holds some back for the guard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from samtta_app.adapt.memory import HELD_LIMIT, LEARNED_LIMIT, Memory, Remembered, band_of, remember
from samtta_app.core.types import Example, Mask, Window
from samtta_app.model.predictor import ImageFeatures
from tests.unit.values import disc, example

SIZE = 256


def features(window: Window, valid: tuple[int, int] = (192, 256)) -> ImageFeatures:
    return ImageFeatures("key", window, torch.rand(1, 8, 16, 16), (), valid)


def item(object_id: int) -> Remembered:
    one = example(object_id)
    made = remember(one, features(one.window), SIZE)
    assert made is not None
    return made


def test_the_target_has_object_background_and_an_ignored_band_between() -> None:
    target = item(1).target.numpy()
    assert set(np.unique(target)) == {-1, 0, 1}
    from scipy.ndimage import binary_dilation

    assert not (binary_dilation(target == 1) & (target == 0)).any()


def test_padding_is_ignored_and_never_background() -> None:
    made = item(1)
    assert (made.target[48:] == -1).all()
    assert (made.whole[48:] == -1).all()
    assert (made.whole[:48] >= 0).all()


def test_the_grid_lies_over_the_window_where_the_object_is() -> None:
    whole = item(1).whole.numpy() == 1
    rows, columns = np.nonzero(whole)
    assert abs(columns.mean() - (60 + 0.5) / 128 * 64 + 0.5) < 0.3
    assert abs(rows.mean() - (50 + 0.5) / 96 * 48 + 0.5) < 0.3
    assert abs(whole.sum() * 4 - disc(60, 50, 18).area) < 60


def test_features_are_those_of_the_objects_own_image_in_half_precision() -> None:
    one = example(1)
    own = features(one.window)
    made = remember(one, own, SIZE)
    assert made is not None
    assert made.features.embedding.dtype == torch.float16
    assert torch.equal(made.features.embedding, own.embedding.half())


def test_an_empty_or_an_all_covering_mask_is_not_remembered() -> None:
    one = example(1)
    nothing = Mask(0, 0, np.zeros((1, 1), dtype=np.bool_))
    everything = Mask(0, 0, np.ones((96, 128), dtype=np.bool_))
    for mask in (nothing, everything):
        assert remember(replace(one, mask=mask), features(one.window), SIZE) is None


def test_a_mask_that_leaves_the_window_keeps_object_at_the_frame() -> None:
    one: Example = replace(example(1), window=Window(60, 40, 30, 30))
    made = remember(one, features(one.window, (256, 256)), SIZE)
    assert made is not None
    assert made.target[0, 0] == 1


def test_the_band_grows_with_the_object_within_limits() -> None:
    assert [band_of(a) for a in (1, 400, 1600, 10_000, 1_000_000)] == [1, 1, 2, 4, 4]


def test_the_second_and_then_every_third_object_is_held_back() -> None:
    memory = Memory()
    for k in range(1, 9):
        memory = memory.add(item(k))
    assert [i.object_id for i in memory.held_back] == [2, 5, 8]
    assert [i.object_id for i in memory.learned] == [1, 3, 4, 6, 7]


def test_memory_is_bounded_and_releases_the_oldest_held_back_object_to_the_learner() -> None:
    memory, template = Memory(), item(1)
    for k in range(1, 100):
        memory = memory.add(replace(template, object_id=k))
    assert (len(memory.held_back), len(memory.learned)) == (HELD_LIMIT, LEARNED_LIMIT)
    learned = {i.object_id for i in memory.learned}
    assert learned.isdisjoint(i.object_id for i in memory.held_back)
    assert any(k % 3 == 2 for k in learned)


def test_withdrawing_an_object_leaves_the_old_memory_as_it_was() -> None:
    memory = Memory().add(item(1)).add(item(2)).add(item(3))
    after = memory.without(2).without(1)
    assert [i.object_id for i in after.learned + after.held_back] == [3]
    assert len(memory) == 3
