"""Acts are values: they can be stored and read back, and doing them again in an empty project gives the same rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samtta_app.core.object_notes import ObjectNote
from samtta_app.core.types import Box, Click, Window
from samtta_app.errors import UserError
from samtta_app.session import acts, class_acts, review_acts
from samtta_app.session.acts import UserAct, act_of, stored_act
from samtta_app.session.project import migrations, schema
from samtta_app.session.project.store import Store
from samtta_app.session.proposal_acts import (
    ChooseProposal,
    FilterProposals,
    FindAlike,
    FindMasks,
    JudgeProposals,
    NextProposal,
    StopFinding,
)
from tests.unit.session.scripted import Person

VIEW = Window(10, 20, 64, 48)
EXAMPLES: tuple[UserAct, ...] = (
    acts.PlaceClick(Click(60.25, 50.0, False), VIEW, "a.png"),
    acts.DrawBox(Box(1.0, 2.0, 30.5, 40.0), None, "b.png"),
    acts.PaintStroke(((3.5, 4.0), (9.0, 4.25)), 7.5, True, "a.png"),
    acts.DrawPolygon((((1.0, 2.0), (30.5, 2.0), (9.0, 40.0)), ((3.0, 4.0),)), "a.png"),
    acts.Reshape("fill_holes"),
    acts.UseTool("brush", 9.5),
    acts.EditSelected(),
    acts.MergeObjects(4, "a.png"),
    acts.CutObject((1.5, 2.0), (30.0, 40.25), "a.png"),
    acts.Duplicate(),
    acts.CopyToNext(),
    acts.Select(3, "a.png"),
    acts.Select(None),
    acts.NextCandidate(-1),
    acts.SelectNext(2),
    acts.Turn(),
    acts.AskLarger(),
    acts.DrawHypotheses(),
    acts.KeepAlternative(),
    acts.Accept(then_next=True),
    acts.Cancel(),
    acts.RemoveClick(),
    acts.Undo(),
    acts.Redo(),
    acts.OpenImage(4),
    acts.NextImage(-1),
    acts.NextUnreviewed(),
    review_acts.NextReview(),
    review_acts.ConfirmReview(),
    review_acts.FixReview(),
    review_acts.RejectReview(),
    review_acts.ChooseOutline("theirs"),
    review_acts.EndComparison(),
    acts.StartRating(7),
    acts.Rate(10),
    acts.StopRating(),
    acts.DeleteSelected(),
    acts.SetClass(2),
    acts.AddClass("naïve 细胞"),
    acts.RenameClass(1, "cell"),
    acts.Show(overlay="entropy", opacity=0.5),
    acts.ControlLearner("rollback"),
    acts.GoBackTo(2),
    acts.JoinSelected(),
    acts.DescribeObject(ObjectNote(True, (("stage", "late"),), "blurred")),
    acts.MarkEmpty(),
    class_acts.ChangeClass(1, colour=0x224466, tidy=False),
    class_acts.MoveClass(2, -1),
    class_acts.DeleteClass(2),
    class_acts.MergeClass(1, 2),
    class_acts.TakeClasses((class_acts.OntologyClass("cell", 0x224466),)),
    FindMasks(),
    FindAlike(),
    StopFinding(),
    FilterProposals(pred_iou=0.5, border=False),
    ChooseProposal(3),
    NextProposal(-1),
    JudgeProposals(within=((0.0, 0.0), (9.0, 0.0), (9.0, 9.0)), image="a.png"),
)


def click(x: float, y: float = 50, positive: bool = True) -> acts.PlaceClick:
    return acts.PlaceClick(Click(x, y, positive))


def stroke(*points: tuple[float, float], erase: bool = False) -> acts.PaintStroke:
    return acts.PaintStroke(points, 6.0, erase)


SESSION: tuple[UserAct, ...] = (
    *(click(20), click(26), click(40, 30, positive=False), acts.Accept()),
    *(acts.DrawBox(Box(50.0, 30.0, 80.0, 70.0)), acts.NextCandidate(), acts.Accept()),
    *(acts.AddClass("leaf"), click(100), acts.Turn(), acts.RemoveClick(), click(96), acts.Accept(then_next=True)),
    *(click(30), acts.Cancel(), acts.Undo(), acts.Accept(), acts.Undo(), acts.Redo()),
    *(click(70), acts.AskLarger(), acts.Accept(), acts.Show(overlay="entropy"), acts.ControlLearner("pause")),
    *(acts.NextImage(-1), acts.Select(1), acts.SetClass(2), acts.Select(2), acts.DeleteSelected()),
    *(acts.RenameClass(2, "frond"), acts.SelectNext(), review_acts.ConfirmReview(), acts.OpenImage(2)),
    *(
        acts.ControlLearner("resume"),
        acts.SetClass(1),
        click(64),
        acts.Accept(),
        acts.Undo(),
        acts.Undo(),
        click(50),
        acts.Accept(),
    ),
    *(acts.UseTool("brush", 6.0), stroke((40, 40), (80, 40)), stroke((60, 40), erase=True), acts.Reshape("grow")),
    *(acts.Undo(), acts.Redo(), click(50, 42), acts.Accept(), acts.Undo(), stroke((20, 20)), acts.Accept()),
    *(acts.DrawPolygon((((4.0, 4.0), (30.0, 4.0), (20.0, 30.0)),)), acts.Accept(), stroke((90, 90)), acts.Cancel()),
    *(acts.Duplicate(), acts.SelectNext(), acts.Duplicate(), acts.Accept(), acts.SelectNext(), acts.MergeObjects(99)),
    *(click(24, 24), acts.Accept(), acts.SelectNext(-1), acts.EditSelected(), stroke((60, 60)), acts.Cancel()),
    *(acts.CutObject((0.0, 18.0), (128.0, 19.0)), acts.Undo(), acts.Redo(), acts.SelectNext(), acts.CopyToNext()),
    *(acts.Accept(), acts.Undo(), acts.Undo()),
    *(acts.StartRating(1), acts.Rate(7), acts.Rate(3), acts.Undo(), acts.Rate(9), acts.Turn(), acts.StopRating()),
    *(
        FindMasks(),
        JudgeProposals(),
        NextProposal(),
        JudgeProposals(accept=False),
        acts.Undo(),
    ),
    *(
        acts.Undo(),
        acts.Redo(),
        acts.Redo(),
        FilterProposals(stability=0.0),
        FindAlike(),
        StopFinding(),
    ),
)
"""Every kind of act that changes what is stored, with undo and redo across images."""


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All that is stored, but for the moments at which it was."""
    found = {}
    for table in migrations.TABLES:
        kept = [str(column[1]) for column in schema.table_layout(store._db, table) if column[1] != "created"]
        found[table] = [tuple(row) for row in store._db.execute(f"SELECT {', '.join(kept)} FROM {table}")]
    return found


def test_the_examples_have_every_act() -> None:
    assert {type(act) for act in EXAMPLES} == set(UserAct.__args__)


@pytest.mark.parametrize("act", EXAMPLES, ids=repr)
def test_an_act_is_stored_as_json_and_read_back(act: UserAct) -> None:
    assert act_of(json.loads(json.dumps(stored_act(act)))) == act


def test_what_is_stored_stays_as_it_was_released() -> None:
    """Macros and reports of earlier versions hold these; to change one needs a reader of the old form."""
    assert stored_act(EXAMPLES[0]) == {
        "type": "PlaceClick",
        "click": {"x": 60.25, "y": 50.0, "positive": False},
        "view": {"x": 10, "y": 20, "width": 64, "height": 48},
        "image": "a.png",
    }
    assert stored_act(acts.Accept()) == {"type": "Accept", "then_next": False, "ignore": False}
    assert act_of({"type": "Accept", "then_next": True}) == acts.Accept(
        then_next=True
    )  # as it was before ignore regions
    assert sorted(stored_act(act)["type"] for act in EXAMPLES if act != acts.Select(None)) == [
        "Accept",
        "AddClass",
        "AskLarger",
        "Cancel",
        "ChangeClass",
        "ChooseOutline",
        "ChooseProposal",
        "ConfirmReview",
        "ControlLearner",
        "CopyToNext",
        "CutObject",
        "DeleteClass",
        "DeleteSelected",
        "DescribeObject",
        "DrawBox",
        "DrawHypotheses",
        "DrawPolygon",
        "Duplicate",
        "EditSelected",
        "EndComparison",
        "FilterProposals",
        "FindAlike",
        "FindMasks",
        "FixReview",
        "GoBackTo",
        "JoinSelected",
        "JudgeProposals",
        "KeepAlternative",
        "MarkEmpty",
        "MergeClass",
        "MergeObjects",
        "MoveClass",
        "NextCandidate",
        "NextImage",
        "NextProposal",
        "NextReview",
        "NextUnreviewed",
        "OpenImage",
        "PaintStroke",
        "PlaceClick",
        "Rate",
        "Redo",
        "RejectReview",
        "RemoveClick",
        "RenameClass",
        "Reshape",
        "Select",
        "SelectNext",
        "SetClass",
        "Show",
        "StartRating",
        "StopFinding",
        "StopRating",
        "TakeClasses",
        "Turn",
        "Undo",
        "UseTool",
    ]


@given(st.builds(Click, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.booleans()), st.text())
def test_any_click_in_any_image_comes_back_exactly(place: Click, image: str) -> None:
    act = acts.PlaceClick(place, None, image)
    assert act_of(json.loads(json.dumps(stored_act(act)))) == act


def test_a_name_that_is_not_text_comes_back() -> None:
    act = acts.Select(1, "odd\udcff.png")
    assert act_of(json.loads(json.dumps(stored_act(act)))) == act


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"type": "Fly"}, "Fly"),
        ({"type": "SetClass"}, "class_id"),
        ({"type": "SetClass", "class_id": "two"}, "class_id"),
        ({"type": "ControlLearner", "action": "explode"}, "explode"),
        ([1, 2], "object"),
        (None, "null"),
    ],
)
def test_what_is_no_act_is_refused_in_words(values: object, said: str) -> None:
    with pytest.raises(UserError, match=said):
        act_of(values)


def test_an_act_does_not_change() -> None:
    with pytest.raises(AttributeError):
        acts.Accept().then_next = True  # type: ignore[misc]


def test_a_session_done_again_in_an_empty_project_gives_equal_rows(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder, tmp_path / "one") as first, Store.open(folder, tmp_path / "two") as second:
        Person(first).starts().do(*SESSION)
        stored = json.dumps([stored_act(act) for act in SESSION])
        assert rows(second) != rows(first)
        Person(second).starts().do(*(act_of(values) for values in json.loads(stored)))
        assert rows(second) == rows(first)
        assert len(first.annotations()) >= 4
        assert {a.class_id for a in first.annotations()} == {1, 2}
        assert {a.image_name for a in first.annotations()} == {"a.png", "b.png", "c.png"}
        assert rows(first)["adaptations"]
        assert rows(first)["controls"]


def test_only_the_context_changes_while_a_session_goes_on(person: Person) -> None:
    """The parts of the workflow hold the context and each other, and nothing that changes."""
    workflow = person.workflow
    parts = [part for part in vars(workflow).values() if part is not workflow._desk]
    before = [dict(vars(part)) for part in parts]
    state = workflow.state
    person.do(*SESSION)
    assert workflow.state is not state
    for part, values in zip(parts, before, strict=True):
        assert vars(part) == values
        assert all(value.__class__.__module__.startswith("samtta_app.session.workflow") for value in values.values())
