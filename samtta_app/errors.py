"""Errors for users, as one exception tree; each text says what, where and what to do.

UserError
├── CheckpointError   a weights file that cannot be used
│   └── DownloadError     a download that did not happen; no partial file stands under the model's name
├── ImageError        an image file that cannot be read or shown
│   └── LargeImageError   an image that would take too much memory or time to read whole
├── ProjectError      a project folder or database that cannot be opened
│   └── StoreError    a write that did not happen (disk full, read-only); nothing has moved
├── PromptError       a click or box that cannot be answered
├── DatasetError      a data set folder that cannot be used
├── TrainingError     a training that cannot start or continue; its checkpoint stays
├── ClusterError      machines that cannot be worked with
├── ExportError       an export that did not happen; no partial file stays
└── SettingsError     a setting that is not valid
"""

from __future__ import annotations

from samtta_app.phrases import Phrase

_PARTS = {
    ("what",): "{what}.",
    ("what", "where"): "{what} ({where}).",
    ("what", "do"): "{what}. {do}.",
    ("what", "where", "do"): "{what} ({where}). {do}.",
}
"""How a text is put together of what is there."""


class UserError(Exception):
    """A problem that the user can act on.

    Args:
        what: what is wrong, one sentence without a full stop; a `Phrase` where it has values.
        where: the file, folder or place it concerns ("" when the sentence says it).
        do: what the user can do about it, in the same way.
    """

    def __init__(self, what: str, where: object = "", do: str = "") -> None:
        self.what, self.where, self.do = Phrase.of(what), str(where), Phrase.of(do)
        parts = {name: text for name in ("what", "where", "do") if (text := getattr(self, name))}
        self._text = Phrase(_PARTS[tuple(parts)], **parts)
        super().__init__(self._text)

    def __str__(self) -> str:
        """The whole text, as a `Phrase`."""
        return self._text


class CheckpointError(UserError):
    """A weights file is missing, truncated, of another architecture, or holds more than tensors."""


class DownloadError(CheckpointError):
    """A weights file was not downloaded; nothing partial stands under its name."""


class ImageError(UserError):
    """An image file is unreadable, empty, truncated, or too large to show."""


class LargeImageError(ImageError):
    """An image would take too much memory or time to read whole."""


class ProjectError(UserError):
    """A project folder or its database cannot be opened."""


class StoreError(ProjectError):
    """A write to the project did not happen; the last good state stays."""


class PromptError(UserError):
    """A click or box lies where no answer is possible."""


class DatasetError(UserError):
    """A data set folder does not have the expected layout or files."""


class TrainingError(UserError):
    """A training cannot start or continue; the last checkpoint stays."""


class ExportError(UserError):
    """An export did not happen; no partial file stays."""


class SettingsError(UserError):
    """A setting is not valid."""


class ClusterError(UserError):
    """A cluster of machines is not there, or cannot be worked with."""
