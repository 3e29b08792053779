"""What a decoder is fine-tuned on: whole images with their objects, encoded once, and the held-out figures.

The image encoder is frozen, so each image is encoded once and kept in memory in half precision, as many images as fit into
2 GiB (about a thousand for SAM, two thousand for the compact model); an image beyond that is encoded again when it is drawn.
In memory and not on disk, because a file per image would need a place, a key of the encoder's weights and a rule for when it
goes, and saves no more than one pass over the images after a resume.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from samtta_app.adapt.rounds import answer, chosen
from samtta_app.core.clicker import next_click
from samtta_app.core.images import from_array
from samtta_app.core.masks import trimmed
from samtta_app.core.metrics import iou
from samtta_app.core.types import Click, Image, Logits, Mask, Prompt
from samtta_app.errors import DatasetError
from samtta_app.model.compact import GRID_STRIDE
from samtta_app.model.predictor import ImageFeatures, encode, to_input, upscaled
from samtta_app.model.sam import SamModel
from samtta_app.model.weights import Tensors
from samtta_app.train.crops import MIN_TARGET_CELLS
from samtta_app.train.records import ObjectBox, has_masks, image_paths, read_records
from samtta_app.train.sam_recipe import Targets

BUDGET = 2 * 2**30
"""Bytes of features held at most."""
LARGEST_SHARE = 0.9
"""Masks that cover more of their image are dropped, as in SAM's training."""
HELD_OUT_IMAGES, HELD_OUT_OBJECTS, HELD_OUT_CLICKS = 24, 2, 5
"""Of the test split of a data set: images, objects of each, and clicks on each."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image and the objects in it that can be learnt: bitmaps are made from `labels` (L, H, W) when needed."""

    image: Image
    labels: NDArray[np.uint16]
    objects: tuple[ObjectBox, ...]

    def bits(self, box: ObjectBox) -> NDArray[np.bool_]:
        """An object's bitmap (H, W)."""
        return np.asarray(self.labels[box.layer] == box.value)


class FeatureStore:
    """Features of whole images in half precision, made when they are first asked for; the oldest go first."""

    def __init__(self, model: SamModel, budget: int = BUDGET) -> None:
        self._model, self._budget = model, budget
        self._kept: OrderedDict[str, ImageFeatures] = OrderedDict()

    def features(self, image: Image) -> ImageFeatures:
        """Features of `image` in single precision, after rounding to half: the same the first time and every other."""
        if image.key not in self._kept:
            self._kept[image.key] = encode_whole(self._model, image).to(torch.float16)
            held = sum(kept.nbytes for kept in self._kept.values())
            while held > self._budget and len(self._kept) > 1:
                held -= self._kept.popitem(last=False)[1].nbytes
        return self._kept[image.key].to(torch.float32)


def encode_whole(model: SamModel, image: Image) -> ImageFeatures:
    """Encode the whole image in one go."""
    work = encode(model, image, image.whole)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            features: ImageFeatures = finished.value
            return features


def read_samples(folder: Path, split: str, model: SamModel) -> list[Sample]:
    """The images of a split that hold an object to learn from; unreadable files are named in the log and skipped.

    Left out are masks over 90 % of the image (SAM) and masks of less than one and a half cells of the decoder's grid.

    Raises:
        DatasetError: no data set, no masks in it, or nothing in them.
    """
    paths = image_paths(folder, split)
    if not has_masks(folder):
        raise DatasetError(
            "The data set has no masks, and photos alone teach a decoder nothing",
            folder,
            "Put a PNG of instance ids for each image into masks/",
        )
    samples = []
    for record in read_records(paths):
        objects = tuple(box for box in record.objects if _learnable(record.layers[box.layer] == box.value, model.size))
        if objects:
            samples.append(Sample(from_array(record.pixels, Path(record.name)), record.layers, objects))
    if not samples:
        raise DatasetError(
            f"None of the {len(paths)} images of its split {split!r} has a mask with an object to learn from",
            folder,
            "Masks must hold one instance id per pixel, and objects of some pixels that do not fill the image",
        )
    return samples


def _learnable(bits: NDArray[np.bool_], size: int) -> bool:
    area = int(np.count_nonzero(bits))
    cells = area * (size / max(bits.shape) / GRID_STRIDE) ** 2
    return area <= LARGEST_SHARE * bits.size and cells >= MIN_TARGET_CELLS


def digest(sets: Mapping[str, Sequence[Sample]]) -> str:
    """What all images and masks hold, as a short text: the same text, the same data."""
    state = hashlib.blake2b(digest_size=16)
    for samples in sets.values():
        for sample in samples:
            state.update(sample.image.key.encode())
            state.update(np.ascontiguousarray(sample.labels).data)
    return state.hexdigest()


def targets_of(model: SamModel, sample: Sample, features: ImageFeatures, objects: Sequence[ObjectBox]) -> Targets:
    """Objects of an image on the decoder's grid, on the model's device."""
    masks = [on_grid(sample.bits(box), features.valid) for box in objects]
    corners = torch.tensor([[(box.x0, box.y0), (box.x1 - 1, box.y1 - 1)] for box in objects], dtype=torch.float32)
    boxes = to_input(model, features.window, features.valid, corners.reshape(-1, 2).to(model.device))
    return Targets(torch.from_numpy(np.stack(masks)).to(model.device), boxes.reshape(-1, 4))


def on_grid(bits: NDArray[np.bool_], valid: tuple[int, int]) -> NDArray[np.float32]:
    """Share of each grid cell that an object covers (R, C), for an image that is `valid` (height, width) at the input."""
    height, width = valid
    resized = cv2.resize(bits.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    rows, columns = -(-height // GRID_STRIDE), -(-width // GRID_STRIDE)
    padded = np.zeros((rows * GRID_STRIDE, columns * GRID_STRIDE), np.float32)
    padded[:height, :width] = resized
    return np.asarray(padded.reshape(rows, GRID_STRIDE, columns, GRID_STRIDE).mean((1, 3)), np.float32)


def held_out(samples: Sequence[Sample], seed: int = 0) -> list[tuple[Image, Mask]]:
    """The objects that are asked about: two of each of the first 24 images, the same through a run and for every run."""
    rng = np.random.default_rng(seed)
    pairs = []
    for sample in samples[:HELD_OUT_IMAGES]:
        count = min(HELD_OUT_OBJECTS, len(sample.objects))
        for i in rng.choice(len(sample.objects), count, replace=False):
            pairs.append((sample.image, trimmed(sample.bits(sample.objects[i]))))
    return pairs


def clicked_through(
    model: SamModel, tensors: Tensors, features: ImageFeatures, image: Image, target: Mask
) -> list[float]:
    """IoU in image pixels after each of five clicks of RITM's clicker, answered in the whole image by SAM's rule."""
    prompt, shown = Prompt(), None
    ious: list[float] = []
    while len(ious) < HELD_OUT_CLICKS:
        click: Click | None = next_click(target, shown, prompt.clicks, image.whole)
        if click is None:  # nothing is wrong any more: the rest of the curve stays
            return ious + [ious[-1]] * (HELD_OUT_CLICKS - len(ious))
        prompt = Prompt((*prompt.clicks, click), logits=prompt.logits)
        decoded = answer(model, tensors, features, prompt)
        logits = decoded.logits[chosen(decoded, prompt)]
        shown = trimmed(np.asarray((upscaled(model, logits[None], features)[0] > 0).cpu().numpy()))
        ious.append(iou(shown, target))
        prompt = Prompt(prompt.clicks, logits=Logits(features.window, logits.float().cpu().numpy()))
    return ious


@torch.no_grad()
def held_out_ious(
    model: SamModel, tensors: Tensors, store: FeatureStore, sets: Mapping[str, Sequence[tuple[Image, Mask]]]
) -> tuple[float, float, float]:
    """Mean IoU after 1, 3 and 5 clicks, over the objects of a data set and then over data sets."""
    curves = [
        np.mean([clicked_through(model, tensors, store.features(image), image, mask) for image, mask in pairs], axis=0)
        for pairs in sets.values()
    ]
    first, third, fifth = np.mean(curves, axis=0)[[0, 2, 4]]
    return float(first), float(third), float(fifth)
