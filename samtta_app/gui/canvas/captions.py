"""Words that lie on the canvas: what is being compared, and what to do where there is no image."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from samtta_app.gui.widgets.theme import GRID, label
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.state import State


class Caption(QFrame):
    """A line of text with a muted one below it, on a plain plate that ignores the mouse; hidden while it has no text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._text, self._detail = label(role="title"), label(role="muted")
        self.setProperty("role", "strip")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        layout.setSpacing(2)
        for line in (self._text, self._detail):
            line.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(line)
        self.hide()

    @property
    def text(self) -> str:
        """The text shown, "" when there is none."""
        return self._text.text()

    def say(self, text: str, detail: str = "") -> None:
        """Show the lines, or nothing for an empty text."""
        text, detail = translated(text), translated(detail)
        if (text, detail) == (self._text.text(), self._detail.text()):
            return
        self._text.setText(text)
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))
        self.setVisible(bool(text))
        self.adjustSize()


def comparison_words(state: State) -> tuple[str, str]:
    """The text of the comparison's label."""
    preview = state.preview
    if not state.display.compare or state.image is None:
        return "", ""
    if preview is None or preview.candidate is None:
        return "Nothing to compare yet", "Click on an object first"
    if preview.drawn:
        return "Drawn by hand", "There is no answer to compare"
    if preview.frozen is None:
        return "Asking the original model…", ""
    return "Original model", Phrase("instead of version {version}", version=preview.weights_version)


def words_without_image(state: State) -> tuple[str, str]:
    """The text in the middle where there is no image."""
    if state.image is not None:
        return "", ""
    if not 0 <= state.index < len(state.images):
        return "No image", "Open a folder of images"
    entry = state.images[state.index]
    if entry.status == "unreadable":
        return Phrase("{name} cannot be shown", name=entry.name), entry.text or "Choose another image in the list"
    return Phrase("Reading {name}…", name=entry.name), ""
