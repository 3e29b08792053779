"""What each strategy does, in words for users. Nothing here loads torch, so a window can show them at once."""

from __future__ import annotations

from collections.abc import Mapping

STRATEGY_WORDS: Mapping[str, str] = {
    "samtta": "Learns from every object you accept, and uses the share of it that proved better",
    "samtta-per-class": "Learns from every object you accept, separately for each class",
    "samtta-both": "Learns from every object you accept, for all classes together and then for its own",
    "sum": "Learns from every object you accept, and from its own proposals where they are certain",
    "schoen2024": "Learns a little from every click and every accepted object (Schön et al. 2024)",
    "schoen2024-asreleased": "Schön et al. 2024 with the defects of the released code: for comparison only",
    "fbrs": "Fits every object's own clicks and forgets it afterwards (f-BRS, 2020)",
    "lit-lora": "Learns a low-rank change of the attention from accepted objects (after LIT-LoRA; one expert)",
    "dc-tta": "Fits groups of an object's clicks separately, merges them, and forgets (DC-TTA, after the abstract)",
    "frozen": "The original weights answer; nothing is learned",
}
"""Name of a strategy -> what it does, the default first."""
