"""Files of an export that has many: their portable names, and which of an earlier export's are still as it wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b, file_digest
from pathlib import Path

from samtta_app.core.names import component, file_names, folded


def portable_stems(names: Iterable[str]) -> dict[str, str]:
    """A file's name without its ending for each image: the image's own, as far as it can be.

    The ending stays where two images differ only in it. A name that is no file name everywhere is flattened.
    """
    stems = {name: _stem(name) for name in names}
    times = Counter(map(folded, stems.values()))
    return file_names({name: stem if times[folded(stem)] == 1 else name for name, stem in stems.items()})


def content_hash(path: Path) -> str:
    """A short text that identifies a file's content.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file_digest(file, lambda: blake2b(digest_size=16)).hexdigest()


def is_written_name(file: str, endings: Iterable[str]) -> bool:
    """Whether an export may have called a file so: a portable name with one of the endings."""
    path = Path(file)
    return path.name == file and path.suffix.lower() in endings and component(path.stem) == path.stem


def unchanged(folder: Path, name: str, known: str) -> bool:
    """Whether `name` below `folder` is still the file with the hash `known`; "" stands for any content.

    Raises:
        OSError: it cannot be read.
    """
    path = folder / name
    if path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        return False
    return not known or content_hash(path) == known


def _stem(name: str) -> str:
    """The name without its ending; a name that is no single file name has none."""
    return Path(name).stem if Path(name).name == name else name
