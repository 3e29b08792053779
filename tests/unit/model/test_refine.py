"""A later click changes a mask one way only, and the first ones still find the object."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from samtta_app.core.clicks import next_click
from samtta_app.core.masks import bounding_box
from samtta_app.core.metrics import iou
from samtta_app.core.types import Click, Image, Logits, Mask, Prompt, Window
from samtta_app.core.windows import SETTLED_FROM
from samtta_app.images.read import from_array
from samtta_app.model.answers import NO_HINTS, MaskAnswer, answer_prompt, seen_in
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.local_update import SETTLED, SETTLING, Reach, expected_iou, one_way
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.predictor import decode, embed, encode, logits_in_window, seen_clicks
from samtta_app.train.asked_objects import at_its_end
from tests.unit.values import picture

SIZE = 64


@pytest.fixture(scope="module")
def small() -> SamModel:
    return load_model(input_size=256)


def finished(
    model: SamModel, image: Image, prompt: Prompt, window: Window | None = None, *, others: bool = False
) -> MaskAnswer:
    return at_its_end(answer_prompt(model, FeatureCache(model), model.frozen, image, prompt, window, others=others))


def clicks(*places: tuple[float, float, bool]) -> tuple[Click, ...]:
    return tuple(Click(*place) for place in places)


# --- one way ----------------------------------------------------------------------------------------------------------


def square(*sides: int, value: float = 3.0) -> torch.Tensor:
    """Logits (m, SIZE, SIZE) of squares that start at row and column 10; -3 outside."""
    found = torch.full((len(sides), SIZE, SIZE), -3.0)
    for layer, side in zip(found, sides, strict=True):
        layer[10 : 10 + side, 10 : 10 + side] = value
    return found


def test_an_include_click_only_adds() -> None:
    before, smaller, larger = square(20, 10, 40)
    found = one_way(before, torch.stack([smaller, larger]), (40.0, 40.0), None)
    assert torch.equal(found[0], before)
    assert torch.equal(found[1], larger)


def test_an_exclude_click_only_takes_away_and_only_near_it() -> None:
    before, new = square(40)[0], square(60, 10)
    found = one_way(before, new, (46.0, 30.0), Reach(3.0, 4.0))  # three cells within the right edge
    assert bool((found <= before).all())
    assert float(found[1, 30, 46]) == pytest.approx(-3.0)
    assert torch.equal(found[0] > 0, before > 0), "what the new answer adds does not count"
    assert float(found[1, 30, 24]) > 1.5, "far from the click the answer before holds"


def test_the_deeper_an_exclude_click_lies_the_farther_it_reaches() -> None:
    before, new = square(40)[0], square(1)
    for x, reach in ((48.0, 8.0), (39.0, 11 * 3.0), (60.0, 8.0)):
        found = one_way(before, new, (x, 30.0), Reach(3.0, 8.0))[0]
        share = (before - found)[30, 20] / (before - new[0])[30, 20]
        assert float(share) == pytest.approx(float(np.exp(-((x - 20) ** 2) / (2 * reach**2))), abs=1e-4)


def test_x_is_the_column_and_a_click_may_lie_between_cells() -> None:
    before, new = torch.ones(SIZE, SIZE), torch.full((1, SIZE, SIZE), -1.0)
    found = one_way(before, new, (30.5, 7.0), SETTLED)
    assert float(found[0, 7, 30]) == float(found[0, 7, 31]) == float(found.min())


def test_where_nothing_was_shown_the_new_answer_counts() -> None:
    new = square(10, 20)
    for reach in (None, SETTLED):
        assert torch.equal(one_way(torch.full((SIZE, SIZE), -1.0), new, (3.0, 3.0), reach), new)


def test_the_first_exclude_clicks_reach_farther(small: SamModel) -> None:
    assert SETTLED_FROM == 4
    assert SETTLING > SETTLED
    image, said = scene()
    before = Logits(image.whole, np.full((small.grid, small.grid), 3, np.float32))
    excluding = [Click(20 + 10 * k, 20.0, False) for k in range(4)]
    lost = []
    for count in (3, 4):
        prompt = Prompt((*said[:1], *excluding[: count - 2], Click(88.0, 88.0, False)), None, before)
        found = finished(small, image, prompt, image.whole)
        lost.append(float((3 - found.logits[0]).clamp(min=0).sum()))
    assert lost[0] > lost[1]


def test_what_is_missing_is_less_after_each_click() -> None:
    said = torch.tensor([0.0, 0.5, 1.0])
    assert torch.equal(expected_iou(said, 1), said)
    assert torch.equal(expected_iou(said, 0), said), "a box alone"
    values = [expected_iou(said, count) for count in range(1, 20)]
    assert all(bool((b[:2] > a[:2]).all()) and float(b[2]) == 1 for a, b in pairwise(values))
    assert float(expected_iou(torch.tensor(0.6), 16)) == pytest.approx(1 - 0.4 / 16**0.25)


# --- in an answer -----------------------------------------------------------------------------------------------------


def scene() -> tuple[Image, tuple[Click, ...]]:
    """A disc, a click in it, and three corrections near its outline."""
    image = picture(3, 96, 96, discs=((48, 48, 20),))
    return image, clicks((48, 48, True), (48, 30, True), (66, 48, False), (30, 48, True))


@pytest.mark.parametrize("there", [None, Window(4, 4, 90, 90)])
def test_from_the_second_click_on_a_mask_grows_or_shrinks(small: SamModel, there: Window | None) -> None:
    image, said = scene()
    found = finished(small, image, Prompt(said[:1]), image.whole)
    for count in (2, 3, 4):
        before, window = found.feedback(), there or found.window
        found = finished(small, image, Prompt(said[:count], None, before), window)
        earlier = logits_in_window(before, found.window, small.grid)[0, 0]
        change = (found.logits[0] - earlier) * (1 if said[count - 1].positive else -1)
        assert float(change.min()) >= -1e-6
        assert float(change.max()) > 0


def test_the_other_masks_are_what_the_decoder_says(small: SamModel) -> None:
    image, said = scene()
    before = Logits(image.whole, np.full((small.grid, small.grid), 3, np.float32))
    found = finished(small, image, Prompt(said[:2], None, before), image.whole, others=True)
    assert found.shown.area == image.height * image.width, "an include click takes nothing away"
    assert min(mask.area for mask in found.masks[1:]) < found.shown.area


def test_a_mask_that_is_put_together_is_rated_higher_than_the_newest_answer(small: SamModel) -> None:
    image, said = scene()
    before = Logits(image.whole, np.full((small.grid, small.grid), -3, np.float32))
    prompt = Prompt(said[:3], None, before)
    features = at_its_end(encode(small, image, image.whole))
    decoded = decode(small, small.frozen.tensors, features, embed(small, features, prompt))
    seen = seen_in(small, small.frozen, features, prompt, NO_HINTS)
    assert float(seen.iou[0]) == pytest.approx(1 - (1 - float(decoded.iou[0])) / 3**0.25, abs=1e-5)
    assert torch.equal(seen.iou[1:], decoded.iou[1:]), "the other masks are the decoder's own"


def test_an_official_sam_answers_anew(small: SamModel) -> None:
    image, said = scene()
    for model, grows in ((small, True), (toy_model(), False)):
        before = np.full((model.grid, model.grid), 30, np.float32)
        found = finished(model, image, Prompt(said[:2], None, Logits(image.whole, before)), image.whole)
        assert bool((found.logits[0] >= torch.from_numpy(before)).all()) is grows


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


def test_a_click_that_the_window_does_not_show_changes_nothing(small: SamModel) -> None:
    image, said = scene()
    features = at_its_end(encode(small, image, Window(20, 20, 64, 64)))
    far, one = Click(2.0, 90.0, False), Click(3.0, 3.0, False)
    alone = embed(small, features, Prompt(said))
    for asked in ((*said, far), (said[0], far, *said[1:])):
        beside = embed(small, features, Prompt(asked))
        assert torch.equal(beside.sparse, alone.sparse)
        assert torch.equal(beside.dense, alone.dense)
    assert seen_clicks([(far,)], features.window) == [(far,)], "a prompt is never left without a click"
    assert seen_clicks([(far, one), (far, said[0])], features.window) == [(one,), (said[0],)], "as many clicks each"


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
