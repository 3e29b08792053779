"""A training of hypotheses: its plan, its steps and draws, its checkpoint, and the figures of what came out."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from samtta_app.core.diversity import energy_distance, matched_iou
from samtta_app.model.backbone import SamModel
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.hypotheses import HypothesisNets, Posteriors, new_hypotheses
from samtta_app.model.sampling import SAMPLES, overlaps_on_grid
from samtta_app.model.weights import write_tensors
from samtta_app.train.decoder.decoder_files import read_state
from samtta_app.train.hypotheses.hypotheses_losses import batch_loss, drawn_once
from samtta_app.train.hypotheses.hypotheses_samples import OpenSample, seen_together

log = logging.getLogger(__name__)

HYPOTHESES_BATCH = 4
"""Prompts of one step."""

HYPOTHESES_RATE = 1e-3
"""Highest learning rate of AdamW; it falls along half a cosine."""

CHANGE_RATE = 3e-4
"""The same for the change of the decoder's weights."""

WARM_UP = 50
"""Steps over which the learning rate rises."""

DRAWN_SHARE = 0.5
"""Share of the prompts from sets with several drawn outlines, where there are simulated ones as well."""

SAVE_SECONDS = 60.0
"""Seconds between two checkpoints: the most that is lost."""

SMOOTHING = 0.02
"""Weight of a new loss in the running mean that is shown."""

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


class HypothesesRun:
    """Networks in training, their optimiser, draws and position; the model itself never changes.

    Args:
        checkpoint: file that `save` writes.
        data: identifies the samples.
    """

    def __init__(
        self, model: SamModel, sets: Sequence[Sequence[OpenSample]], plan: HypothesesPlan, checkpoint: Path, data: str
    ) -> None:
        torch.manual_seed(plan.seed)
        self.model, self.sets, self.plan, self.checkpoint = model, sets, plan, checkpoint
        self.belongs = {"model": fingerprint(model), "data": data, "plan": repr(plan)}
        self.shares = set_shares(sets)
        self.nets = new_hypotheses(model).to(model.device)
        self.posteriors = Posteriors(self.nets.width).to(model.device)
        change = list(self.nets.change.parameters())
        own = [value for name, value in self.nets.named_parameters() if not name.startswith("change.")]
        own += list(self.posteriors.parameters())
        self.optimiser = torch.optim.AdamW([{"params": own}, {"params": change}], weight_decay=1e-3)
        self.step, self.loss, self.saved = 0, 0.0, time.monotonic()

    def resume(self, path: Path) -> None:
        """Continue where a checkpoint ended.

        Raises:
            CheckpointError: unreadable, or of another model, other data or another plan.
        """
        values = read_state(path, self.belongs)
        self.nets.load_state_dict(values["nets"])
        self.posteriors.load_state_dict(values["posteriors"])
        self.optimiser.load_state_dict(values["optimiser"])
        self.step, self.loss = int(values["step"]), float(values["loss"])

    def save(self) -> None:
        """Write the checkpoint. If that fails, training continues and the previous checkpoint stays."""
        values = {
            "belongs": self.belongs,
            "nets": self.nets.state_dict(),
            "posteriors": self.posteriors.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "loss": self.loss,
        }
        try:
            write_tensors(self.checkpoint, values)
        except (OSError, RuntimeError) as e:  # torch reports a full disk as a RuntimeError
            log.warning("%s was not written, the previous checkpoint stands: %s", self.checkpoint, e)
        self.saved = time.monotonic()

    def to_the_end(self, told: _Told) -> HypothesisNets:
        """Train to the end of the plan, with a checkpoint every minute; returns the networks. `told` follows every step."""
        while self.step < self.plan.steps:
            self._advance()
            told(self.step / self.plan.steps, f"step {self.step} of {self.plan.steps}, loss {self.loss:.3f}")
            if time.monotonic() - self.saved >= SAVE_SECONDS:
                self.save()
        if self.plan.without in self.nets.latents:
            self.nets.leave_out(self.plan.without)
        return self.nets.eval().requires_grad_(False)

    def _advance(self) -> None:
        """One step. Its draws follow from its number, so that a run resumes as if it had not been stopped."""
        falling = 0.5 * (1 + math.cos(math.pi * self.step / self.plan.steps)) * min(1.0, (self.step + 1) / WARM_UP)
        for group, rate in zip(self.optimiser.param_groups, (HYPOTHESES_RATE, CHANGE_RATE), strict=True):
            group["lr"] = rate * falling
        rng = np.random.default_rng((self.plan.seed, self.step))
        torch.manual_seed(int(rng.integers(2**31)))
        picked = picked_samples(self.sets, self.shares, rng)
        loss = batch_loss(self.model, self.nets, self.posteriors, picked, self.plan.without, rng)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([*self.nets.parameters(), *self.posteriors.parameters()], 1.0)
        self.optimiser.step()
        self.step += 1
        self.loss += (float(loss.detach()) - self.loss) * max(SMOOTHING, 1 / self.step)


def picked_samples(
    sets: Sequence[Sequence[OpenSample]], shares: NDArray[np.float64], rng: np.random.Generator
) -> list[OpenSample]:
    """The prompts of one step: of sets by their shares, and all of the form of the first one."""
    picked: list[OpenSample] = []
    while len(picked) < HYPOTHESES_BATCH:
        of_set = sets[int(rng.choice(len(sets), p=shares))]
        sample = of_set[int(rng.integers(len(of_set)))]
        if not picked or sample.form == picked[0].form:
            picked.append(sample)
    return picked


def set_shares(sets: Sequence[Sequence[OpenSample]]) -> NDArray[np.float64]:
    """The share of each set in the prompts; sets of one sort take equal shares of what their sort has."""
    drawn = np.array([not of_set[0].simulated for of_set in sets])
    if drawn.all() or not drawn.any():
        return np.full(len(sets), 1 / len(sets))
    own = np.where(drawn, DRAWN_SHARE / drawn.sum(), (1 - DRAWN_SHARE) / (~drawn).sum())
    return np.asarray(own, np.float64)


@torch.no_grad()
def hypotheses_figures(
    model: SamModel, nets: HypothesisNets, samples: Sequence[OpenSample], plan: HypothesesPlan
) -> dict[str, float]:
    """Figures of the prior's samples on the decoder's grid; see `train_hypotheses`."""
    torch.manual_seed(plan.seed)
    found: dict[str, list[float]] = {name: [] for name in ("ged", "candidates", "hm_iou", "candidates_hm_iou", "alike")}
    for sample in samples:
        seen = seen_together([sample])
        prior = nets.prior(seen)
        logits = torch.cat([drawn_once(model, nets, seen, prior, plan.without) for _ in range(SAMPLES)])
        outlines = sample.outlines.to(model.device) > 127
        answered = (("ged", "hm_iou", logits > 0), ("candidates", "candidates_hm_iou", seen.plain[0, 1:] > 0))
        for energy, matched, answers in answered:
            overlap = overlaps_on_grid(torch.cat([answers, outlines])).astype(np.float64)
            m = len(answers)
            found[energy].append(energy_distance(overlap[:m, m:], overlap[:m, :m], overlap[m:, m:]))
            found[matched].append(matched_iou(overlap[:m, m:], duplicate=True))
            if energy == "ged":
                found["alike"].append(float((overlap[:m, :m].sum() - m) / (m * (m - 1))))
    return {name: float(np.mean(values)) for name, values in found.items()}
