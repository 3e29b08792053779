"""What a refiner is trained on: answers of the model in random windows, beside the masks on file.

Source: Liu et al. 2024 (SUM), section 3.2.3 and appendix D: the model is asked with one click on each object, the mask best
aligned with the one on file is taken, and left out where its IoU is less than 0.7. Ours besides: windows and looks of
pictures as the compact model is trained on, and answers after further clicks, whose mask is the single one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from samtta_app.adapt.losses import true_iou
from samtta_app.adapt.rounds import answer, chosen
from samtta_app.core.clicker import next_click
from samtta_app.core.images import from_array
from samtta_app.core.masks import bounding_box, trimmed
from samtta_app.core.types import Box, Click, Logits, Mask, Prompt
from samtta_app.model.answers import near_click
from samtta_app.model.predictor import Decoded, ImageFeatures, upscaled
from samtta_app.model.sam import SamModel
from samtta_app.train.augment import Augmentation, augmented
from samtta_app.train.crops import View, Zoom, visible_view
from samtta_app.train.gap_samples import clicks_on
from samtta_app.train.records import Record
from samtta_app.train.sam_samples import encode_window, on_grid

OBJECTS = 3
"""Objects of one window at most."""
FURTHER = 2
"""Clicks after the first one at most."""

Bits = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """An answer and what it should have been.

    `prompt` holds the clicks, `logits` (G, G) half precision and `box` (image pixels, around its mask) are the answer's;
    `target` (R, C) half precision is the share of each cell of the grid, without padding, that the mask on file covers.
    """

    prompt: Prompt
    logits: Tensor
    box: Box
    target: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The pairs of one window and its features, all in half precision."""

    features: ImageFeatures
    pairs: tuple[Pair, ...]

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self.features.nbytes + sum(pair.logits.nbytes + pair.target.nbytes for pair in self.pairs)


@dataclass(frozen=True, slots=True)
class Windows:
    """Random windows by number: the same seed and number give the same window.

    Args:
        records: of each set; sets take turns.
        size: of the model's input.
        change: whether half of the windows are shown as another device might have taken them.
    """

    records: Sequence[Sequence[Record]]
    size: int
    seed: int
    change: bool

    def draw(self, number: int) -> tuple[View, np.random.Generator]:
        """The window, and what further chance there is in it.

        Raises:
            DatasetError: the set has no object that can be seen in a window.
        """
        rng = np.random.default_rng((self.seed, number))
        of_set = self.records[number % len(self.records)]
        view = visible_view(of_set, self.size, OBJECTS, Zoom(), rng, f"the set with the image {of_set[0].name!r}")
        changed = self.change and rng.random() < 0.5
        return (augmented(view, Augmentation(), rng) if changed else view), rng


def seen(model: SamModel, view: View) -> tuple[ImageFeatures, list[Bits]]:
    """Features of a window, rounded to half precision, and its objects' bitmaps (h, w)."""
    width, height = view.valid
    image = from_array(np.ascontiguousarray(view.pixels[:height, :width]))
    features = encode_window(model, image, image.whole).to(torch.float16)
    return features, [mask[:height, :width].astype(np.bool_) for mask in view.masks]


def answers(
    model: SamModel, features: ImageFeatures, target: Mask, click: Click, further: int
) -> Iterator[tuple[Prompt, Decoded, Tensor, Mask]]:
    """Prompt, all four masks, the logits (G, G) that are shown and their mask, for a first click and `further` ones."""
    prompt = Prompt((click,))
    for _ in range(1 + further):
        decoded = answer(model, model.frozen.tensors, features, prompt)
        logits = near_click(model, features, prompt, decoded.logits[chosen(decoded, prompt)][None])[0]
        shown = mask_of(model, features, logits)
        yield prompt, decoded, logits, shown
        following = next_click(target, shown, prompt.clicks, features.window)
        if following is None:
            return
        prompt = Prompt((*prompt.clicks, following), logits=Logits(features.window, logits.float().cpu().numpy()))


def mask_of(model: SamModel, features: ImageFeatures, logits: Tensor) -> Mask:
    """The mask of logits (G, G) in image pixels."""
    bits = (upscaled(model, logits[None], features)[0] > 0).cpu().numpy()
    return trimmed(np.asarray(bits), features.window.x, features.window.y)


@torch.no_grad()
def pairs_of(model: SamModel, windows: Windows, number: int, least: float) -> Pairs:
    """What the model answers in a window, after one click to three on each object, where its IoU is at least `least`.

    Raises:
        DatasetError: as in `Windows.draw`.
    """
    view, rng = windows.draw(number)
    kept, objects = seen(model, view)
    features = kept.to(torch.float32)
    pairs = []
    for bits in objects:
        target = torch.from_numpy(on_grid(bits, features.valid)).to(model.device)
        click = clicks_on(bits, rng, 2)[int(rng.integers(2))]
        further = int(rng.integers(FURTHER + 1))
        for prompt, decoded, shown, mask in answers(model, features, trimmed(bits), click, further):
            logits = shown
            if prompt.ambiguous:
                logits = _best(decoded.logits[1:], target)
                mask = mask_of(model, features, logits)
            box = bounding_box(mask)
            if box is not None and float(_ious(logits[None], target)[0]) >= least:
                pairs.append(Pair(Prompt(prompt.clicks), logits.half(), box, target.half()))
    return Pairs(kept, tuple(pairs))


def _ious(logits: Tensor, target: Tensor) -> Tensor:
    """IoU of logits (m, G, G) with shares (R, C), on the grid -> (m,)."""
    rows, columns = target.shape
    return true_iou(logits[:, :rows, :columns], (target >= 0.5).float())


def _best(logits: Tensor, target: Tensor) -> Tensor:
    return logits[int(_ious(logits, target).argmax())]
