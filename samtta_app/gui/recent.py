"""What the window remembers between two runs: its geometry, its docks, and the folders that were open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from samtta_app.core.names import from_text, to_text
from samtta_app.settings import data_folder

MOST = 6
"""Folders remembered."""


def memory() -> QSettings:
    """The file in which all of this lies."""
    return QSettings(str(data_folder() / "window.ini"), QSettings.Format.IniFormat)


def folders() -> list[Path]:
    """The folders that were open, newest first; those that are gone are left out."""
    stored = memory().value("recent")
    names = [stored] if isinstance(stored, str) else list(stored or [])
    known = [Path(from_text(name)) for name in names]
    return [folder for folder in known if folder.is_dir()][:MOST]


def remember_folder(folder: Path) -> None:
    """Put `folder` first."""
    known = [folder, *(entry for entry in folders() if entry != folder)]
    remember("recent", [to_text(str(entry)) for entry in known[:MOST]])


def remember(name: str, value: QByteArray | list[str]) -> None:
    """Write one value down."""
    store = memory()
    store.setValue(name, value)
    store.sync()


def layout(name: str) -> QByteArray | None:
    """A geometry that was written down, None where there is none."""
    stored = memory().value(name)
    return stored if isinstance(stored, QByteArray) else None
