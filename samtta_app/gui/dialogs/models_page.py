"""The window's page of models with its work, which goes on while the page is closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from samtta_app.gui.dialogs.open_dialogs import OpenDialogs
from samtta_app.gui.model_work import ModelWork
from samtta_app.session.state import Message
from samtta_app.settings import Settings


class ModelsPage(QObject):
    """Opens the page, and says how work has ended where the page cannot.

    Args:
        window: the window.
        dialogs: its open dialogs.
        settings: gives its present settings.
        use: takes other settings and saves them.
        tell: shows a message in the window.
    """

    def __init__(
        self,
        window: QWidget,
        dialogs: OpenDialogs,
        settings: Callable[[], Settings],
        use: Callable[[Settings], None],
        tell: Callable[[Message], None],
    ) -> None:
        super().__init__(window)
        self._window, self._dialogs, self._settings, self._use, self._tell = window, dialogs, settings, use, tell
        self.work = ModelWork(self)
        self.work.ended.connect(self._ended)

    def open(self) -> None:
        """Open the page."""
        from samtta_app.gui.dialogs.models_dialog import ModelsDialog  # the window's first paint does without it

        dialog = ModelsDialog(self._window, self.work, self._settings())
        dialog.chosen.connect(self._chosen)
        self._dialogs.show("models", dialog)

    @Slot()
    def close(self) -> None:
        """End the work."""
        self.work.close()

    def take_over(self, other: ModelsPage) -> None:
        """Go on with the work of another window, which takes this one's."""
        for page in (self, other):
            page.work.ended.disconnect(page._ended)
        self.work, other.work = other.work, self.work
        for page in (self, other):
            page.work.setParent(page)
            page.work.ended.connect(page._ended)

    @Slot(str)
    def _chosen(self, name: str) -> None:
        self._use(replace(self._settings(), model=name))

    @Slot(object)
    def _ended(self, message: Message) -> None:
        if "models" not in self._dialogs:
            self._tell(message)
