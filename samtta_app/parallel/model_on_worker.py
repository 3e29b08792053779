"""The model of a run in each of its workers: loaded once, from what was sent; and a shard's images, read one ahead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from samtta_app.core.messages import ReportProgress
from samtta_app.engine.dispatch import Engine, open_engine
from samtta_app.errors import ImageError, UserError
from samtta_app.parallel.image_places import ImagePlace, fetched_image
from samtta_app.parallel.sent_files import sent_place


@dataclass(frozen=True, slots=True)
class ModelOnWorker:
    """Which model a worker loads: its file, the input size and the device, as in `open_engine`."""

    file: str
    input_size: int | None = None
    device: str = "auto"

    def engine(self) -> Engine:
        """The engine of this process, without learning.

        Raises:
            CheckpointError: the model cannot be used.
        """
        return _opened(sent_place(self.file), self.input_size, self.device)


@lru_cache(maxsize=1)
def _opened(file: str, input_size: int | None, device: str) -> Engine:
    return open_engine(file, input_size=input_size, device=device, adapting="frozen")


def error_words(error: UserError, file: Path | ImageError, image: ImagePlace) -> str:
    """An error in words, with the image's own place where they name the file that was fetched from there."""
    return str(error).replace(str(file), image.place) if isinstance(file, Path) else str(error)


def each_fetched(images: Sequence[ImagePlace], told: ReportProgress) -> Iterator[tuple[ImagePlace, Path | ImageError]]:
    """Each image as a file of this machine, or why it cannot be had. The next one is fetched meanwhile.

    Raises:
        OSError: this machine's disk is full.
    """

    def fetch(image: ImagePlace) -> tuple[Path | ImageError, ExitStack]:
        held = ExitStack()
        try:
            return held.enter_context(fetched_image(image)), held
        except ImageError as error:
            return error, held

    with ThreadPoolExecutor(1) as reader:
        ahead: list[Future[tuple[Path | ImageError, ExitStack]]] = [reader.submit(fetch, images[0])] if images else []
        for number, image in enumerate(images):
            found, held = ahead.pop().result()
            if number + 1 < len(images):
                ahead.append(reader.submit(fetch, images[number + 1]))
            with held:
                told(number / len(images), image.name)
                yield image, found
        told(1.0, "done")
