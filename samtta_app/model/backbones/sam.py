"""SAM's own architecture from Meta's checkpoints, and how it answers."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, cast

import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from torch import Tensor, nn
from torch.func import functional_call

from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import Embedded, Limits, Look, PointPrompts, Policy, detached_parameters
from samtta_app.model.losses import ALPHA
from samtta_app.model.stored_tasks import check_tasks, named_in_file, without_tasks
from samtta_app.model.weights import Tensors, write_tensors

_PIXEL_MEAN, _PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_BLOCKS = {12: "vit_b", 24: "vit_l", 32: "vit_h"}

SAM_POLICY = Policy(
    pixel_centres=False,  # its prompt encoder adds half an input pixel to scaled indices
    quick_encoder=False,
    closer_look=False,  # a ViT's features cost too much for it, and its grid is finer
    any_size=False,
    local_update=False,
    limits=Limits(sure=0.88, stable=0.95, smallest=0.002, largest=0.95),  # SUM's, which are those of SAM's generator
    focal_alpha=ALPHA,
    normalised_focal=False,
    refiner_rate=1e-5,
    step_rate=5e-8,  # of the released WSESeg tables for SAM ViT-B; the code's default is 1e-6
    half=False,
    ending=".pth",
)


class _AllMasks(nn.Module):
    """A decoder whose forward gives all four masks and its tokens, so that they are reached under replaced parameters."""

    def __init__(self, decoder: MaskDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        decoder, seen = self.decoder, []
        # The stock decoder does not give its tokens away; its transformer's output is read as it passes.
        reading = decoder.transformer.register_forward_hook(lambda _, __, output: seen.append(output[0]))
        try:
            masks, iou = decoder.predict_masks(*inputs)
        finally:
            reading.remove()
        return masks, iou, seen[0][:, : 1 + decoder.num_mask_tokens]


@dataclass(frozen=True, slots=True, eq=False)
class OfficialSam:
    """Official SAM as a backbone."""

    policy: ClassVar[Policy] = SAM_POLICY
    net: Sam
    tasks: Tensors = field(default_factory=dict)

    @property
    def width(self) -> int:
        """C: values of a token."""
        return int(self.net.prompt_encoder.embed_dim)

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
        # no_grad is per thread: it must not be held across a yield, where other work runs.
        with torch.no_grad():
            x = encoder.patch_embed(x)
            if encoder.pos_embed is not None:
                x = x + encoder.pos_embed
        for block in encoder.blocks:
            yield
            with torch.no_grad():
                x = block(x)
        yield
        with torch.no_grad():
            return cast(Tensor, encoder.neck(x.permute(0, 3, 1, 2))), ()

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
        sparse, dense = functional_call(self.net.prompt_encoder, dict(weights or {}), (), given)
        return Embedded(sparse, dense, None)

    def look(self, features: Sequence[Tensor], mask: Tensor) -> Look | None:
        """Official SAMs read no looks."""
        return None

    def decode(
        self, weights: Tensors, embedding: Tensor, skips: tuple[Tensor, ...], embedded: Embedded, size: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode prompts; it has no skips, and the size is the network's own.

        The stock decoder pairs each of several embeddings with every prompt: here they are taken one by one.
        """
        if len(embedding) > 1:
            prompts = [Embedded(embedded.sparse[k, None], embedded.dense[k, None], None) for k in range(len(embedding))]
            parts = [self.decode(weights, embedding[k, None], skips, each, size) for k, each in enumerate(prompts)]
            logits, iou, tokens = (torch.cat(part) for part in zip(*parts, strict=True))
            return logits, iou, tokens
        del skips, size
        inputs = (embedding, self.net.prompt_encoder.get_dense_pe(), embedded.sparse, embedded.dense)
        replaced = {f"decoder.{name}": tensor for name, tensor in weights.items()}
        found: tuple[Tensor, Tensor, Tensor] = functional_call(_AllMasks(self.net.mask_decoder), replaced, inputs)
        return found

    def unfused(self, file: Callable[[], Path]) -> OfficialSam:
        """Itself: nothing is fused."""
        del file
        return self

    def write(self, decoder: Tensors, path: Path, notes: str, tasks: Tensors | None = None) -> None:
        """Write Meta's layout, which cannot hold metadata; task prompts are further tensors, which Meta's code refuses."""
        del notes
        state = {**self.net.state_dict(), **{f"mask_decoder.{name}": tensor for name, tensor in decoder.items()}}
        state |= named_in_file(self.tasks if tasks is None else tasks)
        write_tensors(path, {name: tensor.detach().cpu() for name, tensor in state.items()})


def open_official(path: Path, input_size: int | None) -> tuple[str, OfficialSam, int]:
    """Read an official checkpoint: the architecture's name, the backbone on the CPU, and the side of its input.

    Raises:
        CheckpointError: truncated, of another architecture, more than tensors inside, or another `input_size`.
    """
    state, tasks = without_tasks(_read_state(path))
    name = _architecture(path, state)
    build: Callable[[], Sam] = sam_model_registry[name]
    with torch.device("meta"):  # no time is spent on random numbers that the checkpoint replaces
        net = build()
    try:
        _check(path, name, net, state)
        net.load_state_dict({key: _single(path, key, value) for key, value in state.items()}, assign=True)
        check_tasks({task: vector.shape for task, vector in tasks.items()}, net.prompt_encoder.embed_dim)
        tasks = {task: _single(path, f"the task prompt {task!r}", vector) for task, vector in tasks.items()}
    except (RuntimeError, TypeError, ValueError, AttributeError) as e:  # tensors of a kind that is not plain
        raise CheckpointError(f"The file does not fit SAM {name}: {str(e)[:120]}", path, "Get the official file") from e
    net.pixel_mean = torch.tensor(_PIXEL_MEAN).view(-1, 1, 1)
    net.pixel_std = torch.tensor(_PIXEL_STD).view(-1, 1, 1)
    size = net.image_encoder.img_size
    if input_size not in (None, size):
        raise CheckpointError(f"SAM {name} answers at {size} pixels only", path, "Leave it out")
    return name, OfficialSam(net, tasks), size


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


def _read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.pth` file; code inside is refused, not run."""
    try:
        with warnings.catch_warnings():  # torch advises on the pickle's protocol; the file is judged below
            warnings.simplefilter("ignore")
            _refuse_bomb(path)
            state = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except pickle.UnpicklingError as e:
        raise CheckpointError(
            "The file holds more than tensors, or is no checkpoint; it was not executed",
            path,
            "Get the official file again",
        ) from e
    except Exception as e:  # torch raises whatever a broken pickle raises
        raise CheckpointError("The file is truncated or damaged", path, "Get the official file again") from e
    plain = isinstance(state, dict) and state and all(isinstance(key, str) for key in state)
    if not plain or not all(isinstance(v, Tensor) for v in state.values()):
        raise CheckpointError("The file is not a SAM state dict", path, "Choose an official sam_vit_*.pth file")
    return dict(state)


def _refuse_bomb(path: Path) -> None:
    """A checkpoint is stored uncompressed: a file that claims to unpack to more than its size is refused."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as file:
        unpacked = sum(entry.file_size for entry in file.infolist())
    if unpacked > path.stat().st_size:
        raise CheckpointError("The file is compressed, which no checkpoint is", path, "Get the official file again")


def _architecture(path: Path, state: Mapping[str, Tensor]) -> str:
    blocks = {key.split(".")[2] for key in state if key.startswith("image_encoder.blocks.")}
    name = _BLOCKS.get(len(blocks))
    if name is None:
        raise CheckpointError(
            f"The file is of another architecture ({len(blocks)} image encoder blocks; SAM has 12, 24 or 32)",
            path,
            "Choose an official sam_vit_b, sam_vit_l or sam_vit_h file",
        )
    return name


def _single(path: Path, key: str, value: Tensor) -> Tensor:
    """A tensor in single precision, with memory of its own."""
    plain = value.layout == torch.strided and not value.is_quantized and value.device.type == "cpu"
    if not plain or value.dtype not in (torch.float16, torch.bfloat16, torch.float32):
        advice = "Choose an official sam_vit_*.pth file"
        raise CheckpointError(f"The file holds {value.dtype} in {key}, where floating point is expected", path, advice)
    single = value.detach().to(torch.float32).contiguous()
    if not torch.isfinite(single).all():
        raise CheckpointError(
            f"The file holds values that are not finite, in {key}", path, "Get the official file again"
        )
    return single


def _check(path: Path, name: str, net: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Every key and every shape, exactly."""
    expected = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    missing = sorted(expected.keys() - state.keys())
    unexpected = sorted(state.keys() - expected.keys())
    differing = [key for key in expected.keys() & state.keys() if tuple(state[key].shape) != expected[key]]
    if not (missing or unexpected or differing):
        return
    key = (missing + unexpected + sorted(differing))[0]
    raise CheckpointError(
        f"The file does not fit SAM {name}: {len(missing)} tensors missing, {len(unexpected)} unexpected, "
        f"{len(differing)} of another shape, first {key}",
        path,
        "Choose an official sam_vit_b, sam_vit_l or sam_vit_h file",
    )
