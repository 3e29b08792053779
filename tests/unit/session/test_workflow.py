"""Images, objects, classes, the learner, and coming back the next day."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from samtta_app.core.messages import (
    AdaptRequest,
    ForgetRequest,
    LoadRequest,
    PrefetchRequest,
    RestoreRequest,
    TwinRequest,
)
from samtta_app.core.replies import Controlled, Prefetched, Progress, TwinReport
from samtta_app.core.types import Click
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.lessons import MEMORY
from samtta_app.session.workflow.workflow import Workflow
from tests.unit.session.scripted import Person, Script, folder_of, report


def paths(person: Person, kind: type) -> list[str]:
    return [r.path.name for r in person.script.sent(kind)]  # type: ignore[attr-defined]


# --- images -----------------------------------------------------------------------------------------------------------


def test_it_starts_with_the_first_image_and_encodes_two_ahead(person: Person) -> None:
    assert person.state.image.path.name == "a.png"
    assert paths(person, LoadRequest) == ["a.png"]
    assert paths(person, PrefetchRequest) == ["a.png", "b.png", "c.png"]
    assert [e.status for e in person.state.images] == ["encoded", "encoded", "encoded"]
    assert person.script.sent(PrefetchRequest)[0].image is person.state.image  # type: ignore[attr-defined]


def test_no_image_further_than_two_is_encoded_ahead(tmp_path: Path) -> None:
    with Store.open(folder_of(tmp_path, *(f"{k}.png" for k in range(6)))) as store:
        person = Person(store).starts()
        assert paths(person, PrefetchRequest) == ["0.png", "1.png", "2.png"]


def test_a_large_image_is_passed_over_once_and_encoded_when_it_is_opened(tmp_path: Path) -> None:
    with Store.open(folder_of(tmp_path, "a.png", "b.png", "c.png")) as store:
        person = Person(store, Script(large={"b.png"})).starts()
        assert paths(person, PrefetchRequest) == ["a.png", "b.png", "c.png"]
        assert [e.status for e in person.state.images] == ["encoded", "todo", "encoded"]
        person.do(acts.NextImage())
        assert paths(person, PrefetchRequest) == ["a.png", "b.png", "c.png", "b.png"]
        assert person.script.sent(PrefetchRequest)[-1].image is person.state.image  # type: ignore[attr-defined]
        assert person.state.images[1].status == "encoded"


def test_what_of_a_file_is_not_shown_is_said_when_it_opens_and_gone_after_the_next_act(tmp_path: Path) -> None:
    with Store.open(folder_of(tmp_path, "a.png", "b.png")) as store:
        person = Person(store, Script(notices={"a.png": "This is page 1 of 10."})).starts()
        assert person.state.message.severity == "info"
        assert person.state.message.text == "a.png: This is page 1 of 10."
        person.do(acts.NextImage())
        assert person.state.message is None


def test_only_one_image_is_encoded_ahead_at_a_time(store: Store) -> None:
    person = Person(store)
    (load,) = person.workflow.start()
    (prefetch,) = person.workflow.receive(person.script.answer(load))
    loads = person.workflow.do(acts.NextImage())
    assert person.workflow.receive(person.script.answer(loads[0])) == ()
    (following,) = person.workflow.receive(person.script.answer(prefetch))
    assert isinstance(following, PrefetchRequest)
    assert following.path.name == "b.png"


def test_learning_goes_before_images_further_on(store: Store) -> None:
    person = Person(store)
    (load,) = person.workflow.start()
    (prefetch,) = person.workflow.receive(person.script.answer(load))
    requests = person.workflow.do(acts.PlaceClick(Click(60, 50, True)))
    person.workflow.receive(person.script.answer(requests[0]))
    learning = person.workflow.do(acts.Accept())
    assert person.workflow.receive(person.script.answer(prefetch)) == ()
    person.does(learning)
    assert paths(person, PrefetchRequest) == ["a.png", "b.png", "c.png"]


def test_images_can_be_walked_through_and_the_ends_say_so(person: Person) -> None:
    person.do(acts.NextImage(-1))
    assert "first" in person.state.message.text
    for expected in (1, 2, 2):
        person.do(acts.NextImage())
        assert person.state.index == expected
    assert "last" in person.state.message.text


def test_an_index_outside_the_list_changes_nothing(person: Person) -> None:
    for index in (-1, 3, 99):
        assert person.workflow.do(acts.OpenImage(index)) == ()
    assert person.state.index == 0
    assert person.state.image is not None


def test_annotations_of_the_opened_image_are_there_before_its_pixels(person: Person) -> None:
    person.accepts()
    person.do(acts.NextImage())
    person.workflow.do(acts.OpenImage(0))
    assert person.state.image is None
    assert len(person.state.annotations) == 1


def test_only_the_newest_opened_image_is_shown(person: Person) -> None:
    (first,) = person.workflow.do(acts.OpenImage(1))
    (second,) = person.workflow.do(acts.OpenImage(2))
    person.does(person.workflow.receive(person.script.answer(second)))
    person.does(person.workflow.receive(person.script.answer(first)))
    assert person.state.image.path.name == "c.png"


def test_next_unreviewed_passes_over_annotated_images_and_goes_around(person: Person) -> None:
    person.do(acts.NextImage())
    person.accepts()
    person.do(acts.OpenImage(0))
    person.do(acts.NextUnreviewed())
    assert person.state.index == 2
    person.accepts()
    person.do(acts.NextUnreviewed())
    assert person.state.index == 0
    person.accepts()
    person.do(acts.NextUnreviewed())
    assert person.state.index == 0
    assert "Every other image" in person.state.message.text


def test_an_unreadable_image_says_why_and_the_others_go_on(store: Store) -> None:
    person = Person(store, Script(unreadable={"a.png", "c.png"})).starts()
    assert person.state.image is None
    assert person.state.message.severity == "error"
    person.do(acts.NextImage())
    assert person.state.image.path.name == "b.png"
    assert [e.status for e in person.state.images] == ["unreadable", "encoded", "unreadable"]
    assert person.state.images[2].text == "c.png cannot be read."
    person.do(acts.NextUnreviewed())
    assert person.state.index == 1


def test_an_image_that_was_mended_can_be_opened_again(store: Store) -> None:
    person = Person(store, Script(unreadable={"a.png"})).starts()
    person.script.unreadable = set()
    person.do(acts.OpenImage(0))
    assert person.state.images[0].status == "encoded"
    assert person.state.images[0].text == ""


def test_an_image_whose_encoding_fails_is_not_tried_for_ever(store: Store) -> None:
    person = Person(store, Script(refuse={PrefetchRequest})).starts()
    assert len(paths(person, PrefetchRequest)) == 3
    assert person.state.image is not None


# --- objects and classes ----------------------------------------------------------------------------------------------


def test_selecting_goes_around_the_objects(person: Person) -> None:
    assert person.workflow.do(acts.SelectNext(1)) == ()
    for x in (30, 60, 90):
        person.accepts(x)
    seen = []
    for step in (1, 1, 1, 1, -1):
        person.do(acts.SelectNext(step))
        seen.append(person.state.selected)
    assert seen == [1, 2, 3, 1, 3]
    person.do(acts.Select(99))
    assert person.state.selected == 3
    person.do(acts.Cancel())
    assert person.state.selected is None
    person.do(acts.SelectNext(-1))
    assert person.state.selected == 3


def test_a_click_takes_the_selection_away(person: Person) -> None:
    person.accepts()
    person.do(acts.Select(1))
    person.clicks(20, 20)
    assert person.state.selected is None


def test_deleting_withdraws_the_selected_object_everywhere(person: Person, store: Store) -> None:
    person.accepts(30)
    person.accepts(60)
    person.do(acts.Select(1))
    person.do(acts.DeleteSelected())
    assert [a.id for a in person.state.annotations] == [a.id for a in store.annotations()] == [2]
    assert person.state.selected is None
    assert person.state.images[0].objects == 1
    assert [p.object_id for p in person.state.statistics.stream] == [2]
    assert person.script.sent(ForgetRequest)[0].object_id == 1  # type: ignore[attr-defined]


def test_deleting_nothing_says_so(person: Person) -> None:
    assert person.workflow.do(acts.DeleteSelected()) == ()
    assert "Select" in person.state.message.text


def test_a_class_goes_to_the_selected_object_only_when_none_is_being_annotated(person: Person) -> None:
    person.accepts()
    person.do(acts.AddClass("leaf"))
    person.do(acts.Select(1))
    person.clicks(20, 20)
    person.do(acts.SetClass(2))
    assert person.state.annotations[0].class_id == 1
    person.do(acts.Cancel())
    person.do(acts.Select(1))
    person.do(acts.SetClass(2))
    assert person.state.annotations[0].class_id == 2
    assert person.state.current_class == 2


def test_an_unknown_class_changes_nothing(person: Person) -> None:
    person.do(acts.SetClass(7))
    assert person.state.current_class == 1


def test_class_names_are_checked_and_the_reason_is_said(person: Person) -> None:
    person.do(acts.AddClass("leaf"))
    person.do(acts.AddClass("leaf"))
    assert [c.name for c in person.state.classes] == ["object", "leaf"]
    assert "already" in person.state.message.text
    person.do(acts.RenameClass(2, "stem"))
    assert [c.name for c in person.state.classes] == ["object", "stem"]
    assert person.state.message is None


def test_what_is_shown_can_be_chosen_one_by_one(person: Person) -> None:
    person.do(acts.Show(overlay="entropy"))
    person.do(acts.Show(masks=False))
    assert (person.state.display.masks, person.state.display.overlay) == (False, "entropy")


# --- the learner ------------------------------------------------------------------------------------------------------


def test_a_published_version_is_shown_and_stored(person: Person, store: Store) -> None:
    person.accepts()
    adaptation = person.state.adaptation
    assert (adaptation.version, adaptation.last.kept, adaptation.memory_objects) == (1, True, 4)
    assert adaptation.last.weights == b""
    assert adaptation.can_roll_back
    assert store.published() == 1


def test_a_dropped_version_is_shown_with_its_reason(store: Store) -> None:
    person = Person(store, Script(publish=False)).starts()
    person.accepts()
    assert (person.state.adaptation.version, person.state.adaptation.last.reason) == (0, "because")
    assert not person.state.adaptation.can_roll_back
    assert len(store.adaptations()) == 1


def test_activity_says_what_the_learner_does(person: Person) -> None:
    person.clicks(60, 50)
    replay, learn = person.workflow.do(acts.Accept())
    assert person.state.adaptation.activity == "comparing"
    person.workflow.receive(Progress("comparing with the original", 0.5))
    assert person.state.activity == "comparing with the original 50%"
    person.workflow.receive(person.script.answer(replay))
    assert person.state.adaptation.activity == "learning"
    person.does(person.workflow.receive(person.script.answer(learn)))
    assert (person.state.adaptation.activity, person.state.activity) == ("idle", "")


def test_the_twins_trajectories_reach_the_figures_and_the_store(person: Person, store: Store) -> None:
    person.accepts()
    (point,) = person.state.statistics.stream
    assert (point.person, point.adapted, point.frozen) == (1, 1, 2)
    assert store.records()[0].frozen == (0.5, 0.9)


def test_pause_rollback_and_reset_reach_the_learner_and_the_store(person: Person, store: Store) -> None:
    for x in (30, 60, 90):
        person.accepts(x)
    person.do(acts.ControlLearner("pause"))
    assert person.state.adaptation.activity == "paused"
    person.do(acts.ControlLearner("resume"))
    assert person.state.adaptation.activity == "idle"
    person.do(acts.ControlLearner("rollback"))
    assert person.state.adaptation.version == store.published() == 2
    assert "version 2" in person.state.message.text
    person.do(acts.ControlLearner("reset"))
    assert person.state.adaptation.version == store.published() == 0
    assert not person.state.adaptation.can_roll_back


def test_a_learner_that_fails_says_so_and_work_goes_on(store: Store) -> None:
    person = Person(store, Script(refuse={AdaptRequest, TwinRequest})).starts()
    person.accepts()
    assert person.state.message.severity == "warning"
    assert person.state.adaptation.activity == "idle"
    person.accepts(30)
    assert len(store.annotations()) == 2


def test_stale_replies_change_nothing(person: Person) -> None:
    before = person.state
    for reply in (
        report(request_id=999),
        TwinReport(999, 1, 0, (), (), 0.0),
        Controlled(999, "reset", 0, True),
        Prefetched(999, Path("a.png")),
    ):
        assert person.workflow.receive(reply) == ()
    assert person.state.adaptation == before.adaptation
    assert person.state.statistics.stream == ()


def test_a_report_that_cannot_be_stored_is_shown_all_the_same(person: Person, store: Store) -> None:
    person.clicks(60, 50)
    _, learn = person.workflow.do(acts.Accept())
    store._db.execute("PRAGMA query_only = ON")
    person.workflow.receive(person.script.answer(learn))
    assert person.state.adaptation.version == 1
    assert person.state.message.severity == "warning"


# --- resuming ---------------------------------------------------------------------------------------------------------


def test_everything_comes_back(folder: Path) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        person.accepts(30, 30, clicks=2)
        person.do(acts.AddClass("leaf"))
        person.do(acts.NextImage())
        person.accepts(60, 50)
        before = person.state
    with Store.open(folder) as store:
        person = Person(store).starts()
        after = person.state
        assert (after.index, after.image.path.name) == (1, "b.png")
        assert [(a.id, a.class_id, len(a.history)) for a in after.annotations] == [(2, 2, 1)]
        assert after.classes == before.classes
        assert after.statistics == replace(before.statistics)
        assert after.adaptation.version == person.script.version == 2
        assert [r.version for r in after.adaptation.reports] == [1, 2]
        assert after.images == tuple(replace(e, status=e.status) for e in before.images)
        assert after.can_undo


def test_the_newest_objects_are_remembered_when_nothing_else_is_to_do(folder: Path) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        person.accepts(30, 30)
        person.accepts(60, 30)
        person.do(acts.OpenImage(2))
        person.accepts(60, 50)
    with Store.open(folder) as store:
        person = Person(store).starts()
        remembered = person.script.sent(AdaptRequest)
        assert [r.example.object_id for r in remembered] == [3, 1, 2]  # type: ignore[attr-defined]
        assert not any(r.learn for r in remembered)  # type: ignore[attr-defined]
        assert {r.example.image.path.name for r in remembered} == {"a.png", "c.png"}  # type: ignore[attr-defined]
        assert person.state.image.path.name == "c.png"
        assert len(store.adaptations()) == 3
        assert [type(r) for r in person.script.requests[:3]] == [RestoreRequest, LoadRequest, PrefetchRequest] or [
            type(r) for r in person.script.requests[:2]
        ] == [RestoreRequest, LoadRequest]


def test_no_more_than_the_newest_objects_are_remembered(folder: Path) -> None:
    with Store.open(folder) as store:
        person = Person(store, learn=False, twin=False).starts()
        for k in range(MEMORY + 3):
            person.accepts(20 + k, 50)
    with Store.open(folder) as store:
        person = Person(store).starts()
        ids = [r.example.object_id for r in person.script.sent(AdaptRequest)]  # type: ignore[attr-defined]
        assert ids == list(range(4, MEMORY + 4))


def test_an_image_that_is_gone_is_passed_over_when_remembering(folder: Path) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        person.accepts(30, 30)
        person.do(acts.NextImage())
        person.accepts(30, 30)
        person.do(acts.NextImage())
    (folder / "a.png").unlink()
    with Store.open(folder) as store:
        person = Person(store).starts()
        assert [r.example.object_id for r in person.script.sent(AdaptRequest)] == [2]  # type: ignore[attr-defined]
        assert person.state.images[0].status == "unreadable"
        person.do(acts.OpenImage(0))
        assert len(person.state.annotations) == 1
        assert person.state.message.severity == "error"


def test_opening_an_image_goes_before_remembering(folder: Path) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        person.accepts(30, 30)
        person.do(acts.NextImage())
    with Store.open(folder) as store:
        person = Person(store, twin=False)
        restore, load = person.workflow.start()
        person.workflow.receive(person.script.answer(restore))
        (prefetch,) = person.workflow.receive(person.script.answer(load))
        (memory,) = person.workflow.receive(person.script.answer(prefetch))
        assert isinstance(memory, AdaptRequest)
        assert not memory.learn
        assert memory.example.image.path.name == "a.png"
        opening = person.workflow.do(acts.OpenImage(2))
        person.does((*opening, memory))
        assert person.state.image.path.name == "c.png"
        assert len(person.script.sent(AdaptRequest)) == 1


@pytest.mark.parametrize(("action", "published"), [("rollback", 2), ("reset", 0)])
def test_after_a_rollback_no_version_number_is_given_twice(folder: Path, action: str, published: int) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        for x in (30, 60, 90):
            person.accepts(x)
        person.does(person.workflow.do(acts.ControlLearner(action)))  # type: ignore[arg-type]
    with Store.open(folder) as store:
        person = Person(store).starts()
        assert person.script.sent(RestoreRequest)[0].version == 3  # type: ignore[attr-defined]
        assert person.state.adaptation.version == person.script.version == published
        assert person.state.message is None
        assert [r.version for r in person.script.sent(RestoreRequest) if r.weights] == [published] * (published > 0)  # type: ignore[attr-defined]
        assert store.published() == published


def test_damaged_weights_are_said_and_the_next_older_ones_used(folder: Path) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        person.accepts(30)
        person.accepts(60)
    (folder / ".samtta" / "weights" / "v0002.safetensors").write_bytes(b"")
    with Store.open(folder) as store:
        person = Person(store)
        person.workflow.start()
        assert "version 1" in person.state.message.text
        person = Person(store).starts()
        assert person.state.adaptation.version == 1


def test_a_new_session_restores_nothing(store: Store) -> None:
    requests = Workflow(store).start()
    assert [type(r) for r in requests] == [LoadRequest]


def test_any_kept_version_answers_again_and_one_that_is_gone_is_said(folder: Path) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        for k in range(3):
            person.accepts(30 + 20 * k, 40)
        assert person.state.adaptation.version == 3
        person.do(acts.GoBackTo(1))
        assert (person.state.adaptation.version, store.published()) == (1, 1)
        assert person.state.message.text == "Back to version 1"
        person.do(acts.GoBackTo(3))
        assert store.published() == 3
        person.do(acts.GoBackTo(7))
        assert "not kept any more" in person.state.message.text
        person.script.refuse = {RestoreRequest}
        person.do(acts.GoBackTo(2))
        assert person.state.message.severity == "warning"
        assert person.state.adaptation.version == 3
        person.script.refuse = set()
        person.do(acts.GoBackTo(0))
        assert person.state.adaptation.version == store.published() == 0
