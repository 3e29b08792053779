"""Names that come from data: as file names, as stored text, and as text that a user reads.

A name from a folder, a database or a data set may hold anything. On Linux it need not even be UTF-8. Python then keeps
each odd byte as a lone surrogate, which databases, JSON parsers and terminals refuse.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Mapping
from hashlib import blake2b
from itertools import count
from typing import TypeVar
from urllib.parse import quote, unquote_to_bytes

_Key = TypeVar("_Key", bound=Hashable)

IMAGE_SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jp2", ".j2k", ".jpx", ".avif"),
        *(".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".dcm", ".dicom"),
    }
)
"""Endings, in small letters, under which images are looked for; the content decides what a file is."""

MAX_NAME_BYTES = 200
"""Maximum bytes of a file name: below the 255 of most file systems, with room for an ending and temporary marks."""

PREFIX = "bytes:/"
"""Start of a stored name that is not UTF-8; no file name has a slash, and no absolute path starts like this."""

_RESERVED = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}) | {
    f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789"
}
"""Names that Windows reserves for devices, with any ending."""

_SEPARATORS = frozenset('/\\:*?"<>|')
"""Characters that separate folders, drives or streams, or act as wildcards, on Linux, macOS or Windows."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that are invisible in a name: controls, changes of direction, surrogates."""

_SURROGATES = re.compile("[\ud800-\udfff]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def is_listed(name: str) -> bool:
    """Whether a file of this name is listed as an image: by its ending, and unless it is hidden."""
    return name[name.rfind(".") :].lower() in IMAGE_SUFFIXES and not name.startswith(".")


def component(name: str) -> str:
    """`name` if it is a plain file name on Linux, macOS and Windows alike; else a flat name with a hash of `name`.

    The result has no separator, is not reserved or hidden, and has at most MAX_NAME_BYTES bytes. The same name gives
    the same result.
    """
    return name if _plain(name) else _hashed(name, 0)


def file_names(wanted: Mapping[_Key, str]) -> dict[_Key, str]:
    """A `component` for each wanted name; all differ even where a file system ignores case or composes letters."""
    plain = {key: component(name) for key, name in wanted.items()}
    times = Counter(map(folded, plain.values()))
    found, taken = {}, set(times)
    for key, made in plain.items():
        if times[folded(made)] > 1:
            made = next(other for k in count(1) if folded(other := _hashed(wanted[key], k)) not in taken)
            taken.add(folded(made))
        found[key] = made
    return found


def folded(name: str) -> str:
    """The form in which two names are equal if a file system may confuse them."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_component(name: str) -> bool:
    """Whether `name` names an entry of its folder: neither empty, nor a path elsewhere.

    Unlike `component`, it accepts everything that this machine's file system accepts.
    """
    separators = {"/", "\0", os.sep, os.altsep or os.sep}
    return name not in ("", ".", "..") and not separators & set(name)


def is_inside(name: str) -> bool:
    """Whether `name`, with "/" between folders, names a file of its folder or of one below it."""
    return all(map(is_component, name.split("/")))


def to_text(name: str) -> str:
    """`name` as text for a database or table. Only a name that is not UTF-8 is changed, and that can be undone."""
    return PREFIX + quote(_raw(name)) if _SURROGATES.search(name) else name


def from_text(text: str) -> str:
    """The name that `to_text` was given."""
    return os.fsdecode(unquote_to_bytes(text[len(PREFIX) :])) if text.startswith(PREFIX) else text


def storable(text: str) -> str:
    """`text` with U+FFFD in place of lone surrogates and NUL, which UTF-8 files and tables cannot hold."""
    return _UNSTORABLE.sub("\ufffd", text)


def displayable(text: str) -> str:
    """`text` for display: valid Unicode in one line, with U+FFFD in place of what cannot be shown."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)


def _plain(name: str) -> bool:
    """Whether a name is plain, as it is and in the form that some file systems and programs make of it."""
    return all(map(_plain_as_it_is, {name, unicodedata.normalize("NFKC", name)})) and len(_raw(name)) <= MAX_NAME_BYTES


def _plain_as_it_is(name: str) -> bool:
    return (
        name != ""
        and name[0] not in ". "
        and name[-1] not in ". "
        and not _SEPARATORS & set(name)
        and not any(unicodedata.category(c) in _UNSEEN for c in name)
        and name.split(".")[0].strip().upper() not in _RESERVED
    )


def _hashed(name: str, number: int) -> str:
    """The usable part of `name`, and a hash of the whole."""
    text = unicodedata.normalize("NFKC", name)
    text = "".join("_" if c in _SEPARATORS or unicodedata.category(c) in _UNSEEN else c for c in text)
    mark = blake2b(_raw(name) + bytes(number), digest_size=6).hexdigest()
    kept = text.encode()[: MAX_NAME_BYTES // 2].decode(errors="ignore").strip(". ")
    kept = f"_{kept}" if kept.split(".")[0].strip().upper() in _RESERVED else kept
    return f"{kept}-{mark}" if kept else mark


def _raw(name: str) -> bytes:
    """The bytes of a name, even of one that no file can have."""
    try:
        return os.fsencode(name)
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogatepass")
