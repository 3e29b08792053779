"""Windows: where they are cut, how they are scaled and padded, and what stays on the object."""

import math

import numpy as np
import pytest

from samtta_app.train.batches import sampled_first_click, tight_box
from samtta_app.train.data.augment import Augmentation, augmented, turned_view
from samtta_app.train.data.click_sampling import worst_place
from samtta_app.train.data.crops import (
    GRID_CELLS,
    MIN_TARGET_CELLS,
    MIN_WINDOW,
    TrainingView,
    Zoom,
    draw_view,
    place_window,
)
from samtta_app.train.data.labelled_images import LabelledImage, ObjectBox, with_boxes
from tests.unit.train.material import record

CLEAN = Augmentation(**dict.fromkeys(Augmentation.__dataclass_fields__, 0.0))


def exactly(zoom: float) -> Zoom:
    """Always this zoom."""
    return Zoom(product=(zoom, zoom), product_share=1.0, far_share=0.0)


def marked(width: int, height: int, box: tuple[int, int, int, int]) -> LabelledImage:
    """One white rectangle on black, in colours."""
    labels = np.zeros((1, height, width), np.uint16)
    x0, y0, x1, y1 = box
    labels[0, y0:y1, x0:x1] = 1
    pixels = np.repeat((labels[0] * 255).astype(np.uint8)[..., None], 3, axis=2)
    return with_boxes("marked", pixels, labels)


def shape_in(valid: tuple[int, int], size: int = 32) -> TrainingView:
    """A view whose red channel is its mask, an L that no turn maps to itself."""
    mask = np.zeros((size, size), np.uint8)
    mask[2:14, 3:6] = mask[11:14, 3:10] = 1
    pixels = np.zeros((size, size, 3), np.uint8)
    pixels[..., 0] = mask * 200
    return TrainingView(pixels, (mask,), valid)


# --- places ---------------------------------------------------------------------------------------------------------


def test_a_window_is_never_smaller_than_the_least_side() -> None:
    rng = np.random.default_rng(0)
    assert place_window(ObjectBox(0, 1, 50, 50, 55, 55), 200, 200, 1.2, rng)[2] == MIN_WINDOW


def test_a_window_outgrows_its_image_by_little_and_then_starts_at_its_corner() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        x, y, side = place_window(ObjectBox(0, 1, 10, 10, 60, 60), 100, 80, 20.0, rng)
        assert side == 114  # 1.15 x 100
        assert (x, y) == (0, 0)


def test_an_image_smaller_than_the_least_window_still_has_a_window() -> None:
    x, y, side = place_window(ObjectBox(0, 1, 2, 2, 9, 9), 12, 10, 3.0, np.random.default_rng(0))
    assert (x, y) == (0, 0)
    assert side >= 10


@pytest.mark.parametrize("corner", [(0, 0), (180, 0), (0, 130), (180, 130)])
def test_an_object_in_the_corner_of_the_image_is_in_its_window(corner: tuple[int, int]) -> None:
    box = ObjectBox(0, 1, *corner, corner[0] + 20, corner[1] + 20)
    rng = np.random.default_rng(1)
    for zoom in (1.15, 3.0, 8.0):
        for _ in range(20):
            x, y, side = place_window(box, 200, 150, zoom, rng)
            assert min(box.x1, x + side) - max(box.x0, x) > 8
            assert min(box.y1, y + side) - max(box.y0, y) > 8


def test_objects_do_not_always_lie_in_the_middle_of_their_window() -> None:
    rng = np.random.default_rng(2)
    box = ObjectBox(0, 1, 190, 190, 210, 210)
    places = np.array([place_window(box, 400, 400, 5.0, rng)[:2] for _ in range(200)])
    shares = (200 - places) / 100
    assert shares.min() < 0.2
    assert shares.max() > 0.8
    assert shares.mean() == pytest.approx(0.5, abs=0.05)


def test_a_fixed_zoom_is_that_zoom() -> None:
    assert exactly(5.0).draw(np.random.default_rng(0)) == pytest.approx(5.0)


@pytest.mark.parametrize(("product", "far", "low", "high"), [(1.0, 0.0, 3.5, 6.5), (0.0, 1.0, 8, 20), (0, 0, 1.15, 8)])
def test_each_share_draws_from_its_own_range(product: float, far: float, low: float, high: float) -> None:
    rng = np.random.default_rng(0)
    zooms = [Zoom(product_share=product, far_share=far).draw(rng) for _ in range(300)]
    assert low <= min(zooms) < low * 1.1
    assert high * 0.9 < max(zooms) <= high
    assert np.median(zooms) == pytest.approx(math.sqrt(low * high), rel=0.2)  # log-uniform


# --- views ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_view_keeps_the_shape_of_its_object_at_any_scale(size: int) -> None:
    made = marked(200, 200, (80, 90, 120, 110))
    rng = np.random.default_rng(3)
    for _ in range(10):
        view = draw_view(made, size, 1, exactly(3.0), rng)
        (mask,) = view.masks
        assert mask.shape == (size, size)
        x0, y0, x1, y1 = tight_box(mask)
        if x0 > 0 and x1 < view.valid[0] - 1 and y0 > 0 and y1 < view.valid[1] - 1:
            assert (x1 - x0 + 1) / (y1 - y0 + 1) == pytest.approx(2, rel=0.25)
            assert mask.sum() == pytest.approx((size / 3) * (size / 6), rel=0.25)
        agreement = (view.pixels[..., 0] > 127) == (mask > 0)
        assert agreement.all()


def test_pixels_outside_the_image_are_padding_and_belong_to_no_object() -> None:
    made = marked(60, 200, (20, 80, 50, 130))
    rng = np.random.default_rng(4)
    narrow = 0
    for _ in range(40):
        view = draw_view(made, 64, 1, exactly(3.0), rng)
        width, height = view.valid
        narrow += width < 64
        for mask in view.masks:
            assert not mask[height:].any()
            assert not mask[:, width:].any()
        assert not view.pixels[height:].any()
        assert not view.pixels[:, width:].any()
    assert narrow == 40  # a window of 150 pixels in an image of 60


def test_the_object_that_a_window_was_drawn_around_comes_first() -> None:
    labels = np.zeros((1, 120, 120), np.uint16)
    labels[0, 10:30, 10:30], labels[0, 40:60, 40:60], labels[0, 80:100, 80:100] = 1, 2, 3
    pixels = (labels[0] * 60).astype(np.uint8)
    made = with_boxes("three", pixels, labels)
    firsts = set()
    for seed in range(20):
        anchor = made.objects[np.random.default_rng(seed).choice(3, p=[1 / 3] * 3)]
        view = draw_view(made, 64, 3, exactly(4.0), np.random.default_rng(seed))
        tones = [round(float(np.median(view.pixels[mask > 0])) / 60) for mask in view.masks]
        assert tones[0] == anchor.value
        assert len(tones) == len(set(tones))
        firsts.add(tones[0])
    assert firsts == {1, 2, 3}


def test_no_more_objects_than_asked_and_none_too_small_to_teach() -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        view = draw_view(record(1), 64, 2, Zoom(), rng)
        assert len(view.masks) <= 2
        assert all(mask.sum() >= MIN_TARGET_CELLS * GRID_CELLS * GRID_CELLS for mask in view.masks)
        assert all(set(np.unique(mask)) <= {0, 1} for mask in view.masks)


def test_grey_images_become_three_equal_channels() -> None:
    view = draw_view(record(0), 64, 1, Zoom(), np.random.default_rng(0))
    assert record(0).pixels.ndim == 2
    assert view.pixels.shape == (64, 64, 3)
    assert np.array_equal(view.pixels[..., 0], view.pixels[..., 2])


def test_the_coarser_layer_is_chosen_more_often_however_many_regions_the_finer_one_has() -> None:
    layers = np.zeros((2, 100, 100), np.uint16)
    for k in range(16):
        y, x = divmod(k, 4)
        layers[0, 25 * y : 25 * y + 20, 25 * x : 25 * x + 20] = k + 1
    layers[1, 5:95, 5:95] = 1
    made = with_boxes("two", np.zeros((100, 100), np.uint8), layers)
    rng = np.random.default_rng(6)
    large = sum(draw_view(made, 64, 1, exactly(1.2), rng).masks[0].sum() > 2500 for _ in range(150))
    # two of three windows are drawn around the one region of the coarse layer
    assert large >= 0.5 * 150


def test_a_hole_of_an_object_stays_a_hole_in_its_view() -> None:
    labels = np.zeros((1, 100, 100), np.uint16)
    labels[0, 20:80, 20:80] = 1
    labels[0, 40:60, 40:60] = 0
    made = with_boxes("ring", (labels[0] * 255).astype(np.uint8), labels)
    (mask,) = draw_view(made, 128, 1, exactly(1.6), np.random.default_rng(7)).masks
    x0, y0, x1, y1 = (int(v) for v in tight_box(mask))
    assert mask[(y0 + y1) // 2, (x0 + x1) // 2] == 0
    assert mask[(y0 + y1) // 2, x0 + 5] == 1


def test_a_line_thinner_than_a_pixel_of_its_window_is_still_there() -> None:
    labels = np.zeros((1, 400, 400), np.uint16)
    labels[0][np.arange(20, 380), np.arange(20, 380)] = 1
    line = with_boxes("line", (labels[0] * 200).astype(np.uint8), labels)
    for seed in range(10):
        (mask,) = draw_view(line, 64, 1, exactly(1.2), np.random.default_rng(seed)).masks
        assert 40 <= mask.sum() <= 200
        assert np.ptp(np.nonzero(mask)[0]) > 30


# --- turns ----------------------------------------------------------------------------------------------------------


def test_a_full_view_is_seen_in_all_eight_turns_and_mask_and_pixels_agree() -> None:
    rng = np.random.default_rng(8)
    seen = set()
    for _ in range(100):
        view = turned_view(shape_in((32, 32)), rng)
        assert np.array_equal(view.pixels[..., 0] > 0, view.masks[0] > 0)
        assert view.valid == (32, 32)
        seen.add(view.masks[0].tobytes())
    assert len(seen) == 8


def test_a_padded_view_is_only_transposed_so_that_padding_stays_right_and_below() -> None:
    rng = np.random.default_rng(9)
    plain = shape_in((20, 32))
    seen = set()
    for _ in range(30):
        view = turned_view(plain, rng)
        seen.add(view.valid)
        expected = plain.masks[0] if view.valid == (20, 32) else plain.masks[0].T
        assert np.array_equal(view.masks[0], expected)
        assert not view.pixels[view.valid[1] :].any()
    assert seen == {(20, 32), (32, 20)}


def test_changes_of_tone_never_reach_the_view_that_they_were_made_from() -> None:
    plain = shape_in((20, 32))
    before = plain.pixels.copy()
    rng = np.random.default_rng(10)
    for _ in range(10):
        augmented(plain, Augmentation(), rng)
    assert np.array_equal(plain.pixels, before)


def test_without_any_change_an_augmented_view_is_the_turned_one() -> None:
    view = augmented(shape_in((32, 32)), CLEAN, np.random.default_rng(11))
    expected = turned_view(shape_in((32, 32)), np.random.default_rng(11))
    assert np.array_equal(view.pixels, expected.pixels)


def test_every_change_can_be_seen_and_leaves_the_masks_alone() -> None:
    view = draw_view(record(0), 64, 1, exactly(3.0), np.random.default_rng(1))
    whole = TrainingView(view.pixels, view.masks, (64, 64))
    for name in CLEAN.__dataclass_fields__:
        colours = whole.pixels.copy()
        colours[..., 0] = 255 - colours[..., 0]
        settings = dict.fromkeys(CLEAN.__dataclass_fields__, 0.0) | {name: 1.0}
        changed = augmented(
            TrainingView(colours, whole.masks, (64, 64)), Augmentation(**settings), np.random.default_rng(2)
        )
        same = turned_view(TrainingView(colours, whole.masks, (64, 64)), np.random.default_rng(2))
        assert not np.array_equal(changed.pixels, same.pixels), name
        assert np.array_equal(changed.masks[0], same.masks[0]), name
        assert changed.pixels.dtype == np.uint8


# --- clicks and boxes of views --------------------------------------------------------------------------------------


def test_first_clicks_stay_on_the_object_after_zoom_turn_and_padding() -> None:
    rng = np.random.default_rng(12)
    for number in range(60):
        view = augmented(draw_view(record(number % 3), 64, 2, Zoom(), rng), Augmentation(), rng)
        for mask in view.masks:
            x, y = sampled_first_click(mask, rng)
            assert mask[int(y), int(x)] == 1
            x0, y0, x1, y1 = tight_box(mask)
            assert x0 <= x <= x1 < view.valid[0]
            assert y0 <= y <= y1 < view.valid[1]


def test_the_innermost_click_of_a_ring_is_not_in_its_hole() -> None:
    mask = np.ones((40, 40), np.uint8)
    mask[8:30, 8:30] = 0
    rng = np.random.default_rng(13)
    assert all(mask[int(y), int(x)] for x, y in (sampled_first_click(mask, rng) for _ in range(40)))


def test_an_object_of_one_pixel_is_clicked_on_it_and_boxed_by_it() -> None:
    mask = np.zeros((16, 16), np.uint8)
    mask[15, 0] = 1
    for seed in range(6):
        assert sampled_first_click(mask, np.random.default_rng(seed)) == (0.0, 15.0)
    assert tight_box(mask) == (0.0, 15.0, 0.0, 15.0)


def test_an_object_that_fills_the_window_is_clicked_away_from_the_edge() -> None:
    whole = np.ones((21, 21), bool)
    place = worst_place(np.zeros((21, 21), bool), whole.copy(), np.zeros((0, 2), np.int64), None)
    assert place == (10, 10, 1)
