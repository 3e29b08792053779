"""Hypotheses of an object are decoded in its part of the window: at the same places, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from samtta_app.core.types import Box, Click, Logits, Prompt, Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.close_part import OUTSIDE, WindowPart, cut_off, onto_window, part_about, part_cells, part_features
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.placing import placed
from samtta_app.model.predictor import ImageFeatures, decode_prompt
from samtta_app.model.sampling import sampled
from tests.unit.model.test_answers import finish
from tests.unit.model.test_hypotheses import nets_of
from tests.unit.values import disc, picture

IMAGE = picture(3, 240, 320, ((200, 150, 24),))
CLICK = Prompt((Click(200, 150, True),))
SHOWN = disc(200, 150, 24, 240, 320)


@pytest.fixture(scope="module")
def small() -> SamModel:
    return load_model("samtta-small", "cpu", 512)


@pytest.fixture(scope="module")
def features(small: SamModel) -> ImageFeatures:
    return finish(FeatureCache(small).features(IMAGE, IMAGE.whole))


def test_the_part_holds_the_object_in_its_middle_and_lies_in_the_window(
    small: SamModel, features: ImageFeatures
) -> None:
    part = part_about(small, features, CLICK, SHOWN)
    assert part is not None
    assert part.side == 16
    assert 0 <= part.row <= 16
    assert part.column == 12, "200 of 320 pixels are 20 of 32 cells"
    corner = part_about(small, features, Prompt((Click(0, 0, True),)), disc(4, 4, 4, 240, 320))
    assert corner == WindowPart(0, 0, 16)


def test_a_large_object_a_wide_box_an_empty_mask_and_one_size_need_the_whole_window(
    small: SamModel, features: ImageFeatures
) -> None:
    assert part_about(small, features, CLICK, disc(200, 120, 90, 240, 320)) is None
    assert part_about(small, features, Prompt(box=Box(10, 10, 300, 200)), SHOWN) is None
    assert part_about(small, features, CLICK, disc(200, 150, 0, 240, 320)) is not None
    assert part_about(small, features, CLICK, replace(SHOWN, bits=SHOWN.bits & False)) is None
    toy = toy_model()
    seen = finish(FeatureCache(toy).features(IMAGE, IMAGE.whole))
    assert part_about(toy, seen, CLICK, SHOWN) is None


def test_a_part_is_answered_much_as_the_whole_window_is(small: SamModel, features: ImageFeatures) -> None:
    part = part_about(small, features, CLICK, SHOWN)
    assert part is not None
    whole = decode_prompt(small, small.frozen.tensors, features, CLICK).logits
    close = decode_prompt(small, small.frozen.tensors, part_features(small, features, part), CLICK).logits
    assert close.shape == (4, 64, 64)
    back = onto_window(close, part, small.grid)
    masks = [placed(small, logits[:1], features)[0] for logits in (whole, back)]
    areas = [mask.area for mask in masks]
    assert min(areas) > 0.8 * max(areas), "the same object, seen among less"
    x, y = ((mask.x + mask.bits.shape[1] / 2, mask.y + mask.bits.shape[0] / 2) for mask in masks)
    assert abs(x[0] - y[0]) < 4
    assert abs(x[1] - y[1]) < 4


def test_clicks_boxes_and_earlier_logits_keep_their_places(small: SamModel, features: ImageFeatures) -> None:
    part = part_about(small, features, CLICK, SHOWN)
    assert part is not None
    values = torch.full((128, 128), -4.0)
    values[50:70, 70:90] = 4
    earlier = Logits(IMAGE.whole, values.numpy())
    for prompt in (replace(CLICK, logits=earlier), Prompt(box=Box(176, 126, 224, 174)), CLICK):
        found = decode_prompt(small, small.frozen.tensors, part_features(small, features, part), prompt).logits
        rows, columns = torch.nonzero(onto_window(found, part, small.grid)[0] > 0, as_tuple=True)
        assert abs(float(columns.float().mean()) - 200 / 320 * 128) < 6
        assert abs(float(rows.float().mean()) - 150 / 320 * 128) < 6


def test_what_lies_outside_is_background_and_cells_come_back_where_they_were() -> None:
    part = WindowPart(2, 3, 4)
    logits = torch.arange(256.0).reshape(1, 16, 16)
    back = onto_window(logits, part, 32)
    assert torch.equal(part_cells(back, part, 4), logits)
    assert float(back.min()) == OUTSIDE
    assert int((back != OUTSIDE).sum()) == 256
    assert torch.equal(onto_window(logits, None, 16), logits)


def test_hypotheses_of_a_small_object_have_the_grid_of_the_window(small: SamModel, features: ImageFeatures) -> None:
    found = finish(sampled(small, nets_of(small, 0.05), small.frozen.tensors, features, CLICK, SHOWN, count=2))
    assert found is not None
    assert found.logits.shape == (2, small.grid, small.grid)
    assert float(found.logits[:, 0, 0].max()) == OUTSIDE
    assert found.features.window == Window(0, 0, 320, 240)


@pytest.mark.parametrize(
    ("place", "part", "cut"),
    [
        ((8, 8), WindowPart(2, 3, 4), False),
        ((0, 8), WindowPart(2, 3, 4), True),
        ((0, 8), WindowPart(0, 3, 4), False),
        ((8, 0), WindowPart(2, 3, 4), True),
        ((8, 15), WindowPart(2, 3, 4), True),
        ((15, 8), WindowPart(4, 3, 4), False),
    ],
)
def test_a_mask_at_an_inner_edge_of_the_part_is_cut(place: tuple[int, int], part: WindowPart, cut: bool) -> None:
    logits = torch.full((2, 16, 16), -1.0)
    logits[1, place[0], place[1]] = 1
    assert cut_off(logits, part, 8) == cut


def test_readings_that_are_larger_than_the_part_are_drawn_in_the_whole_window(
    small: SamModel, features: ImageFeatures
) -> None:
    nets = nets_of(small)
    nets.mixture[-1] = 5.0  # everything is object
    found = finish(sampled(small, nets, small.frozen.tensors, features, CLICK, SHOWN, count=2))
    assert found is not None
    assert (found.logits > 0).float().mean() > 0.7
