"""Every prompt and every lesson says the name of its class, so that a class may take a task of the model."""

from __future__ import annotations

from pathlib import Path

import torch

from samtta_app.core.messages import AdaptRequest, PredictRequest, TwinRequest
from samtta_app.engine.dispatch import Engine
from samtta_app.model.backbone import built_model
from samtta_app.model.backbones.sam import OfficialSam, toy_sam
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.unit.session.real import Real, pictures_in
from tests.unit.session.scripted import Person, Script, folder_of


def test_prompts_lessons_and_replays_name_the_class(tmp_path: Path) -> None:
    script = Script()
    with Store.open(folder_of(tmp_path / "images", "a.png")) as store:
        person = Person(store, script).starts()
        person.accepts()
        person.do(acts.AddClass("leaf"))
        person.accepts(30, 30)
        person.do(acts.RenameClass(2, "petal"))
        person.accepts(90, 70)
    prompts = [r.prompt.class_name for r in script.requests if isinstance(r, PredictRequest)]
    lessons = [r.example.class_name for r in script.requests if isinstance(r, AdaptRequest)]
    replays = {r.example.class_name for r in script.requests if isinstance(r, TwinRequest)}
    assert list(dict.fromkeys(prompts)) == ["object", "leaf", "petal"]
    assert lessons == ["object", "leaf", "petal"]
    assert replays == {"object", "leaf", "petal"}


def test_a_class_named_as_a_task_of_the_model_is_answered_with_its_vector(tmp_path: Path) -> None:
    real = Real()
    vector = 3 * torch.randn(32, generator=torch.Generator().manual_seed(2))
    real.engine = Engine(built_model("toy", OfficialSam(toy_sam(), {"leaf": vector}), 64))
    shown = {}
    with Store.open(pictures_in(tmp_path / "images", "a.png")) as store:
        person = Person(store, real).starts()  # type: ignore[arg-type]
        for name in ("grass", "leaf", "stalk"):
            person.do(acts.AddClass(name))
            person.clicks(60, 50)
            shown[name] = person.state.preview.candidate.logits.values.tobytes()
            person.do(acts.Cancel())
    assert shown["grass"] == shown["stalk"] != shown["leaf"]
