"""A samtta project whose accepted objects are those of a data set folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from samtta_app.datasets.folder import open_dataset, read_objects
from samtta_app.images.read import image_size
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import accepted


def project_of(dataset: Path, folder: Path) -> Path:
    """The images of a data set in a folder of their own, with a project in which all its objects were accepted."""
    folder.mkdir(parents=True)
    images = open_dataset(dataset).images
    for image in images:
        shutil.copy(image.path, folder)
    with Store.open(folder) as store:
        for image in images:
            size = image_size(image.path)
            for target in read_objects(image):
                store.accept(accepted(image.path.name, target.mask), *size)
    return folder
