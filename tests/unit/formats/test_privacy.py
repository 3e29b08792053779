"""No place, date, name or comment of an image file leaves with an export, and the picture of a copy is the same."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from samtta_app.core.planes import PlaneChoice, ReadingChoice
from samtta_app.core.types import Mask
from samtta_app.formats import FORMATS
from samtta_app.formats.clean_copies import clean_copy
from samtta_app.formats.importers import ImportedObject
from samtta_app.images.read import image_orientation, read_image
from samtta_app.regular_files import read_json
from samtta_app.session.project.imported_objects import store_imported
from samtta_app.session.project.store import Store
from tests.unit.core.crafted import PATIENT, dicom, noise

SECRETS = (b"Secret", b"52/1", b"Doe", b"4711")


def exif(orientation: int) -> PIL.Image.Exif:
    block = PIL.Image.Exif()
    block[274], block[271], block[315], block[306] = orientation, "SecretMaker", "SecretName", "1999:01:01 01:01:01"
    block.get_ifd(34853)[2] = (52.0, 31.0, 12.0)
    block.get_ifd(34853)[29] = "SecretDay"
    block.get_ifd(34665)[37510] = b"SecretComment"
    return block


def camera_file(path: Path, orientation: int = 6) -> Path:
    options: dict[str, object] = {"exif": exif(orientation)}
    if path.suffix == ".png":
        text = PIL.PngImagePlugin.PngInfo()
        text.add_text("Comment", "Secret")
        options["pnginfo"] = text
    if path.suffix == ".jpg":
        options |= {"comment": b"Secret", "quality": 95, "xmp": b"<x>Secret</x>"}
    if path.suffix == ".webp":
        options |= {"lossless": True, "xmp": b"<x>Secret</x>"}
    PIL.Image.fromarray(noise()).save(path, **options)
    return path


def exported(folder: Path, out: Path, form: str = "dataset", **choice: object) -> None:
    with Store.open(folder) as store:
        if choice:
            store.choose_reading(ReadingChoice(**choice))
        objects = []
        for entry in store.images():
            image = read_image(entry.path, planes=store.reading.planes)
            mask = Mask(2, 3, np.ones((4, 5), bool))
            objects.append(ImportedObject(entry.name, (image.height, image.width), "object", mask))
        store_imported(store, objects, "test")
        FORMATS[form].write(store.project(), out)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_copy_is_the_same_picture_without_private_data(tmp_path: Path, ending: str, orientation: int) -> None:
    (tmp_path / "in").mkdir()
    path = camera_file(tmp_path / "in" / f"a{ending}", orientation)
    assert b"Secret" in path.read_bytes()
    exported(tmp_path / "in", tmp_path / "out")
    copy = tmp_path / "out" / "images" / f"a{ending}"
    assert not any(secret in copy.read_bytes() for secret in SECRETS)
    assert np.array_equal(read_image(copy).pixels, read_image(path).pixels)
    if ending != ".tif":
        assert image_orientation(copy) == orientation
    legend = read_json(tmp_path / "out" / "dataset.json")
    assert "EXIF" in legend["privacy"]
    assert legend["packed_anew"] == []


@pytest.mark.parametrize("form", FORMATS)
def test_no_export_holds_a_secret_of_a_photo_or_a_patient(tmp_path: Path, form: str) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.jpg", "b.png"):
        camera_file(tmp_path / "in" / name)
    (tmp_path / "in" / "c.dcm").write_bytes(dicom(noise(channels=1)))
    assert PATIENT.encode() in (tmp_path / "in" / "c.dcm").read_bytes()
    exported(tmp_path / "in", tmp_path / "out", form)
    written = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert written
    assert not any(secret in data for data in written for secret in (b"Secret", b"Doe", b"4711"))


def test_other_kinds_and_other_planes_are_packed_anew(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    stack = np.stack([noise(channels=1), 255 - noise(channels=1)])
    tifffile.imwrite(tmp_path / "in" / "a.tif", stack, metadata={"axes": "ZYX"}, photometric="minisblack")
    PIL.Image.fromarray(noise()).save(tmp_path / "in" / "b.gif")
    exported(tmp_path / "in", tmp_path / "out", planes=PlaneChoice((("Z", 1),)))
    assert read_json(tmp_path / "out" / "dataset.json")["packed_anew"] == ["a.png", "b.png"]
    assert np.array_equal(read_image(tmp_path / "out" / "images" / "a.png").pixels[..., 0], stack[1])
    assert len(list(FORMATS["dataset"].read(tmp_path / "out"))) == 2


def test_what_says_the_planes_of_a_tiff_stays_and_a_free_text_goes(tmp_path: Path) -> None:
    stack = np.stack([noise(channels=1)] * 2)
    for k, options in enumerate(({"metadata": {"axes": "ZYX"}}, {"metadata": None, "description": "Secret place"})):
        path = tmp_path / f"{k}.tif"
        tifffile.imwrite(
            path, stack, photometric="minisblack", software="Secret", extratags=[(315, 2, 0, "Secret", True)], **options
        )
        (tmp_path / "copy.tif").write_bytes(cleaned := clean_copy(path.read_bytes(), 1) or b"")
        assert b"Secret" not in cleaned
        assert read_image(tmp_path / "copy.tif").axes == read_image(path).axes
        with tifffile.TiffFile(tmp_path / "copy.tif") as found:
            assert len(found.pages) == 2


def test_a_picture_behind_the_picture_of_a_jpeg_goes(tmp_path: Path) -> None:
    first, second = (PIL.Image.new("RGB", (32, 24), colour) for colour in ((200, 0, 0), (0, 0, 200)))
    file = io.BytesIO()
    first.save(file, "MPO", save_all=True, append_images=[second])
    cleaned = clean_copy(file.getvalue() + b"Secret trailer \xff\xd9", 1) or b""
    assert cleaned.count(b"\xff\xd8\xff") == 1
    assert b"Secret" not in cleaned
    assert b"MPF" not in cleaned
    with PIL.Image.open(io.BytesIO(cleaned)) as found:
        assert found.getpixel((3, 3))[0] > 150


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_damaged_file_gives_no_copy_or_no_secret(kind: str) -> None:
    file = io.BytesIO()
    PIL.Image.fromarray(noise()).save(file, kind, exif=exif(6))
    data = file.getvalue()
    for length in range(4, len(data), max(1, len(data) // 60)):
        cleaned = clean_copy(data[:length], 6)
        assert cleaned is None or b"Secret" not in cleaned or kind == "TIFF"
    assert clean_copy(b"GIF89a", 1) is None
