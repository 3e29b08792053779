"""Images by path or URL (s3://, gs://, https:// and what else fsspec knows), and a folder of results by either.

The library for each kind of URL is an extra of its own: samtta[s3], samtta[gs], samtta[http].
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samtta_app.core.files import path_inside, write_whole
from samtta_app.core.names import is_listed
from samtta_app.errors import ExportError, ImageError
from samtta_app.extras import extra_advice, in_bundle
from samtta_app.session.project.listing import image_names, natural

LIST_SUFFIX = ".txt"
"""A file of this ending lists images, a path or URL a line."""


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """An image: its name in results, its path or URL, and what changes with its content ("" where that is not known)."""

    name: str
    place: str
    version: str = ""


def is_url(place: str) -> bool:
    """Whether a text is a URL; the letter of a Windows drive is none."""
    return "://" in place


def found_images(place: str) -> tuple[ImagePlace, ...]:
    """The images of a folder or of a URL that ends in a folder, in natural order; or one image; or those of a list.

    Raises:
        ImageError: there is none, or the place cannot be read.
        ProjectError: the folder cannot be read.
    """
    if place.lower().endswith(LIST_SUFFIX):
        lines = (line.strip() for line in _text(place).splitlines())
        images = tuple(ImagePlace(line, line) for line in dict.fromkeys(lines) if line and not line.startswith("#"))
    elif is_url(place):
        images = _of_url(place)
    else:
        path = Path(place)
        paths = [path] if path.is_file() else [path / name for name in image_names(path)]
        images = tuple(ImagePlace(each.name, str(each.absolute()), _version(each)) for each in paths)
    if not images:
        raise ImageError("There is no image in the folder", place, "Choose a folder of images, or an image")
    return images


@contextmanager
def fetched_image(image: ImagePlace) -> Iterator[Path]:
    """The image as a file of this machine; that of a URL goes at the end.

    Raises:
        ImageError: it is not there, or may not be read.
        OSError: this machine's disk is full.
    """
    if not is_url(image.place):
        path = Path(image.place)
        if not path.exists():
            do = "Name images by a URL, or by a folder that all machines see"
            raise ImageError(f"There is no such image on the machine {socket.gethostname()}", path, do)
        yield path
        return
    with _explained(image.place):
        data = _system(image.place)[0].cat_file(_system(image.place)[1])
    with tempfile.TemporaryDirectory(prefix="samtta-") as folder:
        path = Path(folder, f"image{Path(image.name).suffix}")
        path.write_bytes(data)
        try:
            yield path
        except ImageError as error:
            text = str(error).replace(str(path), image.place)
            raise ImageError(text.removesuffix(".")) from error


class ResultPlace:
    """A folder or URL that results are written into, each file whole or not at all.

    A folder is written by the process that began the run; a URL by every worker.
    """

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/") if is_url(root) else root
        self.shared = is_url(root)

    def put(self, name: str, data: bytes) -> None:
        """Write a file.

        Raises:
            ExportError: it cannot be written.
        """
        try:
            if self.shared:
                system, root = _system(self.root)
                system.pipe_file(f"{root}/{name}", data)
                return
            path = path_inside(Path(self.root), name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        except (OSError, ImportError, ValueError) as error:
            what = f"The results cannot be written: {_words(error)}"
            raise ExportError(what, f"{self.root}/{name}", "Make room there, or choose another place") from error

    def get(self, name: str) -> bytes:
        """Read a file.

        Raises:
            OSError: it is not there, or cannot be read.
        """
        if self.shared:
            system, root = _system(self.root)
            return bytes(system.cat_file(f"{root}/{name}"))
        return Path(self.root, name).read_bytes()

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(OSError):
            if self.shared:
                system, root = _system(self.root)
                system.rm_file(f"{root}/{name}")
            else:
                Path(self.root, name).unlink()

    def sizes(self, folder: str) -> Mapping[str, int]:
        """Bytes of the files below a folder of this place ("" for all), by their names here.

        Raises:
            ExportError: the place cannot be read.
        """
        if not self.shared:
            home = Path(self.root, folder)
            files = (path for path in home.rglob("*") if path.is_file())
            return {path.relative_to(self.root).as_posix(): path.stat().st_size for path in files}
        try:
            system, root = _system(self.root)
            system.invalidate_cache()
            found = system.find(f"{root}/{folder}".rstrip("/"), detail=True)
        except FileNotFoundError:
            return {}
        except (OSError, ImportError, ValueError) as error:
            what = f"The place of the results cannot be read: {_words(error)}"
            raise ExportError(what, self.root, _advice(self.root, error)) from error
        return {name.removeprefix(f"{root}/"): int(about.get("size") or 0) for name, about in found.items()}


def _of_url(url: str) -> tuple[ImagePlace, ...]:
    with _explained(url):
        system, root = _system(url)
        found = {root: system.info(root)} if is_listed(root.rpartition("/")[2]) else _entries(system, root)
    images = []
    for path, about in found.items():
        name = path.removeprefix(root.rstrip("/")).lstrip("/") or path.rpartition("/")[2]
        if is_listed(name.rpartition("/")[2]) and about.get("type") == "file":
            images.append(ImagePlace(name, system.unstrip_protocol(path), _tag(about)))
    return tuple(sorted(images, key=lambda each: natural(each.name)))


def _entries(system: Any, root: str) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401 (file systems of fsspec)
    return {entry["name"]: entry for entry in system.ls(root, detail=True)}


def _tag(about: Mapping[str, Any]) -> str:
    """What a store says of a file's content: its tag, or size and time."""
    tag = about.get("ETag") or about.get("etag") or about.get("md5Hash")
    return str(tag or f"{about.get('size')} {about.get('LastModified') or about.get('mtime') or ''}").strip('" ')


def _version(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


def _text(place: str) -> str:
    with _explained(place):
        if is_url(place):
            system, path = _system(place)
            return bytes(system.cat_file(path)).decode()
        return Path(place).read_text(encoding="utf-8")


@cache
def _system(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it. Settings come as fsspec takes them: variables and its own files."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(url)
    return system, str(path)


@contextmanager
def _explained(place: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ImportError, ValueError) as error:
        raise ImageError(f"This cannot be read: {_words(error)}", place, _advice(place, error)) from error


def _words(error: Exception) -> str:
    text = " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())
    return text[:200]


def _advice(place: str, error: Exception) -> str:
    if isinstance(error, ImportError):
        kind = {"s3": "s3", "gs": "gs", "gcs": "gs", "http": "http", "https": "http"}.get(place.partition("://")[0])
        if kind and in_bundle():
            return extra_advice(kind)
        return f"Install samtta[{kind}] on all machines" if kind else "Install what fsspec needs for it"
    if isinstance(error, PermissionError):
        return "Give this machine and the workers the rights to it, as by AWS_ACCESS_KEY_ID"
    return "Check the address, and that all machines reach it"
