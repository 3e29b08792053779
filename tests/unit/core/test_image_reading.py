"""A read goes on in steps beside what else is done, and ends where nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Generator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from samtta_app.core.planes import FIRST_PLANE
from samtta_app.core.types import Image
from samtta_app.errors import ImageError, LargeImageError
from samtta_app.images import read
from samtta_app.images.file_formats import GivenUp
from samtta_app.images.image_cache import BYTES_KEPT, IMAGES_KEPT, ImageCache
from samtta_app.images.read import read_image, reading
from tests.unit.core.crafted import many_scans, noise, png, stored, written


def finished(steps: Generator[None, None, Image]) -> Image:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Image = end.value
            return found


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "samtta-reader"]


def test_what_is_read_in_steps_is_what_is_read_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "a.png", stored("PNG"))
    image = finished(reading(path))
    assert image.key == read_image(path).key
    assert not image.pixels.flags.writeable


@pytest.mark.parametrize(("data", "error"), [(b"", ImageError), (png(9_000, 6_000), LargeImageError)])
def test_an_error_reaches_who_waits(tmp_path: Path, data: bytes, error: type[ImageError]) -> None:
    with pytest.raises(error):
        finished(reading(written(tmp_path, "a.png", data), share=1 / 8))


def test_a_programming_error_is_not_taken_for_a_bad_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise NotImplementedError("a mistake of ours")

    monkeypatch.setattr(read, "_image", broken)
    with pytest.raises(NotImplementedError, match="ours"):
        finished(reading(written(tmp_path, "a.png", stored("PNG"))))


def test_a_read_that_is_given_up_ends_within_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    monkeypatch.setattr(read, "_image", lambda path, *_: made.append(path))
    steps = reading(written(tmp_path, "slow.jpg", many_scans(2_000, 650)))
    next(steps)
    (reader,) = readers()
    steps.close()
    reader.join()
    assert made == []
    assert readers() == []


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "JPEG"])
def test_every_format_looks_whether_anybody_waits(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, "a", stored(kind, noise(400, 400)))
    asked: list[int] = []

    def check() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise GivenUp

    with pytest.raises(GivenUp):
        read._read(path, 1.0, FIRST_PLANE, True, check)


# --- kept images ----------------------------------------------------------------------------------------------------


def test_the_last_images_are_kept_and_a_changed_file_is_read_again(tmp_path: Path) -> None:
    cache, path = ImageCache(), written(tmp_path, "a.png", stored("PNG"))
    first = finished(cache.read(path))
    assert finished(cache.read(path)) is first
    PIL.Image.fromarray(255 - noise()).save(path)
    import os

    os.utime(path, ns=(1, 1))
    assert np.array_equal(finished(cache.read(path)).pixels, 255 - noise())


@pytest.mark.parametrize(
    ("budget", "kept"),
    [(BYTES_KEPT, IMAGES_KEPT), (2 * noise().nbytes, 2), (2 * noise().nbytes - 1, 1), (10, 1)],
)
def test_few_images_are_kept_and_of_large_ones_only_the_newest(tmp_path: Path, budget: int, kept: int) -> None:
    paths = [written(tmp_path, f"{k}.png", stored("PNG")) for k in range(IMAGES_KEPT + 2)]
    cache = ImageCache(budget)
    first = [finished(cache.read(path)) for path in paths]
    again = [finished(cache.read(path)) for path in reversed(paths)]
    same = [one is other for one, other in zip(reversed(first), again, strict=True)]
    assert same == [True] * kept + [False] * (len(paths) - kept)
    assert finished(cache.read(paths[0])) is again[-1]


def test_an_image_that_was_looked_at_again_outlives_those_that_were_not(tmp_path: Path) -> None:
    paths = [written(tmp_path, f"{k}.png", stored("PNG")) for k in range(IMAGES_KEPT + 1)]
    cache = ImageCache()
    first = [finished(cache.read(path)) for path in paths[:-1]]
    finished(cache.read(paths[0]))
    finished(cache.read(paths[-1]))
    assert finished(cache.read(paths[0])) is first[0]
    assert finished(cache.read(paths[1])) is not first[1]


def test_a_file_that_cannot_be_seen_is_an_image_error() -> None:
    for name in ("nowhere.png", "a\0b.png"):
        with pytest.raises(ImageError):
            finished(ImageCache().read(Path(name)))
