"""A model file is judged before anything is built of it: no network, no other file, no gigabytes, no traceback."""

from __future__ import annotations

import io
import json
import pickle
import socket
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from samtta_app.errors import CheckpointError
from samtta_app.model import compact_limits
from samtta_app.model.backbones.compact import (
    COMPACT_FORMAT,
    COMPACT_POLICY,
    CompactConfig,
    build_compact,
    save_compact,
)
from samtta_app.model.compact_limits import RANGES, config_values
from samtta_app.model.loading import open_model
from samtta_app.model.model_registry import load_model

TOY = {"name": "toy", "backbone": "mobilenetv2_100", "dim": 32, "mlp": 32, "heads": 2, "depth": 1, "head_dim": 16}
TOY_CONFIG = CompactConfig(**TOY, input_size=64)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "toy.safetensors"
    save_compact(build_compact(TOY_CONFIG), path)
    return path


def changed(good: Path, path: Path, **config: object) -> Path:
    """The good file with another configuration."""
    metadata = {"format": COMPACT_FORMAT, "config": json.dumps({**TOY, "input_size": 64, **config})}
    save_file(load_file(good), path, metadata)
    return path


@pytest.fixture
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was built, or asked for on the network")

    monkeypatch.setattr(timm, "create_model", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(
    "config",
    [
        {"backbone": "hf-hub:somebody/model"},
        {"backbone": "hf_hub:somebody/model"},
        {"backbone": "local-dir:/etc"},
        {"backbone": "mobilenetv2_100.ra_in1k"},
        {"backbone": "vit_giant_patch14_224"},
        {"backbone": ["mobilenetv2_100"]},
        {"backbone": None},
        {"depth": 100_000},
        {"depth": 0},
        {"depth": True},
        {"depth": 1.0},
        {"mlp": 2**24},
        {"mlp": -32},
        {"dim": 10**12},
        {"dim": 33},
        {"heads": 3},
        {"heads": "2"},
        {"heads": 10**30},
        {"head_dim": 0},
        {"input_size": 1_000_000},
        {"input_size": 100},
        {"name": "a" * 1000},
        {"name": "a\n\x1b[2J"},
        {"more": 1},
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused_before_anything_is_built(
    config: dict[str, object], good: Path, tmp_path: Path, nothing_is_built: None
) -> None:
    with pytest.raises(CheckpointError, match="configuration"):
        load_model(changed(good, tmp_path / "a.safetensors", **config))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "1", "null", '"a"', "{", "NaN", '{"depth": 1e400}', "[" * 100_000, '{"depth": ' + "9" * 6000 + "}"],
    ids=lambda text: text[:12] or "empty",
)
def test_what_is_no_table_is_refused(text: str, good: Path, tmp_path: Path, nothing_is_built: None) -> None:
    path = tmp_path / "a.safetensors"
    save_file(load_file(good), path, {"format": COMPACT_FORMAT, "config": text})
    with pytest.raises(CheckpointError, match="configuration"):
        load_model(path)


def test_timm_is_never_asked_for_trained_weights(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    plain = timm.create_model

    def noted(name: str, **named: Any) -> Any:
        asked.append({"name": name, **named})
        return plain(name, **named)

    monkeypatch.setattr(timm, "create_model", noted)
    load_model(good)
    assert asked
    assert all(each["pretrained"] is False and each["name"] in compact_limits.BACKBONES for each in asked)


@pytest.mark.parametrize("field", sorted(RANGES))
def test_another_size_than_the_tensors_have_is_refused(field: str, good: Path, tmp_path: Path) -> None:
    value = {"input_size": 96, "dim": 64, "heads": 1, "depth": 2, "mlp": 48, "head_dim": 24}[field]
    path = changed(good, tmp_path / "a.safetensors", **{field: value})
    if field in ("input_size", "heads"):  # no tensor depends on them
        assert open_model(path).model.policy is COMPACT_POLICY
    else:
        with pytest.raises(CheckpointError, match="does not fit its configuration"):
            load_model(path)


def test_a_model_of_too_many_values_is_refused_without_making_them(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact_limits, "MAX_VALUES", 1000)
    with pytest.raises(CheckpointError, match="it asks for"):
        load_model(good)


Change = Callable[[dict[str, torch.Tensor]], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "a name less": (lambda state: state.popitem(), "missing"),
    "a name more": (lambda state: state.update(more=torch.zeros(1)), "unexpected"),
    "another shape": (lambda s: s.update({"mask_decoder.iou_token.weight": torch.zeros(1, 31).half()}), "is "),
    "another rank": (lambda s: s.update({"mask_decoder.iou_token.weight": torch.zeros(32).half()}), "is "),
    "whole numbers": (lambda s: s.update({k: v.to(torch.int8) for k, v in s.items()}), "where one of"),
    "doubles": (lambda s: s.update({k: v.double() for k, v in s.items()}), "where one of"),
    "booleans": (lambda s: s.update({"mask_decoder.iou_token.weight": torch.ones(1, 32, dtype=torch.bool)}), "BOOL"),
    "not finite": (lambda s: s.update({"mask_decoder.iou_token.weight": torch.full((1, 32), torch.nan)}), "finite"),
    "infinite": (lambda s: s.update({"mask_decoder.iou_token.weight": torch.full((1, 32), torch.inf)}), "finite"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_other_tensors_than_the_configuration_wants_are_refused(kind: str, good: Path, tmp_path: Path) -> None:
    state, (change, word) = load_file(good), CHANGES[kind]
    change(state)
    path = tmp_path / "a.safetensors"
    save_file(state, path, {"format": COMPACT_FORMAT, "config": json.dumps({**TOY, "input_size": 64})})
    with pytest.raises(CheckpointError, match=word):
        load_model(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_three_kinds_of_floating_point_are_read_as_single_precision(
    dtype: torch.dtype, good: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    state = {key: value.to(dtype) for key, value in load_file(good).items()}
    save_file(state, path, {"format": COMPACT_FORMAT, "config": json.dumps({**TOY, "input_size": 64})})
    model = open_model(path).model
    assert {value.dtype for value in model.frozen.tensors.values()} == {torch.float32}


@pytest.mark.parametrize("cut", [0, 1, 8, 9, 100, 5000, -1, -1000])
def test_a_file_that_is_cut_off_is_refused(cut: int, good: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(good.read_bytes()[:cut])
    with pytest.raises(CheckpointError):
        load_model(path)


def test_a_file_that_goes_on_after_its_tensors_is_refused(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(good.read_bytes() + bytes(64))
    with pytest.raises(CheckpointError):
        load_model(path)


def test_weights_that_give_no_finite_answer_are_no_model(good: Path, tmp_path: Path) -> None:
    state, path = load_file(good), tmp_path / "a.safetensors"
    for key, value in state.items():
        if key.startswith("mask_decoder."):
            state[key] = torch.full_like(value.float(), 3e38)
    save_file(state, path, {"format": COMPACT_FORMAT, "config": json.dumps({**TOY, "input_size": 64})})
    with pytest.raises(CheckpointError, match="cannot answer"):
        open_model(path)


# --- noise ----------------------------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=20), st.lists(st.integers(), max_size=2)
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([*RANGES, "name", "backbone", "more"]), VALUES))
@example({"dim": 1024, "heads": 32, "depth": 8, "mlp": 8192})
def test_any_configuration_is_either_possible_or_refused(config: dict[str, Any]) -> None:
    try:
        values = config_values(json.dumps({**TOY, **config}))
    except ValueError:
        return
    assert values["backbone"] in compact_limits.BACKBONES
    assert all(low <= values[name] <= high for name, (low, high) in RANGES.items() if name in values)


@settings(max_examples=25)
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=8))
def test_a_damaged_header_is_refused_or_harmless(good: Path, at: int, noise: bytes) -> None:
    data = bytearray(good.read_bytes())
    data[at : at + len(noise)] = noise
    path = good.with_name("noise.safetensors")
    path.write_bytes(bytes(data))
    try:
        model = load_model(path)
    except CheckpointError:
        return
    assert model.parameters == load_model(good).parameters


# --- .pth -----------------------------------------------------------------------------------------------------------


class Odd:
    """An object of a class that a checkpoint has no business with."""


def as_torch(value: object, **named: Any) -> bytes:
    stored = io.BytesIO()
    torch.save(value, stored, **named)
    return stored.getvalue()


def zipped(**entries: bytes) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return stored.getvalue()


KEY = "image_encoder.blocks.0.x"
ODD: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\x80",
    "text": lambda: b"weights",
    "zeros": lambda: bytes(4096),
    "a list": lambda: as_torch([torch.zeros(1)]),
    "a number": lambda: as_torch(3),
    "a text": lambda: as_torch("weights"),
    "none": lambda: as_torch(None),
    "one tensor": lambda: as_torch(torch.zeros(3)),
    "an empty table": lambda: as_torch({}),
    "a table in a table": lambda: as_torch({"model": {"a": torch.zeros(1)}}),
    "numbers for names": lambda: as_torch({1: torch.zeros(1), 2: torch.zeros(1)}),
    "a tuple for a name": lambda: as_torch({("a", "b"): torch.zeros(1)}),
    "one value no tensor": lambda: as_torch({"a": torch.zeros(1), "b": 3}),
    "a name cut short": lambda: as_torch({"image_encoder.blocks.": torch.zeros(1)}),
    "sparse": lambda: as_torch({f"image_encoder.blocks.{k}.x": torch.eye(2).to_sparse() for k in range(12)}),
    "no rank": lambda: as_torch({f"image_encoder.blocks.{k}.x": torch.tensor(1.0) for k in range(24)}),
    "whole numbers": lambda: as_torch({KEY: torch.zeros(2, dtype=torch.int64)}),
    "complex": lambda: as_torch({KEY: torch.zeros(2, dtype=torch.complex64)}),
    "an old file": lambda: as_torch({KEY: torch.zeros(2)}, _use_new_zipfile_serialization=False),
    "an old file cut": lambda: as_torch({KEY: torch.zeros(99)}, _use_new_zipfile_serialization=False)[:-50],
    "an object": lambda: as_torch({KEY: Odd()}),
    "a pickled object": lambda: pickle.dumps(Odd()),
    "a pickled table": lambda: pickle.dumps({"a": np.zeros(3)}),
    "a pickle of nothing": lambda: pickle.dumps(None),
    "nested lists": lambda: b"(" * 5000,
    "a zip of something else": lambda: zipped(readme=b"hello"),
    "a zip with an odd pickle": lambda: zipped(**{"archive/data.pkl": b"\x80\x02.", "archive/version": b"3"}),
    "a packed zip": lambda: zipped(**{"archive/data.pkl": pickle.dumps({}), "archive/data/0": bytes(5_000_000)}),
    "a cut zip": lambda: as_torch({KEY: torch.zeros(1000)})[:-100],
    "safetensors": lambda: struct.pack("<Q", 2) + b"{}",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ""])
@pytest.mark.parametrize("kind", ODD)
def test_an_odd_file_is_refused_with_a_text(kind: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"odd{suffix}"
    path.write_bytes(ODD[kind]())
    with pytest.raises(CheckpointError) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


@settings(max_examples=60)
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"\x80\x02", b"\x80\x04\x95"]))
def test_noise_is_refused_with_a_text(tmp_path_factory: pytest.TempPathFactory, noise: bytes, head: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.pth"
    path.write_bytes(head + noise)
    with pytest.raises(CheckpointError):
        load_model(path)
