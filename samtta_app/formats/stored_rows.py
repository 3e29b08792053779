"""Masks in the rows and columns that an image's file has, before the orientation of the camera is applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.types import Annotation, Box, Click, Mask, Window
from samtta_app.errors import ExportError, ImageError
from samtta_app.formats.shown_images import image_path
from samtta_app.phrases import Phrase

UPRIGHT_DO = "Put it back, or export upright masks"


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """How an upright picture of `width` x `height` pixels lies in its file: the inverse of the `orientation` 1 .. 8.

    Columns and rows are mirrored first, then exchanged. Source: EXIF 2.32, tag 274.
    """

    orientation: int
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in the file."""
        return (self.height, self.width) if self.exchanged else (self.width, self.height)

    @property
    def exchanged(self) -> bool:
        """Whether rows become columns."""
        return self.orientation in (5, 6, 7, 8)

    def place(self, x: float, y: float, width: float = 1, height: float = 1) -> tuple[float, float]:
        """Left and top in the file of a rectangle of pixels; a point is one of 1 x 1."""
        if self.orientation in (2, 3, 6, 7):
            x = self.width - x - width
        if self.orientation in (3, 4, 7, 8):
            y = self.height - y - height
        return (y, x) if self.exchanged else (x, y)

    def mask(self, mask: Mask) -> Mask:
        """A mask in the file's rows and columns."""
        rows, columns = mask.bits.shape
        x, y = self.place(mask.x, mask.y, columns, rows)
        bits = mask.bits
        if self.orientation in (2, 3, 6, 7):
            bits = bits[:, ::-1]
        if self.orientation in (3, 4, 7, 8):
            bits = bits[::-1]
        return Mask(int(x), int(y), np.ascontiguousarray(bits.T if self.exchanged else bits))

    def click(self, click: Click) -> Click:
        """A click in the file's rows and columns."""
        x, y = self.place(click.x, click.y)
        return replace(click, x=x, y=y)

    def box(self, box: Box) -> Box:
        """A box in the file's rows and columns; its corners are pixels."""
        wide, high = box.x1 - box.x0, box.y1 - box.y0
        x, y = self.place(box.x0, box.y0, wide + 1, high + 1)
        return Box(x, y, x + (high if self.exchanged else wide), y + (wide if self.exchanged else high))

    def window(self, window: Window) -> Window:
        """A window in the file's rows and columns."""
        x, y = self.place(window.x, window.y, window.width, window.height)
        sides = (window.height, window.width) if self.exchanged else (window.width, window.height)
        return Window(int(x), int(y), *sides)

    def annotation(self, annotation: Annotation) -> Annotation:
        """An object with all that has a place."""
        history = (
            replace(step, click=step.click and self.click(step.click), window=self.window(step.window))
            for step in annotation.history
        )
        return replace(
            annotation,
            mask=self.mask(annotation.mask),
            box=annotation.box and self.box(annotation.box),
            window=self.window(annotation.window),
            history=tuple(history),
            alternatives=tuple(map(self.mask, annotation.alternatives)),
        )


def in_stored_rows(project: Project) -> Project:
    """The project with the size and the objects of each image as its file has them.

    Raises:
        ExportError: the file of an annotated image is gone or cannot be read, so its own rows are not known.
    """
    turns = {image.name: turn for image in project.images if (turn := _turn(project, image)) is not None}
    if not turns:
        return replace(project, stored_rows=True)
    images = tuple(_resized(image, turns) for image in project.images)
    return replace(project, images=images, of_image=_turned(project.of_image, turns), stored_rows=True)


def _resized(image: ProjectImage, turns: dict[str, StoredTurn]) -> ProjectImage:
    turn = turns.get(image.name)
    return image if turn is None else replace(image, width=turn.size[0], height=turn.size[1])


def _turned(
    of_image: Callable[[str], tuple[Annotation, ...]], turns: dict[str, StoredTurn]
) -> Callable[[str], tuple[Annotation, ...]]:
    def found(name: str) -> tuple[Annotation, ...]:
        turn, objects = turns.get(name), of_image(name)
        return objects if turn is None else tuple(map(turn.annotation, objects))

    return found


def _turn(project: Project, image: ProjectImage) -> StoredTurn | None:
    """How an image lies in its file; None where it lies upright, or has no objects and cannot be read."""
    from samtta_app.images.read import (
        stored_orientation,  # imports the decoders, which the window's start does not need
    )

    path = image_path(project, image)
    if path is None:
        if not image.objects:
            return None
        raise ExportError("An image is gone, so its own rows are not known", project.folder / image.name, UPRIGHT_DO)
    try:
        orientation = stored_orientation(path)
    except ImageError as error:
        if not image.objects:
            return None
        what = Phrase("An image's own rows are not known: {why}", why=error.what)
        raise ExportError(what, path, UPRIGHT_DO) from error
    return StoredTurn(orientation, image.width, image.height) if orientation > 1 else None
