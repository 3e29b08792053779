"""An outline network changes a mask near its outline, at the full resolution of the window, and obeys the clicks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samtta_app.core.masks import holds
from samtta_app.core.metrics import iou
from samtta_app.core.types import Click, Prompt, Window
from samtta_app.errors import CheckpointError
from samtta_app.model.answers import answer_prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.outline import (
    Outline,
    click_spots,
    enlarged,
    load_outline,
    normalised,
    outline_shapes,
    redrawn,
    save_outline,
)
from samtta_app.train.outline.outline_samples import new_outline
from tests.unit.model.test_answers import finish
from tests.unit.values import picture

IMAGE = picture(3, 240, 320, ((160, 120, 30),))
CLICK = Prompt((Click(160, 120, True),))


def constant(value: float) -> Outline:
    """A network that adds the same everywhere."""
    layers = {name: torch.zeros(shape) for name, shape in outline_shapes().items()}
    layers["out_bias"] += value
    return Outline(layers, {})


@pytest.fixture(scope="module")
def small() -> SamModel:
    return load_model("samtta-small", "cpu", 256)


def square(model: SamModel) -> torch.Tensor:
    """Logits of a square of 20 cells in the middle."""
    logits = torch.full((1, model.grid, model.grid), -2.0)
    logits[0, 14:34, 22:42] = 2.0
    return logits


def test_an_untrained_network_changes_no_answer(small: SamModel) -> None:
    model = replace(small, outline=new_outline(0))
    one, other = (finish(answer_prompt(m, FeatureCache(m), m.frozen, IMAGE, CLICK)) for m in (model, small))
    for mask, same in zip(one.masks, other.masks, strict=True):
        assert iou(mask, same) > 0.999
    assert torch.equal(one.logits, other.logits)


@pytest.mark.parametrize(("value", "grows"), [(1.0, True), (-1.0, False)])
def test_what_the_network_adds_moves_the_outline_of_the_shown_mask_only(
    small: SamModel, value: float, grows: bool
) -> None:
    model = replace(small, outline=constant(value))
    one, other = (finish(answer_prompt(m, FeatureCache(m), m.frozen, IMAGE, CLICK)) for m in (model, small))
    assert (one.masks[one.chosen].area > other.masks[other.chosen].area) == grows
    assert torch.equal(one.logits, other.logits)  # the next click sees the decoder's own


def test_far_from_the_mask_nothing_is_looked_at(small: SamModel) -> None:
    features = finish(FeatureCache(replace(small, outline=new_outline(0))).features(IMAGE, IMAGE.whole))
    found = redrawn(small, constant(100.0), features, square(small), ())
    height, width = features.valid
    assert (found[0, :8] < 0).all()
    assert (found[0, height // 2 - 10 : height // 2 + 10, width // 2 - 10 : width // 2 + 10] > 50).all()
    assert torch.equal(found[0, height:], enlarged(small, square(small))[0, height:])


def test_a_value_that_is_not_finite_leaves_the_mask_as_it_was(small: SamModel) -> None:
    features = finish(FeatureCache(replace(small, outline=new_outline(0))).features(IMAGE, IMAGE.whole))
    found = redrawn(small, constant(float("nan")), features, square(small), ())
    assert torch.equal(found, enlarged(small, square(small)))
    empty = torch.full((1, small.grid, small.grid), -1.0)
    assert torch.equal(redrawn(small, constant(9.0), features, empty, ()), enlarged(small, empty))


def test_every_click_is_obeyed_whatever_the_network_says(small: SamModel) -> None:
    for value in (50.0, -50.0):
        model = replace(small, outline=constant(value))
        clicks = (Click(160, 120, True), Click(150, 60, False))
        found = finish(answer_prompt(model, FeatureCache(model), model.frozen, IMAGE, Prompt(clicks)))
        assert found.shown.area
        assert [holds(found.shown, c.x, c.y) for c in clicks] == [c.positive for c in clicks]


@pytest.mark.parametrize("window", [Window(0, 0, 1, 1), Window(10, 10, 37, 11), Window(0, 0, 320, 240)])
def test_windows_of_odd_sizes_are_drawn_again_too(small: SamModel, window: Window) -> None:
    features = finish(FeatureCache(replace(small, outline=new_outline(0))).features(IMAGE, window))
    logits = torch.ones(2, small.grid, small.grid)
    found = redrawn(small, new_outline(1), features, logits, (Click(window.x, window.y, True),))
    assert found.shape == (2, small.size, small.size)
    assert torch.isfinite(found).all()


def test_spots_lie_at_their_clicks_and_a_picture_of_one_colour_is_zero() -> None:
    spots = click_spots(torch.tensor([[10.0, 4.0], [20.0, 9.0]]), [True, False], 16, 32)
    assert spots[0, 4, 10] == 1
    assert spots[1, 9, 20] == 1
    assert spots[0, 9, 20] < 0.1
    assert click_spots(torch.zeros(0, 2), [], 8, 8).abs().sum() == 0
    assert normalised(np.full((5, 7, 3), 130, np.uint8)).abs().max() < 1e-5


def test_a_network_is_read_as_it_was_written_and_not_for_another_model(small: SamModel, tmp_path: Path) -> None:
    path = tmp_path / "o.safetensors"
    written = new_outline(4)
    save_outline(written, small, path, {"data": "one set"})
    read = load_outline(path, small)
    assert read.facts["data"] == "one set"
    for name, layer in written.layers.items():
        assert torch.equal(read.layers[name], layer.half().float())
    with pytest.raises(CheckpointError, match="not for this 'toy'"):
        load_outline(path, toy_model())
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_outline(path, small)
