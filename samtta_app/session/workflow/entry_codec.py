"""Entries of the undo history as bytes, and back: values by the names of their classes, arrays by numbers.

Only classes that an entry may hold are made again, so a project from elsewhere can run no code.
"""

from __future__ import annotations

import os
import typing
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.rounding import SHARE_STEPS
from samtta_app.session.workflow.history import Entry

AnyArray = NDArray[Any]

_CLASS, _ARRAY = "class", "array"

_STEPS, _HALF = "steps", "half"
"""Kinds of arrays of float32 that were rounded: to 255ths, and to half precision."""

_SURROGATES = frozenset(map(chr, range(0xD800, 0xE000)))
"""They stand for the bytes of a file's name that is no text."""


class UnreadableEntryError(Exception):
    """An entry was written by another version, or is damaged."""


def entry_bytes(entry: Entry, number_of: Callable[[AnyArray], int]) -> bytes:
    """An entry, whose arrays are stored elsewhere under the numbers that `number_of` gives them."""
    return msgspec.msgpack.encode(_plain(entry, number_of))


def entry_of(data: bytes, arrays: Mapping[int, AnyArray]) -> Entry:
    """The entry that `entry_bytes` made.

    Raises:
        UnreadableEntryError: these bytes are no entry of this version.
    """
    try:
        made = _made(msgspec.msgpack.decode(data), arrays)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise UnreadableEntryError(str(error)) from error
    if not isinstance(made, Entry):
        raise UnreadableEntryError(type(made).__name__)
    return made


def array_bytes(array: AnyArray) -> bytes:
    """An array with its type and shape; bitmaps are packed, and maps that were rounded take no more than they hold."""
    flat = np.ascontiguousarray(array)
    kind, data = flat.dtype.str, b""
    if flat.dtype == np.bool_:
        data = zlib.compress(np.packbits(flat).tobytes(), 1)
    elif flat.dtype == np.float32:
        with np.errstate(over="ignore", invalid="ignore"):
            steps, half = np.rint(flat * SHARE_STEPS).astype(np.uint8), flat.astype(np.float16)
        if _same(steps / SHARE_STEPS, flat):
            kind, data = _STEPS, zlib.compress(steps.tobytes(), 1)
        elif _same(half.astype(np.float32), flat):
            kind, data = _HALF, half.tobytes()
    return msgspec.msgpack.encode((kind, flat.shape, data or flat.tobytes()))


def array_of(data: bytes) -> AnyArray:
    """The array that `array_bytes` made; it cannot be changed.

    Raises:
        UnreadableEntryError: these bytes are no array.
    """
    found: AnyArray
    try:
        kind, shape, values = msgspec.msgpack.decode(data, type=tuple[str, tuple[int, ...], bytes])
        if kind == _STEPS:
            found = np.frombuffer(zlib.decompress(values), np.uint8).reshape(shape) / SHARE_STEPS
        elif kind == _HALF:
            found = np.frombuffer(values, np.float16).reshape(shape).astype(np.float32)
        elif np.dtype(kind) == np.bool_:
            bits = np.unpackbits(np.frombuffer(zlib.decompress(values), np.uint8), count=int(np.prod(shape)))
            found = bits.view(np.bool_).reshape(shape)
        else:
            found = np.frombuffer(values, kind).reshape(shape)
    except (msgspec.MsgspecError, TypeError, ValueError, zlib.error) as error:
        raise UnreadableEntryError(str(error)) from error
    found.flags.writeable = False
    return found


def _same(one: AnyArray, other: AnyArray) -> bool:
    """Whether both hold the same bits: minus zero is not zero."""
    return one.tobytes() == other.tobytes()


def _plain(value: object, number_of: Callable[[AnyArray], int]) -> object:
    if isinstance(value, np.ndarray):
        return {_ARRAY: number_of(value)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str):
        plain = str.__str__(value)  # a `Phrase` is stored as its text
        return os.fsencode(plain) if any(map(_SURROGATES.__contains__, plain)) else plain
    if isinstance(value, tuple):
        return [_plain(part, number_of) for part in value]
    if is_dataclass(value):
        parts = {each.name: _plain(getattr(value, each.name), number_of) for each in fields(value)}
        return {_CLASS: type(value).__name__, "parts": parts}
    return value


def _made(value: object, arrays: Mapping[int, AnyArray]) -> object:
    if isinstance(value, bytes):
        return os.fsdecode(value)
    if isinstance(value, list):
        return tuple(_made(part, arrays) for part in value)
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return arrays[value[_ARRAY]]
    parts = {name: _made(part, arrays) for name, part in value["parts"].items()}
    return _known()[value[_CLASS]](**parts)


@cache
def _known() -> dict[str, Callable[..., object]]:
    """The classes that an entry may hold, by name."""
    found: dict[str, Callable[..., object]] = {}
    waiting: list[object] = [Entry]
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and is_dataclass(one):
            if one.__name__ not in found:
                found[one.__name__] = one
                waiting += typing.get_type_hints(one).values()
        else:
            waiting += typing.get_args(one)
    return found
