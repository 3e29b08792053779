"""NumPy archives, one for each image: masks (n, height, width) bool, with classes and ids; nothing in them is pickled.

    `masks`: bool (n, height, width). `ids`: int64 (n). `classes`: int64 (n), places in `class_names`.
    `class_names`: text (c). `image`: text, the image's name.

Masks are written and read one after the other, so the memory is that of one mask.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from samtta_app.core.masks import full, trimmed
from samtta_app.core.names import storable
from samtta_app.core.project import Project, ProjectImage
from samtta_app.formats.base import Format, Found, LabelledMask, Reading, checked_size, strictly
from samtta_app.formats.image_files import file_by_image, files_of_images
from samtta_app.formats.label_maps import numbered_objects

_KINDS = "biu"
"""Truth values and whole numbers."""


def _write_image(project: Project, image: ProjectImage, file: Path, home: Path) -> None:
    objects = project.of_image(image.name)
    places = {c.id: k for k, c in enumerate(project.classes)}
    shape = (len(objects), image.height, image.width)
    head = {"descr": np.dtype(np.bool_).str, "fortran_order": False, "shape": shape}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("masks.npy", "w", force_zip64=True) as out:
            npy.write_array_header_1_0(out, head)
            for annotation in objects:
                out.write(full(annotation.mask, image.height, image.width).tobytes())
        values: dict[str, NDArray[np.generic]] = {
            "ids": np.array([a.id for a in objects], dtype=np.int64),
            "classes": np.array([places[a.class_id] for a in objects], dtype=np.int64),
            "class_names": np.array([storable(c.name) for c in project.classes], dtype=np.str_),
            "image": np.array(storable(image.name), dtype=np.str_),
        }
        for name, array in values.items():
            with archive.open(f"{name}.npy", "w") as out:
                npy.write_array(out, array, allow_pickle=False)


def _read_archive(file: Path, name: str, reading: Reading) -> Iterator[Found]:
    with zipfile.ZipFile(file) as archive:
        there = {each.removesuffix(".npy") for each in archive.namelist()}
        own = {key: _small(archive, key) for key in there & {"classes", "class_names", "image"}}
        image = str(own["image"]) if "image" in own and own["image"].ndim == 0 else name
        names = [str(each) for each in own["class_names"]] if "class_names" in own else []
        classes = own["classes"].tolist() if "classes" in own else []
        key = "masks" if "masks" in there else min(there - set(own), default="masks")
        with archive.open(f"{key}.npy") as stream:
            for number, found in enumerate(_read_array(stream, image, reading)):
                place = classes[number] if number < len(classes) else -1
                label = names[place] if 0 <= place < len(names) else found.class_name
                yield LabelledMask(found.image_name, label, found.mask)


def _read_array(stream: IO[bytes], name: str, reading: Reading) -> Iterator[LabelledMask]:
    """The objects of an array: masks (n, height, width) one after the other, or one map of numbers (height, width).

    Raises:
        ValueError: it is neither, or is cut off.
    """
    version = npy.read_magic(stream)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, by_columns, dtype = read_header(stream)
    if dtype.kind not in _KINDS or len(shape) not in (2, 3) or (by_columns and len(shape) == 3):
        raise ValueError(f"an array of {dtype} with the shape {shape} holds no masks")
    height, width = checked_size(name, int(shape[-2]), int(shape[-1]), reading)
    for _ in range(shape[0] if len(shape) == 3 else 1):
        data = stream.read(height * width * dtype.itemsize)
        if len(data) < height * width * dtype.itemsize:
            raise ValueError("the array is cut off")
        plane = np.frombuffer(data, dtype=dtype).reshape((height, width), order="F" if by_columns else "C")
        if len(shape) == 2:
            yield from numbered_objects(plane, name, reading)
        else:
            yield LabelledMask(name, reading.class_name, trimmed(plane != 0))


def _small(archive: zipfile.ZipFile, key: str) -> NDArray[np.generic]:
    if archive.getinfo(f"{key}.npy").file_size > 100_000_000:
        raise ValueError(f"{key} is too large")
    with archive.open(f"{key}.npy") as stream:
        found: NDArray[np.generic] = npy.read_array(stream, allow_pickle=False)
    return found


def _read_image(file: Path, name: str, reading: Reading) -> Iterator[Found]:
    try:
        if file.suffix.lower() == ".npy":
            with file.open("rb") as stream:
                yield from _read_array(stream, name, reading)
        else:
            yield from _read_archive(file, name, reading)
    except zipfile.BadZipFile as error:
        raise ValueError(f"it is no NumPy archive ({error})") from error


_archives = files_of_images("npz", ".npz", _read_image)
_arrays = files_of_images("npz", ".npy", _read_image)


def read_numpy(path: Path, reading: Reading) -> Iterator[Found]:
    """The objects of .npz or .npy files: masks (n, height, width), or a map of numbers (height, width).

    Raises:
        DatasetError: there is no such file.
    """
    arrays = path.suffix.lower() == ".npy" or (path.is_dir() and any(path.glob("*.npy")))
    return (_arrays if arrays else _archives)(path, reading)


NUMPY = Format(
    "npz",
    "NumPy: one .npz archive of masks per image",
    (".npz", ".json"),
    ("clicks, boxes and uncertainty", "alternative outlines"),
    file_by_image("npz", ".npz", _write_image),
    strictly(read_numpy),
)
