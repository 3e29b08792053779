"""The losses reward the right masks."""

import pytest
import torch

from samtta_app.model.backbones.compact import DecoderOutput
from samtta_app.model.losses import normalised_focal, soft_dice
from samtta_app.train.compact.round_loss import hard_iou, obedience, round_loss
from samtta_app.train.data.click_sampling import Clicks

TARGET = torch.zeros(1, 16, 16)
TARGET[:, 4:12, 4:12] = 1
RIGHT = (TARGET * 20 - 10)[:, None]


def output(*masks: torch.Tensor, iou: float = 0.5) -> DecoderOutput:
    stacked = torch.cat(masks, dim=1)
    return DecoderOutput(stacked, torch.full(stacked.shape[:2], iou), torch.zeros(1, 5, 8))


def test_the_right_mask_costs_nothing_and_the_opposite_much() -> None:
    for loss in (normalised_focal, soft_dice):
        assert loss(RIGHT, TARGET[:, None]).item() < 0.01
        assert loss(-RIGHT, TARGET[:, None]).item() > 0.5


def test_a_small_object_weighs_as_much_as_a_large_one() -> None:
    small = torch.zeros(1, 1, 64, 64)
    small[..., 30:34, 30:34] = 1
    missed = normalised_focal(torch.full_like(small, -4.0), small)
    assert missed.item() > 1  # averaged over pixels it would be 0.02: the reason why masks emptied


def test_iou_counts_thresholded_cells() -> None:
    shifted = torch.roll(RIGHT, 4, dims=-1)
    assert hard_iou(RIGHT, TARGET).item() == 1
    assert hard_iou(shifted, TARGET).item() == pytest.approx(32 / 96)


def test_at_the_first_prompt_one_right_candidate_is_enough() -> None:
    one = round_loss(
        output(RIGHT, -RIGHT, RIGHT, -RIGHT, iou=1.0), TARGET, Clicks.none(1, TARGET.device), 64, first=True
    )
    none = round_loss(
        output(RIGHT, -RIGHT, -RIGHT, -RIGHT, iou=1.0), TARGET, Clicks.none(1, TARGET.device), 64, first=True
    )
    assert one.item() + 0.5 < none.item()


def test_later_the_single_mask_counts_most() -> None:
    clicks = Clicks.none(1, TARGET.device)
    single = round_loss(output(RIGHT, -RIGHT, -RIGHT, -RIGHT), TARGET, clicks, 64, first=False)
    candidate = round_loss(output(-RIGHT, RIGHT, RIGHT, RIGHT), TARGET, clicks, 64, first=False)
    assert single < candidate


def test_predicted_iou_is_drawn_to_the_true_one() -> None:
    clicks = Clicks.none(1, TARGET.device)
    right = round_loss(output(*[RIGHT] * 4, iou=1.0), TARGET, clicks, 64, first=False)
    wrong = round_loss(output(*[RIGHT] * 4, iou=0.0), TARGET, clicks, 64, first=False)
    assert wrong.item() - right.item() == pytest.approx(1, abs=1e-4)


def test_a_disobeyed_click_costs_and_a_padding_click_does_not() -> None:
    inside = torch.tensor([[[32.0, 32.0]]])
    assert obedience(RIGHT[:, 0], Clicks(inside, torch.ones(1, 1)), 64).item() < 0.01
    assert obedience(RIGHT[:, 0], Clicks(inside, torch.zeros(1, 1)), 64).item() > 5
    assert obedience(RIGHT[:, 0], Clicks(inside, -torch.ones(1, 1)), 64).item() == 0
