"""Simulated clicks fall where a user would put them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from samtta_app.train.data.click_sampling import Clicks, next_clicks, on_host, packed_bits, truths, worst_place

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


def test_the_truth_of_booleans_is_themselves() -> None:
    targets = torch.rand(3, 16, 16)
    assert torch.equal(truths(truths(targets)), truths(targets))


# --- batches --------------------------------------------------------------------------------------------------------


def some_batch(masks: int) -> tuple[torch.Tensor, torch.Tensor, Clicks]:
    numbers = torch.Generator().manual_seed(masks)
    logits = torch.randn(masks, 32, 32, generator=numbers)
    targets = torch.zeros(masks, 32, 32)
    for i in range(masks):
        targets[i, i % 20 : i % 20 + 9, 5:17] = 1
    return logits, targets, Clicks.first(torch.rand(masks, 2, generator=numbers) * 127)


@pytest.mark.parametrize("masks", [1, 5, 8, 41])
def test_threads_find_the_same_clicks_as_one(masks: int) -> None:
    logits, targets, so_far = some_batch(masks)
    alone = next_clicks(logits, targets, so_far, np.random.default_rng(3))
    with ThreadPoolExecutor(4) as pool:
        together = next_clicks(logits, targets, so_far, np.random.default_rng(3), pool)
    assert torch.equal(alone.coords, together.coords)
    assert torch.equal(alone.labels, together.labels)
    assert alone.coords.shape == (masks, 1, 2)


def test_each_mask_of_a_batch_gets_the_click_that_it_gets_alone() -> None:
    logits, targets, so_far = some_batch(12)
    batch = next_clicks(logits, targets, so_far, np.random.default_rng(5))
    chances = np.random.default_rng(5).random((12, 2))

    class Given:
        """Numbers that were drawn before, in place of a generator."""

        def __init__(self, row: int) -> None:
            self.row = row

        def random(self, count: int) -> np.ndarray:
            return chances[self.row, :count]

    for row in range(12):
        taken = (so_far.coords[row] / 4).floor().long().numpy()
        place = worst_place((logits[row] > 0).numpy(), targets[row].numpy() > 0, taken, Given(row))  # type: ignore[arg-type]
        assert tuple((batch.coords[row, 0] / 4).floor().long().tolist()) == place[:2]
        assert batch.labels[row, 0].item() == place[2]


def test_truths_at_hand_give_the_same_clicks_as_targets() -> None:
    logits, targets, so_far = some_batch(6)
    of_targets = next_clicks(logits, targets, so_far, np.random.default_rng(1))
    of_truths = next_clicks(logits, truths(targets), so_far, np.random.default_rng(1))
    assert torch.equal(of_targets.coords, of_truths.coords)


def test_two_clicks_in_five_fall_anywhere_in_the_error() -> None:
    targets = torch.zeros(600, 16, 16)
    targets[:, 3:10, 3:10] = 1
    clicks = next_clicks(
        torch.full((600, 16, 16), -1.0), targets, Clicks.none(600, targets.device), np.random.default_rng(0)
    )
    cells = (clicks.coords[:, 0] / 4).floor()
    middle = (cells == 6).all(1).float().mean().item()
    assert middle == pytest.approx(0.6 + 0.4 / 49, abs=0.06)
    assert cells.unique(dim=0).shape[0] > 40


@pytest.mark.parametrize("shape", [(1, 8, 8), (5, 16, 32), (0, 8, 8)])
def test_packed_booleans_are_an_eighth_and_come_back(shape: tuple[int, int, int]) -> None:
    bits = torch.rand(shape, generator=torch.Generator().manual_seed(0)) > 0.5
    small = packed_bits(bits)
    assert small.dtype == torch.uint8
    assert small.shape == (shape[0], shape[1], shape[2] // 8)
    assert np.array_equal(np.unpackbits(small.numpy(), axis=-1).view(np.bool_), bits.numpy())
    assert np.array_equal(on_host(bits), bits.numpy())
