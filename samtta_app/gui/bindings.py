"""Which keys belong to which action: the table's defaults, or what the settings say."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QKeySequence

from samtta_app.errors import SettingsError
from samtta_app.gui.actions import TABLE
from samtta_app.settings import valid_keys


def bindings(overrides: Mapping[str, str] | None = None) -> dict[str, tuple[str, ...]]:
    """Keys of every action, in Qt's portable spelling: the defaults, or what the settings say.

    Raises:
        SettingsError: an override names no action, holds no key, or gives one key to two actions.
    """
    known = {action.name: action.keys for action in TABLE}
    chosen = dict(known)
    for name, text in (overrides or {}).items():
        if name not in known:
            raise SettingsError(f"There is no action named {name!r}", "keys", f"The actions are {', '.join(known)}")
        if not valid_keys(text):
            raise SettingsError(f"{text!r} is not a key", f"keys.{name}", 'Write a key such as "Ctrl+Z" or "Return; E"')
        chosen[name] = text
    split = {
        name: tuple(_portable(name, part) for part in text.split(";") if part.strip()) for name, text in chosen.items()
    }
    _refuse_shared(split)
    return split


def _portable(name: str, text: str) -> str:
    sequence = QKeySequence.fromString(text.strip(), QKeySequence.SequenceFormat.PortableText)
    written = sequence.toString(QKeySequence.SequenceFormat.PortableText)
    if not written:
        raise SettingsError(f"{text!r} is not a key", f"keys.{name}", 'Write a key such as "Ctrl+Z" or "Return; E"')
    return written


def _refuse_shared(split: Mapping[str, tuple[str, ...]]) -> None:
    owner: dict[str, str] = {}
    for name, keys in split.items():
        for key in keys:
            if owner.setdefault(key, name) != name:
                raise SettingsError(
                    f"The key {key} is given to both {owner[key]} and {name}", "keys", "Give one of them another key"
                )


def shown(keys: tuple[str, ...]) -> str:
    """Keys as the platform writes them: "Ctrl+Y, Ctrl+Shift+Z"."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence.fromString(key).toString(native) for key in keys)
