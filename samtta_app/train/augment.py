"""What cameras and microscopes do to a picture: turns, grey, inversion, contrast, blur, noise."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.train.crops import View


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Probabilities of each change."""

    grey: float = 0.45
    inversion: float = 0.25
    tone: float = 0.8
    tint: float = 0.4
    blur: float = 0.25
    coarse: float = 0.12
    noise: float = 0.35
    speckle: float = 0.12
    shading: float = 0.15


def turned(view: View, rng: np.random.Generator) -> View:
    """Mirrored and transposed; only where there is no padding, which always lies right and below."""
    pixels, masks = view.pixels, view.masks
    size = pixels.shape[0]
    if view.valid == (size, size):
        flips = rng.random(2) < 0.5
        step_y, step_x = (-1 if flip else 1 for flip in flips)
        pixels, masks = pixels[::step_y, ::step_x], tuple(m[::step_y, ::step_x] for m in masks)
    valid = view.valid
    if rng.random() < 0.5:
        pixels, masks = pixels.transpose(1, 0, 2), tuple(m.T for m in masks)
        valid = (valid[1], valid[0])
    return View(np.ascontiguousarray(pixels), tuple(np.ascontiguousarray(m) for m in masks), valid)


def _tone_table(a: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    x = np.linspace(0, 1, 256)[:, None].repeat(3, axis=1)
    if rng.random() < a.tone:
        x = x ** np.exp(rng.uniform(-0.6, 0.6))
        gain = np.exp(rng.uniform(-0.9, 0.45))
        x = (x - 0.5) * gain + 0.5 + rng.uniform(-0.5, 0.5) * max(0.15, 1 - gain)
    if rng.random() < a.tint:
        x = x * np.exp(rng.uniform(-0.25, 0.25, 3)) + rng.uniform(-0.08, 0.08, 3)
    if rng.random() < a.inversion:
        x = 1 - x
    return (x.clip(0, 1) * 255).astype(np.uint8)


def _noisy(pixels: NDArray[np.uint8], a: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    size = pixels.shape[0]
    y = pixels.astype(np.float32)
    if rng.random() < a.shading:
        ramp = rng.normal(0, 0.35, (3, 3)).astype(np.float32)
        y *= np.exp(cv2.resize(ramp, (size, size), interpolation=cv2.INTER_CUBIC))[..., None]
    grain = int(rng.choice([1, 1, 2, 3]))
    if rng.random() < a.speckle:
        small = rng.standard_normal((size // grain, size // grain), dtype=np.float32) * rng.uniform(0.05, 0.45)
        y *= (1 + cv2.resize(small, (size, size)))[..., None]
    if rng.random() < a.noise:
        small = rng.standard_normal((size // grain, size // grain), dtype=np.float32) * rng.exponential(8.0)
        y += cv2.resize(small, (size, size))[..., None]
    return y.clip(0, 255).astype(np.uint8)


def _unsharp(pixels: NDArray[np.uint8], a: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Now and then enlarged from fewer pixels, or blurred."""
    size = pixels.shape[0]
    if rng.random() < a.coarse:
        smaller = int(size / rng.uniform(1.5, 4))
        small = cv2.resize(pixels, (smaller, smaller), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (size, size)), np.uint8)
    if rng.random() < a.blur:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.4, max(0.4, size / 140)))), np.uint8)
    return pixels


def augmented(view: View, a: Augmentation, rng: np.random.Generator) -> View:
    """A view as another device might have taken it; masks are only turned."""
    view = turned(view, rng)
    pixels = view.pixels
    if rng.random() < a.grey:
        weights = rng.dirichlet((3, 4, 2)).astype(np.float32)
        pixels = np.repeat(np.asarray(cv2.transform(pixels, weights[None]), np.uint8)[..., None], 3, axis=2)
    pixels = _unsharp(np.asarray(cv2.LUT(pixels, _tone_table(a, rng).reshape(1, 256, 3)), np.uint8), a, rng)
    if rng.random() < a.speckle + a.noise + a.shading:
        pixels = _noisy(pixels, a, rng)
    width, height = view.valid
    padding = 0 if rng.random() < 0.3 else 128  # black, or the zero of normalised pixels
    pixels[height:] = padding
    pixels[:, width:] = padding
    return View(pixels, view.masks, view.valid)
