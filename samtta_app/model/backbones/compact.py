"""The compact promptable model: a MobileNetV2 encoder and SAM's own prompt encoder and mask decoder, narrow.

It is subclassed from `segment_anything` only to add two things that a small model needs: click maps and skips. Click maps
are prompts drawn as pictures; without them a narrow decoder is slow to learn *where* a click is. Skips add fine features
while the mask is upscaled, as in SAM 2. Everything is fully convolutional: the same weights answer at 256 to 1024 pixels.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, cast

import timm
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from segment_anything.modeling import MaskDecoder, TwoWayTransformer
from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from samtta_app.core.files import write_whole
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import Embedded, Limits, Look, PointPrompts, Policy, detached_parameters
from samtta_app.model.backbones.compact_prompts import GRID_STRIDE, STRIDE, CompactPromptEncoder
from samtta_app.model.backbones.likeness import context_of, pooled_vectors
from samtta_app.model.backbones.two_way import two_way
from samtta_app.model.compact_limits import check_slices, config_values
from samtta_app.model.conv_fusion import fuse_batch_norms
from samtta_app.model.losses import EVEN
from samtta_app.model.stored_tasks import TASK_PREFIX, check_tasks, named_in_file, without_tasks
from samtta_app.model.weights import Tensors
from samtta_app.phrases import Phrase

COMPACT_FORMAT = "samtta-compact-1"
PIXEL_MEAN = 127.5
PIXEL_STD = 127.5

MIN_INPUT, MAX_INPUT = 64, 1024
"""Sides of the input in pixels; from 256 on the answers are measured."""


@dataclass(frozen=True, slots=True)
class CompactConfig:
    """Sizes of a compact model. `input_size` is only the default side of a window in pixels, not a restriction.

    `similarity` and `context` add maps to the prompts (`likeness`); files of models without them do not name them.
    """

    name: str = "small"
    backbone: str = "mobilenetv2_100"
    dim: int = 128
    mlp: int = 512
    heads: int = 4
    depth: int = 2
    head_dim: int = 256
    input_size: int = 512
    similarity: bool = False
    context: bool = False


SMALL_CONFIG = CompactConfig(similarity=True, context=True)
BASE = CompactConfig(name="base", dim=256, mlp=2048, heads=8, similarity=True, context=True)
CONFIGS: Mapping[str, CompactConfig] = {"small": SMALL_CONFIG, "base": BASE}


class DecoderOutput(NamedTuple):
    """All four masks of one pass: token 0 is the single answer, tokens 1-3 are the candidates."""

    masks: Tensor
    """(B, 4, S/4, S/4) logits."""
    iou: Tensor
    """(B, 4) predicted IoU."""
    tokens: Tensor
    """(B, 5, C) output tokens: the IoU token, then the four mask tokens."""


Skips = tuple[Tensor, ...]
"""Features at S/8 and S/4; with maps of similarity the window's colours at S/4 follow."""


class CompactEncoder(nn.Module):
    """MobileNetV2 at output stride 16, a DeepLab head and a neck that adds finer features back in."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.colours = config.similarity
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

    def train(self, mode: bool = True) -> CompactEncoder:
        """Training mode for all but the backbone: its BatchNorms are folded identities without real statistics."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Skips]:
        """Encode (B, 3, S, S) normalised pixels: (B, C, S/16, S/16) and skips at S/8 (C/4), S/4 (C/8)."""
        _, f4, f8, f16, last = self.backbone(x)
        pooled = F.relu(self.pooling(last.mean((2, 3), keepdim=True))).expand(-1, -1, *last.shape[2:])
        head = F.relu(self.projection(torch.cat([F.relu(self.aspp(last)), pooled], dim=1)))
        y = self.from_head(head) + self.from_16(f16) + self.from_8(f8) + self.from_4(f4)
        skips = (self.skip_8(f8), self.skip_4(f4))
        return self.norm(y + self.mix(y)), (*skips, F.avg_pool2d(x, GRID_STRIDE)) if self.colours else skips


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
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight]).expand(len(sparse_prompt_embeddings), -1, -1)
        src = image_embeddings + dense_prompt_embeddings
        hs, src_out = two_way(self.transformer, src, image_pe, torch.cat([own, sparse_prompt_embeddings], dim=1))
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
    """The three parts under SAM's own names, how pixels are normalised, and the task prompts (C,) of its file by name."""

    pixel_mean: Tensor
    pixel_std: Tensor
    tasks: Tensors

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.config, self.tasks = config, {}
        self.image_encoder = CompactEncoder(config)
        self.prompt_encoder = CompactPromptEncoder(
            config.dim, config.input_size, similarity=config.similarity, context=config.context
        )
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
        for key, value in {**model.state_dict(), **named_in_file(model.tasks)}.items()
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
        found, tasks = without_tasks({key: file.get_slice(key) for key in file.keys()})  # noqa: SIM118 (not a dict)
        check_slices(found, shapes)
        check_tasks({name: vector.get_shape() for name, vector in tasks.items()}, config.dim)
    except (RuntimeError, TypeError, ValueError, AssertionError, ArithmeticError) as e:
        raise ValueError(f"{path}: does not fit its configuration: {e}") from e
    return {key: file.get_tensor(key).float() for key in [*shapes, *(f"{TASK_PREFIX}{name}" for name in tasks)]}


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
    state, model.tasks = without_tasks(state)
    model.load_state_dict(state, strict=False)  # all but BatchNorm's counters, which files leave out
    return model


COMPACT_POLICY = Policy(
    pixel_centres=True,  # it was trained so; SAM's way differs by at most half a pixel of the coarser grid
    quick_encoder=True,
    closer_look=True,
    any_size=True,
    local_update=True,
    box_middle=True,
    # Its predicted IoU and its logits are less confident: none of its answers passes SUM's limits. On nine training images
    # three quarters of those within these limits have an IoU above .7. Within .8 and .8 nearly all do, but hardly any is.
    limits=Limits(sure=0.7, stable=0.6, smallest=0.002, largest=0.95),
    focal_alpha=EVEN,
    normalised_focal=True,
    refiner_rate=3e-4,
    step_rate=1e-5,  # of 1e-6 to 1e-3 it gained most on four changed training sets
    half=True,
    ending=".safetensors",
)


@dataclass(frozen=True, slots=True, eq=False)
class CompactBackbone:
    """The compact model as a backbone."""

    policy: ClassVar[Policy] = COMPACT_POLICY
    net: CompactSam

    @property
    def width(self) -> int:
        """C: values of a token."""
        return self.net.config.dim

    @property
    def tasks(self) -> Tensors:
        """Task prompts of its file."""
        return self.net.tasks

    @property
    def prompt_weights(self) -> Tensors:
        """The prompt encoder's parameters."""
        return detached_parameters(self.net.prompt_encoder)

    @property
    def decoder_weights(self) -> Tensors:
        """The mask decoder's parameters."""
        return detached_parameters(self.net.mask_decoder)

    def normalise(self, pixels: Tensor) -> Tensor:
        """Pixels in the encoder's range."""
        return self.net.normalise(pixels)

    def encode(self, x: Tensor) -> Generator[None, None, tuple[Tensor, tuple[Tensor, ...]]]:
        """Encode in one step."""
        yield from ()
        with torch.no_grad():
            embedding, skips = self.net.image_encoder(x.to(memory_format=torch.channels_last))
        return embedding, skips

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
        """Embed prompts, with what they add to the finest skip; all of them have the same looks."""
        given = (points, boxes, masks, size, features, context_of(looks) if looks else None)
        encoder = self.net.prompt_encoder
        return Embedded(*(functional_call(encoder, dict(weights), given) if weights else encoder(*given)))

    def look(self, features: Sequence[Tensor], mask: Tensor) -> Look | None:
        """The look of an object, where the model was built to read looks."""
        if not self.net.config.context:
            return None
        objects, grounds = pooled_vectors(features, mask)
        return Look(tuple(part[0] for part in objects), tuple(part[0] for part in grounds))

    def decode(
        self, weights: Tensors, embedding: Tensor, skips: tuple[Tensor, ...], embedded: Embedded, size: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode prompts; the clicks are added to the finest skip."""
        skips = skips[0], skips[1] + cast(Tensor, embedded.click_skip)  # colours are for prompts alone
        given = (embedding, self.net.prompt_encoder.dense_pe(size), embedded.sparse, embedded.dense, True, skips, True)
        # no two of its tensors are one, and looking for such takes a tenth of a small pass
        return cast(DecoderOutput, functional_call(self.net.mask_decoder, dict(weights), given, tie_weights=False))

    def unfused(self, file: Callable[[], Path]) -> CompactBackbone:
        """The network with its BatchNorms, read again."""
        return CompactBackbone(load_compact(file()))

    def write(self, decoder: Tensors, path: Path, notes: str, tasks: Tensors | None = None) -> None:
        """Write float16 safetensors, as `save_compact`."""
        tuned = copy.deepcopy(self.net)
        tuned.load_state_dict(
            {**self.net.state_dict(), **{f"mask_decoder.{n}": tensor for n, tensor in decoder.items()}}
        )
        tuned.tasks = self.tasks if tasks is None else tasks
        save_compact(tuned.cpu(), path, {"training": notes})


def open_compact(path: Path, input_size: int | None) -> tuple[str, CompactBackbone, int]:
    """Read a compact model to answer with: its name, the backbone on the CPU, and the side of its input.

    Raises:
        CheckpointError: as in `load_compact`, or it cannot answer at `input_size`.
    """
    try:
        net = load_compact(path)
    except ValueError as e:
        what = Phrase("The model file cannot be used: {error}", error=e)
        raise CheckpointError(what, path, "Choose another model file") from e
    fuse_batch_norms(net.image_encoder)
    net.image_encoder.to(memory_format=torch.channels_last)
    size = input_size or net.config.input_size
    if size % 32 or not MIN_INPUT <= size <= MAX_INPUT:
        do = Phrase("Choose a multiple of 32 from {least} to {most}", least=MIN_INPUT, most=MAX_INPUT)
        raise CheckpointError(Phrase("The model cannot answer at {size} pixels", size=size), path, do)
    return path.stem, CompactBackbone(net), size
