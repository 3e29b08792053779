"""What has arrived of a download, and what the server said about it: kept until the file is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from samtta_app.checkpoints.model_catalogue import KnownModel
from samtta_app.core.files import write_whole
from samtta_app.core.texts import json_text
from samtta_app.regular_files import SETTINGS_BYTES, read_json
from samtta_app.settings import model_folder

DOWNLOADS = ".downloads"
"""Folder inside the model folder where a file lies until it is whole and right."""


@dataclass(frozen=True, slots=True)
class PartialFile:
    """The partial file of a model: `path`, and beside it a record of what the server said about it."""

    path: Path

    @property
    def received(self) -> int:
        """Bytes that have arrived."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def record(self) -> Mapping[str, object]:
        """Address, validator and total length, as the last server said; empty where nothing usable is stored."""
        try:
            found = read_json(self._record, SETTINGS_BYTES)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def describe(self, url: str, headers: Mapping[str, str], total: int | None) -> None:
        """Store what the server said."""
        tag = headers.get("ETag", "")
        validator = headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag
        said = {"url": url, "validator": validator, "total": total}
        write_whole(self._record, json_text(said).encode())

    def drop(self) -> None:
        """Remove both files."""
        for path in (self.path, self._record):
            path.unlink(missing_ok=True)

    @property
    def _record(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")


def part_of_download(model: KnownModel) -> PartialFile:
    """The partial file of a model; it is named after the hash, so that it never goes on with another version."""
    return PartialFile(model_folder() / DOWNLOADS / f"{model.file}.{model.sha256[:8]}.part")
