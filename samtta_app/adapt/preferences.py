"""Which of several plausible outlines the user accepts: the priors of the hypotheses move towards them, class by class.

Every accepted mask has a place in the latents of its own prompt, in standard deviations of the prior. It is the mean of
the samples, each weighted by its fit to the mask (importance weights). All objects have the same draws, so that places
can be compared. Their mean is what the user prefers. It is learning without a step: nothing is forgotten, and an object
that is withdrawn is gone at once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from samtta_app.adapt.memory import Memory, Remembered
from samtta_app.core.types import Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.hypotheses import HypothesisNets
from samtta_app.model.sampling import PriorShift, Sampled, fixed_noise, overlaps_on_grid, sampled
from samtta_app.model.weights import EXTRA, Tensors

STRENGTHS = (0.0, 0.5, 1.0)
"""The guard's experts: the priors stay, move half-way, or move to the mean of what was accepted."""

PREFERRED_FROM = 3
"""Accepted objects of a class before its priors move: two alike may be chance."""

BELIEF = 2.0
"""Weight, in objects, of the belief that the priors are right."""

FITTING = 0.05
"""A sample whose IoU with the accepted mask is lower by this weighs less by a factor of e."""

LEAST_SPREAD = 0.4
"""Share of the priors' standard deviations that is left at least: users change their minds."""

_PREFERENCE = f"{EXTRA}preferences"


@dataclass(frozen=True, slots=True, eq=False)
class Preference:
    """The place (2L,) of an accepted mask in the latents of its prompt and object, in the priors' standard deviations."""

    object_id: int
    class_id: int | None
    place: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Preferences:
    """The places of the remembered objects, by id; none where the model has no hypotheses.

    `networks` identifies the hypotheses whose latents they are places in: other networks mean other things by them.
    """

    seen: tuple[Preference, ...] = ()
    networks: str = ""

    def updated(self, model: SamModel, memory: Memory) -> Generator[float, None, Preferences]:
        """The places of the objects in `memory`; those that are known are not computed again.

        It yields 1, after every few samples: learning itself is done.
        """
        if model.hypotheses is None:
            return Preferences()
        digest = model.hypotheses.digest
        known = {each.object_id: each for each in self.seen if self.networks == digest}
        found: list[Preference] = []
        for item in memory.items:
            own = known.get(item.object_id) or (yield from _preference_of(model, item))
            found += [own] if own is not None else []
        return Preferences(tuple(found), digest)

    def without(self, ids: frozenset[int]) -> Preferences:
        """The places of the other objects."""
        return replace(self, seen=tuple(each for each in self.seen if each.object_id not in ids)) if ids else self

    def shift(self, class_id: int | None, nets: HypothesisNets) -> PriorShift | None:
        """How a class moves the priors of these networks.

        None where too little is known, where the priors foretold its masks better, and for other networks.
        """
        places = [each.place for each in self.seen if each.class_id == class_id and self.networks == nets.digest]
        strength = best_strength(places)
        if not strength:
            return None
        moved = strength * _mean(places)
        prompt, of_object = moved.chunk(2)
        return PriorShift(prompt, of_object, spread_after(strength, len(places)))

    def stored(self) -> tuple[dict[str, Tensor], str]:
        """Tensors and a text to store beside the weights; `Preferences.read` restores the same places."""
        text = json.dumps([self.networks, [(each.object_id, each.class_id) for each in self.seen]])
        return ({_PREFERENCE: torch.stack([each.place for each in self.seen])} if self.seen else {}), text

    @staticmethod
    def read(tensors: Tensors, text: str) -> Preferences:
        """The stored places; none where the tensors and the text do not belong together."""
        places = tensors.get(_PREFERENCE)
        try:
            networks, rows = json.loads(text)
            ids = [(int(number), None if kind is None else int(kind)) for number, kind in rows]
        except (ValueError, TypeError):
            return Preferences()
        if places is None or len(places) != len(ids):
            return Preferences()
        found = tuple(Preference(*own, place) for own, place in zip(ids, places, strict=True))
        return Preferences(found, str(networks))


NO_PREFERENCES = Preferences()


def without_preferences(tensors: Tensors) -> Mapping[str, Tensor]:
    """The stored tensors but those of preferences."""
    return {name: tensor for name, tensor in tensors.items() if name != _PREFERENCE}


def _mean(places: Sequence[Tensor]) -> Tensor:
    """The mean place (2L,); few objects pull it towards the priors' own."""
    return torch.stack(list(places)).sum(dim=0) / (len(places) + BELIEF)


def best_strength(places: Sequence[Tensor]) -> float:
    """How far the priors move: the strength that foretells each place best from the others; ties go to the smaller one."""
    if len(places) < PREFERRED_FROM:
        return 0.0
    total, count = torch.stack(list(places)).sum(dim=0), len(places) - 1
    errors: list[float] = [
        sum(float((place - strength * (total - place) / (count + BELIEF)).square().sum()) for place in places)
        for strength in STRENGTHS
    ]
    return STRENGTHS[errors.index(min(errors))]


def spread_after(strength: float, count: int) -> float:
    """What is left of the priors' standard deviations after `count` accepted objects."""
    return max(math.sqrt(1 - strength * count / (count + BELIEF)), LEAST_SPREAD)


def _preference_of(model: SamModel, item: Remembered) -> Generator[float, None, Preference | None]:
    """Where the accepted mask lies among the hypotheses of the object's first prompt; None where it is not finite."""
    nets = model.hypotheses
    first = Prompt(item.clicks[:1], item.box if not item.clicks else None, class_id=item.class_id)
    if nets is None or not (first.clicks or first.box):
        return None
    features = item.features.to(torch.float32)
    found = yield from _sharing(sampled(model, nets, model.frozen.tensors, features, first, item.mask))
    if found is None:
        return None
    wanted = (item.whole == 1)[None].to(found.logits.device)
    overlap = overlaps_on_grid(torch.cat([found.logits > 0, wanted]))[:-1, -1]
    weights = torch.softmax(torch.as_tensor(overlap) / FITTING, dim=0)
    return Preference(item.object_id, item.class_id, weights @ fixed_noise(nets.width))


def _sharing(work: Generator[None, None, Sampled | None]) -> Generator[float, None, Sampled | None]:
    """The same work, whose pauses say that learning is done."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            found: Sampled | None = done.value
            return found
        yield 1.0
