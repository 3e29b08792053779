"""Hypotheses of one prompt: sampled, clustered by IoU, and shown as cards with their shares of the samples.

Source: A-SAM (Li et al. 2024) samples 16 times. The clusters, their shares and the moved prior are samtta's own.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from torch import Tensor

from samtta_app.core.replies import SAMPLED_CARDS
from samtta_app.core.types import FloatArray, Mask, Prompt
from samtta_app.model.answers import WindowMasks, masks_of
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.close_part import WindowPart, cut_off, onto_window, part_about, part_features
from samtta_app.model.hypotheses import Gaussian, HypothesisNets, Latents, SeenPrompts, hypotheses
from samtta_app.model.predictor import ImageFeatures, decode, embed, with_task_prompt
from samtta_app.model.weights import Tensors

SAMPLES = 16
"""Hypotheses of a prompt (A-SAM's evaluation)."""

SAMPLES_AT_A_TIME = 4
"""Hypotheses of one pass of the decoder: all sixteen at once are no faster, and a click would wait for all of them."""

ALIKE = 0.85
"""Samples of a larger mean IoU are one reading: an object counts as done from .85 on."""


@dataclass(frozen=True, slots=True, eq=False)
class PriorShift:
    """How what was accepted moves the priors, in their standard deviations: (L,) for the prompt and for the object.

    `spread`, 0 .. 1, is what is left of the standard deviations.
    """

    prompt: Tensor
    object: Tensor
    spread: float = 1.0

    def moved(self, prior: Latents) -> Latents:
        """The priors after the move."""
        return Latents(self._moved(prior.prompt, self.prompt), self._moved(prior.object, self.object))

    def _moved(self, prior: Gaussian, by: Tensor) -> Gaussian:
        return Gaussian(
            prior.mean + prior.log_sigma.exp() * by, prior.log_sigma + float(np.log(max(self.spread, 1e-3)))
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """m hypotheses in the window of `features`: logits (m, G, G)."""

    features: ImageFeatures
    logits: Tensor


def seen_by(
    model: SamModel, tensors: Tensors, features: ImageFeatures, prompt: Prompt, looks: Sequence[Look] = ()
) -> SeenPrompts:
    """What one prompt is to the networks of its hypotheses, with the plain answer; without gradient."""
    with torch.no_grad():
        own, embedded = with_task_prompt(tensors, embed(model, features, prompt, looks))
        plain = decode(model, own, features, embedded)
    size = features.side or model.size
    return SeenPrompts(features.embedding, features.skips, embedded, plain.logits[None], size)


def fixed_noise(width: int, count: int = SAMPLES) -> Tensor:
    """Standard normal (count, 2 * width): always the same, so that the same prompt has the same hypotheses.

    Each draw comes with its opposite, so that few samples lie evenly about the mean.
    """
    half = torch.randn(-(-count // 2), 2 * width, generator=torch.Generator().manual_seed(0))
    return torch.stack([half, -half], dim=1).reshape(-1, 2 * width)[:count]


def sampled(
    model: SamModel,
    nets: HypothesisNets,
    tensors: Tensors,
    features: ImageFeatures,
    prompt: Prompt,
    shown: Mask | None = None,
    shift: PriorShift | None = None,
    looks: Sequence[Look] = (),
    count: int = SAMPLES,
) -> Generator[None, None, Sampled | None]:
    """Hypotheses of a prompt in the window of `features`; None where a network has no finite answer.

    It yields after every few of them, so that a click waits for no more.

    Args:
        tensors: decoder weights, with a task prompt or without.
        shown: the plain answer's mask; only its surroundings are decoded where that is enough.
        shift: how the session moved the priors.
    """
    part = part_about(model, features, prompt, shown) if shown is not None else None
    noise = fixed_noise(nets.width, count).to(model.device)

    def drawn(part: WindowPart | None, noise: Tensor) -> Generator[None, None, list[Tensor]]:
        seen = seen_by(model, tensors, part_features(model, features, part), prompt, looks)
        with torch.no_grad():  # never held across a yield, where other work runs
            prior = nets.prior(seen) if shift is None else shift.moved(nets.prior(seen))
        found = []
        for start in range(0, len(noise), SAMPLES_AT_A_TIME):
            yield
            draws = noise[start : start + SAMPLES_AT_A_TIME].chunk(2, dim=1)
            with torch.no_grad():
                latents = (of.sample(draw) for of, draw in zip(prior, draws, strict=True))
                found.append(hypotheses(model, nets, tensors, seen, *latents))
        return found

    found = yield from drawn(part, noise)
    if part is not None and any(cut_off(logits, part, features.embedding.shape[-1]) for logits in found):
        part = None  # something larger than the part may be meant
        found = yield from drawn(part, noise)
    logits = torch.cat(found)
    return Sampled(features, onto_window(logits, part, model.grid)) if torch.isfinite(logits).all() else None


def overlaps_on_grid(inside: Tensor) -> FloatArray:
    """IoU (m, m) of masks (m, G, G) bool on the decoder's grid; two empty masks agree."""
    flat = inside.flatten(1).float()
    both = flat @ flat.T
    areas = flat.sum(dim=1)
    either = areas[:, None] + areas[None] - both
    found = torch.where(either > 0, both / either.clamp(min=1), torch.ones_like(both))
    return np.asarray(found.cpu().numpy(), np.float32)


def clusters(overlap: FloatArray, alike: float = ALIKE) -> list[list[int]]:
    """Groups of samples whose mean IoU between groups is below `alike` (average linkage), the largest group first.

    Within a group the sample comes first that is most like the others.

    Args:
        overlap: (m, m) IoU.
    """
    if len(overlap) == 1:
        return [[0]]
    apart = squareform(np.clip(1 - overlap.astype(np.float64), 0, 1), checks=False)
    labels = fcluster(linkage(apart, "average"), 1 - alike, "distance")
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    inner = [sorted(group.tolist(), key=lambda i: (-float(overlap[i, group].mean()), i)) for group in groups]
    return sorted(inner, key=lambda group: (-len(group), group[0]))


def disagreement(logits: Tensor) -> FloatArray:
    """How much m hypotheses (m, G, G) disagree on each cell: 4 p (1 - p) with p the share that holds it, 0 .. 1."""
    share = (logits > 0).float().mean(dim=0)
    return np.asarray((4 * share * (1 - share)).cpu().numpy(), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class SampledCard:
    """One reading: the mask in image pixels, its logits (G, G), and `count` of the samples that look so.

    `iou` is the mean IoU with all samples: what is expected where the object is one of them.
    """

    mask: Mask
    logits: Tensor
    iou: float
    count: int


def sampled_masks(model: SamModel, found: Sampled, prompt: Prompt, part: slice = slice(None)) -> tuple[Mask, ...]:
    """The masks of some hypotheses in image pixels, which obey the clicks."""
    logits = found.logits[part]
    seen = WindowMasks(found.features, logits, logits.new_empty(len(logits)), logits.new_empty(len(logits), 0))
    return masks_of(model, seen, slice(None), prompt)


def sampled_cards(model: SamModel, found: Sampled, prompt: Prompt, most: int = SAMPLED_CARDS) -> list[SampledCard]:
    """The readings with an object in them, those of most samples first."""
    cards: list[SampledCard] = []
    overlap = overlaps_on_grid(found.logits > 0)
    for group in clusters(overlap):
        i = group[0]
        (mask,) = sampled_masks(model, found, prompt, slice(i, i + 1))
        if mask.area:
            cards.append(SampledCard(mask, found.logits[i], float(overlap[i].mean()), len(group)))
        if len(cards) == most:
            break
    return cards
