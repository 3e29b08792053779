"""Memory keeps each object's own features in order of ids, ignores what is unsure, and is bounded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from samtta_app.adapt.memory import MEMORY_LIMIT, Memory, Remembered, band_of, remember_object
from samtta_app.core.types import Example, Mask, Window
from samtta_app.model.predictor import ImageFeatures
from tests.unit.values import disc, example

SIZE = 256


def features(window: Window, valid: tuple[int, int] = (192, 256)) -> ImageFeatures:
    return ImageFeatures("key", window, torch.rand(1, 8, 16, 16), (), valid)


def item(object_id: int) -> Remembered:
    one = example(object_id)
    made = remember_object(one, features(one.window), SIZE)
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
    made = remember_object(one, own, SIZE)
    assert made is not None
    assert made.features.embedding.dtype == torch.float16
    assert torch.equal(made.features.embedding, own.embedding.half())


def test_an_empty_or_an_all_covering_mask_is_not_remembered() -> None:
    one = example(1)
    nothing = Mask(0, 0, np.zeros((1, 1), dtype=np.bool_))
    everything = Mask(0, 0, np.ones((96, 128), dtype=np.bool_))
    for mask in (nothing, everything):
        assert remember_object(replace(one, mask=mask), features(one.window), SIZE) is None


def test_a_mask_that_leaves_the_window_keeps_object_at_the_frame() -> None:
    one: Example = replace(example(1), window=Window(60, 40, 30, 30))
    made = remember_object(one, features(one.window, (256, 256)), SIZE)
    assert made is not None
    assert made.target[0, 0] == 1


def test_the_band_grows_with_the_object_within_limits() -> None:
    assert [band_of(a) for a in (1, 400, 1600, 10_000, 1_000_000)] == [1, 1, 2, 4, 4]


def test_objects_are_kept_by_their_ids_however_they_come_in() -> None:
    items = {number: item(number) for number in (1, 2, 3, 4)}
    for order in ((1, 2, 3, 4), (4, 3, 2, 1), (3, 1, 4, 2)):
        memory = Memory()
        for number in order:
            memory = memory.add(items[number])
        assert [kept.object_id for kept in memory.items] == [1, 2, 3, 4]
        assert all(kept is items[kept.object_id] for kept in memory.items)


def test_memory_is_bounded_and_keeps_the_newest_ids() -> None:
    memory, template = Memory(), item(1)
    for number in range(1, MEMORY_LIMIT + 6):
        memory = memory.add(replace(template, object_id=number))
    assert len(memory) == MEMORY_LIMIT
    assert [kept.object_id for kept in memory.items] == list(range(6, MEMORY_LIMIT + 6))
    assert memory.add(replace(template, object_id=3)).items == memory.items  # older than all that are kept


def test_the_same_object_again_replaces_what_was_kept_of_it() -> None:
    memory = Memory().add(item(1)).add(item(2)).add(item(3))
    changed = replace(item(2), clicks=())
    after = memory.add(changed)
    assert [kept.object_id for kept in after.items] == [1, 2, 3]
    assert after.items[1] is changed
    assert memory.items[1].clicks


def test_withdrawing_an_object_leaves_the_old_memory_as_it_was() -> None:
    memory = Memory().add(item(1)).add(item(2)).add(item(3))
    after = memory.without(2).without(1)
    assert [kept.object_id for kept in after.items] == [3]
    assert len(memory) == 3
    assert after.without(99).items == after.items
    assert len(Memory().without(1)) == 0


# --- the narrower window ----------------------------------------------------------------------------------------------


def test_a_closeup_is_the_same_object_on_a_grid_of_its_own() -> None:
    one, near = example(1), Window(30, 20, 60, 60)
    wide, close = features(one.window), features(near, (256, 256))
    made = remember_object(one, wide, SIZE, close)
    assert made is not None
    closeup = made.closeup
    assert closeup is not None
    assert closeup.features.window == near
    assert made.features.window == one.window
    assert closeup.features.embedding.dtype == torch.float16
    assert torch.equal(closeup.features.embedding, close.embedding.half())
    assert (closeup.object_id, closeup.clicks, closeup.mask) == (made.object_id, made.clicks, made.mask)
    assert closeup.closeup is None
    # a disc of radius 18 on a grid of 60 / 64 pixels, and on one of 128 / 64
    assert abs((closeup.whole == 1).sum().item() * (60 / 64) ** 2 - disc(60, 50, 18).area) < 40
    assert abs((made.whole == 1).sum().item() * 4 - disc(60, 50, 18).area) < 60
    rows, columns = np.nonzero(closeup.whole.numpy() == 1)
    assert abs(rows.mean() - ((50 - 20 + 0.5) / 60 * 64 - 0.5)) < 0.3
    assert abs(columns.mean() - ((60 - 30 + 0.5) / 60 * 64 - 0.5)) < 0.3


def test_without_a_narrower_window_there_is_no_closeup() -> None:
    assert item(1).closeup is None


def test_a_closeup_that_the_object_fills_is_not_kept_but_the_object_is() -> None:
    one = example(1)
    made = remember_object(one, features(one.window), SIZE, features(Window(55, 45, 8, 8), (256, 256)))
    assert made is not None
    assert made.closeup is None
