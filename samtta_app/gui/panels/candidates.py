"""The candidate masks of the preview, side by side, each with its figures; below them what would help most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QImage, QMouseEvent, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from samtta_app.core.masks import bounding_box, crop
from samtta_app.core.types import Box, Candidate, Image, Window
from samtta_app.core.windows import around
from samtta_app.gui.controller import Controller
from samtta_app.gui.panels import figure_texts
from samtta_app.gui.panels.folding_strip import FoldingStrip
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.font_following import follow_font
from samtta_app.gui.widgets.plain_text import plain_tip
from samtta_app.gui.widgets.translation import translated
from samtta_app.images.image_source import read_reduced
from samtta_app.phrases import Phrase
from samtta_app.session import acts
from samtta_app.session.advice import Advice
from samtta_app.session.state import State

THUMBNAIL = 12 * theme.GRID
"""Side of a thumbnail, in pixels."""


def frame_of(candidates: tuple[Candidate, ...], image: Image) -> Window:
    """A square-ish window of the image that shows every candidate with some surroundings."""
    boxes = [box for box in (bounding_box(entry.mask) for entry in candidates) if box is not None]
    if not boxes:
        return image.whole
    x0, y0 = min(box.x0 for box in boxes), min(box.y0 for box in boxes)
    x1, y1 = max(box.x1 for box in boxes), max(box.y1 for box in boxes)
    return around(Box(x0, y0, x1, y1), image.whole, factor=1.25)


def thumbnail(image: Image, candidate: Candidate, frame: Window, colour: QColor, side: int) -> NDArray[np.uint8]:
    """The part `frame` of the image with the mask on it: (h, w, 3) uint8, the longer side about `side` pixels.

    The mask keeps the image's brightness at 65 %; what lies outside it is dimmed, so that the shapes can be distinguished.
    """
    seen = read_reduced(image, frame, side)
    step = max(max(seen.shape[:2]) // side, 1)
    pixels = seen[::step, ::step].astype(np.float32)
    inside = crop(candidate.mask, frame)
    rows, columns = (np.arange(n) * s // n for n, s in zip(pixels.shape[:2], inside.shape, strict=True))
    inside = inside[np.ix_(rows, columns)]
    tint = np.array(colour.getRgb()[:3], dtype=np.float32)  # type: ignore[index]
    pixels[inside] = pixels[inside] * 0.5 + tint * 0.5
    pixels[~inside] *= 0.6
    return np.ascontiguousarray(pixels.astype(np.uint8))


def sharp(pixels: NDArray[np.uint8], ratio: float) -> QPixmap:
    """A thumbnail of (h, w, 3) uint8 pixels for a screen with `ratio` device pixels per point."""
    height, width = pixels.shape[:2]
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    side = round(THUMBNAIL * ratio)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    picture = QPixmap.fromImage(image).scaled(side, side, keep, smooth)
    picture.setDevicePixelRatio(ratio)
    return picture


GAINS = (
    ("More clicks", "prompt", "Expected gain in IoU from more clicks (prompt gap): {gain}"),
    ("Another mask", "task", "Expected gain in IoU from another candidate (task gap): {gain}"),
    ("Larger model", "model", "Expected gain in IoU from the larger model (model gap): {gain}"),
)
"""What a card calls a gain, its field in `Gaps`, and the line of the tool tip."""


BUTTONS = {"candidate": "Show the next", "larger": "Ask it"}
"""The acts of an advice that a button can do, and its words."""


def share_text(candidate: Candidate, of: int) -> str:
    """How many of the hypotheses look like a candidate, in words; "" where none were drawn."""
    return (
        Phrase("{number} of {of} samples", number=candidate.samples, of=of)
        if of and candidate.samples is not None
        else ""
    )


class Card(QFrame):
    """One candidate: a thumbnail above its numbers.

    Signals:
        clicked: the user chose it.
    """

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.picture = QLabel()
        self.picture.setFixedHeight(THUMBNAIL)
        follow_font(self, self._fit)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.quality = theme.label(role="figure")
        self.samples = theme.label(role="muted")
        layout = QVBoxLayout(self)
        half = theme.GRID // 2
        layout.setContentsMargins(half, half, half, half)
        layout.setSpacing(2)
        layout.addWidget(self.picture)
        self.gains = tuple(theme.label(role="figure") for _ in GAINS)
        self.gain_rows = QWidget()
        rows = QVBoxLayout(self.gain_rows)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(2)
        layout.addWidget(self.samples)
        layout.addLayout(_row(translated("Confidence"), self.quality))
        for (name, _, _), figure in zip(GAINS, self.gains, strict=True):
            rows.addLayout(_row(translated(name), figure))
        layout.addWidget(self.gain_rows)
        layout.addStretch()

    def _fit(self, font: QFontMetrics) -> None:
        """Cards stay equally wide whatever their figures."""
        widest = max(
            font.horizontalAdvance(f"{translated(name)}  {translated(figure_texts.NO_GAIN)}") for name, _, _ in GAINS
        )
        widest += theme.GRID
        self.picture.setMinimumWidth(max(widest, THUMBNAIL))

    def show_candidate(
        self,
        candidate: Candidate,
        chosen: bool,
        confidence: float,
        why: str = "",
        *,
        of: int = 0,
        kept: bool = False,
        number: int = 1,
    ) -> None:
        """Show the numbers and whether this is the mask on the screen; `why` there are no gains, in words.

        Args:
            of: hypotheses that were drawn, 0 where none were.
            kept: the outline is kept as an alternative.
            number: its place from the left, 1 or more.
        """
        self.quality.setText(figure_texts.percent_text(confidence))
        share = share_text(candidate, of)
        self.samples.setText(", ".join(translated(part) for part in (share, "kept" if kept else "") if part))
        self.samples.setVisible(bool(share or kept))
        lines = [translated("{share} look like this", share=share)] if share else []
        lines += [
            translated(
                "Confidence {share}: how well the mask is expected to fit", share=figure_texts.percent_text(confidence)
            ),
            translated(
                "Predicted IoU {iou}, mean entropy {entropy} bits (0 sure, 1 unsure)",
                iou=figure_texts.number_text(candidate.predicted_iou),
                entropy=figure_texts.number_text(candidate.uncertainty),
            ),
        ]
        gaps = candidate.gaps
        self.gain_rows.setVisible(gaps is not None)
        for (_, field, where), figure in zip(GAINS, self.gains, strict=True):
            value = getattr(gaps, field) if gaps is not None else None
            figure.setText(translated(figure_texts.gain(value)))
            if gaps is not None:
                lines.append(translated(where, gain=figure_texts.signed_text(value)))
        if gaps is None and why:
            lines.append(translated(why))
        keys = (
            translated("Alt+{number} shows this one, Tab the next", number=number)
            if number <= CARD_KEYS
            else translated("Tab shows the next one")
        )
        self.setToolTip(plain_tip("\n".join([*lines, keys])))
        if self.property("chosen") != chosen:
            self.setProperty("chosen", chosen)
            self.style().unpolish(self)
            self.style().polish(self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click chooses."""
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


def _row(name: str, figure: QLabel) -> QHBoxLayout:
    """A name at the left, its figure at the right."""
    row = QHBoxLayout()
    row.addWidget(theme.label(name, role="muted"))
    row.addStretch()
    row.addWidget(figure)
    return row


CARD_KEYS = 4
"""Cards that have a key: Alt and their number."""

FIRST_CARDS = 3
"""Cards that are made at the start: a first click has three candidates. Later clicks and plausible outlines have more."""


NUMBERED = "{number}: {confidence}"
"""A candidate in the row that stands for the cards: its place from the left, and its confidence."""


class CandidatesStrip(FoldingStrip):
    """The strip of candidates; it is hidden where there is no preview, and a row of numbers where it would cover it.

    Args:
        controller: told which candidate is wanted.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self.setProperty("role", "strip")
        self._controller = controller
        self._shown: tuple[Candidate, ...] = ()
        self._chosen = 0
        self.cards: list[Card] = []
        self.numbers: list[QToolButton] = []
        self._row_of_numbers = QHBoxLayout(self.row)
        half = theme.GRID // 2
        self._row_of_numbers.setContentsMargins(half, half, half, half)
        self._row_of_numbers.setSpacing(theme.GRID // 2)
        self._row_of_cards = QHBoxLayout()
        self._row_of_cards.setSpacing(theme.GRID)
        self._make_cards(FIRST_CARDS)
        self.advice = theme.label()
        self.advice.setWordWrap(True)
        self.advice.setMinimumWidth(24 * theme.GRID)
        self.follow = QPushButton()
        self.follow.clicked.connect(self._follow)
        self._act = ""
        below = QHBoxLayout()
        below.setSpacing(theme.GRID)
        below.addWidget(self.advice, 1)
        below.addWidget(self.follow)
        layout = QVBoxLayout(self.whole)
        layout.setContentsMargins(theme.GRID, theme.GRID, theme.GRID, theme.GRID)
        layout.setSpacing(theme.GRID)
        layout.addLayout(self._row_of_cards)
        layout.addLayout(below)
        self.hide()

    def _make_cards(self, count: int) -> None:
        """Have at least so many cards, and as many numbers."""
        for position in range(len(self.cards), count):
            card, number = Card(), QToolButton()
            number.setCheckable(True)
            number.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab and Alt with a number choose from the keyboard
            card.clicked.connect(lambda position=position: self._choose(position))
            number.clicked.connect(lambda _, position=position: self._choose(position))
            self._row_of_cards.addWidget(card)
            self._row_of_numbers.addWidget(number)
            self.cards.append(card)
            self.numbers.append(number)

    def show_state(self, state: State) -> None:
        """Show the preview's candidates; a mask that was drawn by hand is the only one, and has no numbers."""
        preview = state.preview
        if preview is None or state.image is None or not preview.candidates or preview.drawn:
            self._shown = ()
            self.hide()
            self.fold(False)
            return
        self._chosen = preview.chosen
        self._make_cards(len(preview.candidates))
        for position, (card, entry) in enumerate(zip(self.cards, preview.candidates, strict=False)):
            confidence = state.statistics.confidence(entry.expected_iou)
            kept = any(mask is entry.mask for mask in preview.alternatives)
            of = preview.answer.samples if preview.answer else 0
            card.show_candidate(
                entry, position == preview.chosen, confidence, preview.no_gaps, of=of, kept=kept, number=position + 1
            )
            short = {"number": position + 1, "confidence": figure_texts.percent_text(confidence)}
            self.numbers[position].setText(translated(NUMBERED, **short))
            self.numbers[position].setToolTip(card.toolTip())
            self.numbers[position].setChecked(position == preview.chosen)
        for position, (card, number) in enumerate(zip(self.cards, self.numbers, strict=True)):
            card.setVisible(position < len(preview.candidates))
            number.setVisible(position < len(preview.candidates))
        if preview.candidates is not self._shown:
            self._draw(state, state.image, preview.candidates)
        self._advise(preview.advice)
        self.show()
        for layout in self.findChildren(QLayout):
            layout.invalidate()  # or a hidden card still counts
        self.adjustSize()
        for layout in self.findChildren(QLayout):
            layout.activate()  # or a longer figure is cut

    def _advise(self, advice: Advice | None) -> None:
        """Say what would help, with a button where a button can do it."""
        self._act = advice.act if advice else ""
        self.advice.setText(translated(advice.text) if advice else "")
        self.advice.setVisible(advice is not None)
        self.follow.setText(translated(BUTTONS.get(self._act, "")))
        self.follow.setVisible(self._act in BUTTONS)

    def _follow(self) -> None:
        if self._act == "candidate":
            self._controller.do(acts.NextCandidate())
        elif self._act == "larger":
            self._controller.do(acts.AskLarger())

    def _draw(self, state: State, image: Image, candidates: tuple[Candidate, ...]) -> None:
        self._shown = candidates
        frame = frame_of(candidates, image)
        ratio = self.devicePixelRatioF()
        index = next((entry.colour for entry in state.classes if entry.id == state.current_class), 0)
        for card, entry in zip(self.cards, candidates, strict=False):
            pixels = thumbnail(image, entry, frame, theme.class_colour(index), round(THUMBNAIL * ratio))
            card.picture.setPixmap(sharp(pixels, ratio))

    def _choose(self, position: int) -> None:
        self.numbers[position].setChecked(position == self._chosen)  # until the state says so
        if position != self._chosen:
            self._controller.do(acts.NextCandidate(position - self._chosen))
