"""The compact model's prompts: SAM's tokens, and clicks, boxes and earlier masks drawn as pictures."""

from collections.abc import Sequence
from typing import cast

import torch
from segment_anything.modeling import PromptEncoder
from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn

from samtta_app.model.backbones.grid_positions import grid_positions
from samtta_app.model.backbones.likeness import (
    CONTEXT_CHANNELS,
    SIMILARITY_CHANNELS,
    Context,
    context_maps,
    similarity_maps,
    unit_features,
)

STRIDE = 16
GRID_STRIDE = 4
CLICK_SIGMAS = (1.0, 3.0, 8.0)
MAP_CHANNELS = 2 * len(CLICK_SIGMAS) + 2
MAP_GAIN = 3.0


def _cell_centres(cells: int, device: torch.device) -> Tensor:
    """Pixel coordinates of the centres of the stride-4 cells (pixel 0 has its centre at 0)."""
    return torch.arange(cells, device=device, dtype=torch.float32) * GRID_STRIDE + (GRID_STRIDE - 1) / 2


def click_maps(coords: Tensor, labels: Tensor, size: int) -> Tensor:
    """Draw (B, N) clicks as (B, 6, S/4, S/4) Gaussians in [0, 1]: three widths of include, three of exclude.

    Labels: 1 include, 0 exclude, anything else is ignored (padding).
    """
    centres = _cell_centres(size // GRID_STRIDE, coords.device)
    squared = ((centres - coords.float().unsqueeze(-1)) / GRID_STRIDE) ** 2  # B, N, 2, cells
    bumps = torch.stack([torch.exp(squared / (-2 * sigma * sigma)) for sigma in CLICK_SIGMAS])
    chosen = torch.stack([labels == 1, labels == 0]).to(squared.dtype)[:, None, ..., None]  # sign, 1, B, N, 1
    drawn = torch.einsum("skbnh,kbnw->bskhw", bumps[:, :, :, 1] * chosen, bumps[:, :, :, 0])
    return drawn.clamp(max=1).flatten(1, 2)


def box_map(boxes: Tensor, size: int) -> Tensor:
    """Fill (B, 4) boxes (x0, y0, x1, y1) on the stride-4 grid with a ramp of one cell: (B, 1, S/4, S/4)."""
    centres = _cell_centres(size // GRID_STRIDE, boxes.device)
    corners = boxes.float().reshape(-1, 2, 2, 1)
    low = ((centres - corners[:, 0]) / GRID_STRIDE + 0.5).clamp(0, 1)
    high = ((corners[:, 1] - centres) / GRID_STRIDE + 0.5).clamp(0, 1)
    inside = low * high  # B, (x, y), cells
    return (inside[:, 1, :, None] * inside[:, 0, None, :]).unsqueeze(1)


class CompactPromptEncoder(PromptEncoder):
    """SAM's prompt encoder, stateless in the window's size, plus maps of clicks, box and previous mask.

    Args:
        dim: C, values of a token.
        input_size: default side of a window in pixels.
        similarity: maps of what looks like the clicks, too.
        context: maps of what looks like objects that were accepted before, too.
    """

    def __init__(self, dim: int, input_size: int, *, similarity: bool = False, context: bool = False) -> None:
        grid = input_size // STRIDE
        super().__init__(dim, (grid, grid), (input_size, input_size), 16)
        fine = dim // 8
        self.similarity, self.context = similarity, context
        channels = MAP_CHANNELS + SIMILARITY_CHANNELS * similarity + CONTEXT_CHANNELS * context
        self.maps_to_dense = nn.Sequential(
            nn.Conv2d(channels, fine, 3, stride=2, padding=1),
            LayerNorm2d(fine),
            nn.GELU(),
            nn.Conv2d(fine, dim, 3, stride=2, padding=1),
        )
        self.maps_to_skip = nn.Sequential(
            nn.Conv2d(channels, fine, 3, padding=1), nn.GELU(), nn.Conv2d(fine, fine, 3, padding=1)
        )

        for module in (*self.maps_to_dense, *self.maps_to_skip):
            if isinstance(module, nn.Conv2d):  # loud from the start: clicks are few cells among many
                nn.init.kaiming_normal_(module.weight, a=0)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def dense_pe(self, size: int) -> Tensor:
        """Positional encoding (1, C, S/16, S/16) of the embedding's grid for a window of `size` pixels."""
        return grid_positions(self.pe_layer, size // STRIDE)

    def _embeddings(self) -> list[Tensor]:
        """Of an exclude click, an include click, and the two corners of a box: (1, C) each."""
        return [cast(nn.Embedding, layer).weight for layer in self.point_embeddings]

    def _click_tokens(self, coords: Tensor, labels: Tensor, size: int) -> Tensor:
        # A gather instead of the stock's masked additions: the same sums, and it needs no in-place writes.
        table = torch.cat([self.not_a_point_embed.weight, *self._embeddings()[:2]])
        position = self.pe_layer.forward_with_coords(coords.float() + 0.5, (size, size))
        known = (labels >= 0).unsqueeze(-1).to(position.dtype)
        return position * known + table[(labels.long() + 1).clamp(min=0)]

    def _box_tokens(self, boxes: Tensor, size: int) -> Tensor:
        corners = boxes.float().reshape(-1, 2, 2) + 0.5
        position = self.pe_layer.forward_with_coords(corners, (size, size))
        return position + torch.cat(self._embeddings()[2:])

    def _maps(
        self, points: tuple[Tensor, Tensor] | None, boxes: Tensor | None, masks: Tensor | None, batch: int, size: int
    ) -> list[Tensor]:
        cells, device = size // GRID_STRIDE, self._get_device()
        clicks = torch.zeros(batch, 2 * len(CLICK_SIGMAS), cells, cells, device=device)
        box = previous = torch.zeros(batch, 1, cells, cells, device=device)
        if points is not None:
            clicks = click_maps(*points, size)
        if boxes is not None:
            box = box_map(boxes, size)
        if masks is not None:
            previous = torch.tanh(masks / 4)
        return [MAP_GAIN * clicks, box, previous]

    def _likeness(
        self,
        points: tuple[Tensor, Tensor] | None,
        features: Sequence[Tensor],
        context: Context | None,
        batch: int,
        size: int,
    ) -> list[Tensor]:
        def nothing(channels: int) -> Tensor:
            return torch.zeros(batch, channels, size // GRID_STRIDE, size // GRID_STRIDE, device=self._get_device())

        maps = []
        clicked = self.similarity and points is not None and points[1].shape[1]
        units = [unit_features(part) for part in features[:3]] if clicked or (self.context and context) else []
        if self.similarity:
            found = similarity_maps(*points, units, features[3], size) if clicked and points else None
            maps.append(nothing(SIMILARITY_CHANNELS) if found is None else found)
        if self.context:
            known = context_maps(context, units, size) if context else nothing(CONTEXT_CHANNELS)
            maps.append(known.expand(batch, -1, -1, -1))  # the same for all prompts of one window
        return maps

    def forward(  # type: ignore[override]
        self,
        points: tuple[Tensor, Tensor] | None,
        boxes: Tensor | None,
        masks: Tensor | None,
        size: int,
        features: Sequence[Tensor] = (),
        context: Context | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Embed a prompt given in pixels of a window of `size` pixels.

        `points`: coords (B, N, 2) as x, y and labels (B, N), 1 include, 0 exclude, -1 padding; `boxes`: (B, 4);
        `masks`: previous logits (B, 1, S/4, S/4); `features`: the encoder's embedding and skips of the window;
        `context`: objects that were accepted before. Both are read only where the model has such maps.
        Returns sparse (B, n, C), dense (B, C, S/16, S/16) and the click skip (B, C/8, S/4, S/4).
        """
        batch = self._get_batch_size(points, boxes, masks)
        tokens = [torch.empty(batch, 0, self.embed_dim, device=self._get_device())]
        if points is not None:
            coords, labels = points
            if boxes is None:  # as in SAM: one empty token where there is no box
                coords = torch.cat([coords, coords.new_zeros(batch, 1, 2)], dim=1)
                labels = torch.cat([labels, -labels.new_ones(batch, 1)], dim=1)
            tokens.append(self._click_tokens(coords, labels, size))
        if boxes is not None:
            tokens.append(self._box_tokens(boxes, size))
        dense = self._embed_masks(masks) if masks is not None else self.no_mask_embed.weight.reshape(1, -1, 1, 1)
        drawn = self._maps(points, boxes, masks, batch, size)
        maps = torch.cat([*drawn, *self._likeness(points, features, context, batch, size)], dim=1)
        return torch.cat(tokens, dim=1), dense + self.maps_to_dense(maps), self.maps_to_skip(maps)
