"""What waits to be learned when the window closes is learned after the next start; the queue is short and holds no images."""

from __future__ import annotations

from pathlib import Path

import pytest

from samtta_app.core.messages import AdaptRequest, LoadRequest, PrefetchRequest, Request, RestoreRequest, TwinRequest
from samtta_app.core.types import WaitingExample
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.lessons import MAX_LESSONS
from tests.unit.session.real import Nudging, Real, annotate, pictures_in, same, sitting
from tests.unit.session.scripted import Person, Script, accepted, report

HEIGHT, WIDTH = 96, 128
LEARNING = (AdaptRequest, TwinRequest)


class Busy(Person):
    """A person whose engine answers clicks and images at once, and learns nothing before `learns` is called."""

    waiting: list[Request]

    def starts(self) -> Busy:
        self.waiting = []
        super().starts()
        return self

    def does(self, requests: tuple[Request, ...]) -> None:
        todo = list(requests)
        while todo:
            request = todo.pop(0)
            if isinstance(request, LEARNING):
                self.waiting.append(request)
            else:
                todo.extend(self.workflow.receive(self.script.answer(request)))

    def learns(self, count: int) -> None:
        for _ in range(count):
            self.does(self.workflow.receive(self.script.answer(self.waiting.pop(0))))


def lessons(person: Person, *, learn: bool = True) -> list[int]:
    return [r.example.object_id for r in person.script.sent(AdaptRequest) if r.learn is learn]  # type: ignore[attr-defined]


def replays(person: Person) -> list[int]:
    return [r.example.object_id for r in person.script.sent(TwinRequest)]  # type: ignore[attr-defined]


def places(count: int) -> list[float]:
    return [20.0 + 5 * k for k in range(count)]


def test_what_was_accepted_and_not_learned_is_learned_after_the_next_start_in_order(folder: Path) -> None:
    with Store.open(folder) as store:
        busy = Busy(store).starts()
        for k, x in enumerate(places(10)):
            busy.do(acts.OpenImage(k % 3))
            busy.accepts(x)
        busy.learns(6)
        done = lessons(busy)
        assert 0 < len(done) < 10
    with Store.open(folder) as store:
        person = Person(store).starts()
        rest = [number for number in range(1, 11) if number not in done]
        assert lessons(person) == rest
        assert sorted(lessons(person, learn=False)) == done
        assert len(store.adaptations()) == 10
        assert all(record.frozen is not None for record in store.records())
        assert store.unlearned("") == ()
    with Store.open(folder) as store:
        person = Person(store).starts()
        assert lessons(person) == replays(person) == []
        assert sorted(lessons(person, learn=False)) == list(range(1, 11))


def test_nothing_that_was_learned_is_learned_twice_by_closing_often(folder: Path) -> None:
    learned: list[int] = []
    with Store.open(folder) as store:
        busy = Busy(store).starts()
        for x in places(5):
            busy.accepts(x)
    for _ in range(8):
        with Store.open(folder) as store:
            busy = Busy(store).starts()
            while busy.waiting and not lessons(busy):
                busy.learns(1)
            learned += lessons(busy)
    assert learned == [1, 2, 3, 4, 5]


def test_an_object_is_learned_after_a_restart_as_if_the_window_had_stayed_open(tmp_path: Path) -> None:
    pictures = pictures_in(tmp_path / "pictures", "a.png", "b.png")
    with sitting(pictures, tmp_path / "one") as (person, never_closed):
        annotate(person, 0, (40.0, 40.0), (90.0, 60.0), (60.0, 20.0))
        expected = never_closed.engine.published
    real = Real(Nudging())
    with Store.open(pictures, tmp_path / "two") as store:
        busy = Busy(store, real, twin=False).starts()  # type: ignore[arg-type]
        annotate(busy, 0, (40.0, 40.0))
        busy.learns(1)
        annotate(busy, 0, (90.0, 60.0), (60.0, 20.0))
        assert real.engine.published.version == 1
    with sitting(pictures, tmp_path / "two") as (_, again):
        assert again.learned == [2, 3]
        assert again.ids == [1, 2, 3]
        assert again.engine.published.version == 3
    assert expected.version == 3
    assert not same(expected.tensors, real.engine.published.tensors)


def test_the_queue_is_short_and_holds_no_images(folder: Path) -> None:
    with Store.open(folder) as store:
        busy = Busy(store).starts()
        for x in places(15):
            busy.accepts(x)
            assert len(busy.waiting) <= MAX_LESSONS
        assert all(isinstance(r.example, WaitingExample) for r in busy.waiting)  # type: ignore[union-attr]
        while busy.waiting:
            busy.learns(1)
            assert len(busy.waiting) <= MAX_LESSONS
        assert lessons(busy) == list(range(1, 16))


def test_replays_give_way_to_learning_and_are_made_up_for_with_weights_that_had_not_seen_the_object(
    folder: Path,
) -> None:
    with Store.open(folder) as store:
        busy = Busy(store).starts()
        for x in places(15):
            busy.accepts(x)
        versions: dict[int, int] = {}
        learned: dict[int, int] = {}
        while busy.waiting:
            request = busy.waiting[0]
            if isinstance(request, TwinRequest):
                versions[request.example.object_id] = request.weights_version
            busy.learns(1)
            if isinstance(request, AdaptRequest):
                learned[request.example.object_id] = busy.state.adaptation.version
        order = [(type(r), r.example.object_id) for r in busy.script.requests if isinstance(r, LEARNING)]
        assert order.index((TwinRequest, 5)) > order.index((AdaptRequest, 15))
        assert sorted(versions) == list(range(1, 16))
        assert all(versions[number] < learned[number] for number in versions)
        assert all(record.frozen is not None for record in store.records())


def test_a_replay_whose_weights_are_no_longer_kept_is_left_out(folder: Path) -> None:
    with Store.open(folder) as store:
        busy = Busy(store).starts()
        for x in places(15):
            busy.accepts(x)
        while len(lessons(busy)) < 15:
            busy.learns(1)
    for file in (folder / ".samtta" / "weights").iterdir():
        if file.name < "v0006":
            file.unlink()
    with Store.open(folder) as store:
        person = Person(store).starts()
        missing = [record.object_id for record in store.records() if record.frozen is None]
        assert missing
        assert max(missing) <= 6
        assert {r.weights_version for r in person.script.sent(TwinRequest)} <= {0, *range(6, 15)}  # type: ignore[attr-defined]


def test_a_replay_that_was_put_off_is_made_up_for_after_the_next_start(tmp_path: Path) -> None:
    pictures = pictures_in(tmp_path / "pictures", "a.png")
    with Store.open(pictures) as store:
        busy = Busy(store, Real(Nudging())).starts()  # type: ignore[arg-type]
        annotate(busy, 0, *((20.0 + 6 * k, 40.0) for k in range(8)))
        while len([r for r in busy.script.requests if isinstance(r, AdaptRequest)]) < 8:
            busy.learns(1)
        late = [record.object_id for record in store.records() if record.frozen is None]
        assert late
    with Store.open(pictures) as store:
        person = Person(store, Real(Nudging())).starts()  # type: ignore[arg-type]
        made_up = {r.example.object_id: r.weights_version for r in person.script.requests if isinstance(r, TwinRequest)}
        assert sorted(made_up) == late
        assert all(version < number for number, version in made_up.items())  # each object made one version
        assert all(record.frozen is not None for record in store.records())
        assert person.state.message is None
        assert person.script.engine.published.version == 8  # type: ignore[attr-defined]


def test_an_object_that_is_deleted_while_it_waits_is_not_learned_unless_it_comes_back(folder: Path) -> None:
    with Store.open(folder) as store:
        busy = Busy(store).starts()
        for x in places(4):
            busy.accepts(x)
        busy.do(acts.Select(4))
        busy.do(acts.DeleteSelected())
        while busy.waiting:
            busy.learns(1)
        assert lessons(busy) == [1, 2, 3]
        busy.do(acts.Undo())
        while busy.waiting:
            busy.learns(1)
        assert lessons(busy) == [1, 2, 3, 4]


def test_what_was_accepted_without_learning_is_never_learned(folder: Path) -> None:
    with Store.open(folder) as store:
        Person(store, strategy="frozen").starts().accepts()
    with Store.open(folder) as store:
        person = Person(store).starts()
        assert lessons(person) == []
        assert lessons(person, learn=False) == [1]


def test_an_image_that_cannot_be_read_costs_its_own_lessons_only_and_says_so_once(folder: Path) -> None:
    class Unreadable(Script):
        def answer(self, request: Request):  # type: ignore[no-untyped-def]
            if isinstance(request, LEARNING) and request.example.image.path.name == "a.png":
                self.refuse.add(type(request))
            reply = super().answer(request)
            self.refuse.clear()
            return reply

    with Store.open(folder) as store:
        busy = Busy(store).starts()
        for k, x in enumerate(places(6)):
            busy.do(acts.OpenImage(k % 2))
            busy.accepts(x)
    with Store.open(folder) as store:
        person = Person(store, Unreadable()).starts()
        assert [record.object_id for record in store.records() if record.frozen] == [2, 4, 6]
        assert store.unlearned("") == (1, 3, 5)
        assert person.state.message.severity == "warning"
    with Store.open(folder) as store:
        Person(store).starts()
        assert store.unlearned("") == ()


def test_lessons_of_earlier_runs_wait_until_the_image_that_is_open_is_ready(folder: Path) -> None:
    with Store.open(folder) as store:
        busy = Busy(store).starts()
        busy.accepts(30)
    with Store.open(folder) as store:
        person = Person(store)
        who, load = person.workflow.start()
        assert isinstance(who, RestoreRequest)
        assert isinstance(load, LoadRequest)
        assert person.workflow.receive(person.script.answer(who)) == ()
        (prefetch,) = person.workflow.receive(person.script.answer(load))
        assert isinstance(prefetch, PrefetchRequest)
        first = person.workflow.receive(person.script.answer(prefetch))
        assert [type(r) for r in first] == [TwinRequest, AdaptRequest]


@pytest.mark.parametrize("paused", [False, True])
def test_a_read_only_project_learns_nothing_it_could_not_store(
    folder: Path, monkeypatch: pytest.MonkeyPatch, paused: bool
) -> None:
    with Store.open(folder) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT, teaches=True)
        if paused:
            store.log_adaptation(report(saved.id, kept=False))
    with Store.open(folder) as store:
        monkeypatch.setattr(store, "read_only", True)
        person = Person(store).starts()
        assert lessons(person) == []
        assert lessons(person, learn=False) == [1]
