"""A refiner mends an answer with weights of its own, and its difference to the answer is the map of uncertainty."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Box, Click, Logits, Mask, Prompt, Window
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.model_registry import DEFAULT_MODEL, load_model, toy_model
from samtta_app.model.official_predictor import stock_model
from samtta_app.model.predictor import decode, embed
from samtta_app.model.refiner import (
    load_refiner,
    of_tensors,
    refined,
    refinement,
    refinement_difference,
    refiner_for,
    refining_window,
    save_refiner,
    untrained,
)
from samtta_app.model.weights import trainable_copy
from samtta_app.train.decoder.decoder_samples import encode_window
from tests.unit.uncertainty.refining import encoded, moved, put, state, unchanged
from tests.unit.values import disc, picture

CLICKS = Prompt((Click(64, 48, True), Click(20, 20, False)))
BOX = Box(40, 30, 90, 70)
DISC = disc(64, 48, 20)


@pytest.fixture(scope="module")
def toy() -> SamModel:
    """SAM's own modules at toy size."""
    return toy_model()


@pytest.fixture(scope="module")
def compact() -> SamModel:
    """The shipped model on a coarse grid."""
    return load_model(DEFAULT_MODEL, "cpu", 256)


@pytest.fixture(scope="module")
def stock() -> SamModel:
    """SAM's own modules with the prompt encoder and the decoder in full size: the toy's takes nothing from logits."""
    return stock_model(width=64, depth=2, size=64)


@pytest.fixture(params=["stock", "compact"])
def model(request: pytest.FixtureRequest) -> SamModel:
    found: SamModel = request.getfixturevalue(request.param)
    return found


def answer(model: SamModel, seed: int = 0) -> torch.Tensor:
    """Some logits on the model's grid."""
    return torch.randn(model.grid, model.grid, generator=torch.Generator().manual_seed(seed)) * 4


# --- refined --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [None, Window(16, 8, 80, 60)])
def test_an_untrained_refiner_answers_as_the_model_to_logits_box_and_clicks_together(
    model: SamModel, window: Window | None
) -> None:
    features, logits = encoded(model, window=window), answer(model)
    given = Prompt(CLICKS.clicks, BOX, Logits(features.window, logits.numpy()))
    with torch.no_grad():
        expected = decode(model, model.frozen.tensors, features, embed(model, features, given))
        found, iou = refined(model, untrained(model), features, CLICKS, logits, BOX)
    assert found.shape == (model.grid, model.grid)
    assert torch.equal(found, expected.logits[0])
    assert iou.item() == expected.iou[0].item()


def test_every_input_counts(model: SamModel) -> None:
    features, refiner = encoded(model), moved(model)

    def ask(prompt: Prompt = CLICKS, seed: int = 0, box: Box = BOX) -> torch.Tensor:
        with torch.no_grad():
            return refined(model, refiner, features, prompt, answer(model, seed), box)[0]

    first = ask()
    assert torch.equal(first, ask())
    for other in (ask(Prompt(CLICKS.clicks[:1])), ask(Prompt()), ask(seed=1), ask(box=Box(10, 10, 50, 50))):
        assert (first - other).abs().max() > 1e-3
    own_box = Prompt(CLICKS.clicks, Box(0, 0, 5, 5), Logits(features.window, answer(model, 7).numpy()))
    assert torch.equal(first, ask(own_box))  # of a prompt the clicks alone are used


def test_both_parts_are_the_refiners_own_and_the_model_is_never_written_to(model: SamModel) -> None:
    before, features = state(model), encoded(model)
    own, other = untrained(model), moved(model)
    found = []
    for refiner in (own, of_tensors({**own.tensors, **_part(other.tensors, "prompts.")}, {}), other):
        with torch.no_grad():
            found.append(refined(model, refiner, features, CLICKS, answer(model), BOX)[0])
    assert not torch.allclose(found[0], found[1], atol=1e-3)  # another prompt encoder
    assert not torch.allclose(found[1], found[2], atol=1e-3)  # and another decoder
    assert unchanged(model, before)


def _part(tensors: dict[str, torch.Tensor], part: str) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in tensors.items() if name.startswith(part)}


def test_gradients_reach_decoder_and_prompt_encoder_and_nothing_else(model: SamModel) -> None:
    before, features = state(model), encoded(model)
    tensors = trainable_copy(untrained(model).tensors)
    logits, iou = refined(model, of_tensors(tensors, {}), features, CLICKS, answer(model), BOX)
    (logits.mean() + iou).backward()
    reached = {name for name, tensor in tensors.items() if tensor.grad is not None and tensor.grad.abs().sum() > 0}
    assert "decoder.output_hypernetworks_mlps.0.layers.2.weight" in reached
    assert {f"prompts.point_embeddings.{i}.weight" for i in range(4)} <= reached  # clicks of both signs, both corners
    assert "prompts.mask_downscaling.0.weight" in reached
    assert unchanged(model, before)


# --- the map --------------------------------------------------------------------------------------------------------


def test_the_difference_is_between_probabilities() -> None:
    s, r = torch.tensor([0.0, 100.0, -100.0, 2.0]), torch.tensor([math.log(3), -100.0, -100.0, 2.0])
    assert refinement_difference(s, r).tolist() == pytest.approx([0.25, 1.0, 0.0, 0.0])
    assert torch.equal(refinement_difference(s, r), refinement_difference(r, s))


def test_a_compact_model_looks_close_around_the_mask_and_sams_own_where_it_answered(
    toy: SamModel, compact: SamModel
) -> None:
    extent, prompt = Window(0, 0, 400, 300), Prompt((Click(150, 120, True),))
    mask = trimmed(np.ones((41, 41), bool), 130, 100)
    assert refining_window(compact, extent, mask, prompt, extent) == Window(110, 80, 82, 82)
    assert refining_window(toy, extent, mask, prompt, extent) == extent
    away = Prompt((*prompt.clicks, Click(300, 120, False)))
    assert refining_window(compact, extent, mask, away, extent) == extent  # no click is lost
    assert refining_window(compact, extent, trimmed(np.zeros((4, 4), bool)), prompt, extent) == extent


def test_an_answer_is_refined_around_its_mask(model: SamModel) -> None:
    features, refiner, logits = encoded(model), moved(model), answer(model)
    found, reason = refinement(model, refiner, features, CLICKS, logits, DISC)
    assert found is not None
    assert reason == ""
    with torch.no_grad():
        expected, iou = refined(model, refiner, features, CLICKS, logits, Box(44, 28, 84, 68))  # 64 - 20 .. 64 + 20
    assert torch.equal(found.logits, expected)
    assert found.iou == iou.item()
    assert torch.equal(found.uncertainty, refinement_difference(logits, expected))


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_what_is_not_finite_has_no_map_but_a_reason(toy: SamModel, broken: float) -> None:
    logits = answer(toy)
    logits[3, 4] = broken
    found, reason = refinement(toy, moved(toy), encoded(toy), CLICKS, logits, DISC)
    assert found is None
    assert "not finite" in reason


def test_an_empty_answer_has_no_map_but_a_reason(toy: SamModel) -> None:
    empty = Mask(3, 3, np.zeros((1, 1), np.bool_))
    found, reason = refinement(toy, moved(toy), encoded(toy), CLICKS, answer(toy), empty)
    assert found is None
    assert "empty" in reason


def test_a_refiner_that_gives_no_numbers_has_a_reason(toy: SamModel) -> None:
    tensors = {name: tensor * float("nan") for name, tensor in untrained(toy).tensors.items()}
    found, reason = refinement(toy, of_tensors(tensors, {}), encoded(toy), CLICKS, answer(toy), DISC)
    assert found is None
    assert "refined mask is not finite" in reason


@pytest.mark.parametrize("side", [32, 7, 1])
def test_an_image_smaller_than_a_window_is_refined(toy: SamModel, side: int) -> None:
    whole = Mask(0, 0, np.ones((side, side), np.bool_))
    prompt = Prompt((Click(side // 2, side // 2, True),))
    found, reason = refinement(toy, moved(toy), encoded(toy, side, side), prompt, answer(toy), whole)
    assert found is not None, reason
    assert found.uncertainty.shape == (16, 16)


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_refiner_comes_back_as_it_was_measured(model: SamModel, tmp_path: Path) -> None:
    refiner, path = moved(model), tmp_path / "a.safetensors"
    save_refiner(refiner, model, path, {"data": "leaves", "model": "never this"})
    back = load_refiner(path, model)
    assert list(back.tensors) == list(untrained(model).tensors)
    assert all(torch.equal(tensor, refiner.tensors[name]) for name, tensor in back.tensors.items())
    assert back.facts["data"] == "leaves"
    assert back.facts["model"] == model.name
    assert back.facts["fingerprint"] == fingerprint(model)
    assert all(tensor.dtype is torch.float16 for tensor in load_file(path).values())


def test_the_refiner_of_another_model_is_refused_with_both_names(
    toy: SamModel, compact: SamModel, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    save_refiner(moved(toy), toy, path, {})
    with pytest.raises(CheckpointError, match=r"'toy', not for this 'samtta-small'"):
        load_refiner(path, compact)
    with pytest.raises(CheckpointError, match=r"'toy', not for this 'toy'"):  # the same name, other weights
        load_refiner(path, toy_model(seed=1))


@pytest.mark.parametrize("kept", [0, 7, 200, -10])
def test_a_truncated_file_is_refused(toy: SamModel, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.safetensors"
    save_refiner(moved(toy), toy, path, {})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_refiner(path, toy)


def test_a_file_of_another_kind_is_refused(toy: SamModel, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"w": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="holds no refiner"):
        load_refiner(path, toy)


@pytest.mark.parametrize("damage", ["nan", "missing", "shape", "more"])
def test_damage_inside_is_refused(toy: SamModel, tmp_path: Path, damage: str) -> None:
    path, name = tmp_path / "a.safetensors", "decoder.iou_token.weight"
    save_refiner(moved(toy), toy, path, {})
    facts, tensors = dict(load_refiner(path, toy).facts), load_file(path)
    if damage == "nan":
        tensors[name][0, 0] = float("nan")
    elif damage == "missing":
        del tensors[name]
    elif damage == "shape":
        tensors[name] = tensors[name][:, :5].contiguous()
    else:
        tensors["decoder.extra"] = torch.zeros(1)
    save_file(tensors, path, metadata=facts)
    with pytest.raises(CheckpointError, match="damaged"):
        load_refiner(path, toy)


def test_what_is_not_finite_in_half_precision_is_not_written(toy: SamModel, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"the one before")
    large = {name: tensor + 1e5 for name, tensor in untrained(toy).tensors.items()}
    with pytest.raises(ValueError, match="not finite"):
        save_refiner(of_tensors(large, {}), toy, path, {})
    assert path.read_bytes() == b"the one before"


def test_a_refiner_is_found_in_the_model_folder(toy: SamModel) -> None:
    found, reason = refiner_for(toy)
    assert found is None
    assert "'toy' has no refiner" in reason
    path = put(toy, moved(toy))
    found, reason = refiner_for(toy)
    assert found is not None
    assert reason == ""
    path.write_bytes(b"damaged")
    found, reason = refiner_for(toy)
    assert found is None
    assert str(path) in reason


def test_the_shipped_refiner_is_the_shipped_models_and_mends_its_answers(compact: SamModel) -> None:
    refiner, reason = refiner_for(compact)
    assert reason == ""
    assert refiner is not None
    assert refiner.tensors.keys() == untrained(compact).tensors.keys()
    held_out = json.loads(refiner.facts["held_out"])
    assert held_out["refined_iou"] > held_out["iou"] > held_out["before_refined_iou"]
    image = picture(3, 96, 128, ((64, 48, 20),))
    features = encode_window(compact, image, image.whole)
    shown = answer(compact)
    mended, _ = refinement(compact, refiner, features, CLICKS, shown, DISC)
    plain, _ = refinement(compact, untrained(compact), features, CLICKS, shown, DISC)
    assert mended is not None
    assert plain is not None
    assert not torch.equal(mended.logits, plain.logits)
