"""Samples are what their masks say, come by number, and are the same in every process."""

import numpy as np
import torch

from samtta_app.train.batches import SYNTHETIC, SampleSource, batches, sampled_first_click, split_batch, tight_box
from samtta_app.train.data.augment import Augmentation, augmented
from samtta_app.train.data.crops import TrainingView, Zoom, draw_view, place_window
from samtta_app.train.data.labelled_images import ObjectBox
from tests.unit.train.material import record

SETS = {"squares": [record(0), record(1)]}
CLEAN = Augmentation(**dict.fromkeys(Augmentation.__dataclass_fields__, 0.0))


def source(**mixture: float) -> SampleSource:
    return SampleSource(SETS, mixture, size=64, targets=2, seed=3)


def test_the_same_number_gives_the_same_sample() -> None:
    a, b = source(squares=0.5, synthetic=0.5), source(squares=0.5, synthetic=0.5)
    for one, other in zip(a[11], b[11], strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(a[11][0], a[12][0])


def test_a_window_contains_most_of_its_object_and_lies_in_the_image() -> None:
    rng = np.random.default_rng(0)
    box = ObjectBox(0, 1, 60, 70, 80, 82)
    for _ in range(200):
        x, y, side = place_window(box, 200, 150, 3.0, rng)
        assert side == 60
        assert 0 <= x <= 200 - side
        assert 0 <= y <= 150 - side
        assert min(box.x1, x + side) - max(box.x0, x) >= 10


def test_zooms_stay_in_their_ranges_and_favour_the_products() -> None:
    rng = np.random.default_rng(0)
    zooms = np.array([Zoom().draw(rng) for _ in range(2000)])
    assert zooms.min() >= 1.15
    assert zooms.max() <= 20
    assert 0.1 < (zooms > 8).mean() < 0.2
    assert ((zooms > 3.5) & (zooms < 6.5)).mean() > 0.4


def test_masks_of_a_view_cover_the_bright_squares() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        view = draw_view(SETS["squares"][0], 64, 2, Zoom(), rng)
        for mask in view.masks:
            inside = view.pixels[mask > 0].mean()
            assert inside > 150


def test_turning_keeps_pixels_and_masks_together() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        view = augmented(draw_view(SETS["squares"][0], 64, 2, Zoom(), rng), CLEAN, rng)
        assert view.pixels[view.masks[0] > 0].mean() > 150


def test_padding_is_black_or_neutral_after_every_augmentation() -> None:
    rng = np.random.default_rng(3)
    pixels = np.full((64, 64, 3), 90, np.uint8)
    for _ in range(20):
        view = augmented(TrainingView(pixels, (np.ones((64, 64), np.uint8),), (64, 40)), Augmentation(), rng)
        width, height = view.valid
        rest = view.pixels[height:] if height < 64 else view.pixels[:, width:]
        assert rest.min() == rest.max()
        assert rest.max() in (0, 128)


def test_first_clicks_and_boxes_lie_on_the_object() -> None:
    rng = np.random.default_rng(4)
    mask = np.zeros((64, 64), np.uint8)
    mask[10:30, 40:45] = 1
    assert tight_box(mask) == (40, 10, 44, 29)
    for _ in range(20):
        x, y = sampled_first_click(mask, rng)
        assert mask[int(y), int(x)] == 1


def test_a_resumed_feed_goes_on_with_the_very_next_batch() -> None:
    feed = batches(source(squares=1.0), 2, 0, workers=0)
    second = [next(feed) for _ in range(2)][1]
    resumed = next(batches(source(squares=1.0), 2, 1, workers=0))
    assert torch.equal(second.pixels, resumed.pixels)
    assert torch.equal(second.targets, resumed.targets)


def test_a_batch_has_one_row_per_target() -> None:
    batch = next(batches(source(squares=0.5, **{SYNTHETIC: 0.5}), 3, 0, workers=0))
    assert batch.pixels.shape == (3, 3, 64, 64)
    assert batch.targets.shape == (6, 16, 16)
    assert batch.clicks.shape == (6, 2)
    assert batch.boxes.shape == (6, 4)
    assert batch.targets.amax((1, 2)).min() > 0


def test_a_set_that_is_not_given_is_left_out_of_the_mixture() -> None:
    given = source(squares=0.2, nowhere=0.8)
    assert given.names == ["squares"]
    assert given.shares.tolist() == [1.0]


def test_parts_of_a_batch_keep_images_and_targets_together() -> None:
    batch = next(batches(source(squares=1.0), 3, 0, workers=0))
    first, second = split_batch(batch, 2)
    assert (len(first.pixels), len(second.pixels)) == (2, 1)
    assert torch.equal(torch.cat([first.targets, second.targets]), batch.targets)
    assert torch.equal(second.clicks, batch.clicks[4:])
