"""The engines that a simulated session asks, by the name of their strategy."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from samtta_app.engine.dispatch import Engine, open_engine

Engines = Callable[[str], Engine]
"""A strategy's name -> an engine that learns by it."""

FROZEN = "frozen"
"""The strategy that never learns: every other one is compared with it."""

CACHE_BYTES = 2 * 2**30
"""Encoded images that a process keeps, in bytes: the same images are annotated again and again."""


def engine_of(model: str, strategy: str, device: str = "auto") -> Engine:
    """An engine of this strategy; those of one model share a large memory for encoded images."""
    return _opened(model, device).fresh(0, strategy)


@lru_cache(maxsize=1)
def _opened(model: str, device: str) -> Engine:
    return open_engine(model, device=device, cache_bytes=CACHE_BYTES)
