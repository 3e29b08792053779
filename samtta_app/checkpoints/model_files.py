"""The weights files on this machine: where each known model is, what else lies in the model folder; check, add, remove."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from samtta_app.checkpoints.measured_speeds import MeasuredSpeed, remembered_speed
from samtta_app.checkpoints.model_catalogue import MODELS, KnownModel, known_model, size_words
from samtta_app.checkpoints.partial_files import DOWNLOADS, part_of_download
from samtta_app.core.files import MODE
from samtta_app.core.messages import ReportProgress
from samtta_app.errors import CheckpointError
from samtta_app.phrases import Phrase
from samtta_app.settings import model_folder, resource

ENDINGS = (".pth", ".pt", ".safetensors")
"""Endings of weights files."""

COMPANIONS = (".heads", ".refiner", ".selector", ".outline", ".hypotheses")
"""Marks before the ending of files that belong to a model and are none themselves."""

BLOCK = 1 << 22
"""Bytes that are read at once."""

Place = Literal["shipped", "here", "partial", "absent"]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A row of the table of models.

    Args:
        name: how `--model` and the settings call it; a path for a file that samtta does not know.
        title: what a user reads.
        known: its entry in the catalogue; None for a file that samtta does not know.
        path: where its file is, or would be.
        place: whether it is there.
        size: bytes of the file, or of what it will be.
        received: bytes that a broken-off download has left.
        speed: what was measured on this machine, None where nothing was.
    """

    name: str
    title: str
    known: KnownModel | None
    path: Path
    place: Place
    size: int
    received: int = 0
    speed: MeasuredSpeed | None = None

    @property
    def present(self) -> bool:
        """Whether its file is there."""
        return self.place in ("shipped", "here")

    @property
    def licence(self) -> str:
        """Its licence; "" where samtta does not know the file."""
        return self.known.licence if self.known else ""

    @property
    def size_text(self) -> str:
        """Its size in words; "about" where only an estimate is known."""
        about = not self.present and self.known is not None and not self.known.exact
        return Phrase("about {size}", size=size_words(self.size)) if about else size_words(self.size)

    @property
    def to_remove(self) -> str:
        """What a removal deletes, in words."""
        if self.place == "partial":
            return Phrase("what has arrived of {title} ({size})", title=self.title, size=size_words(self.received))
        return Phrase("{title} ({size})", title=self.title, size=self.size_text)

    @property
    def where(self) -> str:
        """Where it is, in words."""
        if self.place == "shipped":
            return "comes with samtta"
        if self.place == "here":
            return str(self.path)
        if self.place == "partial":
            return Phrase("{share:.0%} downloaded", share=min(self.received / self.size, 0.99))
        downloadable = self.known is not None and self.known.downloadable
        return "not here" if downloadable else "not here; add its file from disk"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What a check found: whether all is well, None where there is no hash to compare with, and a sentence."""

    well: bool | None
    words: str


def model_rows() -> tuple[ModelRow, ...]:
    """Every known model, and after them the other weights files in the model folder."""
    known = [_known_row(model) for model in MODELS]
    names = {model.file for model in MODELS}
    folder = model_folder()
    others = sorted(folder.iterdir()) if folder.is_dir() else []
    return (*known, *(_own_row(path) for path in others if path.name not in names and _is_weights(path)))


def model_row(name: str) -> ModelRow:
    """The row of a known model by name, or of a file in the model folder by its file name.

    Raises:
        CheckpointError: there is none.
    """
    rows = model_rows()
    found = next((row for row in rows if name in (row.name, row.path.name)), None)
    return found or _known_row(known_model(name))


def place_of(model: KnownModel) -> Path:
    """Where the file of a known model is, or would be."""
    return resource(f"models/{model.file}") if model.shipped else model_folder() / model.file


DAMAGED_MODEL = (
    "{title}: damaged, or another file (sha256 {digest:.12}… instead of {known:.12}…). "
    "Remove it, and download or add it again"
)


def check_model(row: ModelRow, progress: ReportProgress = lambda share, words: None) -> CheckedFile:
    """Compare the hash of a model's file with the one that is known.

    Raises:
        CheckpointError: there is no file, or it cannot be read.
    """
    if not row.present:
        do = (
            Phrase("samtta models download {name}", name=row.name)
            if row.known and row.known.downloadable
            else "samtta models add FILE"
        )
        raise CheckpointError(Phrase("{title} is not on this machine", title=row.title), row.path, do)
    digest = _sha256(row.path, row.title, progress)
    if row.known is None or not row.known.sha256:
        return CheckedFile(
            None, Phrase("{title}: no hash is known to compare with; sha256 {digest}", title=row.title, digest=digest)
        )
    if digest == row.known.sha256:
        return CheckedFile(
            True, Phrase("{title}: whole and right (sha256 {digest:.12}…)", title=row.title, digest=digest)
        )
    return CheckedFile(False, Phrase(DAMAGED_MODEL, title=row.title, digest=digest, known=row.known.sha256))


def add_model(file: Path, progress: ReportProgress = lambda share, words: None) -> ModelRow:
    """Copy a weights file from disk into the model folder; a known one is recognised by its hash and gets its own name.

    Raises:
        CheckpointError: it is no weights file, it has a known name with another hash, or there is another file of its name.
    """
    source = Path(os.path.realpath(file.expanduser()))
    size = _require_weights(source, file)
    digest = _sha256(source, file.name, lambda share, words: progress(share / 2, words))
    model = next((model for model in MODELS if digest == model.sha256), None)
    if model is None:
        _require_honest_name(file)
    path = model_folder() / (model.file if model else file.name)
    if os.path.lexists(path):
        if path.is_file() and _sha256(path, path.name, progress) == digest:
            return model_row(path.name)
        raise CheckpointError("There is another file of this name", path, "Rename your file, or remove the other one")
    _copy(source, path, size, lambda share, words: progress(0.5 + share / 2, words))
    if model is not None:
        part_of_download(model).drop()
    return model_row(path.name)


def remove_model(row: ModelRow) -> None:
    """Delete a model's file from the model folder, and what a download has left of it.

    Raises:
        CheckpointError: it comes with samtta, is not there, or cannot be deleted.
    """
    if row.place == "shipped":
        raise CheckpointError(Phrase("{title} comes with samtta and is not removed", title=row.title), row.path)
    if row.place == "absent":
        raise CheckpointError(
            Phrase("{title} is not on this machine: there is nothing to remove", title=row.title), row.path
        )
    try:
        if row.present:
            row.path.unlink()
        if row.known is not None:
            part_of_download(row.known).drop()
    except OSError as error:
        do = "Close the programs that use it, and check the folder's rights"
        raise CheckpointError(
            Phrase("The file cannot be removed: {strerror}", strerror=error.strerror), row.path, do
        ) from error
    with suppress(OSError):
        (model_folder() / DOWNLOADS).rmdir()


# --- rows -----------------------------------------------------------------------------------------------------------


def _known_row(model: KnownModel) -> ModelRow:
    path = place_of(model)
    if path.is_file():
        place: Place = "shipped" if model.shipped else "here"
        return ModelRow(model.name, model.title, model, path, place, path.stat().st_size, speed=remembered_speed(path))
    received = 0 if model.shipped or not model.sha256 else part_of_download(model).received
    return ModelRow(model.name, model.title, model, path, "partial" if received else "absent", model.size, received)


def _own_row(path: Path) -> ModelRow:
    return ModelRow(str(path), path.name, None, path, "here", path.stat().st_size, speed=remembered_speed(path))


def _is_weights(path: Path) -> bool:
    return path.suffix in ENDINGS and not path.stem.endswith(COMPANIONS) and path.is_file()


# --- files ----------------------------------------------------------------------------------------------------------


def _require_weights(source: Path, file: Path) -> int:
    """The size of a file that may be added."""
    try:
        found = source.stat()
    except (OSError, ValueError) as error:
        raise CheckpointError("There is no such file", file, "Check the path") from error
    if not stat.S_ISREG(found.st_mode):
        raise CheckpointError("This is not a regular file", file, "Give the path of a weights file")
    if file.suffix not in ENDINGS:
        raise CheckpointError(
            "This is not a weights file", file, Phrase("Its name must end in {names}", names=", ".join(ENDINGS))
        )
    if not found.st_size:
        raise CheckpointError("This file is empty", file, "Copy it again from where it was")
    return found.st_size


def _require_honest_name(file: Path) -> None:
    """A file with the name of a known model, but another hash, would be taken for that model."""
    for model in MODELS:
        if file.name != model.file or not (model.sha256 or model.shipped):
            continue
        if model.shipped:
            raise CheckpointError(
                Phrase("{title} comes with samtta", title=model.title), file, "Rename your own model, and add it again"
            )
        what = Phrase(
            "This is not {title}: its hash (sha256) is another one, so it is damaged or another model",
            title=model.title,
        )
        raise CheckpointError(what, file, "Copy it again; if it is a model of your own, rename it and add it again")


def _sha256(path: Path, title: str, progress: ReportProgress) -> str:
    """The hash of a file.

    Raises:
        CheckpointError: it cannot be read.
    """
    digest, done = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            while block := file.read(BLOCK):
                digest.update(block)
                done += len(block)
                progress(min(done / max(size, 1), 1.0), Phrase("checking {title}", title=title))
    except OSError as error:
        raise CheckpointError(
            Phrase("The file cannot be read: {strerror}", strerror=error.strerror), path, "Check its rights"
        ) from error
    return digest.hexdigest()


def _copy(source: Path, path: Path, size: int, progress: ReportProgress) -> None:
    """Copy a file, whole or not at all.

    Raises:
        CheckpointError: it was not copied; nothing of it stays.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(path.parent).free < size:
            raise CheckpointError(
                Phrase("The disk has no room for {size_words}", size_words=size_words(size)),
                path.parent,
                "Free some space",
            )
        with source.open("rb") as read, part.open("wb") as written:
            _each_block(
                read.read, written.write, lambda done: progress(done / size, Phrase("copying {name}", name=path.name))
            )
            written.flush()
            os.fsync(written.fileno())
        os.chmod(part, MODE)
        os.replace(part, path)
    except OSError as error:
        do = "Free some space, and check the folder's rights"
        raise CheckpointError(
            Phrase("The file was not copied: {strerror}", strerror=error.strerror), path, do
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _each_block(read: Callable[[int], bytes], write: Callable[[bytes], int], told: Callable[[int], None]) -> None:
    done = 0
    while block := read(BLOCK):
        write(block)
        done += len(block)
        told(done)
