"""ICC profiles: the colours that a file means, as sRGB, which screens and models expect."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import PIL.ImageCms

from samtta_app.images.stretching import Array, bands

_SPACES = {"RGB": "RGB", "CMYK": "CMYK"}
"""Pillow's modes whose profiles are used, with the colour space that such a profile is for.

Grey files are measurements more often than prints, and stay as they are.
"""

_BROKEN = (PIL.ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError)


def srgb_transform(profile: bytes | None, mode: str) -> PIL.ImageCms.ImageCmsTransform | None:
    """How pixels of `mode` become sRGB; None where there is no such profile, it is sRGB, or it is damaged."""
    if not profile or mode not in _SPACES:
        return None
    try:
        found = PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile))
        about = found.profile
        if about.xcolor_space.strip() != _SPACES[mode] or "srgb" in (about.profile_description or "").lower():
            return None
        srgb = PIL.ImageCms.createProfile("sRGB")
        return PIL.ImageCms.buildTransform(found, srgb, mode, "RGB", PIL.ImageCms.Intent.PERCEPTUAL)
    except _BROKEN:
        return None


def as_srgb(pixels: Array, profile: bytes | None) -> Array:
    """8-bit colours (H, W, 3 or 4) as sRGB, converted band by band; other arrays, and those without a profile, as they are."""
    if not profile or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        return pixels
    transform = srgb_transform(profile, "RGB")
    if transform is None:
        return pixels
    shown = pixels.copy()
    for rows in bands(pixels.shape[0], pixels.shape[1] * 3):
        band = PIL.Image.fromarray(np.ascontiguousarray(pixels[rows, :, :3]))
        shown[rows, :, :3] = np.asarray(PIL.ImageCms.applyTransform(band, transform))
    return shown
