"""Each change does what its name says, to pixels alone, and most samples stay clean."""

from dataclasses import fields

import numpy as np
import pytest

from samtta_app.train.data.augment import Augmentation, augmented
from samtta_app.train.data.crops import TrainingView

NONE = dict.fromkeys(Augmentation.__dataclass_fields__, 0.0)
SIZE = 64


def view(pixels: np.ndarray | None = None) -> TrainingView:
    """Something that looks the same however it is turned: a bright disc on a dark ground, and its mask."""
    rows, columns = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    mask = (np.hypot(rows, columns) < 20).astype(np.uint8)
    if pixels is None:
        pixels = np.where(mask[..., None] > 0, np.array([200, 120, 60]), np.array([40, 70, 100])).astype(np.uint8)
    return TrainingView(pixels, (mask,), (SIZE, SIZE))


def changed(name: str, seed: int = 0, pixels: np.ndarray | None = None) -> np.ndarray:
    """The view's pixels after this change alone."""
    return augmented(view(pixels), Augmentation(**NONE | {name: 1.0}), np.random.default_rng(seed)).pixels


@pytest.mark.parametrize("name", list(NONE))
def test_every_change_can_be_seen_now_and_then_and_never_touches_masks(name: str) -> None:
    plain, seen = view(), 0
    for seed in range(8):
        after = augmented(plain, Augmentation(**NONE | {name: 1.0}), np.random.default_rng(seed))
        assert after.pixels.shape == (SIZE, SIZE, 3)
        assert after.pixels.dtype == np.uint8
        assert np.array_equal(after.masks[0], plain.masks[0])
        seen += not np.array_equal(after.pixels, plain.pixels)
    assert seen >= 6


def test_the_same_seed_changes_in_the_same_way() -> None:
    for seed in range(6):
        one, other = (augmented(view(), Augmentation(), np.random.default_rng(seed)).pixels for _ in range(2))
        assert np.array_equal(one, other)


def test_what_files_and_cameras_spoil_is_the_smaller_part_of_all_samples() -> None:
    a = Augmentation()
    clean = np.prod([1 - getattr(a, name) for name in ("motion", "stripes", "salt", "depth", "jpeg", "mixing")])
    assert clean > 0.6
    assert all(0 <= getattr(a, field.name) <= 1 for field in fields(a))


def test_grey_has_three_equal_channels_and_false_colours_have_not() -> None:
    grey = changed("grey")
    assert np.array_equal(grey[..., 0], grey[..., 1])
    assert np.array_equal(grey[..., 0], grey[..., 2])
    both = Augmentation(**NONE | {"grey": 1.0, "mixing": 1.0})
    colours = augmented(view(), both, np.random.default_rng(0)).pixels
    assert not np.array_equal(colours[..., 0], colours[..., 1])
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == len(np.unique(grey.reshape(-1, 3), axis=0))


def test_mixed_channels_stay_within_the_old_ones() -> None:
    for seed in range(8):
        pixels = changed("mixing", seed)
        assert pixels.min() >= 39
        assert pixels.max() <= 201
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) == 2


def test_motion_blurs_along_one_line_and_keeps_the_light() -> None:
    line = np.zeros((SIZE, SIZE, 3), np.uint8)
    line[32, 32] = 255
    for seed in range(8):
        pixels = changed("motion", seed, line)
        rows, columns = np.nonzero(pixels[..., 0])
        assert 2 <= rows.size <= 10
        assert pixels[..., 0].sum() == pytest.approx(255, abs=rows.size)
        if rows.size > 2:  # in a row, whatever its direction
            offsets = np.stack([rows, columns], 1) - (rows.mean(), columns.mean())
            assert np.linalg.svd(offsets, compute_uv=False)[1] < 2


def test_stripes_shift_whole_rows_or_columns() -> None:
    flat = np.full((SIZE, SIZE, 3), 128, np.uint8)
    ways = set()
    for seed in range(10):
        pixels = changed("stripes", seed, flat)[..., 0].astype(int)
        ways.add((np.ptp(pixels, 1).max() == 0, np.ptp(pixels, 0).max() == 0))
    assert ways == {(True, False), (False, True)}


def test_salt_and_pepper_are_few_black_and_white_pixels() -> None:
    flat = np.full((SIZE, SIZE, 3), 128, np.uint8)
    for seed in range(6):
        pixels = changed("salt", seed, flat)
        spoilt = (pixels != 128).any(-1)
        assert 0 < spoilt.mean() < 0.04
        assert set(np.unique(pixels[spoilt])) <= {0, 255}
        assert np.ptp(pixels, axis=-1).max() == 0


def test_few_bits_leave_few_levels() -> None:
    ramp = np.repeat(np.tile(np.arange(SIZE, dtype=np.uint8) * 4, (SIZE, 1))[..., None], 3, axis=2)
    for seed in range(6):
        pixels = changed("depth", seed, ramp)
        assert len(np.unique(pixels)) in (8, 16, 32)
        assert np.abs(pixels.astype(int).mean() - ramp.mean()) < 4


def test_jpeg_keeps_the_picture_and_its_colours() -> None:
    for seed in range(6):
        pixels = changed("jpeg", seed)
        inside = view().masks[0] > 0
        assert np.abs(pixels[inside].mean(0) - [200, 120, 60]).max() < 16
        assert np.abs(pixels[~inside].mean(0) - [40, 70, 100]).max() < 16
        assert not np.array_equal(pixels, view().pixels)


def test_noise_never_drowns_the_picture() -> None:
    inside = view().masks[0] > 0
    for name in ("noise", "speckle"):
        for seed in range(40):
            pixels = changed(name, seed).astype(float)
            assert pixels[inside, 0].mean() - pixels[~inside, 0].mean() > 2 * pixels[~inside, 0].std()
