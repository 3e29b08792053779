"""The workflow's part that has masks proposed: searches of one image at a time, what they found, and the limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from samtta_app.core.automatic import AutomaticMask, AutomaticSettings
from samtta_app.core.calibration import Calibration
from samtta_app.core.messages import AutomaticRequest, BoxesRequest, StopRequest
from samtta_app.core.replies import AutomaticFound, AutomaticMasks
from samtta_app.core.types import Annotation, ImageFile, Mask, WaitingExample
from samtta_app.formats.detections import DetectedBox, Detections
from samtta_app.phrases import Phrase
from samtta_app.session import proposal_acts
from samtta_app.session.proposal_acts import OnProposals
from samtta_app.session.proposal_list import (
    ORIGINS,
    Origin,
    ProposalLimits,
    Proposals,
    ProposedMask,
    arranged,
    corners_of,
    is_known,
)
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.under_way import Search

SLACK = 0.3
"""Masks so far below the limits are found too, so that the limits can be lowered without another search."""

EXEMPLARS = 5
"""Newest objects that more are looked for like; each has its image encoded once."""

PROTOTYPED, PROTOTYPE_IMAGES = 32, 2
"""Newest objects that say what classes look like, and other images that they may lie in: each of them is encoded."""

SHELVED = 8
"""Images whose proposals are kept while others are open: a thousand masks are some MB."""

NOT_SHOWN = "The image is not shown yet"
SEARCH_UNDER_WAY = "A search is under way: wait for its end, or stop it"
NO_EXEMPLAR = "Select an object first: Ctrl + click on it, then more like it are looked for"
NO_BOXES = "{source} has no boxes in this image"
NOTHING = "Nothing was found in this image: lower the limits, or click on an object"
ALL_KNOWN = "No proposals are left: all {known} that were found are accepted or rejected"
FOUND = "{number} proposals to accept or reject"
STOPPED = "The search was stopped: {number} proposals to accept or reject"


class Proposing:
    """Searches of one image at a time. What was judged is never proposed again."""

    def __init__(self, desk: SessionContext) -> None:
        self._desk = desk

    # --- searches -----------------------------------------------------------------------------------------------------

    def do(self, act: OnProposals) -> Requests:
        """Do what changes no object."""
        match act:
            case proposal_acts.FindMasks():
                return self._find(replace(self._search, exemplars=(), boxes=None))
            case proposal_acts.FindAlike():
                return self._find_alike()
            case proposal_acts.StopFinding():
                return self._stop()
            case proposal_acts.ChooseProposal(number=number):
                self.rearrange(current=number)
            case proposal_acts.NextProposal(step=step):
                proposals = self._proposals
                if proposals.shown:
                    place = (proposals.place() + step) % len(proposals.shown)
                    self.rearrange(current=proposals.shown[place].number)
            case proposal_acts.FilterProposals():
                self._filter(act)
        return ()

    def take_detections(self, detections: Detections, source: str) -> Requests:
        """Have the masks in a detector's boxes proposed, on this image and on those that are opened next."""
        if self._search.request_id:
            self._desk.say("info", SEARCH_UNDER_WAY)
            return ()
        self.note(boxes=detections, source=source, exemplars=(), tried=frozenset())
        return self.ask()

    def ask(self) -> Requests:
        """The requests to send now: another image is open, or a search goes on there."""
        desk, name = self._desk, self._desk.image_name()
        requests: Requests = ()
        if self._proposals.image != name:
            requests = self._leave()
            limits = self._proposals.limits
            desk.change(proposals=desk.shelf.pop(name, Proposals(name, limits=limits)))
        search = self._search
        goes_on = bool(search.exemplars or search.boxes) and name not in search.tried
        if desk.state.image is None or search.request_id or not goes_on or desk.state.rating is not None:
            return requests
        return requests + self._find(search)

    def search_again(self) -> Requests:
        """Begin the search that is under way again, for another engine."""
        if not self._search.request_id:
            return ()
        self.note(request_id=0)
        return self._find(self._search)

    def _find_alike(self) -> Requests:
        """Look for what is like the selected object, and like those of its class that were selected before it."""
        desk = self._desk
        one = next((a for a in desk.state.annotations if a.id == desk.state.selected), None)
        if one is None:
            desk.say("info", NO_EXEMPLAR)
            return ()
        known = (a for a in self._search.exemplars if a.class_id == one.class_id and a.id != one.id)
        exemplars = (*known, one)[-EXEMPLARS:]
        return self._find(replace(self._search, exemplars=exemplars, boxes=None, tried=frozenset()))

    def _find(self, search: Search) -> Requests:
        """Begin a search on the open image."""
        desk, image, name = self._desk, self._desk.seen(), self._desk.image_name()
        if image is None or self._search.request_id:
            desk.say("info", NOT_SHOWN if image is None else SEARCH_UNDER_WAY)
            return ()
        only = desk.state.classes[0] if len(desk.state.classes) == 1 else None
        kind, kind_name = (only.id, only.name) if only else (None, "")
        number = desk.id()
        request: AutomaticRequest | BoxesRequest
        if search.boxes is not None:
            boxes = tuple(search.asked_boxes(name, image.width, image.height))
            asked = tuple(box for box, _ in boxes)
            request = BoxesRequest(number, image, asked, kind, kind_name, frozen=desk.frozen)
        else:
            request = AutomaticRequest(
                *(number, image, None, kind, kind_name),
                frozen=desk.frozen,
                slack=SLACK,
                alike=self._waiting(search.exemplars),
                accepted=self._waiting(self._told_apart()),
            )
        desk.search = replace(
            search,
            request_id=number,
            tried=search.tried | {name},
            rejected=desk.store.rejected(name),
            calibrations=self._calibrations(),
        )
        desk.change(proposals=Proposals(name, limits=self._proposals.limits, share=0.0, searched=True))
        return (request,)

    def _told_apart(self) -> tuple[Annotation, ...]:
        """The newest objects of the open image and of some others, where there are several classes."""
        desk, name = self._desk, self._desk.image_name()
        if len(desk.state.classes) < 2:
            return ()
        others = [a for a in desk.store.newest(PROTOTYPED) if a.image_name != name]
        near = list(dict.fromkeys(a.image_name for a in reversed(others)))[:PROTOTYPE_IMAGES]
        return (*desk.state.annotations[-PROTOTYPED:], *(a for a in others if a.image_name in near))

    def _waiting(self, objects: Sequence[Annotation]) -> tuple[WaitingExample, ...]:
        """Objects whose image is there, as the engine takes them."""
        paths, planes = {entry.name: entry.path for entry in self._desk.state.images}, self._desk.store.reading.planes
        there = [a for a in objects if a.image_name in paths]
        files = [ImageFile(paths[a.image_name], a.picture.partition(":")[2], planes) for a in there]
        return tuple(
            WaitingExample(a.id, file, a.window, a.mask, a.clicks, a.box, a.class_id)
            for a, file in zip(there, files, strict=True)
        )

    def _stop(self) -> Requests:
        """End the search; what was found stays, and it does not go on with other images."""
        number = self._search.request_id
        self.note(exemplars=(), boxes=None)
        return (StopRequest(self._desk.id(), number),) if number else ()

    def _leave(self) -> Requests:
        """Another image is open: the search ends, and what was found is kept for when this one is opened again."""
        desk, left, search = self._desk, self._proposals, self._search
        if left.image and left.found and not search.request_id:
            desk.shelf[left.image] = left
            for oldest in list(desk.shelf)[:-SHELVED]:
                del desk.shelf[oldest]
        if not search.request_id:
            return ()
        self.note(request_id=0, tried=search.tried - {left.image})
        return (StopRequest(desk.id(), search.request_id),)

    # --- what the engine found ----------------------------------------------------------------------------------------

    def found(self, reply: AutomaticFound) -> None:
        """Take up masks that were just found; those of an older search are dropped."""
        if reply.request_id != self._search.request_id:
            return
        self._advise(reply.settings)
        self._add(reply.masks, reply.weights_version)
        self.rearrange(share=reply.share)

    def ended(self, reply: AutomaticMasks) -> None:
        """The search has ended: masks that were better ones' duplicates go, and a line says what there is."""
        desk = self._desk
        if reply.request_id != self._search.request_id:
            return
        stay = {id(each.mask) for each in reply.masks}
        there = tuple(each for each in self._proposals.found if id(each.mask) in stay)
        known = {id(each.mask) for each in there}
        self._advise(reply.settings)
        desk.change(proposals=replace(self._proposals, found=there, share=None, known=0))
        self.note(request_id=0)
        self._add([each for each in reply.masks if id(each.mask) not in known], reply.weights_version)
        self.rearrange()
        number, told = len(self._proposals.found), STOPPED if reply.stopped else FOUND
        boxed, source = self._search.boxes is not None, self._search.source
        nothing = Phrase(NO_BOXES, source=source) if boxed and not reply.masks else NOTHING
        none = Phrase(ALL_KNOWN, known=self._proposals.known) if self._proposals.known else nothing
        desk.say("info", Phrase(told, number=number) if number else none)

    def failed(self, request_id: int, text: str) -> None:
        """The search could not be done; what was found stays."""
        if request_id == self._search.request_id:
            self.note(request_id=0)
            self.rearrange(share=None)
            self._desk.say("warning", text)

    def _advise(self, settings: AutomaticSettings | None) -> None:
        """The limits that the model and accepted objects advise hold until the user moves one."""
        if settings is not None and not self._search.moved:
            limits = ProposalLimits(settings.pred_iou, settings.stability, settings.least_side, settings.most_side)
            border = self._proposals.limits.border
            self._desk.change(proposals=replace(self._proposals, limits=replace(limits, border=border)))

    def _add(self, masks: Sequence[AutomaticMask], version: int) -> None:
        desk, search, proposals = self._desk, self._search, self._proposals
        taken: tuple[Mask, ...] = (*(a.mask for a in desk.state.annotations), *search.rejected)
        corners = corners_of(taken)
        fresh = [each for each in masks if not is_known(each.mask, taken, corners)]
        boxes = self._detected()
        new = tuple(self._proposal(each, boxes.get(each.asked), version) for each in fresh)
        known = proposals.known + len(masks) - len(fresh)
        desk.change(proposals=replace(proposals, found=(*proposals.found, *new), known=known))

    def _detected(self) -> dict[Any, DetectedBox]:
        """A detector's box by the part of it that lies in the image."""
        image, boxes = self._desk.state.image, self._search.boxes
        if image is None or boxes is None:
            return {}
        return dict(self._search.asked_boxes(self._proposals.image, image.width, image.height))

    def _proposal(self, found: AutomaticMask, box: DetectedBox | None, version: int) -> ProposedMask:
        origin: Origin = "boxes" if box else "alike" if math.isfinite(found.likeness) else "grid"
        expected = box.score if box else found.likeness if origin == "alike" else found.predicted_iou
        name = self._search.boxes.categories.get(box.category, "") if box and self._search.boxes else ""
        kind = next((c.id for c in self._desk.state.classes if c.name == name), found.class_id)
        said = (expected, found.predicted_iou, found.stability, None if box else found.click, found.window)
        return ProposedMask(self._desk.id(), origin, found.mask, found.box, *said, version, kind)

    # --- below the surface --------------------------------------------------------------------------------------------

    @property
    def _search(self) -> Search:
        return self._desk.search

    @property
    def _proposals(self) -> Proposals:
        return self._desk.state.proposals

    def note(self, **changes: Any) -> None:  # noqa: ANN401 (fields of Search)
        """Change what is known of the search."""
        self._desk.search = replace(self._search, **changes)

    def _filter(self, act: proposal_acts.FilterProposals) -> None:
        names = ("pred_iou", "stability", "least_side", "most_side", "border")
        changes = {name: getattr(act, name) for name in names if getattr(act, name) is not None}
        self.note(moved=True)
        self.rearrange(limits=replace(self._proposals.limits, **changes))

    def rearrange(self, **changes: Any) -> None:  # noqa: ANN401 (fields of Proposals)
        """Change the proposals, and filter and sort them again."""
        desk, image = self._desk, self._desk.state.image
        proposals = replace(self._proposals, **changes)
        if image is not None:
            proposals = arranged(proposals, self._search.calibrations or self._calibrations(), image.whole)
        desk.change(proposals=proposals)

    def recalibrate(self) -> None:
        """Verdicts have changed: confidences follow them."""
        self.note(calibrations=self._calibrations())
        self.rearrange()

    def _calibrations(self) -> dict[Origin, Calibration]:
        """How expectations come true: by the verdicts of each origin, and before there are enough as answers' do."""
        verdicts = self._desk.store.verdicts()
        own = {
            origin: Calibration.of([(v.expected, float(v.accepted)) for v in verdicts if v.origin == origin])
            for origin in ORIGINS
        }
        if not own["grid"].expected:
            own["grid"] = self._desk.state.statistics.confidence
        return own
