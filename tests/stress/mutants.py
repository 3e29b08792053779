"""Broken files made from good ones: bits, bytes, lengths, headers, values, and whole files that lie about themselves."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
import struct
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

Rng = np.random.Generator
Mutator = Callable[[Rng, bytes], bytes]
Replacer = Callable[[Rng, Path], None]

HUGE, DEEP = "9" * 5000, "[" * 50_000 + "]" * 50_000
RAW = {'"@huge@"': HUGE, '"@deep@"': DEEP, '"@inf@"': "1e999"}
"""JSON that no Python value gives, put in the place of a mark."""

STRANGE: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 7, 2**16, 2**24, 2**31 - 1, 2**63, 0.5, 1e308, float("nan"), "@huge@", "@deep@", "@inf@"),
    *("", "x" * 5000, "\ud800", "\0", "ü.png", "../../../x", "/nowhere/at/all", "hf-hub:timm/resnet18.a1_in1k"),
    *("local-dir:/nowhere", "<img src='/dev/zero'>", "=1+1", "$\\frac{$", [], {}, [[]], {"a": {}}, ["a", 1, None]),
)
"""Values that stand where something else is expected."""


# --- bytes ----------------------------------------------------------------------------------------------------------------


def flipped(rng: Rng, data: bytes) -> bytes:
    """1 to 16 bits the other way round."""
    found = bytearray(data)
    for place in rng.integers(0, max(len(found), 1), int(rng.integers(1, 17))) if found else ():
        found[place] ^= 1 << int(rng.integers(8))
    return bytes(found)


def header(rng: Rng, data: bytes) -> bytes:
    """1 to 8 bytes among the first 96 are the lowest, the highest or any."""
    found = bytearray(data)
    for place in rng.integers(0, min(len(found), 96), int(rng.integers(1, 9))) if found else ():
        found[place] = int(rng.choice([0, 1, 127, 128, 255, int(rng.integers(256))]))
    return bytes(found)


def cut(rng: Rng, data: bytes) -> bytes:
    """The end is missing."""
    return data[: int(rng.integers(0, len(data) + 1))]


def noise(rng: Rng, data: bytes) -> bytes:
    """The first bytes, then chance."""
    kept = int(rng.choice([0, 4, 8, 16]))
    return data[:kept] + rng.bytes(int(rng.integers(1, 4000)))


def empty(rng: Rng, data: bytes) -> bytes:
    """Nothing."""
    return b""


def unbroken(rng: Rng, data: bytes) -> bytes:
    """The file as it is."""
    return data


BYTES: tuple[Mutator, ...] = (flipped, header, cut, noise, flipped, empty)


def not_a_file(rng: Rng, path: Path) -> None:
    """In the place of the file is a pipe that nobody writes to, a folder, or a link to itself, to nothing or to no end."""
    path.unlink()
    target = ["", "/", path.name, "nowhere", os.devnull, "/dev/zero"][int(rng.integers(6))]
    if target == "/":
        path.mkdir()
    elif target:
        path.symlink_to(target)
    else:
        os.mkfifo(path)


# --- values ---------------------------------------------------------------------------------------------------------------


def strange(rng: Rng) -> Any:
    """Any strange value."""
    return STRANGE[int(rng.integers(len(STRANGE)))]


def spoiled(rng: Rng, value: Any) -> Any:
    """`value` (of JSON) with one strange, missing or added thing somewhere in it, also inside texts that are JSON."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.dumps(spoiled(rng, json.loads(value)))
        except ValueError:
            return strange(rng)
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = list(value)[int(rng.integers(len(value)))]
        rest = {key: item for key, item in value.items() if key != name}
        draw = rng.random()
        if draw < 0.1:
            return rest
        if draw < 0.2:
            return rest | {str(strange(rng)): value[name]}
        return {key: spoiled(rng, item) if key == name else item for key, item in value.items()}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = int(rng.integers(len(value)))
        return [spoiled(rng, item) if k == place else item for k, item in enumerate(value)]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and rng.random() < 0.4:
        return value * int(2 ** rng.integers(1, 20)) * int(rng.choice([-1, 1]))
    return strange(rng)


def as_json(value: Any) -> str:
    """`value` as text, the marks replaced."""
    text = json.dumps(value)
    for mark, raw in RAW.items():
        text = text.replace(mark, raw)
    return text


def json_value(rng: Rng, data: bytes) -> bytes:
    """JSON with something strange in it."""
    return as_json(spoiled(rng, json.loads(data))).encode()


def json_line(rng: Rng, data: bytes) -> bytes:
    """JSON lines, something strange in one of them."""
    lines = data.decode().splitlines()
    place = int(rng.integers(len(lines)))
    lines[place] = as_json(spoiled(rng, json.loads(lines[place])))
    return "\n".join(lines).encode()


def safetensors_header(rng: Rng, data: bytes) -> bytes:
    """A safetensors file with something strange in its header, mostly in the metadata."""
    length = int.from_bytes(data[:8], "little")
    values = json.loads(data[8 : 8 + length])
    known: dict[str, str] = values["__metadata__"]
    if rng.random() < 0.7 and known:
        name = sorted(known)[int(rng.integers(len(known)))]
        values["__metadata__"] = known | {name: _text(spoiled(rng, known[name]))}
    else:
        values = spoiled(rng, values)
    text = as_json(values).encode("utf-8", "surrogatepass")
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    for mark, raw in RAW.items():
        text = text.replace(mark, raw)
    return text


def toml_value(rng: Rng, data: bytes) -> bytes:
    """TOML with a strange value, an unknown key or a key twice."""
    lines = data.decode().splitlines()
    keyed = [k for k, line in enumerate(lines) if re.match(r"\w+ *=", line)]
    place = keyed[int(rng.integers(len(keyed)))]
    value = as_json(strange(rng)).replace("null", "{").replace("NaN", "nan")
    name = lines[place].split("=")[0]
    draw = rng.random()
    if draw < 0.7:
        lines[place] = f"{name}= {value}"
    else:
        lines.insert(place, f"{name}= {value}" if draw < 0.8 else f"unknown = {value}")
    return "\n".join(lines).encode("utf-8", "surrogatepass")


INI = (
    *("@Invalid()", "@Rect(1 2)", "@Variant(\\0\\0\\0\\x7f\\0\\0\\0\\x1x)", "@ByteArray(\\xff\\xff)", "@DateTime(\\0)"),
    *('"', "1, 2, , 3", "\\x", "x" * 100_000, "/dev/zero, /nowhere", "<img src='/dev/zero'>", ""),
)


def ini_value(rng: Rng, data: bytes) -> bytes:
    """What Qt wrote, with a value of another kind."""
    lines = data.decode("latin-1").splitlines()
    keyed = [k for k, line in enumerate(lines) if "=" in line]
    place = keyed[int(rng.integers(len(keyed)))]
    lines[place] = f"{lines[place].split('=')[0]}={INI[int(rng.integers(len(INI)))]}"
    return "\n".join(lines).encode("latin-1")


CELLS: tuple[Any, ...] = (
    *(None, -1, 0, 2**31, 2**62, 1e300, float("inf"), "", "nan", "[0, 0, 512", "[1, 2]", "[null, 0, 9, 9]", "{}"),
    *(
        "[0, 0, 1e999, 3]",
        b"\x00\xff",
        b"",
        "x" * 5000,
        "../../../x",
        "/nowhere/at/all",
        "<img src='/dev/zero'>",
        "=1+1",
    ),
)
"""Values for a cell of the database."""

OF_ROW: Mapping[str, str] = {
    "annotations": "SELECT count(*) FROM annotations WHERE rowid = ? AND NOT deleted",
    "steps": "SELECT count(*) FROM annotations WHERE id = (SELECT annotation_id FROM steps WHERE rowid = ?)",
    "images": "SELECT count(*) FROM annotations WHERE image = (SELECT name FROM images WHERE rowid = ?)",
    "classes": "SELECT count(*) FROM annotations WHERE class_id = (SELECT id FROM classes WHERE rowid = ?)",
    **dict.fromkeys(("adaptations", "twins", "controls", "weights"), "SELECT 0 WHERE ? IS NOT NULL"),
}
"""How many objects hang on a row, by table; all others must be there whatever stands in it."""


def edit_cell(rng: Rng, path: Path) -> int:
    """Put a strange value into one cell of a database; returns how many objects must still be there."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        tables = [t for t in OF_ROW if db.execute(f"SELECT count(*) FROM {t}").fetchone()[0]]
        table = tables[int(rng.integers(len(tables)))]
        rows = [row[0] for row in db.execute(f"SELECT rowid FROM {table}")]
        row = rows[int(rng.integers(len(rows)))]
        columns = [column[1] for column in db.execute(f"PRAGMA table_info({table})")]
        whole = db.execute("SELECT count(*) FROM annotations WHERE NOT deleted").fetchone()[0]
        rest = whole - db.execute(OF_ROW[table], (row,)).fetchone()[0]
        for place in rng.permutation(len(CELLS)):
            column = columns[int(rng.integers(len(columns)))]
            try:
                db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (CELLS[place], row))
                return int(rest)
            except sqlite3.Error:
                continue
    raise AssertionError("no value could be put anywhere")


# --- images that lie ------------------------------------------------------------------------------------------------------


def png(width: int, height: int, depth: int, colour: int, data: bytes) -> bytes:
    """A PNG of this header (sums right) over zlib `data`."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def large_png(rng: Rng, data: bytes) -> bytes:
    """A small file that unpacks to hundreds of millions of values: 1 to 16 bit, grey to RGBA, or cut off."""
    depth, colour, channels = [(8, 0, 1), (16, 6, 4), (8, 2, 3), (1, 0, 1), (16, 0, 1), (8, 6, 4)][int(rng.integers(6))]
    side = int(rng.integers(9_000, 19_900))
    row = bytes(1 + side * channels * depth // 8)
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(row) for _ in range(int(rng.choice([1, side])) if side < 12_000 else 1))
    return png(side, side, depth, colour, rows + packer.flush())


def large_gif(rng: Rng, data: bytes) -> bytes:
    """37 bytes that say they are up to 400 million pixels."""
    side = int(rng.integers(10_000, 19_999))
    screen = struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    return b"GIF89a" + screen + b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\x00;"


def large_bmp(rng: Rng, data: bytes) -> bytes:
    """A BMP header with nothing after it."""
    side, bits = int(rng.integers(10_000, 19_999)), int(rng.choice([1, 8, 24, 32]))
    return b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, side, side, 1, bits, 0, 0, 0, 0, 0, 0)


def large_tiff(rng: Rng, data: bytes) -> bytes:
    """134 bytes that say they are gigabytes, without data (sparse) or packed."""
    width, height = int(rng.integers(9_000, 40_000)), int(rng.integers(9_000, 19_000))
    bits, samples, packing = int(rng.choice([8, 16, 32])), int(rng.choice([1, 3, 4])), int(rng.choice([1, 5, 8]))
    tags = [(256, width), (257, height), (258, bits), (259, packing), (262, 1 if samples == 1 else 2), (273, 8)]
    tags += [(277, samples), (278, height), (279, int(rng.choice([0, 8, 16])))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 16) + bytes(8) + struct.pack("<H", len(tags)) + entries + bytes(4)


def many_scans(rng: Rng, data: bytes) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each one costs a pass over the whole image."""
    side = int(rng.integers(2_000, 6_000))
    packed = io.BytesIO()
    PIL.Image.new("L", (side, side), 90).save(packed, "JPEG", progressive=True)
    whole = packed.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * int(rng.integers(500, 2_000)) + whole[-2:]


def program(rng: Rng, data: bytes) -> bytes:
    """PostScript: an image for whoever hands it to an interpreter."""
    version = ["PS-Adobe-3.0 EPSF-3.0", "PS-Adobe-2.0 EPSF-1.2", "PS-Adobe-3.0"][int(rng.integers(3))]
    return f"%!{version}\n%%BoundingBox: 0 0 64 48\n%%EndComments\n{{}} loop\n%%EOF\n".encode()


def large_ids(rng: Rng, data: bytes) -> bytes:
    """A mask whose one object has a high id: 32 bit TIFF or 16 bit PNG, whatever its name."""
    labels = np.zeros((48, 64), np.int32)
    labels[10:30, 10:30] = int(rng.choice([2**31 - 1, 2**30, 2**24, 65_535]))
    packed = io.BytesIO()
    if labels.max() > 65_535:
        PIL.Image.fromarray(labels, "I").save(packed, "TIFF")
    else:
        PIL.Image.fromarray(labels.astype(np.uint16)).save(packed, "PNG")
    return packed.getvalue()


IMAGES: tuple[Mutator, ...] = (program, large_gif, large_tiff, large_png, many_scans, large_bmp)
