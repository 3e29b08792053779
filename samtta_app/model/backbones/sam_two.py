"""SAM 2 and 2.1 on single images, on the official package's modules, and how they answer.

Source: Ravi et al. 2024, "SAM 2: Segment Anything in Images and Videos". The memory of earlier frames, of which a file
holds the weights too, has no part in it. As its predictor does, the encoder sees the window stretched to a square. Here
logits lie over the window padded to a square, as those of every model: a window that is no square is resampled.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from samtta_app.errors import CheckpointError
from samtta_app.extras import extra_advice
from samtta_app.model.backbone import Embedded, Limits, Look, PointPrompts, Policy, detached_parameters
from samtta_app.model.backbones.checkpoint_states import fit
from samtta_app.model.backbones.grid_positions import grid_positions
from samtta_app.model.backbones.sam import SAM_POLICY
from samtta_app.model.stored_tasks import named_in_file
from samtta_app.model.weights import Tensors, write_tensors
from samtta_app.phrases import Phrase

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

SAM_TWO_POLICY = replace(
    SAM_POLICY,
    stretched=True,
    limits=Limits(sure=0.8, stable=0.95, smallest=0.002, largest=0.95),  # those of SAM 2's generator
    ending=".pt",
)

_SIZES = {(96, 12): "tiny", (96, 16): "small", (112, 24): "base_plus", (144, 48): "large"}
"""Channels of the first stage and number of blocks, by which the sizes differ."""

_CONFIGS = {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}

_CLAMP = 32.0
"""Earlier logits are fed back within these limits, as the official predictor clips what it gives away."""

_OUTSIDE = -10.0
"""Logits in the padding: surely background."""

_NOT_DECODED = ("conv_s0.", "conv_s1.", "pred_obj_score_head.")
"""Parts of the official decoder that learning leaves alone: two belong to the encoding, one to the tracking."""


class _AllMasksOfTwo(nn.Module):
    """A decoder whose forward gives all four masks and its tokens, so that they are reached under replaced parameters."""

    def __init__(self, decoder: Any) -> None:  # noqa: ANN401 (the package has no types)
        super().__init__()
        self.decoder = decoder

    def forward(
        self, embedding: Tensor, positions: Tensor, embedded: Embedded, fine: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        decoder, seen = self.decoder, []
        reading = decoder.transformer.register_forward_hook(lambda _, __, output: seen.append(output[0]))
        try:
            masks, iou, _, _ = decoder.predict_masks(
                image_embeddings=embedding,
                image_pe=positions,
                sparse_prompt_embeddings=embedded.sparse,
                dense_prompt_embeddings=embedded.dense,
                repeat_image=len(embedding) == 1,
                high_res_features=list(fine),
            )
        finally:
            reading.remove()
        first = int(decoder.pred_obj_scores)  # the token of the object's presence comes before that of the IoU
        return masks, iou, seen[0][:, first : first + 1 + decoder.num_mask_tokens]


@dataclass(frozen=True, slots=True, eq=False)
class SamTwo:
    """SAM 2 as a backbone.

    Its skips are the two finer maps (1, 32, 256, 256) and (1, 64, 128, 128), and the height and width in input pixels that
    the window has without stretching (1, 2, 1, 1).
    """

    policy: ClassVar[Policy] = SAM_TWO_POLICY
    net: Any
    tasks: Tensors = field(default_factory=dict)

    @property
    def width(self) -> int:
        """C: values of a token."""
        return int(self.net.hidden_dim)

    @property
    def prompt_weights(self) -> Tensors:
        """The prompt encoder's parameters."""
        return detached_parameters(self.net.sam_prompt_encoder)

    @property
    def decoder_weights(self) -> Tensors:
        """The mask decoder's parameters, without those that make no mask."""
        every = detached_parameters(self.net.sam_mask_decoder)
        return {name: value for name, value in every.items() if not name.startswith(_NOT_DECODED)}

    def normalise(self, pixels: Tensor) -> Tensor:
        """Pixels in the encoder's range."""
        mean, deviation = (pixels.new_tensor(values).view(-1, 1, 1) for values in (_MEAN, _STD))
        return (pixels / 255 - mean) / deviation

    def encode(self, x: Tensor) -> Generator[None, None, tuple[Tensor, tuple[Tensor, ...]]]:
        """Encode; yields before every block, so that a click never waits for more than one."""
        trunk, decoder = self.net.image_encoder.trunk, self.net.sam_mask_decoder
        with torch.no_grad():
            x = trunk.patch_embed(x)
            x = x + trunk._get_pos_embed(x.shape[1:3])
        stages = []
        for number, block in enumerate(trunk.blocks):
            yield
            with torch.no_grad():
                x = block(x)
            if number in trunk.stage_ends:
                stages.append(x.permute(0, 3, 1, 2))
        yield
        with torch.no_grad():
            quarter, eighth, embedding = self.net.image_encoder.neck(stages)[0][:3]
            fine = decoder.conv_s0(quarter), decoder.conv_s1(eighth)
            return embedding + self.net.no_mem_embed.view(1, -1, 1, 1), fine

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
        """Embed prompts as the official predictor does: a box is two points, of labels 2 and 3, before the others."""
        del looks
        shape = _shape(features[1:], size).to(self.net.device)
        stretch = (size / shape.flip(-1))[:, None]  # x, y
        places, labels = [], []
        if boxes is not None:
            places.append(boxes.reshape(-1, 2, 2) * stretch)
            labels.append(torch.tensor([[2, 3]], device=boxes.device).expand(len(boxes), -1))
        if points is not None:
            places.append(points[0] * stretch)
            labels.append(points[1])
        given = (torch.cat(places, dim=1), torch.cat(labels, dim=1)) if places else None
        if masks is not None:
            masks = _resampled(masks, shape / size).clamp(-_CLAMP, _CLAMP)
        inputs = {"points": given, "boxes": None, "masks": masks}
        sparse, dense = functional_call(self.net.sam_prompt_encoder, dict(weights or {}), (), inputs, tie_weights=False)
        return Embedded(sparse, dense, None)

    def look(self, features: Sequence[Tensor], mask: Tensor) -> Look | None:
        """SAM 2 reads no looks."""
        return None

    def decode(
        self, weights: Tensors, embedding: Tensor, skips: tuple[Tensor, ...], embedded: Embedded, size: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode prompts; without gradient, an unstable single mask gives way to the best candidate, as in its predictor.

        While it learns, the single mask stays its own, as in its training.
        """
        decoder, side = self.net.sam_mask_decoder, embedding.shape[-1]
        finer = ((decoder.conv_s0, 4 * side), (decoder.conv_s1, 2 * side))
        blank = [embedding.new_zeros(1, conv.out_channels, cells, cells) for conv, cells in finer]
        position = grid_positions(self.net.sam_prompt_encoder.pe_layer, side)
        inputs = (embedding, position, embedded, skips[:2] or blank)
        replaced = {f"decoder.{name}": tensor for name, tensor in weights.items()}
        logits, iou, tokens = functional_call(_AllMasksOfTwo(decoder), replaced, inputs, tie_weights=False)
        if not torch.is_grad_enabled():
            logits, iou, tokens = _steady(decoder, logits, iou, tokens)
        shape = _shape(skips, size).to(logits)
        return _padded(_resampled(logits, size / shape), shape / size), iou, tokens

    def unfused(self, file: Callable[[], Path]) -> SamTwo:
        """Itself: nothing is fused."""
        del file
        return self

    def write(self, decoder: Tensors, path: Path, notes: str, tasks: Tensors | None = None) -> None:
        """Write Meta's layout, which cannot hold metadata; task prompts are further tensors, which Meta's code refuses."""
        del notes
        changed = {f"sam_mask_decoder.{name}": tensor for name, tensor in decoder.items()}
        state = {**self.net.state_dict(), **changed, **named_in_file(self.tasks if tasks is None else tasks)}
        write_tensors(path, {"model": {name: tensor.detach().cpu() for name, tensor in state.items()}})


def sam_two_name(path: Path, state: Mapping[str, Tensor]) -> str:
    """The name of the SAM 2 that has such tensors: its version and its size.

    Raises:
        CheckpointError: no size has such an encoder.
    """
    trunk = "image_encoder.trunk."
    blocks = {key.split(".")[3] for key in state if key.startswith(f"{trunk}blocks.")}
    first = state.get(f"{trunk}pos_embed", torch.empty(0, 0))
    size = _SIZES.get((first.shape[1] if first.ndim > 1 else 0, len(blocks)))
    if size is None:
        raise CheckpointError(
            Phrase(
                "The file is of another architecture (a SAM 2 with {number} image encoder blocks)", number=len(blocks)
            ),
            path,
            "Choose an official file of SAM 2 or 2.1: tiny, small, base_plus or large",
        )
    return f"{'sam2.1' if 'no_obj_embed_spatial' in state else 'sam2'}_{size}"


def fitted_sam_two(path: Path, name: str, state: Mapping[str, Tensor], tasks: Tensors, size: int) -> SamTwo:
    """The SAM 2 of this name with the tensors of a file, for inputs of `size` pixels.

    Raises:
        CheckpointError: a tensor does not fit, or the package of SAM 2 is missing.
    """
    try:
        from sam2.build_sam import build_sam2
    except ImportError as e:
        raise CheckpointError(
            "A file of SAM 2 needs the package sam2, which is not installed", path, extra_advice("sam2")
        ) from e
    version, scale = name.split("_", 1)
    config, side = f"configs/{version}/{version}_hiera_{_CONFIGS[scale]}.yaml", f"++model.image_size={size}"
    with torch.random.fork_rng(devices=[]):
        net = build_sam2(config, device="cpu", hydra_overrides_extra=[side])
    fit(path, name, net, state, {key: key for key in net.state_dict()})
    return SamTwo(net, tasks)


def _steady(decoder: Any, logits: Tensor, iou: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # noqa: ANN401
    """Masks, IoU and tokens; where the single mask is not stable, the best candidate stands in its place as well."""
    single, delta = logits[:, 0].flatten(1), decoder.dynamic_multimask_stability_delta
    inner, outer = (single > delta).sum(dim=1), (single > -delta).sum(dim=1)
    stable = (outer == 0) | (inner / outer.clamp(min=1) >= decoder.dynamic_multimask_stability_thresh)
    place = torch.where(stable, 0, 1 + iou[:, 1:].argmax(dim=1))
    row = torch.arange(len(place), device=place.device)
    return (
        torch.cat([logits[row, place][:, None], logits[:, 1:]], dim=1),
        torch.cat([iou[row, place][:, None], iou[:, 1:]], dim=1),
        torch.cat([tokens[:, :1], tokens[row, 1 + place][:, None], tokens[:, 2:]], dim=1),
    )


def _shape(skips: Sequence[Tensor], size: int) -> Tensor:
    """Height and width (B, 2) in input pixels that each window has without stretching; the whole input where none says."""
    return skips[2].flatten(1).float() if len(skips) > 2 else torch.full((1, 2), float(size))


def _resampled(maps: Tensor, scale: Tensor) -> Tensor:
    """Maps (B, m, G, G) stretched by `scale` (1 or B, 2), height and width, from the upper left corner; edges go on."""
    if bool((scale == 1).all()):
        return maps
    side = maps.shape[-1]
    centres = (torch.arange(side, device=maps.device) + 0.5) / side
    x, y = (centres * ratio[:, None] * 2 - 1 for ratio in (scale[:, 1], scale[:, 0]))
    where = torch.stack([x[:, None].expand(-1, side, -1), y[:, :, None].expand(-1, -1, side)], dim=-1)
    where = where.expand(len(maps), -1, -1, -1).to(maps)
    return F.grid_sample(maps, where, mode="bilinear", padding_mode="border", align_corners=False)


def _padded(maps: Tensor, share: Tensor) -> Tensor:
    """Maps whose cells beyond the window's `share` (1 or B, 2) are background; one cell stays for interpolation."""
    if bool((share == 1).all()):
        return maps
    side = maps.shape[-1]
    cells = torch.arange(side, device=maps.device)
    rows, columns = (cells < (share[:, k, None] * side).ceil() + 1 for k in (0, 1))
    inside = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(inside, maps, maps.new_tensor(_OUTSIDE))
