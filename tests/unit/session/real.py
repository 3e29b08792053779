"""The real engine on the toy model in the place of the script, and a person's work with it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import torch

from samtta_app.adapt.guard import Verdict
from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.strategy import AdaptationStrategy, Knowledge, Learned, Lesson, NoAdaptation
from samtta_app.core.messages import AdaptRequest, Request
from samtta_app.core.replies import Reply
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import Tensors
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.unit.brisk import brisk
from tests.unit.session.scripted import HEIGHT, WIDTH, Person
from tests.unit.values import picture

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Nudging(NoAdaptation):
    """Moves every weight a little, by a draw and by all that is remembered, in its order; what it learns is published."""

    name: str = "nudging"

    def after_accept(self, model: SamModel, known: Knowledge, lesson: Lesson) -> Generator[float, None, Learned]:
        weights = [float(item.features.embedding.float().std()) + len(item.clicks) for item in lesson.memory.items]
        seen = sum(k * weight for k, weight in enumerate(weights, start=1))
        draw = torch.Generator().manual_seed(int(lesson.rng.integers(2**31)))
        yield 0.5
        tensors = {
            name: known.tensors[name] + 1e-4 * seen * torch.randn(known.tensors[name].shape, generator=draw)
            for name in sorted(known.tensors)
        }
        return Learned(Knowledge(tensors), Verdict(True, "Kept", NAN, NAN, NAN), (0.5, 0.4))


class Real:
    """The engine; remembers what it was asked.

    Args:
        adapting: how it learns.
        model: the name by which the toy model goes.
    """

    def __init__(self, adapting: AdaptationStrategy = Nudging(), model: str = "toy") -> None:
        self.engine = Engine(replace(toy_model(), name=model), adapting=adapting)
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        return run(self.engine, request)

    @property
    def remembered(self) -> tuple[Remembered, ...]:
        return self.engine.resources.learner.memory.items

    @property
    def ids(self) -> list[int]:
        """The objects in memory, in its order."""
        return [item.object_id for item in self.remembered]

    @property
    def learned(self) -> list[int]:
        """The objects that were learned from, in order."""
        return [r.example.object_id for r in self.requests if isinstance(r, AdaptRequest) and r.learn]


def pictures_in(folder: Path, *names: str) -> Path:
    """A folder with noisy PNGs of these names, two bright discs in each."""
    folder.mkdir(parents=True)
    for k, name in enumerate(names):
        pixels = picture(k, HEIGHT, WIDTH, ((40, 40, 14), (90, 60, 18))).pixels
        (folder / name).write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())
    return folder


@contextmanager
def sitting(
    folder: Path, project: Path, strategy: str | AdaptationStrategy = Nudging(), model: str = "toy"
) -> Iterator[tuple[Person, Real]]:
    """The project open, with nobody replaying the objects (that does not touch the weights)."""
    adapting = brisk(strategy) if isinstance(strategy, str) else strategy
    real = Real(adapting, model)
    with Store.open(folder, project) as store:
        options = {"twin": False, "strategy": strategy if isinstance(strategy, str) else "samtta"}
        yield Person(store, real, **options).starts(), real  # type: ignore[arg-type]


def annotate(person: Person, image: int, *places: tuple[float, float]) -> None:
    """Accept an object at each place of an image, after two clicks."""
    if person.state.index != image:
        person.do(acts.OpenImage(image))
    for x, y in places:
        person.clicks(x, y)
        person.clicks(x + 3, y)
        person.do(acts.Accept())


def same(one: Tensors, other: Tensors) -> bool:
    """Whether every bit is the same."""
    return one.keys() == other.keys() and all(torch.equal(tensor, other[name]) for name, tensor in one.items())
