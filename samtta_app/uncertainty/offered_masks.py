"""Candidates from an answer: masks with their uncertainty, as values without tensors."""

from __future__ import annotations

from dataclasses import replace

from samtta_app.core.rounding import in_half_precision, in_steps
from samtta_app.core.types import Candidate, Logits
from samtta_app.model.answers import MaskAnswer
from samtta_app.model.local_update import expected_iou
from samtta_app.uncertainty.heads import GapHeads, gaps_of
from samtta_app.uncertainty.maps import entropy, mean_entropy


def offered(found: MaskAnswer, heads: GapHeads | None) -> tuple[Candidate, ...]:
    """The answer's masks with their uncertainty; with `heads`, the chosen one has its predicted gains.

    The tokens are those of the newest answer. So the heads' expected IoU of a mask that is put together is corrected, as
    the decoder's is.
    """
    chosen = found.chosen
    said = gaps_of(heads, found.tokens[chosen : chosen + 1]) if heads else None
    gaps = replace(said[0], iou=expected_iou(said[0].iou, found.clicks[chosen])) if said else None
    doubts = entropy(found.logits)
    maps, numbers = in_steps(doubts.cpu().numpy()), mean_entropy(found.logits, doubts).cpu().numpy()
    layers = in_half_precision(found.logits.float().cpu().numpy())
    return tuple(
        Candidate(
            *(mask, Logits(found.windows[i], layers[i]), found.iou[i], maps[i], float(numbers[i])),
            gaps=gaps if i == chosen else None,
        )
        for i, mask in enumerate(found.masks)
    )


def worth_a_look(candidates: tuple[Candidate, ...], chosen: int) -> tuple[tuple[Candidate, ...], int]:
    """The candidates that are not empty, and the index of the chosen one; all candidates where all are empty."""
    kept = tuple(candidate for candidate in candidates if candidate.mask.area)
    return (kept, kept.index(candidates[chosen])) if kept else (candidates, chosen)
