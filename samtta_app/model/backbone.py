"""What a model architecture must offer, how a model of it is used, and the model that is built on it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from samtta_app.model.weights import Tensors, Weights

if TYPE_CHECKING:
    from samtta_app.model.fast_encoder import FastEncoder
    from samtta_app.model.hypotheses import HypothesisNets
    from samtta_app.model.outline import Outline
    from samtta_app.model.selector import Selector

PointPrompts = tuple[Tensor, Tensor]
"""Clicks of B prompts: coordinates (B, N, 2) as x, y in input pixels, and labels (B, N), 1 include, 0 exclude."""


class Look(NamedTuple):
    """How the encoder sees an accepted object and the ground about it: unit vectors (C,) in each depth of features."""

    objects: tuple[Tensor, ...]
    grounds: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits within which an answer is proposed.

    Args:
        sure: least predicted IoU.
        stable: least stability, cells of a logit above +1 in cells of a logit above -1.
        smallest, largest: size in windows, padding left out.
    """

    sure: float
    stable: float
    smallest: float
    largest: float

    def allow(self, logits: Tensor, iou: float) -> bool:
        """Whether logits (R, C) without padding and their predicted IoU are good enough; never where they are not finite."""
        inner, outer = int((logits > 1).sum()), int((logits > -1).sum())
        size = int((logits > 0).sum()) / logits.numel()
        return iou >= self.sure and inner >= self.stable * outer and self.smallest <= size <= self.largest


@dataclass(frozen=True, slots=True)
class Policy:
    """How models of one architecture are used.

    Args:
        pixel_centres: scaling keeps the centres of pixels; otherwise it scales their indices, as official SAM does.
        quick_encoder: encoding a window takes a fraction of a second on a CPU.
        closer_look: an answer is looked at again in a closer window, for its outline.
        any_size: it is fully convolutional, so that a part of its features can be decoded alone.
        local_update: a later click changes the answer one way only, an exclude click near itself.
        box_middle: a box alone is asked for with an include click in its middle.
        limits: what the model may propose by itself.
        focal_alpha: weight of object pixels in the focal loss, 0 .. 1.
        normalised_focal: the architecture was trained with the normalised focal loss instead of SAM's.
        refiner_rate: highest learning rate of its refiner.
        step_rate: learning rate of Adam where single clicks teach the decoder (Schön et al. 2024).
        half: its files hold float16.
        ending: of its files' names.
        stretched: the encoder sees the window stretched to a square. Its last skip (1, 2, 1, 1) is then the window's
            height and width in input pixels without that.
    """

    pixel_centres: bool
    quick_encoder: bool
    closer_look: bool
    any_size: bool
    local_update: bool
    box_middle: bool
    limits: Limits
    focal_alpha: float
    normalised_focal: bool
    refiner_rate: float
    step_rate: float
    half: bool
    ending: str
    stretched: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A prompt as the decoder takes it; it does not depend on the decoder's weights.

    `opens` is whether it is an object's first prompt, a single click or a box: only then a task prompt is added.
    """

    sparse: Tensor
    dense: Tensor
    click_skip: Tensor | None
    opens: bool = False


class Backbone(Protocol):
    """An architecture with its weights; S is the side of the input in pixels, G = S / 4 that of the logits.

    Nothing here disables gradients: the caller does.
    """

    @property
    def policy(self) -> Policy:
        """How it is used."""

    @property
    def net(self) -> nn.Module:
        """All weights."""

    @property
    def width(self) -> int:
        """C: values of a token."""

    @property
    def prompt_weights(self) -> Tensors:
        """The prompt encoder's parameters, detached, by name."""

    @property
    def decoder_weights(self) -> Tensors:
        """The mask decoder's parameters, detached, by name: what learning may change."""

    @property
    def tasks(self) -> Tensors:
        """Task prompts (C,) of its file, by the names of the tasks; most files have none."""

    def normalise(self, pixels: Tensor) -> Tensor:
        """Pixels (3, H, W) in 0 .. 255 in the encoder's range; padding comes after this, with zeros."""

    def encode(self, x: Tensor) -> Generator[None, None, tuple[Tensor, tuple[Tensor, ...]]]:
        """Encode a normalised input (1, 3, S, S) in steps, without gradient: embedding (1, C, S/16, S/16) and skips."""

    def embed(
        self,
        points: PointPrompts | None,
        boxes: Tensor | None,
        masks: Tensor | None,
        size: int,
        weights: Tensors | None = None,
        features: Sequence[Tensor] = (),
        looks: Sequence[Look] = (),
    ) -> Embedded:
        """Embed B prompts: clicks and boxes (B, 4) in input pixels, earlier logits (B, 1, G, G), `size` is S.

        `weights` take the place of the prompt encoder's own. `features` are the window's embedding and skips, for
        architectures whose prompts also say what looks like the clicks, and like the accepted objects of `looks`.
        """

    def look(self, features: Sequence[Tensor], mask: Tensor) -> Look | None:
        """The look of an object: embedding and skips of its window, and its share of the cells (1, G, G), 0 .. 1.

        None where the architecture cannot read looks.
        """

    def decode(
        self, weights: Tensors, embedding: Tensor, skips: tuple[Tensor, ...], embedded: Embedded, size: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode B prompts under decoder `weights`: logits (B, 4, G, G), predicted IoU (B, 4) and tokens (B, 5, C).

        Mask 0 is the single answer, 1-3 are the candidates; token 0 is that of the IoU, then come the masks'.
        """

    def unfused(self, file: Callable[[], Path]) -> Backbone:
        """The same weights as its `file` holds them: loading may fuse layers, which cannot be undone."""

    def write(self, decoder: Tensors, path: Path, notes: str, tasks: Tensors | None = None) -> None:
        """Write the model with other decoder weights and task prompts (None: its own), whole or not at all.

        Raises:
            OSError, RuntimeError, ValueError: it was not written; an older file stays.
        """


@dataclass(frozen=True, slots=True, eq=False)
class SamModel:
    """A built model: `size` is the side of its input in pixels, `frozen` the original decoder.

    `tidy` is whether crumbs and pinholes of its masks go. `selector` ranks its masks, `outline` draws their outlines
    again, and `hypotheses` give several plausible ones; None where it has none. `encoder` encodes in place of the backbone.
    """

    name: str
    backbone: Backbone
    size: int
    frozen: Weights
    device: torch.device
    tidy: bool = True
    selector: Selector | None = None
    outline: Outline | None = None
    hypotheses: HypothesisNets | None = None
    encoder: FastEncoder | None = None

    @property
    def policy(self) -> Policy:
        """How models of its architecture are used."""
        return self.backbone.policy

    @property
    def net(self) -> nn.Module:
        """All weights."""
        return self.backbone.net

    def on(self, device: str) -> SamModel:
        """The same model moved to a device.

        Raises:
            RuntimeError: the device cannot be used, or has not enough memory; AssertionError where torch was built without it.
        """
        moved = built_model(self.name, self.backbone, self.size, device)
        return replace(moved, tidy=self.tidy, selector=self.selector, outline=self.outline, hypotheses=self.hypotheses)

    @property
    def grid(self) -> int:
        """Side of the low-resolution logits."""
        return self.size // 4

    @property
    def parameters(self) -> int:
        """Number of values in the whole model."""
        return sum(p.numel() for p in self.net.parameters())


def built_model(name: str, backbone: Backbone, size: int, device: str = "cpu") -> SamModel:
    """A model on a device, in evaluation mode, that no gradient can change.

    Raises:
        RuntimeError, AssertionError: as in `SamModel.on`.
    """
    for parameter in backbone.net.to(device).eval().parameters():
        parameter.requires_grad_(False)
    return SamModel(name, backbone, size, Weights(0, backbone.decoder_weights), torch.device(device))


def detached_parameters(module: nn.Module) -> Tensors:
    """A module's parameters by name, without gradient, sharing their memory."""
    return {name: value.detach() for name, value in module.named_parameters()}
