"""Task prompts in a model's file: a class of a task's name takes its vector with the first prompt, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from samtta_app.adapt.loop import _asked
from samtta_app.adapt.memory import remember_object
from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer
from samtta_app.core.types import Box, Click, Logits, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.backbones.compact import load_compact, open_compact, save_compact
from samtta_app.model.backbones.sam import OfficialSam, toy_sam
from samtta_app.model.model_registry import load_model
from samtta_app.model.predictor import decode_many, decode_prompt, encode
from samtta_app.model.stored_tasks import MOST_TASKS
from samtta_app.model.weights import TASK
from tests.unit.adapt.test_strategy import done
from tests.unit.train.test_sam_files import write_official
from tests.unit.train.toy import toy_model_file
from tests.unit.values import example, picture

VECTOR = torch.randn(32, generator=torch.Generator().manual_seed(1))
CLICK = Prompt((Click(60, 50, True),))
IMAGE = picture(7)


def with_tasks(**tasks: torch.Tensor) -> SamModel:
    return built_model("toy", OfficialSam(toy_sam(), tasks), 64)


MODEL = with_tasks(leaf=VECTOR, plant=2 * VECTOR)
FROZEN = MODEL.frozen.tensors
FEATURES = done(encode(MODEL, IMAGE, IMAGE.whole))


def logits(prompt: Prompt, model: SamModel = MODEL, **more: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return decode_prompt(model, {**FROZEN, **more}, FEATURES, prompt).logits


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", [CLICK, Prompt((), Box(40, 30, 80, 70))])
def test_a_class_of_a_task_s_name_takes_its_vector_with_the_first_prompt(prompt: Prompt) -> None:
    named = logits(replace(prompt, class_name="leaf"))
    assert torch.equal(named, logits(prompt, **{TASK: VECTOR}))
    assert not torch.equal(named, logits(prompt))
    assert not torch.equal(named, logits(replace(prompt, class_name="plant")))


@pytest.mark.parametrize("name", ["", "object", "Leaf", "leaf "])
def test_any_other_class_is_answered_without_one(name: str) -> None:
    assert torch.equal(logits(replace(CLICK, class_name=name)), logits(CLICK))


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt((Click(60, 50, True), Click(70, 50, True))),
        Prompt((Click(60, 50, True),), Box(40, 30, 80, 70)),
        Prompt((Click(60, 50, True),), logits=Logits(IMAGE.whole, np.ones((16, 16), np.float32))),
    ],
)
def test_later_prompts_are_answered_without_it(prompt: Prompt) -> None:
    assert torch.equal(logits(replace(prompt, class_name="leaf")), logits(prompt))


def test_what_a_session_learns_for_a_class_is_added_to_the_stored_vector() -> None:
    """So the stored vector is where a class begins: what is learned starts at zero."""
    learned = logits(replace(CLICK, class_name="leaf"), **{TASK: VECTOR})
    assert torch.allclose(learned, logits(replace(CLICK, class_name="plant")), atol=1e-5)


def test_prompts_of_several_classes_may_be_answered_in_one_pass() -> None:
    prompts = [replace(CLICK, class_name=name) for name in ("leaf", "", "plant")]
    with torch.no_grad():
        found = decode_many(MODEL, FROZEN, FEATURES, prompts)
    for each, prompt in zip(found, prompts, strict=True):
        assert torch.allclose(each.logits, logits(prompt), atol=1e-5)


@pytest.mark.parametrize("twin", [False, True])
def test_the_engine_names_its_tasks_and_both_sides_answer_with_them(twin: bool) -> None:
    engine = Engine(MODEL)
    assert engine.tasks == ("leaf", "plant")
    answers = [
        run(engine, PredictRequest(1, IMAGE, replace(CLICK, class_name=name), twin=twin)) for name in ("leaf", "", "x")
    ]
    shown = [answer.candidates[0].logits.values for answer in answers if isinstance(answer, Answer)]
    assert not np.array_equal(shown[0], shown[1])
    assert np.array_equal(shown[1], shown[2])


def test_a_lesson_s_first_prompt_is_asked_under_the_same_class() -> None:
    one = replace(example(7), class_id=1, class_name="leaf")
    item = remember_object(one, FEATURES, MODEL.size)
    assert item is not None
    assert item.class_name == "leaf"
    assert all(_asked(item, np.random.default_rng(k), own=own).class_name == "leaf" for k in (0, 1) for own in (0, 1))


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compact model at toy size with two tasks."""
    monkeypatch.setattr("samtta_app.model.backbones.compact.MIN_INPUT", 64)
    net = load_compact(toy_model_file(tmp_path))
    net.tasks = {"leaf": VECTOR.half().float(), "pflanze äöü.1": torch.ones(32)}
    save_compact(net, tmp_path / "tasks.safetensors")
    return tmp_path / "tasks.safetensors"


def test_a_compact_model_s_tasks_come_back_and_are_kept_when_it_is_written_again(file: Path, tmp_path: Path) -> None:
    model = load_model(file, "cpu")
    assert torch.equal(model.backbone.tasks["leaf"], VECTOR.half().float())
    assert list(model.backbone.tasks) == ["leaf", "pflanze äöü.1"]
    unfused = model.backbone.unfused(lambda: file)
    unfused.write(model.frozen.tensors, tmp_path / "again.safetensors", "")
    assert load_file(tmp_path / "again.safetensors").keys() == load_file(file).keys()
    unfused.write(model.frozen.tensors, tmp_path / "other.safetensors", "", {"new": torch.zeros(32)})
    assert list(load_model(tmp_path / "other.safetensors", "cpu").backbone.tasks) == ["new"]


def test_an_official_model_s_tasks_come_back_and_without_tasks_the_file_is_meta_s(tmp_path: Path) -> None:
    model = load_model(write_official(tmp_path / "sam_vit_b_01ec64.pth"), "cpu")
    vector = torch.linspace(-1, 1, 256)
    model.backbone.write(model.frozen.tensors, tmp_path / "tasks.pth", "", {"leaf": vector})
    again = load_model(tmp_path / "tasks.pth", "cpu")
    assert (again.name, list(again.backbone.tasks)) == ("vit_b", ["leaf"])
    assert torch.equal(again.backbone.tasks["leaf"], vector)
    assert again.net.state_dict().keys() == model.net.state_dict().keys()


BAD = {
    "another width": {"task_prompts.leaf": torch.zeros(31)},
    "no vector": {"task_prompts.leaf": torch.zeros(32, 1)},
    "no name": {"task_prompts.": torch.zeros(32)},
    "a name with a control": {"task_prompts.a\nb": torch.zeros(32)},
    "a long name": {"task_prompts." + "x" * 41: torch.zeros(32)},
    "too many": {f"task_prompts.{k}": torch.zeros(32) for k in range(MOST_TASKS + 1)},
    "not finite": {"task_prompts.leaf": torch.full((32,), torch.inf)},
}


@pytest.mark.parametrize("kind", BAD)
def test_task_prompts_that_cannot_be_are_refused_with_the_file(file: Path, kind: str) -> None:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        facts = opened.metadata()
    save_file({**load_file(file), **BAD[kind]}, file, facts)
    with pytest.raises(CheckpointError, match=r"tasks\.safetensors"):
        open_compact(file, None)
