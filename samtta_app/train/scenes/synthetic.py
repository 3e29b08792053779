"""Synthetic samples: a scene of some kind, and its visible things.

No kind imitates the shipped samples (crowded round cells with halos, textured defects on metal, veined leaves) or the
sets kept for measurement. Those looks must stay novel to the model.
"""

from collections.abc import Callable, Sequence

import numpy as np

from samtta_app.train.data import nested_masks
from samtta_app.train.data.crops import TrainingView
from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.data.nested_masks import ByteMask
from samtta_app.train.scenes.crowds import packed_shapes, partition
from samtta_app.train.scenes.paint import can_be_seen
from samtta_app.train.scenes.scene import nested_scene, scatter, thin, woven
from samtta_app.train.scenes.surfaces import Texture, texture

SYNTHETIC_KINDS: tuple[
    tuple[Callable[[Texture, Sequence[LabelledImage], np.random.Generator], list[ByteMask]], float], ...
] = (
    (scatter, 0.4),
    (nested_scene, 0.24),
    (thin, 0.1),
    (packed_shapes, 0.1),
    (partition, 0.09),
    (woven, 0.07),
)
"""Kinds of scenes, and their shares."""
MIN_SHARE, MAX_SYNTHETIC_SHARE = 0.0012, 0.8
_TRIES = 100


def _usable(mask: ByteMask, before: Texture, after: Texture) -> bool:
    area = int(mask.sum())
    return MIN_SHARE * mask.size <= area <= MAX_SYNTHETIC_SHARE * mask.size and can_be_seen(mask, before, after)


def draw_scene(records: Sequence[LabelledImage], size: int, count: int, rng: np.random.Generator) -> TrainingView:
    """A scene with up to `count` targets, sometimes a nest; `records` provide textures and outlines."""
    kinds, shares = zip(*SYNTHETIC_KINDS, strict=True)
    for _ in range(_TRIES):
        before = texture(records, size, rng)
        scene = before.copy()
        painted = kinds[rng.choice(len(kinds), p=shares)](scene, records, rng)
        masks = [mask for mask in painted if _usable(mask, before, scene)]
        nest = nested_masks.find_nest(masks, count, rng) if count > 1 and rng.random() < nested_masks.SHARE else []
        if masks:
            chosen = nest or [masks[i] for i in rng.permutation(len(masks))[:count]]
            return TrainingView(scene.clip(0, 255).astype(np.uint8), tuple(chosen), (size, size), nested=bool(nest))
    raise RuntimeError(f"{_TRIES} scenes in a row without a visible object")
