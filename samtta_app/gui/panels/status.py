"""The status bar: what to do next, where one is, what lies under the pointer, and what runs in the background."""

from __future__ import annotations

import math
import re

import numpy as np
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QSizePolicy, QStatusBar

from samtta_app.core.types import Image
from samtta_app.gui.canvas.review_guide import item_here
from samtta_app.gui.controller import Controller
from samtta_app.gui.panels.review_panel import reason_words
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.elided_label import ElidedLabel
from samtta_app.gui.widgets.font_following import follow_font
from samtta_app.gui.widgets.plain_text import plain_tip
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.acts import ToolName, in_words
from samtta_app.session.state import State

_SIZE_OF_MODEL = re.compile(r" \([\d.]+ M [^)]*\)")
"""What the engine says of a model's size."""

LEARNER = {
    "off": "Learning off",
    "idle": "Learning on",
    "remembering": "Looking again…",
    "learning": "Learning…",
    "comparing": "Comparing…",
    "paused": "Learning paused",
}
"""The learner's state in a word or two."""

TOOL_HINTS: dict[ToolName, str] = {
    "brush": "Drag to paint, right-drag to erase; [ and ] change the size, B goes back to clicks, Enter accepts",
    "eraser": "Drag to erase, right-drag to paint; [ and ] change the size, Shift+B goes back to clicks, Enter accepts",
    "cut": "Drag a line across an object to cut it in two; X goes back to clicks",
    "polygon": "Click to set corners, the first one closes; drag corners, right-click takes one away; P goes back to clicks",
}
"""What the mouse does while it works by hand."""


NEEDS_A_LOOK = "Needs a look ({why}): Y keeps it, Q corrects it, Shift+Q deletes it, R goes on"
TWO_OUTLINES = "Two outlines ({why}): Y keeps yours, Z takes the other one, Shift+Z keeps both"
RATING = "Mask {mask} of {total}: rate it from 1 to 9, 0 for 10. Tab skips it, Esc ends"


def _learner(state: State) -> str:
    version = state.adaptation.version
    words = translated("version {version}", version=version) if version else translated("original model")
    return f"{translated(LEARNER[state.adaptation.activity])} · {words}"


def hint(state: State | None) -> str:
    """What the user can do now, one sentence without a full stop."""
    if state is None:
        return "Open a folder of images, or try the samples"
    entry = state.images[state.index] if 0 <= state.index < len(state.images) else None
    if entry is not None and entry.status == "unreadable":
        return "This image cannot be read: go on with D"
    if state.rating is not None:
        done, total = state.rating.done, state.rating.done + 1 + len(state.rating.left)
        return Phrase(RATING, mask=done + 1, total=total)
    if state.waiting:
        return Phrase("Waiting for the mask, then: {acts}", acts=in_words(state.waiting))
    if state.image is None:
        return "Reading the image…"
    if state.read_only:
        return "The project is read-only: look, but nothing can be saved"
    if state.preview is not None and state.preview.edits is not None and not state.preview.waiting:
        return "An accepted object is being changed: Enter stores it, Esc leaves it as it was"
    if state.display.tool != "prompt" and state.display.tool in TOOL_HINTS:
        return TOOL_HINTS[state.display.tool]
    if state.preview is None:
        return _without_mask(state)
    if state.preview.candidate is None:
        return "Looking…" if state.preview.waiting else "Click again, or press Esc"
    if len(state.preview.candidates) > 1:
        return "Enter accepts, Tab shows another candidate, a right click takes away"
    return "Enter accepts, click what is missing, right-click what is too much"


def _without_mask(state: State) -> str:
    """What can be done with the selected object, or without one."""
    item = item_here(state)
    if item is not None and item.object_id == state.selected:
        return Phrase(TWO_OUTLINES if state.review.other else NEEDS_A_LOOK, why=reason_words(item))
    if state.selected is not None:
        return "Click or draw to change the selected object; Delete removes it, Esc lets it go"
    return "Click an object, or drag a box around it"


def place(state: State) -> str:
    """Which image of how many."""
    return f"{state.index + 1} / {len(state.images)}" if state.images else ""


def pixel_text(image: Image | None, x: float, y: float) -> str:
    """The pixel under the pointer and its raw value: "120, 34   181 160 92"; "" outside the image."""
    if image is None or not (math.isfinite(x) and math.isfinite(y)):
        return ""
    column, row = round(x), round(y)
    if not (0 <= column < image.width and 0 <= row < image.height):
        return ""
    found = np.atleast_1d(image.raw[row, column]) if image.tiles is None else image.tiles.value_at(column, row)
    if found is None:  # its tile is not on the screen
        return f"{column}, {row}"
    words = " ".join(f"{entry:.4g}" if found.dtype.kind == "f" else str(entry) for entry in found)
    return f"{column}, {row}   {words}"


class StatusBar(QStatusBar):
    """The status bar.

    Args:
        controller: unused here, so that all views are made the same way.
    """

    def __init__(self, controller: Controller | None = None) -> None:
        super().__init__()
        self._controller = controller
        self._state: State | None = None
        self.setSizeGripEnabled(False)
        self.hint = ElidedLabel()
        self.position = theme.label(role="figure")
        self.zoom = theme.label(role="figure")
        self.image = theme.label(role="figure")
        self.work = theme.label(role="muted")
        self.learner = theme.label(role="muted")
        self.model = theme.label(role="muted")
        self._fields = (self.work, self.position, self.zoom, self.image, self.learner, self.model)
        self.addWidget(self.hint, 1)
        for field in self._fields:
            field.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
            self.addPermanentWidget(field)
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # words widen no window
        self.hint.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        follow_font(self, self._fit)
        for field, tip in (
            (self.position, "Pixel under the pointer: x, y, value"),
            (self.zoom, "Zoom: screen pixels per image pixel"),
            (self.image, "Image"),
            (self.learner, "Learning, and how often it changed the model (weights version); 0 is the original"),
            (self.model, "Model and device"),
            (self.work, "What runs in the background"),
        ):
            field.setToolTip(translated(tip))
        self.show_state(None)

    def _fit(self, digits: QFontMetrics) -> None:
        self.position.setMinimumWidth(digits.horizontalAdvance("00000, 00000   000 000 000"))
        self.zoom.setMinimumWidth(digits.horizontalAdvance("0000 %") + 2 * theme.GRID)

    def show_state(self, state: State | None) -> None:
        """Show the hint, the place, and what runs."""
        self._state = state
        self.hint.setText(translated(hint(state)))
        self.image.setText(place(state) if state else "")
        self.learner.setText(_learner(state) if state else "")
        self.work.setText(
            " · ".join(translated(words) for words in (state.exporting, state.activity) if words) if state else ""
        )
        for field in self._fields:
            field.setVisible(bool(field.text()) or (state is not None and field in (self.position, self.zoom)))

    def show_model(self, text: str) -> None:
        """Say which model runs on which device; how large it is stands in the tool tip."""
        text = translated(text)
        self.model.setText(_SIZE_OF_MODEL.sub("", text))
        self.model.setToolTip(plain_tip(text or translated("Model and device")))
        self.model.setVisible(bool(text))

    def show_hover(self, x: float, y: float) -> None:
        """Show what lies under the pointer (image coordinates; nan when it has left)."""
        self.position.setText(pixel_text(self._state.image if self._state else None, x, y))

    def show_zoom(self, factor: float) -> None:
        """Show the zoom: screen pixels per image pixel."""
        self.zoom.setText(f"{factor * 100:.0f} %")
