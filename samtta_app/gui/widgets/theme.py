"""The look: named colours, light and dark, one grid, one colour map; no other module of the window holds a colour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from samtta_app.session.state import OWN_COLOUR
from samtta_app.settings import Theme

GRID = 8
"""Every margin, gap and size is a multiple of half of this many pixels."""

ICON = 20
"""Side of an icon in a tool bar, in pixels."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme, each as "#rrggbb".

    `canvas` is the neutral grey behind the image. `line` separates. `accent` marks what is chosen. `good`, `warn` and
    `bad` are used for text and marks, never for areas.
    """

    name: str
    background: str
    surface: str
    line: str
    text: str
    muted: str
    accent: str
    good: str
    warn: str
    bad: str
    canvas: str

    @property
    def hover(self) -> str:
        """Behind what the pointer is on."""
        return mix_colours(self.background, self.text, 0.08)

    @property
    def edge(self) -> str:
        """Around fields and boxes to tick; it stands out of the background by 2 : 1 or more."""
        return mix_colours(self.background, self.muted, 0.6)

    @property
    def selection(self) -> str:
        """Behind what is selected; `text` stays readable on it."""
        return mix_colours(self.background, self.accent, 0.28)


LIGHT = Palette(
    name="light",
    background="#f4f5f7",
    surface="#ffffff",
    line="#d6dade",
    text="#1c2025",
    muted="#5b636c",
    accent="#1b68a8",
    good="#1b7347",
    warn="#8a5a00",
    bad="#b0352a",
    canvas="#c9cdd2",
)

DARK = Palette(
    name="dark",
    background="#1d1f22",
    surface="#26292d",
    line="#393d42",
    text="#e3e5e8",
    muted="#9ba1a9",
    accent="#63aee8",
    good="#57bd8a",
    warn="#e0aa4c",
    bad="#ee7d70",
    canvas="#2b2d30",
)

SAFE = {
    "light": replace(LIGHT, good="#1b68a8", warn="#7a5c00", bad="#a33d00"),
    "dark": replace(DARK, good="#63aee8", warn="#d9c14a", bad="#ff9a5c"),
}
"""The themes with blue and orange in place of green and red, which some eyes cannot distinguish."""

CLASS_COLOURS: tuple[str, ...] = (
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
    "#999999",
)
"""Okabe and Ito's colours (2008), which stay apart for every kind of colour vision; their black is replaced by grey."""


IGNORED = "#7f7f7f"
"""Ignore regions have the grey of no class, without a fill."""


def class_colour(index: int) -> QColor:
    """The colour of the class whose `colour` is `index`; they repeat after the eighth, up to a user's own colours."""
    if index >= OWN_COLOUR:
        return QColor.fromRgb(index - OWN_COLOUR)
    return QColor(CLASS_COLOURS[index % len(CLASS_COLOURS)])


def colour_index(name: str) -> int | None:
    """What `class_colour` turns into this colour, "#rrggbb"; None where it is no colour."""
    if name.lower() in CLASS_COLOURS:
        return CLASS_COLOURS.index(name.lower())
    colour = QColor.fromString(name)
    return OWN_COLOUR + (colour.rgb() & 0xFFFFFF) if colour.isValid() else None


@cache
def uncertainty_map() -> NDArray[np.uint8]:
    """Colours of the entropy 0 .. 1 bit, (256, 4) uint8 RGBA: sure pixels are clear, unsure ones strong.

    They are the perceptual map "plasma" without its palest end, alpha rising from 0 to 0.85.
    """
    table = np.empty((256, 4), dtype=np.uint8)
    import pyqtgraph as pg  # takes a third of the time until the window is painted

    table[:, :3] = pg.colormap.get("plasma").map(np.linspace(0.05, 0.92, 256), mode="byte")[:, :3]
    table[:, 3] = np.round(np.linspace(0.0, 1.0, 256) ** 0.8 * 0.85 * 255)
    return table


def mix_colours(a: str, b: str, share: float) -> str:
    """The colour that lies `share` (0 .. 1) of the way from `a` to `b`."""
    first, second = QColor(a), QColor(b)
    parts = zip(first.getRgb()[:3], second.getRgb()[:3], strict=True)  # type: ignore[index]
    return QColor(*(round(x + (y - x) * share) for x, y in parts)).name()


# --- applying -------------------------------------------------------------------------------------------------------


def current() -> Palette:
    """The palette that the application shows now."""
    shown = QGuiApplication.palette()
    roles = QPalette.ColorRole
    usual = DARK if shown.color(roles.Window).name() == DARK.background else LIGHT
    safe = SAFE[usual.name]
    return safe if shown.color(roles.BrightText).name() == safe.bad else usual


def choose(app: QApplication, theme: Theme, *, safe: bool = False, points: int = 0) -> Palette:
    """Show the theme that the user chose; "system" follows the platform's colour scheme (light where it has none).

    `safe` has blue and orange in place of green and red. `points` is the size of all text, 0 is the system's.
    """
    hints = app.styleHints()
    if theme == "system":
        hints.unsetColorScheme()
    else:
        hints.setColorScheme(Qt.ColorScheme.Dark if theme == "dark" else Qt.ColorScheme.Light)
    palette = DARK if hints.colorScheme() == Qt.ColorScheme.Dark or theme == "dark" else LIGHT
    palette = SAFE[palette.name] if safe else palette
    apply(app, palette, points)
    return palette


def apply(app: QApplication, palette: Palette, points: int = 0) -> None:
    """Dress the whole application in `palette`; nothing is done twice, since every widget is dressed again.

    The size of text stands in the style sheet: under one, children do not take the application's font.
    """
    sheet = _sheet(palette) + (TEXT_SIZES.format(text=points, heading=points * HEADING) if points else "")
    if app.styleSheet() == sheet and current() is palette:
        return
    if not app.styleSheet():
        app.setStyle("Fusion")
    app.setPalette(_roles(palette))
    for kind in EDGED:
        app.setPalette(_edged(palette), kind)  # type: ignore[arg-type]  # the stub wants bytes, PySide a str
    app.setStyleSheet(sheet)


def _roles(palette: Palette) -> QPalette:
    role, colours = QPalette.ColorRole, QPalette()
    for name, value in (
        (role.Window, palette.background),
        (role.WindowText, palette.text),
        (role.Base, palette.surface),
        (role.AlternateBase, palette.background),
        (role.Text, palette.text),
        (role.Button, palette.surface),
        (role.ButtonText, palette.text),
        (role.BrightText, palette.bad),
        (role.ToolTipBase, palette.surface),
        (role.ToolTipText, palette.text),
        (role.PlaceholderText, palette.muted),
        (role.Highlight, palette.selection),
        (role.HighlightedText, palette.text),
        (role.Accent, palette.accent),
        (role.Link, palette.accent),
        (role.LinkVisited, palette.accent),
        (role.Light, palette.surface),
        (role.Midlight, palette.hover),
        (role.Mid, palette.line),
        (role.Dark, palette.line),
        (role.Shadow, palette.line),
    ):
        colours.setColor(name, QColor(value))
    faint = QColor(mix_colours(palette.background, palette.muted, 0.6))
    for name in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        colours.setColor(QPalette.ColorGroup.Disabled, name, faint)
    return colours


EDGED = ("QCheckBox", "QLineEdit", "QAbstractSpinBox", "QComboBox")
"""Controls whose edges Fusion would draw as good as invisible in the dark."""


def _edged(palette: Palette) -> QPalette:
    """The palette of controls with a visible edge: Fusion draws it 1.4 times darker than their window's colour."""
    colours = _roles(palette)
    colours.setColor(QPalette.ColorRole.Window, QColor(palette.edge).lighter(140))
    return colours


def _sheet(palette: Palette) -> str:
    tokens = {name: getattr(palette, name) for name in ("background", "surface", "line", "text", "muted", "accent")}
    tokens |= {"good": palette.good, "warn": palette.warn, "bad": palette.bad}
    tokens |= {"hover": palette.hover, "selection": palette.selection}
    tokens |= {"faint": mix_colours(palette.background, palette.muted, 0.6)}
    sheet = SHEET
    for name, value in tokens.items():
        sheet = sheet.replace(f"@{name};", f"{value};")
    return sheet


HEADING = 1.25
"""Size of a heading, as a share of the text's."""

TEXT_SIZES = """
* {{ font-size: {text}pt; }}
QLabel[role="heading"] {{ font-size: {heading}pt; }}
"""

TABULAR = QFont.Tag("tnum")
"""OpenType's feature for figures of equal width."""


def tabular(font: QFont) -> QFont:
    """`font` with figures of equal width, so that numbers stand still while they change."""
    figures = QFont(font)
    figures.setFeature(TABULAR, 1)
    return figures


def larger(font: QFont) -> QFont:
    """`font` as a heading."""
    heading = QFont(font)
    heading.setPointSizeF(font.pointSizeF() * HEADING)
    heading.setWeight(QFont.Weight.DemiBold)
    return heading


def label(text: str = "", role: str = "text", parent: QWidget | None = None) -> QLabel:
    """A label in one of the roles of the style sheet: "text", "heading", "muted", "accent", "good", "warn", "bad", "figure"."""
    made = QLabel(text, parent)
    made.setProperty("role", role)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role == "figure":
        made.setFont(tabular(made.font()))
    elif role == "heading":
        made.setFont(larger(made.font()))
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Give `widget` another role of the style sheet."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


SHEET = """
QMainWindow::separator { background: @line; width: 1px; height: 1px; }
QMenuBar { background: @background; border: none; padding: 2px 4px; }
QMenuBar::item { padding: 4px 8px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: @hover; }
QMenu { background: @surface; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 12px; border-radius: 4px; }
QMenu::item:selected { background: @selection; }
QMenu::item:disabled { color: @faint; }
QMenu::separator { height: 1px; background: @line; margin: 4px 8px; }
QMenu::icon { padding-left: 8px; }
QToolBar { background: @background; border: none; padding: 2px 4px; spacing: 0px; }
QToolBar::separator:horizontal { width: 1px; background: @line; margin: 8px 4px; }
QToolBar::separator:vertical { height: 1px; background: @line; margin: 1px 8px; }
QToolButton { border: none; border-radius: 4px; padding: 5px; background: transparent; }
QToolButton:hover { background: @hover; }
QToolButton:pressed, QToolButton:checked { background: @selection; }
QToolButton:focus { background: @hover; }
QToolButton[role="small"] { padding: 2px; }
QToolButton[role="disclosure"], QToolButton[role="disclosure"]:checked { padding: 2px 4px; background: transparent; }
QToolButton[role="disclosure"]:hover { background: @hover; }
QToolButton[role="wide"] { padding: 5px 8px; }
QPushButton { background: @surface; border: 1px solid @line; border-radius: 4px; padding: 6px 14px; }
QPushButton:hover { background: @hover; }
QPushButton:pressed { background: @selection; }
QPushButton:focus { border-color: @accent; }
QPushButton:default { border-color: @accent; }
QPushButton:disabled { color: @faint; }
QPushButton[role="start"], QPushButton[role="recent"] { text-align: left; padding: 8px 16px; }
QPushButton[role="recent"] { background: transparent; border-color: transparent; }
QPushButton[role="recent"]:hover { background: @hover; }
QPushButton[role="recent"]:focus { border-color: @accent; }
QListView, QTreeView { background: @background; border: none; outline: none; show-decoration-selected: 1; }
QListView::item, QTreeView::item { min-height: 24px; padding: 0 6px; border: none; }
QListView::item:hover, QTreeView::item:hover { background: @hover; }
QListView::item:selected, QTreeView::item:selected { background: @selection; color: @text; }
QHeaderView { background: @background; border: none; }
QHeaderView::section {
  background: @background; color: @muted; border: none; border-bottom: 1px solid @line; padding: 4px 6px; }
QHeaderView::up-arrow, QHeaderView::down-arrow { image: none; width: 0; height: 0; }
QComboBox QAbstractItemView { background: @surface; border: 1px solid @line; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QScrollArea { border: none; background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @line; border-radius: 3px; margin: 2px; min-height: 24px; min-width: 24px; }
QScrollBar::handle:hover { background: @muted; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {
  background: transparent; border: none; width: 0; height: 0; }
QStatusBar { background: @background; border-top: 1px solid @line; }
QStatusBar::item { border: none; }
QToolTip { background: @surface; color: @text; border: 1px solid @line; padding: 4px; }
QProgressBar { background: @line; border: none; border-radius: 2px; max-height: 4px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }
QLabel[role="title"] { font-weight: 600; }
QLabel[role="muted"] { color: @muted; }
QLabel[role="accent"] { color: @accent; }
QLabel[role="good"] { color: @good; }
QLabel[role="warn"] { color: @warn; }
QLabel[role="bad"] { color: @bad; }
QFrame[role="card"] { background: @surface; border: 1px solid @line; border-radius: 6px; }
QFrame[role="card"][chosen="true"] { border-color: @accent; background: @selection; }
QFrame[role="strip"] { background: @background; border: 1px solid @line; border-radius: 8px; }
QFrame[role="rule"] { background: @line; border: none; }
"""
