"""The same picture in five qualities, to see how much a mask depends on the recording.

Source: Kaiser et al. 2025, "UncertainSAM": identity, JPEG at quality 10 and at 30, Gaussian noise, Gaussian blur.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_Pixels = NDArray[np.uint8]

_JPEG = (10, 30)
NOISE_VARIANCE = 5000.0
BLUR = 5
"""Side of the Gaussian kernel in pixels; OpenCV derives its width from it: 1.1 pixels."""


def versions(pixels: _Pixels, seed: int = 0) -> tuple[_Pixels, ...]:
    """Five versions (h, w, 3) uint8 of an RGB picture, the unchanged one first; `seed` seeds the noise."""
    noise = np.random.default_rng(seed).normal(0.0, NOISE_VARIANCE**0.5, pixels.shape)
    return (
        pixels,
        *(_compressed(pixels, quality) for quality in _JPEG),
        np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8),
        np.asarray(cv2.GaussianBlur(pixels, (BLUR, BLUR), 0), np.uint8),
    )


def _compressed(pixels: _Pixels, quality: int) -> _Pixels:
    data = cv2.imencode(".jpg", pixels[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
