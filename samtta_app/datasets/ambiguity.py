"""Objects without one true outline: those that several annotators drew, parts and wholes, and simulated ones.

<set>/annotators/<name>_<k>.png, annotators.json {name: {k: {"who": name}}}   one 1-bit mask per annotator and tool
<set>/<level>/images, masks                                                     the same images and ids at several levels
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from samtta_app.core.masks import crop, distances, trimmed
from samtta_app.core.types import BoolArray, Mask, Window
from samtta_app.datasets.folder import DataImage, FolderDataset, open_dataset, read_labels, read_objects
from samtta_app.errors import DatasetError, ImageError
from samtta_app.images.read import image_size, read_ids
from samtta_app.regular_files import read_json

OUTLINE_SHIFT = (0.06, 0.15)
"""How far simulated annotators draw an outline inwards or outwards, in roots of the object's area."""

NEIGHBOUR_GAP = 0.15
"""An object within this distance, in roots of the area, may be taken for a part of the same thing."""

CUT_SHARE = (0.35, 0.65)
"""Share of an object that is cut off as its part."""

KINDS = ("certain", "outline", "neighbours", "part")
"""What may be open about a simulated object: nothing, how tight it is drawn, what belongs to it, or which part is meant."""

KIND_SHARES = (0.2, 0.4, 0.2, 0.2)
"""Shares of the kinds; an object without a neighbour has an open outline instead."""

_LAYOUT = "Give a set with annotators/ and annotators.json, or several sets over the same images in one folder"


@dataclass(frozen=True, slots=True, eq=False)
class AmbiguousObject:
    """One object of an image with its plausible `outlines`, and who drew each: an annotator, a level, or "small" to "large".

    `kind` says where they are from: "annotators", "nested", or one of KINDS.
    """

    path: Path
    name: str
    instance: int
    outlines: tuple[Mask, ...]
    who: tuple[str, ...]
    kind: str


def ambiguous_objects(
    folder: Path, split: str | None, *, simulate: bool, most: int | None = None, seed: int = 0
) -> list[AmbiguousObject]:
    """The objects of a folder that have several outlines; images take turns, in a drawn order.

    Args:
        split: None for all images.
        simulate: whether a set with one outline an object gets simulated ones.
        most: objects at most.

    Raises:
        DatasetError: there is one outline an object only, or files do not fit.
    """
    rng = np.random.default_rng([seed, zlib.crc32(folder.resolve().name.encode())])
    if (folder / "annotators").is_dir():
        by_image = [_drawn_by_several(image, folder) for image in open_dataset(folder).part(split)]
    elif levels := _levels(folder):
        by_image = _nested(levels, split)
    elif not simulate:
        raise DatasetError("The set has one outline for each object only", folder, f"{_LAYOUT}, or use --simulate")
    else:
        by_image = _simulated_set(open_dataset(folder), split, most, seed, rng)
    return _in_turns(by_image, most, rng)


def _in_turns(
    by_image: Sequence[Sequence[AmbiguousObject]], most: int | None, rng: np.random.Generator
) -> list[AmbiguousObject]:
    shuffled = [[of_image[k] for k in rng.permutation(len(of_image))] for of_image in by_image]
    order = rng.permutation(len(shuffled))
    longest = max((len(of_image) for of_image in shuffled), default=0)
    turns = [shuffled[i][k] for k in range(longest) for i in order if k < len(shuffled[i])]
    return turns[:most]


# --- several annotators -------------------------------------------------------------------------------------------------


def _drawn_by_several(image: DataImage, folder: Path) -> list[AmbiguousObject]:
    """The one object of an image as each annotator drew it; images without such outlines are left out."""
    file = folder / "annotators.json"
    try:
        known = read_json(file)
        names = {int(k): str(about["who"]) for k, about in known.get(image.name, {}).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise DatasetError(f"The list of annotators cannot be read: {e}", file, _LAYOUT) from e
    masks, who = [], []
    for k, person in sorted(names.items()):
        mask = _read_outline(folder / "annotators" / f"{image.name}_{k}.png", image.path)
        if mask.area:
            masks.append(mask)
            who.append(person)
    if len(masks) < 2:
        return []
    return [AmbiguousObject(image.path, image.name, 1, tuple(masks), tuple(who), "annotators")]


def _read_outline(path: Path, image: Path) -> Mask:
    try:
        bits = read_ids(path) > 0
        width, height = image_size(image)
    except ImageError as e:
        raise DatasetError(f"A file of the data set cannot be read: {e.what}", e.where, e.do) from e
    if bits.shape != (height, width):
        size = f"The outline is {bits.shape[1]} x {bits.shape[0]}, its image {width} x {height}"
        raise DatasetError(size, path, "Save it in the image's size")
    return trimmed(np.asarray(bits, np.bool_))


# --- parts and wholes -----------------------------------------------------------------------------------------------


def _levels(folder: Path) -> list[FolderDataset]:
    """The data sets in a folder that is none itself, by name."""
    if (folder / "images").is_dir() or not folder.is_dir():
        return []
    return [open_dataset(place) for place in sorted(folder.iterdir()) if (place / "images").is_dir()]


def _nested(levels: Sequence[FolderDataset], split: str | None) -> list[list[AmbiguousObject]]:
    """Objects that have the same image and the same id at every level.

    Raises:
        DatasetError: the levels do not share an image.
    """
    images = [{image.name: image for image in level.part(split)} for level in levels]
    shared = [name for name in images[0] if all(name in others for others in images)]
    if len(levels) < 2 or not shared:
        raise DatasetError("The sets in this folder do not share an image", levels[0].folder.parent, _LAYOUT)
    found = []
    for name in shared:
        masks = [{target.instance: target.mask for target in read_objects(of_level[name])} for of_level in images]
        ids = [k for k in masks[0] if all(k in others for others in masks)]
        who = tuple(level.name for level in levels)
        path = images[0][name].path
        found.append([AmbiguousObject(path, name, k, tuple(m[k] for m in masks), who, "nested") for k in ids])
    return found


# --- simulated ------------------------------------------------------------------------------------------------------


def _simulated_set(
    data: FolderDataset, split: str | None, most: int | None, seed: int, rng: np.random.Generator
) -> list[list[AmbiguousObject]]:
    """Objects of a set with simulated outlines; of many images only as many are read as needed."""
    images = [image for image in data.part(split) if image.masks is not None]
    images = [images[k] for k in rng.permutation(len(images))][:most]
    each = None if most is None else -(-most // max(len(images), 1))
    return [_simulated_image(image, each, seed) for image in images]


def _simulated_image(image: DataImage, most: int | None, seed: int) -> list[AmbiguousObject]:
    labels = read_labels(image)
    rng = np.random.default_rng([seed, zlib.crc32(image.name.encode())])
    ids = np.flatnonzero(np.bincount(labels.ravel()))
    ids = rng.permutation(ids[ids > 0])[:most]
    found = []
    for k in ids.tolist():
        kind, outlines = simulated_outlines(
            labels, k, np.random.default_rng([seed, k, zlib.crc32(image.name.encode())])
        )
        found.append(AmbiguousObject(image.path, image.name, k, outlines, _sizes(len(outlines)), kind))
    return found


def _sizes(count: int) -> tuple[str, ...]:
    return {1: ("middle",), 2: ("small", "large")}.get(count, ("small", "middle", "large"))


def simulated_outlines(
    labels: NDArray[np.integer], instance: int, rng: np.random.Generator
) -> tuple[str, tuple[Mask, ...]]:
    """The kind, and one to three plausible outlines of an object, small to large; the true one is among them.

    Args:
        labels: (H, W) ids of all objects of the image.
    """
    kind = str(rng.choice(KINDS, p=KIND_SHARES))
    bits = labels == instance
    true = trimmed(bits)
    reach = true.area**0.5
    if kind == "certain":
        return kind, (true,)
    if kind == "part":
        part = _cut_off(true, rng)
        return kind, (part, true)
    if kind == "neighbours":
        other = _nearest(labels, bits, instance, reach * NEIGHBOUR_GAP)
        if other is not None:
            return kind, (true, trimmed(bits | (labels == other)))
    by = max(float(rng.uniform(*OUTLINE_SHIFT)) * reach, 1.0)
    tight, loose = shifted_outline(true, -by, labels.shape), shifted_outline(true, by, labels.shape)
    return "outline", tuple(mask for mask in (tight, true, loose) if mask.area)


def shifted_outline(mask: Mask, by: float, shape: tuple[int, ...]) -> Mask:
    """The mask drawn `by` pixels further outwards, or inwards where negative, within an image of `shape` (H, W).

    The image's frame is no outline: an object that it cuts goes on outside.
    """
    margin = int(np.ceil(abs(by))) + 1
    rows, columns = mask.bits.shape
    left, top = max(mask.x - margin, 0), max(mask.y - margin, 0)
    right, bottom = min(mask.x + columns + margin, shape[1]), min(mask.y + rows + margin, shape[0])
    bits = crop(mask, Window(left, top, right - left, bottom - top))
    moved = bits | (distances(~bits) <= by) if by > 0 else distances(bits) > -by
    return trimmed(moved, left, top)


def _cut_off(mask: Mask, rng: np.random.Generator) -> Mask:
    """The part of a mask on one side of a straight line across it."""
    rows, columns = np.nonzero(mask.bits)
    angle = rng.uniform(0, 2 * np.pi)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    inside = along <= np.quantile(along, rng.uniform(*CUT_SHARE))
    bits = np.zeros_like(mask.bits)
    bits[rows[inside], columns[inside]] = True
    return trimmed(bits, mask.x, mask.y)


def _nearest(labels: NDArray[np.integer], bits: BoolArray, instance: int, within: float) -> int | None:
    """The id of the object that is nearest to this one, None where none is near."""
    place = find_objects(bits.astype(np.uint8))[0]
    margin = int(within) + 2
    box = tuple(slice(max(part.start - margin, 0), part.stop + margin) for part in place)
    near = distances(~bits[box])
    others = (labels[box] > 0) & (labels[box] != instance) & (near <= within)
    if not others.any():
        return None
    nearest = np.flatnonzero(others.ravel())[int(np.argmin(near[others]))]
    return int(labels[box].ravel()[nearest])
