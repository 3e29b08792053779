"""Which images are done: one file a shard, written whole after the shard's results.

<out>/manifest/run.json     what decides on the results: kind, model, settings; a run with others is refused
<out>/manifest/KEY.json     images of a shard with their versions, its files with sizes and hashes, errors by image
<out>/shards/KEY...         the results of a shard; KEY is a hash of its images, so that no two runs write other things there

A shard without a manifest file was not finished, and its images are done again.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct

from samtta_app.core.atomic_exchange import locked
from samtta_app.core.texts import json_text
from samtta_app.errors import ExportError
from samtta_app.parallel.image_places import ImagePlace, ResultPlace

MANIFEST, SHARDS, RUN = "manifest", "shards", "manifest/run.json"
RUNNING = "manifest/running.txt"
"""At a URL, this marks a run under way: there are no locks."""

STALE_SECONDS = 600
"""A mark that was not renewed for so long is that of a run that was killed."""

RENEW_SECONDS = 60
"""Seconds after which the mark is renewed."""


class FileFacts(Struct, frozen=True):
    """Size in bytes and hash of a file of results."""

    size: int
    hash: str


class ShardEntry(Struct, frozen=True):
    """What a shard's manifest file says: images with their versions, files, errors by image, seconds, and the machine."""

    images: dict[str, str]
    files: dict[str, FileFacts]
    errors: dict[str, str] = {}
    seconds: float = 0.0
    machine: str = ""


def shard_key(images: Sequence[ImagePlace]) -> str:
    """The name of a shard: a hash of its images' names and versions."""
    text = repr([(image.name, image.version) for image in images])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


def file_facts(data: bytes) -> FileFacts:
    """Size and hash of a file's content."""
    return FileFacts(len(data), blake2b(data, digest_size=16).hexdigest())


def entry_name(key: str) -> str:
    """Name of a shard's manifest file."""
    return f"{MANIFEST}/{key}.json"


def write_entry(out: ResultPlace, key: str, entry: ShardEntry) -> None:
    """Write a shard's manifest file, the last of its files.

    Raises:
        ExportError: it cannot be written.
    """
    out.put(entry_name(key), msgspec.json.encode(entry))


class Standing(Struct, frozen=True):
    """What earlier runs have finished: entries by key, the key of each finished image, and words on what is damaged."""

    entries: dict[str, ShardEntry]
    done: dict[str, str]
    remarks: tuple[str, ...]


def read_standing(out: ResultPlace, images: Sequence[ImagePlace]) -> Standing:
    """Which of the images are finished in `out`: their results are there, and they are as they were then.

    Raises:
        ExportError: the place cannot be read.
    """
    names = [name for name in sorted(out.sizes(MANIFEST)) if name.endswith(".json") and name != RUN]
    sizes = out.sizes("") if names else {}
    versions = {image.name: image.version for image in images}
    entries, done, remarks = dict[str, ShardEntry](), dict[str, str](), list[str]()
    for name in names:
        try:
            entry = msgspec.json.decode(out.get(name), type=ShardEntry)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            remarks.append(f"{name} is damaged: the images of this shard are done again")
            continue
        key = name.removeprefix(f"{MANIFEST}/").removesuffix(".json")
        if any(sizes.get(file) != facts.size for file, facts in entry.files.items()):
            remarks.append(f"Results of {name} are missing or damaged: the images of this shard are done again")
            continue
        entries[key] = entry
        for image, version in entry.images.items():
            if image not in entry.errors and versions.get(image) == version:
                done.setdefault(image, key)
    return Standing(entries, done, tuple(remarks))


def require_same_run(out: ResultPlace, settings: Mapping[str, str]) -> None:
    """Note what decides on the results, or compare it with the note of the earlier run.

    Raises:
        ExportError: the place holds results of other settings, or cannot be written.
    """
    try:
        before = msgspec.json.decode(out.get(RUN), type=dict[str, str])
    except FileNotFoundError:
        before = {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        do = "Name another place, or remove this file if the settings are the same"
        raise ExportError("The settings of the earlier run cannot be read", f"{out.root}/{RUN}", do) from error
    changed = [name for name in settings if before and before.get(name) != settings[name]]
    if changed:
        words = ", ".join(f"{name} was {before.get(name)}, now {settings[name]}" for name in changed)
        raise ExportError(f"Results of other settings are here: {words}", out.root, "Name another place")
    if not before:
        out.put(RUN, json_text(dict(settings), indent=1).encode())


class RunMark:
    """Says at a URL that a run is under way."""

    def __init__(self, out: ResultPlace) -> None:
        self._out, self._renewed = out, 0.0
        self._own = f"{socket.gethostname()} {os.getpid()}"

    def take(self) -> None:
        """Put the mark.

        Raises:
            ExportError: that of another run is there, or it cannot be written.
        """
        try:
            who, _, when = self._out.get(RUNNING).decode(errors="replace").rpartition(" ")
            age = time.time() - float(when)
        except (OSError, ValueError):
            who, age = "", 0.0
        if who and who != self._own and age < STALE_SECONDS:
            do = f"Wait until it ends. Or remove {RUNNING} there, if it was killed"
            raise ExportError(f"Another run writes here ({who}, {age:.0f} s ago)", self._out.root, do)
        self.renew()

    def renew(self) -> None:
        """Say that the run goes on, now and then.

        Raises:
            ExportError: it cannot be written.
        """
        if time.monotonic() - self._renewed > RENEW_SECONDS or not self._renewed:
            self._renewed = time.monotonic()
            self._out.put(RUNNING, f"{self._own} {time.time():.0f}".encode())

    def leave(self) -> None:
        """Take the mark away."""
        self._out.remove(RUNNING)


@contextmanager
def alone_in(out: ResultPlace) -> Iterator[RunMark | None]:
    """Keep other runs from writing into a place; the mark of a URL is to be renewed.

    Raises:
        ExportError: another run is writing there, or the place cannot be written.
    """
    if out.shared:
        mark = RunMark(out)
        mark.take()
        try:
            yield mark
        finally:
            mark.leave()
        return
    folder = Path(out.root, MANIFEST)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            yield None
    except OSError as error:
        what = f"The results cannot be written: {error.strerror}"
        raise ExportError(what, out.root, "Choose another folder") from error
