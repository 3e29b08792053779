"""Training data of hypotheses: prompts that leave the object open, as the model sees them, with all plausible outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.masks import crop
from samtta_app.core.open_prompts import common_click, loose_box
from samtta_app.core.types import Image, Mask, Prompt, Window
from samtta_app.datasets.ambiguity import KINDS, AmbiguousObject
from samtta_app.images.read import read_image
from samtta_app.model.answers import answer_prompt
from samtta_app.model.backbone import Embedded, SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.close_part import part_about, part_cells, part_features
from samtta_app.model.hypotheses import CELLS_IN_ONE, SeenPrompts
from samtta_app.model.predictor import ImageFeatures
from samtta_app.model.sampling import seen_by
from samtta_app.train.asked_objects import at_its_end

BOXED = 0.4
"""Share of objects that are asked for by a box."""

BOX_SCALE, BOX_SHIFT = (0.6, 1.5), 10 / 128
"""How training boxes differ from the smallest one that holds all outlines: scale, and shift in sides of the window.

Source: A-SAM's released training (its window is 128 pixels wide, the shift 10 pixels at most).
"""

OFF_MIDDLE = 0.5
"""Share of clicks that are somewhere in what all outlines share, not in its middle."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenSample:
    """One prompt as the networks see it, in half precision, and the outlines (n, g, g) as shares of cells, uint8 0 .. 255.

    `simulated`: the outlines are.
    """

    seen: SeenPrompts
    outlines: Tensor
    simulated: bool = False

    @property
    def form(self) -> tuple[int, int]:
        """The side of what the networks see, and the number of prompt tokens: samples of one form go into one step."""
        return self.seen.size, self.seen.embedded.sparse.shape[1]


def open_prompt(outlines: Sequence[Mask], extent: Window, rng: np.random.Generator) -> Prompt | None:
    """A first prompt that leaves open which of the outlines is meant."""
    if rng.random() < BOXED:
        return Prompt(box=loose_box(outlines, extent, BOX_SCALE, BOX_SHIFT, rng))
    click = common_click(outlines, extent, rng, off_middle=OFF_MIDDLE)
    return Prompt((click,)) if click is not None else None


def open_sample(model: SamModel, drawn: AmbiguousObject, seed: int) -> OpenSample | None:
    """A prompt and what the model sees of it, in the window where a user would get the answer; None where it cannot be.

    Raises:
        ImageError: the image cannot be read.
    """
    rng = np.random.default_rng((seed, drawn.instance))
    image = read_image(drawn.path)
    prompt = open_prompt(drawn.outlines, image.whole, rng)
    if prompt is None:
        return None
    return replace(seen_sample(model, image, prompt, drawn.outlines), simulated=drawn.kind in KINDS)


def seen_sample(model: SamModel, image: Image, prompt: Prompt, outlines: Sequence[Mask]) -> OpenSample:
    """What the model sees of a prompt, beside the outlines."""
    cache = FeatureCache(model)
    found = at_its_end(answer_prompt(model, cache, model.frozen, image, prompt))
    features = at_its_end(cache.features(image, found.window))
    part = part_about(model, features, prompt, found.shown)
    seen = seen_by(model, model.frozen.tensors, part_features(model, features, part), prompt)
    shares = torch.stack([share_on_grid(model, mask, features) for mask in outlines])
    return OpenSample(seen.to(torch.float16), part_cells(shares, part, CELLS_IN_ONE).clone())


def share_on_grid(model: SamModel, mask: Mask, features: ImageFeatures) -> Tensor:
    """The share (G, G) of each cell of a window that a mask covers, uint8 0 .. 255; padding is 0."""
    height, width = features.valid
    bits = torch.from_numpy(crop(mask, features.window)).float()[None, None]
    cells = (max(round(height / 4), 1), max(round(width / 4), 1))
    small = F.interpolate(bits, cells, mode="area")[0, 0]
    share = torch.zeros(model.grid, model.grid)
    share[: small.shape[0], : small.shape[1]] = small[: model.grid, : model.grid]
    return (share * 255).round().to(torch.uint8)


def seen_together(samples: Sequence[OpenSample]) -> SeenPrompts:
    """What b samples of one form are to the networks, in single precision."""
    every = [sample.seen.to(torch.float32) for sample in samples]
    click_skips = [each.embedded.click_skip for each in every if each.embedded.click_skip is not None]
    return SeenPrompts(
        torch.cat([each.embedding for each in every]),
        tuple(torch.cat(skips) for skips in zip(*(each.skips for each in every), strict=True)),
        Embedded(
            torch.cat([each.embedded.sparse for each in every]),
            torch.cat([each.embedded.dense.expand_as(each.embedding) for each in every]),
            torch.cat(click_skips) if click_skips else None,
        ),
        torch.cat([each.plain for each in every]),
        every[0].size,
    )
