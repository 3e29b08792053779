"""A strip on the image in two sizes: all of it, or a row that covers little until the pointer rests on it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, QTimer, Signal
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

REST_TO_OPEN = 250
"""Milliseconds that the pointer rests on the row before all is shown: a click on the row is done sooner."""


class FoldingStrip(QFrame):
    """Shows `whole`, or `row` in its place where `whole` would lie on what is annotated.

    Signals:
        resized: it takes another size now.

    Attributes:
        whole: all of it, shown at first.
        row: the least of it.
    """

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.whole, self.row = QWidget(), QWidget()
        self._folded = False
        self._resting = QTimer(self)
        self._resting.setSingleShot(True)
        self._resting.setInterval(REST_TO_OPEN)
        self._resting.timeout.connect(self._open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.whole)
        layout.addWidget(self.row)
        self.row.hide()

    @property
    def folded(self) -> bool:
        """Whether the row stands in place of all."""
        return self.whole.isHidden()

    @property
    def opened(self) -> bool:
        """Whether the pointer holds open what is to be folded."""
        return self._folded and not self.folded

    def size_where(self, folded: bool) -> QSize:
        """Its size in points, folded or not."""
        shown, wanted = (self.row if here else self.whole for here in (self.folded, folded))
        return wanted.sizeHint() + (self.sizeHint() - shown.sizeHint())  # its border

    def fold(self, folded: bool) -> None:
        """Show the row, or all; what the pointer holds open stays so until it leaves."""
        if folded != self._folded:
            self._folded = folded
            self._show(folded)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Open when the pointer rests here."""
        super().enterEvent(event)
        if self._folded:
            self._resting.start()

    def leaveEvent(self, event: QEvent) -> None:
        """Fold again."""
        super().leaveEvent(event)
        self._resting.stop()
        if self.opened:
            self._show(True)

    def _open(self) -> None:
        if self._folded:
            self._show(False)

    def _show(self, folded: bool) -> None:
        self.whole.setHidden(folded)
        self.row.setHidden(not folded)
        self.resized.emit()
