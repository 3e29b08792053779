"""The views of one project: the canvas, what lies on it, and the panels of the docks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from PySide6.QtCore import QRect, QRectF
from PySide6.QtWidgets import QWidget

from samtta_app.gui.actions.action_set import ActionSet
from samtta_app.gui.actions.keyboard_return import give_back_keyboard
from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.gui.canvas.hover import HoverPreview
from samtta_app.gui.canvas.review_guide import ReviewGuide
from samtta_app.gui.controller import Controller
from samtta_app.gui.panels.adaptation import AdaptationPanel
from samtta_app.gui.panels.candidates import CandidatesStrip
from samtta_app.gui.panels.class_menu import ClassMenu
from samtta_app.gui.panels.classes import ClassesPanel
from samtta_app.gui.panels.colour_bar import ColourBar
from samtta_app.gui.panels.image_menu import ImageMenu
from samtta_app.gui.panels.images import ImagesPanel
from samtta_app.gui.panels.menus import ProjectMenus
from samtta_app.gui.panels.object_menu import ObjectMenu
from samtta_app.gui.panels.objects import ObjectsPanel
from samtta_app.gui.panels.proposals_panel import ProposalsPanel
from samtta_app.gui.panels.review_panel import ReviewPanel
from samtta_app.gui.view_memory import ViewMemory
from samtta_app.session.state import State

_SEARCHES = ("find_masks", "find_alike", "review_boxes", "stop_finding")
_VERDICTS = ("accept_proposal", "reject_proposal", "lasso")
"""The actions that stand in the panel of proposals as buttons."""
_REVIEWS = (("review_back", "review"), ("confirm_review", "fix_review", "reject_review"), ("take_theirs", "keep_both"))
"""Those in the panel of reviews: ways through the queue, verdicts, and verdicts between two annotators."""


class StateView(Protocol):
    """A view of the state."""

    def show_state(self, state: State) -> None:
        """Show it."""


class ProjectViews:
    """Makes the views of a controller's project, and passes states on to them.

    Args:
        controller: the project's controller.
        actions: the window's actions, some of which stand in panels.
        strategies: what each strategy does, in words, by name.

    Attributes:
        canvas: the image and its masks.
        strip: the candidates, at the lower edge of the canvas.
        key: the colours of the map that is shown, in a corner of the canvas.
        hover: the mask under the pointer.
        place: remembers which part of the image is on the screen.
        panels: what the docks hold, by the docks' names.
        menus: what keys open beside what it is about.
    """

    def __init__(self, controller: Controller, actions: ActionSet, strategies: Mapping[str, str]) -> None:
        self.canvas, self.strip, self.key = Canvas(controller), CandidatesStrip(controller), ColourBar(controller)
        adaptation = AdaptationPanel(controller, strategies)
        adaptation.show_actions([actions[name] for name in ("pause", "roll_back", "reset")])
        classes, objects = ClassesPanel(controller), ObjectsPanel(controller)
        proposals = ProposalsPanel(controller)
        proposals.show_actions(*([actions[name] for name in row] for row in (_SEARCHES, _VERDICTS)))
        review = ReviewPanel(controller)
        moves, own, compared = ([actions[name] for name in row] for row in _REVIEWS)
        review.show_actions(moves, own, compared, [actions["agreement"], actions["end_comparison"]])
        images = ImagesPanel(controller)
        panels = (classes, objects, proposals, review, images, adaptation)
        names = ("classes", "objects", "proposals", "review", "images", "adaptation")
        self.panels: dict[str, QWidget] = dict(zip(names, panels, strict=True))
        self.hover = HoverPreview(self.canvas, controller)
        self.place = ViewMemory(self.canvas, controller)
        self._views: tuple[StateView, ...] = (
            self.canvas,
            *panels,
            self.strip,
            self.key,
            self.hover,
            self.place,
            ReviewGuide(self.canvas, controller.state.review.moves),
        )
        for part in (*panels, self.strip, self.key):
            give_back_keyboard(part, self.canvas)
        self.canvas.setAcceptDrops(False)  # the window takes what is dropped
        self.canvas.viewport().setAcceptDrops(False)
        self.canvas.hovered.connect(self.key.show_hover)
        of_image = ImageMenu(controller, actions, images)
        of_object = ObjectMenu(controller, actions, self.canvas, objects, of_image)
        self.menus = ProjectMenus(controller, ClassMenu(controller, classes), of_object, of_image, objects)

    def show_state(self, state: State) -> None:
        """Show a new state everywhere."""
        for view in self._views:
            view.show_state(state)

    def rest(self) -> None:
        """Other views take the place of these: the place is remembered, and what is being drawn is ended."""
        self.place.store()
        self.canvas.work.finish()

    def preview_place(self, state: State) -> QRect:
        """Where the preview lies on the screen, in pixels of the canvas."""
        candidate = state.preview.candidate if state.preview else None
        if candidate is None:
            return QRect()
        height, width = candidate.mask.bits.shape
        return self.canvas.mapFromScene(QRectF(candidate.mask.x, candidate.mask.y, width, height)).boundingRect()
