"""Large JSON files, entry by entry: in the memory of one entry, however many there are."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from samtta_app.regular_files import open_regular, regular_size

READ_BYTES = 1 << 20
"""Bytes that are read at a time."""

LONGEST_ENTRY = 1 << 26
"""Characters of an entry; the longest polygon that is read has a million corners, in some 20 million characters."""

NUMBER_TAIL = 3
"""Characters that may have to follow before a number is known to end: the "e+5" of "1e+5"."""

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def json_members(path: Path, told: Callable[[float], None] = lambda share: None) -> Iterator[tuple[str, Any]]:
    """Key and value of each member of the object in a JSON file; an array comes as an iterator over its entries.

    An iterator has to be used before the next member is asked for: what is left of it is passed over then. A file that
    is an array has one member of the key "".

    Args:
        path: of a regular file in UTF-8, UTF-16 or UTF-32, with or without a mark.
        told: hears the share of the file that was read.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not JSON, is cut off, or an entry is too long. What came before was given.
    """
    with open_regular(path) as file:
        text = _Text(file, told)
        if text.next() == "[":
            yield from _array(text, "")
        else:
            text.take("{")
            while text.next() != "}":
                key = text.value()
                text.take(":")
                if not isinstance(key, str):
                    raise ValueError("a key in it is no text")
                if text.next() == "[":
                    yield from _array(text, key)
                else:
                    yield key, text.value()
                if text.next() != "}":
                    text.take(",")
            text.take("}")
        if text.next():
            raise ValueError(f"there is more after its end, from character {text.place} on")


def _array(text: _Text, key: str) -> Iterator[tuple[str, Iterator[Any]]]:
    entries = text.entries()
    yield key, entries
    for _ in entries:
        pass


class _Text:
    """What was read of a file and not used yet."""

    def __init__(self, file: BinaryIO, told: Callable[[float], None]) -> None:
        self._file, self._told, self._size = file, told, max(1, regular_size(file))
        head = file.read(4)
        file.seek(0)
        self._decode = codecs.getincrementaldecoder(json.detect_encoding(head))("surrogatepass").decode
        self._text, self._at, self._passed, self._ended = "", 0, 0, False

    @property
    def place(self) -> int:
        """Number of the next character, the first is 1."""
        return self._passed + self._at + 1

    def next(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._read()

    def take(self, wanted: str) -> None:
        """Pass over this character.

        Raises:
            ValueError: another one is there.
        """
        if (there := self.next()) != wanted:
            raise ValueError(f"{wanted} is missing at character {self.place}" if there else "it is cut off")
        self._at += 1

    def value(self) -> Any:  # noqa: ANN401 - the caller checks what it gets
        """The value that comes next.

        Raises:
            ValueError: there is none.
        """
        self.next()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                if end + NUMBER_TAIL <= len(self._text) or self._ended:
                    self._at = end
                    return value
            except RecursionError as error:
                raise ValueError("it is nested too deeply") from error
            except ValueError as error:
                if self._ended or len(self._text) - self._at > LONGEST_ENTRY:
                    raise ValueError(f"what begins at character {self.place} is cut off or no JSON") from error
            self._read()

    def entries(self) -> Iterator[Any]:
        """The entries of the array that comes next, one after the other."""
        self.take("[")
        while self.next() != "]":
            yield self.value()
            if self.next() != "]":
                self.take(",")
        self.take("]")

    def _read(self) -> None:
        """Read on: as much as is waiting, so that a long entry is not tried too often."""
        data = self._file.read(max(READ_BYTES, len(self._text) - self._at))
        self._ended = not data
        self._passed += self._at
        self._text, self._at = self._text[self._at :] + self._decode(data, self._ended), 0
        self._told(min(1.0, self._file.tell() / self._size))
