"""The compact promptable model: a MobileNetV2 encoder and SAM's own prompt encoder and mask decoder, narrow.

Subclassed from `segment_anything` only where two things enter that a small model needs: click maps (prompts drawn
as pictures, without which a narrow decoder is slow to learn *where* a click is) and skips (fine features added while
the mask is upscaled, as in SAM 2). Everything is fully convolutional: the same weights answer at 256 to 1024 pixels.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import timm
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from segment_anything.modeling import MaskDecoder, PromptEncoder, TwoWayTransformer
from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn
from torch.nn import functional as F

from samtta_app.core.files import write_whole
from samtta_app.model.compact_limits import check_slices, config_values

COMPACT_FORMAT = "samtta-compact-1"
STRIDE = 16
GRID_STRIDE = 4
CLICK_SIGMAS = (1.0, 3.0, 8.0)
MAP_CHANNELS = 2 * len(CLICK_SIGMAS) + 2
MAP_GAIN = 3.0
PIXEL_MEAN = 127.5
PIXEL_STD = 127.5


@dataclass(frozen=True, slots=True)
class CompactConfig:
    """Sizes of a compact model. `input_size` is only the default side of a window in pixels, not a restriction."""

    name: str = "small"
    backbone: str = "mobilenetv2_100"
    dim: int = 128
    mlp: int = 512
    heads: int = 4
    depth: int = 2
    head_dim: int = 256
    input_size: int = 512


SMALL_CONFIG = CompactConfig()
BASE = CompactConfig(name="base", dim=256, mlp=2048, heads=8)
CONFIGS: Mapping[str, CompactConfig] = {"small": SMALL_CONFIG, "base": BASE}


class DecoderOutput(NamedTuple):
    """All four masks of one pass: token 0 is the single answer, tokens 1-3 are the candidates."""

    masks: Tensor
    """(B, 4, S/4, S/4) logits."""
    iou: Tensor
    """(B, 4) predicted IoU."""
    tokens: Tensor
    """(B, 5, C) output tokens: the IoU token, then the four mask tokens."""


Skips = tuple[Tensor, Tensor]


class CompactEncoder(nn.Module):
    """MobileNetV2 at output stride 16, a DeepLab head and a neck that adds finer features back in."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.backbone = timm.create_model(
            config.backbone, pretrained=False, features_only=True, output_stride=STRIDE, pad_type="same"
        )
        _, s4, s8, s16, last = cast(Any, self.backbone.feature_info).channels()
        dim, head = config.dim, config.head_dim
        self.aspp = nn.Conv2d(last, head, 1)
        self.pooling = nn.Conv2d(last, head, 1)
        self.projection = nn.Conv2d(2 * head, head, 1)
        self.from_head = nn.Sequential(nn.Conv2d(head, dim, 1, bias=False), LayerNorm2d(dim))
        self.from_16 = nn.Sequential(nn.Conv2d(s16, dim, 1, bias=False), LayerNorm2d(dim))
        self.from_8 = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * s8, dim, 1, bias=False), LayerNorm2d(dim))
        self.from_4 = nn.Sequential(
            nn.Conv2d(s4, 2 * s4, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(2 * s4, dim, 3, stride=2, padding=1, bias=False),
            LayerNorm2d(dim),
        )
        self.mix = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1, groups=dim), nn.GELU(), nn.Conv2d(dim, dim, 1))
        self.norm = LayerNorm2d(dim)
        # Normalised: raw backbone features are some hundred times larger than what draws a click into the skip.
        self.skip_8 = nn.Sequential(nn.Conv2d(s8, dim // 4, 3, padding=1), LayerNorm2d(dim // 4))
        self.skip_4 = nn.Sequential(nn.Conv2d(s4, dim // 8, 3, padding=1), LayerNorm2d(dim // 8))

    def train(self, mode: bool = True) -> "CompactEncoder":
        """Training mode for all but the backbone: its BatchNorms are folded identities without real statistics."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Skips]:
        """Encode (B, 3, S, S) normalised pixels: (B, C, S/16, S/16) and skips at S/8 (C/4) and S/4 (C/8)."""
        _, f4, f8, f16, last = self.backbone(x)
        pooled = F.relu(self.pooling(last.mean((2, 3), keepdim=True))).expand(-1, -1, *last.shape[2:])
        head = F.relu(self.projection(torch.cat([F.relu(self.aspp(last)), pooled], dim=1)))
        y = self.from_head(head) + self.from_16(f16) + self.from_8(f8) + self.from_4(f4)
        return self.norm(y + self.mix(y)), (self.skip_8(f8), self.skip_4(f4))


def _cell_centres(cells: int, device: torch.device) -> Tensor:
    """Pixel coordinates of the centres of the stride-4 cells (pixel 0 has its centre at 0)."""
    return torch.arange(cells, device=device, dtype=torch.float32) * GRID_STRIDE + (GRID_STRIDE - 1) / 2


def click_maps(coords: Tensor, labels: Tensor, size: int) -> Tensor:
    """Draw (B, N) clicks as (B, 6, S/4, S/4) Gaussians in [0, 1]: three widths of include, three of exclude.

    Labels: 1 include, 0 exclude, anything else is ignored (padding).
    """
    centres = _cell_centres(size // GRID_STRIDE, coords.device)
    squared = ((centres - coords.float().unsqueeze(-1)) / GRID_STRIDE) ** 2  # B, N, 2, cells
    maps = []
    for sign in (1, 0):
        chosen = (labels == sign).to(squared.dtype)[..., None]
        for sigma in CLICK_SIGMAS:
            bumps = torch.exp(squared / (-2 * sigma * sigma))
            maps.append(torch.einsum("bnh,bnw->bhw", bumps[:, :, 1] * chosen, bumps[:, :, 0]).clamp(max=1))
    return torch.stack(maps, dim=1)


def box_map(boxes: Tensor, size: int) -> Tensor:
    """Fill (B, 4) boxes (x0, y0, x1, y1) on the stride-4 grid with a ramp of one cell: (B, 1, S/4, S/4)."""
    centres = _cell_centres(size // GRID_STRIDE, boxes.device)
    corners = boxes.float().reshape(-1, 2, 2, 1)
    low = ((centres - corners[:, 0]) / GRID_STRIDE + 0.5).clamp(0, 1)
    high = ((corners[:, 1] - centres) / GRID_STRIDE + 0.5).clamp(0, 1)
    inside = low * high  # B, (x, y), cells
    return (inside[:, 1, :, None] * inside[:, 0, None, :]).unsqueeze(1)


class CompactPromptEncoder(PromptEncoder):
    """SAM's prompt encoder, stateless in the window's size, plus maps of clicks, box and previous mask."""

    def __init__(self, config: CompactConfig) -> None:
        grid = config.input_size // STRIDE
        super().__init__(config.dim, (grid, grid), (config.input_size, config.input_size), 16)
        fine = config.dim // 8
        self.maps_to_dense = nn.Sequential(
            nn.Conv2d(MAP_CHANNELS, fine, 3, stride=2, padding=1),
            LayerNorm2d(fine),
            nn.GELU(),
            nn.Conv2d(fine, config.dim, 3, stride=2, padding=1),
        )
        self.maps_to_skip = nn.Sequential(
            nn.Conv2d(MAP_CHANNELS, fine, 3, padding=1), nn.GELU(), nn.Conv2d(fine, fine, 3, padding=1)
        )

        for module in (*self.maps_to_dense, *self.maps_to_skip):
            if isinstance(module, nn.Conv2d):  # loud from the start: clicks are few cells among many
                nn.init.kaiming_normal_(module.weight, a=0)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def dense_pe(self, size: int) -> Tensor:
        """Positional encoding (1, C, S/16, S/16) of the embedding's grid for a window of `size` pixels."""
        return cast(Tensor, self.pe_layer((size // STRIDE, size // STRIDE)).unsqueeze(0))

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
    ) -> Tensor:
        cells, device = size // GRID_STRIDE, self._get_device()
        clicks = torch.zeros(batch, 2 * len(CLICK_SIGMAS), cells, cells, device=device)
        box = previous = torch.zeros(batch, 1, cells, cells, device=device)
        if points is not None:
            clicks = click_maps(*points, size)
        if boxes is not None:
            box = box_map(boxes, size)
        if masks is not None:
            previous = torch.tanh(masks / 4)
        return torch.cat([MAP_GAIN * clicks, box, previous], dim=1)

    def forward(  # type: ignore[override]
        self, points: tuple[Tensor, Tensor] | None, boxes: Tensor | None, masks: Tensor | None, size: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Embed a prompt given in pixels of a window of `size` pixels.

        `points`: coords (B, N, 2) as x, y and labels (B, N), 1 include, 0 exclude, -1 padding; `boxes`: (B, 4);
        `masks`: previous logits (B, 1, S/4, S/4).
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
        maps = self._maps(points, boxes, masks, batch, size)
        return torch.cat(tokens, dim=1), dense + self.maps_to_dense(maps), self.maps_to_skip(maps)


class CompactMaskDecoder(MaskDecoder):
    """SAM's mask decoder; only the upscaling adds the two skips before its activations."""

    def __init__(self, config: CompactConfig) -> None:
        transformer = TwoWayTransformer(
            depth=config.depth, embedding_dim=config.dim, num_heads=config.heads, mlp_dim=config.mlp
        )
        super().__init__(transformer_dim=config.dim, transformer=transformer, iou_head_hidden_dim=config.dim)

    def _upscale(self, src: Tensor, skips: Skips) -> Tensor:
        first, norm, act, second, last_act = self.output_upscaling
        return cast(Tensor, last_act(second(act(norm(first(src) + skips[0]))) + skips[1]))

    def predict_masks(  # type: ignore[override]
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        skips: Skips,
    ) -> DecoderOutput:
        """All four masks, their predicted IoU and the output tokens; batch = prompts, images one each or one for all.

        Unlike the stock version, B images with one prompt each are B masks, not B x B.
        """
        batch = sparse_prompt_embeddings.shape[0]
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight]).unsqueeze(0).expand(batch, -1, -1)
        src = image_embeddings + dense_prompt_embeddings
        pe = image_pe.expand(batch, -1, -1, -1)
        hs, src_out = self.transformer(src, pe, torch.cat([own, sparse_prompt_embeddings], dim=1))
        tokens = hs[:, : 1 + self.num_mask_tokens]
        upscaled = self._upscale(src_out.transpose(1, 2).reshape(src.shape), skips)
        hyper = torch.stack([mlp(tokens[:, i + 1]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1)
        masks = torch.einsum("bmc,bchw->bmhw", hyper, upscaled)
        return DecoderOutput(masks, self.iou_prediction_head(tokens[:, 0]), tokens)

    def forward(  # type: ignore[override]
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
        skips: Skips,
        full: bool = False,
    ) -> tuple[Tensor, Tensor] | DecoderOutput:
        """Low-res logits (B, m, S/4, S/4) and predicted IoU (B, m): m = 3 candidates or the single mask.

        `full` gives the whole `DecoderOutput` instead (for training, also under `torch.func.functional_call`).
        """
        out = self.predict_masks(image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings, skips)
        if full:
            return out
        chosen = slice(1, None) if multimask_output else slice(0, 1)
        return out.masks[:, chosen], out.iou[:, chosen]


class CompactSam(nn.Module):
    """The three parts under SAM's own names, and how pixels are normalised."""

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.config = config
        self.image_encoder = CompactEncoder(config)
        self.prompt_encoder = CompactPromptEncoder(config)
        self.mask_decoder = CompactMaskDecoder(config)
        self.register_buffer("pixel_mean", torch.full((3, 1, 1), PIXEL_MEAN), persistent=False)
        self.register_buffer("pixel_std", torch.full((3, 1, 1), PIXEL_STD), persistent=False)

    def normalise(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) RGB in 0..255 to the encoder's range; pad to a square *after* this, with zeros, as SAM does."""
        return (pixels.float() - self.pixel_mean) / self.pixel_std


def build_compact(config: CompactConfig = SMALL_CONFIG) -> CompactSam:
    """A model with random weights (nothing is downloaded), in evaluation mode."""
    return CompactSam(config).eval()


def save_compact(model: CompactSam, path: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write the weights as float16 safetensors with the configuration in the metadata, whole or not at all.

    Raises:
        ValueError: a weight is not finite in float16; an older file stays.
        OSError: the file cannot be written; an older file stays.
    """
    state = {
        key: value.detach().half().contiguous()
        for key, value in model.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    metadata = {"format": COMPACT_FORMAT, "config": json.dumps(asdict(model.config)), **(notes or {})}
    broken = [key for key, value in state.items() if not torch.isfinite(value).all()]
    if broken:
        raise ValueError(f"{path}: not written, {broken[0]} and {len(broken) - 1} more are not finite in float16")
    write_whole(path, save(state, metadata=metadata))


def _read_config(path: Path, metadata: Mapping[str, str] | None) -> CompactConfig:
    if not metadata or metadata.get("format") != COMPACT_FORMAT:
        raise ValueError(f"{path}: not a compact samtta model (its metadata lacks format = {COMPACT_FORMAT!r})")
    if "config" not in metadata:
        raise ValueError(f"{path}: the model's configuration cannot be read: there is none")
    try:
        return CompactConfig(**config_values(metadata["config"]))
    except ValueError as e:
        raise ValueError(f"{path}: {e}") from e


def _read_tensors(path: Path, file: Any, config: CompactConfig) -> dict[str, Tensor]:  # noqa: ANN401 (has no types)
    """The tensors of an open safetensors file in single precision, if they are those of this configuration."""
    try:
        with torch.device("meta"):  # names and shapes, without memory for them
            state = CompactSam(config).state_dict()
        shapes = {key: tuple(value.shape) for key, value in state.items() if not key.endswith("num_batches_tracked")}
        check_slices({key: file.get_slice(key) for key in file.keys()}, shapes)  # noqa: SIM118 (not a dict)
    except (RuntimeError, TypeError, ValueError, AssertionError, ArithmeticError) as e:
        raise ValueError(f"{path}: does not fit its configuration: {e}") from e
    return {key: file.get_tensor(key).float() for key in shapes}


def load_compact(path: Path) -> CompactSam:
    """Read a model written by `save_compact`, as float32 on the CPU, in evaluation mode.

    Configuration, names, shapes and kinds of numbers are checked before the model is built or a value is read.

    Raises `ValueError` where the file is no compact model, is damaged, or holds values that are not finite.
    """
    try:
        with safe_open(path, framework="pt") as file:
            config = _read_config(path, file.metadata())
            state = _read_tensors(path, file, config)
    except (OSError, SafetensorError) as e:
        raise ValueError(f"{path}: cannot be read as safetensors: {e}") from e
    broken = [key for key, value in state.items() if not torch.isfinite(value).all()]
    if broken:
        raise ValueError(f"{path}: values that are not finite in {broken[0]} and {len(broken) - 1} more")
    model = build_compact(config)
    model.load_state_dict(state, strict=False)  # all but BatchNorm's counters, which files leave out
    return model
