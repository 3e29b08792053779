"""Masks and maps as things Qt can draw: outlines with holes, tinted bitmaps, uncertainty in colours. Only values."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainterPath, QPolygonF

from samtta_app.core.types import BoolArray, Box, FloatArray, Mask, Window
from samtta_app.gui.widgets.theme import uncertainty_map
from samtta_app.session.state import Overlay


def outline(mask: Mask, tolerance: float = 0.0) -> QPainterPath:
    """The border between object and background pixels, in image pixels; filled odd-even, so that holes stay empty.

    Pixel (c, r) covers c - .5 .. c + .5, so every corner lies on a half. A `tolerance` (pixels) leaves out corners that lie
    closer than that to the line between their neighbours. This draws faster where masks are small on the screen.
    """
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.OddEvenFill)
    for loop in _loops(mask.bits):
        corners = cv2.approxPolyDP(loop, tolerance, True)[:, 0] if tolerance else loop
        path.addPolygon(QPolygonF([QPointF(x + mask.x - 0.5, y + mask.y - 0.5) for x, y in corners.tolist()]))
        path.closeSubpath()
    return path


def coarse_outline(mask: Mask, tolerance: float) -> QPainterPath:
    """The border through the middles of the outermost pixels, for masks that are small on the screen; holes stay empty.

    It is traced some twenty times faster than `outline`. Corners closer than `tolerance` pixels to the line between their
    neighbours are left out, and parts that are no larger than that become dots.
    """
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.OddEvenFill)
    found, _ = cv2.findContours(mask.bits.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    for loop in found:
        corners = cv2.approxPolyDP(loop, tolerance, True)[:, 0]
        path.addPolygon(QPolygonF([QPointF(x + mask.x, y + mask.y) for x, y in corners.tolist()]))
        path.closeSubpath()
    return path


def _loops(bits: BoolArray) -> Iterator[FloatArray]:
    """Closed rectilinear loops (n, 2) of lattice corners x, y.

    Corners sorted by row pair up into the horizontal edges, sorted by column into the vertical ones; following them in
    turn closes the loops.
    """
    corners = _corners(bits)
    along, down = np.lexsort((corners[:, 0], corners[:, 1])), np.lexsort((corners[:, 1], corners[:, 0]))
    across, upright = _partners(along), _partners(down)
    left = np.ones(len(corners), dtype=np.bool_)
    for start in along[::2].tolist():
        if not left[start]:
            continue
        loop, at = [], start
        while left[at]:
            beside = across[at]
            loop += [at, beside]
            left[at] = left[beside] = False
            at = upright[beside]
        yield corners[loop].astype(np.float32)


def _corners(bits: BoolArray) -> NDArray[np.int64]:
    """(n, 2) x, y of the lattice points where the border turns; one where two pixels meet at a corner counts twice."""
    padded = np.pad(bits, 1).astype(np.int8)
    turn = padded[:-1, :-1] - padded[:-1, 1:] - padded[1:, :-1] + padded[1:, 1:]
    rows, columns = np.nonzero(turn)
    return np.repeat(np.stack([columns, rows], axis=1), np.abs(turn[rows, columns]), axis=0)


def _partners(order: NDArray[np.int64]) -> list[int]:
    """For each corner the one at the other end of its edge, when `order` lists the edges' ends in pairs."""
    partner = np.empty_like(order)
    partner[order[::2]], partner[order[1::2]] = order[1::2], order[::2]
    return [int(p) for p in partner]


def tinted(mask: Mask, colour: QColor, alpha: float) -> QImage:
    """The mask's bitmap in one colour, `alpha` 0 .. 1 where the object is, clear elsewhere; for thumbnails."""
    rgba = np.zeros((*mask.bits.shape, 4), dtype=np.uint8)
    rgba[mask.bits] = (colour.red(), colour.green(), colour.blue(), round(alpha * 255))
    return rgba_image(rgba)


SCALES = (0.1, 0.2, 0.5, 1.0)
"""The possible maximum values of the colour scale."""


def scale_of(overlay: Overlay) -> float:
    """The value of the strongest colour: 1 bit for entropy, else the least of SCALES that no value exceeds."""
    absolute = overlay.kind in ("entropy", "disagreement")
    greatest = 1.0 if absolute or overlay.values is None else float(overlay.values.max())
    return next((scale for scale in SCALES if greatest <= scale + 1e-6), SCALES[-1])


def uncertainty_image(values: NDArray[np.float32], scale: float = 1.0) -> QImage:
    """The colours of a map (g, g) from 0 to `scale`; clear where the model is sure."""
    steps = np.clip(np.rint(np.nan_to_num(values) / scale * 255), 0, 255).astype(np.uint8)
    return rgba_image(uncertainty_map()[steps])


LESSON_COLOURS = np.array([(46, 160, 67, 190), (0, 0, 0, 0), (56, 110, 220, 120)], dtype=np.uint8)
"""Straight RGBA of what a mask teaches: object green, what is left out clear, background blue."""


def lesson_image(values: NDArray[np.float32]) -> QImage:
    """The colours of labels (g, g): 1 object, 0 left out, -1 background."""
    return rgba_image(LESSON_COLOURS[1 - np.rint(values).astype(np.int64)])


def rgba_image(rgba: NDArray[np.uint8]) -> QImage:
    """A QImage of its own memory from (H, W, 4) uint8 with straight alpha, ready for fast painting."""
    rgba = np.ascontiguousarray(rgba)
    height, width = rgba.shape[:2]
    shown = QImage(rgba.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return shown.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def rgb_image(rgb: NDArray[np.uint8]) -> QImage:
    """A QImage of its own memory from (H, W, 3) uint8."""
    rgb = np.ascontiguousarray(rgb)
    height, width = rgb.shape[:2]
    shown = QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return shown.convertToFormat(QImage.Format.Format_RGB32)


def box_rect(box: Box) -> QRectF:
    """A box as its pixels cover the image: corners are included."""
    return QRectF(box.x0 - 0.5, box.y0 - 0.5, box.x1 - box.x0 + 1, box.y1 - box.y0 + 1)


def pixel_rect(window: Window) -> QRectF:
    """What the window's pixels cover, in image coordinates (a pixel reaches half a pixel around its centre)."""
    return QRectF(window.x - 0.5, window.y - 0.5, window.width, window.height)


def padded_rect(window: Window) -> QRectF:
    """What a map over the window covers: the window padded on the right or below to a square."""
    return QRectF(window.x - 0.5, window.y - 0.5, window.side, window.side)
