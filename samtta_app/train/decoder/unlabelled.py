"""Images without masks for a decoder's training: the model's proposals in them, weighted by certainty.

Source: Liu et al. 2024 (SUM), section 3.2 and appendix B.1. The starting weights make the proposals once. They look at
the whole image and at four overlapping windows, so that small objects are seen from near, too. These windows are the
first layer of crops of SAM's own generator. The same model, refiner and images give the same proposals.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from samtta_app.core.types import Image, Window
from samtta_app.datasets.folds import check_not_novel
from samtta_app.errors import DatasetError, ImageError, TrainingError
from samtta_app.images.read import from_array
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import to_input
from samtta_app.model.proposals import (
    cells,
    certainty,
    distinct_proposals,
    grid_of_clicks,
    guesses,
    windows,
)
from samtta_app.model.refiner import Refiner, refiner_for
from samtta_app.train.data.labelled_images import has_masks, image_paths
from samtta_app.train.data.pseudo_masks import read_photo
from samtta_app.train.decoder.decoder_recipe import Targets
from samtta_app.train.decoder.decoder_samples import FeatureStore

log = logging.getLogger(__name__)

MAX_PROPOSALS = 30
"""Maximum number of proposals per window."""
STEPS = 255
"""Certainty is stored in this number of steps."""


@dataclass(frozen=True, slots=True, eq=False)
class PseudoSample:
    """A window of an image and its proposals on the host: `masks` (B, R, C) bool and `boxes` (B, 4) in input pixels.

    `certainty` (B, R, C) uint8 in steps of 1 / 255; None gives every pixel full weight.
    """

    image: Image
    window: Window
    masks: Tensor
    boxes: Tensor
    certainty: Tensor | None

    def targets(self, picked: NDArray[np.integer], device: torch.device) -> Targets:
        """Some of the proposals, by number, as targets."""
        chosen = torch.from_numpy(picked).long()
        believed = None if self.certainty is None else self.certainty[chosen].to(device, torch.float32) / STEPS
        return Targets(self.masks[chosen].to(device, torch.float32), self.boxes[chosen].to(device), believed)


@dataclass(frozen=True, slots=True, eq=False)
class UnlabelledSet:
    """What is learned from images without masks; `digest` identifies images and refiner."""

    samples: tuple[PseudoSample, ...] = ()
    digest: str = ""


NO_UNLABELLED = UnlabelledSet()


def told_apart(datasets: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The data sets with masks, and those of images alone.

    Raises:
        DatasetError: there is none, none has masks, one without masks is no data set, or one is kept for measuring.
    """
    for folder in datasets:
        check_not_novel(folder)
    if not datasets:
        raise DatasetError("No data set was given", do="Give at least one folder with images/, masks/ and split.json")
    labelled = [folder for folder in datasets if has_masks(folder)]
    photos = [folder for folder in datasets if not has_masks(folder)]
    for folder in photos:
        image_paths(folder, "train")
    if not labelled:
        raise DatasetError(
            "The data sets have no masks, so nothing that a decoder learns could be measured",
            ", ".join(str(folder) for folder in photos),
            "Add a set with masks: a PNG of instance ids in masks/ for each image",
        )
    return labelled, photos


def read_unlabelled(folders: Sequence[Path], most: int) -> dict[str, list[Image]]:
    """Up to `most` images of each train split, evenly spread over it; unreadable ones are named in the log and skipped.

    Photos of more than 1024 pixels a side are reduced to that size.

    Raises:
        DatasetError: one of them is no data set.
    """
    sets: dict[str, list[Image]] = {}
    for folder in folders:
        paths = image_paths(folder, "train")
        if len(paths) > most:
            log.info("%s: %d of its %d images are used", folder, most, len(paths))
            paths = [paths[i] for i in np.linspace(0, len(paths) - 1, most).astype(int)]
        sets[str(folder)] = []
        for path in paths:
            try:
                sets[str(folder)].append(from_array(read_photo(path), path))
            except ImageError as e:
                log.warning("skipped %s: %s", path, e)
    return sets


def believing(model: SamModel) -> Refiner:
    """The model's refiner, which gives the certainty of its proposals.

    Raises:
        TrainingError: it has none, or none that can be used.
    """
    refiner, reason = refiner_for(model)
    if refiner is None:
        raise TrainingError(
            f"Proposals in images without masks have no certainty: {reason}",
            do="Put what `samtta train refiner` writes into the model folder (`samtta doctor` names it), "
            "or believe the proposals in every pixel (--believe-all)",
        )
    return refiner


def propose(
    model: SamModel,
    refiner: Refiner | None,
    store: FeatureStore,
    sets: Mapping[str, Sequence[Image]],
    told: Callable[[str], None] = lambda words: None,
) -> UnlabelledSet:
    """The model's proposals in all images of the sets, by window; a set without proposals is named in the log.

    Args:
        refiner: gives each pixel's certainty; None gives every pixel full weight.
        told: called with the current image in words, for users.

    Raises:
        DatasetError: there are images, and nothing is proposed in any of them.
    """
    count, asked = sum(len(images) for images in sets.values()), 0
    found: dict[str, list[PseudoSample]] = {}
    for name, images in sets.items():
        found[name] = []
        for image in images:
            asked += 1
            told(f"proposals in images without masks: {asked} of {count}")
            made = (_proposed(model, refiner, store, image, window) for window in windows(image))
            found[name] += [sample for sample in made if sample is not None]
        log.info("%s: %d proposals in %d images", name, sum(len(s.masks) for s in found[name]), len(images))
    if sets and not any(found.values()):
        raise DatasetError(
            f"The model is sure of no proposal in any of the {count} images without masks",
            ", ".join(sets),
            "Leave them out, and fine-tune the decoder on masks first, which makes it surer",
        )
    for name in (name for name, samples in found.items() if not samples):
        log.warning("%s teaches nothing: the model is sure of no proposal there", name)
    return (
        UnlabelledSet(tuple(s for samples in found.values() for s in samples), _digest(refiner, sets))
        if sets
        else NO_UNLABELLED
    )


def _proposed(
    model: SamModel, refiner: Refiner | None, store: FeatureStore, image: Image, window: Window
) -> PseudoSample | None:
    features = store.features(image, window)
    found = guesses(model, model.frozen.tensors, features, grid_of_clicks(window), model.policy.limits)
    rows, columns = cells(model, features)
    masks, boxes, certain = [], [], []
    for guess, box in distinct_proposals(found, window, image.whole, window.side / model.grid)[:MAX_PROPOSALS]:
        if refiner is not None:
            believed = certainty(model, refiner, features, guess)
            if believed is None:
                continue
            certain.append((believed[:rows, :columns] * STEPS).round().to(torch.uint8))
        masks.append(guess.logits[:rows, :columns] > 0)
        boxes.append([[box.x0, box.y0], [box.x1, box.y1]])
    if not masks:
        return None
    corners = to_input(model, window, features.valid, torch.tensor(boxes, dtype=torch.float32, device=model.device))
    kept = torch.stack(certain).cpu() if certain else None
    return PseudoSample(image, window, torch.stack(masks).cpu(), corners.reshape(-1, 4).cpu(), kept)


def _digest(refiner: Refiner | None, sets: Mapping[str, Sequence[Image]]) -> str:
    """A short text that identifies the images and the refiner.

    Proposals are not part of it, because other threads or devices may round them differently.
    """
    state = hashlib.blake2b(digest_size=16)
    for images in sets.values():
        for image in images:
            state.update(image.key.encode())
    for name, tensor in (refiner.tensors if refiner else {}).items():
        state.update(name.encode())
        state.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
    return state.hexdigest()
