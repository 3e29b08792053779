"""Automatic masks and edges through the engine: partial replies, clicks in between, original and learned weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samtta_app.core.automatic import EDGE_SETTINGS, AutomaticSettings
from samtta_app.core.messages import AdaptRequest, AutomaticRequest, EdgesRequest, PredictRequest
from samtta_app.core.replies import Answer, AutomaticFound, AutomaticMasks, Edges, Failure, Progress
from samtta_app.core.types import Click, Prompt
from samtta_app.core.windows import SEEN_WHOLE
from samtta_app.engine.dispatch import Engine, run
from samtta_app.images.read import from_array
from samtta_app.model.backbone import SamModel
from tests.unit.patchy import blobs, patchy_model
from tests.unit.values import example

LOOSE = AutomaticSettings(points_per_side=4, pred_iou=-1.0, stability=0.01, stability_offset=0.01, box_nms=0.9)


@pytest.fixture(scope="module")
def model() -> SamModel:
    return patchy_model(blobs())


def test_masks_arrive_in_parts_and_the_reply_has_all_that_stay(model: SamModel) -> None:
    told: list[AutomaticFound] = []
    reply = run(Engine(model), AutomaticRequest(5, blobs(), LOOSE), told.append)  # type: ignore[arg-type]
    assert isinstance(reply, AutomaticMasks)
    assert (reply.request_id, reply.weights_version) == (5, 0)
    assert len(reply.masks) > 3
    assert {part.request_id for part in told} == {5}
    assert told[-1].share == 1
    assert all(mask.stability >= 0.01 for mask in reply.masks)


def test_a_click_between_two_parts_is_answered_and_changes_nothing(model: SamModel) -> None:
    image, engine = blobs(), Engine(model)
    alone = run(Engine(model), AutomaticRequest(1, image, LOOSE))
    work = engine.handle(AutomaticRequest(1, image, LOOSE))
    answers = 0
    while True:
        try:
            part = next(work)
        except StopIteration as end:
            beside = end.value
            break
        if isinstance(part, AutomaticFound) and answers < 2:
            answers += isinstance(run(engine, PredictRequest(2, image, Prompt((Click(50, 50, True),)))), Answer)
    assert answers == 2
    assert isinstance(alone, AutomaticMasks)
    assert isinstance(beside, AutomaticMasks)
    assert [m.predicted_iou for m in alone.masks] == [m.predicted_iou for m in beside.masks]


def test_what_was_learned_finds_other_masks_and_the_original_can_still_be_asked(model: SamModel) -> None:
    image, engine = blobs(), Engine(model).fresh(0, "samtta:steps=1,guarded=0")
    before = run(engine, AutomaticRequest(1, image, LOOSE))
    for k in range(1, 3):
        run(engine, AdaptRequest(10 + k, example(k)))
    version = engine.published.version
    assert version > 0, "nothing was learned"
    learned = run(engine, AutomaticRequest(2, image, LOOSE))
    frozen = run(engine, AutomaticRequest(3, image, LOOSE, frozen=True))
    assert isinstance(before, AutomaticMasks)
    assert isinstance(learned, AutomaticMasks)
    assert isinstance(frozen, AutomaticMasks)
    assert (learned.weights_version, frozen.weights_version) == (version, 0)
    said = [[m.predicted_iou for m in each.masks] for each in (before, learned, frozen)]
    assert said[0] == said[2]
    assert said[0] != said[1]


@pytest.mark.parametrize("request_of", [AutomaticRequest, EdgesRequest])
def test_an_image_whose_masks_would_fill_the_memory_is_refused_with_what_to_do(
    model: SamModel, request_of: type[AutomaticRequest | EdgesRequest]
) -> None:
    wide = from_array(np.zeros((2, SEEN_WHOLE + 1), np.uint8))
    reply = run(Engine(model), request_of(1, wide))
    assert isinstance(reply, Failure)
    assert "at most 8192 pixels a side" in reply.text
    assert "Click on the objects" in reply.text


def test_edges_are_thin_lines_from_many_masks(model: SamModel) -> None:
    image = blobs()
    told: list[Progress] = []
    settings = replace(EDGE_SETTINGS, points_per_side=4, box_nms=0.9)
    reply = run(Engine(model), EdgesRequest(7, image, settings), told.append)  # type: ignore[arg-type]
    assert isinstance(reply, Edges)
    assert reply.strength.shape == (image.height, image.width)
    assert reply.strength.dtype == np.float32
    assert reply.masks > 3
    assert 0 <= reply.strength.min() < reply.strength.max() == 1
    assert [part.fraction for part in told] == sorted(part.fraction for part in told)
    again = run(Engine(model), EdgesRequest(7, image, settings, frozen=True))
    assert isinstance(again, Edges)
    assert np.array_equal(again.strength, reply.strength)
