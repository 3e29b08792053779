"""Pairs to train a refiner on: what the model shows, the good ones, from close by or not, beside the masks on file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch

from samtta_app.core.masks import crop
from samtta_app.core.metrics import iou
from samtta_app.core.types import Click, Logits
from samtta_app.core.windows import REFINED
from samtta_app.errors import DatasetError
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import DEFAULT_MODEL, load_model, toy_model
from samtta_app.model.predictor import logits_in_window
from samtta_app.model.refiner import mask_of
from samtta_app.train.data.labelled_images import LabelledImage, with_boxes
from samtta_app.train.decoder.decoder_samples import encode_window
from samtta_app.train.refiner.refiner_samples import (
    RefinerPair,
    Windows,
    pairs_of,
    pictures,
    refined_in,
    sampled_answers,
    seen,
)
from tests.unit.train.material import record


@pytest.fixture(scope="module")
def model() -> SamModel:
    """The shipped model on a coarse grid: it knows the bright squares of the material."""
    return load_model(DEFAULT_MODEL, "cpu", 128)


def windows(*sets: Sequence[LabelledImage], size: int = 256, seed: int = 0, change: bool = False) -> Windows:
    return Windows(sets or ((record(0), record(1)),), size, seed, change)


@pytest.fixture(scope="module")
def made(model: SamModel) -> list[RefinerPair]:
    return [pair for number in range(10) for pair in pairs_of(model, windows(), number, 0.5)]


def far(pair: RefinerPair) -> bool:
    """Whether it is refined in the whole picture, where it was answered."""
    return pair.features.window.width > 200


def test_pairs_have_the_grid_of_their_window_and_half_precision(made: list[RefinerPair]) -> None:
    assert len(made) >= 8
    for pair in made:
        height, width = pair.features.valid
        assert pair.logits.shape == (32, 32)
        assert pair.target.shape == (-(-height // 4), -(-width // 4))
        assert pair.logits.dtype == pair.target.dtype == pair.features.embedding.dtype == torch.float16
        assert 0 <= float(pair.target.min()) <= float(pair.target.max()) <= 1
        tensors = [pair.features.embedding, *pair.features.skips, pair.logits, pair.target]
        assert pair.nbytes == sum(2 * tensor.numel() for tensor in tensors)


def test_some_are_seen_from_close_by_and_some_where_they_were_answered(made: list[RefinerPair]) -> None:
    near = [pair for pair in made if not far(pair)]
    assert min(len(near), len(made) - len(near)) >= 2
    for pair in near:
        window, box = pair.features.window, pair.box
        assert window.side == max(64, round(REFINED * max(box.x1 - box.x0 + 1, box.y1 - box.y0 + 1)))
        assert window.contains(box.x0, box.y0)
        assert window.contains(box.x1, box.y1)
        assert all(window.contains(click.x, click.y) for click in pair.prompt.clicks)


def test_sams_own_architecture_refines_where_it_answered() -> None:
    toy = toy_model()
    pairs = [pair for number in range(6) for pair in pairs_of(toy, windows(), number, 0.0)]
    assert pairs
    assert all(far(pair) for pair in pairs)
    assert pictures(toy, ((record(0),),), 0, change=False).size == toy.size


def test_a_compact_models_pictures_hold_more_than_one_look_at_them_shows(model: SamModel) -> None:
    assert pictures(model, ((record(0),),), 0, change=False).size == 2 * model.size


def test_from_close_by_the_same_answer_is_seen(model: SamModel) -> None:
    """The logits of the near window are those of the picture, read there."""
    image, objects = seen(windows().draw(0)[0])
    x, y = objects[0].x + objects[0].bits.shape[1] // 2, objects[0].y + objects[0].bits.shape[0] // 2
    whole = encode_window(model, image, image.whole)
    with torch.no_grad():
        _, logits, shown = next(sampled_answers(model, whole, objects[0], Click(float(x), float(y), True), 0))
    near = type(image.whole)(max(x - 50, 0), max(y - 50, 0), 100, 100)
    features, given = refined_in(model, image, whole, near, logits)
    again, same = refined_in(model, image, whole, image.whole, logits)
    assert features.window == near
    assert torch.equal(again.embedding, whole.embedding.half())
    assert torch.equal(same, logits)
    wanted = logits_in_window(Logits(image.whole, logits.numpy()), near, model.grid)[0, 0]
    assert torch.equal(given, wanted)
    both = crop(mask_of(model, features.to(torch.float32), given), near), crop(shown, near)
    assert (both[0] & both[1]).sum() / (both[0] | both[1]).sum() > 0.9


def test_only_good_answers_are_kept(model: SamModel, made: list[RefinerPair]) -> None:
    strict = [pair for number in range(10) for pair in pairs_of(model, windows(), number, 0.9)]
    assert 0 < len(strict) < len(made)
    assert not pairs_of(model, windows(), 0, 1.01)
    whole = [pair for pair in strict if far(pair)]
    assert whole
    for pair in whole:
        rows, columns = pair.target.shape
        shown, truth = (pair.logits[:rows, :columns] > 0).numpy(), (pair.target >= 0.5).numpy()
        assert (shown & truth).sum() / (shown | truth).sum() > 0.8  # on the coarse grid


def test_prompts_hold_one_to_three_clicks_and_no_earlier_logits(made: list[RefinerPair]) -> None:
    assert {len(pair.prompt.clicks) for pair in made} == {1, 2, 3}
    assert all(pair.prompt.logits is None and pair.prompt.box is None for pair in made)
    assert all(pair.prompt.clicks[0].positive for pair in made)


def test_further_clicks_go_to_errors_and_stop_where_there_is_none(model: SamModel) -> None:
    image, objects = seen(windows().draw(0)[0])
    target, features = objects[0], encode_window(model, image, image.whole)
    bits = crop(target, image.whole)
    rows, columns = np.nonzero(bits)
    click = Click(float(np.median(columns)), float(np.median(rows)), True)
    with torch.no_grad():
        found = list(sampled_answers(model, features, target, click, 2))
    assert 1 <= len(found) <= 3
    for (before, logits, shown), (prompt, *_) in pairwise(found):
        newest = prompt.clicks[-1]
        inside = bool(bits[int(newest.y), int(newest.x)])
        assert prompt.clicks[:-1] == before.clicks
        assert newest.positive is inside
        assert prompt.logits is not None
        assert np.array_equal(prompt.logits.values, logits.numpy())
        assert iou(shown, target) < 1
    with torch.no_grad():  # against its own answer there is nothing to correct
        assert len(list(sampled_answers(model, features, found[0][2], click, 2))) == 1


def test_windows_are_the_same_from_the_same_seed_and_sets_take_turns(model: SamModel) -> None:
    first, again = (pairs_of(model, windows(seed=3, change=True), 5, 0.3) for _ in range(2))
    assert first
    for one, other in zip(first, again, strict=True):
        assert one.prompt.clicks == other.prompt.clicks
        assert torch.equal(one.features.embedding, other.features.embedding)
    elsewhere = pairs_of(model, windows(seed=4, change=True), 5, 0.3)
    assert not elsewhere or not torch.equal(first[0].features.embedding, elsewhere[0].features.embedding)
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
    found = [pair for number in range(3) for pair in pairs_of(model, windows((small,)), number, 0.0)]
    assert found
    assert all(pair.features.embedding.isfinite().all() for pair in found)


def test_what_is_seen_are_the_picture_and_its_objects() -> None:
    view, _ = windows().draw(2)
    image, objects = seen(view)
    assert image.pixels.shape[:2] == (view.valid[1], view.valid[0])
    assert len(objects) == len(view.masks)
    for target, bits in zip(objects, view.masks, strict=True):
        assert np.array_equal(crop(target, image.whole), bits[: view.valid[1], : view.valid[0]].astype(bool))
