"""Changes by cameras, microscopes and files: turns, tones, colours, blur, noise, stripes, artefacts."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.train.data.crops import TrainingView


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
    mixing: float = 0.08
    """Channels exchanged or mixed, or a grey picture in false colours."""
    motion: float = 0.05
    halo: float = 0.06
    """Bright and dark rims about edges, as in phase contrast and in sharpened pictures."""
    relief: float = 0.03
    """Lit from one side, as in differential interference contrast."""
    stripes: float = 0.05
    salt: float = 0.03
    depth: float = 0.05
    """Three to five bits per channel."""
    jpeg: float = 0.1


def turned_view(view: TrainingView, rng: np.random.Generator) -> TrainingView:
    """Mirrored and transposed; only without padding, which always lies right and below."""
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
    kept = tuple(np.ascontiguousarray(m) for m in masks)
    return replace(view, pixels=np.ascontiguousarray(pixels), masks=kept, valid=valid)


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
        small = rng.standard_normal((size // grain, size // grain), dtype=np.float32) * rng.uniform(0.05, 0.3)
        y *= (1 + cv2.resize(small, (size, size)))[..., None]
    if rng.random() < a.noise:
        small = rng.standard_normal((size // grain, size // grain), dtype=np.float32) * min(25.0, rng.exponential(8.0))
        y += cv2.resize(small, (size, size))[..., None]
    return y.clip(0, 255).astype(np.uint8)


def _moved(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blurred along a line of up to a thirtieth of the window, as by a moving camera."""
    length = rng.uniform(2, max(3, pixels.shape[0] / 30))
    reach, turn = int(np.ceil(length / 2)), rng.uniform(0, np.pi)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    end = np.array([np.cos(turn), np.sin(turn)]) * length / 2
    first, last = (tuple(int(v) for v in np.round((reach + sign * end) * 16)) for sign in (-1, 1))
    cv2.line(kernel, first, last, 1.0, 1, cv2.LINE_8, 4)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)


def _unsharp(pixels: NDArray[np.uint8], a: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Sometimes enlarged from fewer pixels, or blurred evenly or along a line."""
    size = pixels.shape[0]
    u = rng.random()
    if u < a.coarse:
        smaller = int(size / rng.uniform(1.5, 4))
        small = cv2.resize(pixels, (smaller, smaller), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (size, size)), np.uint8)
    if u < a.coarse + a.blur:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.4, max(0.4, size / 140)))), np.uint8)
    return _moved(pixels, rng) if u < a.coarse + a.blur + a.motion else pixels


def _edged(pixels: NDArray[np.uint8], a: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Sometimes with rims about edges, or as a relief."""
    u, reach = rng.random(), float(rng.uniform(1, max(1.5, pixels.shape[0] / 60)))
    if u >= a.halo + a.relief:
        return pixels
    y = pixels.astype(np.float32)
    smooth = cv2.GaussianBlur(y, (0, 0), reach)
    if u < a.halo:
        return np.asarray((y + (y - smooth) * rng.uniform(0.5, 2.5)).clip(0, 255), np.uint8)
    turn = rng.uniform(0, 2 * np.pi)
    slope = np.cos(turn) * np.gradient(smooth, axis=1) + np.sin(turn) * np.gradient(smooth, axis=0)
    return np.asarray((128 + slope * reach * rng.uniform(2, 8) + 0.2 * (y - smooth)).clip(0, 255), np.uint8)


def _recoloured(pixels: NDArray[np.uint8], a: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Grey, or channels mixed: each new one is a random average of the old ones, or a curve of the grey level."""
    grey = rng.random() < a.grey
    if grey:
        weights = rng.dirichlet((3, 4, 2)).astype(np.float32)
        pixels = np.repeat(np.asarray(cv2.transform(pixels, weights[None]), np.uint8)[..., None], 3, axis=2)
    if rng.random() >= a.mixing:
        return pixels
    if grey:
        level, bend = np.linspace(0, 1, 256)[:, None], rng.uniform(-1, 1, 3)
        curves = level + bend * np.sin(np.pi * level) * 0.6
        return np.asarray(cv2.LUT(pixels, (curves.clip(0, 1) * 255).astype(np.uint8).reshape(1, 256, 3)), np.uint8)
    return np.asarray(cv2.transform(pixels, rng.dirichlet((0.4, 0.4, 0.4), 3).astype(np.float32)), np.uint8)


def _striped(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Rows or columns with small random changes of brightness: scan lines."""
    size = pixels.shape[0]
    wide = int(rng.choice([1, 1, 2, 4]))
    offsets = rng.standard_normal(size // wide + 1).astype(np.float32).repeat(wide)[:size] * rng.uniform(3, 14)
    shift = offsets[:, None, None] if rng.random() < 0.5 else offsets[None, :, None]
    return np.asarray((pixels + shift).clip(0, 255), np.uint8)


def _stored(pixels: NDArray[np.uint8], a: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Traces of reading out and storing: stripes, dead pixels, few bits, JPEG's blocks."""
    stripes, salt, depth, jpeg = rng.random(4) < (a.stripes, a.salt, a.depth, a.jpeg)
    if stripes:
        pixels = _striped(pixels, rng)
    if salt:
        pixels = pixels.copy()
        count = int(pixels.shape[0] ** 2 * rng.uniform(0.001, 0.03))
        rows, columns = rng.integers(pixels.shape[0], size=(2, count))
        pixels[rows, columns] = rng.choice(np.array([0, 255], np.uint8), (count, 1))
    if depth:
        step = 2 ** int(rng.integers(3, 6))
        pixels = pixels // step * step + step // 2
    if jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 70))]
        pixels = np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR), np.uint8)
    return pixels


def augmented(view: TrainingView, a: Augmentation, rng: np.random.Generator) -> TrainingView:
    """A view as another device might have recorded it; masks are only turned."""
    view = turned_view(view, rng)
    pixels = _recoloured(view.pixels, a, rng)
    pixels = _edged(np.asarray(cv2.LUT(pixels, _tone_table(a, rng).reshape(1, 256, 3)), np.uint8), a, rng)
    pixels = _unsharp(pixels, a, rng)
    if rng.random() < a.speckle + a.noise + a.shading:
        pixels = _noisy(pixels, a, rng)
    pixels = _stored(pixels, a, rng)
    width, height = view.valid
    padding = 0 if rng.random() < 0.3 else 128  # black, or the zero of normalised pixels
    pixels[height:] = padding
    pixels[:, width:] = padding
    return replace(view, pixels=pixels)
