"""Stand-ins for novel images: a data set with another look, or with another meaning of "object".

Learning must help on images unlike the model's training images. Its hyper-parameters may only be chosen on sets that
the model was trained on. The test images of these sets, strongly changed, fail about as often as novel sets do. Each
data set gets one look, as one instrument would give.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from skimage.segmentation import clear_border, expand_labels

from samtta_app.core.files import staged
from samtta_app.core.names import file_names
from samtta_app.datasets.folder import DataImage, FolderDataset, read_labels
from samtta_app.errors import DatasetError
from samtta_app.images.read import read_image

_Look = Literal["edges", "speckle", "halo", "far"]
_Pixels = NDArray[np.uint8]
_Labels = NDArray[np.int32]

HALO = 0.3
"""Width of the halo that counts as object, relative to the square root of the median object's area."""


def edges(pixels: _Pixels, rng: np.random.Generator) -> _Pixels:
    """The gradient's magnitude under noise: outlines are bright, insides dark. (H, W, 3) uint8 -> the same."""
    grey = cv2.GaussianBlur(_grey(pixels), (0, 0), 1.0)
    size = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    share = np.clip(size / (np.percentile(size, 99.5) + 1e-6), 0, 1)
    return _rgb(40 + 160 * share + rng.normal(0, 18, share.shape))


def speckle(pixels: _Pixels, rng: np.random.Generator) -> _Pixels:
    """Multiplicative gamma noise of the grain of ultrasound over a blurred image. (H, W, 3) uint8 -> the same."""
    grey = _grey(pixels)
    low, high = np.percentile(grey, (1, 99))
    level = cv2.GaussianBlur(np.clip((grey - low) / (high - low + 1e-6), 0, 1), (0, 0), 2.0)
    grain = cv2.GaussianBlur(rng.gamma(1.2, 1.0, grey.shape).astype(np.float32), (0, 0), 1.6)
    return _rgb(130 * (0.25 + 0.35 * level) * grain)


def halo(labels: _Labels) -> _Labels:
    """Objects with the ring around them, grown until they touch: (H, W) ids -> the same."""
    areas = np.bincount(labels.ravel())[1:]
    if not areas.any():
        return labels
    width = max(1.0, HALO * float(np.median(areas[areas > 0])) ** 0.5)
    grown = expand_labels(labels, distance=width)  # type: ignore[no-untyped-call]
    return np.asarray(grown, dtype=np.int32)


def far(pixels: _Pixels, labels: _Labels) -> tuple[_Pixels, _Labels]:
    """The image mirrored all around, so that an object is a third as large relative to it.

    Only whole objects of the middle are kept; one that the border cuts is left out. (H, W, 3) uint8 and (H, W) ids ->
    (3 H, 3 W, 3) and (3 H, 3 W).
    """
    around = [(side, side) for side in labels.shape]
    whole = clear_border(labels)  # type: ignore[no-untyped-call]
    return np.pad(pixels, [*around, (0, 0)], mode="symmetric"), np.pad(whole, around)


SHIFTED_LOOKS: dict[_Look, Callable[[_Pixels, _Labels, np.random.Generator], tuple[_Pixels, _Labels]]] = {
    "edges": lambda pixels, labels, rng: (edges(pixels, rng), labels),
    "speckle": lambda pixels, labels, rng: (speckle(pixels, rng), labels),
    "halo": lambda pixels, labels, rng: (pixels, halo(labels)),
    "far": lambda pixels, labels, rng: far(pixels, labels),
}
"""Name of a look -> how an image and its objects change."""


def write_shifted(
    data: FolderDataset, look: _Look, folder: Path, *, split: str | None = None, progress: Callable[[float], None]
) -> Path:
    """Write `folder` as a data set in another look: the images of one split (None: all) that have masks.

    Raises:
        DatasetError: a file cannot be read or written, or `folder` holds something already.
    """
    images = [image for image in data.part(split) if image.masks is not None]
    try:
        if folder.exists() and any(folder.iterdir()):
            raise DatasetError("The folder for the changed set is not empty", folder, "Name another one")
        names = file_names({image: image.name for image in images})
        with staged(folder) as stage:
            for part in ("images", "masks"):
                (stage / part).mkdir()
            for done, image in enumerate(images, start=1):
                _write(image, look, stage, names[image], done)
                progress(done / len(images))
            splits = {split: list(names.values())} if split else {}
            (stage / "split.json").write_text(json.dumps(splits), encoding="utf-8")
    except OSError as e:
        raise DatasetError(f"The changed set cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return folder


def _write(image: DataImage, look: _Look, folder: Path, name: str, seed: int) -> None:
    pixels, labels = SHIFTED_LOOKS[look](
        read_image(image.path, dark=False).pixels, read_labels(image), np.random.default_rng(seed)
    )
    PIL.Image.fromarray(pixels).save(folder / "images" / f"{name}.png")
    PIL.Image.fromarray(labels.astype(np.uint16)).save(folder / "masks" / f"{name}.png")


def _grey(pixels: _Pixels) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.float32)


def _rgb(grey: NDArray[np.floating]) -> _Pixels:
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
