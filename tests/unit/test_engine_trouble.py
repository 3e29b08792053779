"""What goes wrong in the engine goes wrong once: nothing bad is kept, and nothing is promised that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from samtta_app.core.messages import AdaptRequest, LoadRequest, PredictRequest, PrefetchRequest, RefineRequest, Request
from samtta_app.core.replies import AdaptReport, Answer, Evicted, Failure, Loaded, Prefetched, Refined, Reply
from samtta_app.core.types import Box, Candidate, Click, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import toy_model
from samtta_app.model.refiner import save_refiner, untrained
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.image_opening import IMAGES_AHEAD
from samtta_app.session.workflow.workflow import Workflow
from tests.unit.values import example, picture


def click(seed: int = 1, number: int = 1, **changes: object) -> PredictRequest:
    values = {"prompt": Prompt((Click(60, 50, True),)), **changes}
    return PredictRequest(number, picture(seed), **values)  # type: ignore[arg-type]


class Failing:
    """Lets a part of the model fail a number of times."""

    def __init__(self, module: torch.nn.Module, error: BaseException) -> None:
        self.error, self.times = error, 1
        module.register_forward_pre_hook(self)

    def __call__(self, module: torch.nn.Module, inputs: object) -> None:
        if self.times:
            self.times -= 1
            raise self.error


SHORTAGES = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
]


@pytest.mark.parametrize("part", ["image_encoder.blocks.0.mlp", "prompt_encoder", "mask_decoder.iou_prediction_head"])
@pytest.mark.parametrize("error", SHORTAGES, ids=lambda e: type(e).__name__)
def test_where_memory_runs_out_a_text_says_so_and_the_next_click_works(part: str, error: BaseException) -> None:
    model = toy_model()
    engine, expected = Engine(model), run(Engine(toy_model()), click())
    Failing(model.net.get_submodule(part), error)
    first, second = run(engine, click()), run(engine, click())
    assert isinstance(first, Failure)
    assert "memory" in first.text
    assert isinstance(second, Answer)
    assert isinstance(expected, Answer)
    assert np.array_equal(second.candidates[0].logits.values, expected.candidates[0].logits.values)


def test_where_memory_runs_out_all_that_was_encoded_is_given_up() -> None:
    model = toy_model()
    engine = Engine(model)
    for seed in (1, 2):
        run(engine, PrefetchRequest(seed, Path("x"), picture(seed)))
    Failing(model.net.mask_decoder.iou_prediction_head, MemoryError())
    said, reply = replies(engine, click(1))
    assert isinstance(reply, Failure)
    assert {key for evicted in said for key in evicted.image_keys} == {picture(1).key, picture(2).key}


def replies(engine: Engine, request: Request) -> tuple[list[Evicted], Reply]:
    work, said = engine.handle(request), list[Evicted]()
    while True:
        try:
            step = next(work)
        except StopIteration as done:
            return said, done.value
        if isinstance(step, Evicted):
            said.append(step)


@pytest.mark.parametrize("error", [RuntimeError("a broken kernel"), ValueError("odd"), KeyError("odd")])
@pytest.mark.parametrize("background", [False, True])
def test_a_failed_encoding_is_not_kept(error: Exception, background: bool) -> None:
    model = toy_model()
    engine = Engine(model)
    Failing(model.net.get_submodule("image_encoder.neck"), error)
    with pytest.raises(type(error)):
        run(engine, PrefetchRequest(1, Path("x"), picture(1)) if background else click())
    assert isinstance(run(engine, click()), Answer)
    assert isinstance(run(engine, PrefetchRequest(2, Path("x"), picture(1))), Prefetched)


def test_learning_that_ran_out_of_memory_leaves_the_next_object_to_be_learned() -> None:
    model = toy_model()
    engine = Engine(model)
    Failing(model.net.get_submodule("image_encoder.neck"), MemoryError())
    assert isinstance(run(engine, AdaptRequest(1, example(1))), Failure)
    report = run(engine, AdaptRequest(2, example(2)))
    assert isinstance(report, AdaptReport)
    assert report.kept


def test_an_image_that_could_not_be_read_is_read_when_it_is_mended(tmp_path: Path) -> None:
    engine, path = Engine(toy_model()), tmp_path / "a.png"
    path.write_bytes(b"no image")
    assert isinstance(run(engine, LoadRequest(1, path)), Failure)
    Pillow.new("RGB", (30, 20)).save(path)
    assert isinstance(run(engine, LoadRequest(2, path)), Loaded)


def test_a_damaged_refiner_is_read_again_when_it_is_mended(samtta_home: Path) -> None:
    model = toy_model()
    engine, path = Engine(model), samtta_home / "models" / "toy.refiner.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"odd")
    answered = run(engine, click(prompt=Prompt((), Box(40, 30, 80, 70))))
    assert isinstance(answered, Answer)
    asked = RefineRequest(2, picture(1), Prompt((), Box(40, 30, 80, 70)), None, answered.candidates[0])
    first = run(engine, asked)
    assert isinstance(first, Refined)
    assert "cannot be read" in first.reason
    save_refiner(untrained(model), model, path, {})
    second = run(engine, asked)
    assert isinstance(second, Refined)
    assert "cannot be read" not in second.reason


# --- what is promised -----------------------------------------------------------------------------------------------


def room(model: SamModel, images: int) -> int:
    """Bytes for the features of so many images."""
    return images * (model.net.image_encoder.neck[0].out_channels * 4 * 4 * 4)  # type: ignore[union-attr, operator]


def test_what_had_to_make_room_is_said_once_with_the_reply_that_drove_it_out() -> None:
    model = toy_model()
    engine = Engine(model, cache_bytes=room(model, 2))
    for seed in (1, 2):
        assert replies(engine, PrefetchRequest(seed, Path("x"), picture(seed)))[0] == []
    said, reply = replies(engine, PrefetchRequest(3, Path("x"), picture(3)))
    assert isinstance(reply, Prefetched)
    assert reply.image_key == picture(3).key
    assert said == [Evicted(frozenset({picture(1).key}))]
    assert replies(engine, PrefetchRequest(4, Path("x"), picture(3)))[0] == []


def test_an_image_that_comes_back_before_its_eviction_is_told_is_not_told() -> None:
    model = toy_model()
    cache = Engine(model, cache_bytes=room(model, 1)).resources.cache
    for seed in (1, 2, 1):
        list(cache.features(picture(seed), picture(seed).whole))
    assert cache.evicted() == {picture(2).key}
    assert cache.evicted() == frozenset()


class Session:
    """A workflow and an engine, urgent requests first, with all that the engine says on the way."""

    def __init__(self, workflow: Workflow, engine: Engine) -> None:
        self.workflow, self.engine = workflow, engine
        self.served = 0

    def does(self, requests: tuple[Request, ...]) -> None:
        waiting = list(requests)
        while waiting:
            request = next((r for r in waiting if r.lane == "urgent"), waiting[0])
            waiting.remove(request)
            said, reply = replies(self.engine, request)
            for each in (*said, reply):
                waiting += self.workflow.receive(each)
            self.served += 1
            assert self.served < 200, "it goes round in circles"

    def promised(self) -> set[str]:
        return {entry.name for entry in self.workflow.state.images if entry.status == "encoded"}

    def kept(self) -> set[str]:
        """The images whose first click is answered at once."""
        found = set()
        for entry in self.workflow.state.images:
            loaded = run(self.engine, LoadRequest(10_000, entry.path))
            assert isinstance(loaded, Loaded)
            if self.engine.resources.cache.has(loaded.image.key, loaded.image.whole):
                found.add(entry.name)
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    for seed in range(6):
        Pillow.fromarray(picture(seed).pixels).save(tmp_path / f"{seed}.png")
    return tmp_path


@pytest.mark.parametrize("images", [1, 2, 3, 4, 100])
def test_the_list_promises_an_instant_click_only_where_there_is_one(folder: Path, images: int) -> None:
    model = toy_model()
    with Store.open(folder) as store:
        session = Session(Workflow(store, twin=False), Engine(model, cache_bytes=room(model, images)))
        session.does(session.workflow.start())
        assert len(session.promised()) == min(images, 1 + IMAGES_AHEAD)
        for step in (1, 1, 1, -1, 1, 1):
            session.does(session.workflow.do(acts.NextImage(step)))
            session.does(session.workflow.do(acts.PlaceClick(Click(60, 50, True))))
            session.does(session.workflow.do(acts.Cancel()))
            assert session.promised() == session.kept()
            assert len(session.kept()) >= min(images, 1 + IMAGES_AHEAD) - 1


# --- nothing to accept ----------------------------------------------------------------------------------------------

EXCLUDED = Prompt((Click(60, 50, False),))


@pytest.mark.parametrize("prompt", [EXCLUDED, Prompt((*EXCLUDED.clicks, Click(9, 9, False)))])
@pytest.mark.parametrize("twin", [False, True])
def test_exclude_clicks_alone_have_no_candidates(prompt: Prompt, twin: bool) -> None:
    reply = run(Engine(toy_model()), click(prompt=prompt, twin=twin))
    assert isinstance(reply, Answer)
    assert reply.candidates == ()
    assert reply.twin is twin


@pytest.mark.parametrize(
    "prompt", [Prompt((*EXCLUDED.clicks, Click(9, 9, True))), Prompt(EXCLUDED.clicks, Box(40, 30, 80, 70))]
)
def test_with_an_include_click_or_a_box_they_count(prompt: Prompt) -> None:
    reply = run(Engine(toy_model()), click(prompt=prompt))
    assert isinstance(reply, Answer)
    assert len(reply.candidates) == 1


def test_an_empty_candidate_is_not_offered_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_shift(monkeypatch, (-100.0, 0.0, 100.0))
    assert len(found) == 2
    assert all(candidate.mask.area for candidate in found)


def test_where_all_are_empty_one_may_look_at_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(with_shift(monkeypatch, (-100.0, -100.0, -100.0))) == 3


def with_shift(monkeypatch: pytest.MonkeyPatch, shifts: tuple[float, float, float]) -> tuple[Candidate, ...]:
    """The candidates of a click, each candidate's logits moved."""
    moved = torch.tensor((0.0, *shifts))[:, None, None]  # the single mask comes first
    monkeypatch.setattr("samtta_app.model.answers.as_asked", lambda _m, _f, _p, logits: logits + moved)
    reply = run(Engine(toy_model()), click())
    assert isinstance(reply, Answer)
    assert reply.candidates[reply.chosen].predicted_iou == max(c.predicted_iou for c in reply.candidates)
    return reply.candidates
