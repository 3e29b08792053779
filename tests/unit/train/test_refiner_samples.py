"""Pairs to train a refiner on: the model's own answers, the good ones, beside the masks on file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch

from samtta_app.core.masks import bounding_box, trimmed
from samtta_app.core.metrics import iou
from samtta_app.core.types import Click, Prompt
from samtta_app.errors import DatasetError
from samtta_app.model.predictor import decode, embed
from samtta_app.model.sam import DEFAULT, SamModel, load_model
from samtta_app.train.records import Record, with_boxes
from samtta_app.train.refiner_samples import Pair, Pairs, Windows, answers, mask_of, pairs_of, seen
from tests.unit.train.material import record


@pytest.fixture(scope="module")
def model() -> SamModel:
    """The shipped model on a coarse grid: it knows the bright squares of the material."""
    return load_model(DEFAULT, "cpu", 256)


def windows(*sets: Sequence[Record], size: int = 256, seed: int = 0, change: bool = False) -> Windows:
    return Windows(sets or ((record(0), record(1)),), size, seed, change)


@pytest.fixture(scope="module")
def made(model: SamModel) -> list[Pairs]:
    return [pairs_of(model, windows(), number, 0.7) for number in range(4)]


def truth_iou(pair: Pair) -> float:
    """IoU on the grid of an answer with its target, counted anew."""
    rows, columns = pair.target.shape
    shown, truth = (pair.logits[:rows, :columns] > 0).numpy(), (pair.target >= 0.5).numpy()
    return float((shown & truth).sum() / (shown | truth).sum())


def test_pairs_have_the_grid_the_window_and_half_precision(model: SamModel, made: list[Pairs]) -> None:
    assert sum(len(window.pairs) for window in made) >= 4
    for window in made:
        height, width = window.features.valid
        for pair in window.pairs:
            assert pair.logits.shape == (64, 64)
            assert pair.target.shape == (-(-height // 4), -(-width // 4))
            assert pair.logits.dtype == pair.target.dtype == window.features.embedding.dtype == torch.float16
            assert 0 <= float(pair.target.min()) <= float(pair.target.max()) <= 1
        tensors = [window.features.embedding, *window.features.skips]
        tensors += [tensor for pair in window.pairs for tensor in (pair.logits, pair.target)]
        assert window.nbytes == sum(2 * tensor.numel() for tensor in tensors)


def test_only_good_answers_are_kept(model: SamModel, made: list[Pairs]) -> None:
    assert all(truth_iou(pair) >= 0.7 for window in made for pair in window.pairs)
    every = [pairs_of(model, windows(), number, 0.0) for number in range(4)]
    poor = [pair for window in every for pair in window.pairs if truth_iou(pair) < 0.7]
    assert sum(len(window.pairs) for window in every) == len(poor) + sum(len(window.pairs) for window in made)
    assert not pairs_of(model, windows(), 0, 1.01).pairs


def test_after_one_click_the_best_of_the_three_is_taken(model: SamModel, made: list[Pairs]) -> None:
    single = [(window, pair) for window in made for pair in window.pairs if len(pair.prompt.clicks) == 1]
    assert single
    for window, pair in single:
        features = window.features.to(torch.float32)
        with torch.no_grad():
            decoded = decode(model, model.frozen.tensors, features, embed(model, features, Prompt(pair.prompt.clicks)))
        ious = [truth_iou(Pair(pair.prompt, logits, pair.box, pair.target)) for logits in decoded.logits[1:]]
        assert torch.equal(pair.logits, decoded.logits[1 + int(np.argmax(ious))].half())


def test_the_box_is_the_one_around_the_answers_mask(model: SamModel, made: list[Pairs]) -> None:
    for window in made:
        features = window.features.to(torch.float32)
        for pair in window.pairs:
            found = bounding_box(mask_of(model, features, pair.logits.float()))
            assert found is not None
            corners = [abs(getattr(found, name) - getattr(pair.box, name)) for name in ("x0", "y0", "x1", "y1")]
            assert max(corners) <= 1  # half precision may move an edge by a pixel


def test_prompts_hold_one_to_three_clicks_and_no_earlier_logits(model: SamModel) -> None:
    every = [pair for number in range(8) for pair in pairs_of(model, windows(), number, 0.5).pairs]
    assert {len(pair.prompt.clicks) for pair in every} == {1, 2, 3}
    assert all(pair.prompt.logits is None and pair.prompt.box is None for pair in every)
    assert all(pair.prompt.clicks[0].positive for pair in every)


def test_further_clicks_go_to_errors_and_stop_where_there_is_none(model: SamModel) -> None:
    view, _ = windows().draw(0)
    kept, objects = seen(model, view)
    target, features = trimmed(objects[0]), kept.to(torch.float32)
    rows, columns = np.nonzero(objects[0])
    click = Click(float(np.median(columns)), float(np.median(rows)), True)
    with torch.no_grad():
        found = list(answers(model, features, target, click, 2))
    assert 1 <= len(found) <= 3
    for (before, _, logits, shown), (prompt, *_) in pairwise(found):
        newest = prompt.clicks[-1]
        inside = bool(objects[0][int(newest.y), int(newest.x)])
        assert prompt.clicks[:-1] == before.clicks
        assert newest.positive is inside
        assert prompt.logits is not None
        assert np.array_equal(prompt.logits.values, logits.numpy())
        assert iou(shown, target) < 1
    whole = mask_of(model, features, found[0][2])  # against its own answer there is nothing to correct
    with torch.no_grad():
        assert len(list(answers(model, features, whole, click, 2))) == 1


def test_windows_are_the_same_from_the_same_seed_and_sets_take_turns(model: SamModel) -> None:
    first, again = (pairs_of(model, windows(seed=3, change=True), 5, 0.3) for _ in range(2))
    assert [pair.prompt.clicks for pair in first.pairs] == [pair.prompt.clicks for pair in again.pairs]
    assert torch.equal(first.features.embedding, again.features.embedding)
    other = pairs_of(model, windows(seed=4, change=True), 5, 0.3)
    assert not torch.equal(first.features.embedding, other.features.embedding)
    dark = with_boxes("dark", np.zeros((96, 96), np.uint8), record(0).layers)
    sets = windows((record(0),), (dark,))
    assert [sets.draw(number)[0].pixels.max() > 0 for number in range(4)] == [True, False, True, False]


def test_half_of_the_windows_look_changed_in_training_only() -> None:
    plain, changed = windows(), windows(change=True)
    different = [
        not np.array_equal(plain.draw(number)[0].pixels, changed.draw(number)[0].pixels) for number in range(40)
    ]
    assert 10 <= sum(different) <= 30


def test_a_set_without_anything_to_see_is_named() -> None:
    labels = np.zeros((1, 400, 400), np.uint16)
    labels[0, 10:400:40, 10:15] = 1  # one thin object all over the image: next to nothing in any window
    found = with_boxes("specks", np.zeros((400, 400), np.uint8), labels)
    with pytest.raises(DatasetError, match="'specks'"):
        windows((found,), size=64).draw(0)


def test_an_image_smaller_than_a_window(model: SamModel) -> None:
    labels = np.zeros((1, 32, 32), np.uint16)
    labels[0, 8:24, 8:24] = 1
    small = with_boxes("small", (labels[0] * 180 + 40).astype(np.uint8), labels)
    found = [pairs_of(model, windows((small,)), number, 0.0) for number in range(3)]
    assert all(window.features.embedding.isfinite().all() for window in found)
    assert any(window.pairs for window in found)
