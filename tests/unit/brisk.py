"""Strategies that learn in fewer steps, for tests of what goes where rather than of how much is learned."""

from __future__ import annotations

from samtta_app.adapt.registry import STRATEGIES, options, strategy
from samtta_app.adapt.strategy import AdaptationStrategy

FEW = {"steps": 1, "rounds": 1, "evaluations": 3, "new_epochs": 1, "tuned_epochs": 1}
"""Options that cost time, and their values; f-BRS moves nothing with fewer evaluations."""


def brisk(name: str) -> AdaptationStrategy:
    """The strategy of this name, with few steps in each lesson where it has such options."""
    few = [f"{option}={value}" for option, value in FEW.items() if option in options(STRATEGIES[name])]
    return strategy(f"{name}:{','.join(few)}") if few else STRATEGIES[name]
