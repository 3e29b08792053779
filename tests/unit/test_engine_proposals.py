"""What the window has proposed: a search that is stopped, limits with slack, boxes, classes, and more like an object."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.masks import bounding_box
from samtta_app.core.messages import AutomaticRequest, BoxesRequest, StopRequest
from samtta_app.core.metrics import iou
from samtta_app.core.replies import AutomaticFound, AutomaticMasks, SearchStopped
from samtta_app.core.types import Box, Example, Image, Mask
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.backbone import SamModel
from samtta_app.model.mask_prototypes import ClassPrototypes
from samtta_app.model.model_registry import load_model
from tests.unit.values import disc, picture

NUMBERS = count(1)
SETTINGS = AutomaticSettings(points_per_side=8, pred_iou=0.5, stability=0.5)


@pytest.fixture(scope="module")
def model() -> SamModel:
    """The shipped model at half its size: it finds bright discs."""
    return load_model("samtta-small", "cpu", 256)


def two_kinds() -> tuple[Image, list[Mask], list[Mask]]:
    """Bright discs on the left and red ones on the right."""
    image = picture(3)
    pixels = image.pixels.copy()
    bright, red = (
        [disc(20, 20, 9), disc(24, 70, 9), disc(56, 46, 9)],
        [disc(92, 24, 9), disc(96, 72, 9), disc(116, 48, 9)],
    )
    for masks, colour in ((bright, (250, 250, 240)), (red, (200, 30, 30))):
        for mask in masks:
            height, width = mask.bits.shape
            pixels[mask.y : mask.y + height, mask.x : mask.x + width][mask.bits] = colour
    return replace(image, key="two kinds", pixels=pixels), bright, red


def example_of(image: Image, mask: Mask, class_id: int) -> Example:
    return Example(next(NUMBERS), image, image.whole, mask, (), None, class_id)


def hit(masks: list[Mask], found: AutomaticMasks) -> int:
    """How many of the masks were found."""
    return sum(any(iou(mask, each.mask) > 0.7 for each in found.masks) for mask in masks)


def test_a_search_ends_at_its_next_step_with_what_it_found(model: SamModel) -> None:
    engine, (image, _, _) = Engine(model), two_kinds()
    work = engine.handle(AutomaticRequest(7, image, SETTINGS))
    found: list[AutomaticFound] = []
    while sum(len(part.masks) for part in found) < 2:
        part = next(work)
        found += [part] if isinstance(part, AutomaticFound) else []
    assert run(engine, StopRequest(8, 7)) == SearchStopped(8)
    with pytest.raises(StopIteration) as end:
        next(work)
    assert end.value.value.stopped
    assert [m for part in found for m in part.masks] == list(end.value.value.masks)


def test_slack_finds_what_the_limits_hide_and_names_the_limits(model: SamModel) -> None:
    engine, (image, _, _) = Engine(model), two_kinds()
    strict = replace(SETTINGS, pred_iou=0.97)
    plain, loose = (run(engine, AutomaticRequest(1, image, strict, slack=slack)) for slack in (0.0, 0.3))
    assert isinstance(plain, AutomaticMasks)
    assert isinstance(loose, AutomaticMasks)
    assert len(loose.masks) > len(plain.masks)
    assert loose.settings == plain.settings == strict
    assert {m.predicted_iou for m in plain.masks} <= {m.predicted_iou for m in loose.masks}


def test_each_box_gives_a_mask_that_names_it(model: SamModel) -> None:
    engine, (image, bright, red) = Engine(model), two_kinds()
    boxes = tuple(box for mask in (bright[0], red[1]) if (box := bounding_box(mask)))
    told: list[AutomaticFound] = []
    reply = run(engine, BoxesRequest(3, image, boxes), told.append)  # type: ignore[arg-type]
    assert isinstance(reply, AutomaticMasks)
    assert [each.asked for each in reply.masks] == list(boxes)
    assert hit([bright[0], red[1]], reply) == 2
    assert [part.share for part in told] == [0.5, 1.0]
    engine.resources.stopped.add(4)
    stopped = run(engine, BoxesRequest(4, image, (Box(0, 0, 9, 9),)))
    assert isinstance(stopped, AutomaticMasks)
    assert (stopped.stopped, stopped.masks) == (True, ())


def test_more_like_one_object_are_those_of_its_kind(model: SamModel) -> None:
    engine, (image, bright, red) = Engine(model), two_kinds()
    every = run(engine, AutomaticRequest(1, image, SETTINGS))
    alike = run(engine, AutomaticRequest(2, image, SETTINGS, alike=(example_of(image, red[0], 1),)))
    assert isinstance(every, AutomaticMasks)
    assert isinstance(alike, AutomaticMasks)
    assert hit(red, alike) == hit(red, every) == 3
    likeness = [max(m.likeness for m in alike.masks if iou(m.mask, mask) > 0.7) for mask in red]
    others = [m.likeness for m in alike.masks if any(iou(m.mask, mask) > 0.7 for mask in bright)]
    assert min(likeness) > max(others, default=0.0)


def test_a_class_is_said_where_accepted_objects_tell_classes_apart(model: SamModel) -> None:
    engine, (image, bright, red) = Engine(model), two_kinds()
    accepted = tuple(example_of(image, mask, k) for k, masks in ((1, bright), (2, red)) for mask in masks[:2])
    reply = run(engine, AutomaticRequest(1, image, SETTINGS, accepted=accepted))
    assert isinstance(reply, AutomaticMasks)
    for number, mask in ((1, bright[2]), (2, red[2])):
        assert {m.class_id for m in reply.masks if iou(m.mask, mask) > 0.7} == {number}


def test_classes_that_look_the_same_get_no_prototypes() -> None:
    rng = np.random.default_rng(0)
    vectors = F.normalize(torch.from_numpy(rng.normal(size=(12, 8))).float(), dim=1)
    assert ClassPrototypes.of([(k % 2, vector) for k, vector in enumerate(vectors)]).vectors is None
    apart = vectors * 0.1 + torch.eye(8)[[k % 2 for k in range(12)]]
    told = ClassPrototypes.of([(k % 2, F.normalize(v, dim=0)) for k, v in enumerate(apart)])
    assert told.ids == (0, 1)
    assert told.named(torch.stack([torch.eye(8)[0], F.normalize(torch.ones(8), dim=0)])) == [0, None]
