"""Training data of a refiner: answers of the model in random windows, beside the masks on file.

Source: Liu et al. 2024 (SUM), section 3.2.3 and appendix D: the model answers one click on each object, and poor
answers are left out. Ours: windows and looks of pictures as in the compact model's training, answers after further
clicks, and always the shown mask, not the best one. Half of the answers are refined in the window that the product
would use. The others are refined in the window of the answer, like proposals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from samtta_app.core.clicks import next_click, usam_clicks
from samtta_app.core.masks import bounding_box, crop, trimmed
from samtta_app.core.metrics import iou
from samtta_app.core.types import Box, Click, Image, Logits, Mask, Prompt, Window
from samtta_app.images.read import from_array
from samtta_app.model.answers import as_asked
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures, chosen, decode_prompt, logits_in_window
from samtta_app.model.refiner import mask_of, refining_window
from samtta_app.train.data.augment import Augmentation, augmented
from samtta_app.train.data.crops import TrainingView, Zoom, visible_view
from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.decoder.decoder_samples import bits_on_grid, encode_window

_OBJECTS = 3
"""Maximum number of objects in one window."""
FURTHER = 2
"""Maximum number of clicks after the first one."""


@dataclass(frozen=True, slots=True, eq=False)
class RefinerPair:
    """An answer and its correct mask, in the window of `features`, all in half precision.

    `prompt` holds the clicks, and `box` is around the answer's mask, in pixels of the picture. `logits` (G, G) are the
    answer's. `target` (R, C) is the share of each grid cell, without padding, that the mask on file covers.
    """

    features: ImageFeatures
    prompt: Prompt
    logits: Tensor
    box: Box
    target: Tensor

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return self.features.nbytes + self.logits.nbytes + self.target.nbytes


@dataclass(frozen=True, slots=True)
class Windows:
    """Random windows by number: the same seed and number give the same window.

    Args:
        records: of each set; sets take turns.
        size: side of a picture, in pixels.
        change: whether half of the windows are shown as another device might have recorded them.
    """

    records: Sequence[Sequence[LabelledImage]]
    size: int
    seed: int
    change: bool

    def draw(self, number: int) -> tuple[TrainingView, np.random.Generator]:
        """The window, and the generator for further draws in it.

        Raises:
            DatasetError: the set has no object that is visible in a window.
        """
        rng = np.random.default_rng((self.seed, number))
        of_set = self.records[number % len(self.records)]
        view = visible_view(of_set, self.size, _OBJECTS, Zoom(), rng, f"the set with the image {of_set[0].name!r}")
        changed = self.change and rng.random() < 0.5
        return (augmented(view, Augmentation(), rng) if changed else view), rng


def pictures(model: SamModel, records: Sequence[Sequence[LabelledImage]], seed: int, *, change: bool) -> Windows:
    """Windows at the size of the model's input; twice that where the model looks again from close by."""
    return Windows(records, (2 if model.policy.closer_look else 1) * model.size, seed, change)


def seen(view: TrainingView) -> tuple[Image, list[Mask]]:
    """The picture of a window, and its objects."""
    width, height = view.valid
    pixels = np.ascontiguousarray(view.pixels[:height, :width])
    return from_array(pixels), [trimmed(mask[:height, :width].astype(np.bool_)) for mask in view.masks]


def sampled_answers(
    model: SamModel, features: ImageFeatures, target: Mask, click: Click, further: int
) -> Iterator[tuple[Prompt, Tensor, Mask]]:
    """Prompt, shown logits (G, G) and their mask, for a first click and up to `further` ones."""
    prompt = Prompt((click,))
    for _ in range(1 + further):
        decoded = decode_prompt(model, model.frozen.tensors, features, prompt)
        logits = as_asked(model, features, prompt, decoded.logits[chosen(decoded, prompt)][None])[0]
        shown = mask_of(model, features, logits)
        yield prompt, logits, shown
        following = next_click(target, shown, prompt.clicks, features.window)
        if following is None:
            return
        prompt = Prompt((*prompt.clicks, following), logits=Logits(features.window, logits.float().cpu().numpy()))


def refined_in(
    model: SamModel, image: Image, whole: ImageFeatures, window: Window, logits: Tensor
) -> tuple[ImageFeatures, Tensor]:
    """Features of `window` in half precision, and the logits (G, G) of an answer in the picture as seen there.

    Args:
        whole: features of the whole picture, which are reused.
    """
    given = Logits(image.whole, logits.float().cpu().numpy())
    features = whole if window == image.whole else encode_window(model, image, window)
    return features.to(torch.float16), logits_in_window(given, window, model.grid)[0, 0].to(logits.device)


@torch.no_grad()
def pairs_of(model: SamModel, windows: Windows, number: int, least: float) -> tuple[RefinerPair, ...]:
    """The model's answers in a picture, after one to three clicks on each object, where their IoU is at least `least`.

    Raises:
        DatasetError: as in `Windows.draw`.
    """
    view, rng = windows.draw(number)
    image, objects = seen(view)
    whole = encode_window(model, image, image.whole)
    pairs = []
    for target in objects:
        click = usam_clicks(target, image.whole, rng, 2)[int(rng.integers(2))]
        asked = list(sampled_answers(model, whole, target, click, int(rng.integers(FURTHER + 1))))
        closer = bool(rng.integers(2))
        prompt, logits, shown = asked[-1]
        box = bounding_box(shown)
        if box is None or iou(shown, target) < least:
            continue
        window = refining_window(model, image.whole, shown, prompt, image.whole) if closer else image.whole
        features, given = refined_in(model, image, whole, window, logits)
        share = torch.from_numpy(bits_on_grid(crop(target, window), features.valid)).to(model.device)
        pairs.append(RefinerPair(features, Prompt(prompt.clicks), given.half(), box, share.half()))
    return tuple(pairs)
