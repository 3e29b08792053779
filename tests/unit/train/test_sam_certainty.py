"""SAM's recipe on masks that are not all believed: the loss by hand, and clicks where something is certain."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from samtta_app.model.model_registry import toy_model
from samtta_app.train.decoder.decoder_recipe import (
    Round,
    Targets,
    error_clicks,
    first_prompts,
    interactive_rounds,
    sam_loss,
)
from samtta_app.train.decoder.decoder_samples import encode_window
from tests.unit.values import picture

LN2 = math.log(2)


def square(certainty: float | None = None) -> Targets:
    """A square of 6 x 5 cells on a grid of 16 x 16, all of it as certain as said."""
    masks = torch.zeros(1, 16, 16)
    masks[0, 2:8, 3:8] = 1
    believed = None if certainty is None else torch.full_like(masks, certainty)
    return Targets(masks, torch.tensor([[12.0, 8, 31, 31]]), believed)


def rounds(targets: Targets, seed: int) -> list[Round]:
    model, image = toy_model(), picture(0, 64, 64, ((20, 20, 10),))
    features = encode_window(model, image, image.whole)
    with torch.no_grad():
        return list(interactive_rounds(model, model.frozen.tensors, features, targets, np.random.default_rng(seed)))


# --- the loss -------------------------------------------------------------------------------------------------------


def test_the_loss_by_hand() -> None:
    wanted, believed = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]]), torch.tensor([[[1.0, 0.5], [0.0, 0.7]]])
    got = sam_loss(torch.zeros(1, 1, 2, 2), torch.tensor([[0.3]]), wanted, believed)
    focal = LN2 / 4 * (1.0 * 0.25 + 0.5 * 0.75 + 0.0 * 0.75 + 0.7 * 0.75) / 4
    dice = 1 - (2 * 0.5 + 1) / (0.5 + 1 + 0.5 + 1)  # two pixels above .6, p = .5 in both, the first is object
    assert got.item() == pytest.approx(20 * focal + dice + 0.3**2)


def test_believed_in_every_pixel_it_is_sams_own() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, iou = torch.randn(3, 3, 6, 5, generator=generator), torch.rand(3, 3, generator=generator)
    wanted = (torch.rand(3, 6, 5, generator=generator) > 0.5).float()
    got = sam_loss(logits, iou, wanted, torch.ones(3, 6, 5))
    assert got.item() == pytest.approx(sam_loss(logits, iou, wanted).item(), rel=1e-5)


def test_pixels_without_certainty_pull_at_no_mask() -> None:
    logits = torch.zeros(1, 1, 2, 4, requires_grad=True)
    wanted, believed = torch.ones(1, 2, 4), torch.ones(1, 2, 4)
    believed[0, :, 2:] = 0
    sam_loss(logits, torch.full((1, 1), 0.5), wanted, believed).backward()
    assert (logits.grad[0, 0, :, :2] != 0).all()
    assert (logits.grad[0, 0, :, 2:] == 0).all()


def test_each_object_has_a_certainty_of_its_own() -> None:
    logits, wanted = torch.zeros(2, 1, 4, 4, requires_grad=True), torch.ones(2, 4, 4)
    believed = torch.stack([torch.zeros(4, 4), torch.ones(4, 4)])
    sam_loss(logits, torch.zeros(2, 1), wanted, believed).backward()
    assert logits.grad[0].abs().sum() == 0
    assert logits.grad[1].abs().sum() > 0


# --- clicks ---------------------------------------------------------------------------------------------------------


def first_cells(targets: Targets, count: int) -> list[tuple[int, int]]:
    """Columns and rows of the first points of many seeds."""
    found = []
    for seed in range(count):
        clicks = first_prompts(targets, 64, np.random.default_rng(seed)).clicks
        if clicks.labels.shape[1]:
            assert clicks.labels.tolist() == [[1]]
            found.append(tuple(int(v) for v in ((clicks.coords[0, 0] + 0.5) // 4).tolist()))
    return found


def test_first_points_are_drawn_by_certainty() -> None:
    """Of two cells of an object, one three times as certain as the other; a third is not certain at all."""
    masks, believed = torch.zeros(1, 16, 16), torch.full((1, 16, 16), 0.9)
    masks[0, 4, 5:8] = 1
    believed[0, 4, 5:8] = torch.tensor([0.75, 0.25, 0.0])
    found = first_cells(Targets(masks, torch.zeros(1, 4), believed), 800)
    assert set(found) == {(5, 4), (6, 4)}
    assert found.count((5, 4)) / len(found) == pytest.approx(0.75, abs=0.06)


def test_error_clicks_lie_where_the_error_is_certain() -> None:
    targets = square(0.0)
    assert targets.certainty is not None
    targets.certainty[0, 2, 3], targets.certainty[0, 0, 0], targets.certainty[0, 12, 12] = 0.2, 0.4, 1.0
    shown = torch.full((1, 16, 16), -1.0)
    shown[0, 0, 0] = 1.0  # missed: the square, certain in one cell; too much: one cell; (12, 12) is right
    seen = {}
    for seed in range(300):
        clicks = error_clicks(shown, targets, np.random.default_rng(seed))
        x, y = ((clicks.coords[0, 0] + 0.5) // 4).int().tolist()
        seen[x, y, int(clicks.labels[0, 0])] = seen.get((x, y, int(clicks.labels[0, 0])), 0) + 1
    assert seen.keys() == {(3, 2, 1), (0, 0, 0)}
    assert seen[0, 0, 0] / 300 == pytest.approx(2 / 3, abs=0.08)


def test_where_nothing_is_certain_there_is_no_click() -> None:
    targets = square(0.0)
    assert error_clicks(torch.full((1, 16, 16), -1.0), targets, np.random.default_rng(0)).labels.tolist() == [[-1]]
    labels = [first_prompts(targets, 64, np.random.default_rng(seed)).clicks.labels.tolist() for seed in range(20)]
    assert {str(label) for label in labels} == {"[[-1.0]]", "[[]]"}  # a point that is none, or a box


def test_one_object_without_certainty_does_not_take_the_click_from_another() -> None:
    masks = torch.zeros(2, 16, 16)
    masks[0, 2:8, 3:8], masks[1, 8:14, 9:14] = 1, 1
    believed = torch.stack([torch.zeros(16, 16), torch.ones(16, 16)])
    clicks = error_clicks(
        torch.full((2, 16, 16), -1.0), Targets(masks, torch.zeros(2, 4), believed), np.random.default_rng(0)
    )
    assert clicks.labels.tolist() == [[-1], [1]]


# --- the eleven rounds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 2])  # a point first, a box first
def test_all_rounds_click_on_what_is_certain_only(seed: int) -> None:
    targets = square(1.0)
    assert targets.certainty is not None
    targets.certainty[0, :, 5:] = 0
    made = rounds(targets, seed)
    last = made[-1].prompts.clicks
    real = last.coords[0][last.labels[0] >= 0]
    assert len(made) == 11
    assert len(real) >= 6
    assert ((real[:, 0] + 0.5) // 4 < 5).all()
    for before, after in pairwise(made):
        assert after.prompts.clicks.labels.shape[1] - before.prompts.clicks.labels.shape[1] in (0, 1)


@pytest.mark.parametrize("seed", [0, 2])
def test_nothing_certain_leaves_the_predicted_iou_to_be_learned_and_all_is_finite(seed: int) -> None:
    model, image = toy_model(), picture(0, 64, 64, ((20, 20, 10),))
    features, targets = encode_window(model, image, image.whole), square(0.0)
    with torch.no_grad():
        made = list(interactive_rounds(model, model.frozen.tensors, features, targets, np.random.default_rng(seed)))
    for one in made:
        judged = sam_loss(one.logits, one.iou, targets.masks, targets.certainty)
        assert one.loss.item() == pytest.approx(judged.item())
        assert torch.isfinite(one.logits).all()


def test_the_rounds_are_the_same_by_seed_and_others_by_certainty() -> None:
    sure, same, half = rounds(square(1.0), 0), rounds(square(1.0), 0), rounds(square(0.5), 0)
    assert [one.loss.item() for one in sure] == [one.loss.item() for one in same]
    assert half[0].loss.item() < sure[0].loss.item()  # the same first click: certainty is equal everywhere
    assert torch.equal(half[0].prompts.clicks.coords, sure[0].prompts.clicks.coords)


def test_a_mask_that_a_person_made_is_drawn_from_uniformly() -> None:
    found = first_cells(replace(square(), masks=square().masks), 1200)
    assert len(set(found)) == 30  # every cell of the square
