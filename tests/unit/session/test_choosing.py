"""Between two annotators' outlines: each choice is stored, undone, remembered over restarts, and names the other annotator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from samtta_app.core.metrics import iou
from samtta_app.errors import StoreError
from samtta_app.session import acts, review_acts
from samtta_app.session.project.comparison import compare_projects
from samtta_app.session.project.store import Store
from samtta_app.session.review_list import ProjectComparison, ReviewItem
from samtta_app.session.workflow import choosing
from samtta_app.session.workflow.reviewing import MINE_OR_THEIRS
from tests.unit.session.annotators import BEN, Two, contents, two_projects
from tests.unit.session.scripted import Person, Script

MINE, THEIRS, BOTH = (review_acts.ChooseOutline(verdict) for verdict in ("mine", "theirs", "both"))  # type: ignore[arg-type]


@pytest.fixture
def both(tmp_path: Path) -> Two:
    return two_projects(tmp_path)


@pytest.fixture
def store(both: Two) -> Iterator[Store]:
    with Store.open(both.mine) as opened:
        yield opened


def comparing(store: Store, both: Two, script: Script | None = None, **options: object) -> Person:
    """Anna at work, with Ben's project beside her own."""
    person = Person(store, script, **options).starts()
    person.does(person.workflow.compare(compare_projects(store, both.theirs)))
    return person


@pytest.fixture
def person(store: Store, both: Two) -> Person:
    return comparing(store, both)


def goes_to(person: Person, reason: str) -> ReviewItem:
    """Go through the queue until an item of this kind."""
    for _ in person.state.review.items:
        person.do(review_acts.NextReview())
        if person.state.review.chosen.reason == reason:
            return person.state.review.chosen
    raise AssertionError(reason)


def reasons(person: Person) -> list[str]:
    return [item.reason for item in person.state.review.items]


def stored(store: Store) -> list[tuple[int, str, int, str, str]]:
    """The objects of the project: id, image, area, annotator, source."""
    return [(a.id, a.image_name, a.mask.area, a.annotator, a.source) for a in store.annotations()]


# --- the queue --------------------------------------------------------------------------------------------------------


def test_the_queue_leads_over_all_differences_and_round_again(person: Person) -> None:
    assert person.state.message.text == "2 images compared with ben: 4 differences to look at"
    review = person.state.review
    assert (review.other, review.waiting, review.total, review.current) == ("ben", 4, 4, None)
    seen = []
    for _ in range(5):
        person.do(review_acts.NextReview())
        seen.append((person.state.index, person.state.review.chosen.reason, person.state.selected))
    assert seen == [
        (0, "differs", 2),
        (0, "here", 3),
        (1, "class", 4),
        (1, "there", None),
        (0, "differs", 2),
    ]
    person.do(review_acts.NextReview(-1))
    assert person.state.review.chosen.reason == "there"
    assert person.state.review.moves == 6


def test_two_projects_that_agree_leave_nothing_to_look_at(tmp_path: Path) -> None:
    both = two_projects(tmp_path, BEN, BEN)
    with Store.open(both.mine) as store:
        person = comparing(store, both)
        assert person.state.message.severity == "good"
        assert person.state.review.items == ()
        person.do(review_acts.NextReview())
        assert "Every difference with ben is settled" in person.state.message.text


def test_the_comparison_ends_and_masks_in_doubt_are_reviewed_again(person: Person) -> None:
    person.do(review_acts.NextReview(), review_acts.EndComparison())
    assert (person.state.review.other, person.state.review.items) == ("", ())
    person.do(THEIRS)
    assert person.state.message.text == choosing.NO_COMPARISON


def test_remarks_are_said_with_the_number(store: Store, both: Two) -> None:
    found = replace(compare_projects(store, both.theirs), remarks=("b.png: too small",))
    person = Person(store).starts()
    person.does(person.workflow.compare(found))
    assert person.state.message.severity == "warning"
    assert person.state.message.text.endswith("differences to look at. b.png: too small")


# --- choices ----------------------------------------------------------------------------------------------------------

CHOICES = [
    ("differs", MINE, 5, [(2, "anna")]),
    ("differs", THEIRS, 5, [(6, "ben")]),
    ("differs", BOTH, 6, [(2, "anna"), (6, "ben")]),
    ("class", MINE, 5, [(4, "anna")]),
    ("class", THEIRS, 5, [(6, "ben")]),
    ("class", BOTH, 6, [(4, "anna"), (6, "ben")]),
    ("here", MINE, 5, [(3, "anna")]),
    ("here", THEIRS, 4, []),
    ("here", BOTH, 5, [(3, "anna")]),
    ("there", MINE, 5, []),
    ("there", THEIRS, 6, [(6, "ben")]),
    ("there", BOTH, 6, [(6, "ben")]),
]
"""A kind of difference, the choice, the number of objects after it, and what is there of both."""


@pytest.mark.parametrize(("reason", "choice", "number", "there"), CHOICES)
def test_a_choice_is_stored_undone_and_redone(
    store: Store,
    person: Person,
    reason: str,
    choice: review_acts.ChooseOutline,
    number: int,
    there: list[tuple[int, str]],
) -> None:
    before, open_before = stored(store), reasons(person)
    item = goes_to(person, reason)
    person.do(choice)
    after = stored(store)
    assert len(after) == number
    concerned = {item.object_id, 6}
    assert [(row[0], row[3]) for row in after if row[0] in concerned] == there
    assert reason not in reasons(person)
    assert store.choices("ben") == {item.key}
    person.do(acts.Undo())
    assert stored(store) == before
    assert reasons(person) == open_before
    assert person.state.review.chosen.key == item.key
    assert store.choices("ben") == frozenset()
    person.do(acts.Redo())
    assert stored(store) == after
    assert reason not in reasons(person)
    assert store.choices("ben") == {item.key}


def test_a_choice_leads_to_the_next_difference(person: Person) -> None:
    person.do(review_acts.NextReview(), THEIRS)
    assert person.state.review.chosen.reason == "here"
    person.do(THEIRS)
    assert (person.state.index, person.state.review.chosen.reason) == (1, "class")
    person.do(BOTH, review_acts.ConfirmReview())
    assert person.state.review.items == ()
    assert "settled" in person.state.message.text


def test_right_is_to_keep_ones_own(store: Store, person: Person) -> None:
    before = stored(store)
    person.do(review_acts.NextReview(), review_acts.ConfirmReview())
    assert stored(store) == before
    assert len(person.state.review.items) == 3
    assert store.confirmed() == frozenset(), "a choice between two is no second look"


def test_what_is_taken_is_the_very_mask_and_names_its_annotator_and_source(store: Store, person: Person) -> None:
    item = goes_to(person, "differs")
    person.do(THEIRS)
    (taken,) = [a for a in store.annotations() if a.annotator == "ben"]
    assert item.theirs is not None
    assert iou(taken.mask, item.theirs.mask) == 1.0
    assert (taken.replaces, taken.source, taken.image_name) == ((2,), "project of ben", "a.png")
    assert (taken.history, taken.weights_version) == ((), 0)
    assert [a.annotator for a in store.earlier(taken)] == ["anna"]
    assert store.earlier(taken)[0].id == 2


def test_it_is_learned_from_and_counts_no_clicks(store: Store, person: Person) -> None:
    number = person.state.statistics.objects
    goes_to(person, "there")
    person.do(THEIRS)
    assert person.state.statistics.objects == number
    assert 6 in {r.example.object_id for r in person.script.requests if hasattr(r, "example")}
    goes_to(person, "differs")
    person.do(THEIRS)
    assert person.state.statistics.objects == number - 1


def test_a_class_that_is_not_here_is_made_and_taken_back_by_one_more_undo(store: Store, both: Two) -> None:
    person = comparing(store, both)
    assert [c.name for c in person.state.classes] == ["object", "cell"]
    current = person.state.current_class
    goes_to(person, "class")
    person.do(THEIRS)
    assert [c.name for c in person.state.classes] == ["object", "cell", "debris"]
    (taken,) = [a for a in store.annotations() if a.annotator == "ben"]
    assert next(c.name for c in person.state.classes if c.id == taken.class_id) == "debris"
    assert person.state.current_class == current
    person.do(acts.Undo(), acts.Undo())
    assert [c.name for c in person.state.classes] == ["object", "cell"]
    person.do(acts.Redo(), acts.Redo())
    assert [c.name for c in store.classes()] == ["object", "cell", "debris"]


def test_the_other_project_keeps_every_byte(person: Person, both: Two) -> None:
    before = contents(both.theirs)
    for choice in (THEIRS, THEIRS, BOTH, THEIRS):
        person.do(review_acts.NextReview(), choice)
    person.do(acts.Undo(), acts.Undo())
    assert contents(both.theirs) == before


def test_one_choice_of_another_annotator_settles_nothing_of_a_third(store: Store, both: Two, person: Person) -> None:
    goes_to(person, "here")
    person.do(MINE)
    with Store.open(both.theirs) as theirs:
        theirs.sign_as("carl")
    third = comparing(store, both)
    assert reasons(third) == ["differs", "here", "class", "there"]


# --- over restarts ----------------------------------------------------------------------------------------------------


def test_choices_are_remembered_and_undone_after_a_restart(both: Two) -> None:
    with Store.open(both.mine) as store:
        person = comparing(store, both)
        before = stored(store)
        goes_to(person, "here")
        person.do(MINE)
        goes_to(person, "differs")
        person.do(THEIRS)
        after = stored(store)
    with Store.open(both.mine) as store:
        person = Person(store).starts()
        assert stored(store) == after
        person.does(person.workflow.compare(compare_projects(store, both.theirs)))
        assert reasons(person) == ["class", "there"]
        person.do(acts.Undo())
        assert stored(store) == before
        person.do(acts.Undo())
        assert store.choices("ben") == frozenset()


def test_a_choice_is_undone_without_the_comparison(both: Two) -> None:
    with Store.open(both.mine) as store:
        person = comparing(store, both)
        before = stored(store)
        goes_to(person, "class")
        person.do(BOTH)
    with Store.open(both.mine) as store:
        person = Person(store).starts()
        person.do(acts.Undo())
        assert stored(store) == before
        assert person.state.review.other == ""
        person.do(acts.Redo())
        assert len(stored(store)) == 6


# --- what does not go -------------------------------------------------------------------------------------------------


def test_nothing_is_chosen_before_an_item_is_looked_at(store: Store, person: Person) -> None:
    before = stored(store)
    person.do(THEIRS)
    assert stored(store) == before
    assert person.state.review.current == 0, "it leads there first"


def test_nothing_is_chosen_on_another_image(store: Store, person: Person) -> None:
    before = stored(store)
    person.do(review_acts.NextReview(), acts.OpenImage(1), THEIRS)
    assert stored(store) == before
    assert (person.state.index, person.state.review.current) == (0, 0), "it leads back"


def test_without_a_comparison_there_is_nothing_to_choose(store: Store) -> None:
    person = Person(store).starts()
    person.do(acts.Select(1), THEIRS)
    assert person.state.message.text == choosing.NO_COMPARISON
    assert len(stored(store)) == 5


def test_wrong_is_no_answer_between_two(store: Store, person: Person) -> None:
    person.do(review_acts.NextReview(), review_acts.RejectReview())
    assert person.state.message.text == MINE_OR_THEIRS
    assert len(stored(store)) == 5


def test_while_the_image_is_read_nothing_is_chosen(store: Store, both: Two) -> None:
    person = comparing(store, both)
    goes_to(person, "differs")
    person.workflow._desk.change(image=None)
    person.do(THEIRS)
    assert person.state.message.text == choosing.NOT_THERE_YET
    assert len(stored(store)) == 5


def test_a_mask_that_does_not_fit_the_image_is_refused(store: Store, both: Two) -> None:
    person = comparing(store, both)
    item = goes_to(person, "there")
    assert item.theirs is not None
    far = replace(item.theirs, mask=replace(item.theirs.mask, x=1000))
    comparison = person.workflow._desk.reviewed.comparison
    assert comparison is not None
    others = tuple(replace(i, theirs=far) if i is item else i for i in comparison.differences)
    person.does(person.workflow.compare(replace(comparison, differences=others)))
    goes_to(person, "there")
    person.do(THEIRS)
    assert person.state.message.text == choosing.DOES_NOT_FIT.format(other="ben")
    assert len(stored(store)) == 5


def test_an_object_that_was_corrected_meanwhile_is_the_one_that_is_replaced(store: Store, person: Person) -> None:
    goes_to(person, "differs")
    person.do(review_acts.FixReview(), acts.PaintStroke(((60.0, 60.0), (62.0, 66.0)), 6.0), acts.Accept())
    (mine,) = [a for a in store.annotations() if 2 in a.replaces]
    assert "differs" in reasons(person), "a correction is no choice"
    goes_to(person, "differs")
    person.do(THEIRS)
    (taken,) = [a for a in store.annotations() if a.annotator == "ben"]
    assert taken.replaces == (mine.id,)
    assert len(stored(store)) == 5


def test_an_object_that_is_gone_meanwhile_is_replaced_by_nothing(store: Store, person: Person) -> None:
    goes_to(person, "differs")
    person.do(acts.Select(2), acts.DeleteSelected())
    goes_to(person, "differs")
    person.do(THEIRS)
    assert len(stored(store)) == 5
    person.do(acts.Undo())
    assert len(stored(store)) == 4


@pytest.mark.parametrize("choice", [MINE, THEIRS, BOTH])
def test_a_choice_that_cannot_be_stored_changes_nothing(
    store: Store, person: Person, choice: review_acts.ChooseOutline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise StoreError("The disk is full")

    before = stored(store)
    goes_to(person, "differs")
    monkeypatch.setattr(store, "log_choice", full)
    person.do(choice)
    assert "The disk is full" in person.state.message.text
    assert stored(store) == before
    assert [a.id for a in person.state.annotations] == [1, 2, 3]
    assert len(reasons(person)) == 4
    monkeypatch.undo()
    person.do(choice)
    assert len(reasons(person)) == 3


def test_ones_own_work_goes_on_beside_the_comparison(store: Store, person: Person) -> None:
    goes_to(person, "there")
    person.accepts(110, 15)
    assert len(person.state.annotations) == 3
    assert reasons(person) == ["differs", "here", "class", "there"]
    assert person.state.annotations[-1].annotator == "anna"


def test_nothing_of_a_comparison_is_seen_while_masks_are_rated(person: Person) -> None:
    person.do(review_acts.NextReview(), acts.StartRating(1))
    assert person.state.rating is not None
    assert person.state.review.items == ()
    person.do(acts.StopRating())
    assert len(person.state.review.items) == 4


@pytest.mark.parametrize(
    ("images", "number", "said"),
    [
        (1, 1, "1 image compared with ben: 1 difference to look at"),
        (1, 0, "1 image compared with ben: no differences to look at"),
        (3, 2, "3 images compared with ben: 2 differences to look at"),
    ],
)
def test_one_is_not_said_as_many(images: int, number: int, said: str) -> None:
    assert choosing.compared_words(ProjectComparison("ben", images, (), ()), number) == said
