"""Train on a GPU that can be had for minutes only, on a machine that cannot fetch anything.

    python packaging/gpu_run.py pack DATA --recipe RECIPE --start MODEL --into FOLDER [--megabytes 30]
    python packaging/gpu_run.py train FOLDER --out OUT [--minutes 7] [--device auto]
    python packaging/gpu_run.py join OUT --checkpoint FILE

`pack` copies the train images of the sets that a recipe names, small enough to travel: WebP, sides of at most a given
length, and with them the pseudo-masks of photos. `train` trains for some minutes and writes what counts most first: the
weights, then the log, then the checkpoint in parts. `join` puts the parts together again, for `--resume`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout's own samtta, which is not installed there

from samtta_app.images.read import read_image
from samtta_app.train.compact.mixture import PHOTOS
from samtta_app.train.compact.recipe import read_recipe
from samtta_app.train.compact.training_command import train_model
from samtta_app.train.data.labelled_images import has_masks, image_paths
from samtta_app.train.data.pseudo_masks import pseudo_records

PART_BYTES = 15_000_000
"""A part of the checkpoint; files that come back have at most 16 MiB."""
HELD_OUT = 6
"""Test images of each set that travel too: enough to see whether a run goes well."""
QUALITIES = (90, 80, 70, 60, 50)
SIDE, PHOTO_SIDE = 640, 384
"""Longest sides in pixels; photos are many and their objects large."""
PHOTO_COUNT = 320
PSEUDO_MEGABYTES = 3
"""About what the pseudo-masks of so many photos take."""

log = logging.getLogger("gpu_run")


@dataclass(frozen=True, slots=True)
class Picked:
    """An image that travels."""

    path: Path
    split: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the three commands; 0 when it has done what it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    pack = commands.add_parser("pack")
    pack.add_argument("data", type=Path)
    pack.add_argument("--recipe", type=Path, required=True)
    pack.add_argument("--start", type=Path, required=True)
    pack.add_argument("--into", type=Path, required=True)
    pack.add_argument("--megabytes", type=float, default=30)
    train = commands.add_parser("train")
    train.add_argument("folder", type=Path)
    train.add_argument("--out", type=Path, required=True)
    train.add_argument("--minutes", type=float, default=7)
    train.add_argument("--device", default="auto")
    train.add_argument("--threads", type=int, default=2)
    join = commands.add_parser("join")
    join.add_argument("out", type=Path)
    join.add_argument("--checkpoint", type=Path, required=True)
    given = vars(parser.parse_args(arguments))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    return {"pack": pack_sets, "train": train_packed, "join": join_parts}[given.pop("command")](**given)


# --- pack -----------------------------------------------------------------------------------------------------------


def pack_sets(data: Path, recipe: Path, start: Path, into: Path, megabytes: float) -> int:
    """Write the pack, at the highest quality that fits; 1 when none does."""
    names = [name for name in read_recipe(recipe).mixture if (data / name).is_dir()]
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    shutil.copyfile(recipe, into / "recipe.toml")
    shutil.copyfile(start, into / "start.safetensors")
    for quality in QUALITIES:
        shutil.rmtree(into / "data", ignore_errors=True)
        for name in names:
            _pack_set(data / name, into / "data" / name, quality)
        photos = [name for name in names if not has_masks(into / "data" / name)]
        size = _megabytes(into) + PSEUDO_MEGABYTES * len(photos)
        log.info("%d sets, quality %d: %.1f MiB", len(names), quality, size)
        if size <= megabytes:
            for name in photos:
                pseudo_records(image_paths(into / "data" / name, "train"), into / "pseudo" / name)
            log.info("with pseudo-masks %.1f MiB", _megabytes(into))
            return 0 if _megabytes(into) <= megabytes else 1
    return 1


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def _pack_set(source: Path, target: Path, quality: int) -> None:
    masked = has_masks(source)
    (target / "images").mkdir(parents=True)
    if masked:
        (target / "masks").mkdir()
    names: dict[str, list[str]] = {"train": [], "test": []}
    for picked in _picked(source):
        image = read_image(picked.path).pixels
        scale = min(1.0, (SIDE if masked else PHOTO_SIDE) / max(image.shape[:2]))
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        name = picked.path.stem
        small = image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        PIL.Image.fromarray(small).save(target / "images" / f"{name}.webp", quality=quality, method=4)
        if masked:
            with PIL.Image.open(source / "masks" / f"{name}.png") as file:
                labels = np.asarray(file)
            kept = labels if scale == 1 else cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
            PIL.Image.fromarray(kept).save(target / "masks" / f"{name}.png", optimize=True)
        names[picked.split].append(name)
    (target / "split.json").write_text(json.dumps(names), encoding="utf-8")
    for text in (*source.glob("LICENSE*"), *source.glob("README.md")):  # licences travel with their data
        shutil.copyfile(text, target / text.name)


def _picked(source: Path) -> Iterator[Picked]:
    """All train images (of photos some), and a few test images of sets with masks."""
    train = image_paths(source, "train")
    yield from (Picked(path, "train") for path in (train if has_masks(source) else train[:PHOTO_COUNT]))
    if has_masks(source):
        yield from (Picked(path, "test") for path in image_paths(source, "test")[:HELD_OUT])


# --- train ----------------------------------------------------------------------------------------------------------


def train_packed(folder: Path, out: Path, minutes: float, device: str, threads: int) -> int:
    """Train on a pack and leave weights, log and checkpoint parts in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(out / "train.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.getLogger().addHandler(handler)
    logging.getLogger("samtta_app.train").setLevel(logging.DEBUG)
    checkpoint = folder / "run.resume.pt"
    sets = sorted(path for path in (folder / "data").iterdir() if path.is_dir())
    try:
        train_model(
            sorted(sets, key=lambda path: path.name == PHOTOS),
            size="small",
            out=out / "weights.safetensors",
            recipe=folder / "recipe.toml",
            start=folder / "start.safetensors",
            cache=folder / "pseudo",
            checkpoint=checkpoint,
            minutes=minutes,
            device=device,
            threads=threads,
            fresh=True,
        )
    finally:  # whatever happened, what was saved comes back
        if checkpoint.is_file():
            _split(checkpoint.read_bytes(), out)
        handler.close()
        logging.getLogger().removeHandler(handler)
    return 0


def _split(data: bytes, out: Path) -> None:
    """Write the parts, and their number and digest."""
    parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
    for number, part in enumerate(parts):
        (out / f"checkpoint.{number:02d}").write_bytes(part)
    told = {"parts": len(parts), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (out / "checkpoint.json").write_text(json.dumps(told), encoding="utf-8")


# --- join -----------------------------------------------------------------------------------------------------------


def join_parts(out: Path, checkpoint: Path) -> int:
    """Write the checkpoint from its parts; 1 when one is missing or other than it was written."""
    told = json.loads((out / "checkpoint.json").read_text(encoding="utf-8"))
    paths = [out / f"checkpoint.{number:02d}" for number in range(told["parts"])]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        log.info("missing: %s", ", ".join(missing))
        return 1
    data = b"".join(path.read_bytes() for path in paths)
    if hashlib.sha256(data).hexdigest() != told["sha256"]:
        log.info("the parts are not the checkpoint that was written")
        return 1
    checkpoint.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
