"""Ontology files: the classes of a project, their colours and order, without any object.

    A JSON list of {"name", "color", "attributes"}, as CVAT's raw labels; what is ours stands under the key `samtta`.

Also read are the categories of a COCO file, and plain lists with one name in a line (labels.txt, classes.txt).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samtta_app.core.files import write_whole
from samtta_app.core.names import storable
from samtta_app.core.texts import json_text
from samtta_app.errors import DatasetError, ExportError
from samtta_app.formats.base import INVALID
from samtta_app.phrases import Phrase
from samtta_app.regular_files import RECORD_BYTES, read_text

MOST_CLASSES = 10_000
"""More lines than this are no list of classes."""

LONGEST_CLASS = 200
"""Characters of a class name; the rest is cut off."""

_HEX = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class NamedClass:
    """A class of a file: its name, its colour as "#rrggbb" ("" where the file names none), and whether masks are tidied."""

    name: str
    colour: str = ""
    tidy: bool = True


@dataclass(frozen=True, slots=True)
class Ontology:
    """The classes of a file in its order, each name once, and the names that stood there twice."""

    classes: tuple[NamedClass, ...]
    twice: tuple[str, ...] = ()


def read_ontology(path: Path) -> Ontology:
    """The classes of a file; of a name that stands there twice the first counts.

    Raises:
        DatasetError: it cannot be read, or holds no classes.
    """
    try:
        text = read_text(path, RECORD_BYTES)
        found = list(_classes(text))
    except OSError as error:
        raise DatasetError(
            Phrase("The classes cannot be read: {strerror}", strerror=error.strerror), path, "Choose another file"
        ) from error
    except INVALID as error:
        raise DatasetError(
            Phrase("This is no file of classes: {error}", error=error), path, "Choose another file"
        ) from error
    if not found or len(found) > MOST_CLASSES:
        what = (
            "There are no classes in this file"
            if not found
            else Phrase("There are {number} lines in this file", number=len(found))
        )
        raise DatasetError(what, path, "Write one class in each line, or a JSON list of names and colours")
    first = {each.name: each for each in reversed(found)}
    classes = tuple(dict.fromkeys(first[each.name] for each in found))
    twice = tuple(name for name in dict.fromkeys(c.name for c in found) if sum(c.name == name for c in found) > 1)
    return Ontology(classes, twice)


def write_ontology(classes: tuple[NamedClass, ...], path: Path) -> None:
    """Write the classes as a JSON file; a file of this name is replaced whole or not at all.

    Raises:
        ExportError: it cannot be written; an earlier file stays.
    """
    entries = [
        {"name": c.name, "color": c.colour, "attributes": [], **({} if c.tidy else {"samtta": {"tidy": False}})}
        for c in classes
    ]
    try:
        write_whole(path, f"{json_text(entries, indent=1)}\n".encode())
    except OSError as error:
        raise ExportError(
            Phrase("The classes were not written: {strerror}", strerror=error.strerror), path, "Choose another folder"
        ) from error


def _classes(text: str) -> Iterator[NamedClass]:
    """Each class of a JSON text, or of a list of lines.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: the JSON holds no classes.
    """
    body = text.removeprefix("\ufeff").strip()
    if body[:1] not in ("[", "{"):
        lines = (line.strip() for line in body.splitlines())
        yield from (NamedClass(_name(line)) for line in lines if line and line not in _NO_CLASS)
        return
    try:
        values = json.loads(body)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    for entry in values["categories"] if isinstance(values, dict) else values:
        if isinstance(entry, str):
            yield NamedClass(_name(entry))
            continue
        colour, own = entry.get("color"), entry.get("samtta")
        tidy = not isinstance(own, dict) or own.get("tidy") is not False
        fine = isinstance(colour, str) and _HEX.fullmatch(colour) is not None
        yield NamedClass(_name(entry["name"]), colour.lower() if fine else "", tidy)


_NO_CLASS = ("__ignore__", "_background_")
"""Lines that labelme puts at the head of its lists."""


def _name(value: object) -> str:
    """A class name as a project can store it.

    Raises:
        ValueError: it is no text, or empty.
    """
    if not isinstance(value, str) or not storable(value).strip():
        raise ValueError(f"a class has the name {value!r:.40}")
    return storable(value).strip()[:LONGEST_CLASS].strip()
