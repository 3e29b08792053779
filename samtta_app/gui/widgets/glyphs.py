"""Glyphs of the Phosphor font as icons.

The font is a file of qtawesome. That package is not imported: it imports all of Qt, which takes a sixth of the start.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

GLYPH_SHARE = 0.875
"""Size of the font in heights of the icon, as qtawesome chooses it: bearings fill the rest."""


class GlyphEngine(QIconEngine):
    """Draws one glyph at the size that is asked for.

    Args:
        name: of the glyph, as Phosphor names it.
        colour: where the icon is enabled.
        faint: where it is disabled.

    Raises:
        KeyError: the font has no such glyph.
    """

    def __init__(self, name: str, colour: str, faint: str) -> None:
        super().__init__()
        self._glyph = chr(int(_codes()[name], 16))
        self._colour, self._faint = QColor(colour), QColor(faint)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the glyph into the middle of `rect`."""
        painter.save()
        font = QFont(_family())
        font.setPixelSize(max(round(GLYPH_SHARE * rect.height()), 1))
        painter.setFont(font)
        painter.setPen(self._faint if mode == QIcon.Mode.Disabled else self._colour)
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), self._glyph)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """The glyph on nothing."""
        made = QPixmap(size)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return made


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """Code points in hexadecimal by the names of glyphs."""
    found: dict[str, str] = json.loads(_file("phosphor-charmap-*.json").read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def _family() -> str:
    """The font's family, once Qt knows it."""
    number = QFontDatabase.addApplicationFont(str(_file("phosphor-*.ttf")))
    return QFontDatabase.applicationFontFamilies(number)[0]


def _file(pattern: str) -> Path:
    """The one file of qtawesome's fonts that fits."""
    spec = find_spec("qtawesome")
    assert spec is not None, "qtawesome is installed with samtta"
    places = [Path(place, "fonts") for place in spec.submodule_search_locations or ()]
    return next(found for place in places for found in sorted(place.glob(pattern)))
