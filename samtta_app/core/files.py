"""Files that appear whole or not at all, and only inside the named folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from samtta_app.core.atomic_exchange import exchanged, locked
from samtta_app.core.names import is_component
from samtta_app.errors import ExportError

NEW, OLD, PLAN = "new", "old", "plan.json"
"""Entries of a hidden folder: the new files, the files that they replaced, and the plan.

The plan is written once all new files are complete; it lists what remains to be done.
"""

WITHIN = ".samtta-here-"
"""Start of a hidden folder's name when it lies inside its target; beside the target, the name has the target's hash."""

_HEAD = 4096
"""First bytes of a file, which hold its mark."""

Earlier = Callable[[Path], Iterable[str]]
"""Gives the files in a folder that samtta wrote itself, as names below the folder with "/"."""


def _usual_mode() -> int:
    """The usual permissions of this user's files; a temporary file can only be read by its owner."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


MODE = _usual_mode()


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` beside `path`, sync it, and move it into place in one step; an older file stays until then.

    Raises:
        OSError: nothing was written; no partial file stays.
    """
    handle, name = tempfile.mkstemp(
        prefix=f".{path.name[:40]}.", dir=path.parent
    )  # a short name, since names have 255 bytes at most
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, MODE)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def path_inside(folder: Path, name: str) -> Path:
    """`folder` / `name`, if that lies below `folder` after all links are followed.

    Raises:
        ExportError: it lies elsewhere.
    """
    path = folder / name
    home = folder.resolve()
    if home not in path.parent.resolve().joinpath(path.name).parents or path.name in ("", ".."):
        raise ExportError("This file would lie outside the folder", path, "Remove the link, or choose another folder")
    return path


def marked(marks: Mapping[str, bytes]) -> Earlier:
    """A rule by which files are samtta's own: their first bytes hold the mark that belongs to their name."""

    def earlier(folder: Path) -> list[str]:
        return [name for name, mark in marks.items() if mark in _head(folder / name)]

    return earlier


@contextmanager
def staged(folder: Path, earlier: Earlier | None = None) -> Iterator[Path]:
    """A hidden folder for a set of files, which move into `folder` when the block ends without an error.

    In a folder that holds nothing else, all files replace the earlier ones in one step. Elsewhere, or where the system
    cannot swap folders, they are moved one by one. If a process was killed, the next one completes its work first.

    Args:
        folder: made when it does not exist.
        earlier: the files of an earlier run. They are replaced, or removed when they are not written again. Any other
            file in the way is refused. None replaces every file in the way.

    Raises:
        OSError: `folder` cannot be made or written to.
        ExportError: another process is writing there, a file in the way is a user's own, or a link leads elsewhere.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    with locked(folder):
        for left in _leftovers(folder):
            _finish(left, folder)
        known = None if earlier is None else frozenset(n for n in earlier(folder) if not (folder / n).is_symlink())
        stage = _stage(folder, known or frozenset())
        try:
            (stage / NEW).mkdir()
            yield stage / NEW
            _put(stage, folder, known)
        finally:
            for left in (stage, _within(stage, folder)):
                if not (left / PLAN).exists():  # with a plan, the next process completes the work
                    shutil.rmtree(left, ignore_errors=True)
            if made and folder.exists() and not any(folder.iterdir()):
                folder.rmdir()


# --- the hidden folder ----------------------------------------------------------------------------------------------


def _beside(folder: Path) -> str:
    return f".samtta-{blake2b(os.fsencode(folder.name), digest_size=4).hexdigest()}-"


def _stage(folder: Path, known: frozenset[str]) -> Path:
    """The hidden folder: beside `folder` when the two can be swapped, else inside it."""
    if _alone(folder, known) and os.stat(folder).st_dev == os.stat(folder.parent).st_dev:
        with suppress(OSError):
            return Path(tempfile.mkdtemp(prefix=_beside(folder), dir=folder.parent))
    return Path(tempfile.mkdtemp(prefix=WITHIN, dir=folder))


def _within(stage: Path, folder: Path) -> Path:
    """Path of a hidden folder inside `folder`."""
    return folder / f"{WITHIN}{stage.name[-8:]}"


def _leftovers(folder: Path) -> list[Path]:
    """Hidden folders of processes that were killed while they wrote into `folder`, which is locked."""
    with suppress(OSError):
        places = [*folder.glob(f"{WITHIN}*"), *folder.parent.glob(f"{_beside(folder)}*")]
        return [place for place in places if place.is_dir() and not place.is_symlink() and _ours(place)]
    return []


def _ours(stage: Path) -> bool:
    """Whether a hidden folder holds only what samtta puts there, and any plan stays inside the folder."""
    entries = {path.name: path for path in stage.iterdir()}
    known = {NEW, OLD, PLAN, *(name for name in entries if name.startswith(f".{PLAN}."))}  # an incomplete plan
    if set(entries) - known or any(path.is_symlink() for path in entries.values()):
        return False
    try:
        named = {} if PLAN not in entries else _plan(stage)
        return all(is_component(part) for names in named.values() for name in names for part in name.split("/"))
    except (ValueError, TypeError, LookupError):
        return False


def _plan(stage: Path) -> dict[str, list[str]]:
    plan = json.loads((stage / PLAN).read_text(encoding="utf-8"))
    return {part: [str(name) for name in plan[part]] for part in ("whole", "files")}


def _finish(stage: Path, folder: Path) -> None:
    """Complete a plan; without a plan, nothing was moved yet."""
    if (stage / PLAN).exists():
        _move(stage, folder)
    shutil.rmtree(stage, ignore_errors=True)


# --- into place -----------------------------------------------------------------------------------------------------


def _put(stage: Path, folder: Path, known: frozenset[str] | None) -> None:
    """Check every file's place, then move all files there and remove earlier ones that were not written again."""
    new = stage / NEW
    names = _files(new)
    for name in {name.rpartition("/")[0]: name for name in names}.values():  # one check for each folder
        path_inside(folder, name)
    for name in names:
        _check(folder, name, known)
    _without_empty(new)
    for left in _older_leftovers(folder, {path.name for path in new.iterdir()}):
        shutil.rmtree(left, ignore_errors=True)
    if stage.parent != folder:
        if _alone(folder, known or frozenset()) and _alike(new, folder) and exchanged(new, folder):
            _give_back(new, folder, known or frozenset())
            return
        stage = Path(shutil.move(stage, _within(stage, folder)))
        new = stage / NEW
    stale = sorted(name for name in (known or frozenset()) - set(names) if path_inside(folder, name))
    whole = [p.name for p in new.iterdir() if p.is_dir() and _alone(folder / p.name, _below(known, p.name))]
    plan = {"whole": whole, "files": [name for name in stale if name.split("/")[0] not in whole]}
    (stage / OLD).mkdir()
    write_whole(stage / PLAN, json.dumps(plan).encode())
    _move(stage, folder)
    shutil.rmtree(stage, ignore_errors=True)


def _give_back(old: Path, folder: Path, known: frozenset[str]) -> None:
    """Return files that appeared in the earlier folder at the last moment; they belong to the user."""
    for name in set(_files(old)) - known:
        place = folder / name
        if not os.path.lexists(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            os.rename(old / name, place)


def _move(stage: Path, folder: Path) -> None:
    """Carry out a plan, or the rest of it."""
    plan = _plan(stage)
    for name in plan["whole"]:
        if (stage / NEW / name).exists() and (folder / name).exists() and not (stage / OLD / name).exists():
            os.rename(folder / name, stage / OLD / name)
    for number, name in enumerate(plan["files"]):
        with suppress(FileNotFoundError):
            os.rename(path_inside(folder, name), stage / OLD / f"{number}.file")
    for entry in sorted((stage / NEW).iterdir()):
        _move_entry(entry, folder / entry.name)
    for parent in {(folder / name).parent for name in plan["files"]} - {folder}:
        with suppress(OSError):
            parent.rmdir()  # stays when it is not empty


def _move_entry(entry: Path, place: Path) -> None:
    if entry.is_dir() and place.is_dir():
        for inner in sorted(entry.iterdir()):
            _move_entry(inner, place / inner.name)
    else:
        os.replace(entry, place)


def _check(folder: Path, name: str, known: frozenset[str] | None) -> None:
    """Check that a file's place is free or holds samtta's own file."""
    place = folder / name
    steps = [step for step in place.relative_to(folder).parents if step != Path()]
    in_the_way = next(
        (folder / step for step in steps if (folder / step).exists() and not (folder / step).is_dir()), None
    )
    if in_the_way is None and known is not None and os.path.lexists(place) and name not in known:
        in_the_way = place
    if in_the_way is not None:
        text = "A file in the way is not from an earlier export, or was changed since"
        raise ExportError(text, in_the_way, "Move it elsewhere, or choose another folder")


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _without_empty(folder: Path) -> None:
    for path in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        with suppress(OSError):
            path.rmdir()


def _below(known: frozenset[str] | None, name: str) -> frozenset[str]:
    return frozenset(path.removeprefix(f"{name}/") for path in known or () if path.startswith(f"{name}/"))


def _alone(folder: Path, known: frozenset[str]) -> bool:
    """Whether a folder holds only `known` files, no link and no empty folder, and is not this process's directory."""
    if not folder.is_dir() or folder.is_symlink() or Path(os.path.realpath(os.curdir)).is_relative_to(folder):
        return False
    for home, folders, files in os.walk(folder):
        place = Path(home)
        if any((place / name).is_symlink() for name in (*folders, *files)):
            return False
        if any((place / name).relative_to(folder).as_posix() not in known for name in files):
            return False
        if not folders and not files and place != folder:
            return False
    return True


def _alike(new: Path, folder: Path) -> bool:
    """Whether `new` can replace `folder`: same owner, group and attributes; the permissions are copied."""
    shutil.copymode(folder, new)
    one, other = os.stat(new), os.stat(folder)
    if (one.st_uid, one.st_gid) != (other.st_uid, other.st_gid):
        return False
    return sys.platform != "linux" or os.listxattr(new) == os.listxattr(folder)


def _older_leftovers(folder: Path, entries: set[str]) -> list[Path]:
    """Hidden folders of older versions without a plan, if all they hold is written again now."""
    return [
        path
        for path in folder.glob(".samtta-*")
        if re.fullmatch(r"\.samtta-[a-z0-9_]{8}", path.name)
        and path.is_dir()
        and not path.is_symlink()
        and (os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o700)  # the mode of a temporary folder
        and all(inner.name in entries for inner in path.iterdir())
    ]


def _head(path: Path) -> bytes:
    """A regular file's first bytes; empty for everything else."""
    if path.is_symlink() or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(_HEAD)
