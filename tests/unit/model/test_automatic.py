"""Automatic masks are those of SAM's own generator on the same weights, and come while others are still looked for."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator
from segment_anything.utils.amg import remove_small_regions

from samtta_app.core.automatic import AutomaticMask, AutomaticSettings, crops_of, grid_points
from samtta_app.core.masks import full
from samtta_app.core.types import Image, Prompt, Window
from samtta_app.errors import SettingsError
from samtta_app.model import automatic_masks as making
from samtta_app.model.automatic_masks import FoundSoFar, automatic_masks, without_holes, without_islands
from samtta_app.model.backbone import SamModel
from samtta_app.model.backbones.sam import OfficialSam, toy_sam
from samtta_app.model.cache import FeatureCache
from samtta_app.model.mask_judging import judged_masks
from samtta_app.model.model_registry import load_model
from samtta_app.model.predictor import encode, upscaled
from tests.unit.patchy import blobs, patchy_model
from tests.unit.values import picture

T = TypeVar("T")
LOOSE = AutomaticSettings(points_per_side=8, pred_iou=-1.0, stability=0.01, stability_offset=0.01, box_nms=0.9)
"""Random weights predict no IoU near 1, and their logits are small."""


def ended(work: Generator[Any, None, T]) -> tuple[list[Any], T]:
    """What a generator yields, and what it returns."""
    told = []
    while True:
        try:
            told.append(next(work))
        except StopIteration as end:
            return told, end.value


def found(model: SamModel, image: Image, settings: AutomaticSettings) -> tuple[AutomaticMask, ...]:
    return ended(automatic_masks(model, FeatureCache(model), model.frozen.tensors, image, settings))[1]


def official(model: SamModel, image: Image, settings: AutomaticSettings) -> list[dict[str, Any]]:
    """What SAM's own generator finds, without its empty masks."""
    generator = SamAutomaticMaskGenerator(
        model.net,
        points_per_side=settings.points_per_side,
        points_per_batch=settings.points_per_batch,
        pred_iou_thresh=settings.pred_iou,
        stability_score_thresh=settings.stability,
        stability_score_offset=settings.stability_offset,
        box_nms_thresh=settings.box_nms,
        crop_n_layers=settings.crop_layers,
        crop_nms_thresh=settings.crop_nms,
        crop_overlap_ratio=settings.crop_overlap,
        crop_n_points_downscale_factor=settings.crop_downscale,
        min_mask_region_area=settings.least_region,
    )
    return [each for each in generator.generate(image.pixels) if each["segmentation"].any()]


@pytest.fixture(scope="module")
def image() -> Image:
    return blobs()


@pytest.fixture(scope="module")
def model(image: Image) -> SamModel:
    return patchy_model(image)


@pytest.mark.parametrize(
    ("changes", "least"),
    [
        ({"points_per_side": 12, "box_nms": 0.95}, 100),
        ({"pred_iou": 0.01, "stability": 0.2, "box_nms": 0.7, "points_per_batch": 7}, 5),
        ({"crop_layers": 1, "crop_downscale": 2, "crop_nms": 0.9}, 50),
        ({"least_region": 12}, 50),
        ({"crop_layers": 2, "crop_downscale": 2, "least_region": 9, "points_per_side": 4}, 20),
        ({"pred_iou": 0.88, "stability": 0.95, "stability_offset": 1.0, "box_nms": 0.7}, 0),
    ],
)
def test_the_masks_are_those_of_sams_own_generator(
    changes: dict[str, Any], least: int, model: SamModel, image: Image
) -> None:
    settings = replace(LOOSE, **changes)
    ours, theirs = found(model, image, settings), official(model, image, settings)
    assert len(ours) == len(theirs)
    assert len(ours) >= least
    for one, other in zip(ours, theirs, strict=True):
        assert np.array_equal(full(one.mask, image.height, image.width), other["segmentation"])
        assert one.predicted_iou == pytest.approx(other["predicted_iou"], abs=1e-6)  # the encoder rounds otherwise
        assert one.stability == other["stability_score"]
        box = [one.box.x0, one.box.y0, one.box.x1 - one.box.x0, one.box.y1 - one.box.y0]
        assert box == other["bbox"]
        assert [[one.click.x, one.click.y]] == other["point_coords"]
        assert [one.window.x, one.window.y, one.window.width, one.window.height] == other["crop_box"]


def test_the_defaults_are_those_of_sams_generator() -> None:
    theirs = SamAutomaticMaskGenerator(toy_sam())
    ours = AutomaticSettings()
    assert (ours.pred_iou, ours.stability, ours.stability_offset) == (
        theirs.pred_iou_thresh,
        theirs.stability_score_thresh,
        theirs.stability_score_offset,
    )
    assert (ours.box_nms, ours.crop_nms, ours.crop_overlap) == (
        theirs.box_nms_thresh,
        theirs.crop_nms_thresh,
        theirs.crop_overlap_ratio,
    )
    assert (ours.crop_layers, ours.crop_downscale, ours.least_region, ours.points_per_batch) == (
        theirs.crop_n_layers,
        theirs.crop_n_points_downscale_factor,
        theirs.min_mask_region_area,
        theirs.points_per_batch,
    )
    points = grid_points(Window(0, 0, 1, 1), ours.points_per_side)
    assert np.array_equal(points, theirs.point_grids[0])


def test_many_clicks_at_once_are_answered_as_the_stock_decoder_does(model: SamModel) -> None:
    torch.manual_seed(1)
    net = model.net
    points = torch.rand(9, 1, 2) * 128, torch.ones(9, 1)
    embedding = torch.randn(1, 256, 8, 8)
    with torch.no_grad():
        sparse, dense = net.prompt_encoder(points=points, boxes=None, masks=None)
        masks, iou = net.mask_decoder.predict_masks(embedding, net.prompt_encoder.get_dense_pe(), sparse, dense)
        embedded = model.backbone.embed(points, None, None, 128)
        ours = model.backbone.decode(model.frozen.tensors, embedding, (), embedded, 128)
    torch.testing.assert_close(ours[0], masks, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours[1], iou, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(60, 200), (211, 97), (128, 128), (40, 30)])
def test_masks_and_stability_are_those_of_logits_scaled_up_whole(height: int, width: int) -> None:
    """Small patches anywhere, also at the edges, in the padding, everywhere and nowhere."""
    model = load_model("samtta-small", "cpu", 128)
    image = picture(1, height, width)
    features = ended(encode(model, image, image.whole))[1]
    rng = np.random.default_rng(height)
    logits = torch.full((12, 32, 32), -8.0)
    for k in range(8):
        y, x = rng.integers(0, 32, 2)
        logits[k, y : y + 5, x : x + 3] = torch.from_numpy(rng.normal(1, 2, (5, 3)).astype(np.float32))[
            : 32 - y, : 32 - x
        ]
    logits[8] = torch.from_numpy(rng.normal(0, 2, (32, 32)).astype(np.float32))
    logits[9] = 5
    logits[11, 31, 31] = 9
    big = upscaled(model, logits, features)
    for layer, judged in zip(big, judged_masks(features, logits, 1.0), strict=True):
        assert np.array_equal(full(judged.mask, height, width), (layer > 0).numpy())
        inner, outer = (layer > 1).sum(), (layer > -1).sum()
        assert judged.stability == float(inner / outer) or (outer == 0 and np.isnan(judged.stability))


def test_masks_come_while_others_are_still_looked_for(model: SamModel, image: Image) -> None:
    told, kept = ended(automatic_masks(model, FeatureCache(model), model.frozen.tensors, image, LOOSE))
    parts = [part for part in told if isinstance(part, FoundSoFar)]
    assert len(parts) == 8 * 8 / making.PASS_ON_CPU
    assert [part.share for part in parts] == sorted(part.share for part in parts)
    assert parts[-1].share == 1
    assert sum(bool(part.masks) for part in parts) > 5
    early = {id(mask) for part in parts for mask in part.masks}
    assert {id(mask) for mask in kept if id(mask) in early}, "what was told first is part of the result"
    assert told[0] is None, "a click may be served while the image is encoded"


def test_an_unasked_run_changes_nothing(model: SamModel, image: Image) -> None:
    before = {name: tensor.clone() for name, tensor in model.frozen.tensors.items()}
    found(model, image, replace(LOOSE, points_per_side=2))
    assert all(torch.equal(before[name], tensor) for name, tensor in model.frozen.tensors.items())


def test_the_shipped_model_finds_bright_discs() -> None:
    model = load_model("samtta-small", "cpu", 256)
    image = picture(3, discs=((30, 48, 14), (88, 48, 24)))
    kept = found(model, image, AutomaticSettings(points_per_side=6, pred_iou=0.5, stability=0.7))
    for x, y, radius in ((30, 48, 14), (88, 48, 24)):
        areas = [m.mask.area for m in kept if full(m.mask, 96, 128)[y, x]]
        assert any(abs(area / (np.pi * radius**2) - 1) < 0.25 for area in areas)


def test_large_masks_are_dropped_where_asked(model: SamModel, image: Image) -> None:
    kept = found(model, image, replace(LOOSE, largest=0.01))
    assert kept
    assert max(each.mask.area for each in kept) <= 0.01 * image.width * image.height


def test_an_image_without_objects_has_no_masks() -> None:
    model = load_model("samtta-small", "cpu", 256)
    grey = picture(0)
    even = Image("even", grey.path, np.full_like(grey.pixels, 90), grey.raw)
    assert found(model, even, AutomaticSettings(points_per_side=4, pred_iou=0.999)) == ()


def test_a_class_that_is_a_task_of_the_model_takes_its_prompt() -> None:
    from samtta_app.model.backbone import built_model

    vector = torch.full((32,), 5.0)
    model = built_model("toy", OfficialSam(toy_sam(), {"cell": vector}), 64)
    settings = replace(LOOSE, points_per_side=2, stability=0.0)
    image = picture(2)

    def ask(prompt: Prompt) -> list[float]:
        work = automatic_masks(model, FeatureCache(model), model.frozen.tensors, image, settings, prompt)
        return [each.predicted_iou for each in ended(work)[1]]

    assert ask(Prompt(class_name="cell")) != ask(Prompt(class_name="other"))
    assert ask(Prompt(class_name="other")) == ask(Prompt())


# --- settings, crops, regions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"points_per_side": 0},
        {"points_per_side": 100_000},
        {"pred_iou": float("nan")},
        {"stability": 1.5},
        {"box_nms": -0.1},
        {"crop_layers": 3, "points_per_side": 4, "crop_downscale": 2},
        {"crop_layers": 9},
        {"crop_overlap": 1.0},
        {"largest": -1.0},
    ],
)
def test_impossible_settings_are_refused_in_words(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="Choose"):
        AutomaticSettings(**wrong)


def test_crops_of_a_tiny_image_are_never_empty() -> None:
    settings = AutomaticSettings(points_per_side=16, crop_layers=3)
    for width, height in ((1, 1), (3, 2), (5, 40)):
        for window, _ in crops_of(Window(0, 0, width, height), settings):
            assert min(window.width, window.height) > 0
            assert window.x + window.width <= width
            assert window.y + window.height <= height


@pytest.mark.parametrize("seed", range(6))
def test_small_holes_and_islands_go_as_sam_removes_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bits = np.kron(rng.random((14, 11)) < 0.5, np.ones((3, 2), bool)).astype(bool) ^ (rng.random((42, 22)) < 0.02)
    for least in (1, 5, 30, 2000):
        filled, changed = remove_small_regions(bits, least, "holes")
        assert np.array_equal(without_holes(bits, least), filled)
        assert (without_holes(bits, least) is bits) == (not changed)
        kept, changed = remove_small_regions(filled, least, "islands")
        assert np.array_equal(without_islands(filled, least), kept)
        assert (without_islands(filled, least) is filled) == (not changed)
