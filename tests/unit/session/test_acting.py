"""The order of acts decides, whatever the order and the speed of answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.core.messages import AdaptRequest, LoadRequest, PredictRequest, Request
from samtta_app.core.types import Annotation, Box, Click
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import Person, folder_of


class Hasty(Person):
    """A user who goes on before the engine has answered; as in the window, a newer click takes an older one's place."""

    def __init__(self, store: Store, **options: object) -> None:
        super().__init__(store, **options)
        self.open: list[Request] = []
        self.does(self.workflow.start())
        self.settles()

    def does(self, requests: tuple[Request, ...]) -> None:
        for request in requests:
            kind = (PredictRequest,) if isinstance(request, PredictRequest) else (LoadRequest,)
            if isinstance(request, kind):
                self.open = [r for r in self.open if not isinstance(r, kind)]
            self.open.append(request)

    def hears(self) -> bool:
        """The engine answers the next request; False when there is none."""
        if not self.open:
            return False
        request = next((r for r in self.open if r.lane == "urgent"), self.open[0])
        self.open.remove(request)
        self.does(self.workflow.receive(self.script.answer(request)))
        return True

    def settles(self) -> None:
        while self.hears():
            pass


def click(x: float, y: float = 50, positive: bool = True) -> acts.PlaceClick:
    return acts.PlaceClick(Click(x, y, positive))


def stored(store: Store) -> list[tuple[str, int, list[float]]]:
    """Image, class and the clicks' columns of every object, in the order of their accept."""
    return [(a.image_name, a.class_id, [c.x for c in a.clicks]) for a in store.annotations()]


@pytest.fixture
def hasty(store: Store) -> Hasty:
    return Hasty(store, twin=False, learn=False)


def test_a_click_after_enter_begins_the_next_object(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20), acts.Accept(), click(60), acts.Accept(), click(100), acts.Accept())
    assert store.annotations() == ()
    assert hasty.state.waiting[0] == acts.Accept()
    hasty.settles()
    assert stored(store) == [("a.png", 1, [20]), ("a.png", 1, [60]), ("a.png", 1, [100])]
    assert hasty.state.waiting == ()
    assert hasty.state.preview is None


def test_twenty_objects_typed_ahead_are_twenty_objects(hasty: Hasty, store: Store) -> None:
    for k in range(20):
        hasty.do(click(10 + 5 * k), click(12 + 5 * k), acts.Accept())
    hasty.settles()
    assert [clicks for _, _, clicks in stored(store)] == [[10 + 5 * k, 12 + 5 * k] for k in range(20)]


def test_enter_without_an_answer_does_not_accept_the_mask_before(hasty: Hasty, store: Store) -> None:
    hasty.do(click(60))
    hasty.settles()
    hasty.do(click(64), acts.Accept())
    assert store.annotations() == ()
    hasty.settles()
    assert stored(store) == [("a.png", 1, [60, 64])]


def test_escape_cancels_what_is_being_typed_and_nothing_before(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20), acts.Cancel(), click(60), acts.Accept(), click(80), acts.Cancel(), click(100))
    hasty.do(acts.Accept())
    hasty.settles()
    assert [clicks for _, _, clicks in stored(store)] == [[60], [100]]


def test_backspace_takes_the_last_click_also_one_that_waits(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20), click(25), acts.RemoveClick(), acts.Accept())
    hasty.do(click(60), click(65), acts.RemoveClick(), acts.RemoveClick(), click(90), acts.Accept())
    hasty.settles()
    assert [clicks for _, _, clicks in stored(store)] == [[20], [90]]


def test_backspace_after_enter_removes_no_click_of_the_accepted_object(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20), acts.Accept(), acts.RemoveClick())
    hasty.settles()
    assert [clicks for _, _, clicks in stored(store)] == [[20]]
    assert hasty.state.preview is None


def test_a_class_key_is_of_the_object_that_is_being_typed(hasty: Hasty, store: Store) -> None:
    hasty.do(acts.AddClass("leaf"))
    hasty.do(acts.SetClass(1), click(20), acts.SetClass(2), acts.Accept(), acts.SetClass(1), click(60))
    hasty.do(acts.Accept(), click(90), acts.SetClass(2), acts.Accept())
    hasty.settles()
    assert [class_id for _, class_id, _ in stored(store)] == [2, 1, 2]


def test_tab_is_of_the_answer_that_comes(hasty: Hasty, store: Store) -> None:
    hasty.do(click(60), acts.Turn(), acts.Turn(), acts.Accept())
    hasty.settles()
    radius_11 = next(a for a in store.annotations()).mask.bits.shape
    assert radius_11 == (23, 23)


def test_undo_and_redo_are_done_in_their_turn(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20), acts.Accept(), acts.Undo(), click(25), acts.Accept(), acts.Undo(), acts.Redo())
    hasty.settles()
    assert [clicks for _, _, clicks in stored(store)] == [[20, 25]]


@pytest.mark.parametrize("leave", [acts.NextImage(), acts.NextUnreviewed(), acts.OpenImage(1)])
def test_the_image_changes_after_the_awaited_accept(hasty: Hasty, store: Store, leave: UserAct) -> None:
    hasty.do(click(20), acts.Accept(), leave)
    assert hasty.state.index == 0
    hasty.settles()
    assert stored(store) == [("a.png", 1, [20])]
    assert (hasty.state.index, hasty.state.image is not None) == (1, True)


def test_accept_and_next_waits_for_the_mask_and_a_click_meanwhile_is_refused(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20), acts.Accept(then_next=True), click(70))
    assert "about to change" in hasty.state.message.text
    hasty.settles()
    assert stored(store) == [("a.png", 1, [20])]
    assert (hasty.state.index, hasty.state.preview) == (1, None)


def test_a_click_that_was_meant_for_another_image_goes_nowhere(hasty: Hasty) -> None:
    act = acts.PlaceClick(Click(60, 50, True), image="b.png")
    hasty.workflow._acting._perform(act)
    assert "b.png" in hasty.state.message.text
    assert hasty.state.preview is None


def test_two_undos_in_a_row_across_images_are_two(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20))
    hasty.settles()
    hasty.do(acts.Accept(), click(60))
    hasty.settles()
    hasty.do(acts.Accept(then_next=True))
    hasty.settles()
    hasty.do(acts.Undo(), acts.Undo(), acts.Undo())
    hasty.settles()
    assert hasty.state.index == 0
    assert store.annotations() == ()
    assert [c.x for c in hasty.state.preview.clicks] == [20]


def test_while_something_waits_it_can_be_undone_and_redone_in_advance(hasty: Hasty) -> None:
    hasty.do(click(20), acts.Accept())
    assert hasty.state.can_undo
    assert hasty.state.can_redo
    hasty.settles()
    assert not hasty.state.can_redo


def test_what_waits_is_said_in_words() -> None:
    waiting = (acts.Accept(), click(1), acts.Accept(), acts.SetClass(2), click(2), acts.Accept())
    assert acts.in_words(waiting[:2]) == "accept, click"
    assert acts.in_words(waiting) == "accept, click, accept, class and 2 more"


def test_every_act_has_a_name() -> None:
    assert set(acts.ACT_NAMES) == set(UserAct.__args__)


# --- what fails -------------------------------------------------------------------------------------------------------


def test_a_failed_answer_drops_what_waited_and_redo_does_it_all(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20), acts.Accept(), click(60), acts.Accept())
    hasty.script.refuse = {PredictRequest}
    hasty.settles()
    assert store.annotations() == ()
    assert hasty.state.message.severity == "error"
    assert "It cannot be done. Not done: accept, click, accept" in hasty.state.message.text
    assert hasty.state.waiting == ()
    assert hasty.state.can_redo
    hasty.script.refuse = set()
    hasty.do(acts.Redo())
    hasty.settles()
    assert [clicks for _, _, clicks in stored(store)] == [[20], [60]]
    assert not hasty.state.can_redo


def test_a_failed_answer_without_anything_behind_it_can_be_asked_again(hasty: Hasty) -> None:
    hasty.do(click(20))
    hasty.settles()
    hasty.script.refuse = {PredictRequest}
    hasty.do(click(25))
    hasty.settles()
    assert [c.x for c in hasty.state.preview.clicks] == [20]
    hasty.script.refuse = set()
    hasty.do(acts.Redo())
    hasty.settles()
    assert [c.x for c in hasty.state.preview.clicks] == [20, 25]
    assert not hasty.state.preview.waiting


def test_another_act_forgets_what_was_dropped(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20), acts.Accept())
    hasty.script.refuse = {PredictRequest}
    hasty.settles()
    hasty.script.refuse = set()
    hasty.do(click(90), acts.Redo())
    hasty.settles()
    assert store.annotations() == ()
    assert [c.x for c in hasty.state.preview.clicks] == [90]


def test_an_accept_that_cannot_be_stored_holds_back_the_click_after_it(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20), acts.Accept(), click(60), acts.Accept())
    store._db.execute("PRAGMA query_only = ON")
    hasty.settles()
    assert [c.x for c in hasty.state.preview.clicks] == [20]
    assert "Not done: accept, click, accept" in hasty.state.message.text
    store._db.execute("PRAGMA query_only = OFF")
    hasty.do(acts.Redo())
    hasty.settles()
    assert [clicks for _, _, clicks in stored(store)] == [[20], [60]]


def test_a_stale_failure_drops_nothing(hasty: Hasty, store: Store) -> None:
    hasty.do(click(20))
    (old,) = hasty.open
    hasty.do(acts.Cancel(), click(60), acts.Accept())
    hasty.script.refuse = {PredictRequest}
    hasty.does(hasty.workflow.receive(hasty.script.answer(old)))
    hasty.script.refuse = set()
    hasty.settles()
    assert [clicks for _, _, clicks in stored(store)] == [[60]]


def test_what_was_accepted_in_advance_is_learned_in_the_order_of_the_acts(store: Store) -> None:
    hasty = Hasty(store, twin=False)
    for x in (20, 60, 100):
        hasty.do(click(x), acts.Accept())
    hasty.settles()
    learned = [r.example.object_id for r in hasty.script.requests if isinstance(r, AdaptRequest)]
    assert learned == [1, 2, 3]


# --- any acts, any delays ---------------------------------------------------------------------------------------------

STROKES: dict[str, Callable[[int], UserAct]] = {
    "click": lambda k: click(10 + 7 * (k % 14)),
    "exclude": lambda k: click(12 + 7 * (k % 14), 30, positive=False),
    "box": lambda k: acts.DrawBox(Box(4 + k % 9, 5, 60, 70)),
    "accept": lambda k: acts.Accept(),
    "cancel": lambda k: acts.Cancel(),
    "tab": lambda k: acts.Turn(),
    "remove": lambda k: acts.RemoveClick(),
    "undo": lambda k: acts.Undo(),
    "redo": lambda k: acts.Redo(),
    "class": lambda k: acts.SetClass(1 + k % 2),
    "delete": lambda k: acts.DeleteSelected(),
}


def outcome(folder: Path, strokes: list[tuple[str, int]]) -> list[tuple[int, tuple[Click, ...], bytes]]:
    """What is stored after the strokes, the engine having answered so many requests after each of them."""
    with Store.open(folder, folder.parent / f"project{len(list(folder.parent.iterdir()))}") as store:
        hasty = Hasty(store, twin=False, learn=False)
        hasty.do(acts.AddClass("leaf"))
        for k, (stroke, answers) in enumerate(strokes):
            hasty.do(STROKES[stroke](k))
            for _ in range(answers):
                hasty.hears()
        hasty.settles()
        assert hasty.state.waiting == ()
        return [_essence(annotation) for annotation in store.annotations()]


def _essence(annotation: Annotation) -> tuple[int, tuple[Click, ...], bytes]:
    return annotation.class_id, annotation.clicks, annotation.mask.bits.tobytes()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(sorted(STROKES)), st.integers(0, 2)), max_size=30))
def test_a_slow_engine_leads_to_the_same_objects_as_a_fast_one(strokes: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as scratch:
        folder = folder_of(Path(scratch) / "images", "a.png")
        fast = outcome(folder, [(stroke, 99) for stroke, _ in strokes])
        assert outcome(folder, strokes) == fast
