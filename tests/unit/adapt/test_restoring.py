"""What is stored beside a model is judged when it is loaded, so that no later click fails on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, load_file, save, save_file
from torch import Tensor

from samtta_app.adapt.learner import BELONGS_TO, Learner
from samtta_app.adapt.registry import STRATEGIES
from samtta_app.core.messages import AdaptRequest, PredictRequest, RestoreRequest
from samtta_app.core.replies import AdaptReport, Answer, Failure
from samtta_app.core.types import Click, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import toy_model
from samtta_app.model.refiner import load_refiner, save_refiner, untrained
from samtta_app.model.weights import EXTRA, from_bytes, to_bytes
from samtta_app.uncertainty.heads import HEAD_NAMES, LAYERS, GapHeads, load_heads, new_heads, save_heads
from tests.unit.values import example, picture

Change = Callable[[dict[str, Tensor], dict[str, str]], object]


@pytest.fixture(scope="module")
def model() -> SamModel:
    return toy_model()


def first(tensors: dict[str, Tensor], part: str = "") -> str:
    return next(name for name in tensors if part in name)


def stored(name: str) -> bytes:
    """A published version of a strategy, two objects of two classes long."""
    engine = Engine(toy_model(), adapting=STRATEGIES[name])
    data = b""
    for number in (1, 2):
        one = example(number, x=40 + 8 * number)
        run(engine, PredictRequest(number, one.image, Prompt(one.clicks), one.window))
        reply = run(engine, AdaptRequest(10 + number, one))
        assert isinstance(reply, AdaptReport)
        data = reply.weights or data
    return data


def with_change(data: bytes, change: Change) -> bytes:
    tensors = dict(load(data))
    length = int.from_bytes(data[:8], "little")
    facts = dict(json.loads(data[8 : 8 + length])["__metadata__"])
    change(tensors, facts)
    return save(tensors, facts)


def whole(tensors: dict[str, Tensor], kind: torch.dtype) -> None:
    for name, tensor in tensors.items():
        tensors[name] = tensor.to(kind)


COMMON: dict[str, Change] = {
    "half precision": lambda tensors, _: whole(tensors, torch.float16),
    "double precision": lambda tensors, _: whole(tensors, torch.float64),
    "whole numbers": lambda tensors, _: whole(tensors, torch.int64),
    "one in another precision": lambda t, _: t.update({first(t): t[first(t)].double()}),
    "a name less": lambda tensors, _: tensors.pop(first(tensors, "iou_token")),
    "a name more": lambda tensors, _: tensors.update(more=torch.zeros(1)),
    "another rank": lambda t, _: t.update({first(t): t[first(t)][None]}),
    "not finite": lambda t, _: t.update({first(t): torch.full_like(t[first(t)], torch.nan)}),
    "another model": lambda _, facts: facts.update(model="other"),
}
OWN: dict[str, dict[str, Change]] = {
    "samtta": {
        "a task of another width": lambda t, _: t.update({f"{EXTRA}task.3": torch.zeros(5)}),
        "a task of another kind": lambda t, _: t.update({f"{EXTRA}task.3": torch.zeros(32, dtype=torch.int32)}),
        "a task without a number": lambda t, _: t.update({f"{EXTRA}task.x": torch.zeros(32)}),
    },
    "samtta-per-class": {
        "a class's tensor is gone": lambda t, _: t.pop(first(t, f"{EXTRA}None/")),
        "a class's tensor is wider": lambda t, _: t.update({first(t, EXTRA): torch.zeros(7, 7)}),
        "a class without a number": lambda t, _: t.update({f"{EXTRA}x/a": torch.zeros(1)}),
    },
    "schoen2024": {
        "a state of another shape": lambda t, _: t.update({f"{EXTRA}0.exp_avg": torch.zeros(3)}),
        "a state of no tensor": lambda t, _: t.update({f"{EXTRA}9999.exp_avg": torch.zeros(3)}),
        "a state without a number": lambda t, _: t.update({f"{EXTRA}a.b.c": torch.zeros(3)}),
    },
    "lit-lora": {
        "factors that are no base64": lambda _, facts: facts.update(lora="%%%"),
        "factors of other weights": lambda _, facts: facts.update(
            lora=base64.b64encode(save({"transformer.x.q_proj.weight.A": torch.zeros(4, 3)})).decode()
        ),
        "odd IoUs": lambda _, facts: facts.update(ious="[1]"),
    },
}


@pytest.mark.parametrize("name", OWN)
def test_damaged_versions_are_refused_at_once_and_the_next_click_is_answered(name: str) -> None:
    data = stored(name)
    assert data
    for kind, change in {**COMMON, **OWN[name]}.items():
        engine = Engine(toy_model(), adapting=STRATEGIES[name])
        reply = run(engine, RestoreRequest(1, 5, with_change(data, change)))
        assert isinstance(reply, Failure), kind
        answered = run(engine, PredictRequest(2, picture(1), Prompt((Click(60, 50, True),))))
        assert isinstance(answered, Answer), kind
        assert answered.weights_version == 0, kind
    engine = Engine(toy_model(), adapting=STRATEGIES[name])
    assert not isinstance(run(engine, RestoreRequest(1, 5, data)), Failure)


def test_a_version_that_gives_no_finite_answer_is_refused(model: SamModel) -> None:
    tensors = {name: torch.full_like(tensor, 3e38) for name, tensor in model.frozen.tensors.items()}
    learner = Learner(model, STRATEGIES["samtta"], 0)
    with pytest.raises(CheckpointError, match="cannot answer"):
        learner.restore(1, to_bytes(tensors, model.name, {BELONGS_TO: learner.model_sha256}))
    assert learner.published.version == 0


def test_stored_versions_come_back_bit_for_bit(model: SamModel) -> None:
    found, _ = from_bytes(1, to_bytes(model.frozen.tensors, model.name), model.name, model.frozen.tensors)
    assert all(torch.equal(found[name], tensor) for name, tensor in model.frozen.tensors.items())


# --- heads and refiner ----------------------------------------------------------------------------------------------


def rewritten(path: Path, change: Change) -> None:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    facts = dict(json.loads(data[8 : 8 + length])["__metadata__"])
    tensors = load_file(path)
    change(tensors, facts)
    save_file(tensors, path, facts)


HEADS: dict[str, Change] = {
    "doubles": lambda tensors, _: whole(tensors, torch.float64),
    "whole numbers": lambda tensors, _: whole(tensors, torch.int32),
    "another width": lambda t, _: t.update(dict(new_heads(10, "toy", "", 0).layers)),
    "a layer less": lambda t, _: t.pop("w2"),
    "a layer more": lambda t, _: t.update(w4=torch.zeros(1)),
    "not finite": lambda t, _: t.update(b3=torch.full_like(t["b3"], torch.inf)),
    "unknown names": lambda _, facts: facts.update(names=json.dumps(["a"] * len(HEAD_NAMES))),
    "a name twice": lambda _, facts: facts.update(names=json.dumps([HEAD_NAMES[0]] * len(HEAD_NAMES))),
    "names that are none": lambda _, facts: facts.update(names="3"),
    "odd thresholds": lambda _, facts: facts.update(thresholds="[]"),
    "thresholds that are no numbers": lambda _, facts: facts.update(thresholds='{"model_gap": "much"}'),
    "another format": lambda _, facts: facts.update(format="other"),
    "another model": lambda _, facts: facts.update(fingerprint="0" * 16),
}


@pytest.mark.parametrize("kind", HEADS)
def test_odd_heads_are_refused_when_they_are_read(kind: str, model: SamModel, tmp_path: Path) -> None:
    path = tmp_path / "heads.safetensors"
    save_heads(heads(model), path, {"fingerprint": fingerprint_of(model)})
    assert set(load_heads(path, model).layers) == set(LAYERS)
    rewritten(path, HEADS[kind])
    with pytest.raises(CheckpointError):
        load_heads(path, model)


def heads(model: SamModel) -> GapHeads:
    return new_heads(2 * model.net.prompt_encoder.embed_dim, model.name, "", 0)


def fingerprint_of(model: SamModel) -> str:
    from samtta_app.model.fingerprint import fingerprint

    return fingerprint(model)


def test_heads_may_not_name_a_file_as_the_larger_model(model: SamModel, tmp_path: Path, samtta_home: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"secret")
    (samtta_home / "models").mkdir()
    path = samtta_home / "models" / "toy.heads.safetensors"
    width = 2 * model.net.prompt_encoder.embed_dim
    save_heads(new_heads(width, model.name, str(other), 0), path, {"fingerprint": fingerprint_of(model)})
    reply = run(Engine(model), PredictRequest(1, picture(1), Prompt((Click(60, 50, True),)), larger=True))
    assert isinstance(reply, Failure)
    assert "no larger model" in reply.text


REFINER: dict[str, Change] = {
    "doubles": lambda tensors, _: whole(tensors, torch.float64),
    "whole numbers": lambda tensors, _: whole(tensors, torch.int32),
    "a name less": lambda t, _: t.pop(first(t)),
    "another rank": lambda t, _: t.update({first(t): t[first(t)][None]}),
    "not finite": lambda t, _: t.update({first(t): torch.full_like(t[first(t)], torch.nan)}),
    "another model": lambda _, facts: facts.update(fingerprint="0" * 16),
}


@pytest.mark.parametrize("kind", REFINER)
def test_odd_refiners_are_refused_when_they_are_read(kind: str, model: SamModel, tmp_path: Path) -> None:
    path = tmp_path / "refiner.safetensors"
    save_refiner(untrained(model), model, path, {})
    load_refiner(path, model)
    rewritten(path, REFINER[kind])
    with pytest.raises(CheckpointError):
        load_refiner(path, model)
