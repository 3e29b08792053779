"""A later click mends what is near it, and the first ones still find the object."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samtta_app.core.clicks import next_click
from samtta_app.core.masks import bounding_box
from samtta_app.core.metrics import iou
from samtta_app.core.types import Click, Image, Logits, Mask, Prompt, Window
from samtta_app.images.read import from_array
from samtta_app.model.answers import MaskAnswer, answer_prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.local_update import LEAST_REACH, REFINE_REACH, REFINES_FROM, SAME_OBJECT, mended
from samtta_app.model.model_registry import load_model, toy_model
from tests.unit.values import picture

SIZE = 64


@pytest.fixture(scope="module")
def small() -> SamModel:
    return load_model(input_size=256)


def finished(model: SamModel, image: Image, prompt: Prompt, window: Window | None = None) -> MaskAnswer:
    work = answer_prompt(model, FeatureCache(model), model.frozen, image, prompt, window)
    while True:
        try:
            next(work)
        except StopIteration as done:
            found: MaskAnswer = done.value
            return found


def clicks(*places: tuple[float, float, bool]) -> tuple[Click, ...]:
    return tuple(Click(*place) for place in places)


# --- the weight -------------------------------------------------------------------------------------------------------


def test_at_the_click_the_new_answer_counts_and_far_away_the_one_before() -> None:
    before, new = torch.full((SIZE, SIZE), 2.0), torch.full((1, SIZE, SIZE), 12.0)
    found = mended(before, new, (10.0, 20.0))[0]
    assert float(found[20, 10]) == 12.0
    assert float(found[60, 60]) < 12.0
    assert found[20, 60] < found[20, 30] < found[20, 12]
    small = torch.full((SIZE, SIZE), -5.0)
    small[18:23, 8:13] = 3.0
    assert float(mended(small, small[None] - 1, (10.0, 20.0))[0, 60, 60]) == pytest.approx(-5.0, abs=1e-3)


def test_an_answer_of_another_object_is_taken_whole() -> None:
    before, new = torch.full((2, SIZE, SIZE), -5.0)
    before[10:30, 10:30] = 5.0
    new[10:30, 10:30] = 4.0
    new[10:30, 30:37] = 4.0  # 400 of 540 cells in common: the same object
    other = torch.full((SIZE, SIZE), -5.0)
    other[10:30, 10:60] = 4.0
    found = mended(before, torch.stack([new, other]), (12.0, 12.0))
    assert float(found[0, 20, 36]) < 0  # far from the click the answer before holds
    assert torch.equal(found[1], other)
    assert SAME_OBJECT == 0.7


def test_x_is_the_column_and_a_click_may_lie_between_cells() -> None:
    before, new = torch.full((SIZE, SIZE), 0.001), torch.ones(1, SIZE, SIZE)
    found = mended(before, new, (30.5, 7.0))[0]
    assert float(found[7, 30]) == float(found[7, 31]) < 1
    assert float(found[7, 30]) == float(found.max())


def test_the_reach_grows_with_the_object_and_has_a_least() -> None:
    for side, reach in ((4, LEAST_REACH), (40, REFINE_REACH * 40)):
        before = torch.full((SIZE, SIZE), -3.0)
        before[:side, :side] = 1.0
        found = mended(before, before[None] + 2, (50.0, 50.0))[0]  # nowhere above 0 that was not
        at = round(50 - reach)
        wanted = -3 + 2 * float(np.exp(-((50 - at) ** 2) / (2 * reach**2)))
        assert float(found[50, at]) == pytest.approx(wanted, abs=1e-5)


def test_every_candidate_is_mended_alike() -> None:
    new = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) + 0.5
    before = torch.full((SIZE, SIZE), 0.25)
    found = mended(before, new, (5.0, 6.0))
    shares = (found - before) / (new - before)
    assert torch.allclose(shares, shares[:1], atol=1e-4)


# --- in an answer -----------------------------------------------------------------------------------------------------


def scene() -> tuple[Image, tuple[Click, ...]]:
    """A disc, a click in it, and three corrections near its outline."""
    image = picture(3, 96, 96, discs=((48, 48, 20),))
    return image, clicks((48, 48, True), (48, 30, True), (75, 48, False), (30, 48, True))


def differing(model: SamModel, count: int) -> np.ndarray:
    """Where the logits of click `count` differ from those before it, all answered in the same window."""
    image, said = scene()
    first = finished(model, image, Prompt(said[: count - 1]), image.whole)
    second = finished(model, image, Prompt(said[:count], None, first.feedback()), image.whole)
    assert first.window == second.window
    return np.abs(second.feedback().values - first.feedback().values)


def test_from_the_fourth_click_on_only_the_neighbourhood_of_the_click_changes(small: SamModel) -> None:
    assert REFINES_FROM == 4
    changed = differing(small, 4)
    cell = small.grid / 96
    near = changed[int(48 * cell), int(30 * cell)]
    assert near > 0
    assert changed[:, -4:].max() < 1e-3  # 60 pixels to the right of the click
    assert differing(small, 3)[:, -4:].max() > 0.05


def test_an_answer_in_another_window_or_of_an_official_sam_is_given_anew(small: SamModel) -> None:
    image, said = scene()
    low = finished(small, image, Prompt(said[:3]), image.whole).feedback().values
    here, there, official = (
        far_change(m, low, w) for m, w in ((small, image.whole), (small, NEAR), (toy_model(), None))
    )
    assert here < 1e-3
    assert there > 0.05
    assert official > 1e-3


NEAR = Window(4, 4, 90, 90)


def far_change(model: SamModel, said_before: np.ndarray, window: Window | None) -> float:
    """How much the fourth answer differs from one before it, far from the click, where that was given in `window`."""
    image, said = scene()
    before = said_before if model.grid == len(said_before) else np.full((model.grid, model.grid), 3, np.float32)
    found = finished(model, image, Prompt(said, None, Logits(window or image.whole, before)), image.whole)
    return float((found.logits[0] - torch.from_numpy(before)).abs()[:, -4:].max())


# --- from close by ----------------------------------------------------------------------------------------------------


def test_from_the_third_click_on_the_outline_is_mended_from_close_by(small: SamModel) -> None:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:400, :400]
    disc = np.hypot(rows - 200, columns - 200) < 35
    pixels = np.clip(np.where(disc, 200, 60)[..., None] + rng.normal(0, 6, (400, 400, 3)), 0, 255).astype(np.uint8)
    image = from_array(pixels)
    said = clicks((200, 200, True), (215, 200, True), (200, 215, True))
    windows, before, window = [], None, None
    for count in (1, 2, 3):
        found = finished(small, image, Prompt(said[:count], None, before), window)
        before, window = found.feedback(), found.window
        windows.append(found.window)
    assert windows[1] == windows[0]
    assert windows[2].side < windows[1].side
    box = bounding_box(found.shown)
    assert box is not None
    assert windows[2].side == pytest.approx(2.5 * max(box.x1 - box.x0, box.y1 - box.y0), rel=0.25)


def test_clicks_on_what_is_all_but_right_do_no_harm(small: SamModel) -> None:
    curves = []
    for seed in range(4):
        x, y, radius = 30 + 10 * seed, 60 - 5 * seed, 12 + 3 * seed
        image = picture(seed, 96, 96, discs=((x, y, radius),))
        rows, columns = np.mgrid[:96, :96]
        truth = Mask(0, 0, np.hypot(rows - y, columns - x) <= radius)
        said: tuple[Click, ...] = ()
        found, curve = None, []
        for _ in range(8):
            click = next_click(truth, found.shown if found else None, said, image.whole)
            if click is not None:
                said = (*said, click)
                before, window = (found.feedback(), found.window) if found else (None, None)
                found = finished(small, image, Prompt(said, None, before), window)
            assert found is not None
            curve.append(iou(found.shown, truth))
        curves.append(curve)
    mean = np.mean(curves, axis=0)
    assert mean.min() > 0.93
