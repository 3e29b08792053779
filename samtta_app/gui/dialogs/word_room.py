"""Room for words that wrap: Qt makes a dialog high enough for them when it is opened, and not when they change."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QDialog

from samtta_app.gui.widgets import theme


class WordRoom(QObject):
    """Keeps a dialog as high as its parts need at its width, as far as the screen is high enough.

    Args:
        dialog: has a layout; owns this.
    """

    def __init__(self, dialog: QDialog) -> None:
        super().__init__(dialog)
        self._dialog = dialog
        dialog.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look again when a part has changed, or the width."""
        if watched is self._dialog and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            layout = self._dialog.layout()
            if layout is not None and layout.hasHeightForWidth():
                least = layout.totalMinimumHeightForWidth(self._dialog.width())
                room = self._dialog.screen().availableGeometry().height() - 6 * theme.GRID  # and the title bar
                self._dialog.setMinimumHeight(min(least, room))
        return False
