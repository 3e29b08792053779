"""A mask's own box is interpolated, and the mask is the one that the whole window's interpolation gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.masks import crop, trimmed
from samtta_app.core.types import Mask, Window
from samtta_app.model import placing
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import toy_model
from samtta_app.model.placing import placed
from samtta_app.model.predictor import ImageFeatures, upscaled

G = 16


@pytest.fixture(scope="module")
def model() -> SamModel:
    return toy_model()


def shown(window: Window, size: int = 64) -> ImageFeatures:
    scale = size / window.side
    valid = (max(int(window.height * scale + 0.5), 1), max(int(window.width * scale + 0.5), 1))
    return ImageFeatures("key", window, torch.zeros(1), (), valid)


ROUNDING = 1e-6
"""A logit so near to 0 is on either side of it by the order in which its parts are added."""


def as_the_whole_window_is(model: SamModel, logits: Tensor, features: ImageFeatures) -> bool:
    """Whether each mask has the pixels that the whole window's interpolation gives, in the tightest box."""
    window, masks = features.window, placed(model, logits, features)
    found = [crop(mask, window) for mask in masks]
    logits_of_pixels = upscaled(model, logits, features).numpy()
    alike = all(
        (np.abs(said[bits != (said > 0)]) < ROUNDING).all() for bits, said in zip(found, logits_of_pixels, strict=True)
    )
    return alike and all(same(mask, trimmed(bits, window.x, window.y)) for mask, bits in zip(masks, found, strict=True))


def same(one: Mask, other: Mask) -> bool:
    if not one.area and not other.area:
        return True
    return (one.x, one.y) == (other.x, other.y) and np.array_equal(one.bits, other.bits)


def thin(row: int, slope: float) -> Tensor:
    """A line one cell wide, all across the grid."""
    rows, columns = torch.meshgrid(torch.arange(float(G)), torch.arange(float(G)), indexing="ij")
    return (1.0 - 2 * (rows - row - slope * columns).abs())[None]


@pytest.mark.parametrize("seed", range(40))
def test_the_box_alone_gives_the_whole_windows_mask(model: SamModel, seed: int) -> None:
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    window = Window(*(int(v) for v in rng.integers((0, 0, 1, 1), (90, 90, 700, 700))))
    coarse = torch.randn(1, 3, int(rng.integers(1, 9)), int(rng.integers(1, 9)), generator=generator)
    smooth = F.interpolate(coarse, (G, G), mode="bicubic")[0] * 5 - float(rng.uniform(-3, 8))
    noise = torch.randn(3, G, G, generator=generator)
    for logits in (smooth, noise, noise - 2.5):
        assert as_the_whole_window_is(model, logits, shown(window))


@pytest.mark.parametrize(
    "window", [Window(3, 5, 640, 90), Window(0, 0, 31, 500), Window(7, 7, 1, 1), Window(0, 0, 64, 64)]
)
@pytest.mark.parametrize(("row", "slope"), [(0, 0.0), (15, 0.0), (3, 0.1), (14, -0.9)])
def test_thin_masks_and_those_at_the_border_or_in_the_padding_too(
    model: SamModel, window: Window, row: int, slope: float
) -> None:
    for logits in (thin(row, slope), thin(row, slope).transpose(1, 2).contiguous(), -thin(row, slope)):
        assert as_the_whole_window_is(model, logits, shown(window))


def test_a_mask_over_a_large_window_is_made_in_strips(model: SamModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "STRIP", 1000)
    logits = torch.randn(3, G, G, generator=torch.Generator().manual_seed(3)) + 1
    assert as_the_whole_window_is(model, logits, shown(Window(2, 3, 411, 300)))


def test_only_the_box_is_interpolated(model: SamModel, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    plain = F.interpolate

    def counted(*inputs: object, **named: object) -> Tensor:
        result: Tensor = plain(*inputs, **named)  # type: ignore[arg-type]
        made.append(result.numel())
        return result

    monkeypatch.setattr(placing.F, "interpolate", counted)
    logits = torch.full((1, G, G), -4.0)
    logits[0, 7:9, 7:9] = 4.0
    (mask,) = placed(model, logits, shown(Window(0, 0, 3000, 3000)))
    assert 300**2 < mask.area < 700**2
    assert sum(made) < 3000 * 3000 / 3


@pytest.mark.parametrize("value", [-1.0, 0.0, float("nan"), float("-inf")])
def test_where_no_logit_is_positive_the_mask_is_empty(model: SamModel, value: float) -> None:
    (mask,) = placed(model, torch.full((1, G, G), value), shown(Window(4, 4, 500, 300)))
    assert mask.area == 0
    assert mask.bits.shape == (1, 1)
