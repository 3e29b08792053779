"""All architectures stand behind one seam, and a further one needs a file and a row in the registry."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor

from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer
from samtta_app.core.types import Box, Click, Prompt
from samtta_app.core.windows import first_window
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import CheckpointError
from samtta_app.model import model_registry
from samtta_app.model.backbone import Backbone, Policy, SamModel, built_model
from samtta_app.model.backbones.compact import (
    COMPACT_POLICY,
    CompactBackbone,
    CompactConfig,
    build_compact,
)
from samtta_app.model.backbones.official import open_official
from samtta_app.model.backbones.sam import SAM_POLICY, OfficialSam, toy_sam
from samtta_app.model.model_registry import OPENERS, load_model, open_safetensors
from samtta_app.model.predictor import ImageFeatures, decode, embed, encode, to_input
from tests.unit.model.official_toys import toy_hq, toy_sam_two
from tests.unit.values import picture

T = TypeVar("T")

SMALL = CompactConfig(dim=32, mlp=32, heads=2, depth=1, head_dim=32, input_size=64)


def compact() -> CompactBackbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return CompactBackbone(build_compact(SMALL))


MAKERS: dict[str, Callable[[], Backbone]] = {
    "sam": lambda: OfficialSam(toy_sam()),
    "compact": compact,
    "hq": toy_hq,
    "sam2": toy_sam_two,
}
SKIPS = {"sam": 0, "compact": 2, "hq": 1, "sam2": 2}


@pytest.fixture(scope="module", params=MAKERS)
def model(request: pytest.FixtureRequest) -> SamModel:
    return built_model(request.param, MAKERS[request.param](), 64)


def done(work: Generator[Any, None, T]) -> tuple[T, int]:
    """The value of a generator, and how often it gave way."""
    steps = 0
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value, steps
        steps += 1


def encoded(model: SamModel) -> ImageFeatures:
    return done(encode(model, picture(), picture().whole))[0]


def test_encoding_gives_an_embedding_of_the_tokens_width(model: SamModel) -> None:
    embedding, skips = done(model.backbone.encode(torch.zeros(1, 3, 64, 64)))[0]
    assert embedding.shape == (1, model.backbone.width, 4, 4)
    assert len(skips) == SKIPS[model.name]
    assert not embedding.requires_grad


def test_a_slow_encoder_gives_way_between_its_blocks_and_a_quick_one_needs_not(model: SamModel) -> None:
    _, steps = done(model.backbone.encode(torch.zeros(1, 3, 64, 64)))
    assert (steps > 0) is not model.policy.quick_encoder


def test_decoding_gives_four_masks_their_ious_and_five_tokens(model: SamModel) -> None:
    features, backbone = encoded(model), model.backbone
    points = torch.tensor([[[20.0, 30.0]], [[40.0, 10.0]]]), torch.ones(2, 1, dtype=torch.int64)
    with torch.no_grad():
        embedded = backbone.embed(points, None, None, 64)
        logits, iou, tokens = backbone.decode(
            model.frozen.tensors, features.embedding, features.skips, embedded, model.size
        )
    assert (logits.shape, iou.shape, tokens.shape) == ((2, 4, 16, 16), (2, 4), (2, 5, backbone.width))


def test_other_prompt_weights_change_what_is_embedded_and_its_own_do_not(model: SamModel) -> None:
    points = torch.tensor([[[20.0, 30.0]]]), torch.ones(1, 1, dtype=torch.int64)
    own = model.backbone.prompt_weights
    with torch.no_grad():
        plain = model.backbone.embed(points, None, None, 64)
        same = model.backbone.embed(points, None, None, 64, own)
        other = model.backbone.embed(points, None, None, 64, {name: value + 1 for name, value in own.items()})
    assert torch.equal(plain.sparse, same.sparse)
    assert torch.equal(plain.dense, same.dense)
    assert not torch.equal(plain.sparse, other.sparse)


def test_gradients_reach_the_decoder_weights_that_are_given(model: SamModel) -> None:
    tensors = {name: value.clone().requires_grad_() for name, value in model.frozen.tensors.items()}
    features = encoded(model)
    decode(model, tensors, features, embed(model, features, Prompt((Click(60, 50, True),)))).logits.sum().backward()
    assert any(value.grad is not None and bool(value.grad.any()) for value in tensors.values())
    assert all(parameter.grad is None for parameter in model.net.parameters())


def test_the_frozen_weights_are_those_of_the_decoder(model: SamModel) -> None:
    own = model.backbone.decoder_weights
    assert own.keys() == model.frozen.tensors.keys()
    assert all(value.data_ptr() == own[name].data_ptr() for name, value in model.frozen.tensors.items())
    assert not any(value.requires_grad for value in own.values())


def test_a_pixels_centre_stays_one_only_where_the_policy_says_so(model: SamModel) -> None:
    window = first_window(picture().whole, None, (), Box(0, 0, 31, 31), None)
    scale = model.size / window.side
    found = to_input(model, window, (model.size, model.size), torch.tensor([float(window.x), float(window.y)]))
    wanted = (scale - 1) / 2 if model.policy.pixel_centres else 0.0
    assert found[0].item() == pytest.approx(wanted, abs=0.5)
    assert (found[0].item() == 0.0) is not model.policy.pixel_centres


def test_the_policies_differ_in_all_that_is_asked_of_them() -> None:
    same = [name for name in Policy.__slots__ if getattr(SAM_POLICY, name) == getattr(COMPACT_POLICY, name)]
    assert same == ["stretched"]  # which only SAM 2 is


def test_written_weights_are_those_that_were_given(model: SamModel, tmp_path: Path) -> None:
    path = tmp_path / f"written{model.policy.ending}"
    changed = {name: torch.full_like(value, 0.25) for name, value in model.frozen.tensors.items()}
    model.backbone.write(changed, path, "a note")
    if model.policy is not COMPACT_POLICY:
        stored = torch.load(path, weights_only=True)
        part = "mask_decoder"
        if model.name == "sam2":
            stored, part = stored["model"], "sam_mask_decoder"
        assert all(bool((stored[f"{part}.{name}"] == 0.25).all()) for name in changed)
    else:
        again = load_model(path, "cpu")
        assert all(bool((value == 0.25).all()) for value in again.frozen.tensors.values())


def test_a_fused_model_is_read_again_and_any_other_is_itself(model: SamModel, tmp_path: Path) -> None:
    asked: list[Path] = []

    def file() -> Path:
        path = tmp_path / "kept.safetensors"
        model.backbone.write(model.frozen.tensors, path, "")
        asked.append(path)
        return path

    again = model.backbone.unfused(file)
    assert (again is model.backbone) is (not asked)
    assert bool(asked) is (model.policy is COMPACT_POLICY)


# --- a further architecture -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Further:
    """An architecture of another make: it wraps one, and has a policy of its own."""

    inner: OfficialSam
    policy: Policy

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def open_further(path: Path, input_size: int | None) -> tuple[str, Backbone, int]:
    del input_size
    return path.stem, Further(OfficialSam(toy_sam(3)), replace(SAM_POLICY, closer_look=True, ending=".further")), 64


def test_a_further_architecture_needs_a_row_and_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_registry, "OPENERS", {**OPENERS, ".further": open_further})
    path = tmp_path / "other.further"
    path.write_bytes(b"")
    model = load_model(path, "cpu")
    assert (model.name, model.size, model.policy.closer_look) == ("other", 64, True)
    reply = run(Engine(model), PredictRequest(1, picture(), Prompt((Click(60, 50, True),))))
    assert isinstance(reply, Answer)
    assert reply.candidates


def test_files_are_read_by_their_ending_and_unknown_ones_as_checkpoints(tmp_path: Path) -> None:
    assert {".safetensors": open_safetensors, ".pth": open_official, ".pt": open_official} == OPENERS
    path = tmp_path / "model.bin"
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError):
        load_model(path, "cpu")


def test_moving_a_model_keeps_its_name_size_and_weights(model: SamModel) -> None:
    moved = model.on("cpu")
    assert (moved.name, moved.size, moved.backbone) == (model.name, model.size, model.backbone)
    assert all(torch.equal(value, moved.frozen.tensors[name]) for name, value in model.frozen.tensors.items())


def test_normalised_pixels_are_about_one_wide(model: SamModel) -> None:
    pixels = torch.linspace(0, 255, 64).expand(3, 4, 64)
    found: Tensor = model.backbone.normalise(pixels)
    assert found.shape == pixels.shape
    assert found.min() < -0.9
    assert 0.9 < found.max() < 3
