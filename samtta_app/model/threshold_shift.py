"""Moving a mask's threshold, as far as earlier clicks allow it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.types import Prompt, Window

_KEPT = 0.5
"""Share of its logit that the place of an earlier click keeps; at 0 the mask would end there."""


def logits_at(logits: Tensor, points: Sequence[tuple[float, float]], window: Window) -> Tensor:
    """Logits (m, G, G) of a window, read bilinearly at n image points (x, y) in pixels -> (m, n); differentiable.

    A point beyond the middle of the outermost cells reads the nearest of them.
    """
    where = torch.tensor(points, dtype=logits.dtype, device=logits.device).reshape(-1, 2)
    origin = torch.tensor([window.x, window.y], dtype=logits.dtype, device=logits.device)
    at = ((where - origin + 0.5) / window.side * 2 - 1)[None, None].expand(logits.shape[0], 1, -1, 2)
    return F.grid_sample(logits[:, None], at, mode="bilinear", padding_mode="border", align_corners=False)[:, 0, 0]


def shifted(logits: Tensor, offset: float, prompt: Prompt, window: Window) -> Tensor:
    """Logits (m, G, G) moved by `offset`, or by less where an earlier click of `prompt` limits it."""
    if not offset:
        return logits
    removes = offset < 0
    held = [(c.x, c.y) for c in prompt.clicks[:-1] if c.positive is removes and window.contains(c.x, c.y)]
    if not held:
        return logits + offset
    values = logits_at(logits, held, window) * (1 if removes else -1)
    least = torch.where(values > 0, values, torch.inf).amin(dim=1) * (1 - _KEPT)  # clicks already lost set no limit
    size = least.clamp(max=abs(offset))[:, None, None]
    return logits - size if removes else logits + size
