"""The data sets of a run: what it learns from, and the held-out windows on which it is measured.

A data set is a folder of images and masks, a folder of photos, or a samtta project.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from samtta_app.datasets.folds import check_not_novel
from samtta_app.errors import DatasetError
from samtta_app.train.batches import SYNTHETIC
from samtta_app.train.data.crops import TrainingView, held_out_views
from samtta_app.train.data.labelled_images import LabelledImage, has_masks, image_paths
from samtta_app.train.data.pseudo_masks import pseudo_records
from samtta_app.train.data.set_records import labelled_records, set_name

log = logging.getLogger(__name__)

HELD_OUT_OBJECTS = 24
"""Windows of each set that are measured during a run."""


def named_folders(datasets: Sequence[Path]) -> dict[str, Path]:
    """Data set folders by their own names.

    Raises:
        DatasetError: there is none, two have one name, or one is kept for measuring.
    """
    if not datasets:
        raise DatasetError("There is no data set to train on", do="Give at least one folder with images in it")
    folders: dict[str, Path] = {}
    for folder in datasets:
        name = set_name(folder)
        if name in folders or name == SYNTHETIC:
            raise DatasetError(f"The name {name!r} is taken", folder, "Rename the folder: each set needs its own name")
        check_not_novel(folder)
        folders[name] = folder
    return folders


def read_sets(datasets: Sequence[Path], split: str, cache: Path) -> dict[str, list[LabelledImage]]:
    """Records of every data set by folder name; photos get pseudo-masks, kept in `cache`.

    Raises:
        DatasetError: none of them has a usable image with an object, or two have one name.
    """
    sets = {}
    for name, folder in named_folders(datasets).items():
        if has_masks(folder):
            sets[name] = labelled_records(folder, split)
        else:
            sets[name] = pseudo_records(image_paths(folder, split), cache / name)
        count = sum(len(record.objects) for record in sets[name])
        log.info("%s: %d images, %d objects", name, len(sets[name]), count)
    if not any(sets.values()):
        places = ", ".join(str(folder) for folder in datasets)
        raise DatasetError(
            f"There is no usable image with an object in {places}", do="Check images/, masks/ and split.json there"
        )
    return sets


def read_masked_sets(datasets: Sequence[Path], split: str, cache: Path) -> list[list[LabelledImage]]:
    """The images with an object of each data set that has some.

    Raises:
        DatasetError: a set has no masks; or as in `read_sets`.
    """
    for folder in named_folders(datasets).values():
        if not has_masks(folder):
            raise DatasetError("The data set has no masks", folder, "This is learned from masks: leave the set out")
    usable = [[record for record in of_set if record.objects] for of_set in read_sets(datasets, split, cache).values()]
    return [of_set for of_set in usable if of_set]


def read_held_out(datasets: Sequence[Path]) -> dict[str, list[TrainingView]]:
    """Windows of the test splits of all sets with masks, at 256 pixels: fast, and the same through a run."""
    views = {}
    for name, folder in named_folders(datasets).items():
        if has_masks(folder):
            records = labelled_records(folder, "test", HELD_OUT_OBJECTS)
            views[name] = held_out_views(records, HELD_OUT_OBJECTS, 256, seed=0)
    return {name: of_set for name, of_set in views.items() if of_set}
