"""Every click is obeyed in the mask that is shown, whatever the decoder says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.core.masks import holds
from samtta_app.core.types import Click, Logits, Prompt, Window
from samtta_app.model.answers import answer_prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.model_registry import toy_model
from samtta_app.model.threshold_shift import OBEYED_REACH, logits_at, obedient
from tests.unit.model.test_answers import finish
from tests.unit.values import picture

WINDOW = Window(40, 20, 128, 128)


@pytest.fixture(scope="module")
def model() -> SamModel:
    return toy_model()


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(40, 167), st.integers(20, 147), st.booleans()), min_size=1, max_size=4),
)
def test_logits_have_the_sign_of_the_newest_click(seed: int, places: list[tuple[int, int, bool]]) -> None:
    logits = torch.from_numpy(np.random.default_rng(seed).standard_normal((3, 32, 32)).astype(np.float32) * 4)
    clicks = [Click(x, y, positive) for x, y, positive in places]
    found = obedient(logits, clicks, WINDOW)
    newest = clicks[-1]
    signs = logits_at(found, [(newest.x, newest.y)], WINDOW)[:, 0] > 0
    assert bool((signs == newest.positive).all())


def test_what_is_obeyed_and_what_is_far_stays_as_it_was() -> None:
    logits = torch.full((1, 32, 32), 3.0)
    assert obedient(logits, [Click(100, 80, True)], WINDOW) is logits
    found = obedient(logits, [Click(100, 80, False)], WINDOW)
    changed = (found < 0)[0]
    assert 1 <= int(changed.sum()) <= (2 * OBEYED_REACH + 1) ** 2
    rows, columns = np.nonzero((found - logits).abs().numpy()[0] > 0.05)
    assert max(abs(rows - 14.6).max(), abs(columns - 14.6).max()) < 6 * OBEYED_REACH


def test_where_nothing_is_found_nothing_is_made_up() -> None:
    nothing = torch.full((1, 32, 32), -3.0)
    assert torch.equal(obedient(nothing, [Click(100, 80, True)], WINDOW), nothing)


def test_clicks_outside_the_window_change_nothing() -> None:
    logits = torch.ones((1, 32, 32))
    assert obedient(logits, [Click(5, 5, False)], WINDOW) is logits


@pytest.mark.parametrize("positive", [True, False])
def test_the_decoders_own_masks_obey(model: SamModel, positive: bool) -> None:
    """The decoder with random weights obeys nobody."""
    image, cache = picture(3, 96, 128), FeatureCache(model)
    rng = np.random.default_rng(8)
    for _ in range(12):
        places = rng.integers((0, 0), (128, 96), (3, 2))
        clicks = tuple(Click(float(x), float(y), k == 0 or positive) for k, (x, y) in enumerate(places))
        before = Logits(image.whole, rng.standard_normal((16, 16)).astype(np.float32) * 5)
        asked = Prompt(clicks, None, before)
        found = finish(answer_prompt(model, cache, model.frozen, image, asked, image.whole))
        held = {(c.x, c.y): c.positive for c in clicks}
        assert found.shown.area == 0 or all(holds(found.shown, *at) == sign for at, sign in held.items())


def test_clicks_of_both_signs_two_pixels_apart_are_all_obeyed(model: SamModel) -> None:
    """A cell of this window is eight pixels wide, so the decoder's answer cannot tell these clicks apart."""
    image, cache = picture(3, 96, 128), FeatureCache(model)
    close = tuple(Click(60.0 + 2 * k, 40.0, k % 2 == 0) for k in range(6))
    for count in range(2, 7):
        found = finish(answer_prompt(model, cache, model.frozen, image, Prompt(close[:count]), image.whole))
        assert found.shown.area
        assert all(holds(found.shown, c.x, c.y) == c.positive for c in close[:count])


def test_two_clicks_of_both_signs_on_one_pixel_are_answered_by_the_newer(model: SamModel) -> None:
    image, cache = picture(3, 96, 128), FeatureCache(model)
    both = (Click(64, 40, True), Click(64, 40, False))
    for clicks in (both, both[::-1], (*both, both[0])):
        found = finish(answer_prompt(model, cache, model.frozen, image, Prompt(clicks), image.whole))
        assert holds(found.shown, 64, 40) == clicks[-1].positive


def test_as_released_the_decoder_is_not_corrected(model: SamModel) -> None:
    """The whole image and the plain answer: the protocol of the released code."""
    image, cache = picture(3, 96, 128), FeatureCache(model)
    clicks = tuple(Click(float(x), 40.0, False) for x in range(10, 120, 10))
    asked = Prompt((Click(64, 40, True), *clicks))
    free = finish(answer_prompt(model, cache, model.frozen, image, asked, whole=True))
    bound = finish(answer_prompt(model, cache, model.frozen, image, asked, image.whole))
    obeyed = [holds(bound.shown, c.x, c.y) == c.positive for c in clicks]
    assert all(obeyed)
    assert not all(holds(free.shown, c.x, c.y) == c.positive for c in clicks) or free.shown.area == 0


def test_crumbs_stay_where_the_switch_is_off(model: SamModel) -> None:
    image, cache = picture(3, 96, 128), FeatureCache(model)
    asked = Prompt((Click(64, 40, True),))
    tidy = finish(answer_prompt(model, cache, model.frozen, image, asked, image.whole))
    loose = finish(answer_prompt(replace(model, tidy=False), cache, model.frozen, image, asked, image.whole))
    assert torch.equal(tidy.logits, loose.logits)
    assert any(a.area != b.area for a, b in zip(tidy.masks, loose.masks, strict=True))
