"""Strategies that learn in fewer steps, for tests of what goes where rather than of how much is learned."""

from __future__ import annotations

from samtta_app.adapt.registry import STRATEGIES, options, strategy
from samtta_app.adapt.strategy import AdaptationStrategy


def brisk(name: str) -> AdaptationStrategy:
    """The strategy of this name, with one step and one round in each lesson where it has such options."""
    few = [f"{option}=1" for option in ("steps", "rounds") if option in options(STRATEGIES[name])]
    return strategy(f"{name}:{','.join(few)}") if few else STRATEGIES[name]
