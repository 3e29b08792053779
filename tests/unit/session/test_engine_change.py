"""Another engine goes on with the session: what waits is asked again, what was learned is there, and nothing is lost."""

from __future__ import annotations

from samtta_app.core.messages import AdaptRequest, HypothesesRequest, LoadRequest, PredictRequest, RestoreRequest
from samtta_app.core.types import Click
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.proposal_acts import FindMasks
from samtta_app.settings import Settings
from tests.unit.session.scripted import Person, Script, proposed


def goes_on(person: Person, **changes: object) -> None:
    """Another engine takes over, one that knows nothing."""
    person.script = Script(proposed=person.script.proposed)
    person.does(person.workflow.take_engine(Settings(**changes)))  # type: ignore[arg-type]


def test_a_click_that_waits_is_answered_by_the_new_engine_alone(person: Person) -> None:
    person.clicks(60, 50)
    (old,) = person.workflow.do(acts.PlaceClick(Click(64, 50, True)))
    assert isinstance(old, PredictRequest)
    late = person.script.answer(old)
    goes_on(person, model="other")
    assert len(person.state.preview.clicks) == 2
    assert not person.state.preview.waiting
    answer = person.state.preview.answer
    person.does(person.workflow.receive(late))
    assert person.state.preview.answer is answer
    assert person.script.sent(PredictRequest)[0].prompt.logits is not None, "it goes on from the mask on the screen"
    person.do(acts.Undo(), acts.Accept())
    assert len(person.state.annotations) == 1


def test_the_image_that_is_being_read_and_the_search_go_on(person: Person) -> None:
    person.script.proposed = (proposed(30, 30, 8),)
    person.workflow.do(acts.OpenImage(1))
    goes_on(person)
    assert (person.state.index, person.state.image.key) == (1, "b.png")
    assert len(person.script.sent(LoadRequest)) == 1
    person.workflow.do(FindMasks())
    goes_on(person)
    assert person.state.proposals.share is None
    assert len(person.state.proposals.shown) == 1


def test_what_was_learned_is_taken_up_and_what_waits_is_learned(person: Person, store: Store) -> None:
    person.accepts()
    assert person.state.adaptation.version == 1
    person.clicks(30, 30)
    person.workflow.do(acts.Accept())  # its lesson is on its way when the engine goes
    goes_on(person, strategy="samtta-both")
    restored = person.script.sent(RestoreRequest)
    assert [(request.version, request.weights) for request in restored] == [(1, b"weights 1")]
    learned = [request.example.object_id for request in person.script.sent(AdaptRequest) if request.learn]
    assert learned == [2]
    adaptation = person.state.adaptation
    assert (adaptation.version, adaptation.strategy, len(adaptation.reports)) == (2, "samtta-both", 2)


def test_learning_ends_and_begins_with_the_setting(person: Person) -> None:
    goes_on(person, learn=False)
    person.accepts()
    assert (person.state.adaptation.activity, person.script.sent(AdaptRequest)) == ("off", [])
    goes_on(person, strategy="frozen", control_share=0.5)
    assert (person.state.adaptation.activity, person.state.adaptation.strategy) == ("off", "frozen")
    goes_on(person)
    person.accepts(30, 30)
    assert person.state.adaptation.version == 1
    assert [request.example.object_id for request in person.script.sent(AdaptRequest) if request.learn] == [2]


def test_a_project_that_cannot_be_written_goes_on_too(store: Store) -> None:
    with store.reader()() as second:
        assert second.read_only
        person = Person(second).starts()
        goes_on(person, strategy="fbrs")
        assert person.state.adaptation.strategy == "fbrs"


def test_what_the_engine_before_had_of_its_own_is_not_asked_of_the_new_one(person: Person) -> None:
    person.clicks(60, 50)
    person.do(acts.AskLarger(), acts.Show(compare=True))
    assert person.state.preview.larger
    assert person.state.preview.frozen is not None
    goes_on(person, model="other")
    (twin,) = person.script.sent(PredictRequest)
    assert twin.twin, "the comparison is with the model that answers from now on"
    person.clicks(64, 50)
    assert not any(request.larger for request in person.script.sent(PredictRequest))
    assert not person.state.preview.larger


def test_plausible_outlines_are_drawn_once_for_an_answer(store: Store) -> None:
    person = Person(store, Script(plausible=(9, 4))).starts()
    person.clicks(60, 50)
    cards = person.state.preview.candidates
    goes_on(person, model="other")
    assert person.state.preview.candidates == cards
    assert person.script.sent(HypothesesRequest) == []
    person.do(acts.Cancel())
    person.script.plausible = (9, 4)
    asked = person.workflow.do(acts.PlaceClick(Click(30, 40, True)))
    (request, *_) = asked
    drawn = person.workflow.receive(person.script.answer(request))
    assert any(isinstance(each, HypothesesRequest) for each in drawn)
    person.script = Script(plausible=(9, 4))
    person.does(person.workflow.take_engine(Settings()))
    assert len(person.script.sent(HypothesesRequest)) == 1, "those that were on their way are asked for again"
