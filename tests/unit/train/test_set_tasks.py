"""A task for each data set: its vector is learned with the decoder, with first prompts only, and is in the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from samtta_app.errors import CheckpointError, TrainingError
from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.backbones.sam import OfficialSam, toy_sam
from samtta_app.model.model_registry import toy_model
from samtta_app.train.decoder import decoder_run
from samtta_app.train.decoder.decoder_files import model_digest
from samtta_app.train.decoder.decoder_recipe import interactive_rounds
from samtta_app.train.decoder.decoder_run import DecoderPlan, DecoderReached, DecoderRun, tune_decoder
from samtta_app.train.decoder.decoder_samples import FeatureStore, read_samples, targets_of
from samtta_app.train.decoder.set_tasks import set_tasks
from samtta_app.train.interruption import Interruption
from tests.unit.train.discs import write_discs
from tests.unit.train.photos import write_photos
from tests.unit.train.projects import project_of
from tests.unit.train.toy import press_ctrl_c

SHORT = DecoderPlan(steps=4, rate=1e-3, images=2, masks=1)


@pytest.fixture(autouse=True)
def measured_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_run, "DECODER_MEASUREMENTS", 1)


@pytest.fixture
def sets(tmp_path: Path) -> list[Path]:
    return [write_discs(tmp_path / name, 2, 1) for name in ("wholes", "parts")]


def with_tasks(**tasks: torch.Tensor) -> SamModel:
    return built_model("toy", OfficialSam(toy_sam(), tasks), 64)


def tuned(
    model: SamModel, sets: list[Path], out: Path, tasks: dict[Path, str], **options: object
) -> dict[str, torch.Tensor]:
    """The vectors in the file of a run; its last decoder is taken, better or not."""
    tune_decoder(model, model.backbone, sets, out, SHORT, tasks=tasks, **options)  # type: ignore[arg-type]
    state = torch.load(out, weights_only=True)
    return {name.removeprefix("task_prompts."): v for name, v in state.items() if name.startswith("task_prompts.")}


@pytest.fixture
def always_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every measurement finds the newest decoder better than all before."""
    found = iter(range(1, 100))
    monkeypatch.setattr(decoder_run, "sample_held_out_ious", lambda *_: (0.0, 0.0, next(found) / 100))


# --- learning ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("always_better")
def test_one_vector_is_learned_for_each_task_and_saved_and_none_for_other_sets(
    sets: list[Path], tmp_path: Path
) -> None:
    third = write_discs(tmp_path / "others", 2, 1)
    tasks = {sets[0]: "whole", sets[1]: "part"}
    found = tuned(toy_model(), [*sets, third], tmp_path / "a.pth", tasks)
    assert found.keys() == {"whole", "part"}
    assert all(vector.shape == (32,) and vector.abs().max() > 0 for vector in found.values())
    assert not torch.equal(found["whole"], found["part"])
    assert tuned(toy_model(), [third], tmp_path / "b.pth", {}) == {}


@pytest.mark.usefixtures("always_better")
def test_sets_of_one_task_share_its_vector(sets: list[Path], tmp_path: Path) -> None:
    assert tuned(toy_model(), sets, tmp_path / "a.pth", dict.fromkeys(sets, "disc")).keys() == {"disc"}


@pytest.mark.usefixtures("always_better")
def test_a_task_of_the_model_begins_where_it_was_and_the_others_stay(sets: list[Path], tmp_path: Path) -> None:
    begun, other = torch.full((32,), 0.5), torch.full((32,), 0.25)
    model = with_tasks(disc=begun, other=other)
    found = tuned(model, sets[:1], tmp_path / "a.pth", {sets[0]: "disc"})
    assert torch.equal(found["other"], other)
    assert 0 < (found["disc"] - begun).abs().max() < 0.02
    assert torch.equal(model.backbone.tasks["disc"], begun)


def test_where_nothing_was_better_the_vectors_are_those_of_the_start(sets: list[Path], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoder_run, "sample_held_out_ious", lambda *_: (0.5, 0.5, 0.5))
        found = tuned(toy_model(), sets[:1], tmp_path / "a.pth", {sets[0]: "disc"})
    assert torch.equal(found["disc"], torch.zeros(32))


def test_the_vector_is_used_in_the_first_round_alone_and_gradients_reach_it(sets: list[Path]) -> None:
    model = toy_model()
    sample = read_samples(sets[0], "train", model)[0]
    features = FeatureStore(model).features(sample.image, sample.window)
    targets = targets_of(model, sample, features, sample.objects[:1])

    def rounds(task: torch.Tensor | None) -> list:
        return list(interactive_rounds(model, model.frozen.tensors, features, targets, np.random.default_rng(1), task))

    vector = torch.full((32,), 0.3).requires_grad_()
    plain, zero, taken = rounds(None), rounds(torch.zeros(32)), rounds(vector)
    assert all(torch.equal(one.logits, other.logits) for one, other in zip(plain, zero, strict=True))
    assert not torch.equal(plain[0].logits, taken[0].logits)
    assert [one.loss.requires_grad for one in taken] == [True] + [False] * (len(taken) - 1)
    taken[0].loss.backward()
    assert vector.grad is not None
    assert vector.grad.abs().max() > 0


def test_the_held_out_figures_of_a_set_are_measured_under_its_task(
    sets: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, torch.Tensor]] = []
    monkeypatch.setattr(decoder_run, "sample_held_out_ious", lambda *given: asked.append(given[4]) or (0, 0, 0))
    model = toy_model()
    train = {"a": read_samples(sets[0], "train", model, "disc"), "b": read_samples(sets[1], "train", model)}
    run = DecoderRun(model, train, train, SHORT, sets[0] / "a.resume.pt")
    run.begin()
    run._measure()
    assert [given.keys() for given in asked] == [{"a"}, {"a"}]
    assert torch.equal(asked[0]["a"], torch.zeros(32))


def test_a_run_that_was_stopped_ends_with_the_same_vectors_and_other_tasks_are_another_run(
    sets: list[Path], tmp_path: Path
) -> None:
    def stop(reached: DecoderReached) -> None:
        if reached.step == 2:
            press_ctrl_c()

    tasks, figures = {sets[0]: "whole", sets[1]: "part"}, (0.0, 0.0, 0.5)

    def seen(model: SamModel, tensors: object, *_: object) -> tuple[float, ...]:
        return figures if tensors is not model.frozen.tensors else (0.0, 0.0, 0.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoder_run, "sample_held_out_ious", seen)
        straight = tuned(toy_model(), sets, tmp_path / "a.pth", tasks)
        with pytest.raises(Interruption):
            tuned(toy_model(), sets, tmp_path / "b.pth", tasks, report=stop)
        kept = tmp_path / "b.resume.pt"
        shutil.copy(kept, tmp_path / "copy.resume.pt")
        again = tuned(toy_model(), sets, tmp_path / "b.pth", tasks, resume=kept)
        assert all(torch.equal(straight[task], again[task]) for task in straight)
        with pytest.raises(CheckpointError, match="not the same data"):
            tuned(toy_model(), sets, tmp_path / "c.pth", {sets[0]: "whole"}, resume=tmp_path / "copy.resume.pt")


def test_a_checkpoint_belongs_to_a_model_with_its_tasks() -> None:
    assert model_digest(with_tasks()) == model_digest(toy_model())
    assert model_digest(with_tasks(leaf=torch.ones(32))) != model_digest(toy_model())


# --- which set has which --------------------------------------------------------------------------------------------


def test_sets_are_named_by_their_folders_and_projects_by_their_images(sets: list[Path], tmp_path: Path) -> None:
    project = project_of(sets[0], tmp_path / "annotated=1") / ".samtta"
    found = set_tasks([*sets, project], ["wholes=plant", "annotated=1=plant"])
    assert found == {sets[0]: "plant", project: "plant"}
    assert set_tasks(sets, []) == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["wholes"], "names no task of a set: 'wholes'"),
        (["wholes="], "names no task"),
        (["wholes= "], "names no task"),
        (["wholes=" + "x" * 41], "at most 40 characters"),
        (["nothing=leaf"], r"no data set 'nothing' .*wholes, parts"),
        (["wholes=a", "wholes=b"], "has two tasks"),
    ],
)
def test_what_is_no_task_of_a_set_is_refused_in_words(sets: list[Path], given: list[str], said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        set_tasks(sets, given)


def test_a_set_of_photos_has_task_0(sets: list[Path], tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 1)
    with pytest.raises(TrainingError, match=r"without masks has no task.*Leave its task out"):
        set_tasks([*sets, photos], ["photos=leaf"])
