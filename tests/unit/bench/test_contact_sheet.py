"""The picture of a simulated session shows each object's image, truth, mask and uncertainty, in the order of the session."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.types import Candidate, Image, Logits, Mask, Window
from samtta_app.simulation.contact_sheet import GAP, HEADS, LINE, PER_COLUMN, SHEET_TILE, contact_sheet, strip

WIDE = len(HEADS) * (SHEET_TILE + GAP) - GAP


def image(height: int = 200, width: int = 300) -> Image:
    pixels = np.full((height, width, 3), 200, np.uint8)
    return Image("key", Path("a.png"), pixels, pixels)


def candidate(mask: Mask, window: Window, entropy: np.ndarray) -> Candidate:
    return Candidate(mask, Logits(window, np.zeros_like(entropy)), 0.9, entropy, 0.1)


def square(x: int, y: int, side: int) -> Mask:
    return Mask(x, y, np.ones((side, side), np.bool_))


def tiles(found: np.ndarray) -> list[np.ndarray]:
    """The four tiles of a strip."""
    return [
        found[LINE:, k * (SHEET_TILE + GAP) : k * (SHEET_TILE + GAP) + SHEET_TILE].astype(int)
        for k in range(len(HEADS))
    ]


def drawn(truth: Mask, mask: Mask, window: Window, entropy: np.ndarray, of: Image | None = None) -> list[np.ndarray]:
    found = strip(of or image(), truth, candidate(mask, window, entropy), "a caption")
    assert found.shape == (LINE + SHEET_TILE, WIDE, 3)
    assert found[:LINE].min() < 128, "the caption can be read"
    return tiles(found)


def test_truth_and_mask_are_bright_where_they_are_and_the_image_is_as_it_is() -> None:
    truth, mask = square(100, 60, 40), square(100, 60, 20)
    shown, true, accepted, _ = drawn(truth, mask, Window(0, 0, 300, 200), np.zeros((64, 64), np.float32))
    assert (shown == 200).all()
    bright = [np.count_nonzero(tile[..., 0] == 200) / SHEET_TILE**2 for tile in (true, accepted)]
    assert bright[0] == pytest.approx((40 / 100) ** 2, abs=0.02)
    assert bright[1] == pytest.approx((20 / 100) ** 2, abs=0.02)
    assert true[SHEET_TILE // 2, SHEET_TILE // 2, 0] == 200
    assert true[2, 2, 0] == 60


def test_the_map_lies_where_the_answer_is_unsure_whatever_window_it_came_from() -> None:
    truth = square(100, 60, 40)
    window = Window(90, 50, 80, 60)  # padded to 80 x 80 below
    entropy = np.zeros((8, 8), np.float32)
    entropy[3, 3] = 1.0  # image x 120 .. 130, y 80 .. 90: the middle of the object
    unsure = drawn(truth, truth, window, entropy)[3]
    row, column = np.unravel_index(unsure.sum(axis=-1).argmax(), (SHEET_TILE, SHEET_TILE))
    assert abs(row - SHEET_TILE * 0.55) < 6
    assert abs(column - SHEET_TILE * 0.55) < 6
    assert unsure[2, 2].tolist() == unsure[-2, -2].tolist(), "sure where the answer's window does not reach"
    assert unsure.sum(axis=-1).max() > 2 * unsure[2, 2].sum()


def test_values_that_are_not_numbers_count_as_sure() -> None:
    truth = square(100, 60, 40)
    broken = np.full((8, 8), np.nan, np.float32)
    sure = np.zeros((8, 8), np.float32)
    window = Window(0, 0, 300, 200)
    assert np.array_equal(drawn(truth, truth, window, broken)[3], drawn(truth, truth, window, sure)[3])


@pytest.mark.parametrize(("height", "width"), [(9, 400), (400, 9), (1, 1), (64, 64)])
def test_an_image_of_any_shape_is_fitted_into_its_tile(height: int, width: int) -> None:
    shown, *_ = drawn(
        square(0, 0, 1),
        square(0, 0, 1),
        Window(0, 0, width, height),
        np.zeros((4, 4), np.float32),
        image(height, width),
    )
    assert (shown == 200).any()
    assert set(np.unique(shown)) <= {200, 255}


def test_an_empty_mask_and_an_empty_truth_are_drawn_dark() -> None:
    nothing = Mask(0, 0, np.zeros((1, 1), np.bool_))
    _, true, accepted, _ = drawn(nothing, nothing, Window(0, 0, 300, 200), np.zeros((4, 4), np.float32))
    assert set(np.unique(true)) <= {60, 255}
    assert np.array_equal(true, accepted)


def test_a_caption_that_is_too_long_or_in_other_letters_changes_no_size() -> None:
    answer = candidate(square(0, 0, 9), Window(0, 0, 300, 200), np.zeros((4, 4), np.float32))
    for words in ("x" * 500, "клетка 細胞 · é", ""):
        assert strip(image(), square(0, 0, 9), answer, words).shape == (LINE + SHEET_TILE, WIDE, 3)


@pytest.mark.parametrize(("objects", "columns"), [(1, 1), (PER_COLUMN, 1), (PER_COLUMN + 1, 2), (30, 3)])
def test_objects_stand_below_each_other_in_columns_in_their_order(objects: int, columns: int) -> None:
    strips = [np.full((LINE + SHEET_TILE, WIDE, 3), number, np.uint8) for number in range(objects)]
    sheet = contact_sheet(strips)
    assert sheet.shape[1] == columns * (WIDE + GAP) - GAP
    assert sheet.shape[0] == LINE + min(objects, PER_COLUMN) * (LINE + SHEET_TILE)
    for number in range(objects):
        column, row = divmod(number, PER_COLUMN)
        assert sheet[LINE + row * (LINE + SHEET_TILE) + 5, column * (WIDE + GAP) + 5, 0] == number
