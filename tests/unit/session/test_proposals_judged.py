"""Masks are proposed, filtered, accepted and rejected: stored in one step each, undone, and never proposed twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.messages import AdaptRequest, AutomaticRequest, BoxesRequest, StopRequest
from samtta_app.core.replies import AutomaticFound, AutomaticMasks, Failure
from samtta_app.core.types import Box
from samtta_app.formats.detections import DetectedBox, Detections
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.proposal_acts import (
    FilterProposals,
    FindAlike,
    FindMasks,
    JudgeProposals,
    NextProposal,
    StopFinding,
)
from samtta_app.session.workflow import judging, proposing
from tests.unit.session.scripted import Person, proposed

THREE = (proposed(30, 30, 8, 0.75), proposed(60, 60, 10, 0.95), proposed(100, 40, 12, 0.85))


def found(person: Person) -> list[tuple[int, float]]:
    """The column of each shown proposal's middle, and its confidence."""
    shown = person.state.proposals
    return [(round((p.box.x0 + p.box.x1) / 2), c) for p, c in zip(shown.shown, shown.confidences, strict=True)]


@pytest.fixture
def searching(person: Person) -> Person:
    person.script.proposed = THREE
    person.do(FindMasks())
    return person


def test_proposals_come_by_confidence_with_the_limits_that_are_advised(searching: Person) -> None:
    assert found(searching) == [(60, 0.95), (100, 0.85), (30, 0.75)]
    assert searching.state.proposals.limits.pred_iou == 0.7
    assert searching.state.message.text == proposing.FOUND.format(number=3)
    searching.do(FilterProposals(pred_iou=0.8), FilterProposals(most_side=22))
    assert found(searching) == [(60, 0.95)], "without another search"
    assert len(searching.script.sent(AutomaticRequest)) == 1
    searching.do(FilterProposals(pred_iou=0.0, most_side=100.0), FindMasks())
    assert searching.state.proposals.limits.pred_iou == 0.0, "what the user has set holds"


def test_accepted_ones_are_objects_that_teach_and_are_told_apart(searching: Person, store: Store) -> None:
    searching.do(JudgeProposals(), NextProposal(), JudgeProposals(accept=False))
    (one,) = searching.state.annotations
    assert (one.source, one.predicted_iou, one.history) == ("automatic mask", 0.95, ())
    assert store.annotations("a.png")[0].source == "automatic mask"
    assert [r.example.object_id for r in searching.script.sent(AdaptRequest) if r.learn] == [one.id]
    assert [x for x, _ in found(searching)] == [100]
    searching.do(FindMasks())
    assert [x for x, _ in found(searching)] == [100], "rejected ones stay rejected, accepted ones are objects"
    assert searching.state.proposals.known == 2
    searching.do(JudgeProposals(), FindMasks())
    assert searching.state.message.text == proposing.ALL_KNOWN.format(known=3)


def test_verdicts_are_undone_and_done_again(searching: Person, store: Store) -> None:
    searching.do(JudgeProposals(above=0.8), JudgeProposals(accept=False))
    assert (len(searching.state.annotations), found(searching)) == (2, [])
    searching.do(acts.Undo())
    assert [x for x, _ in found(searching)] == [30]
    assert store.rejected("a.png") == ()
    searching.do(acts.Undo())
    assert [x for x, _ in found(searching)] == [60, 100, 30]
    assert store.annotations("a.png") == () == searching.state.annotations
    assert store.verdicts() == ()
    searching.do(acts.Redo(), acts.OpenImage(1), acts.Undo())
    assert searching.state.index == 0, "undo goes to the image of the verdict"
    assert [x for x, _ in found(searching)] == [60, 100, 30], "its proposals were kept"
    searching.do(acts.Redo(), acts.Redo())
    assert (len(store.annotations("a.png")), len(store.rejected("a.png"))) == (2, 1)


def test_a_lasso_means_the_proposals_whose_middle_is_inside(searching: Person) -> None:
    left = ((10.0, 10.0), (80.0, 10.0), (80.0, 90.0), (10.0, 90.0))
    searching.do(JudgeProposals(accept=False, within=left))
    assert [x for x, _ in found(searching)] == [100]
    searching.do(JudgeProposals(within=left))
    assert searching.state.message.text == judging.NONE_MEANT


def test_nothing_is_judged_under_a_mask_that_is_not_accepted(searching: Person) -> None:
    searching.clicks(60, 50)
    searching.do(JudgeProposals())
    assert searching.state.message.text == judging.DRAFT_FIRST
    assert not searching.state.annotations


def test_confidence_follows_the_verdicts_of_this_project(person: Person, store: Store) -> None:
    grid = [proposed(6 + 12 * (k % 10), 6 + 12 * (k // 10), 4, 0.7 + 0.005 * k) for k in range(40)]
    person.script.proposed = tuple(grid[:36])
    person.do(FindMasks())
    for _ in range(18):
        person.do(JudgeProposals())
    person.do(JudgeProposals(accept=False, within=((0, 0), (128, 0), (128, 96), (0, 96))))
    assert sum(v.accepted for v in store.verdicts()) == 18
    person.script.proposed = tuple(grid)
    person.do(FilterProposals(pred_iou=0.0), FindMasks())
    assert [c for _, c in found(person)] == [1.0] * 4
    assert person.state.proposals.shown[0].predicted_iou == max(each.predicted_iou for each in grid)


def test_a_search_that_is_stopped_keeps_what_it_found(person: Person) -> None:
    (request,) = (r for r in person.workflow.do(FindMasks()) if isinstance(r, AutomaticRequest))
    person.workflow.receive(AutomaticFound(request.id, THREE[:2], 0.4, AutomaticSettings(pred_iou=0.5, stability=0.5)))
    assert (person.state.proposals.share, len(found(person))) == (0.4, 2)
    (stop,) = (r for r in person.workflow.do(StopFinding()) if isinstance(r, StopRequest))
    assert stop.stopped == request.id
    person.does(person.workflow.receive(AutomaticMasks(request.id, THREE[:2], request.settings, 0, 0.1, stopped=True)))
    assert (person.state.proposals.share, len(found(person))) == (None, 2)
    assert person.state.message.text == proposing.STOPPED.format(number=2)


def test_another_image_ends_the_search_and_failures_are_said(person: Person) -> None:
    (request,) = (r for r in person.workflow.do(FindMasks()) if isinstance(r, AutomaticRequest))
    person.workflow.receive(AutomaticFound(request.id, THREE[:1], 0.1))
    sent = person.workflow.do(acts.OpenImage(1))
    assert [r.stopped for r in sent if isinstance(r, StopRequest)] == [request.id]
    person.does(sent)
    person.workflow.receive(AutomaticFound(request.id, THREE[1:], 0.4))
    assert person.state.proposals.found == ()
    (again,) = (r for r in person.workflow.do(FindMasks()) if isinstance(r, AutomaticRequest))
    person.workflow.receive(Failure(again.id, "AutomaticRequest", "Out of memory"))
    assert (person.state.proposals.share, person.state.message.text) == (None, "Out of memory")
    person.do(FindMasks())
    assert person.state.message.text == proposing.NOTHING


def test_boxes_of_a_detector_are_reviewed_in_the_same_way(person: Person) -> None:
    person.do(acts.AddClass("cell"))
    boxes = (DetectedBox(Box(20, 20, 40, 40), 0.4, 7), DetectedBox(Box(80, 30, 120, 50), 0.8, 9))
    detections = Detections(
        {"a.png": boxes, "c.png": (DetectedBox(Box(500, 500, 510, 510), 1, 7),)}, {7: "cell", 9: "new"}
    )
    person.does(person.workflow.take_detections(detections, "found.json"))
    assert found(person) == [(100, 0.8), (30, 0.4)], "sorted by the detector's score"
    person.do(acts.SetClass(1), JudgeProposals(above=0.0))
    assert [(a.class_id, a.source) for a in person.state.annotations] == [(1, "detector's box"), (2, "detector's box")]
    person.do(acts.OpenImage(2))
    assert person.state.message.text == proposing.NO_BOXES.format(source="found.json")
    assert [len(r.boxes) for r in person.script.sent(BoxesRequest)] == [2, 0]
    person.do(StopFinding(), acts.OpenImage(1))
    assert len(person.script.sent(BoxesRequest)) == 2, "the file is put away"


def test_more_like_the_selected_object_goes_on_with_the_next_images(person: Person) -> None:
    person.do(FindAlike())
    assert person.state.message.text == proposing.NO_EXEMPLAR
    one = person.accepts()
    person.script.proposed = THREE
    person.do(acts.Select(one.id), FindAlike())
    assert found(person) == [(60, pytest.approx(0.75)), (100, pytest.approx(0.65)), (30, pytest.approx(0.55))]
    person.do(JudgeProposals())
    assert person.state.annotations[-1].source == "found alike"
    person.do(acts.NextImage())
    asked = person.script.sent(AutomaticRequest)[-1]
    assert [each.object_id for each in asked.alike] == [one.id, person.workflow.store.annotations()[-1].id]
    assert len(found(person)) == 3, "proposed, and nothing accepted unseen"
    assert person.state.annotations == ()


def test_what_is_alike_to_several_selected_objects_of_a_class(person: Person) -> None:
    one, two = person.accepts(), person.accepts()
    person.do(acts.AddClass("cell"), acts.SetClass(2))
    other = person.accepts()
    for each, alike in ((one, [one]), (two, [one, two]), (one, [two, one]), (other, [other])):
        person.do(acts.Select(each.id), FindAlike())
        asked = person.script.sent(AutomaticRequest)[-1].alike
        assert [example.object_id for example in asked] == [a.id for a in alike]
    person.do(StopFinding(), acts.Select(two.id), FindAlike())
    assert [example.object_id for example in person.script.sent(AutomaticRequest)[-1].alike] == [two.id]


def test_a_class_of_its_own_and_a_read_only_project(person: Person, folder: Path) -> None:
    person.do(acts.AddClass("cell"), acts.SetClass(1))
    person.script.proposed = (replace(THREE[0], class_id=2),)
    person.do(FindMasks(), JudgeProposals())
    assert person.state.annotations[0].class_id == 2
    with Store.open_to_read(folder) as beside:
        other = Person(beside, person.script).starts()
        other.do(
            FilterProposals(pred_iou=0.0),
            acts.OpenImage(1),
            FindMasks(),
            JudgeProposals(accept=False),
        )
        assert "read-only" in other.state.message.text
        assert len(other.state.proposals.found) == 1


def test_ten_thousand_proposals(person: Person, store: Store) -> None:
    bits = np.ones((1, 1), np.bool_)
    one = proposed(5, 5, 1)
    person.script.proposed = tuple(
        replace(one, mask=replace(one.mask, x=k % 125, y=k // 125, bits=bits), predicted_iou=0.7 + 2e-5 * k)
        for k in range(10_000)
    )
    person.do(FindMasks())
    assert len(person.state.proposals.shown) == 10_000
    person.do(
        JudgeProposals(above=0.895),
        FilterProposals(pred_iou=0.75),
        NextProposal(-1),
    )
    sure = sum(each.predicted_iou >= 0.895 for each in person.script.proposed)
    assert len(person.state.annotations) == len(store.annotations("a.png")) == sure
    assert len([r for r in person.script.sent(AdaptRequest) if r.learn]) == judging.TAUGHT_TOGETHER
    person.do(acts.Undo())
    assert not store.annotations("a.png")


def test_the_map_of_edges_is_of_the_whole_image(person: Person) -> None:
    person.do(acts.Show(overlay="edges"))
    overlay = person.state.overlay
    assert overlay.values.shape == (128, 128)
    assert (overlay.at(64, 40), overlay.at(10, 40)) == (0.5, 0.0)
