"""What is under way, as items of the scene: the preview, its clicks and frames, kept outlines, and the map over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from samtta_app.core.types import Candidate, FloatArray, Mask
from samtta_app.gui.canvas.drawn_objects import colour_of
from samtta_app.gui.canvas.markers import (
    FROZEN_STYLE,
    KEPT,
    PREVIEW,
    ClickItem,
    FrameItem,
    FrameWords,
    MapItem,
    MaskItem,
    MaskStyle,
    PlaceItem,
)
from samtta_app.gui.canvas.overlay import box_rect, lesson_image, pixel_rect, scale_of, uncertainty_image
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.acts import PlaceClick
from samtta_app.session.state import Preview, State
from samtta_app.session.workflow.overlays import MEASURING, overlay_of

WINDOW_WORDS = "The model looks here"
"""Stands at the frame of the window in which the model answers."""

VIEW, MAP, MASK, BOX, CLICKS = range(3, 8)
"""The drawing order, above the accepted objects."""


class DrawnPreview:
    """Shows the preview, or what belongs to the selected object where there is none.

    Args:
        scene: where it is drawn.
    """

    def __init__(self, scene: QGraphicsScene) -> None:
        self._scene = scene
        self._window_frame, self._box_frame = FrameItem(0.45), FrameItem(1.0)
        self._window_words = FrameWords(translated(WINDOW_WORDS))
        for item, depth in ((self._window_frame, VIEW), (self._window_words, VIEW), (self._box_frame, BOX)):
            item.setZValue(depth)
            scene.addItem(item)
        self._passing: list[QGraphicsItem] = []
        self._preview: Preview | None = None
        self._look: tuple[object, ...] | None = None
        self._map: MapItem | None = None
        self._mapped: FloatArray | None = None

    def fit(self, font: QFontMetrics) -> None:
        """Follow the font of the view."""
        self._window_words.fit(font)

    def clear(self) -> None:
        """Draw everything again at the next state: the image is another."""
        self._look = None

    def show_state(self, state: State) -> None:
        """Show what is under way in `state`; only what changed is touched."""
        look = _look(state)
        if state.preview is not self._preview or look != self._look:
            self._preview, self._look = state.preview, look
            self._show_preview(state)
        self._show_map(state)

    def _show_preview(self, state: State) -> None:
        for item in self._passing:
            self._scene.removeItem(item)
        self._passing = []
        preview = state.preview if state.image is not None else None
        window = preview.window if preview else None
        whole = window is None or state.image is None or window == state.image.whole
        place = None if window is None or whole else pixel_rect(window)
        self._window_frame.show_rect(place)
        self._window_words.show_at(None if place is None else place.topLeft())
        self._box_frame.show_rect(box_rect(preview.box) if preview is not None and preview.box is not None else None)
        if preview is None:
            self._show_of_selected(state)
            return
        self._show_kept(state, preview.alternatives, state.current_class)
        shown, style = _shown(state, preview)
        if shown is not None:
            self._add(MaskItem(shown.mask, colour_of(state, state.current_class), style), MASK)
        if preview.advice is not None and preview.advice.place is not None:
            self._add(PlaceItem(preview.advice.place), CLICKS)
        for click in preview.clicks:
            newest = preview.waiting and click is preview.clicks[-1]
            self._add(ClickItem(click, waiting=newest), CLICKS)
        for act in state.waiting:  # clicks of this object that wait for the answer before them
            if not isinstance(act, PlaceClick):
                break
            self._add(ClickItem(act.click, waiting=True), CLICKS)

    def _show_of_selected(self, state: State) -> None:
        """Other outlines of the selected object, and its clicks where the map shows what it taught."""
        for annotation in state.annotations if state.image is not None else ():
            if annotation.id == state.selected:
                self._show_kept(state, annotation.alternatives, annotation.class_id)
                for click in annotation.clicks if state.display.overlay == "lesson" else ():
                    self._add(ClickItem(click), CLICKS)

    def _show_kept(self, state: State, masks: Iterable[Mask], class_id: int) -> None:
        """Outlines that are kept beside the one on the screen."""
        for mask in masks if state.display.masks else ():
            self._add(MaskItem(mask, colour_of(state, class_id), KEPT), MASK)

    def _show_map(self, state: State) -> None:
        overlay = overlay_of(state)
        values = overlay.values if overlay else None
        if values is not self._mapped:
            if self._map is not None:
                self._scene.removeItem(self._map)
            self._map, self._mapped = None, values
            if overlay is not None and overlay.window is not None and values is not None:
                lesson = overlay.kind == "lesson"
                colours = lesson_image(values) if lesson else uncertainty_image(values, scale_of(overlay))
                self._map = MapItem(overlay.window, colours, sharp=lesson)
                self._map.setZValue(MAP)
                self._scene.addItem(self._map)
        if self._map is not None:
            self._map.setOpacity(state.display.opacity)

    def _add(self, item: QGraphicsItem, depth: float) -> None:
        item.setZValue(depth)
        self._scene.addItem(item)
        self._passing.append(item)


def _shown(state: State, preview: Preview) -> tuple[Candidate | None, MaskStyle]:
    """The candidate on the screen: the preview's, or while comparing the frozen twin's."""
    comparing = state.display.compare and preview.frozen is not None
    shown, style = (preview.frozen, FROZEN_STYLE) if comparing else (preview.candidate, PREVIEW)
    fill = 0.0 if _covered(state) else style.fill * state.display.filled  # a map's colours must be readable
    return shown, replace(style, fill=fill)


def _covered(state: State) -> bool:
    """Whether a map is shown, or will be."""
    overlay = overlay_of(state)
    return overlay is not None and (overlay.values is not None or overlay.reason == MEASURING)


def _look(state: State) -> tuple[object, ...]:
    """What the preview's look, or that of the selected object, depends on, apart from the preview."""
    return (
        state.display.compare,
        state.display.masks,
        state.display.filled,
        _covered(state),
        state.classes,
        state.current_class,
        state.selected,
    )
