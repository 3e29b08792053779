"""Answers at full size beside those of the official predictors, on random weights of the true architectures.

    python -m tests.stress.official_models                      the smallest of each kind: some minutes on one core
    python -m tests.stress.official_models hq_vit_b sam2_large   any others by name

Each line has the largest difference of the logits, beside their standard deviation, and that of the predicted IoU. The
program fails where a difference is more than a ten-thousandth of what it is compared with.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from samtta_app.core.types import Box, Click, Logits, Prompt
from tests.unit.model.official_references import SAM_TWO_CONFIGS, Case, made
from tests.unit.values import picture

SMALLEST = ("mobile_sam", "hq_tiny", "sam2_tiny", "sam2.1_tiny")
ALLOWED = 1e-4
GRID = 256


def differences(case: Case, prompt: Prompt, several: bool) -> tuple[float, float, float]:
    """Largest difference of the logits, their standard deviation, and the largest difference of the predicted IoU."""
    found, (_, scores, low) = case.ask(prompt), case.official(prompt, several)
    part = slice(1, 4) if several else slice(0, 1)
    if several and case.name.startswith("hq_"):  # its predictor gives the best candidate alone
        best = 1 + int(found.iou[1:].argmax())
        part = slice(best, best + 1)
    logits = found.logits[part].clamp(-32, 32) if case.name in SAM_TWO_CONFIGS else found.logits[part]
    apart = np.abs(logits.numpy() - low).max()
    return float(apart), float(low.std()), float(np.abs(found.iou[part].numpy() - scores).max())


def main(arguments: Sequence[str]) -> int:
    """Compare the named architectures; 1 where one differs."""
    console, failed = Console(width=120, highlight=False), False
    for name in arguments or SMALLEST:
        # SAM 2 stretches: only a square is compared number by number; the others pad
        height, width = (300, 300) if name in SAM_TWO_CONFIGS else (300, 400)
        image = picture(1, height, width, ((150, 120, 60),))
        low = np.random.default_rng(0).normal(0, 5, (GRID, GRID)).astype(np.float32)
        clicks, box = (Click(150, 120, True), Click(30, 200, False)), Box(90, 60, 210, 180)
        prompts = (Prompt(clicks[:1]), Prompt(clicks), Prompt((), box), Prompt(clicks, box, Logits(image.whole, low)))
        with tempfile.TemporaryDirectory() as folder:
            case = made(name, Path(folder), image)
            for number, prompt in enumerate(prompts, 1):
                for several in (True, False):
                    apart, spread, iou = differences(case, prompt, several)
                    failed |= apart > ALLOWED * max(spread, 1) or iou > ALLOWED
                    kind = "candidates" if several else "single"
                    words = f"{name:16} prompt {number} {kind:10} logits {apart:.1e} of {spread:.2f}, IoU {iou:.1e}"
                    console.print(words)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
