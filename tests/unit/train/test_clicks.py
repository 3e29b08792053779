"""Simulated clicks fall where a user would put them."""

import numpy as np
import torch

from samtta_app.train.clicks import Clicks, next_clicks, truths, worst_place

NOTHING = np.zeros((16, 16), dtype=bool)
NO_CLICKS = np.zeros((0, 2), dtype=np.int64)


def square(x: int, y: int, side: int) -> np.ndarray:
    mask = np.zeros((16, 16), dtype=bool)
    mask[y : y + side, x : x + side] = True
    return mask


def test_the_first_click_is_the_middle_of_the_object() -> None:
    assert worst_place(NOTHING, square(3, 5, 5), NO_CLICKS, None) == (5, 7, 1)


def test_the_larger_error_is_clicked_and_its_sign_is_right() -> None:
    x, y, label = worst_place(square(8, 8, 7), square(1, 1, 3), NO_CLICKS, None)
    assert label == 0
    assert (x, y) == (11, 11)


def test_a_perfect_mask_gets_no_click() -> None:
    assert worst_place(square(3, 5, 5), square(3, 5, 5), NO_CLICKS, None)[2] == -1


def test_no_place_is_clicked_twice() -> None:
    truth = square(3, 5, 5)
    taken = NO_CLICKS
    for _ in range(5):
        x, y, _label = worst_place(NOTHING.copy(), truth, taken, None)
        assert (x, y) not in {(a, b) for a, b in taken.tolist()}
        taken = np.concatenate([taken, [[x, y]]])


def test_a_random_click_lies_in_the_error_too() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = square(2, 2, 9), square(2, 2, 4)
    for _ in range(30):
        x, y, label = worst_place(predicted, truth, NO_CLICKS, rng)
        assert label == 1
        assert truth[y, x]
        assert not predicted[y, x]


def test_clicks_of_a_batch_are_in_input_pixels_and_within_the_clicked_cell() -> None:
    targets = torch.zeros(2, 16, 16)
    targets[0, 4:9, 4:9] = 1
    clicks = next_clicks(
        torch.full((2, 16, 16), -1.0), targets, Clicks.first(torch.zeros(2, 2)), np.random.default_rng(1)
    )
    assert clicks.coords.shape == (2, 1, 2)
    assert clicks.labels[:, 0].tolist() == [1.0, -1.0]  # the second target is empty: nothing to click
    assert (clicks.coords[0] >= 16).all()
    assert (clicks.coords[0] <= 35).all()


def test_a_thread_thinner_than_a_cell_still_has_a_truth() -> None:
    targets = torch.zeros(1, 8, 8)
    targets[0, 3] = 0.25
    assert truths(targets).sum() == 8
    assert truths(torch.ones(1, 8, 8)).all()
