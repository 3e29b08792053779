"""How well a set of answers matches the outlines that several annotators drew: GED, HM-IoU, Dmax and Dmean.

Source: Li et al. 2024 (A-SAM), section 4; GED from Kohl et al. 2018. Sets are ordered lists of masks of one object. S are
m answers, Y are n outlines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from samtta_app.core.metrics import iou
from samtta_app.core.types import Mask

Overlaps = NDArray[np.float64]
"""(m, n) IoU, 0 .. 1; two empty masks agree (1.0)."""


@dataclass(frozen=True, slots=True)
class SetFigures:
    """Figures of the answers to one prompt.

    `ged` is the squared generalised energy distance, 0 .. 2. `hm_iou` matches every answer and every outline, duplicated
    to equal numbers; `hm_iou_published` matches min(m, n) pairs only. `dmax` and `dmean` are the largest and the mean Dice
    of all pairs. `alike` is the mean IoU among the answers, themselves excluded (nan for one answer). `accuracy` is the
    mean IoU of answers with outlines.
    """

    ged: float
    hm_iou: float
    hm_iou_published: float
    dmax: float
    dmean: float
    alike: float
    accuracy: float


def overlaps(answers: Sequence[Mask], outlines: Sequence[Mask]) -> Overlaps:
    """IoU of every answer with every outline, (m, n)."""
    found = [[iou(answer, outline) for outline in outlines] for answer in answers]
    return np.array(found, np.float64).reshape(len(answers), len(outlines))


def energy_distance(between: Overlaps, of_answers: Overlaps, of_outlines: Overlaps) -> float:
    """The squared generalised energy distance: 2 E d(S, Y) - E d(S, S') - E d(Y, Y') with d = 1 - IoU.

    Every mask is paired with itself, too (a V-statistic), so that equal sets have the distance 0.
    """
    return float(of_answers.mean() + of_outlines.mean() - 2 * between.mean())


def matched_iou(between: Overlaps, *, duplicate: bool) -> float:
    """Mean IoU of the best one-to-one matching of answers and outlines (Hungarian matching).

    Args:
        duplicate: repeat both until they are equally many; otherwise only min(m, n) pairs count, as published.
    """
    m, n = between.shape
    if duplicate:
        both = math.lcm(m, n)
        between = np.repeat(np.repeat(between, both // m, axis=0), both // n, axis=1)
    rows, columns = linear_sum_assignment(-between)
    return float(between[rows, columns].mean())


def set_figures(answers: Sequence[Mask], outlines: Sequence[Mask]) -> SetFigures:
    """All figures of m answers and n outlines of one object.

    Raises:
        ValueError: one of the sets is empty.
    """
    if not answers or not outlines:
        raise ValueError("there must be at least one answer and one outline")
    return figures_of(overlaps(answers, outlines), overlaps(answers, answers), overlaps(outlines, outlines))


def figures_of(between: Overlaps, of_answers: Overlaps, of_outlines: Overlaps) -> SetFigures:
    """The same from IoU between answers and outlines (m, n), among the answers (m, m) and among the outlines (n, n)."""
    dice = 2 * between / (1 + between)
    others = of_answers[~np.eye(len(of_answers), dtype=np.bool_)]
    return SetFigures(
        energy_distance(between, of_answers, of_outlines),
        matched_iou(between, duplicate=True),
        matched_iou(between, duplicate=False),
        float(dice.max()),
        float(dice.mean()),
        float(others.mean()) if others.size else float("nan"),
        float(between.mean()),
    )
