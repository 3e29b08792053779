"""SAM's own architecture, with its own encoders or that of MobileSAM, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, cast

import torch
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.modeling.image_encoder import Block
from torch import Tensor, nn
from torch.func import functional_call

from samtta_app.model.backbone import Embedded, Limits, Look, PointPrompts, Policy, detached_parameters
from samtta_app.model.backbones.grid_positions import grid_positions
from samtta_app.model.backbones.tiny_vit import TinyEncoder, tiny_name
from samtta_app.model.backbones.unrepeated import DecodedMasks, masks_and_tokens
from samtta_app.model.backbones.vit_block import vit_block
from samtta_app.model.losses import ALPHA
from samtta_app.model.stored_tasks import named_in_file
from samtta_app.model.weights import Tensors, write_tensors

_PIXEL_MEAN, _PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)

SAM_POLICY = Policy(
    pixel_centres=False,  # its prompt encoder adds half an input pixel to scaled indices
    quick_encoder=False,
    closer_look=False,  # a ViT's features cost too much for it, and its grid is finer
    any_size=False,
    local_update=False,
    box_middle=False,
    limits=Limits(sure=0.88, stable=0.95, smallest=0.002, largest=0.95),  # SUM's, which are those of SAM's generator
    focal_alpha=ALPHA,
    normalised_focal=False,
    refiner_rate=1e-5,
    step_rate=5e-8,  # of the released WSESeg tables for SAM ViT-B; the code's default is 1e-6
    half=False,
    ending=".pth",
)

MOBILE_POLICY = replace(SAM_POLICY, ending=".pt")


class _AllMasks(nn.Module):
    """A decoder whose forward gives all four masks and its tokens, so that they are reached under replaced parameters."""

    def __init__(self, decoder: MaskDecoder, decoded: Callable[..., DecodedMasks]) -> None:
        super().__init__()
        self.decoder, self.decoded = decoder, decoded

    def forward(self, *inputs: Tensor) -> DecodedMasks:
        return self.decoded(self.decoder, *inputs)


@dataclass(frozen=True, slots=True, eq=False)
class OfficialSam:
    """Official SAM as a backbone."""

    policy: ClassVar[Policy] = SAM_POLICY
    decoded: ClassVar[Callable[..., DecodedMasks]] = staticmethod(masks_and_tokens)
    net: Sam
    tasks: Tensors = field(default_factory=dict)

    @property
    def width(self) -> int:
        """C: values of a token."""
        return int(self.net.prompt_encoder.embed_dim)

    def seen_early(self, early: Tensor) -> tuple[Tensor, ...]:
        """What is kept of the encoder's early features as skips: nothing."""
        del early
        return ()

    def further_inputs(self, skips: Sequence[Tensor], embedding: Tensor) -> tuple[Tensor, ...]:
        """What the decoder sees besides the embedding and the prompts: nothing."""
        del skips, embedding
        return ()

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
        return (pixels - cast(Tensor, self.net.pixel_mean)) / cast(Tensor, self.net.pixel_std)

    def encode(self, x: Tensor) -> Generator[None, None, tuple[Tensor, tuple[Tensor, ...]]]:
        """Encode; yields before every block, so that a click never waits for more than one."""
        encoder = self.net.image_encoder
        steps = encoder.steps(x) if isinstance(encoder, TinyEncoder) else _vit_steps(encoder, x)
        embedding, early = yield from steps
        return embedding, self.seen_early(early)

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
        """Embed prompts; the size is the network's own, and the prompts see neither features nor looks."""
        del size, features, looks
        given = {"points": points, "boxes": boxes, "masks": masks}
        encoder, replaced = self.net.prompt_encoder, dict(weights or {})
        sparse, dense = (
            functional_call(encoder, replaced, (), given, tie_weights=False) if replaced else encoder(**given)
        )
        return Embedded(sparse, dense, None)

    def look(self, features: Sequence[Tensor], mask: Tensor) -> Look | None:
        """Official SAMs read no looks."""
        return None

    def decode(
        self, weights: Tensors, embedding: Tensor, skips: tuple[Tensor, ...], embedded: Embedded, size: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode prompts; the size is the network's own.

        The stock decoder pairs each of several embeddings with every prompt: here they are taken one by one.
        """
        if len(embedding) > 1:
            parts = []
            for k in range(len(embedding)):
                one = Embedded(embedded.sparse[k, None], embedded.dense[k, None], None)
                own = tuple(skip[k, None] if len(skip) > 1 else skip for skip in skips)  # one may serve all
                parts.append(self.decode(weights, embedding[k, None], own, one, size))
            logits, iou, tokens = (torch.cat(part) for part in zip(*parts, strict=True))
            return logits, iou, tokens
        position = grid_positions(self.net.prompt_encoder.pe_layer, embedding.shape[-1])
        prompts = (position, embedded.sparse, embedded.dense)
        inputs = (embedding, *prompts, *self.further_inputs(skips, embedding))
        replaced = {f"decoder.{name}": tensor for name, tensor in weights.items()}
        decoder = _AllMasks(self.net.mask_decoder, self.decoded)
        found: DecodedMasks = functional_call(decoder, replaced, inputs, tie_weights=False)
        return found

    def unfused(self, file: Callable[[], Path]) -> OfficialSam:
        """Itself: nothing is fused."""
        del file
        return self

    def write(self, decoder: Tensors, path: Path, notes: str, tasks: Tensors | None = None) -> None:
        """Write the official layout, which cannot hold metadata; task prompts are further tensors, which their code refuses."""
        del notes
        state = {**self.net.state_dict(), **{f"mask_decoder.{name}": tensor for name, tensor in decoder.items()}}
        names = names_in_file(self.net)
        state = {names[name]: tensor for name, tensor in state.items()}
        state |= named_in_file(self.tasks if tasks is None else tasks)
        write_tensors(path, {name: tensor.detach().cpu() for name, tensor in state.items()})


@dataclass(frozen=True, slots=True, eq=False)
class MobileSam(OfficialSam):
    """MobileSAM as a backbone: SAM's prompts and decoder with a smaller encoder."""

    policy: ClassVar[Policy] = MOBILE_POLICY


def names_in_file(net: Sam) -> dict[str, str]:
    """What official files call each tensor, by the network's own names."""
    names = {name: name for name in net.state_dict()}
    if isinstance(net.image_encoder, TinyEncoder):
        part = "image_encoder."
        names |= {name: part + tiny_name(name.removeprefix(part)) for name in names if name.startswith(part)}
    return names


def sam_about(encoder: nn.Module, decoder: MaskDecoder | None = None, size: int = 1024) -> Sam:
    """SAM's prompt encoder and mask decoder in full size about an encoder of inputs of `size` pixels."""
    grid = size // 16
    return Sam(
        image_encoder=cast(ImageEncoderViT, encoder),
        prompt_encoder=PromptEncoder(256, (grid, grid), (size, size), mask_in_chans=16),
        mask_decoder=decoder
        or MaskDecoder(
            transformer_dim=256,
            transformer=TwoWayTransformer(depth=2, embedding_dim=256, mlp_dim=2048, num_heads=8),
        ),
        pixel_mean=list(_PIXEL_MEAN),
        pixel_std=list(_PIXEL_STD),
    )


def with_pixel_range(net: Sam) -> Sam:
    """The same network with the pixels' mean and deviation, which files do not hold."""
    net.pixel_mean = torch.tensor(_PIXEL_MEAN).view(-1, 1, 1)
    net.pixel_std = torch.tensor(_PIXEL_STD).view(-1, 1, 1)
    return net


def _vit_steps(encoder: ImageEncoderViT, x: Tensor) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """The embedding, and the features after the first block with global attention (1, E, 64, 64), which HQ-SAM reads."""
    # no_grad is per thread: it must not be held across a yield, where other work runs.
    with torch.no_grad():
        x = encoder.patch_embed(x)
        if encoder.pos_embed is not None:
            x = x + encoder.pos_embed
    early = None
    for block in encoder.blocks:
        yield
        with torch.no_grad():
            x = vit_block(cast(Block, block), x)
        if early is None and block.window_size == 0:
            early = x.permute(0, 3, 1, 2)
    yield
    with torch.no_grad():
        return cast(Tensor, encoder.neck(x.permute(0, 3, 1, 2))), x if early is None else early


def toy_sam(seed: int = 0) -> Sam:
    """SAM's own modules at toy size (dim 32, depth 1, image 64) with random weights."""
    generator_state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    encoder = ImageEncoderViT(
        img_size=64, embed_dim=32, depth=1, num_heads=2, out_chans=32, use_rel_pos=True, window_size=0
    )
    net = Sam(
        image_encoder=encoder,
        prompt_encoder=PromptEncoder(32, (4, 4), (64, 64), mask_in_chans=4),
        mask_decoder=MaskDecoder(
            transformer_dim=32,
            transformer=TwoWayTransformer(depth=1, embedding_dim=32, num_heads=2, mlp_dim=32),
            iou_head_hidden_dim=32,
        ),
        pixel_mean=list(_PIXEL_MEAN),
        pixel_std=list(_PIXEL_STD),
    )
    torch.random.set_rng_state(generator_state)
    return net
