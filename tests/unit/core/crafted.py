"""Image files made byte by byte: what no program writes, but anybody can send."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

PATIENT = "Doe^Jane"

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

GIF = (
    b"GIF89a" + struct.pack("<HHBBB", 19_999, 19_999, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    b"," + struct.pack("<HHHHB", 0, 0, 19_999, 19_999, 0) + b"\x02\x02\x4c\x01\x00\x3b"
)
"""A GIF header of 19,999 x 19,999."""

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n(out) (w) file\nshowpage\n%%EOF\n"


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    width: int, height: int, depth: int = 8, colour: int = 0, *, rows: int | None = None, extra: bytes = b""
) -> bytes:
    """A black PNG; `rows` (all without) are packed, in a stream that ends properly."""
    line = bytes(1 + (width * CHANNELS[colour] * depth + 7) // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(line) for _ in range(height if rows is None else rows)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def claiming_png(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG whose header claims a size that its few bytes do not hold."""
    data = png(8, 8, depth, colour)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return data[:8] + header + data[8 + len(header) :]


def tiff(tags: Sequence[tuple[int, int, int, int]], data: bytes = b"") -> bytes:
    """A little-endian TIFF of one page: (tag, type, count, value) and what follows the tags."""
    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    for tag, kind, count, value in sorted(tags):
        head += struct.pack("<HHI", tag, kind, count)
        head += struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value)
    return head + struct.pack("<I", 0) + data


def claiming_tiff(width: int, height: int, *, packed: int = 8, bits: int = 16, count: int = 0, tile: int = 0) -> bytes:
    """A TIFF of some 134 bytes that claims a size; `tile` is the side of its only tile, a strip without."""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, packed), (262, 3, 1, 1)]
    tags += [(277, 3, 1, 1)]
    tags += [(322, 4, 1, tile), (323, 4, 1, tile), (324, 4, 1, 8), (325, 4, 1, count)] if tile else []
    tags += [] if tile else [(273, 4, 1, 8), (278, 4, 1, height), (279, 4, 1, count)]
    return tiff(tags, bytes(8))


def many_scans(side: int, extra: int) -> bytes:
    """A progressive grey JPEG whose last scan is repeated: little data, much work."""
    file = io.BytesIO()
    PIL.Image.new("L", (side, side), 77).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * extra + b"\xff\xd9"


def noise(height: int = 40, width: int = 48, channels: int = 3) -> np.ndarray:
    values = np.random.default_rng(5).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return values if channels > 1 else values[..., 0]


def stored(kind: str, values: np.ndarray | None = None, **options: object) -> bytes:
    values = noise() if values is None else values
    if kind == "DICOM":
        return dicom(values, **options)
    file = io.BytesIO()
    named = {"JPEG 2000": "JPEG2000", "PNM": "PPM"}.get(kind, kind)
    PIL.Image.fromarray(values).save(file, named, **options)
    return file.getvalue()


def dicom(values: np.ndarray, **attributes: object) -> bytes:
    """A DICOM of (H, W), (H, W, 3) or (frames, H, W), with a patient, and further attributes by keyword."""
    colour = values.ndim == 3 and values.shape[2] == 3
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.PatientName, data.PatientID, data.PatientBirthDate = PATIENT, "4711-PID", "19500102"
    data.Rows, data.Columns = values.shape[:2] if colour or values.ndim == 2 else values.shape[1:]
    if values.ndim == 3 and not colour:
        data.NumberOfFrames = len(values)
    data.SamplesPerPixel, data.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
    if colour:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * values.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(values.dtype.kind == "i")
    data.PixelData = values.tobytes()
    data["PixelData"].VR = "OB" if values.itemsize == 1 else "OW"
    for name, value in attributes.items():
        setattr(data, name, value)
    file = io.BytesIO()
    data.save_as(file, enforce_file_format=True)
    return file.getvalue()


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
