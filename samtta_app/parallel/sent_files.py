"""Files that every worker of a cluster needs, a model's weights first: they go out once, and then lie on its machine.

A worker in a process of this machine reads them at their own place.
"""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

from samtta_app.core.files import write_whole
from samtta_app.errors import UserError
from samtta_app.settings import HOME_VARIABLE, model_folder

_PLACES: dict[str, str] = {}
"""In a worker of a cluster, set before its task begins: the place on this machine of each path that was sent."""


def files_of_model(file: Path) -> tuple[Path, ...]:
    """A weights file, and what belongs to it in the model folder by its name: selector, outline and others."""
    beside = sorted(model_folder().glob(f"{file.stem}.*.safetensors"))
    return file, *(path for path in beside if path != file)


def read_to_send(paths: Sequence[Path]) -> dict[str, bytes]:
    """The content of each file by its path as text.

    Raises:
        UserError: one cannot be read.
    """
    try:
        return {str(path): path.read_bytes() for path in paths}
    except OSError as error:
        raise UserError(f"The file cannot be sent to the workers: {error.strerror}", error.filename or "") from error


def sent_key(files: Mapping[str, bytes]) -> str:
    """A short text that identifies files by name and content."""
    digest = blake2b(digest_size=12)
    for text, data in files.items():
        digest.update(repr((text, len(data))).encode() + data)
    return digest.hexdigest()


def receive(key: str, files: Mapping[str, bytes]) -> None:
    """Put sent files on this machine's disk, once for all its workers, as the model folder of this process.

    Raises:
        OSError: they cannot be written.
    """
    home = Path(tempfile.gettempdir(), f"samtta-received-{getpass.getuser()}", key)
    folder = home / model_folder().name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for text, data in files.items():
        path = folder / Path(text).name
        if not path.is_file() or path.stat().st_size != len(data):
            write_whole(path, data)
        _PLACES[text] = str(path)
    os.environ[HOME_VARIABLE] = str(home)


def sent_place(text: str) -> str:
    """The path of a file that was sent as `text`; `text` itself where it was not sent, as a model's name."""
    return _PLACES.get(text, text)
