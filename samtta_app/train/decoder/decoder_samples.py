"""Samples to fine-tune a decoder on: images with their objects, encoded once, and the held-out figures.

SAM learned from whole images. Here up to two windows per image also show small objects from near, because users' clicks
on them are answered like that.

The image encoder is frozen, so each window is encoded once and kept in memory in half precision. About a thousand
windows of SAM, or two thousand of the compact model, fit into 2 GiB. Windows beyond that are encoded again when they
are drawn. Files on disk would need a place, a key of the encoder's weights and a rule for their deletion. They would
save only one pass over the images after a resume.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from cachetools import FIFOCache
from numpy.typing import NDArray
from torch import Tensor

from samtta_app.core.clicks import next_click
from samtta_app.core.masks import crop, trimmed
from samtta_app.core.metrics import iou
from samtta_app.core.types import Box, Click, Image, Logits, Mask, Prompt, Window
from samtta_app.core.windows import closer
from samtta_app.datasets.folds import check_not_novel
from samtta_app.errors import DatasetError
from samtta_app.images.read import from_array
from samtta_app.model.backbone import SamModel
from samtta_app.model.backbones.compact_prompts import GRID_STRIDE
from samtta_app.model.predictor import ImageFeatures, chosen, decode_prompt, encode, to_input, upscaled
from samtta_app.model.weights import TASK, Tensors
from samtta_app.train.data.crops import MIN_TARGET_CELLS
from samtta_app.train.data.labelled_images import LabelledImage, ObjectBox, has_masks, image_paths
from samtta_app.train.data.set_records import labelled_records
from samtta_app.train.decoder.decoder_recipe import Targets

_BUDGET = 2 * 2**30
"""Maximum bytes of features in memory."""
LARGEST_SHARE = 0.9
"""Masks that cover more of their image are dropped, as in SAM's training."""
NEAR_SHARE = 2
"""Maximum windows of an image that show small objects from near."""
HELD_OUT_IMAGES, HELD_OUT_LENGTH = 24, 5
"""Maximum test images of a data set, and clicks on each object."""

Asked = tuple[Image, Window, Mask]
"""An object of the test split, and the window in which it is annotated."""


@dataclass(frozen=True, slots=True, eq=False)
class DecoderSample:
    """A window of an image and its usable objects; bitmaps are made from `labels` (L, H, W) when needed.

    `task` is the task of its data set, "" for none.
    """

    image: Image
    window: Window
    labels: NDArray[np.uint16]
    objects: tuple[ObjectBox, ...]
    task: str = ""

    def mask(self, box: ObjectBox) -> Mask:
        """The mask of an object in the image."""
        return trimmed(self.labels[box.layer, box.y0 : box.y1, box.x0 : box.x1] == box.value, box.x0, box.y0)


class FeatureStore:
    """Features of windows in half precision, made on first use; the oldest are dropped first."""

    def __init__(self, model: SamModel, budget: int = _BUDGET) -> None:
        self._model = model
        self._kept: FIFOCache[tuple[str, Window], ImageFeatures] = FIFOCache(
            budget, lambda one: min(one.nbytes, budget)
        )

    def features(self, image: Image, window: Window) -> ImageFeatures:
        """Features in single precision, rounded to half before, so that the first use equals every later one."""
        key = (image.key, window)
        if key not in self._kept:
            self._kept[key] = encode_window(self._model, image, window).to(torch.float16)
        return self._kept[key].to(torch.float32)


def encode_window(model: SamModel, image: Image, window: Window) -> ImageFeatures:
    """Encode a window without interruption."""
    work = encode(model, image, window)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            features: ImageFeatures = finished.value
            return features


def read_samples(folder: Path, split: str, model: SamModel, task: str = "") -> list[DecoderSample]:
    """Whole images of a split and windows in them that hold an object to learn from, image by image, all of one task.

    Unreadable files are named in the log and skipped. Masks over 90 % of the image (SAM) or below one and a half cells
    of the decoder's grid are left out.

    Raises:
        DatasetError: no data set, no masks in it, nothing in them, or it is kept for measuring.
    """
    check_not_novel(folder)
    if not has_masks(folder):
        image_paths(folder, split)  # what is no data set at all is said first
        raise DatasetError(
            "The data set has no masks, and photos alone teach a decoder nothing",
            folder,
            "Put a PNG of instance ids for each image into masks/",
        )
    records = labelled_records(folder, split)
    samples = [replace(sample, task=task) for record in records for sample in samples_of(record, model.size)]
    if not samples:
        raise DatasetError(
            f"No image of its split {split!r} has a mask with an object to learn from",
            folder,
            "Masks must hold one instance id per pixel, and objects that neither fill the image nor vanish; "
            "a project needs two annotated images",
        )
    return samples


def samples_of(record: LabelledImage, size: int) -> list[DecoderSample]:
    """The whole image, and windows around up to two objects that would be viewed from near, if they hold one to learn.

    A near window holds the objects that lie wholly in it. `size` is the side of the model's input.
    """
    image = from_array(record.pixels, Path(record.name))
    areas = [np.bincount(labels.ravel()) for labels in record.layers]
    boxes = [b for b in record.objects if areas[b.layer][b.value] <= LARGEST_SHARE * image.height * image.width]
    near = [window for box in boxes if (window := closer(image.whole, _corners(box), (), image.whole))]
    samples = []
    for window in (image.whole, *near[:: max(1, -(-len(near) // NEAR_SHARE))]):
        least = MIN_TARGET_CELLS * (window.side / size * GRID_STRIDE) ** 2
        objects = tuple(box for box in boxes if areas[box.layer][box.value] >= least and _within(box, window))
        if objects:
            samples.append(DecoderSample(image, window, record.layers, objects))
    return samples


def _corners(box: ObjectBox) -> Box:
    return Box(box.x0, box.y0, box.x1 - 1, box.y1 - 1)


def _within(box: ObjectBox, window: Window) -> bool:
    across = window.x <= box.x0 and box.x1 <= window.x + window.width
    return across and window.y <= box.y0 and box.y1 <= window.y + window.height


def samples_digest(sets: Mapping[str, Sequence[DecoderSample]]) -> str:
    """A short text that identifies all images and masks."""
    state = hashlib.blake2b(digest_size=16)
    for samples in sets.values():
        for sample in samples:
            state.update(repr((sample.image.key, sample.window)).encode())
            state.update(np.ascontiguousarray(sample.labels).data)
    return state.hexdigest()


def targets_of(
    model: SamModel, sample: DecoderSample, features: ImageFeatures, objects: Sequence[ObjectBox]
) -> Targets:
    """Objects of a sample on the decoder's grid, on the model's device."""
    masks = [bits_on_grid(crop(sample.mask(box), sample.window), features.valid) for box in objects]
    corners = torch.tensor([[(box.x0, box.y0), (box.x1 - 1, box.y1 - 1)] for box in objects], dtype=torch.float32)
    boxes = to_input(model, features.window, features.valid, corners.reshape(-1, 2).to(model.device))
    return Targets(torch.from_numpy(np.stack(masks)).to(model.device), boxes.reshape(-1, 4))


def bits_on_grid(bits: NDArray[np.bool_], valid: tuple[int, int]) -> NDArray[np.float32]:
    """Share of each grid cell that an object covers (R, C), for a window that is `valid` (height, width) at the input."""
    height, width = valid
    resized = cv2.resize(bits.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    rows, columns = -(-height // GRID_STRIDE), -(-width // GRID_STRIDE)
    padded = np.zeros((rows * GRID_STRIDE, columns * GRID_STRIDE), np.float32)
    padded[:height, :width] = resized
    return np.asarray(padded.reshape(rows, GRID_STRIDE, columns, GRID_STRIDE).mean((1, 3)), np.float32)


def held_out(samples: Sequence[DecoderSample], seed: int = 0) -> list[Asked]:
    """The objects to ask for, the same in every run.

    One object in each of the first 24 images, and one from near if there is one.
    """
    rng = np.random.default_rng(seed)
    by_image: dict[str, list[DecoderSample]] = {}
    for sample in samples:
        by_image.setdefault(sample.image.key, []).append(sample)
    chosen_samples = [sample for of_image in list(by_image.values())[:HELD_OUT_IMAGES] for sample in of_image[:2]]
    return [(s.image, s.window, s.mask(s.objects[rng.integers(len(s.objects))])) for s in chosen_samples]


def clicked_through(
    model: SamModel, tensors: Tensors, features: ImageFeatures, image: Image, target: Mask
) -> list[float]:
    """IoU in image pixels after each of five clicks of RITM's annotator, answered in one window by SAM's rule."""
    prompt, shown = Prompt(), None
    ious: list[float] = []
    while len(ious) < HELD_OUT_LENGTH:
        click: Click | None = next_click(target, shown, prompt.clicks, image.whole)
        if click is None:  # nothing is wrong any more, so the rest of the curve is constant
            return ious + [ious[-1]] * (HELD_OUT_LENGTH - len(ious))
        prompt = Prompt((*prompt.clicks, click), logits=prompt.logits)
        decoded = decode_prompt(model, tensors, features, prompt)
        logits = decoded.logits[chosen(decoded, prompt)]
        bits = np.asarray((upscaled(model, logits[None], features)[0] > 0).cpu().numpy())
        shown = trimmed(bits, features.window.x, features.window.y)
        ious.append(iou(shown, target))
        prompt = Prompt(prompt.clicks, logits=Logits(features.window, logits.float().cpu().numpy()))
    return ious


@torch.no_grad()
def sample_held_out_ious(
    model: SamModel,
    tensors: Tensors,
    store: FeatureStore,
    sets: Mapping[str, Sequence[Asked]],
    tasks: Mapping[str, Tensor] | None = None,
) -> tuple[float, float, float]:
    """Mean IoU after 1, 3 and 5 clicks, over the objects of a data set and then over data sets.

    `tasks` are the task prompts (C,) of the sets that have one, by the sets' names; first clicks are answered with them.
    """
    curves = []
    for name, asked in sets.items():
        under = {**tensors, TASK: tasks[name]} if tasks and name in tasks else tensors
        every = [clicked_through(model, under, store.features(i, w), i, mask) for i, w, mask in asked]
        curves.append(np.mean(every, axis=0))
    first, third, fifth = np.mean(curves, axis=0)[[0, 2, 4]]
    return float(first), float(third), float(fifth)
