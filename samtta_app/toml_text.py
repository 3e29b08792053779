"""TOML as users write it: an invalid line does not hide the others, and a change keeps everything else as it is.

This module does not know what the values mean.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_LINES = 50
"""Lines that one value may take (an array, a long string); this limits the time spent on a damaged file."""

_MARK = "# not valid: "
"""Stands before an invalid line when the file is written again."""

TomlKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The readable `values`, and the number (from 1) and reason of each line that could not be read."""

    values: dict[str, Any]
    bad: tuple[tuple[int, str], ...] = ()


def parse(text: str) -> Parsed:
    """Read every valid value."""
    text = text.removeprefix("\ufeff")
    try:
        return Parsed(loads(text))
    except ValueError:
        values: dict[str, Any] = {}
        bad = []
        for number, found, why in _statements(text):
            clash = _merge(values, found) if found is not None else why
            if clash:
                bad.append((number, clash))
        return Parsed(values, tuple(bad))


def with_value(text: str, changes: Mapping[TomlKey, Any]) -> str:
    """The text with other values at some keys (None removes a key); all else stays, comments and layout included.

    Lines that are not TOML stay as comments.

    Raises:
        ValueError: the text cannot be changed without changing other parts.
    """
    import tomlkit  # the window's first paint does without it: settings are read by Python's own parser
    import tomlkit.exceptions

    start = "\ufeff" if text.startswith("\ufeff") else ""
    parsed = parse(text)
    lines = text.removeprefix("\ufeff").split("\n")
    for number, _ in parsed.bad:
        lines[number - 1] = _MARK + _printable(lines[number - 1])
    wanted = parsed.values
    try:
        document = tomlkit.parse("\n".join(lines))
        for key, value in changes.items():
            _put(document, key, value)
            _put(wanted, key, value)
        written = tomlkit.dumps(document)
    except (tomlkit.exceptions.TOMLKitError, RecursionError, TypeError) as error:
        raise ValueError(str(error)) from error
    if parse(written) != Parsed(wanted):
        raise ValueError("other settings would change with it")
    return start + written


def loads(text: str) -> dict[str, Any]:
    """The values of a TOML text.

    Raises:
        ValueError: it is not TOML, is nested too deeply, has a number of too many digits, or is not UTF-8.
    """
    try:
        values = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not _is_text(values):
        raise ValueError("it is not UTF-8")
    return values


def _statements(text: str) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    """For each statement: number of the first line, values (None if invalid) and the reason."""
    lines, header, at = text.split("\n"), "", 0
    lost = ""
    while at < len(lines):
        heading = lines[at].lstrip().startswith("[")
        found, taken, why = _statement("" if heading else header, lines[at : at + MOST_LINES])
        if heading:
            header, lost = (lines[at], "") if found is not None else ("", "it belongs to a table that cannot be read")
        elif lost and found:
            found, why = None, lost
        yield at + 1, found, why
        at += taken


def _statement(header: str, lines: list[str]) -> tuple[dict[str, Any] | None, int, str]:
    """The values of the shortest valid run of lines, its length, and why the first line alone is not valid."""
    why = ""
    opened = any(mark in lines[0] for mark in ("[", "{", '"""', "'''"))
    for taken in range(1, len(lines) + 1 if opened else 2):
        try:
            return loads("\n".join([header, *lines[:taken]])), taken, ""
        except ValueError as error:
            why = why or str(error).partition(" (at ")[0]
    return None, 1, why


def _merge(values: dict[str, Any], more: Mapping[str, Any]) -> str:
    """Add `more` to `values`; returns a note on values that clash and were left out."""
    for name, value in more.items():
        known = values.get(name)
        if name not in values:
            values[name] = value
        elif isinstance(known, dict) and isinstance(value, dict):
            clash = _merge(known, value)
            if clash:
                return clash
        elif isinstance(known, list) and isinstance(value, list) and value and isinstance(value[0], dict):
            known += value
        else:
            return f"{name} stands there twice"
    return ""


def _put(table: Any, key: TomlKey, value: Any) -> None:  # noqa: ANN401 - a dict, or what stands for one in tomlkit
    for part in key[:-1]:
        if not isinstance(table.get(part), dict):
            table[part] = {}
        table = table[part]
    if value is None:
        table.pop(key[-1], None)
    else:
        table[key[-1]] = value


def _printable(line: str) -> str:
    """The line as a comment may hold it: comments must not have control characters."""
    end = "\r" if line.endswith("\r") else ""
    return (
        "".join(c if c == "\t" or (c >= " " and c != "\x7f") else f"\\x{ord(c):02x}" for c in line.rstrip("\r")) + end
    )


def _is_text(value: object) -> bool:
    match value:
        case str():
            return not any("\ud800" <= character <= "\udfff" for character in value)
        case dict():
            return all(_is_text(name) and _is_text(entry) for name, entry in value.items())
        case list():
            return all(map(_is_text, value))
    return True
