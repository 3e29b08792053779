"""Which keys belong to which action: the table's defaults, or what the settings say."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QKeySequence

from samtta_app.errors import SettingsError
from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.phrases import Phrase
from samtta_app.settings import valid_keys


def bindings(overrides: Mapping[str, str] | None = None) -> dict[str, tuple[str, ...]]:
    """Keys of every action, in Qt's portable spelling: the defaults, or what the settings say.

    Raises:
        SettingsError: an override names no action, holds no key, or gives one key to two actions.
    """
    chosen = {action.name: action.keys for action in ACTION_TABLE} | dict(overrides or {})
    split = {name: _split(name, text) for name, text in chosen.items()}
    _refuse_shared(split)
    return split


def valid_bindings(overrides: Mapping[str, str]) -> tuple[dict[str, tuple[str, ...]], tuple[SettingsError, ...]]:
    """Keys as in `bindings`, without the overrides that cannot be used; where two clash, the later one is left out."""
    left_out: list[SettingsError] = []
    good = {}
    for name, text in overrides.items():
        try:
            _split(name, text)
        except SettingsError as error:
            left_out.append(error)
        else:
            good[name] = text
    while True:
        try:
            return bindings(good), tuple(left_out)
        except SettingsError as error:
            left_out.append(error)
            good.pop(next(name for name in reversed(good) if _clashes(name, good)))


def key_owners(name: str, text: str, overrides: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The other actions that have a key of `text` now, and which of them.

    Raises:
        SettingsError: there is no such action, or it is no key.
    """
    wanted, present = frozenset(_split(name, text)), valid_bindings(overrides)[0]
    shared = {other: wanted & frozenset(keys) for other, keys in present.items() if other != name}
    return {other: keys for other, keys in shared.items() if keys}


def _clashes(name: str, overrides: Mapping[str, str]) -> bool:
    """Whether a key of this override is also another action's."""
    chosen = {action.name: overrides.get(action.name, action.keys) for action in ACTION_TABLE}
    others = {key for other, text in chosen.items() if other != name for key in _split(other, text)}
    return not others.isdisjoint(_split(name, overrides[name]))


def _split(name: str, text: str) -> tuple[str, ...]:
    """The keys of one action.

    Raises:
        SettingsError: there is no such action, or it is no key.
    """
    known = [action.name for action in ACTION_TABLE]
    if name not in known:
        raise SettingsError(
            Phrase("There is no action named {name!r}", name=name),
            "keys",
            Phrase("The actions are {names}", names=", ".join(known)),
        )
    if not valid_keys(text):
        raise SettingsError(
            Phrase("{text!r} is not a key", text=text), f"keys.{name}", 'Write a key such as "Ctrl+Z" or "Return; E"'
        )
    return tuple(_portable(name, part) for part in text.split(";") if part.strip())


def _portable(name: str, text: str) -> str:
    sequence = QKeySequence.fromString(text.strip(), QKeySequence.SequenceFormat.PortableText)
    written = sequence.toString(QKeySequence.SequenceFormat.PortableText)
    if not written:
        raise SettingsError(
            Phrase("{text!r} is not a key", text=text), f"keys.{name}", 'Write a key such as "Ctrl+Z" or "Return; E"'
        )
    return written


def _refuse_shared(split: Mapping[str, tuple[str, ...]]) -> None:
    owner: dict[str, str] = {}
    for name, keys in split.items():
        for key in keys:
            if owner.setdefault(key, name) != name:
                raise SettingsError(
                    Phrase("The key {key} is given to both {owner} and {name}", key=key, owner=owner[key], name=name),
                    "keys",
                    "Give one of them another key",
                )


def native_keys(text: str) -> str:
    """Keys of the settings ("Ctrl+Y; E") as the platform writes them, in the user's language; what is no key stays."""
    return _respelled(text, QKeySequence.SequenceFormat.PortableText, QKeySequence.SequenceFormat.NativeText)


def portable_keys(text: str) -> str:
    """Keys as the platform writes them ("Strg+Y; E") as the settings hold them; what is no key stays."""
    return _respelled(text, QKeySequence.SequenceFormat.NativeText, QKeySequence.SequenceFormat.PortableText)


def _respelled(text: str, read: QKeySequence.SequenceFormat, write: QKeySequence.SequenceFormat) -> str:
    parts = [part.strip() for part in text.split(";")]
    return "; ".join(QKeySequence.fromString(part, read).toString(write) or part for part in parts)


def key_text(keys: tuple[str, ...]) -> str:
    """Keys as the platform writes them: "Ctrl+Y, Ctrl+Shift+Z"."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence.fromString(key).toString(native) for key in keys)
