"""Automatic masks as values: how they are asked for, the crops and points of an image, and a mask that was found.

Source: Kirillov et al. 2023, "Segment Anything", appendix B, and the defaults of its automatic mask generator.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.types import Box, Click, Mask, Window
from samtta_app.errors import SettingsError
from samtta_app.phrases import Phrase

MOST_POINTS = 256
"""Points along a side at most: 65,536 prompts take a day on a processor."""

MOST_LAYERS = 4
"""Layers of crops at most: the fourth has 256 of them."""

_WHOLE: dict[str, tuple[int, int]] = {
    "points_per_side": (1, MOST_POINTS),
    "points_per_batch": (1, 4096),
    "crop_layers": (0, MOST_LAYERS),
    "crop_downscale": (1, MOST_POINTS),
    "least_region": (0, 2**31),
}
"""Least and largest value of the settings that are whole numbers."""

_REAL: dict[str, tuple[float, float]] = {
    "pred_iou": (-100.0, 100.0),
    "stability": (0.0, 1.0),
    "stability_offset": (0.0, 1000.0),
    "box_nms": (0.0, 1.0),
    "crop_nms": (0.0, 1.0),
    "crop_overlap": (0.0, 0.9),
    "largest": (0.0, 1.0),
    "least_side": (0.0, math.inf),
    "most_side": (0.0, math.inf),
}
"""Least and largest value of the others. A network may predict an IoU outside 0 .. 1."""


@dataclass(frozen=True, slots=True)
class AutomaticSettings:
    """How automatic masks are asked for and chosen; the defaults are those of SAM's generator.

    Args:
        points_per_side: of the grid of clicks over the whole image.
        points_per_batch: clicks of one pass of the decoder at most.
        pred_iou: masks of a predicted IoU above this are kept; 0 or less keeps all.
        stability: masks of at least this stability are kept; 0 keeps all.
        stability_offset: stability is the IoU of the masks above + and above - this logit.
        box_nms: of two masks of one crop whose boxes have a higher IoU, that of the higher predicted IoU stays.
        crop_layers: layer k looks at 4 ** k overlapping crops as well.
        crop_nms: the same for masks of different crops; that of the smaller crop stays.
        crop_overlap: of the crops of the first layer, in shorter sides of the image; later ones overlap less.
        crop_downscale: layer k has points_per_side / crop_downscale ** k points along a side.
        least_region: parts and holes of fewer pixels are removed; 0 removes none.
        largest: masks of a larger share of the image are dropped.
        least_side, most_side: masks whose longer side is out of this range, in pixels, are dropped.

    Raises:
        SettingsError: a value is out of range, or a layer of crops would have no point.
    """

    points_per_side: int = 32
    points_per_batch: int = 64
    pred_iou: float = 0.88
    stability: float = 0.95
    stability_offset: float = 1.0
    box_nms: float = 0.7
    crop_layers: int = 0
    crop_nms: float = 0.7
    crop_overlap: float = 512 / 1500
    crop_downscale: int = 1
    least_region: int = 0
    largest: float = 1.0
    least_side: float = 0.0
    most_side: float = math.inf

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value, (low, high) = getattr(self, name), _WHOLE.get(name) or _REAL[name]
            if not low <= value <= high:  # NaN is not
                what = Phrase("{capitalize} is {value}", capitalize=name.replace("_", " ").capitalize(), value=value)
                raise SettingsError(what, "", Phrase("Choose {low:g} to {high:g}", low=low, high=high))
        if self.points_in(self.crop_layers) < 1:
            what = Phrase("The crops of layer {crop_layers} would have no point", crop_layers=self.crop_layers)
            raise SettingsError(what, "", "Choose more points, fewer layers, or a smaller downscale")

    def points_in(self, layer: int) -> int:
        """Points along each side of a crop of a layer; layer 0 is the whole image."""
        return self.points_per_side // int(self.crop_downscale**layer)


SAM_SETTINGS = AutomaticSettings()
"""What SAM's generator does unless it is told otherwise."""

EDGE_SETTINGS = AutomaticSettings(points_per_side=16, pred_iou=0.0, stability=0.0)
"""How SAM finds edges (section 7.2): 16 x 16 points and no filter. The overlap of boxes is the default, .7."""


@dataclass(frozen=True, slots=True, eq=False)
class AutomaticMask:
    """A mask that a model found by itself.

    Args:
        mask: in image pixels, not empty.
        box: about the mask's pixels.
        predicted_iou: what the decoder predicts of it.
        stability: IoU of its masks at the higher and the lower threshold, 0 .. 1.
        click: what it answers; the middle of a box.
        window: the crop in which it was found.
        asked: the box that it answers, None for a click.
        likeness: with the objects that were looked for, 1 at most; nan where none were given.
        class_id: the class of accepted objects that it is clearly most like, None where that is not clear.
    """

    mask: Mask
    box: Box
    predicted_iou: float
    stability: float
    click: Click
    window: Window
    asked: Box | None = None
    likeness: float = math.nan
    class_id: int | None = None


def crops_of(extent: Window, settings: AutomaticSettings) -> Iterator[tuple[Window, int]]:
    """The whole image, and the crops of every layer, each with its layer; columns of crops from the left."""
    yield extent, 0
    for layer in range(1, settings.crop_layers + 1):
        count = 2**layer
        overlap = int(settings.crop_overlap * min(extent.width, extent.height) * (2 / count))
        width, height = (math.ceil((overlap * (count - 1) + side) / count) for side in (extent.width, extent.height))
        for x in (k * (width - overlap) for k in range(count)):
            for y in (k * (height - overlap) for k in range(count)):
                crop = min(width, extent.width - x), min(height, extent.height - y)
                if min(crop) > 0:
                    yield Window(x, y, *crop), layer


def grid_points(window: Window, points: int) -> NDArray[np.float64]:
    """A grid of points (N, 2) in a window, row by row: x, y in image pixels from the corner of the first pixel."""
    offset = 1 / (2 * points)
    steps = np.linspace(offset, 1 - offset, points)
    across, down = np.meshgrid(steps, steps)
    places = np.stack([across, down], axis=-1).reshape(-1, 2) * np.array([window.width, window.height])
    return np.asarray(places + np.array([window.x, window.y]), dtype=np.float64)


def cut_by_crop(boxes: NDArray[np.int64], crop: Window, extent: Window, near: float = 20.0) -> NDArray[np.bool_]:
    """Which boxes (N, 4) end within `near` pixels of an edge of the crop that is no edge of the image (SAM)."""
    edges, limits = (np.array([w.x, w.y, w.x + w.width, w.y + w.height], np.float64) for w in (crop, extent))
    at_crop, at_image = np.abs(boxes - edges) <= near, np.abs(boxes - limits) <= near
    return np.asarray((at_crop & ~at_image).any(axis=1))
