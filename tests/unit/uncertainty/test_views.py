"""Five qualities of one picture: unchanged, two of JPEG, noisy, blurred."""

from __future__ import annotations

import numpy as np
import pytest

from samtta_app.uncertainty.augmented_views import versions
from tests.unit.values import picture


def test_there_are_five_of_the_same_shape_and_the_first_is_the_picture_itself() -> None:
    pixels = picture(0).pixels
    before = pixels.copy()
    found = versions(pixels)
    assert len(found) == 5
    assert found[0] is pixels
    assert np.array_equal(pixels, before)
    for other in found[1:]:
        assert other.shape == pixels.shape
        assert other.dtype == np.uint8
        assert not np.array_equal(other, pixels)


def test_a_lower_jpeg_quality_is_farther_from_the_picture() -> None:
    pixels = picture(0).pixels
    _, poor, better, *_ = (v.astype(float) for v in versions(pixels))
    assert np.abs(poor - pixels).mean() > np.abs(better - pixels).mean() > 1


def test_colours_stay_in_their_places() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[..., 0] = 200  # red
    for other in versions(pixels)[1:3]:
        assert np.abs(other.astype(int) - pixels).max() <= 12


def test_the_noise_has_the_variance_that_it_says_and_repeats() -> None:
    pixels = np.full((200, 200, 3), 127, np.uint8)
    noise = versions(pixels)[3].astype(float) - 127
    # clipped at 127 / 70.7 = 1.8 deviations: the variance of a standard normal clipped at 1.8 is .885
    assert noise.var() == pytest.approx(0.885 * 5000, rel=0.03)
    assert abs(noise.mean()) < 1
    assert np.array_equal(versions(pixels)[3], versions(pixels)[3])
    assert not np.array_equal(versions(pixels, seed=1)[3], versions(pixels)[3])


def test_the_blur_spreads_a_point_over_five_pixels() -> None:
    pixels = np.zeros((21, 21, 3), np.uint8)
    pixels[10, 10] = 255
    blurred = versions(pixels)[4][..., 0]
    rows, columns = np.nonzero(blurred)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 12, 8, 12)
    assert blurred[10, 10] == blurred.max() < 60


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 400, 3), (32, 32, 3)])
def test_small_and_narrow_pictures_have_versions(shape: tuple[int, int, int]) -> None:
    assert all(v.shape == shape for v in versions(np.zeros(shape, np.uint8)))
