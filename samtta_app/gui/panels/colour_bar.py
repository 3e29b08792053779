"""The key to the uncertainty overlay: what its colours mean, the value under the pointer, and how strongly it covers."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from samtta_app.gui.canvas.overlay import scale_of
from samtta_app.gui.controller import Controller
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.font_following import follow_font
from samtta_app.gui.widgets.translation import translated
from samtta_app.session import acts
from samtta_app.session.acts import OverlayKind
from samtta_app.session.state import Overlay, State
from samtta_app.session.workflow.overlays import overlay_of

_WIDTH = 28 * theme.GRID
"""Width of what lies in the strip, in pixels."""

MAP_WORDS: Mapping[OverlayKind, tuple[str, str, str, str]] = {
    "entropy": ("Doubt", "0 to 1 bit", "sure", "unsure"),
    "refiner": ("Change by a second pass", "difference of probability", "same", "changed"),
    "ensemble": ("Disagreement between clicks", "spread of probability", "agreed", "open"),
    "disagreement": ("Disagreement between outlines", "share of samples", "agreed", "half and half"),
    "adapted": ("Changed by learning", "difference of probability", "same", "changed"),
    "lesson": ("What this mask teaches", "green object, blue background, clear left out", "left out", "object"),
    "edges": ("Edges of everything", "strength, of all masks that are found", "none", "sharp"),
}
"""What each map is called, its unit, and what its least and its greatest value mean."""

TIPS: Mapping[OverlayKind, str] = {
    "entropy": "How undecided each pixel is by itself (entropy of its probability: 1 bit at one half)",
    "refiner": "How far the probability moves when a second model, the refiner, corrects the mask",
    "ensemble": "How far the probability varies over eight clicks nearby (standard deviation)",
    "disagreement": "How divided the plausible outlines are: 1 where half of the samples hold the place",
    "adapted": "How far learning moved the probability (adapted against original weights)",
    "lesson": "What an accepted object taught, or what this mask would teach after Enter (the pseudo-label)",
    "edges": "Outlines of every mask that a grid of 16 x 16 clicks finds in the image (SAM's edges)",
}

LESSON_WORDS = {1.0: "object", 0.0: "left out", -1.0: "background"}
"""What the values of a pseudo-label mean."""


class Ramp(QWidget):
    """The colour map from 0 to the greatest value, over the grey that lies behind the image, with a mark at one value."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(_WIDTH, theme.GRID + theme.GRID // 2)
        table = theme.uncertainty_map().copy()
        self._row = QImage(table.tobytes(), len(table), 1, 4 * len(table), QImage.Format.Format_RGBA8888).copy()
        self._opacity, self._mark = 1.0, -1.0

    def show_values(self, opacity: float, mark: float | None) -> None:
        """Show the colours with this opacity, and a mark at this share of the ramp, 0 .. 1 (None for no mark)."""
        self._opacity, self._mark = opacity, -1.0 if mark is None else min(max(mark, 0.0), 1.0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ramp and mark."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.current().canvas))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(self._opacity)
        painter.drawImage(self.rect(), self._row)
        painter.setOpacity(1.0)
        if self._mark >= 0:
            left = self._mark * (self.width() - 4)
            painter.fillRect(QRectF(left, 0, 4, self.height()), QColor(theme.current().background))
            painter.fillRect(QRectF(left + 1, 0, 2, self.height()), QColor(theme.current().text))
        painter.end()


class ColourBar(QFrame):
    """The ramp with its name, unit and ends, or why there is no map, and a slider; hidden while overlays are off.

    Signals:
        opacity_chosen(float): the user chose an opacity, 0 .. 1, to be remembered.

    Args:
        controller: told of the opacity.
    """

    opacity_chosen = Signal(float)

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self.setProperty("role", "strip")
        self._controller = controller
        self._overlay: Overlay | None = None
        self._opacity = 1.0
        self._pointer = (float("nan"), float("nan"))
        self.title, self.value = theme.label(role="title"), theme.label(role="figure")
        self.unit, self.reason = theme.label(role="muted"), theme.label(role="muted")
        self.least, self.greatest = theme.label(role="figure"), theme.label(role="figure")
        self.ramp, self.slider, self.percent = Ramp(), QSlider(Qt.Orientation.Horizontal), theme.label(role="figure")
        self.reason.setWordWrap(True)
        self.reason.setFixedWidth(_WIDTH)
        self._furnish()
        self.slider.valueChanged.connect(self._moved)
        self.slider.sliderReleased.connect(self._released)
        self.hide()

    def _furnish(self) -> None:
        self.slider.setRange(0, 100)
        self.slider.setSingleStep(5)
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.slider.setAccessibleName(translated("Opacity of the map of doubt"))
        self.slider.setToolTip(translated("How strongly the map covers the image  (Alt+O)"))
        name = QLabel(translated("&Opacity"))
        name.setBuddy(self.slider)
        follow_font(self.percent, lambda font: self.percent.setFixedWidth(font.horizontalAdvance("100 %")))
        self.percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        layout.setSpacing(theme.GRID // 2)
        layout.addLayout(_row(self.title, None, self.value))
        for part in (self.reason, self.unit, self.ramp):
            layout.addWidget(part)
        layout.addLayout(_row(self.least, None, self.greatest))
        layout.addLayout(_row(name, self.slider, self.percent))

    def show_state(self, state: State) -> None:
        """Show the key to the map that is on the screen."""
        overlay = self._overlay = overlay_of(state)
        self._opacity = state.display.opacity
        if overlay is not None:
            self._name(overlay)
            if not self.slider.isSliderDown():
                self.slider.blockSignals(True)
                self.slider.setValue(round(self._opacity * 100))
                self.slider.blockSignals(False)
            self.percent.setText(f"{round(self._opacity * 100)} %")
        self.setVisible(overlay is not None)
        self._point()

    def show_hover(self, x: float, y: float) -> None:
        """Show the value under the pointer (image coordinates; nan when it has left)."""
        self._pointer = x, y
        self._point()

    def _name(self, overlay: Overlay) -> None:
        title, unit, least, greatest = map(translated, MAP_WORDS[overlay.kind])
        reason = translated(overlay.reason)
        found = overlay.values is not None
        top = f"{scale_of(overlay):g}" if found else ""
        self.title.setText(title)
        self.unit.setText(unit)
        self.reason.setText(reason)
        self.reason.setFixedHeight(max(self.reason.heightForWidth(_WIDTH), 0))
        self.least.setText(f"0 {least}")
        self.greatest.setText(f"{top} {greatest}")
        self.unit.setVisible(found)
        for part in (self.ramp, self.least, self.greatest):
            part.setVisible(found and overlay.kind != "lesson")
        self.reason.setVisible(not found)
        self.setToolTip(translated(TIPS[overlay.kind]))
        self.setAccessibleName(
            translated(
                "{title}: {unit}, 0 {least} to {top} {greatest}",
                title=title,
                unit=unit,
                least=least,
                top=top,
                greatest=greatest,
            )
            if found
            else f"{title}: {reason}"
        )
        if found and overlay.kind == "lesson":
            self.setAccessibleName(f"{title}: {unit}")

    def _point(self) -> None:
        overlay = self._overlay
        here = overlay.at(*self._pointer) if overlay else None
        lesson = overlay is not None and overlay.kind == "lesson"
        self.value.setText("" if here is None else translated(LESSON_WORDS[here]) if lesson else f"{here:.3f}")
        self.ramp.show_values(self._opacity, None if here is None or overlay is None else here / scale_of(overlay))

    def _moved(self, percent: int) -> None:
        self._controller.do(acts.Show(opacity=percent / 100))
        if not self.slider.isSliderDown():
            self._released()

    def _released(self) -> None:
        self.opacity_chosen.emit(self.slider.value() / 100)


def _row(left: QWidget, middle: QWidget | None, right: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(left)
    if middle is None:
        row.addStretch()
    else:
        row.addWidget(middle, 1)
    row.addWidget(right)
    return row
