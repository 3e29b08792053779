"""Uncertainty heads: their arithmetic, what is stored, and which model they may be used with."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from samtta_app.core.types import Click, Prompt
from samtta_app.errors import CheckpointError
from samtta_app.model.answers import answer_prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.model_registry import toy_model
from samtta_app.train.asked_objects import at_its_end
from samtta_app.uncertainty.heads import (
    GAP_NAMES,
    HEAD_NAMES,
    IOU_NAMES,
    SHOWN_GAPS,
    GapHeads,
    for_clicks,
    gaps_of,
    heads_for,
    load_heads,
    new_heads,
    save_heads,
)
from samtta_app.uncertainty.offered_masks import offered
from tests.unit.values import picture

WIDTH = 64
"""2C of the toy model."""


@pytest.fixture(scope="module")
def model() -> SamModel:
    return toy_model()


@pytest.fixture
def heads(model: SamModel) -> GapHeads:
    return new_heads(WIDTH, model.name, "larger", seed=3)


def stored(heads: GapHeads, model: SamModel, path: Path) -> Path:
    save_heads(heads, path, {"fingerprint": fingerprint(model), "data": "discs"})
    return path


def constant(heads: GapHeads, values: dict[str, float]) -> GapHeads:
    """Heads that say the same whatever they see: the last bias is the inverse sigmoid of the value."""
    layers = {name: torch.zeros_like(value) for name, value in heads.layers.items()}
    layers["b3"] = torch.tensor([math.log(v / (1 - v)) for v in values.values()]).reshape(-1, 1, 1)
    return replace(heads, names=tuple(values), layers=layers)


def test_heads_are_three_linear_layers_with_relu_and_a_sigmoid(heads: GapHeads) -> None:
    tokens = torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(1))
    said = heads(tokens)
    assert said.shape == (len(HEAD_NAMES), 5)
    for place in range(len(HEAD_NAMES)):
        w = {name: value[place] for name, value in heads.layers.items()}
        x = torch.relu(tokens @ w["w1"] + w["b1"])
        x = torch.relu(x @ w["w2"] + w["b2"])
        assert torch.allclose(said[place], torch.sigmoid(x @ w["w3"] + w["b3"])[:, 0], atol=1e-6)


def test_the_paper_s_size(model: SamModel) -> None:
    """525,825 parameters for SAM's 256-dimensional tokens (section A.2)."""
    paper = new_heads(512, model.name, "", 0, ("iou",))
    assert sum(value.numel() for value in paper.layers.values()) == 525_825


def test_gaps_are_told_about_zero_and_differences_are_of_two_iou_heads(heads: GapHeads) -> None:
    values = {"iou": 0.7, "iou_larger": 0.8, "iou_dense": 0.9, "iou_chosen": 0.6}
    values |= {"model_gap": 0.55, "task_gap": 0.65, "prompt_gap": 0.3}
    few = {name: value[: len(values)] for name, value in heads.layers.items()}
    found = constant(replace(heads, layers=few), values).predicted(torch.zeros(2, WIDTH))
    expected = {**values, "model_gap": 0.05, "task_gap": 0.15, "prompt_gap": -0.2}
    expected |= {"model_gap_difference": 0.1, "task_gap_difference": 0.1, "prompt_gap_difference": 0.2}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].tolist() == pytest.approx([value, value], abs=1e-6), name


def test_without_a_larger_model_nothing_is_said_of_it(heads: GapHeads) -> None:
    names = tuple(name for name in HEAD_NAMES if name not in ("iou_larger", "model_gap"))
    found = heads.only(*names).predicted(torch.zeros(1, WIDTH))
    assert not any("model_gap" in name or "larger" in name for name in found)
    assert {"task_gap", "prompt_gap", "task_gap_difference"} <= found.keys()
    (gaps,) = gaps_of(for_clicks(heads.only(*names)), torch.zeros(1, WIDTH)) or ()
    assert math.isnan(gaps.model)
    assert math.isfinite(gaps.task)


def test_only_keeps_the_order_that_is_asked_for(heads: GapHeads) -> None:
    tokens = torch.ones(1, WIDTH)
    every = dict(zip(HEAD_NAMES, heads(tokens), strict=True))
    some = heads.only("prompt_gap", "iou")
    assert some.names == ("prompt_gap", "iou")
    assert torch.allclose(some(tokens)[0], every["prompt_gap"])
    assert torch.allclose(some(tokens)[1], every["iou"])


def test_each_mask_has_gaps_of_its_own_in_the_order_of_the_value(heads: GapHeads) -> None:
    tokens = torch.randn(3, WIDTH, generator=torch.Generator().manual_seed(2))
    gaps = gaps_of(for_clicks(heads), tokens)
    assert gaps is not None
    assert (*GAP_NAMES, "iou_chosen") == SHOWN_GAPS
    found = heads.predicted(tokens)
    for place, one in enumerate(gaps):
        wanted = [float(found[name][place]) for name in SHOWN_GAPS]
        assert [one.model, one.task, one.prompt, one.iou] == pytest.approx(wanted)
    assert len({one.iou for one in gaps}) == 3


def test_a_mask_that_is_put_together_is_expected_to_be_better(heads: GapHeads, model: SamModel) -> None:
    image = picture(3, 64, 64, discs=((32, 32, 12),))
    prompt = Prompt((Click(32.0, 32.0, True),))
    found = at_its_end(answer_prompt(model, FeatureCache(model), model.frozen, image, prompt))
    of_one, of_nine = (
        offered(replace(found, clicks=(count,) * len(found.masks)), for_clicks(heads))[found.chosen].gaps
        for count in (1, 9)
    )
    assert of_one is not None
    assert of_nine is not None
    assert of_nine.iou == pytest.approx(1 - (1 - of_one.iou) / 9**0.25)
    assert (of_nine.task, of_nine.prompt) == (of_one.task, of_one.prompt)


def test_tokens_that_are_not_finite_have_no_gaps(heads: GapHeads) -> None:
    tokens = torch.full((3, WIDTH), float("nan"))
    assert gaps_of(for_clicks(heads), tokens) is None


def test_stored_heads_come_back_rounded_to_half_precision(heads: GapHeads, model: SamModel, tmp_path: Path) -> None:
    back = load_heads(stored(heads, model, tmp_path / "h.safetensors"), model)
    assert back.names == HEAD_NAMES
    assert set(IOU_NAMES) < set(back.names)
    assert (back.model, back.larger, back.facts["data"]) == ("toy", "larger", "discs")
    for name, value in heads.layers.items():
        assert torch.equal(back.layers[name], value.half().float())


def test_heads_of_other_weights_are_refused_with_both_names(heads: GapHeads, model: SamModel, tmp_path: Path) -> None:
    path = stored(replace(heads, model="other"), toy_model(seed=5), tmp_path / "h.safetensors")
    with pytest.raises(CheckpointError, match=r"'other'.*'toy'"):
        load_heads(path, model)


def test_a_fingerprint_tells_weights_apart_and_not_names(model: SamModel) -> None:
    assert fingerprint(model) == fingerprint(replace(toy_model(), name="renamed"))
    assert fingerprint(model) != fingerprint(toy_model(seed=1))


def test_heads_that_are_not_finite_are_not_written(heads: GapHeads, tmp_path: Path) -> None:
    heads.layers["w2"][0, 0, 0] = float("inf")
    with pytest.raises(ValueError, match="not finite"):
        save_heads(heads, tmp_path / "h.safetensors", {})
    assert not (tmp_path / "h.safetensors").exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "other kind", "shape", "nan", "missing"])
def test_damaged_files_are_refused_in_words(heads: GapHeads, model: SamModel, tmp_path: Path, damage: str) -> None:
    path = stored(heads, model, tmp_path / "h.safetensors")
    layers, about = load_file(path), {"format": "samtta-heads-1", "names": '["iou"]', "model": "toy", "larger": ""}
    about["fingerprint"] = fingerprint(model)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "other kind":
        save_file(layers, path, {**about, "format": "something"})
    elif damage == "shape":
        save_file(layers, path, about)  # one name, weights for all of them
    elif damage == "nan":
        one = {name: torch.full_like(value[:1], float("nan")) for name, value in layers.items()}
        save_file(one, path, about)
    else:
        save_file({name: value for name, value in layers.items() if name != "b2"}, path, about)
    with pytest.raises(CheckpointError, match="heads"):
        load_heads(path, model)


def test_a_model_without_heads_has_a_reason_in_their_place(model: SamModel) -> None:
    found, reason = heads_for(model)
    assert found is None
    assert "'toy'" in reason
    assert "samtta train heads" in reason


def test_heads_in_the_model_folder_are_found(
    heads: GapHeads, model: SamModel, tmp_path: Path, samtta_home: Path
) -> None:
    folder = samtta_home / "models"
    folder.mkdir(parents=True)
    shutil.copy(stored(heads, model, tmp_path / "h.safetensors"), folder / "toy.heads.safetensors")
    found, reason = heads_for(model)
    assert reason == ""
    assert found is not None
    assert found.names == HEAD_NAMES
    (folder / "toy.heads.safetensors").write_bytes(b"no heads")
    found, reason = heads_for(model)
    assert found is None
    assert "cannot be read" in reason
