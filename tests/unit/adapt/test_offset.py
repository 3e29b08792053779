"""The fast weight: an error shown by a later click moves the threshold, everything else leaves it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samtta_app.adapt.strategies.default import Samtta
from samtta_app.adapt.strategy import Knowledge
from samtta_app.adapt.threshold import MAX_OFFSET, OFFSET_FROM, RATE, logit_at, offset
from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer
from samtta_app.core.types import Click, Logits, Prompt, Window
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.model_registry import toy_model
from samtta_app.model.threshold_shift import MOVED_REACH, logits_at, shifted
from tests.unit.adapt.test_guard import ended
from tests.unit.values import picture

WINDOW = Window(10, 20, 40, 40)
"""Four cells of ten pixels; the middles of the cells of a row lie at x = 14.5, 24.5, 34.5, 44.5."""


def logits(values: float | np.ndarray) -> Logits:
    return Logits(WINDOW, np.broadcast_to(np.asarray(values, np.float32), (4, 4)).copy())


def prompt(*signs: bool, at: tuple[float, float] = (30, 40), values: float | np.ndarray = -2.0) -> Prompt:
    return Prompt(tuple(Click(*at, sign) for sign in signs), None, logits(values))


def test_a_logit_is_read_between_the_cells_and_at_the_frame_as_at_the_nearest() -> None:
    columns = np.array([[0.0, 1.0, 2.0, 3.0]])
    assert logit_at(logits(columns), Click(24.5, 30, True)) == pytest.approx(1.0)
    assert logit_at(logits(columns), Click(29.5, 30, True)) == pytest.approx(1.5)
    assert logit_at(logits(columns), Click(10, 30, True)) == pytest.approx(0.0)
    assert logit_at(logits(columns), Click(49, 30, True)) == pytest.approx(3.0)
    assert logit_at(logits(columns.T), Click(30, 44.5, True)) == pytest.approx(2.0)
    assert logit_at(logits(columns), Click(51, 30, True)) is None


def test_a_later_include_click_on_background_raises_all_logits_by_half_of_its_error() -> None:
    assert RATE == 0.5
    assert offset(prompt(True, True, False, True)) == pytest.approx(1.0)


def test_a_later_exclude_click_on_the_object_lowers_them() -> None:
    assert offset(prompt(True, True, True, False, values=3.0)) == pytest.approx(-1.5)


@pytest.mark.parametrize(("values", "sign"), [(2.0, True), (-2.0, False)])
def test_a_click_that_confirms_the_mask_moves_nothing(values: float, sign: bool) -> None:
    assert offset(prompt(True, True, True, sign, values=values)) == 0.0


def test_the_first_clicks_move_nothing() -> None:
    for clicks in range(1, OFFSET_FROM):
        assert offset(prompt(*[True] * clicks)) == 0.0
    assert offset(prompt(*[True] * OFFSET_FROM)) > 0


@pytest.mark.parametrize("clicks", [OFFSET_FROM + 1, 2 * OFFSET_FROM, 20])
def test_every_later_click_moves_them_by_less(clicks: int) -> None:
    first, later = offset(prompt(*[True] * OFFSET_FROM)), offset(prompt(*[True] * clicks))
    assert later == pytest.approx(first * OFFSET_FROM / clicks)


@pytest.mark.parametrize(("values", "expected"), [(-100.0, MAX_OFFSET), (100.0, -MAX_OFFSET)])
def test_one_click_moves_only_so_much(values: float, expected: float) -> None:
    assert offset(prompt(True, True, True, values < 0, values=values)) == expected


def test_without_an_answer_before_or_outside_its_window_nothing_moves() -> None:
    assert offset(Prompt(tuple([Click(30, 40, True)] * 5))) == 0.0
    assert offset(prompt(True, True, True, True, at=(5, 5))) == 0.0


def test_errors_of_both_signs_cancel() -> None:
    include, exclude = offset(prompt(True, True, True, True)), offset(prompt(True, True, True, False, values=2.0))
    assert include + exclude == 0.0


def test_ours_moves_the_threshold_and_the_ablation_does_not() -> None:
    model = toy_model()
    known = Knowledge(model.frozen.tensors)
    for strategy, expected in ((Samtta(), 1.0), (Samtta(fits=False), 0.0)):
        _, fitted = ended(strategy.before_answer(model, known, None, prompt(True, True, True, True)))
        assert fitted.offset == pytest.approx(expected)
        assert fitted.tensors is known.tensors


def test_the_answer_carries_the_offset_and_the_twin_does_not() -> None:
    engine = Engine(toy_model())
    image = picture(1, discs=((60, 50, 18),))
    before = Logits(image.whole, np.full((16, 16), -2.0, np.float32))
    asked = Prompt(tuple(Click(x, 50.0, True) for x in (58.0, 60.0, 62.0, 64.0)), None, before)
    found = [run(engine, PredictRequest(k, image, asked, image.whole, twin=k == 1)) for k in (0, 1)]
    ours, theirs = (one.candidates[0].logits for one in found if isinstance(one, Answer))
    assert ours.window == theirs.window
    moved = ours.values - theirs.values
    assert moved[6, 7] > 0.5  # the cell of the newest click
    assert 0 <= moved[15, 15] < moved[6, 7] / 2


def test_the_threshold_moves_at_the_click_and_fades_with_the_distance() -> None:
    values = torch.full((2, 32, 32), -2.0)
    values[1, 10:20, 10:20] = 3.0
    asked = Prompt(tuple(Click(40, 40, True) for _ in range(4)))
    moved = shifted(values, 1.0, asked, Window(0, 0, 128, 128)) - values
    assert moved[:, 9:11, 9:11].min() > 0.9
    assert moved[0, 31, 31] < 0.01
    across = moved[0, 10, 10:]
    assert bool((across[1:] <= across[:-1]).all())
    wide = torch.full((1, 32, 32), 3.0)  # a larger mask is moved further from the click
    lowered = wide - shifted(wide, -1.0, asked, Window(0, 0, 128, 128))
    far = 10 + round(MOVED_REACH * 32)  # one standard deviation from the click, which is in cell 9.6
    assert lowered[0, 10, far].item() == pytest.approx(np.exp(-0.5), abs=0.05)
    assert lowered[0, 10, far] > 1.3 * moved[0, 10, far]


def test_an_earlier_click_keeps_half_of_its_logit() -> None:
    values = torch.full((1, 32, 32), 1.0)
    asked = Prompt((Click(44, 40, True), Click(40, 40, False)))
    moved = shifted(values, -3.0, asked, Window(0, 0, 128, 128))
    assert logits_at(moved, [(44, 40)], Window(0, 0, 128, 128)).item() == pytest.approx(0.5, abs=0.02)
