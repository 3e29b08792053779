"""The dialogs that are open: one of each kind, deleted once it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Protocol, runtime_checkable

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDialog

from samtta_app.settings import Settings

PROJECT_BOUND = ("statistics", "agreement", "export", "import", "planes", "display", "about")
"""Dialogs about the project or its model: they are closed with it."""


@runtime_checkable
class SettingsView(Protocol):
    """A dialog that changes settings."""

    def refuse(self, settings: Settings, why: str) -> None:
        """Say why the last change cannot be used; `settings` hold."""


class OpenDialogs(QObject):
    """Shows dialogs that do not block the window; they are found by name while they are open."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._open: dict[str, QDialog] = {}

    def __contains__(self, name: str) -> bool:
        """Whether a dialog of this kind is open."""
        return name in self._open

    def __iter__(self) -> Iterator[str]:
        """The kinds that are open."""
        return iter(tuple(self._open))

    def __getitem__(self, name: str) -> QDialog:
        """The open dialog of a kind."""
        return self._open[name]

    def show(self, name: str, dialog: QDialog) -> None:
        """Show `dialog`, and close an open one of its kind."""
        self.close(name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(partial(self._forget, name, dialog))
        self._open[name] = dialog
        dialog.show()
        dialog.raise_()

    def refuse(self, settings: Settings, why: str) -> None:
        """Say in the dialogs that change settings why the last change cannot be used; `settings` hold."""
        for dialog in self._open.values():
            if isinstance(dialog, SettingsView):
                dialog.refuse(settings, why)

    def close(self, *names: str) -> None:
        """Close the dialogs of these kinds."""
        for name in names:
            if name in self._open:
                self._open[name].close()

    def close_all(self) -> None:
        """Close every dialog."""
        self.close(*self)

    def _forget(self, name: str, dialog: QDialog, _: int = 0) -> None:
        if self._open.get(name) is dialog:
            del self._open[name]
