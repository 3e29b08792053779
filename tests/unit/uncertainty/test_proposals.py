"""What a model proposes by itself: sure and stable answers, each object once, none that a window cuts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.core.metrics import iou
from samtta_app.core.types import Box, Click, Image, Mask, Prompt, Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.predictor import ImageFeatures, chosen, decode_prompt
from samtta_app.model.proposals import (
    PLACES,
    PROPOSAL_BATCH,
    Guess,
    Limits,
    cells,
    certainty,
    distinct_proposals,
    grid_of_clicks,
    guesses,
    windows,
)
from samtta_app.model.refiner import of_tensors, refined, refinement_difference, untrained
from samtta_app.train.decoder.decoder_samples import encode_window
from tests.unit.uncertainty.refining import moved
from tests.unit.values import disc, picture

LIMITS = Limits(sure=0.7, stable=0.6, smallest=0.002, largest=0.95)
DISCS = ((20, 30, 10), (70, 30, 12))


@pytest.fixture(scope="module")
def model() -> SamModel:
    """The shipped model, asked at 128 pixels: it finds bright discs."""
    return load_model(device="cpu", input_size=128)


@pytest.fixture(scope="module")
def image() -> Image:
    """Two discs in an image of 96 x 64."""
    return picture(1, 64, 96, DISCS)


@pytest.fixture(scope="module")
def features(model: SamModel, image: Image) -> ImageFeatures:
    return encode_window(model, image, image.whole)


# --- limits ---------------------------------------------------------------------------------------------------------


def logits(inner: int, between: int, outer: int) -> torch.Tensor:
    """Logits (4, 5): so many of 2, of .5 and of -.5, the rest -3."""
    values = torch.full((20,), -3.0)
    values[:inner], values[inner : inner + between] = 2.0, 0.5
    values[inner + between : inner + between + outer] = -0.5
    return values.reshape(4, 5)


@pytest.mark.parametrize(
    ("given", "predicted", "allowed"),
    [
        (logits(8, 1, 1), 0.8, True),  # stability 8 / 10, size 9 / 20
        (logits(8, 1, 1), 0.79, False),
        (logits(7, 2, 1), 0.9, False),  # stability 7 / 10
        (logits(10, 0, 0), 0.9, True),  # size 10 / 20
        (logits(11, 0, 0), 0.9, False),
        (logits(2, 0, 0), 0.9, True),  # size 2 / 20
        (logits(1, 0, 0), 0.9, False),
        (logits(0, 0, 0), 0.9, False),
        (logits(8, 1, 1), float("nan"), False),
        (torch.full((4, 5), float("nan")), 0.9, False),
    ],
)
def test_an_answer_must_be_sure_stable_and_of_a_plausible_size(
    given: torch.Tensor, predicted: float, allowed: bool
) -> None:
    assert Limits(sure=0.8, stable=0.8, smallest=0.1, largest=0.5).allow(given, predicted) is allowed


def test_cells_are_those_that_show_the_window() -> None:
    model = toy_model()
    whole = encode_window(model, picture(0, 30, 64), Window(0, 0, 64, 30))
    assert (model.size, model.grid) == (64, 16)
    assert cells(model, whole) == (8, 16)  # 30 rows of 64: the eighth row of cells shows two of its four


# --- answers --------------------------------------------------------------------------------------------------------


def test_clicks_on_discs_give_the_discs_and_clicks_beside_them_nothing(
    model: SamModel, features: ImageFeatures
) -> None:
    asked = [Click(20, 30, True), Click(45, 8, True), Click(70, 30, True)]
    found = guesses(model, model.frozen.tensors, features, asked, LIMITS)
    assert [guess.click for guess in found] == [asked[0], asked[2]]
    for guess, (x, y, radius) in zip(found, DISCS, strict=True):
        assert iou(guess.mask, disc(x, y, radius, 64, 96)) > 0.85
        assert guess.iou >= 0.7


def test_many_clicks_at_once_are_answered_as_each_by_itself(model: SamModel, features: ImageFeatures) -> None:
    asked = grid_of_clicks(features.window)
    assert len(asked) > PROPOSAL_BATCH
    everything = Limits(0.0, 0.0, 0.0, 1.0)
    found = guesses(model, model.frozen.tensors, features, asked, everything)
    assert [guess.click for guess in found] == asked
    for i in (0, PROPOSAL_BATCH - 1, PROPOSAL_BATCH, len(asked) - 1):
        prompt = Prompt((asked[i],))
        with torch.no_grad():
            alone = decode_prompt(model, model.frozen.tensors, features, prompt)
        best = chosen(alone, prompt)
        torch.testing.assert_close(found[i].logits, alone.logits[best], rtol=1e-3, atol=1e-3)
        assert found[i].iou == pytest.approx(float(alone.iou[best]), abs=1e-4)


def test_padding_does_not_count(model: SamModel) -> None:
    """Of an image whose lower half is padding, a disc of 15 % is one of 15 %, not of 7.5."""
    image = picture(0, 64, 128, ((60, 32, 20),))
    seen = encode_window(model, image, image.whole)
    asked = [Click(60, 32, True)]
    share = disc(60, 32, 20, 64, 128).area / (64 * 128)
    assert guesses(model, model.frozen.tensors, seen, asked, replace(LIMITS, smallest=0.8 * share))
    assert not guesses(model, model.frozen.tensors, seen, asked, replace(LIMITS, largest=0.8 * share))


def test_no_clicks_no_guesses(model: SamModel, features: ImageFeatures) -> None:
    assert guesses(model, model.frozen.tensors, features, [], LIMITS) == []


# --- certainty ------------------------------------------------------------------------------------------------------


def test_certainty_is_what_the_refiner_does_not_change(model: SamModel, features: ImageFeatures) -> None:
    refiner = moved(model)
    (guess,) = guesses(model, model.frozen.tensors, features, [Click(20, 30, True)], LIMITS)
    got = certainty(model, refiner, features, guess)
    x0, y0 = guess.mask.x, guess.mask.y
    box = Box(x0, y0, x0 + guess.mask.bits.shape[1] - 1, y0 + guess.mask.bits.shape[0] - 1)
    with torch.no_grad():
        other, _ = refined(model, refiner, features, Prompt((guess.click,)), guess.logits, box)
    assert got is not None
    assert torch.equal(got, 1 - refinement_difference(guess.logits, other))
    assert 0 <= float(got.min()) < float(got.max()) <= 1


def test_a_refiner_without_a_finite_answer_makes_nothing_certain(model: SamModel, features: ImageFeatures) -> None:
    broken = of_tensors({name: t * float("nan") for name, t in untrained(model).tensors.items()}, {})
    (guess,) = guesses(model, model.frozen.tensors, features, [Click(20, 30, True)], LIMITS)
    assert certainty(model, broken, features, guess) is None


# --- a whole image --------------------------------------------------------------------------------------------------


def test_clicks_lie_in_the_middle_of_equal_parts_of_the_window() -> None:
    got = grid_of_clicks(Window(10, 20, 16, 8))
    assert len(got) == PLACES**2 == 64
    assert got[0] == Click(10.5, 20.0, True)  # parts of 2 x 1 pixels: columns 10 and 11, row 20
    assert got[1] == Click(12.5, 20.0, True)
    assert got[8] == Click(10.5, 21.0, True)
    assert got[-1] == Click(24.5, 27.0, True)


def test_an_image_is_seen_whole_and_in_four_windows_that_overlap_and_leave_nothing_out() -> None:
    whole, *near = windows(picture(0, 100, 200))
    assert whole == Window(0, 0, 200, 100)
    assert near == [Window(0, 0, 120, 60), Window(80, 0, 120, 60), Window(0, 40, 120, 60), Window(80, 40, 120, 60)]
    seen = np.zeros((100, 200), int)
    for window in near:
        seen[window.y : window.y + window.height, window.x : window.x + window.width] += 1
    assert seen.min() == 1


def test_a_small_image_is_seen_whole_only() -> None:
    assert windows(picture(0, 64, 96)) == [Window(0, 0, 96, 64)]
    assert len(windows(picture(0, 64, 107))) == 5  # six tenths are 64 pixels


def guess(x: int, y: int, width: int, height: int, predicted: float) -> Guess:
    """A rectangle as an answer."""
    mask = Mask(x, y, np.ones((height, width), np.bool_))
    return Guess(Click(x, y, True), torch.zeros(4, 4), predicted, mask)


WHOLE = Window(0, 0, 100, 80)


def test_of_guesses_that_are_alike_the_surest_stays_and_the_surest_come_first() -> None:
    given = [
        guess(10, 10, 10, 10, 0.8),
        guess(10, 10, 10, 8, 0.9),  # IoU .8 with the first
        guess(10, 10, 10, 6, 0.85),  # IoU .75 with the second, .6 with the first
        guess(50, 50, 10, 10, 0.95),
        guess(50, 50, 10, 7, 0.7),  # IoU .7 is not above .7
    ]
    got = distinct_proposals(given, WHOLE, WHOLE, 1.0)
    assert [found.iou for found, _ in got] == [0.95, 0.9, 0.7]
    assert got[1][1] == Box(10, 10, 19, 17)


def test_an_empty_guess_is_none() -> None:
    empty = replace(guess(10, 10, 1, 1, 0.9), mask=Mask(10, 10, np.zeros((1, 1), np.bool_)))
    assert distinct_proposals([empty], WHOLE, WHOLE, 1.0) == []
    assert len(distinct_proposals([empty, guess(5, 5, 4, 4, 0.8)], WHOLE, WHOLE, 1.0)) == 1


@pytest.mark.parametrize(
    ("window", "kept"),
    [
        (Window(0, 0, 60, 60), [True, False, False, True]),
        (Window(40, 20, 60, 60), [False, True, True, True]),
        (WHOLE, [True, True, True, True]),
    ],
)
def test_what_a_window_cuts_is_left_out_unless_the_image_ends_there(window: Window, kept: list[bool]) -> None:
    """One at the image's upper left, one at its lower right, one at the lower edge of the first window, one inside both."""
    given = [guess(0, 0, 42, 22, 0.9), guess(58, 50, 42, 30, 0.8), guess(46, 58, 8, 10, 0.7), guess(46, 30, 8, 10, 0.6)]
    got = [found for found, _ in distinct_proposals(given, window, WHOLE, 2.0)]
    assert [any(found is one for found in got) for one in given] == kept


def test_within_a_cell_of_the_windows_edge_counts_as_cut() -> None:
    window = Window(20, 20, 40, 40)
    at = [guess(22, 30, 5, 5, 0.9), guess(21, 30, 5, 5, 0.8), guess(53, 40, 5, 5, 0.7), guess(54, 50, 5, 5, 0.6)]
    assert [found.iou for found, _ in distinct_proposals(at, window, WHOLE, 2.0)] == [0.9, 0.7]
