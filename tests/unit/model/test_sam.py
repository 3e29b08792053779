"""Official checkpoints load from the official layout; every broken file is named, and nothing in it is run."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from segment_anything import sam_model_registry

from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer
from samtta_app.core.types import Click, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import CheckpointError
from samtta_app.images.read import from_array
from samtta_app.model.backbones.compact import COMPACT_POLICY
from samtta_app.model.backbones.sam import SAM_POLICY
from samtta_app.model.model_registry import OFFICIAL_CHECKPOINTS, load_model, model_file, toy_model
from samtta_app.settings import model_folder, resource


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state dict of the true ViT-B architecture, saved as Meta saves it."""
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in sam_model_registry["vit_b"]().state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    state = {key: torch.randn(shape, generator=generator) * 0.02 for key, shape in shapes.items()}
    path = tmp_path_factory.mktemp("official") / "sam_vit_b_01ec64.pth"
    torch.save(state, path)
    return path


def test_an_official_vit_b_file_is_recognised_and_every_tensor_arrives(official: Path) -> None:
    model = load_model(official)
    assert (model.name, model.size, model.grid, model.policy) == ("vit_b", 1024, 256, SAM_POLICY)
    stored = torch.load(official, weights_only=True)
    loaded = model.net.state_dict()
    assert loaded.keys() == stored.keys()
    assert all(torch.equal(loaded[key], stored[key]) for key in stored)
    assert model.net.pixel_mean.flatten().tolist() == pytest.approx([123.675, 116.28, 103.53])
    assert 93e6 < model.parameters < 94e6
    assert set(model.frozen.tensors) == {k[len("mask_decoder.") :] for k in stored if k.startswith("mask_decoder.")}


def test_an_official_file_in_the_model_folder_is_found_by_its_architecture(official: Path) -> None:
    model_folder().mkdir(parents=True, exist_ok=True)
    (model_folder() / OFFICIAL_CHECKPOINTS["vit_b"]).symlink_to(official)
    assert load_model("vit_b").name == "vit_b"


def test_a_truncated_file_is_called_damaged(official: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.pth"
    path.write_bytes(official.read_bytes()[:100_000])
    with pytest.raises(CheckpointError, match="truncated or damaged") as caught:
        load_model(path)
    assert str(path) in str(caught.value)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.pth"
    path.write_bytes(b"")
    with pytest.raises(CheckpointError):
        load_model(path)


class _Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (_touch, (str(self.path),))


def _touch(path: str) -> dict[str, int]:
    Path(path).write_text("executed")
    return {}


@pytest.mark.parametrize("save", ["torch", "pickle"])
def test_code_in_a_pickle_is_refused_and_not_run(save: str, tmp_path: Path) -> None:
    path, trace = tmp_path / "bomb.pth", tmp_path / "trace"
    if save == "torch":
        torch.save({"image_encoder": _Bomb(trace)}, path)
    else:
        path.write_bytes(pickle.dumps(_Bomb(trace)))
    with pytest.raises(CheckpointError, match="not executed"):
        load_model(path)
    assert not trace.exists()


def test_another_architecture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match="another architecture"):
        load_model(path)


def test_a_list_of_tensors_is_no_state_dict(tmp_path: Path) -> None:
    path = tmp_path / "list.pth"
    torch.save([torch.zeros(1)], path)
    with pytest.raises(CheckpointError, match="not a SAM state dict"):
        load_model(path)


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_one_wrong_key_or_shape_is_found(change: str, official: Path, tmp_path: Path) -> None:
    state = torch.load(official, weights_only=True)
    if change == "missing":
        del state["mask_decoder.iou_token.weight"]
    elif change == "extra":
        state["mask_decoder.more"] = torch.zeros(1)
    else:
        state["mask_decoder.iou_token.weight"] = torch.zeros(1, 128)
    path = tmp_path / "changed.pth"
    torch.save(state, path)
    with pytest.raises(CheckpointError, match=r"does not fit SAM vit_b.*mask_decoder"):
        load_model(path)


def test_a_missing_file_says_where_it_was_looked_for_and_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such model file") as caught:
        load_model(tmp_path / "nothing.pth")
    assert "samtta-small" in str(caught.value)


def test_a_damaged_safetensors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(b"\x00" * 50)
    with pytest.raises(CheckpointError, match="cannot be used"):
        load_model(path)


def test_the_default_model_loads_and_is_small() -> None:
    model = load_model()
    assert model.policy is COMPACT_POLICY
    assert model.parameters < 6e6


def test_the_wider_model_loads_by_its_name_too() -> None:
    small, base = load_model(), load_model("samtta-base")
    assert (base.name, base.size) == ("samtta-base", small.size)
    assert 2 * small.parameters < base.parameters < 7e6


def test_a_shipped_model_is_found_by_its_name_and_any_other_by_its_path(tmp_path: Path) -> None:
    assert model_file("samtta-small") == resource("models/samtta-small.safetensors")
    mine = tmp_path / "mine.safetensors"
    with pytest.raises(CheckpointError, match="no such model file"):
        model_file(mine)
    mine.write_bytes(b"")
    assert model_file(str(mine)) == mine


def test_the_default_model_answers_at_another_input_size() -> None:
    model = load_model(input_size=256)
    assert (model.size, model.grid) == (256, 64)
    image = from_array(np.full((40, 60, 3), 90, np.uint8))
    reply = run(Engine(model), PredictRequest(1, image, Prompt((Click(20, 20, True),)), image.whole))
    assert isinstance(reply, Answer)
    assert {c.logits.values.shape for c in reply.candidates} == {(64, 64)}


@pytest.mark.parametrize("size", [32, 500, 1056])
def test_an_input_size_that_the_model_has_not_is_refused(size: int) -> None:
    with pytest.raises(CheckpointError, match="multiple of 32"):
        load_model(input_size=size)


def test_an_official_sam_has_one_input_size(official: Path) -> None:
    assert load_model(official, input_size=1024).size == 1024
    with pytest.raises(CheckpointError, match="1024 pixels only"):
        load_model(official, input_size=512)


def test_the_toy_model_is_the_same_for_the_same_seed_and_leaves_the_random_state_alone() -> None:
    state = torch.random.get_rng_state()
    one, two = toy_model(3), toy_model(3)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(one.frozen.tensors[key], two.frozen.tensors[key]) for key in one.frozen.tensors)
    assert 20_000 < one.parameters < 120_000
