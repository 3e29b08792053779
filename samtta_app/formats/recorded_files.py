"""Exports that keep a record of their files, so that a later one removes exactly these and no file of the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from samtta_app.core.files import Earlier, staged
from samtta_app.core.names import is_component
from samtta_app.core.texts import json_text
from samtta_app.errors import ExportError
from samtta_app.formats.written_files import content_hash, unchanged
from samtta_app.phrases import Phrase
from samtta_app.regular_files import RECORD_BYTES, read_json

RECORD_MARK = "files of an export by samtta"


def record_name(format_name: str) -> str:
    """File name of a format's record."""
    return f"samtta-{format_name}.json"


@contextmanager
def recorded(folder: Path, format_name: str, record: dict[str, object]) -> Iterator[Path]:
    """A hidden folder whose files move into `folder` when the block ends, with a record of them and of `record`.

    The block may fill `record` until its end. Files of an earlier export that are unchanged are replaced or removed.

    Raises:
        ExportError: the folder cannot be written, or a file of the user is in the way; no partial file stays.
    """
    try:
        with staged(folder, _earlier(format_name)) as stage:
            yield stage
            names = sorted(path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file())
            hashes = {name: content_hash(stage / name) for name in names}
            values = {"mark": RECORD_MARK, **record, "files": hashes}
            (stage / record_name(format_name)).write_text(json_text(values, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ExportError(
            Phrase("The export failed: {strerror}", strerror=error.strerror), folder, "Choose another folder"
        ) from error


def written_paths(folder: Path, format_name: str) -> list[Path]:
    """The files of the export that was just written into `folder`, its record last."""
    own = record_name(format_name)
    return [*(folder / name for name in read_json(folder / own, RECORD_BYTES)["files"]), folder / own]


def read_record(folder: Path, format_name: str) -> Mapping[str, Any]:
    """What an export noted in `folder`; empty where there is no record that can be read."""
    try:
        found = read_json(folder / record_name(format_name), RECORD_BYTES)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("mark") == RECORD_MARK else {}


def _earlier(format_name: str) -> Earlier:
    """The files of the earlier export that its record lists and that are unchanged, and the record itself."""

    def earlier(folder: Path) -> list[str]:
        own = record_name(format_name)
        listed = read_record(folder, format_name).get("files")
        if not isinstance(listed, dict) or (folder / own).is_symlink():
            return []
        try:
            return [own, *(name for name, known in listed.items() if _is_ours(folder, name, known))]
        except (OSError, ValueError):
            return []

    return earlier


def _is_ours(folder: Path, name: str, known: object) -> bool:
    """Whether a listed file lies below the folder and has the noted hash, which stands for its content."""
    steps = name.split("/")
    below = all(is_component(step) for step in steps) and not any((folder / s).is_symlink() for s in _above(steps))
    return below and isinstance(known, str) and known != "" and unchanged(folder, name, known)


def _above(steps: list[str]) -> list[str]:
    return ["/".join(steps[:k]) for k in range(1, len(steps))]
