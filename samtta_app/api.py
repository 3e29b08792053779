"""samtta for notebooks and pipelines: projects as arrays, and a model that answers prompts and learns from examples.

    with open_project("cells") as project:
        for picture in project.pictures():
            for found in picture.objects():
                print(picture.name, found.class_name, found.mask.sum())

Arrays have rows first: masks (H, W) bool, pixels (H, W, 3) uint8 RGB. Points are (x, y) in pixels, x to the right. All of it
is upright, as the window shows it. Errors that a caller can act on are UserErrors of `samtta_app.errors`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.masks import bounding_box, full, trimmed
from samtta_app.core.messages import AdaptRequest, PredictRequest, Request
from samtta_app.core.replies import AdaptReport, Answer, Failure, Reply
from samtta_app.core.types import Box, Click, Example, Image, Prompt
from samtta_app.core.windows import around
from samtta_app.errors import ExportError, UserError
from samtta_app.formats import FORMATS
from samtta_app.formats.export_choice import EVERYTHING, ExportChoice, export_project
from samtta_app.formats.importers import ImportedObject
from samtta_app.session.project.imported_objects import store_imported
from samtta_app.session.project.store import Store

if TYPE_CHECKING:
    from samtta_app.engine.dispatch import Engine

MaskArray = NDArray[np.bool_]
"""A mask (H, W) of a whole image."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayObject:
    """One accepted object: its id in the project, its class, its mask (H, W), and whether a user confirmed it.

    `source` names the program that it was imported from, "" for one that was made in the window.
    """

    id: int
    class_name: str
    mask: MaskArray
    reviewed: bool
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class ProjectPicture:
    """One image of a project; pixels and objects are read when they are asked for."""

    name: str
    path: Path
    store: Store = field(repr=False)

    def read(self) -> Image:
        """The image: `pixels` (H, W, 3) uint8 RGB as shown, and `raw`, the file's own values.

        Raises:
            ImageError: it cannot be read.
        """
        from samtta_app.images.read import read_image

        return read_image(self.path, planes=self.store.reading.planes)

    def objects(self) -> tuple[ArrayObject, ...]:
        """The accepted objects, first accepted first; none where the project does not know the image's size."""
        annotations = self.store.annotations(self.name)
        size = self.store.image_sizes().get(self.name)
        if not annotations or size is None:
            return ()
        names = {each.id: each.name for each in self.store.classes()}
        confirmed = self.store.confirmed()
        return tuple(
            ArrayObject(a.id, names.get(a.class_id, ""), full(a.mask, size[1], size[0]), a.id in confirmed, a.source)
            for a in annotations
        )


class ProjectArrays:
    """An open project; use it in a `with` block, which closes it. While it is open, no window can write to it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the project's order."""
        return tuple(each.name for each in self._store.classes())

    def pictures(self) -> Iterator[ProjectPicture]:
        """The images in natural order, one after the other."""
        return (ProjectPicture(entry.name, entry.path, self._store) for entry in self._store.images())

    def add_objects(
        self,
        name: str,
        masks: Iterable[MaskArray],
        class_name: str = "object",
        *,
        source: str = "api",
        learn: bool = False,
    ) -> int:
        """Store masks (H, W) of the image `name` as objects of a class, which is made where there is none of its name.

        All of them are stored, or none. `learn` lets the window learn from them when it is opened next.

        Returns:
            How many there are.

        Raises:
            UserError: there is no such image, a mask is empty or of another size, or the project cannot be written to.
        """
        picture = next((each for each in self.pictures() if each.name == name), None)
        if picture is None:
            raise UserError("The project has no image of this name", name, "Take a name of pictures()")
        image = picture.read()
        size = image.height, image.width
        objects = [ImportedObject(name, size, class_name, trimmed(_checked_mask(bits, size))) for bits in masks]
        return store_imported(self._store, objects, source, teach=learn)

    def export(self, form: str, folder: str | Path, choice: ExportChoice = EVERYTHING) -> list[Path]:
        """Write the objects in a format of `samtta export` ("coco", "yolo", ...) into a folder; returns the files.

        Raises:
            ExportError: there is no such format, or nothing was written.
        """
        if form not in FORMATS:
            raise ExportError(f"There is no format {form!r}", do=f"Choose one of {', '.join(FORMATS)}")
        return export_project(self._store.project(), FORMATS[form], Path(folder), choice)


def open_project(folder: str | Path, *, read_only: bool = False, subfolders: bool | None = None) -> ProjectArrays:
    """Open the project of a folder of images, or make it.

    Args:
        folder: of the images.
        read_only: read beside a window that has it open, and make no project where there is none.
        subfolders: whether images of subfolders belong to it; None leaves that as it was.

    Raises:
        ProjectError: there are no images, or it is open elsewhere.
    """
    place = Path(folder)
    return ProjectArrays(Store.open_to_read(place) if read_only else Store.open(place, subfolders=subfolders))


@dataclass(frozen=True, slots=True, eq=False)
class PredictedMask:
    """The answer to a prompt: its mask (H, W), and the IoU 0 .. 1 with the object meant that the model expects of it."""

    mask: MaskArray
    expected_iou: float


@dataclass(frozen=True, slots=True)
class LearnedExample:
    """What an example led to: whether a new version answers from now on, why or why not, and the version that answers."""

    kept: bool
    reason: str
    version: int


class MaskPredictor:
    """A model that answers prompts, and adapts to examples. Nothing of what it learns is stored.

    Args:
        model: name or file, as `samtta open --model` takes it; "" is the default.
        device: "auto", "cpu", "cuda" or another that torch knows.
        strategy: how it learns, as `samtta open --strategy` takes it; "" is the default.

    Raises:
        CheckpointError: the model cannot be loaded.
    """

    def __init__(self, model: str | Path = "", *, device: str = "auto", strategy: str = "") -> None:
        from samtta_app.engine import dispatch  # imports torch, which takes seconds
        from samtta_app.model.model_registry import DEFAULT_MODEL

        adapting = strategy or dispatch.DEFAULT_STRATEGY
        self._engine: Engine = dispatch.open_engine(model or DEFAULT_MODEL, device=device, adapting=adapting)
        self._run = dispatch.run
        self._ids = itertools.count(1)

    def predict(
        self,
        pixels: NDArray[Any],
        clicks: Sequence[tuple[float, float, bool]] = (),
        box: tuple[float, float, float, float] | None = None,
    ) -> PredictedMask:
        """The mask of an object.

        Args:
            pixels: the image (H, W) or (H, W, 1 .. 4), of any real dtype. Its features are kept while it is used.
            clicks: (x, y, whether the point belongs to the object), in order.
            box: (x0, y0, x1, y1) around the object.

        Raises:
            UserError: there is no prompt, it lies outside the image, or the engine could not answer.
        """
        image = _image_of(pixels)
        if not clicks and box is None:
            raise UserError("There is nothing to answer", do="Give a click or a box")
        prompt = Prompt(tuple(Click(x, y, inside) for x, y, inside in clicks), None if box is None else Box(*box))
        answer = self._asked(PredictRequest(next(self._ids), image, prompt))
        if not isinstance(answer, Answer):
            raise UserError("The engine gave no mask")
        if not answer.candidates:
            raise UserError("Exclude clicks alone mean no object", do="Give an include click or a box")
        shown = answer.candidates[answer.chosen]
        expected = shown.predicted_iou if shown.gaps is None else shown.gaps.iou
        return PredictedMask(full(shown.mask, image.height, image.width), float(expected))

    def adapt(
        self,
        pixels: NDArray[Any],
        mask: MaskArray,
        clicks: Sequence[tuple[float, float, bool]] = (),
    ) -> LearnedExample:
        """Learn from the mask (H, W) of an object; a guard on earlier examples decides whether the result answers.

        Args:
            pixels: as in `predict`.
            mask: of the whole object.
            clicks: those that led to it, where there were any.

        Raises:
            UserError: the mask is empty or of another size, or the engine could not learn.
        """
        image, number = _image_of(pixels), next(self._ids)
        found = trimmed(_checked_mask(mask, (image.height, image.width)))
        box = bounding_box(found)
        window = around(box, image.whole) if box else image.whole
        points = tuple(Click(x, y, inside) for x, y, inside in clicks)
        report = self._asked(
            AdaptRequest(number, Example(number, image, window, found, points, None if points else box))
        )
        if not isinstance(report, AdaptReport):
            raise UserError("The engine did not learn")
        return LearnedExample(report.kept, report.reason, report.version)

    def _asked(self, request: Request) -> Reply:
        reply = self._run(self._engine, request)
        if isinstance(reply, Failure):
            raise UserError(reply.text.removesuffix("."))
        return reply


def _image_of(pixels: NDArray[Any]) -> Image:
    from samtta_app.images.read import from_array

    if pixels.ndim not in (2, 3) or not pixels.size or (pixels.ndim == 3 and not 1 <= pixels.shape[2] <= 4):
        raise UserError(f"An array of the shape {pixels.shape} is no image", do="Give (H, W) or (H, W, 1 to 4)")
    return from_array(pixels.copy())  # the image's arrays are made read-only


def _checked_mask(bits: MaskArray, size: tuple[int, int]) -> MaskArray:
    found = np.asarray(bits)
    if found.shape != size:
        raise UserError(f"A mask of the shape {found.shape} is not one of an image of {size}", do="Give (H, W)")
    found = found.astype(bool)
    if not found.any():
        raise UserError("A mask is empty", do="Leave it out")
    return found
