"""Masks that a hand has shaped: each step is undone, stored and told from clicks, and the model goes on from them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.mask_edits import SURE_LOGIT, ShapeChange
from samtta_app.core.masks import full, holds
from samtta_app.core.messages import AdaptRequest, HypothesesRequest, PredictRequest
from samtta_app.core.types import Click
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.figure_notes import figures_in_brief
from samtta_app.session.statistics.statistics_export import statistics, write_statistics
from samtta_app.session.workflow import handwork
from samtta_app.session.workflow.overlays import BY_HAND_MAP, overlay_of
from tests.unit.session.scripted import HEIGHT, WHOLE, WIDTH, Person, Script
from tests.unit.session.test_acting import Hasty

TRIANGLE = ((10.0, 10.0), (60.0, 10.0), (30.0, 60.0))


def paint(person: Person, *points: tuple[float, float], size: float = 8, erase: bool = False) -> None:
    person.do(acts.PaintStroke(points, size, erase))


def shown(person: Person) -> np.ndarray:
    return full(person.state.preview.candidate.mask, HEIGHT, WIDTH)


def kinds(store: Store) -> list[list[str]]:
    return [[record.kind for record in a.history] for a in store.annotations()]


# --- from nothing -------------------------------------------------------------------------------------------------------


def test_a_mask_is_painted_from_nothing_without_the_model(person: Person, store: Store) -> None:
    asked = len(person.script.sent(PredictRequest))
    paint(person, (20, 40), (80, 40))
    paint(person, (40, 40), erase=True)
    assert shown(person)[40, 60]
    assert not shown(person)[40, 40]
    assert len(person.script.sent(PredictRequest)) == asked
    person.do(acts.Accept())
    (found,) = store.annotations()
    assert [r.kind for r in found.history] == ["brush", "erase"]
    assert (found.strokes, found.clicks, found.weights_version) == (2, (), 0)
    assert math.isnan(found.predicted_iou)
    assert found.history[-1].iou == 1.0
    assert 0.8 < found.history[0].iou < 1.0
    assert math.isnan(found.history[0].latency)


def test_what_was_drawn_is_learned_from_like_any_mask(person: Person) -> None:
    paint(person, (20, 40), (80, 40))
    person.do(acts.Accept())
    (request,) = person.script.sent(AdaptRequest)
    assert request.learn
    assert holds(request.example.mask, 50, 40)
    assert request.example.clicks == ()
    assert person.state.adaptation.version == 1


def test_a_stroke_outside_the_image_changes_nothing_and_says_so(person: Person) -> None:
    paint(person, (-90, -90), (-40, -90))
    assert person.state.preview is None
    assert person.state.message.text == handwork.OUTSIDE_STROKE
    assert not person.state.can_undo


def test_without_a_mask_there_is_nothing_to_erase_or_reshape(person: Person) -> None:
    paint(person, (20, 40), erase=True)
    assert person.state.message.text == handwork.NO_MASK
    person.do(acts.Reshape("grow"))
    assert person.state.message.text == handwork.NO_MASK
    assert person.state.preview is None


def test_a_mask_that_was_erased_altogether_is_not_accepted(person: Person, store: Store) -> None:
    paint(person, (20, 40))
    paint(person, (20, 40), size=80, erase=True)
    person.do(acts.Accept())
    assert "empty" in person.state.message.text
    assert store.annotations() == ()
    person.do(acts.Undo())
    assert shown(person)[40, 20]


# --- mixed with clicks --------------------------------------------------------------------------------------------------


def test_the_next_click_gives_the_drawn_mask_to_the_model(person: Person) -> None:
    person.clicks(40, 50)
    paint(person, (40, 50), (90, 50), size=50)
    person.clicks(44, 52)
    prompt = person.script.sent(PredictRequest)[-1].prompt
    assert prompt.clicks == (Click(40, 50, True), Click(44, 52, True))
    assert prompt.logits is not None
    assert (prompt.logits.values == SURE_LOGIT).any()


def test_a_stroke_holds_in_the_answers_after_it(person: Person) -> None:
    person.clicks(40, 50)
    paint(person, (90, 50), (100, 50))
    paint(person, (40, 50), size=3, erase=True)
    person.clicks(44, 56)
    assert shown(person)[50, 95]
    assert not shown(person)[50, 40]
    assert shown(person)[58, 40]
    assert not person.state.preview.drawn


def test_a_click_that_contradicts_a_stroke_wins(person: Person) -> None:
    person.clicks(40, 50)
    paint(person, (90, 50), (100, 50))
    paint(person, (40, 50), size=3, erase=True)
    person.clicks(95, 50, positive=False)
    assert not shown(person)[50, 95]
    person.clicks(40, 50)
    assert shown(person)[50, 40]


def test_an_exclude_click_on_paint_alone_is_answered(person: Person) -> None:
    paint(person, (20, 40), (80, 40))
    person.clicks(70, 40, positive=False)
    prompt = person.script.sent(PredictRequest)[-1].prompt
    assert prompt.includes
    assert prompt.logits is not None


def test_a_stroke_waits_for_the_answer_before_it(store: Store) -> None:
    hasty = Hasty(store, twin=False, learn=False)
    hasty.do(acts.PlaceClick(Click(60, 50, True)), acts.PaintStroke(((100.0, 50.0),), 9.0), acts.Accept())
    assert [type(act) for act in hasty.state.waiting] == [acts.PaintStroke, acts.Accept]
    hasty.settles()
    (found,) = store.annotations()
    assert [r.kind for r in found.history] == ["click", "brush"]
    assert holds(found.mask, 60, 50)
    assert holds(found.mask, 100, 50)


def test_only_the_drawn_mask_is_offered_and_undo_brings_the_others_back(person: Person) -> None:
    person.clicks(60, 50)
    assert len(person.state.preview.candidates) == 3
    paint(person, (60, 50), (100, 50))
    assert len(person.state.preview.candidates) == 1
    person.do(acts.Undo())
    assert len(person.state.preview.candidates) == 3


def test_nothing_is_asked_of_the_model_about_a_drawn_mask(store: Store) -> None:
    person = Person(store, Script(plausible=(9, 4))).starts()
    person.clicks(60, 50)
    paint(person, (60, 50), (100, 50))
    asked = len(person.script.requests)
    person.do(acts.DrawHypotheses(), acts.AskLarger(), acts.Show(compare=True), acts.Show(overlay="entropy"))
    assert len(person.script.requests) == asked
    assert overlay_of(person.state).reason == BY_HAND_MAP
    assert len(person.script.sent(HypothesesRequest)) == 1
    paint(person, (20, 20))
    person.do(acts.Accept())
    assert not person.state.preview


# --- shape and polygon --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["grow", "shrink"])
def test_the_shape_changes_and_undo_brings_it_back(person: Person, change: ShapeChange) -> None:
    person.clicks(60, 50)
    before = shown(person)
    person.do(acts.Reshape(change))
    assert (shown(person).sum() > before.sum()) == (change == "grow")
    person.do(acts.Undo())
    assert (shown(person) == before).all()
    person.do(acts.Redo())
    assert person.state.preview.history[-1].kind == "shape"


def test_a_change_that_changes_nothing_is_no_step(person: Person) -> None:
    person.clicks(60, 50)
    person.do(acts.Reshape("fill_holes"))
    assert person.state.message.text == handwork.SHAPED
    assert len(person.state.preview.history) == 1


def test_a_polygon_makes_a_mask_and_keeps_its_corners_until_the_next_step(person: Person, store: Store) -> None:
    person.do(acts.DrawPolygon((TRIANGLE,)))
    assert person.state.preview.polygon == (TRIANGLE,)
    paint(person, (100, 80))
    assert person.state.preview.polygon == ()
    person.do(acts.Undo())
    assert person.state.preview.polygon == (TRIANGLE,)
    person.do(acts.Accept())
    assert kinds(store) == [["polygon"]]


def test_a_polygon_that_crosses_itself_is_taken_and_named(person: Person) -> None:
    person.do(acts.DrawPolygon((((10.0, 10.0), (50.0, 50.0), (50.0, 10.0), (10.0, 50.0)),)))
    assert person.state.message.text == handwork.CROSSED
    assert shown(person).sum() > 500
    person.do(acts.DrawPolygon((tuple((x + 900, y) for x, y in TRIANGLE),)))
    assert person.state.message.text == handwork.NO_AREA
    person.do(acts.DrawPolygon((TRIANGLE * 50_000,)))
    assert person.state.message.text == handwork.TOO_MANY


# --- history, figures, tools --------------------------------------------------------------------------------------------


def test_every_step_is_undone_and_redone_to_the_pixel(person: Person) -> None:
    todo = (
        acts.PaintStroke(((20.0, 40.0), (80.0, 44.0)), 9.0),
        acts.PlaceClick(Click(50, 42, True)),
        acts.PaintStroke(((30.0, 40.0),), 5.0, True),
        acts.Reshape("grow"),
        acts.DrawPolygon((TRIANGLE,)),
        acts.Reshape("smooth"),
    )
    seen = []
    for act in todo:
        person.do(act)
        seen.append(shown(person))
    for expected in reversed(seen[:-1]):
        person.do(acts.RemoveClick())
        assert (shown(person) == expected).all()
    person.do(acts.RemoveClick())
    assert person.state.preview is None
    for expected in seen:
        person.do(acts.Redo())
        assert (shown(person) == expected).all()


def test_what_was_drawn_and_cancelled_is_an_attempt_with_its_steps(person: Person, store: Store) -> None:
    paint(person, (20, 40), (80, 40))
    person.do(acts.Cancel())
    (attempt,) = store.attempts()
    assert [step.kind for step in attempt.steps] == ["brush"]
    person.do(acts.Undo())
    assert shown(person)[40, 50]


def test_a_stored_object_is_read_back_with_its_steps(folder: Path, person: Person) -> None:
    person.clicks(60, 50)
    paint(person, (60, 50), (100, 50))
    person.do(acts.Reshape("grow"), acts.Accept())
    person.workflow.store.close()
    with Store.open(folder) as again:
        (found,) = again.annotations()
        assert [r.kind for r in found.history] == ["click", "brush", "shape"]
        assert found.history[1].hand == "brush"
        assert not again.notice


def test_figures_tell_what_was_done_by_hand(person: Person, store: Store, tmp_path: Path) -> None:
    person.accepts(60, 50)
    paint(person, (20, 20), (30, 20))
    paint(person, (20, 24), (30, 24))
    person.do(acts.Accept())
    assert person.state.statistics.by_hand == 1
    assert statistics(store.records()).by_hand == 1
    assert "1 changed by hand" in figures_in_brief(person.state.statistics)
    write_statistics(store, tmp_path / "figures")
    rows = (tmp_path / "figures" / "objects.csv").read_text().splitlines()
    assert [row.rsplit(",", 1)[1] for row in rows] == ["by_hand", "0", "2"]
    assert ",brush," in (tmp_path / "figures" / "clicks.csv").read_text()
    assert json.loads((tmp_path / "figures" / "statistics.json").read_text())["figures"]["by_hand"] == 1
    person.do(acts.Undo())
    assert person.state.statistics.by_hand == 0


def test_tools_and_sizes_are_kept_in_the_state_and_stay_in_bounds(person: Person) -> None:
    person.do(acts.UseTool("eraser", 5000.0))
    assert (person.state.display.tool, person.state.display.size) == ("eraser", 500.0)
    person.do(acts.UseTool(size=math.nan), acts.UseTool(size=0.1))
    assert (person.state.display.tool, person.state.display.size) == ("eraser", 1.0)
    paint(person, (20, 20))
    person.do(acts.Cancel())
    assert person.state.display.tool == "eraser"
    person.do(acts.Cancel())
    assert person.state.display.tool == "prompt"


def test_the_window_of_a_drawn_mask_holds_it(person: Person) -> None:
    paint(person, (2, 2), (126, 94))
    found = person.state.preview.candidate
    assert found.logits.window == WHOLE
    assert person.state.preview.window is None
