"""What the window remembers between two runs: its geometry, its docks, and the folders that were open.

It is a convenience: a file that is damaged, or no file at all, is as good as none.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from samtta_app.core.names import from_text, to_text
from samtta_app.regular_files import SETTINGS_BYTES
from samtta_app.session.project.location import HOME
from samtta_app.settings import data_folder

FOLDERS_KEPT = 6
"""Folders remembered."""

log = logging.getLogger(__name__)


def memory() -> QSettings | None:
    """The file in which all of this lies; None where something else stands in its place."""
    path = data_folder() / "window.ini"
    try:
        found = path.stat()
    except FileNotFoundError:
        pass
    except OSError as error:
        log.info("%s cannot be used: %s", path, error)
        return None
    else:
        if not stat.S_ISREG(found.st_mode) or found.st_size > SETTINGS_BYTES:
            log.info("%s is not used: it is no regular file, or too large", path)
            return None
    return QSettings(str(path), QSettings.Format.IniFormat)


def folders() -> list[Path]:
    """The folders that were open, newest first; those that are gone are left out."""
    stored = _value("recent")
    names = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
    known = [from_text(name) for name in names if isinstance(name, str)]
    return [Path(name) for name in known if "\0" not in name and os.path.isdir(name)][:FOLDERS_KEPT]


def remember_folder(folder: Path) -> None:
    """Put `folder` first; another name of the same folder goes."""
    known = [folder, *(entry for entry in folders() if not same_folder(entry, folder))]
    store_layout("recent", [to_text(str(entry)) for entry in known[:FOLDERS_KEPT]])


def reopening_place(folder: Path, project: Path) -> Path:
    """What opens a project again: its images' folder, or its own where that lies elsewhere."""
    return folder if project == folder / HOME else project


def same_folder(one: Path, other: Path) -> bool:
    """Whether two names stand for one folder (a link, another case); False where one of them cannot be looked at."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return one == other


def store_layout(name: str, value: QByteArray | list[str] | str) -> None:
    """Write one value down."""
    store = memory()
    if store is not None:
        store.setValue(name, value)
        store.sync()


def stored_value(name: str) -> str:
    """A word that was written down, "" where there is none."""
    stored = _value(name)
    return stored if isinstance(stored, str) else ""


def stored_layout(name: str) -> QByteArray | None:
    """A geometry that was written down, None where there is none."""
    stored = _value(name)
    return stored if isinstance(stored, QByteArray) else None


def _value(name: str) -> object:
    store = memory()
    try:
        return store.value(name) if store is not None else None
    except (TypeError, ValueError, RuntimeError, SystemError) as error:  # of a type that Python has no name for
        log.info("The window's memory of %r cannot be read: %s", name, error)
        return None
