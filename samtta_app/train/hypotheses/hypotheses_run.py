"""Trains the hypotheses of a model on objects that have several plausible outlines.

Source: Li et al. 2024 (A-SAM), equations 3 to 8. The encoder stays as it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.diversity import energy_distance
from samtta_app.datasets.ambiguity import AmbiguousObject, ambiguous_objects
from samtta_app.datasets.folds import check_not_novel
from samtta_app.errors import DatasetError, ImageError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.hypotheses import (
    HypothesisNets,
    Latents,
    SeenPrompts,
    divergence,
    hypotheses,
    new_hypotheses,
    save_hypotheses,
)
from samtta_app.model.sampling import SAMPLES, overlaps_on_grid
from samtta_app.train.hypotheses.hypotheses_samples import OpenSample, open_sample, seen_together
from samtta_app.train.output_files import check_places, written_at_the_end

HYPOTHESES_BATCH = 4
"""Prompts of one step."""

HYPOTHESES_RATE = 1e-3
"""Highest learning rate of AdamW; it falls along half a cosine."""

CHANGE_RATE = 2e-4
"""The same for the change of the decoder's weights."""

WARM_UP = 50
"""Steps over which the learning rate rises."""

DIVERGENCE_WEIGHT = 0.01
"""Weight of both divergences. The paper's 1 is for a sum over pixels; here the loss is about 1 for a wrong mask."""

ENERGY_WEIGHT = 2.0
"""Weight of the energy distance, which is at most 2; the fit to one outline is about as large."""

ENERGY_SAMPLES, ENERGY_OUTLINES = 3, 4
"""Hypotheses and outlines that the energy loss compares in one step."""

DRAWN_SHARE = 0.5
"""Share of the prompts from sets with several drawn outlines, where there are simulated ones as well."""

HYPOTHESES_HELD_OUT = 0.2
"""Objects of the test splits, as a share of those of training."""

_SEEING = 0.5
"""Share of the progress bar for the model's view of the objects."""

_Told = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class HypothesesPlan:
    """Objects of each set, steps, and the seed. `simulate`: sets with one outline an object get simulated ones.

    For ablations: `without` is "", "object", "prompt" (no latent of it), or "posterior" (only the energy loss).
    """

    objects: int = 300
    steps: int = 3000
    seed: int = 0
    simulate: bool = False
    without: str = ""


def train_hypotheses(
    model: SamModel, datasets: Sequence[Path], out: Path, plan: HypothesesPlan, told: _Told = lambda share, words: None
) -> Mapping[str, float]:
    """Write hypotheses for `model` to `out`; returns the figures on the test splits that are also in the file.

    Figures: the squared energy distance of 16 hypotheses, `ged`, and of the three candidates, `candidates`; the mean IoU
    among the hypotheses, `alike`.

    Raises:
        DatasetError: a set has one outline for each object only, is kept for measuring, or has no usable object.
        TrainingError: the file cannot be written, or the hypotheses are no better than the candidates.
    """
    check_places(".safetensors", out)
    for folder in datasets:
        check_not_novel(folder)
    half = _SEEING / 2
    learned = _seen_sets(model, datasets, "train", plan, plan.objects, lambda s, w: told(s * half, w))
    held = max(round(plan.objects * HYPOTHESES_HELD_OUT), 1)
    tested = _seen_sets(model, datasets, "test", plan, held, lambda s, w: told(half + s * half, w))
    nets = trained_hypotheses(model, learned, plan, lambda share, words: told(_SEEING + (1 - _SEEING) * share, words))
    found = hypotheses_figures(model, nets, [sample for of_set in tested for sample in of_set], plan)
    if not found["ged"] < found["candidates"]:
        raise TrainingError(
            f"The hypotheses are no better than the three candidates "
            f"({found['ged']:.3f}, {found['candidates']:.3f}), so no file is written",
            out,
            "Give more data sets, or more --objects and --steps",
        )
    facts = {"data": ", ".join(f.resolve().name for f in datasets), "plan": json.dumps(asdict(plan))}
    facts["held_out"] = json.dumps(found)
    written_at_the_end(lambda path: save_hypotheses(nets, model, path, facts), out)
    return found


def _seen_sets(
    model: SamModel, datasets: Sequence[Path], split: str, plan: HypothesesPlan, most: int, told: _Told
) -> list[list[OpenSample]]:
    """The prompts of each set as the model sees them; see `set_shares` for their shares."""
    drawn = [ambiguous_objects(f, split, simulate=plan.simulate, most=most, seed=plan.seed) for f in datasets]
    total, done = max(sum(map(len, drawn)), 1), 0
    found: list[list[OpenSample]] = []
    for of_set in drawn:
        samples = []
        for number, each in enumerate(of_set):
            sample = _sample(model, each, plan.seed + number)
            samples += [sample] if sample is not None else []
            done += 1
            told(done / total, f"{split}: object {done} of {total}")
        found += [samples] if samples else []
    if not found:
        raise DatasetError("There is no usable object", ", ".join(map(str, datasets)), f"Check the split {split!r}")
    return found


def _sample(model: SamModel, drawn: AmbiguousObject, seed: int) -> OpenSample | None:
    try:
        return open_sample(model, drawn, seed)
    except ImageError:
        return None  # as in every training, an image that cannot be read is left out


def trained_hypotheses(
    model: SamModel, sets: Sequence[Sequence[OpenSample]], plan: HypothesesPlan, told: _Told = lambda share, words: None
) -> HypothesisNets:
    """Networks that learned from the samples of some sets, each set as often as any other."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    nets = new_hypotheses(model).to(model.device)
    change = list(nets.change.parameters())
    shares = set_shares(sets)
    own = [value for name, value in nets.named_parameters() if not name.startswith("change.")]
    rates = (HYPOTHESES_RATE, CHANGE_RATE)
    optimiser = torch.optim.AdamW([{"params": own}, {"params": change}], weight_decay=1e-3)
    for step in range(plan.steps):
        falling = 0.5 * (1 + math.cos(math.pi * step / plan.steps)) * min(1.0, (step + 1) / WARM_UP)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * falling
        picked = picked_samples(sets, shares, rng)
        loss = batch_loss(model, nets, picked, plan.without, rng)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(nets.parameters(), 1.0)
        optimiser.step()
        told((step + 1) / plan.steps, f"step {step + 1} of {plan.steps}, loss {float(loss.detach()):.3f}")
    if plan.without in nets.latents:
        nets.leave_out(plan.without)
    return nets.eval().requires_grad_(False)


def picked_samples(
    sets: Sequence[Sequence[OpenSample]], shares: NDArray[np.float64], rng: np.random.Generator
) -> list[OpenSample]:
    """The prompts of one step: of sets by their shares, and all of the size of the first one."""
    picked: list[OpenSample] = []
    while len(picked) < HYPOTHESES_BATCH:
        of_set = sets[int(rng.choice(len(sets), p=shares))]
        sample = of_set[int(rng.integers(len(of_set)))]
        if not picked or sample.seen.size == picked[0].seen.size:
            picked.append(sample)
    return picked


def set_shares(sets: Sequence[Sequence[OpenSample]]) -> NDArray[np.float64]:
    """The share of each set in the prompts; sets of one sort take equal shares of what their sort has."""
    drawn = np.array([not of_set[0].simulated for of_set in sets])
    if drawn.all() or not drawn.any():
        return np.full(len(sets), 1 / len(sets))
    own = np.where(drawn, DRAWN_SHARE / drawn.sum(), (1 - DRAWN_SHARE) / (~drawn).sum())
    return np.asarray(own, np.float64)


# --- losses -----------------------------------------------------------------------------------------------------------


def batch_loss(
    model: SamModel, nets: HypothesisNets, samples: Sequence[OpenSample], without: str, rng: np.random.Generator
) -> Tensor:
    """The loss () of some prompts: that of one outline each under the posterior, and the energy of prior samples."""
    seen = seen_together(samples)
    shares = [sample.outlines.to(model.device).float() / 255 for sample in samples]
    prior = nets.prior(seen)
    loss = energy_loss(model, nets, seen, prior, shares, without, rng)
    if without == "posterior":
        return loss
    outline = torch.stack([of_one[int(rng.integers(len(of_one)))] for of_one in shares])
    posterior = nets.posterior(seen, outline[:, None])
    logits = _drawn(model, nets, seen, posterior, without)
    apart = sum(
        divergence(after, before)
        for name, after, before in zip(("prompt", "object"), posterior, prior, strict=True)
        if name != without
    )
    return ENERGY_WEIGHT * loss + (outline_fit(logits, outline) + DIVERGENCE_WEIGHT * apart).mean()


def _drawn(model: SamModel, nets: HypothesisNets, seen: SeenPrompts, latents: Latents, without: str) -> Tensor:
    """Logits (b, G, G) of one sample for each prompt; the latent that is left out is zero."""
    samples = {
        name: own.sample(torch.randn_like(own.mean)) if name != without else torch.zeros_like(own.mean)
        for name, own in zip(("prompt", "object"), latents, strict=True)
    }
    logits, _ = hypotheses(model, nets, model.frozen.tensors, seen, samples["prompt"], samples["object"])
    return logits


def outline_fit(logits: Tensor, outline: Tensor) -> Tensor:
    """Cross-entropy in units of the outline's area, and Dice, (b,), of logits and shares (b, G, G).

    A-SAM's code adds a focal loss; the unit makes small objects count as much as large ones.
    """
    area = outline.sum((1, 2)).clamp(min=16)
    entropy = F.binary_cross_entropy_with_logits(logits, outline, reduction="none").sum((1, 2)) / area
    inside = torch.sigmoid(logits)
    both, either = (inside * outline).sum((1, 2)), (inside + outline).sum((1, 2))
    return 0.5 * entropy.clamp(max=20) + 1 - (2 * both + 1) / (either + 1)


def energy_loss(
    model: SamModel,
    nets: HypothesisNets,
    seen: SeenPrompts,
    prior: Latents,
    shares: Sequence[Tensor],
    without: str,
    rng: np.random.Generator,
) -> Tensor:
    """The energy distance () of prior samples and outlines, with soft IoU; what the outlines alone contribute is left out.

    Each sample is compared with the others only, so that the expectation is that of endlessly many samples.
    """
    drawn = [torch.sigmoid(_drawn(model, nets, seen, prior, without)) for _ in range(ENERGY_SAMPLES)]
    inside = torch.stack(drawn, dim=1)
    total = inside.new_zeros(())
    for own, outlines in zip(inside, shares, strict=True):
        chosen = outlines[torch.as_tensor(rng.permutation(len(outlines))[:ENERGY_OUTLINES], device=outlines.device)]
        to_outlines = 1 - soft_iou(own[:, None], chosen[None])
        among = 1 - soft_iou(own[:, None], own[None])
        others = (among.sum() - among.diagonal().sum()) / (ENERGY_SAMPLES * (ENERGY_SAMPLES - 1))
        total = total + 2 * to_outlines.mean() - others
    return total / len(shares)


def soft_iou(one: Tensor, other: Tensor) -> Tensor:
    """IoU of shares (..., G, G), 0 .. 1; differentiable.

    It is that of multisets, least over greatest share: of equal shares it is 1, even where they are blurred. With products
    instead, blurred samples counted as diverse, and the energy distance got no better than the three candidates'.
    """
    least, greatest = (pick(one, other).sum((-1, -2)) for pick in (torch.minimum, torch.maximum))
    return (least + 1e-3) / (greatest + 1e-3)


@torch.no_grad()
def hypotheses_figures(
    model: SamModel, nets: HypothesisNets, samples: Sequence[OpenSample], plan: HypothesesPlan
) -> dict[str, float]:
    """Figures of the prior's samples on the decoder's grid; see `train_hypotheses`."""
    torch.manual_seed(plan.seed)
    found: dict[str, list[float]] = {"ged": [], "candidates": [], "alike": []}
    for sample in samples:
        seen = seen_together([sample])
        prior = nets.prior(seen)
        logits = torch.cat([_drawn(model, nets, seen, prior, plan.without) for _ in range(SAMPLES)])
        outlines = sample.outlines.to(model.device) > 127
        for name, answers in (("ged", logits > 0), ("candidates", seen.plain[0, 1:] > 0)):
            overlap = overlaps_on_grid(torch.cat([answers, outlines])).astype(np.float64)
            m = len(answers)
            found[name].append(energy_distance(overlap[:m, m:], overlap[:m, :m], overlap[m:, m:]))
            if name == "ged":
                found["alike"].append(float((overlap[:m, :m].sum() - m) / (m * (m - 1))))
    return {name: float(np.mean(values)) for name, values in found.items()}
