"""Several plausible answers to one prompt: latents of the prompt and of the object steer the decoder (A-SAM).

Source: Li et al. 2024, "Flaws can be Applause: Unleashing Segmenting Ambiguity in SAM", section 3. A prompt generation
network and an image generation network give a diagonal Gaussian each. A sample of the first changes the dense prompt, a
sample of the second the image embedding. A learned mixture of the decoder's masks is one hypothesis.

Where paper and released code differ, this follows the paper: the mixture's weights are learned, and the posteriors see the
outline itself. Posteriors serve training only, and are not in a file. The decoder's training is a change that is added to
its weights, so that hypotheses follow the session.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from samtta_app.model.backbone import Embedded, SamModel
from samtta_app.model.companions import companion_of, read_companion, save_companion
from samtta_app.model.weights import TASK, Tensors

WIDTHS = (32, 64, 128, 192)
"""Channels of the blocks of a latent network (A-SAM, appendix A.3.2)."""

MASKS = 4
"""Masks of the decoder that are mixed: the single answer and the three candidates."""

CELLS_IN_ONE = 4
"""Cells of the logits' grid along one cell of the embedding."""

CALM = 4.0
"""Divisor of the logits before tanh: beyond some 4 the decoder is sure."""

NORMALISED_GROUPS = 8
"""Groups of channels that are normalised together: without it the twelve convolutions of a latent network hardly learn."""

FIRST_CHANGE = 0.02
"""Spread of the first weights that let a latent change maps: from zero on, learning takes longer to make samples differ."""

LOG_SIGMA = (-5.0, 2.0)
"""Limits of the logarithm of a standard deviation: outside them samples are all one, or beyond what was trained."""


class Gaussian(NamedTuple):
    """A diagonal Gaussian: mean and logarithm of the standard deviation, (b, L) each."""

    mean: Tensor
    log_sigma: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """A sample (b, L) for standard normal `noise` (b, L); differentiable."""
        return self.mean + self.log_sigma.exp() * noise


class Latents(NamedTuple):
    """Where samples come from: the Gaussian of the prompt, and that of the object."""

    prompt: Gaussian
    object: Gaussian


def divergence(posterior: Gaussian, prior: Gaussian) -> Tensor:
    """Kullback-Leibler divergence of a posterior from a prior, (b,) in nats."""
    ratio = posterior.log_sigma - prior.log_sigma
    apart = (posterior.mean - prior.mean) * (-prior.log_sigma).exp()
    return 0.5 * ((2 * ratio).exp() + apart.square() - 1 - 2 * ratio).sum(dim=1)


def with_places(maps: Tensor) -> Tensor:
    """Maps (b, C, g, g) with each cell's place as two more channels, -1 .. 1 down and across."""
    count, _, rows, columns = maps.shape
    down, across = (torch.linspace(-1, 1, size, device=maps.device, dtype=maps.dtype) for size in (rows, columns))
    places = torch.stack(torch.meshgrid(down, across, indexing="ij"))
    return torch.cat([maps, places.expand(count, -1, -1, -1)], 1)


class LatentNet(nn.Module):
    """A Gaussian of `latent` values from maps (b, channels, g, g): four blocks of three convolutions, then their mean."""

    def __init__(self, channels: int, latent: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels += 2
        for depth, width in enumerate(WIDTHS):
            layers += [nn.AvgPool2d(2, ceil_mode=True)] if depth else []
            for _ in range(3):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.GroupNorm(NORMALISED_GROUPS, width), nn.ReLU()]
                channels = width
        self.blocks = nn.Sequential(*layers)
        self.out = nn.Linear(channels, 2 * latent)
        for module in self.blocks:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)

    def forward(self, maps: Tensor) -> Gaussian:
        """The Gaussian for each of b maps."""
        mean, log_sigma = self.out(self.blocks(with_places(maps)).mean((2, 3))).chunk(2, dim=1)
        return Gaussian(mean, log_sigma.clamp(*LOG_SIGMA))


class Injection(nn.Module):
    """Changes maps (b, C, g, g) by a latent (m, L): two 1 x 1 convolutions over both.

    A-SAM has four; each further one takes some 10 ms of the 150 that sixteen samples may take. The latent also scales the
    channels, and each cell knows its place.
    """

    def __init__(self, width: int, latent: int) -> None:
        super().__init__()
        self.maps = nn.Conv2d(width + 2, width, 1)
        self.latent, self.scale = (nn.Linear(latent, width, bias=False) for _ in range(2))
        self.out = nn.Conv2d(width, width, 1)
        nn.init.normal_(self.out.weight, std=FIRST_CHANGE)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, maps: Tensor, latent: Tensor) -> Tensor:
        """Maps (m, C, g, g); one map serves all m latents, m maps have one each."""
        x = self.maps(with_places(maps)) * (1 + self.scale(latent)[..., None, None])
        changed: Tensor = self.out(F.relu(x + self.latent(latent)[..., None, None]))
        return maps + changed


class HypothesisNets(nn.Module):
    """All networks of the hypotheses of one model of width C, with latents of C values each.

    Args:
        decoder: shapes of the model's decoder weights; their change is learned, zero at first. It is added to whatever the
            session has learned.
    """

    def __init__(self, width: int, decoder: Mapping[str, torch.Size]) -> None:
        super().__init__()
        self.width = width
        self.change = nn.ParameterDict({_key(name): torch.zeros(shape) for name, shape in decoder.items()})
        self.prompt_prior, self.object_prior = LatentNet(2 * width + MASKS, width), LatentNet(width, width)
        self.into_prompt, self.into_object = Injection(width, width), Injection(width, width)
        self.mixture = nn.Parameter(torch.tensor([1.0] + [0.0] * MASKS))
        self.mixing = nn.Linear(2 * width, MASKS + 1, bias=False)
        nn.init.normal_(self.mixing.weight, std=FIRST_CHANGE / 2)

    @cached_property
    def digest(self) -> str:
        """Identifies the networks by their values."""
        found = hashlib.sha256()
        for value in self.state_dict().values():
            found.update(value.detach().cpu().numpy().tobytes())
        return found.hexdigest()

    @torch.no_grad()
    def leave_out(self, latent: str) -> None:
        """Let a latent ("prompt" or "object") change nothing: it was zero in training, and samples of it are not."""
        injection, half = self.latents[latent]
        injection.latent.weight.zero_()
        injection.scale.weight.zero_()
        self.mixing.weight[:, half].zero_()

    @property
    def latents(self) -> Mapping[str, tuple[Injection, slice]]:
        """What each latent goes into, and its place among both."""
        width = self.width
        return {"prompt": (self.into_prompt, slice(0, width)), "object": (self.into_object, slice(width, 2 * width))}

    def changed(self, tensors: Tensors) -> dict[str, Tensor]:
        """Decoder weights for hypotheses, from those that answer; a task prompt belongs to the embedded prompt."""
        return {name: tensor + self.change[_key(name)] for name, tensor in tensors.items() if name != TASK}

    def mixed(self, logits: Tensor, prompt: Tensor, object_: Tensor) -> Tensor:
        """One hypothesis (m, G, G) of the decoder's masks (m, 4, G, G) each, for two latents.

        The last weight moves the threshold.
        """
        weights = self.mixture + self.mixing(torch.cat([prompt, object_], dim=1))
        found: Tensor = torch.einsum("bk,bkhw->bhw", weights[:, :MASKS], logits) + CALM * weights[:, MASKS, None, None]
        return found

    def prior(self, seen: SeenPrompts) -> Latents:
        """Where hypotheses come from when only image and prompt are known."""
        return Latents(self.prompt_prior(seen.prompt_maps()), self.object_prior(seen.embedding))


def _key(name: str) -> str:
    """A decoder weight's name without dots, which torch allows in no parameter's name."""
    return name.replace(".", "-")


class Posteriors(nn.Module):
    """Where the latents of a known outline are, for models of width C: what the priors are drawn to in training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        outline = CELLS_IN_ONE * CELLS_IN_ONE + MASKS
        self.prompt = LatentNet(2 * width + MASKS + outline, width)
        self.object = LatentNet(width + outline, width)

    def forward(self, seen: SeenPrompts, outline: Tensor) -> Latents:
        """The posteriors for an outline (b, 1, G, G), the object's share of each cell."""
        # where each plain mask is too small or too large
        more = F.avg_pool2d(outline - torch.sigmoid(seen.plain), CELLS_IN_ONE)
        cells = torch.cat([F.pixel_unshuffle(outline, CELLS_IN_ONE), more], 1)
        return Latents(
            self.prompt(torch.cat([seen.prompt_maps(), cells], 1)),
            self.object(torch.cat([seen.embedding, cells], 1)),
        )


def new_hypotheses(model: SamModel) -> HypothesisNets:
    """Untrained networks for a model: at first every hypothesis is nearly its single answer."""
    return HypothesisNets(model.backbone.width, {n: t.shape for n, t in model.frozen.tensors.items()})


@dataclass(frozen=True, slots=True, eq=False)
class SeenPrompts:
    """What b prompts are: embedding (b, C, g, g), skips, the embedded prompts, and the plain answers (b, 4, G, G).

    `size` is the side in input pixels of what they show.
    """

    embedding: Tensor
    skips: tuple[Tensor, ...]
    embedded: Embedded
    plain: Tensor
    size: int

    def to(self, dtype: torch.dtype) -> SeenPrompts:
        """The same in another precision (training keeps them in half)."""
        skip = self.embedded.click_skip
        embedded = Embedded(
            self.embedded.sparse.to(dtype), self.embedded.dense.to(dtype), None if skip is None else skip.to(dtype)
        )
        skips = tuple(each.to(dtype) for each in self.skips)
        return SeenPrompts(self.embedding.to(dtype), skips, embedded, self.plain.to(dtype), self.size)

    def prompt_maps(self) -> Tensor:
        """What the prompt's Gaussian reads: (b, 2C + 4, g, g)."""
        plain = F.avg_pool2d(torch.tanh(self.plain / CALM), CELLS_IN_ONE)
        dense = self.embedded.dense.expand_as(self.embedding)
        return torch.cat([self.embedding, dense, plain], 1)


def hypotheses(
    model: SamModel,
    nets: HypothesisNets,
    tensors: Tensors,
    seen: SeenPrompts,
    prompt: Tensor,
    object_: Tensor,
) -> Tensor:
    """Logits (m, G, G) of m samples of both latents (m, L); differentiable.

    `seen` holds one prompt for all of them, or m.
    """
    count = len(prompt)
    dense = seen.embedded.dense.expand(seen.embedding.shape[0], -1, *seen.embedding.shape[2:])
    steered = replace(
        seen.embedded,
        sparse=seen.embedded.sparse.expand(count, -1, -1),
        dense=nets.into_prompt(dense, prompt),
    )
    embedding = nets.into_object(seen.embedding, object_)
    logits, _, _ = model.backbone.decode(nets.changed(tensors), embedding, seen.skips, steered, seen.size)
    return nets.mixed(logits, prompt, object_)


# --- files ----------------------------------------------------------------------------------------------------------


def save_hypotheses(nets: HypothesisNets, model: SamModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write the hypotheses of `model`.

    Raises:
        ValueError, OSError: as in `save_companion`.
    """
    save_companion("hypotheses", nets.state_dict(), model, path, facts)


def load_hypotheses(path: Path, model: SamModel) -> HypothesisNets:
    """Read the hypotheses that were trained for `model`.

    Raises:
        CheckpointError: as in `read_companion`.
    """
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in new_hypotheses(model).state_dict().items()}
    layers, _ = read_companion("hypotheses", path, model, shapes)
    nets = new_hypotheses(model)
    nets.load_state_dict(layers)
    return nets.eval().requires_grad_(False).to(model.device)


def hypotheses_for(model: SamModel) -> HypothesisNets | None:
    """The hypotheses that are shipped or kept in the model folder for `model`."""
    return companion_of("hypotheses", model, load_hypotheses)
