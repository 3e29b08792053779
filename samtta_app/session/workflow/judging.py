"""The workflow's part that accepts and rejects proposals: each act is stored first, in one transaction, and can be undone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from samtta_app.core.masks import bounding_box, holds, middle_of
from samtta_app.core.polygons import mask_of_rings
from samtta_app.core.types import Annotation, Image
from samtta_app.core.windows import around
from samtta_app.session import proposal_acts
from samtta_app.session.project.pictures import picture_of
from samtta_app.session.proposal_list import Judgements, Origin, Proposals, ProposedMask
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.history import Judged
from samtta_app.session.workflow.lessons import LessonQueue
from samtta_app.session.workflow.proposing import EXEMPLARS, NOT_SHOWN, Proposing
from samtta_app.session.workflow.under_way import Search

TAUGHT_TOGETHER = 16
"""Of many proposals accepted at once so many teach, from the most to the least confident: a lesson takes seconds."""

DRAFT_FIRST = "Accept or cancel the mask on the screen first"
NONE_MEANT = "No proposal is meant: choose one, or lower the limits"

SOURCE_WORDS: dict[Origin, str] = {"grid": "automatic mask", "boxes": "detector's box", "alike": "found alike"}
"""The source of an accepted proposal, as the project and exports name it."""


class Judging:
    """Verdicts on proposals of the open image, and their undoing, wherever that is."""

    def __init__(self, desk: SessionContext, learning: LessonQueue, proposing: Proposing) -> None:
        self._desk, self._learning, self._proposing = desk, learning, proposing

    def judge(self, act: proposal_acts.JudgeProposals) -> Requests:
        """Accept or reject the proposals that an act means.

        Raises:
            StoreError: nothing was stored, and nothing has changed.
        """
        desk, image = self._desk, self._desk.state.image
        if image is None or desk.draft is not None:
            desk.say("info", NOT_SHOWN if image is None else DRAFT_FIRST)
            return ()
        meant = self._meant(act, image)
        if not meant:
            desk.say("info", NONE_MEANT)
            return ()
        name = desk.image_name()
        if not act.accept:
            entry = Judged(name, meant, rejections=desk.store.reject(meant, name))
            desk.history.push(entry)
            return self._judged(entry)
        lessons = set(np.linspace(0, len(meant) - 1, min(TAUGHT_TOGETHER, len(meant))).round().astype(int).tolist())
        made = [self._annotation(each, image) for each in meant]
        size = image.width, image.height
        saved = desk.store.accept_all(made, *size, teaches=desk.learn, of=Judgements(meant, frozenset(lessons)))
        taught = tuple(saved[k].id for k in sorted(lessons))
        entry = Judged(name, meant, come=saved, taught=taught)
        desk.history.push(entry)
        return self._judged(entry)

    def _meant(self, act: proposal_acts.JudgeProposals, image: Image) -> tuple[ProposedMask, ...]:
        """The proposals that an act means, those of the highest confidence first."""
        proposals = self._proposals
        if act.above is not None:
            return proposals.above(act.above)
        if act.within:
            lasso = mask_of_rings((act.within,), image.whole)
            return tuple(each for each in proposals.shown if holds(lasso, *middle_of(each.mask)))
        return (proposals.chosen,) if proposals.chosen is not None else ()

    def _annotation(self, proposal: ProposedMask, image: Image) -> Annotation:
        desk, box = self._desk, bounding_box(proposal.mask)
        there = {c.id for c in desk.state.classes}
        return Annotation(
            id=0,
            image_name=desk.image_name(),
            class_id=proposal.class_id if proposal.class_id in there else desk.state.current_class,
            mask=proposal.mask,
            box=None,
            history=(),
            window=around(box, image.whole) if box else image.whole,
            weights_version=proposal.weights_version,
            predicted_iou=proposal.predicted_iou,
            uncertainty=math.nan,
            seconds=0.0,
            created="",
            picture=picture_of(image),
            source=SOURCE_WORDS[proposal.origin],
        )

    def take_back(self, entry: Judged) -> Requests:
        """Undo verdicts: objects are withdrawn, and the proposals wait again."""
        desk = self._desk
        if entry.come:
            desk.store.exchange(entry.come, ())
        else:
            desk.store.withdraw_verdicts(entry.rejections, True)
        gone = {annotation.id for annotation in entry.come}
        if desk.image_name() == entry.image:
            desk.put_annotations(tuple(a for a in desk.state.annotations if a.id not in gone))
            back = {id(each.mask) for each in entry.proposals}
            self._proposing.note(rejected=tuple(mask for mask in self._search.rejected if id(mask) not in back))
        elif gone:
            desk.mark(entry.image, unreadable=None, more=-len(gone))
        if desk.state.selected in gone:
            desk.change(selected=None)
        requests: Requests = ()
        for annotation in entry.come:
            desk.withdrawn.add(annotation.id)
            requests += self._learning.forget(annotation) if annotation.id in entry.taught else ()
        if self._proposals.image == entry.image:
            found = (*self._proposals.found, *entry.proposals)
            desk.change(proposals=replace(self._proposals, found=found, current=entry.proposals[0].number))
        self._proposing.recalibrate()
        return requests

    def judge_again(self, entry: Judged) -> Requests:
        """Redo verdicts."""
        if entry.come:
            self._desk.store.exchange((), entry.come)
        else:
            self._desk.store.withdraw_verdicts(entry.rejections, False)
        return self._judged(entry)

    def _judged(self, entry: Judged) -> Requests:
        """Verdicts are stored: show their objects, have them learned, and go to the next proposal."""
        desk, proposals = self._desk, self._proposals
        here = desk.image_name() == entry.image
        for annotation in entry.come:
            desk.withdrawn.discard(annotation.id)
        if here and entry.come:
            desk.put_annotations((*desk.state.annotations, *entry.come))
        elif entry.come:
            desk.mark(entry.image, unreadable=None, more=len(entry.come))
        if here and entry.rejections:
            self._proposing.note(rejected=(*self._search.rejected, *(each.mask for each in entry.proposals)))
        if self._search.exemplars and entry.proposals[0].origin == "alike":
            self._proposing.note(exemplars=(*self._search.exemplars, *entry.come)[-EXEMPLARS:])
        if proposals.image == entry.image:
            gone = {each.number for each in entry.proposals}
            order = [each.number for each in proposals.shown]
            place = max(proposals.place(), 0)
            following = next((n for n in (*order[place:], *reversed(order[:place])) if n not in gone), None)
            found = tuple(each for each in proposals.found if each.number not in gone)
            desk.change(proposals=replace(proposals, found=found, current=following))
        self._proposing.recalibrate()
        requests: Requests = ()
        for annotation in entry.come:
            requests += self._learning.learn(annotation) if annotation.id in entry.taught else ()
        return requests

    @property
    def _search(self) -> Search:
        return self._desk.search

    @property
    def _proposals(self) -> Proposals:
        return self._desk.state.proposals
