"""Accepted objects lower the limits to what the decoder says of right answers, and bound the sizes that are looked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from samtta_app.adapt.accepted_limits import ENOUGH, SIZE_SLACK, accepted_limits, with_crops
from samtta_app.adapt.memory import Memory, remember_object
from samtta_app.core.automatic import AutomaticSettings, crops_of
from samtta_app.core.messages import AdaptRequest, AutomaticRequest
from samtta_app.core.metrics import iou
from samtta_app.core.replies import AutomaticMasks
from samtta_app.core.types import Example, Window
from samtta_app.core.windows import SMALL_SHARE
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import load_model
from samtta_app.model.predictor import encode
from tests.unit.adapt.test_strategy import done
from tests.unit.values import disc, example, picture

STRICT_LIMITS = AutomaticSettings(pred_iou=0.999, stability=0.999, points_per_side=6)
EXTENT = Window(0, 0, 128, 96)


@pytest.fixture(scope="module")
def model() -> SamModel:
    """The shipped model at half its size: it finds bright discs."""
    return load_model("samtta-small", "cpu", 256)


def disc_examples(count: int) -> list[Example]:
    return [replace(example(k, 60 + 2 * k, 50, 16 + k), class_id=1) for k in range(1, count + 1)]


@pytest.fixture(scope="module")
def memory(model: SamModel) -> Memory:
    found = Memory()
    for one in disc_examples(4):
        item = remember_object(one, done(encode(model, one.image, one.image.whole)), model.size, None)
        assert item is not None
        found = found.add(item)
    return found


def test_limits_fall_to_what_is_said_of_right_answers(model: SamModel, memory: Memory) -> None:
    found = done(accepted_limits(model, model.frozen.tensors, memory, STRICT_LIMITS, EXTENT, None))
    assert 0.3 < found.pred_iou < 0.999
    assert 0.3 < found.stability < 0.999
    assert (found.least_side, found.most_side) == (35 / SIZE_SLACK, 41 * SIZE_SLACK)
    loose = replace(STRICT_LIMITS, pred_iou=0.1, stability=0.1)
    kept = done(accepted_limits(model, model.frozen.tensors, memory, loose, EXTENT, None))
    assert (kept.pred_iou, kept.stability) == (0.1, 0.1), "limits are never raised"


def test_too_few_objects_or_those_of_another_class_change_nothing(model: SamModel, memory: Memory) -> None:
    few = Memory(memory.items[: ENOUGH - 1])
    assert done(accepted_limits(model, model.frozen.tensors, few, STRICT_LIMITS, EXTENT, None)) == STRICT_LIMITS
    assert done(accepted_limits(model, model.frozen.tensors, memory, STRICT_LIMITS, EXTENT, 2)) == STRICT_LIMITS
    assert done(accepted_limits(model, model.frozen.tensors, memory, STRICT_LIMITS, EXTENT, 1)) != STRICT_LIMITS


@pytest.mark.parametrize(("side", "layers"), [(128, 0), (60, 0), (41, 1), (30, 2), (3, 2)])
def test_small_objects_are_looked_for_in_crops(side: float, layers: int) -> None:
    extent = Window(0, 0, 480, 360)
    found = with_crops(AutomaticSettings(), extent, side)
    assert found.crop_layers == layers
    sides = [window.side for window, layer in crops_of(extent, found) if layer == layers]
    assert max(sides) <= SMALL_SHARE * side or side == 3
    assert found.points_in(layers) == 32 // 2**layers


def test_a_users_own_crops_stay_and_a_coarse_grid_is_not_halved_away() -> None:
    own = AutomaticSettings(crop_layers=3, crop_downscale=1)
    assert with_crops(own, Window(0, 0, 4000, 4000), 5) == own
    assert with_crops(AutomaticSettings(points_per_side=3), Window(0, 0, 4000, 4000), 5).crop_layers == 1
    assert with_crops(AutomaticSettings(points_per_side=1), Window(0, 0, 4000, 4000), 5).crop_layers == 0


def test_a_session_proposes_what_the_given_limits_hide(model: SamModel) -> None:
    discs = (40, 48, 19), (96, 40, 17)
    engine, image = Engine(model), picture(9, discs=discs)
    limits = replace(STRICT_LIMITS, points_per_side=12)  # with six, a disc may have no point near its middle
    taught = (38, 50, 18), (98, 42, 16), (64, 50, 20)  # at such places as the discs that are looked for
    for number, place in enumerate(taught, 1):
        run(engine, AdaptRequest(number, replace(example(number, *place), class_id=1)))
    assert engine.published.version == 3
    replies = [
        run(engine, AutomaticRequest(10, image, limits, learned=learned, frozen=frozen))
        for learned, frozen in ((True, False), (False, False), (True, True))
    ]
    assert all(isinstance(reply, AutomaticMasks) for reply in replies)
    learned, plain, frozen = replies
    for drawn in discs:
        assert max(iou(found.mask, disc(*drawn)) for found in learned.masks) > 0.85  # type: ignore[union-attr]
    assert plain.masks == frozen.masks == ()  # type: ignore[union-attr]
    assert plain.settings == frozen.settings == limits  # type: ignore[union-attr]
    assert learned.settings.pred_iou < STRICT_LIMITS.pred_iou  # type: ignore[union-attr]
