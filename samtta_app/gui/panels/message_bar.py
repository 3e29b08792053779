"""The message bar: one line for what happened, never a modal dialog; errors stay until they are dismissed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.state import Message, Severity, State

ICONS: dict[Severity, tuple[str, str]] = {
    "info": ("info", "accent"),
    "good": ("check-circle", "good"),
    "warning": ("warning", "warn"),
    "error": ("warning-octagon", "bad"),
}
"""Icon and colour of each severity; the shapes differ, so that the colour is not needed."""

STAYS = 6000
"""Milliseconds after which an info or a good message goes by itself."""

MESSAGES_SHOWN = 3
"""Messages shown at once, the newest; older ones wait until there is room."""

MESSAGES_KEPT = 20
"""Messages that are shown or wait; a fault that comes again and again must not fill the memory."""


class _Line(QFrame):
    """One message with its icon and a button that dismisses it.

    Signals:
        dismissed: the user has read it.
    """

    dismissed = Signal()

    def __init__(self, message: Message) -> None:
        super().__init__()
        self.message = message
        self.setProperty("role", "strip")
        self.mark = QLabel()
        self.text = theme.label(translated(message.text))
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button = QToolButton()
        self.button.setProperty("role", "small")
        self.button.setToolTip(translated("Dismiss"))
        self.button.setAccessibleName(translated("Dismiss message"))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self.dismissed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GRID * 3 // 2, theme.GRID, theme.GRID, theme.GRID)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        name, tint = ICONS[self.message.severity]
        self.mark.setPixmap(icons.icon(name, tint=tint).pixmap(theme.ICON, theme.ICON))
        self.button.setIcon(icons.icon("x", tint="muted"))


class MessageBar(QWidget):
    """The messages that are shown now, newest below.

    A message of a new state is shown once. Warnings and errors stay until they are dismissed, or until another image than
    theirs is shown, or images of another folder. The others go after a few seconds, or when the state drops them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: Message | None = None
        self._folder: Path | None = None
        self.lines: list[_Line] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.GRID // 2)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(STAYS)
        self.timer.timeout.connect(self.drop_passing)
        self.hide()

    def show_state(self, state: State) -> None:
        """Show the state's message if it is a new one; what is about another image than the open one goes."""
        shown = state.images[state.index].name if 0 <= state.index < len(state.images) else ""
        for line in [line for line in self.lines if line.message.image not in ("", shown)]:
            self._drop(line)
        if self._folder not in (None, state.folder):
            self.clear()
        self._folder = state.folder
        if state.message is self._seen:
            return
        self._seen = state.message
        if state.message is None:
            self.drop_passing()
        else:
            self.show_message(state.message)

    def show_message(self, message: Message) -> None:
        """Show one message; it takes the place of one with the same text, and of one that passes by itself."""
        self.drop_passing()
        for line in [line for line in self.lines if line.message.text == message.text]:
            self._drop(line)
        line = _Line(message)
        line.dismissed.connect(self._dismissed)
        self.lines.append(line)
        self._layout.addWidget(line)
        for old in self.lines[:-MESSAGES_KEPT]:
            self._drop(old)
        if _passes(message):
            self.timer.start()
        self._fit()
        self.resize(self.width(), max(self.height(), self.heightForWidth(self.width())))  # no line is painted squeezed

    def retract(self, text: str) -> None:
        """Take the message with this text away: its cause is gone."""
        for line in [line for line in self.lines if line.message.text == text]:
            self._drop(line)

    def take_over(self, other: MessageBar) -> None:
        """Show what another bar shows, and nothing that was dismissed there."""
        self.clear()
        self._seen = other._seen
        for line in other.lines:
            self.show_message(line.message)

    def clear(self) -> None:
        """Take every message away."""
        self.timer.stop()
        for line in tuple(self.lines):
            self._drop(line)

    def drop_passing(self) -> None:
        """Take away what does not have to be dismissed."""
        self.timer.stop()
        for line in [line for line in self.lines if _passes(line.message)]:
            self._drop(line)

    def _dismissed(self) -> None:
        line = self.sender()
        if isinstance(line, _Line):
            self._drop(line)

    def _drop(self, line: _Line) -> None:
        self.lines.remove(line)
        self._layout.removeWidget(line)
        line.hide()
        line.deleteLater()
        self._fit()

    def _fit(self) -> None:
        """Show the newest messages."""
        self.setVisible(bool(self.lines))
        for age, line in enumerate(reversed(self.lines)):
            line.setVisible(age < MESSAGES_SHOWN)


def _passes(message: Message) -> bool:
    return message.severity in ("info", "good")
