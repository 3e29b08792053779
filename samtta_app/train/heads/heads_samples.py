"""Training data of the uncertainty heads: the decoder's tokens beside the true quality of each answer.

Source: Kaiser et al. 2025 (UncertainSAM). Each object gets one click near its middle and seven random ones; together
they are the dense prompt. Every answer has its IoU with the mask on file. Ours: windows and looks of pictures as in the
compact model's training, and answers after further clicks, whose mask is the single one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from samtta_app.core.clicks import DENSE_CLICKS, next_click, usam_clicks
from samtta_app.core.masks import trimmed
from samtta_app.core.types import Click, Logits, Mask, Prompt, Window
from samtta_app.images.read import from_array
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import Decoded, ImageFeatures, decode, embed, encode, upscaled
from samtta_app.train.data.augment import Augmentation, augmented
from samtta_app.train.data.crops import TrainingView, Zoom, visible_view
from samtta_app.train.data.labelled_images import LabelledImage

GAP_DENSE = DENSE_CLICKS
"""Clicks of the dense prompt."""
SINGLES = 3
"""Number of these clicks that are also asked alone; each costs two decodings."""
LATER_CLICKS = 3
"""Number of answers after further clicks."""
_OBJECTS = 3
"""Maximum number of objects in one window."""

Bits = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class GapRows:
    """N answers of one model, with their true values; mask 0 is the single one, 1 to 3 are the candidates.

    `tokens` (N, 5, C) float16: IoU token, then mask tokens.

    `predicted` and `iou` (N, 4) float32: the model's own IoU and the true one.

    `clicks` (N,): number of clicks in the prompt.

    `dense` (N,): true IoU of the best candidate after the dense prompt.

    `larger` (N,): true IoU of the larger model's answer to the same clicks, nan without one. It is that of the best
    candidate for one click, of the single mask for more.

    `object` (N,): number of the object.
    """

    tokens: NDArray[np.float16]
    predicted: NDArray[np.float32]
    iou: NDArray[np.float32]
    clicks: NDArray[np.int16]
    dense: NDArray[np.float32]
    larger: NDArray[np.float32]
    object: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.clicks)

    @staticmethod
    def joined(parts: Sequence[GapRows]) -> GapRows:
        """All rows in order."""
        return GapRows(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(GapRows)))

    def where(self, chosen: NDArray[np.bool_]) -> GapRows:
        """The chosen rows."""
        return GapRows(*(getattr(self, field.name)[chosen] for field in fields(GapRows)))


class GapViews(Dataset[GapRows]):
    """Number -> rows of one random window: deterministic by seed and number, in every process."""

    def __init__(
        self,
        model: SamModel,
        larger: SamModel | None,
        records: Sequence[Sequence[LabelledImage]],
        seed: int,
        *,
        change: bool,
    ) -> None:
        self.model, self.larger, self.records, self.seed = model, larger, records, seed
        self.change = change
        """Whether half of the windows are shown as another device might have recorded them."""

    def __getitem__(self, index: int) -> GapRows:
        rng = np.random.default_rng((self.seed, index))
        of_set = self.records[index % len(self.records)]
        view = visible_view(
            of_set, self.model.size, _OBJECTS, Zoom(), rng, f"the set with the image {of_set[0].name!r}"
        )
        if self.change and rng.random() < 0.5:
            view = augmented(view, Augmentation(), rng)
        return _rows_of(self.model, self.larger, view, index, rng)


def _rows_of(
    model: SamModel, larger: SamModel | None, view: TrainingView, index: int, rng: np.random.Generator
) -> GapRows:
    """All answers in one window."""
    asked = _Asked(model, view)
    second = _Asked(larger, view) if larger else None
    parts = []
    for place, mask in enumerate(view.masks):
        number = index * _OBJECTS + place
        parts += list(_object_rows(asked, second, mask.astype(bool)[: view.valid[1], : view.valid[0]], number, rng))
    return GapRows.joined(parts)


def gap_clicks(mask: Bits, rng: np.random.Generator, count: int = GAP_DENSE) -> list[Click]:
    """UncertainSAM's clicks on a mask that fills its picture."""
    height, width = mask.shape
    return list(usam_clicks(Mask(0, 0, mask), Window(0, 0, width, height), rng, count))


class _Asked:
    """One model on one window."""

    def __init__(self, model: SamModel, view: TrainingView) -> None:
        pixels = view.pixels[: view.valid[1], : view.valid[0]]
        self.model, self.image = model, from_array(np.ascontiguousarray(pixels))
        self.features = _finished(encode(model, self.image, self.image.whole))

    def answer(self, prompt: Prompt) -> tuple[Decoded, Bits]:
        """All four masks (4, h, w)."""
        with torch.no_grad():
            decoded = decode(
                self.model, self.model.frozen.tensors, self.features, embed(self.model, self.features, prompt)
            )
            bits = (upscaled(self.model, decoded.logits, self.features) > 0).cpu().numpy()
        return decoded, bits


def _finished(work: Generator[None, None, ImageFeatures]) -> ImageFeatures:
    while True:
        try:
            next(work)
        except StopIteration as done:
            features: ImageFeatures = done.value
            return features


def _ious(bits: Bits, mask: Bits) -> NDArray[np.float32]:
    both, either = (bits & mask).sum((1, 2)), (bits | mask).sum((1, 2))
    return np.asarray(both / np.maximum(either, 1), np.float32)


def _object_rows(
    asked: _Asked, larger: _Asked | None, mask: Bits, number: int, rng: np.random.Generator
) -> Iterator[GapRows]:
    clicks = gap_clicks(mask, rng)
    dense = float(_ious(asked.answer(Prompt(tuple(clicks)))[1], mask)[1:].max())
    last: tuple[Prompt, Decoded, Bits] | None = None
    for click in clicks[:SINGLES]:
        prompt = Prompt((click,))
        decoded, bits = asked.answer(prompt)
        last = last or (prompt, decoded, bits)
        yield _row(decoded, _ious(bits, mask), prompt, dense, larger, mask, number)
    for _ in range(LATER_CLICKS):
        prompt, decoded, bits = last  # type: ignore[misc] # there is always a first click
        further = _further(asked, prompt, decoded, bits, mask)
        if further is None:
            return
        decoded, bits = asked.answer(further)
        last = (further, decoded, bits)
        yield _row(decoded, _ious(bits, mask), further, dense, larger, mask, number)


def _further(asked: _Asked, prompt: Prompt, decoded: Decoded, bits: Bits, mask: Bits) -> Prompt | None:
    """One more click in the middle of the largest error, with the logits of the shown mask."""
    shown = 1 + int(decoded.iou[1:].argmax()) if prompt.ambiguous else 0
    click = next_click(trimmed(mask), trimmed(bits[shown]), prompt.clicks, asked.image.whole)
    if click is None:
        return None
    logits = Logits(asked.features.window, decoded.logits[shown].float().cpu().numpy())
    return Prompt((*prompt.clicks, click), logits=logits)


def _row(
    decoded: Decoded,
    ious: NDArray[np.float32],
    prompt: Prompt,
    dense: float,
    larger: _Asked | None,
    mask: Bits,
    number: int,
) -> GapRows:
    other = float("nan")
    if larger is not None:
        found = _ious(larger.answer(Prompt(prompt.clicks))[1], mask)
        other = float(found[1:].max() if prompt.ambiguous else found[0])
    return GapRows(
        decoded.tokens.cpu().numpy().astype(np.float16)[None],
        decoded.iou.cpu().numpy()[None].astype(np.float32),
        ious[None],
        np.array([len(prompt.clicks)], np.int16),
        np.array([dense], np.float32),
        np.array([other], np.float32),
        np.array([number], np.int64),
    )
