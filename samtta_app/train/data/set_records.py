"""Records to learn from, by split: of a data set folder, or of a samtta project as it is.

A project may stand wherever a data set may. Its accepted masks are read from its database, which may be open in a
window meanwhile; nothing is copied or changed. So a model is trained on what was annotated with its help, answers the
next images, and is trained again. This is SAM's data engine with the model in the loop (Kirillov et al. 2023, section
4). The split is that of `samtta export --format dataset`. Unlike there, objects that overlap all stay whole.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.types import Mask
from samtta_app.errors import DatasetError
from samtta_app.formats.dataset import split_of
from samtta_app.session.project.location import HOME
from samtta_app.session.project.store import Store
from samtta_app.train.data.labelled_images import (
    LabelledImage,
    image_paths,
    is_project,
    read_labelled,
    usable,
    with_layers,
)

log = logging.getLogger(__name__)


def set_name(folder: Path) -> str:
    """The name of a data set or project: that of its folder; of a project in its usual place, the images' folder's."""
    place = folder.resolve()
    return place.parent.name if place.name == HOME else place.name


def labelled_records(folder: Path, split: str, most: int | None = None) -> list[LabelledImage]:
    """Records of a split's first `most` images; unreadable or unsuitable ones are named in the log and skipped.

    Raises:
        DatasetError: `folder` is neither a data set nor a project, it has no such split, or nothing is accepted in it.
        ProjectError: the project cannot be read.
    """
    if is_project(folder):
        return _project_records(folder, split, most)
    return read_labelled(image_paths(folder, split)[:most])


def _project_records(folder: Path, split: str, most: int | None) -> list[LabelledImage]:
    """Every accepted object that fits its image; each keeps the pixels that it shares with others, in a layer of its own."""
    with Store.open_to_read(folder) as store:
        project = store.project()
        for remark in (store.notice, *project.remarks):
            if remark:
                log.warning("%s: %s", folder, remark)
        if not project.annotated:
            do = "Accept objects first (samtta open), or give another folder"
            raise DatasetError("The project has no accepted objects to learn from", folder, do)
        splits = split_of(project.annotated)
        if split not in splits:
            raise DatasetError(f"A project has no split {split!r}", folder, f"Choose one of {', '.join(splits)}")
        chosen = [image for image in project.annotated if image.name in splits[split]][:most]
        sizes = {project.folder / image.name: (image.height, image.width) for image in chosen}
        masks = {path: tuple(a.mask for a in project.of_image(path.name)) for path in sizes}
    return usable(list(sizes), lambda path: with_layers(path, mask_layers(masks[path], *sizes[path]), folder))


def mask_layers(masks: Sequence[Mask], height: int, width: int) -> NDArray[np.uint16]:
    """Label layers (L, H, W) of masks within an image, numbered from 1; masks that overlap lie in different layers."""
    layers = [np.zeros((height, width), np.uint16)]
    for number, mask in enumerate(masks, start=1):
        rows, columns = mask.bits.shape
        place = np.s_[mask.y : mask.y + rows, mask.x : mask.x + columns]
        free = next((layer for layer in layers if not layer[place][mask.bits].any()), None)
        if free is None:
            free = np.zeros((height, width), np.uint16)
            layers.append(free)
        free[place][mask.bits] = number
    return np.stack(layers)
