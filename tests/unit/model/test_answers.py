"""A prompt is answered in the right window: the view, closer for a small object, wider for one that is cut."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pytest
import torch

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Box, Click, Image, Mask, Prompt, Window
from samtta_app.core.windows import SURROUND
from samtta_app.model import answers
from samtta_app.model.answers import WindowMasks, answer_prompt
from samtta_app.model.cache import FeatureCache
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import ImageFeatures
from tests.unit.values import picture

T = TypeVar("T")
IMAGE = picture(1, 600, 800)
CLICK = Prompt((Click(400, 300, True),))


def finish(work: Generator[None, None, T]) -> T:
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result


@dataclass
class Seen:
    """A decoder that finds the box `there` (clipped to the window), and remembers the windows it was shown."""

    there: Box
    windows: list[Window] = field(default_factory=list)

    def seen(self, _model: object, _weights: object, features: ImageFeatures, *_: object) -> WindowMasks:
        self.windows.append(features.window)
        return WindowMasks(features, torch.zeros(4, 4, 4), torch.full((4,), 0.5), torch.zeros(4, 8))

    def masks(self, _model: object, look: WindowMasks, part: slice, *_: object, **__: object) -> tuple[Mask, ...]:
        window, box = look.features.window, self.there
        rows, columns = np.mgrid[: window.height, : window.width]
        x, y = columns + window.x, rows + window.y
        bits = (x >= box.x0) & (x <= box.x1) & (y >= box.y0) & (y <= box.y1)
        return (trimmed(bits, window.x, window.y),) * len(range(4)[part])


def looked(
    monkeypatch: pytest.MonkeyPatch,
    there: Box,
    prompt: Prompt = CLICK,
    window: Window | None = None,
    view: Window | None = None,
    image: Image = IMAGE,
    *,
    whole: bool = False,
) -> list[Window]:
    seen = Seen(there)
    monkeypatch.setattr(answers, "seen_in", seen.seen)
    monkeypatch.setattr(answers, "masks_of", seen.masks)
    model = toy_model()
    finish(answer_prompt(model, FeatureCache(model), model.frozen, image, prompt, window, view, whole=whole))
    return seen.windows


def test_a_large_object_is_answered_in_the_whole_image(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, Box(300, 200, 500, 400)) == [IMAGE.whole]


def test_a_small_object_is_looked_at_again_from_closer_by(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = looked(monkeypatch, Box(390, 290, 419, 309))
    assert first == IMAGE.whole
    assert second.side == 150
    assert second.contains(400, 300)


def test_the_whole_image_is_looked_at_once_whatever_else_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    near = Window(350, 250, 120, 100)
    small, cut = Box(390, 290, 419, 309), Box(100, 100, 700, 500)
    assert looked(monkeypatch, small, whole=True) == [IMAGE.whole]
    assert looked(monkeypatch, cut, window=near, view=near, whole=True) == [IMAGE.whole]


def test_the_view_on_the_screen_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    view = Window(350, 250, 120, 100)
    assert looked(monkeypatch, Box(380, 280, 430, 320), view=view)[0] == view


def test_a_view_without_the_click_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, Box(300, 200, 500, 400), view=Window(0, 0, 100, 100))[0] == IMAGE.whole


def test_an_object_cut_by_its_window_is_asked_again_in_a_wider_one(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = Window(380, 280, 64, 64)
    windows = looked(monkeypatch, Box(300, 250, 460, 360), window=narrow)
    assert windows[0] == narrow
    assert windows[-1].side > 2 * 64
    assert len(windows) <= answers.MAX_LOOKS


def test_an_object_at_the_images_own_edge_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    corner = Window(0, 0, 200, 200)
    prompt = Prompt((Click(50, 50, True),))
    assert looked(monkeypatch, Box(0, 0, 120, 120), prompt, window=corner) == [corner]


def test_a_window_once_chosen_is_not_narrowed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, Box(395, 295, 405, 305), window=IMAGE.whole) == [IMAGE.whole]


def test_a_box_is_answered_around_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    (window,) = looked(monkeypatch, Box(380, 280, 420, 320), Prompt((), Box(370, 270, 430, 330)))
    assert window.side == 61 * SURROUND


def test_nothing_found_stays_in_the_whole_image(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, Box(-9, -9, -5, -5)) == [IMAGE.whole]


def test_a_pixel_is_an_image_too() -> None:
    model, image = toy_model(), picture(3, 1, 1)
    found = finish(answer_prompt(model, FeatureCache(model), model.frozen, image, Prompt((Click(0, 0, True),))))
    assert found.window == Window(0, 0, 1, 1)
    assert len(found.masks) == 3


def test_feedback_is_the_chosen_candidate() -> None:
    model = toy_model()
    found = finish(answer_prompt(model, FeatureCache(model), model.frozen, IMAGE, CLICK))
    assert np.array_equal(found.feedback().values, found.logits[found.chosen].half().float().numpy())
    assert found.feedback().window == found.window


@pytest.mark.parametrize(
    "prompt", [Prompt((*CLICK.clicks, Click(300, 250, False))), Prompt(box=Box(300, 200, 500, 400))]
)
def test_the_other_masks_change_nothing_about_the_one_that_is_shown(prompt: Prompt) -> None:
    model = toy_model()
    cache = FeatureCache(model)
    alone, beside = (
        finish(answer_prompt(model, cache, model.frozen, IMAGE, prompt, IMAGE.whole, others=others))
        for others in (False, True)
    )
    assert len(alone.masks) == 1
    assert len(beside.masks) == 4
    assert beside.chosen == 0
    assert beside.window == alone.window
    assert np.array_equal(beside.shown.bits, alone.shown.bits)
    assert torch.equal(beside.logits[0], alone.logits[0])


def test_an_empty_answer_has_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing, something = trimmed(np.zeros((2, 2), np.bool_)), trimmed(np.ones((2, 2), np.bool_))
    monkeypatch.setattr(answers, "masks_of", lambda *_, **__: (nothing, something, something, something))
    model, prompt = toy_model(), Prompt((*CLICK.clicks, Click(300, 250, False)))
    found = finish(answer_prompt(model, FeatureCache(model), model.frozen, IMAGE, prompt, IMAGE.whole, others=True))
    assert [mask.area for mask in found.masks] == [0]
