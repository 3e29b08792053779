"""What is annotated, in which order: the objects of one set, of several mixed, or of one set after the other."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Literal

import numpy as np

from samtta_app.core.names import file_names
from samtta_app.datasets.folder import FolderDataset, TargetObject, open_dataset, read_objects
from samtta_app.errors import DatasetError

Way = Literal["each", "mix", "chain"]
"""How several sets are used: a session each, one session over all of them at once, or one after the other."""

AFTER = " after "
"""Between the names of a set that is annotated and of the one that was learned before."""

PER_IMAGE, _MIN_AREA = 4, 16
"""Objects taken of one image at most, and the least pixels of an object."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the objects of a session come from: one set, or several that `way` combines, "mix" or "chain".

    With `class_name`, only the objects of this class of one set.
    """

    folders: tuple[Path, ...]
    way: Way = "each"
    class_name: str | None = None

    @property
    def name(self) -> str:
        """One set's own name, with its class in brackets where one is chosen; "a+b" for a mixture, "a>b" for a chain."""
        joined = {"each": "", "mix": "+", "chain": ">"}[self.way].join(_name(folder) for folder in self.folders)
        return joined if self.class_name is None else f"{joined} [{self.class_name}]"


def sources(folders: Sequence[Path], way: Way) -> tuple[Source, ...]:
    """The sessions' sources for some data sets.

    Raises:
        DatasetError: two of them have one name, or there is only one to mix or chain.
    """
    names = [_name(folder) for folder in folders]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise DatasetError(f'Two data sets are named "{double}"', "", "Rename a folder, or give it once")
    if way == "each":
        return tuple(Source((folder,)) for folder in folders)
    if len(folders) < 2:
        raise DatasetError("There is only one data set", folders[0], "Give two or more to mix or chain")
    return (Source(tuple(folders), way),)


def objects_of(source: Source, *, objects: int, seed: int, split: str | None) -> tuple[TargetObject, ...]:
    """The stream of a session, up to `objects` objects; each image's path is where the data set has it.

    A mixture takes its objects from the sets in turn, and each object's class is its set's name. A chain takes the same
    number from each set, one set after the other. These are the first objects of that set's own stream with this seed.

    Args:
        seed: of the order, from 0.
        split: a split's name, "all", or None for "test" where a set has one.

    Raises:
        DatasetError: a set cannot be used.
    """
    opened = [open_dataset(folder) for folder in source.folders]
    share = -(-objects // len(opened))
    found = [
        stream(data, split=part_of(data, split), objects=share, seed=seed, per_image=PER_IMAGE, min_area=_MIN_AREA)
        for data in opened
    ]
    if source.way == "mix":
        named = [
            [replace(target, class_name=data.name) for target in own] for data, own in zip(opened, found, strict=True)
        ]
        in_turn = (target for turn in zip_longest(*named) for target in turn if target is not None)
        return tuple(in_turn)[:objects]
    return tuple(chain.from_iterable(found))[:objects]


def by_class(source: Source, split: str | None) -> tuple[Source, ...]:
    """The source of one set, once for each class of its objects.

    Raises:
        DatasetError: the set cannot be used, or the source is of several sets.
    """
    if source.way != "each":
        raise DatasetError("Streams by class need one set each", source.name, "Leave --mix and --chain out")
    data = open_dataset(source.folders[0])
    images = data.part(part_of(data, split))
    names = sorted({target.class_name for image in images for target in read_objects(image)})
    return tuple(replace(source, class_name=name) for name in names)


def permuted(source: Source, *, seed: int, split: str | None, objects: int | None = None) -> tuple[TargetObject, ...]:
    """All objects of a set, or of its class, in one random permutation; with `objects`, the first so many of it.

    Source: the released code of Schön et al. permutes all samples, one object each.

    Raises:
        DatasetError: the set cannot be used, or has no such object.
    """
    data = open_dataset(source.folders[0])
    images = data.part(part_of(data, split))
    found = [target for image in images for target in read_objects(image)]
    found = [target for target in found if source.class_name in (None, target.class_name)]
    if not found:
        raise DatasetError("There is no object", data.folder, "Choose another split")
    order = np.random.default_rng(seed).permutation(len(found))
    return tuple(found[k] for k in order[:objects])


def stream(
    dataset: FolderDataset, *, split: str | None, objects: int, seed: int, per_image: int, min_area: int
) -> tuple[TargetObject, ...]:
    """Up to `objects` objects of one set, image after image as a user works; at most `per_image` objects of each image.

    The seed decides the order of the images and that of the objects in each.

    A shorter stream is the beginning of a longer one.

    Raises:
        DatasetError: there is no such split, or no object in it.
    """
    rng = np.random.default_rng(seed)
    images = dataset.part(split)
    found: list[TargetObject] = []
    for place in rng.permutation(len(images)):
        here = read_objects(images[place], min_area)
        found += [here[k] for k in rng.permutation(len(here))[:per_image]]
        if len(found) >= objects:
            break
    if not found:
        raise DatasetError(f"There is no object of {min_area} pixels or more", dataset.folder, "Choose another split")
    return tuple(found[:objects])


def part_of(dataset: FolderDataset, split: str | None) -> str | None:
    """The split that is meant: None for every image; without a name, "test" where the set has one."""
    if split is None:
        return "test" if "test" in dataset.splits else None
    return None if split == "all" else split


def session_files(source: Source, targets: Sequence[TargetObject], home: Path) -> tuple[Path, Mapping[Path, str]]:
    """The folder of images that a session opens, and each image's name in it.

    For one set that is its own folder. For several it is `home`, with a link to each image of the stream (a copy where links
    cannot be made). The link's name begins with its set's.

    Raises:
        DatasetError: `home` cannot be written.
    """
    paths = dict.fromkeys(target.image.path for target in targets)
    if source.way == "each":
        return source.folders[0] / "images", {path: path.name for path in paths}
    try:
        home.mkdir(parents=True, exist_ok=True)
        wanted = {path: f"{_name(path.parent.parent)}-{path.stem}" for path in paths}
        made = file_names(wanted)
        return home, {path: _placed(path, home / f"{made[path]}{path.suffix}") for path in wanted}
    except OSError as e:
        raise DatasetError(f"The images cannot be put together: {e.strerror}", home, "Make room on the disk") from e


def _placed(image: Path, place: Path) -> str:
    place.unlink(missing_ok=True)  # or a copy would be written through a link
    try:
        place.symlink_to(image.resolve())
    except (OSError, NotImplementedError):
        shutil.copyfile(image, place)
    return place.name


def _name(folder: Path) -> str:
    return folder.resolve().name


def distinct_objects(targets: Iterable[TargetObject]) -> tuple[TargetObject, ...]:
    """Every object once, in the order of images, so that an image is read once."""
    found = {identity(target): target for target in targets}
    return tuple(found[key] for key in sorted(found))


def identity(target: TargetObject) -> tuple[Path, int]:
    """A key that identifies an object among all objects of some sets."""
    return target.image.path, target.instance
