"""What a learner must survive: empty, full and contradictory lessons, given-up objects, figures that are not finite."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from samtta_app.adapt.guard import Verdict
from samtta_app.adapt.registry import STRATEGIES
from samtta_app.adapt.strategy import Knowledge, Learned, Lesson, NoAdaptation
from samtta_app.core.masks import holds
from samtta_app.core.messages import AdaptRequest, Request
from samtta_app.core.replies import Answer, Reply
from samtta_app.core.types import Mask
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import all_finite
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.unit.session.real import Real, annotate, pictures_in, same, sitting
from tests.unit.session.scripted import HEIGHT, WIDTH, Person
from tests.unit.values import disc

NAN, INF = float("nan"), float("inf")
LEARNING = ["samtta", "schoen2024"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return pictures_in(tmp_path / "pictures", "a.png")


class Painter(Real):
    """The real engine, whose answers show this mask: what a person accepts is not the model's to choose."""

    mask: Mask = disc(40, 40, 14, HEIGHT, WIDTH)

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        if isinstance(reply, Answer):
            return replace(reply, candidates=tuple(replace(c, mask=self.mask) for c in reply.candidates))
        return reply


# --- how many objects -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", LEARNING)
def test_a_stream_of_one_object_is_learned_and_comes_back(pictures: Path, tmp_path: Path, strategy: str) -> None:
    with sitting(pictures, tmp_path / "project", strategy) as (person, real):
        annotate(person, 0, (40.0, 40.0))
        (report,) = person.state.adaptation.reports
        assert report.memory_objects == 1
        assert report.losses
        assert np.isfinite(report.losses).all()
        assert all_finite(real.engine.published.tensors)
        before = real.engine.published
    with sitting(pictures, tmp_path / "project", strategy) as (person, real):
        assert real.ids == [1]
        assert real.engine.published.version == before.version
        assert same(real.engine.published.tensors, before.tensors)


@pytest.mark.parametrize("strategy", [*LEARNING, "fbrs"])
def test_a_session_that_gives_every_object_up_learns_from_no_mask_and_stays_usable(
    pictures: Path, tmp_path: Path, strategy: str
) -> None:
    with sitting(pictures, tmp_path / "project", strategy) as (person, real):
        for k in range(3):
            for x in (30.0, 50.0, 70.0):
                person.clicks(x, 40.0, positive=x != 50.0)
            person.do(acts.Cancel())
            assert person.state.preview is None, k
        assert real.learned == []
        assert person.state.adaptation.reports == ()
        assert person.state.adaptation.version == 0
        assert all_finite(real.engine.published.tensors)
        annotate(person, 0, (40.0, 40.0))
        assert real.learned == [1]
    with sitting(pictures, tmp_path / "project", strategy) as (_, real):
        assert real.ids == [1]


# --- masks and clicks -------------------------------------------------------------------------------------------------


def painting(store: Store, mask: Mask) -> tuple[Person, Painter]:
    painter = Painter(STRATEGIES["samtta"])
    painter.mask = mask
    return Person(store, painter, twin=False).starts(), painter  # type: ignore[arg-type]


def test_an_empty_mask_is_not_accepted_and_the_preview_stays(pictures: Path) -> None:
    with Store.open(pictures) as store:
        person, painter = painting(store, Mask(0, 0, np.zeros((0, 0), bool)))
        person.clicks(40.0, 40.0)
        person.do(acts.Accept())
        assert "The mask is empty" in person.state.message.text
        assert person.state.preview is not None
        assert store.annotations() == ()
        assert painter.learned == []


def test_a_mask_of_the_whole_image_is_stored_and_teaches_nothing(pictures: Path) -> None:
    whole = Mask(0, 0, np.ones((HEIGHT, WIDTH), bool))
    with Store.open(pictures) as store:
        person, painter = painting(store, whole)
        annotate(person, 0, (40.0, 40.0))
        (kept,) = store.annotations()
        assert kept.mask.area == HEIGHT * WIDTH
        (report,) = person.state.adaptation.reports
        assert not report.kept
        assert "fills its whole window" in report.reason
        assert painter.ids == []
        assert painter.engine.published.version == 0
        painter.mask = disc(40, 40, 14, HEIGHT, WIDTH)
        annotate(person, 0, (40.0, 40.0))
        assert painter.ids == [2]
        assert painter.learned == [1, 2]
    with Store.open(pictures) as store:
        assert store.adaptations()[0].reason == report.reason
        again = Real()
        Person(store, again, twin=False).starts()  # type: ignore[arg-type]
        assert again.ids == [2]


def test_a_mask_of_one_pixel_is_survived(pictures: Path) -> None:
    with Store.open(pictures) as store:
        person, painter = painting(store, Mask(40, 40, np.ones((1, 1), bool)))
        annotate(person, 0, (40.0, 40.0))
        assert len(person.state.adaptation.reports) == 1
        assert all_finite(painter.engine.published.tensors)


def test_a_mask_that_contradicts_its_clicks_is_the_persons_and_is_survived(pictures: Path) -> None:
    with Store.open(pictures) as store:
        person, painter = painting(store, disc(90, 60, 15, HEIGHT, WIDTH))
        person.clicks(20.0, 20.0)
        person.clicks(90.0, 60.0, positive=False)
        person.do(acts.Accept())
        (kept,) = store.annotations()
        assert [holds(kept.mask, c.x, c.y) == c.positive for c in kept.clicks] == [False, False]
        assert painter.learned == [1]
        assert painter.ids == [1]
        assert np.isfinite(person.state.adaptation.last.losses).all()
        assert all_finite(painter.engine.published.tensors)


@pytest.mark.parametrize("strategy", ["samtta", "schoen2024", "fbrs", "dc-tta"])
def test_clicks_of_both_signs_on_one_spot_are_answered_and_survived(
    pictures: Path, tmp_path: Path, strategy: str
) -> None:
    with sitting(pictures, tmp_path / "project", strategy) as (person, real):
        person.clicks(40.0, 40.0)
        for positive in (False, True, False):
            person.clicks(40.0, 40.0, positive=positive)
            candidate = person.state.preview.candidate
            assert not person.state.preview.waiting
            assert np.isfinite(candidate.logits.values).all()
        assert all_finite(real.engine.published.tensors)
        assert person.state.message is None
        assert [click.positive for click in person.state.preview.clicks] == [True, False, True, False]


# --- figures that are not finite --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Diverging(NoAdaptation):
    """Learns a little from the first object; from the next ones a loss or a weight comes out as `value`."""

    name: str = "spoiling"
    value: float = NAN
    in_loss: bool = True

    def after_accept(self, model: SamModel, known: Knowledge, lesson: Lesson) -> Generator[float, None, Learned]:
        bad = lesson.newest.object_id > 1
        spoiled = self.value if bad and not self.in_loss else 1.001
        tensors = {name: tensor * spoiled for name, tensor in known.tensors.items()}
        yield 0.5
        losses = (0.5, self.value if bad and self.in_loss else 0.4)
        return Learned(Knowledge(tensors), Verdict(True, "Kept", NAN, NAN, NAN), losses)


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("in_loss", [True, False])
def test_a_figure_that_is_not_finite_drops_the_step_keeps_the_reason_and_the_published_weights_stand(
    pictures: Path, tmp_path: Path, value: float, in_loss: bool
) -> None:
    with sitting(pictures, tmp_path / "project", Diverging(value=value, in_loss=in_loss)) as (person, real):
        annotate(person, 0, (40.0, 40.0))
        before = real.engine.published
        assert before.version == 1
        assert not same(before.tensors, toy_model().frozen.tensors)
        annotate(person, 0, (90.0, 60.0))
        report = person.state.adaptation.last
        assert not report.kept
        assert "not finite" in report.reason
        assert person.state.adaptation.version == 1
        assert same(real.engine.published.tensors, before.tensors)
        assert real.ids == [1, 2]
    with sitting(pictures, tmp_path / "project") as (person, real):
        assert [(r.kept, r.reason) for r in person.state.adaptation.reports][1] == (False, report.reason)
        assert same(real.engine.published.tensors, before.tensors)
        person.clicks(40.0, 40.0)
        assert person.state.preview.weights_version == 1


# --- the person changes their mind while it learns --------------------------------------------------------------------


def test_an_object_undone_before_it_is_learned_leaves_the_memory_all_the_same(pictures: Path) -> None:
    real = Real(STRATEGIES["frozen"])
    with Store.open(pictures) as store:
        person = Person(store, real, twin=False).starts()  # type: ignore[arg-type]
        person.clicks(40.0, 40.0)
        (learn,) = person.workflow.do(acts.Accept())
        assert isinstance(learn, AdaptRequest)
        person.do(acts.Undo())
        person.does((learn,))
        assert real.ids == []
        assert store.annotations() == ()
