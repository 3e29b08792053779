"""A selector ranks the masks of all windows: the best one is shown, the next distinct ones are the cards."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from samtta_app.core.messages import PredictRequest
from samtta_app.core.metrics import iou
from samtta_app.core.replies import Answer
from samtta_app.core.types import Box, Click, Logits, Prompt, Window
from samtta_app.core.windows import nearer
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import CheckpointError
from samtta_app.model import companions
from samtta_app.model.answers import CARDS, DISTINCT_CARDS, NO_HINTS, answer_prompt, seen_in
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.mask_features import FEATURES, described
from samtta_app.model.model_registry import load_model, model_file, toy_model
from samtta_app.model.selector import Selector, layer_shapes, load_selector, save_selector, selector_for
from tests.unit.model.test_answers import finish
from tests.unit.values import picture

IMAGE = picture(3, 240, 320, ((160, 120, 30),))
CLICK = Prompt((Click(160, 120, True),))


def preferring(name: str, sign: float = 1.0) -> Selector:
    """A selector whose only reason is one of the numbers."""
    layers = {layer: torch.zeros(shape) for layer, shape in layer_shapes().items()}
    layers["scale"] += 1
    layers["w1"][FEATURES.index(name), 0] = 1.0
    layers["b1"][0] = 8.0  # GELU of it is almost the value itself
    layers["w2"][0, 0] = 1.0
    layers["w3"][0, 0] = sign * 0.2
    return Selector(layers, {})


@pytest.fixture(scope="module")
def small() -> SamModel:
    return load_model("samtta-small", "cpu", 256)


def looks_of(model: SamModel, prompt: Prompt, *windows: Window) -> tuple[list[object], np.ndarray]:
    cache = FeatureCache(model)
    looks = [seen_in(model, model.frozen, finish(cache.features(IMAGE, w)), prompt, NO_HINTS) for w in windows]
    logits, said = torch.stack([x.logits for x in looks]), torch.stack([x.iou for x in looks])
    rows = described(model, [x.features for x in looks], logits, said, prompt, IMAGE.whole, 50.0)
    return list(looks), rows


def test_the_numbers_say_what_their_names_say(small: SamModel) -> None:
    near = Window(100, 60, 120, 120)
    looks, rows = looks_of(small, CLICK, IMAGE.whole, near)
    assert rows.shape == (8, len(FEATURES))
    column = dict(zip(FEATURES, rows.T, strict=True))
    assert np.allclose(column["token_2"], [0, 0, 1, 0] * 2)
    assert np.allclose(column["window"], [0] * 4 + [np.log2(120 / 320)] * 4)
    assert column["iou_in_window"][:4].max() == 0
    assert column["iou_in_window"][4:].max() == 0
    assert column["iou_of_all"].max() == 0
    assert set(column["cut"]) <= {0.0, 1.0}
    assert (column["expecting"] == 1).all()
    assert (column["clicks"] == 1).all()
    assert (column["before"] == 0).all()
    cells = (looks[1].logits[1] > 0).sum().item()  # type: ignore[attr-defined]
    assert column["in_window"][5] == pytest.approx(np.log2(np.sqrt(cells) / small.grid), abs=1e-5)
    assert column["expected"][5] == pytest.approx(np.log2(np.sqrt(cells) * 120 / small.grid / 50), abs=1e-5)


def test_an_empty_mask_has_no_numbers_and_is_expected_to_be_worth_nothing(small: SamModel) -> None:
    cache = FeatureCache(small)
    features = finish(cache.features(IMAGE, IMAGE.whole))
    logits = torch.full((1, 4, small.grid, small.grid), -1.0)
    logits[0, 2, 30:50, 40:70] = 3.0
    rows = described(small, [features], logits, torch.full((1, 4), 0.9), CLICK, IMAGE.whole, None)
    assert np.isnan(rows[[0, 1, 3]]).all()
    expected = preferring("iou").expected(rows)
    assert expected[0] == expected[1] == expected[3] == 0
    assert expected[2] > 0.5


def test_the_answer_before_is_compared_on_the_window_s_grid(small: SamModel) -> None:
    cache = FeatureCache(small)
    features = finish(cache.features(IMAGE, IMAGE.whole))
    logits = torch.full((1, 4, small.grid, small.grid), -1.0)
    logits[0, :, 10:30, 10:30] = 2.0
    before = Prompt((*CLICK.clicks, Click(5, 5, False)), None, Logits(IMAGE.whole, logits[0, 0].numpy()))
    row = described(small, [features], logits, torch.full((1, 4), 0.9), before, IMAGE.whole, None)[0]
    assert row[FEATURES.index("before")] == 1
    assert row[FEATURES.index("obeyed")] == 0.5  # the include click lies outside of the square, the other one as well


@pytest.mark.parametrize("token", [0, 1, 2, 3])
def test_the_best_ranked_mask_is_shown_and_the_others_are_distinct_from_it(small: SamModel, token: int) -> None:
    model = replace(small, selector=preferring(f"token_{token}"))
    found = finish(answer_prompt(model, FeatureCache(model), model.frozen, IMAGE, CLICK))
    assert found.chosen == 0
    assert 1 <= len(found.masks) <= CARDS
    assert all(mask.area for mask in found.masks)
    for i, one in enumerate(found.masks):
        assert all(iou(one, other) <= DISTINCT_CARDS for other in found.masks[:i])
    looks, _ = looks_of(small, CLICK, found.windows[0])
    assert torch.allclose(looks[0].logits[token], found.logits[0], atol=1e-4)  # type: ignore[attr-defined]


def test_a_new_object_is_looked_at_from_closer_by_and_a_known_one_is_not(small: SamModel) -> None:
    model = replace(small, selector=preferring("window", -1.0))
    cache = FeatureCache(model)
    found = finish(answer_prompt(model, cache, model.frozen, IMAGE, CLICK))
    windows = nearer(IMAGE.whole, CLICK.clicks, IMAGE.whole)
    assert len(windows) == 2
    assert all(cache.has(IMAGE.key, window) for window in windows)
    assert found.window.side <= windows[-1].side
    again = FeatureCache(model)
    later = Prompt((*CLICK.clicks, Click(10, 10, False)), None, found.feedback())
    answer = finish(answer_prompt(model, again, model.frozen, IMAGE, later, IMAGE.whole))
    assert not any(again.has(IMAGE.key, window) for window in windows)
    assert len(answer.masks) == 1


def test_the_single_mask_and_the_whole_image_are_what_they_are_without_a_selector(small: SamModel) -> None:
    model = replace(small, selector=preferring("token_3"))
    for how in ({"single": True}, {"whole": True}):
        one, other = (finish(answer_prompt(m, FeatureCache(m), m.frozen, IMAGE, CLICK, **how)) for m in (model, small))
        assert one.chosen == other.chosen
        assert torch.equal(one.logits, other.logits)


def test_a_box_has_several_cards_of_all_four_masks(small: SamModel) -> None:
    model = replace(small, selector=preferring("token_1"))
    boxed = Prompt(box=Box(125, 85, 195, 155))
    found = finish(answer_prompt(model, FeatureCache(model), model.frozen, IMAGE, boxed))
    looks, _ = looks_of(small, boxed, found.windows[0])
    assert torch.allclose(looks[0].logits[1], found.logits[0], atol=1e-4)  # type: ignore[attr-defined]


def test_closer_windows_are_about_a_single_click_and_never_about_more() -> None:
    whole = Window(0, 0, 1000, 800)
    half, quarter = nearer(whole, (Click(500, 400, True),), whole)
    assert (half.side, quarter.side) == (500, 250)
    assert all(w.contains(500, 400) for w in (half, quarter))
    assert nearer(whole, (Click(1, 1, True), Click(2, 2, True)), whole) == ()
    assert nearer(whole, (), whole) == ()
    assert nearer(Window(0, 0, 80, 80), (Click(40, 40, True),), Window(0, 0, 80, 80)) == ()


def test_what_the_first_window_shows_comes_before_the_answer(small: SamModel) -> None:
    model = replace(small, selector=preferring("window", -1.0))
    parts = list(Engine(model).handle(PredictRequest(7, IMAGE, CLICK)))
    first = next(part for part in parts if isinstance(part, Answer))
    assert (first.request_id, first.more, first.window) == (7, True, IMAGE.whole)
    engine = Engine(small)
    assert not any(isinstance(part, Answer) for part in engine.handle(PredictRequest(7, IMAGE, CLICK)))


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_selector_is_read_as_it_was_written(small: SamModel, tmp_path: Path) -> None:
    written, path = preferring("depth"), tmp_path / "s.safetensors"
    save_selector(written, small, path, {"data": "two sets"})
    read = load_selector(path, small)
    rows = np.random.default_rng(0).normal(size=(5, len(FEATURES))).astype(np.float32)
    assert read.expected(rows) == pytest.approx(written.expected(rows), abs=1e-3)  # float16
    assert read.facts["data"] == "two sets"


def test_damaged_and_foreign_selectors_are_refused(small: SamModel, tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    save_selector(preferring("iou"), small, path, {})
    with pytest.raises(CheckpointError, match="was trained for the model 'samtta-small', not for this 'toy'"):
        load_selector(path, toy_model())
    tensors = load_file(path)
    (tmp_path / "cut").write_bytes(path.read_bytes()[:200])
    save_file(tensors, tmp_path / "plain")
    facts = {"format": "samtta-selector-1", "reads": '["other"]'}
    save_file(tensors, tmp_path / "older", facts)
    for name in ("cut", "plain", "older", "missing"):
        with pytest.raises(CheckpointError):
            load_selector(tmp_path / name, small)
    tensors["w2"][0, 0] = float("nan")
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        known = dict(file.metadata())
    save_file(tensors, tmp_path / "nan", known)
    with pytest.raises(CheckpointError, match="no selector file that can be used"):
        load_selector(tmp_path / "nan", small)


def test_a_selector_beside_the_model_is_found_and_a_damaged_one_is_told(
    small: SamModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(model_file("samtta-small"), tmp_path / "own.safetensors")
    own = load_model(tmp_path / "own.safetensors", "cpu", 256)
    monkeypatch.setattr(companions, "model_folder", lambda: tmp_path)
    assert selector_for(own) is None
    assert not caplog.records
    path = tmp_path / f"{own.name}.selector.safetensors"
    save_selector(preferring("iou"), own, path, {})
    assert selector_for(own) is not None
    path.write_bytes(b"no tensors")
    with caplog.at_level(logging.WARNING):
        assert selector_for(own) is None
    assert "The selector file cannot be read" in caplog.text


def test_the_other_masks_come_after_the_one_that_is_rated_best(small: SamModel) -> None:
    model = replace(small, selector=preferring("token_2"))
    prompt = Prompt((*CLICK.clicks, Click(190, 120, False)))
    alone, beside = (
        finish(answer_prompt(model, FeatureCache(model), model.frozen, IMAGE, prompt, IMAGE.whole, others=others))
        for others in (False, True)
    )
    assert len(alone.masks) == 1
    assert iou(alone.shown, beside.shown) == 1
    assert 1 <= len(beside.masks) <= CARDS
