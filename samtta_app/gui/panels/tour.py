"""Three steps that say how samtta is worked with; they can be skipped for ever."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from samtta_app.gui import recent
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.translation import translated

TOUR_STEPS: tuple[tuple[str, str, str], ...] = (
    (
        "cursor",
        "Click into an object",
        "A mask answers. Left click what is missing, right click what is too much, or draw a box around the object.",
    ),
    (
        "check",
        "Press Enter",
        "The mask is stored as an object of the chosen class. The keys 1 to 9 choose the class, Ctrl+Z undoes anything.",
    ),
    (
        "chart-line",
        "Go on",
        "D shows the next image. The model learns from what you accepted; the panel Learning says whether that helps.",
    ),
)
"""Icon, heading and text of each step."""

STEP_OF, NEXT, BACK, SKIP = "{step} of {number}", "Next", "Back", "Do not show again"

_SEEN = "tour"


def tour_wanted() -> bool:
    """Whether the steps were not skipped yet."""
    return recent.stored_value(_SEEN) != "seen"


class Tour(QFrame):
    """A card with one step at a time.

    Signals:
        skipped: the user does not want to see it again; that is remembered.
    """

    skipped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.step = 0
        self._picture = QLabel()
        self._number, self.heading = theme.label(role="muted"), theme.label(role="title")
        self.text = theme.label()
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.text.setMinimumHeight(3 * self.text.fontMetrics().lineSpacing())  # the buttons stay where they are
        self.back, self.next, self.skip = (
            QPushButton(translated(BACK)),
            QPushButton(translated(NEXT)),
            QPushButton(translated(SKIP)),
        )
        self.skip.setProperty("role", "recent")
        self.back.clicked.connect(lambda: self.show_step(self.step - 1))
        self.next.clicked.connect(lambda: self.show_step(self.step + 1))
        self.skip.clicked.connect(self._skip)
        self._arrange()
        self.show_step(0)

    def show_step(self, step: int) -> None:
        """Show one step, counted from 0; beyond the last one the first follows."""
        self.step = step % len(TOUR_STEPS)
        name, heading, text = TOUR_STEPS[self.step]
        self._picture.setPixmap(icons.icon(name, tint="accent").pixmap(QSize(4 * theme.GRID, 4 * theme.GRID)))
        self._number.setText(translated(STEP_OF, step=self.step + 1, number=len(TOUR_STEPS)))
        self.heading.setText(translated(heading))
        self.text.setText(translated(text))
        self.back.setEnabled(self.step > 0)
        self.next.setEnabled(self.step + 1 < len(TOUR_STEPS))

    def tint(self) -> None:
        """Follow the theme."""
        self.show_step(self.step)

    def _skip(self) -> None:
        recent.store_layout(_SEEN, "seen")
        self.hide()
        self.skipped.emit()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.heading, 1)
        head.addWidget(self._number)
        buttons = QHBoxLayout()
        buttons.addWidget(self.skip)
        buttons.addStretch()
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        words = QVBoxLayout()
        words.setSpacing(theme.GRID // 2)
        words.addLayout(head)
        words.addWidget(self.text)
        words.addLayout(buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * theme.GRID, 2 * theme.GRID, 2 * theme.GRID, theme.GRID)
        layout.setSpacing(2 * theme.GRID)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
