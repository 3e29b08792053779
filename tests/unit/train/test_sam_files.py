"""Finished models and checkpoints: whole or not at all, in a layout that others open, and never mistaken for another's."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from segment_anything import sam_model_registry

from samtta_app.errors import CheckpointError, ExportError
from samtta_app.model.model_registry import DEFAULT_MODEL, load_model, toy_model
from samtta_app.model.weights import Weights, write_tensors
from samtta_app.settings import resource
from samtta_app.train.decoder.decoder_files import (
    decoder_bytes,
    file_ending,
    model_digest,
    net_in_file,
    read_state,
    write_model,
)

full_disk = pytest.mark.skipif(sys.platform != "linux", reason="Linux has a device that is always full")


def changed(weights: Weights) -> dict[str, torch.Tensor]:
    """The same tensors, each a little larger."""
    return {name: tensor + 2**-6 for name, tensor in weights.tensors.items()}


def write_official(path: Path) -> Path:
    """A file of the true ViT-B layout: zeros, but a decoder that is not."""
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in sam_model_registry["vit_b"]().state_dict().items()}
    state = {key: torch.full(shape, 0.01 * key.startswith("mask_decoder.")) for key, shape in shapes.items()}
    torch.save(state, path)
    return path


# --- finished models ------------------------------------------------------------------------------------------------


def test_an_official_model_is_opened_again_here_and_strictly_by_the_original_registry(tmp_path: Path) -> None:
    model = load_model(write_official(tmp_path / "sam_vit_b_01ec64.pth"), "cpu")
    tensors, out = changed(model.frozen), tmp_path / "tuned.pth"
    write_model(net_in_file(model, tmp_path), tensors, out, "")
    again = load_model(out, "cpu")
    assert (again.name, again.size) == ("vit_b", 1024)
    assert all(torch.equal(again.frozen.tensors[name], tensors[name]) for name in tensors)
    begun, done = model.net.state_dict(), again.net.state_dict()
    assert begun.keys() == done.keys()
    assert all(torch.equal(begun[key], done[key]) for key in begun if not key.startswith("mask_decoder."))
    original = sam_model_registry["vit_b"](checkpoint=str(out))  # loads with strict=True
    assert torch.equal(original.mask_decoder.iou_token.weight, tensors["iou_token.weight"])


def test_a_compact_model_is_written_as_it_was_measured_in_the_layout_of_its_file(tmp_path: Path) -> None:
    model, out = load_model(device="cpu"), tmp_path / "tuned.safetensors"
    tensors = decoder_bytes(model, {name: tensor + 0.001 for name, tensor in model.frozen.tensors.items()})
    before = model_digest(model)
    write_model(net_in_file(model, DEFAULT_MODEL), tensors, out, "a note")
    assert model_digest(model) == before
    again = load_model(out, "cpu")
    assert all(torch.equal(again.frozen.tensors[name], tensors[name]) for name in tensors)
    begun, done = load_file(resource(f"models/{DEFAULT_MODEL}.safetensors")), load_file(out)
    assert begun.keys() == done.keys()
    assert all(torch.equal(begun[key], done[key]) for key in done if not key.startswith("mask_decoder."))
    assert net_in_file(again, str(out)).net.config == model.net.config
    with safe_open(out, framework="pt") as file:
        assert file.metadata()["training"] == "a note"


def test_what_the_file_rounds_is_rounded_before_it_is_measured() -> None:
    fine = {"a": torch.tensor([1 / 3])}
    assert decoder_bytes(toy_model(), fine)["a"].item() == fine["a"].item()
    assert decoder_bytes(load_model(device="cpu"), fine)["a"].item() == fine["a"].half().item()
    kept = decoder_bytes(toy_model(), fine)
    fine["a"].zero_()
    assert kept["a"].item() > 0


def test_weights_that_half_precision_cannot_hold_are_not_written(tmp_path: Path) -> None:
    model, out = load_model(device="cpu"), tmp_path / "tuned.safetensors"
    out.write_bytes(b"older")
    tensors = {**model.frozen.tensors, "iou_token.weight": model.frozen.tensors["iou_token.weight"] + 1e6}
    with pytest.raises(ExportError, match="not finite"):
        write_model(net_in_file(model, DEFAULT_MODEL), tensors, out, "")
    assert out.read_bytes() == b"older"


@full_disk
def test_a_full_disk_leaves_the_older_model_and_nothing_half(tmp_path: Path) -> None:
    model, out = toy_model(), tmp_path / "tuned.pth"
    write_model(model.backbone, model.frozen.tensors, out, "")
    older = out.read_bytes()
    (tmp_path / "tuned.pth.part").symlink_to("/dev/full")
    with pytest.raises(ExportError, match="not written") as caught:
        write_model(model.backbone, changed(model.frozen), out, "")
    assert caught.value.where == str(out)
    assert "--resume" in caught.value.do
    assert out.read_bytes() == older
    assert [path.name for path in tmp_path.iterdir()] == ["tuned.pth"]


def test_a_models_file_has_the_ending_that_opens_it_again() -> None:
    assert file_ending(toy_model()) == ".pth"
    assert file_ending(load_model(device="cpu")) == ".safetensors"


# --- checkpoints ----------------------------------------------------------------------------------------------------


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    path, belongs = tmp_path / "a.resume.pt", {"model": "m", "data": "d", "plan": "p"}
    write_tensors(path, {"belongs": belongs, "tensors": {"a": torch.arange(3.0)}})
    assert torch.equal(read_state(path, belongs)["tensors"]["a"], torch.arange(3.0))
    assert [file.name for file in tmp_path.iterdir()] == ["a.resume.pt"]


@pytest.mark.parametrize(
    ("other", "named"),
    [({"model": "x"}, "model"), ({"data": "x"}, "data"), ({"model": "x", "plan": "x"}, "model and plan")],
)
def test_a_checkpoint_of_another_run_says_what_differs(tmp_path: Path, other: dict[str, str], named: str) -> None:
    path, belongs = tmp_path / "a.resume.pt", {"model": "m", "data": "d", "plan": "p"}
    write_tensors(path, {"belongs": belongs})
    with pytest.raises(CheckpointError, match=f"another run: not the same {named} ") as caught:
        read_state(path, {**belongs, **other})
    assert caught.value.where == str(path)


@pytest.mark.parametrize("data", [b"", b"nonsense", None])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "a.resume.pt"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_state(path, {"model": "m"})


def test_other_tensors_are_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "a.resume.pt"
    torch.save({"mask_decoder.a": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_state(path, {"model": "m"})


@full_disk
def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "a.resume.pt"
    write_tensors(path, {"step": 1})
    (tmp_path / "a.resume.pt.part").symlink_to("/dev/full")
    with pytest.raises((OSError, RuntimeError)):
        write_tensors(path, {"step": 2, "more": torch.zeros(100_000)})
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["a.resume.pt"]


def test_the_digest_of_a_model_knows_every_part_of_it() -> None:
    first = model_digest(toy_model())
    assert model_digest(replace(toy_model(), name="renamed")) == first
    for part in ("image_encoder", "prompt_encoder", "mask_decoder"):
        model = toy_model()
        next(getattr(model.net, part).parameters()).add_(1)
        assert model_digest(model) != first
