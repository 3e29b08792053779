"""The palettes are readable, the maps are safe for every kind of colour vision, and themes can be changed at run time."""

from __future__ import annotations

import re
from dataclasses import fields
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QSpinBox, QWidget

from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.theme import CLASS_COLOURS, DARK, LIGHT, Palette, uncertainty_map

GUI = Path(theme.__file__).parent
PALETTES = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance."""
    parts = np.array(QColor(colour).getRgbF()[:3])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(a: str, b: str) -> float:
    """WCAG 2's contrast ratio."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@PALETTES
def test_text_is_readable_on_every_ground(palette: Palette):
    for ground in (palette.background, palette.surface, palette.hover, palette.selection):
        assert contrast(palette.text, ground) >= 7


@PALETTES
@pytest.mark.parametrize("token", ["muted", "good", "warn", "bad", "accent"])
def test_quiet_and_coloured_text_is_readable(palette: Palette, token: str):
    for ground in (palette.background, palette.surface):
        assert contrast(getattr(palette, token), ground) >= 4.5


@PALETTES
def test_the_grey_behind_the_image_is_neutral(palette: Palette):
    assert QColor(palette.canvas).hslSaturationF() < 0.1


def test_the_canvas_greys_are_the_ones_that_were_agreed():
    assert (DARK.canvas, LIGHT.canvas) == ("#2b2d30", "#c9cdd2")


def test_every_token_of_a_palette_is_a_colour():
    for palette in (LIGHT, DARK):
        for entry in fields(palette):
            if entry.name != "name":
                assert QColor(getattr(palette, entry.name)).isValid()


def test_no_other_module_of_the_window_holds_a_colour():
    literal = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b|QColor\(\s*\d|rgba?\(\s*\d")
    for path in GUI.rglob("*.py"):
        if path.name != "theme.py":
            assert not literal.search(path.read_text(encoding="utf-8")), path


def test_the_style_sheet_names_known_tokens_only():
    for palette in (LIGHT, DARK):
        assert not re.search(r"@\w+", theme._sheet(palette))


# --- colours of classes ---------------------------------------------------------------------------------------------


def test_class_colours_are_okabe_and_itos():
    okabe_ito = {"#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"}
    assert okabe_ito < set(CLASS_COLOURS)


def test_class_colours_differ_from_one_another():
    for a, b in combinations(CLASS_COLOURS, 2):
        first, second = QColor(a), QColor(b)
        assert max(abs(x - y) for x, y in zip(first.getRgb(), second.getRgb(), strict=True)) > 30


def test_class_colours_repeat_after_the_last():
    assert theme.class_colour(len(CLASS_COLOURS)) == theme.class_colour(0)


def test_mixing_goes_from_one_colour_to_the_other():
    assert theme.mix_colours("#000000", "#ffffff", 0) == "#000000"
    assert theme.mix_colours("#000000", "#ffffff", 0.5) == "#808080"
    assert theme.mix_colours("#000000", "#ffffff", 1) == "#ffffff"


# --- the uncertainty map --------------------------------------------------------------------------------------------


def test_the_uncertainty_map_is_a_table_of_256_rgba_colours():
    assert uncertainty_map().shape == (256, 4)
    assert uncertainty_map().dtype == np.uint8


def test_sure_pixels_stay_clean_and_alpha_rises():
    alpha = uncertainty_map()[:, 3].astype(int)
    assert alpha[0] == 0
    assert (np.diff(alpha) >= 0).all()
    assert alpha[-1] > 200


def test_the_uncertainty_map_is_told_apart_by_brightness_alone():
    brightness = [luminance(QColor(*row[:3]).name()) for row in uncertainty_map().tolist()]
    assert (np.diff(brightness) > -1e-3).all()
    assert brightness[-1] - brightness[0] > 0.4


# --- choosing -------------------------------------------------------------------------------------------------------


@PALETTES
def test_a_chosen_theme_is_the_current_one(qapp, palette: Palette):
    assert theme.choose(qapp, palette.name) is palette
    assert theme.current() is palette
    assert qapp.palette().color(QPalette.ColorRole.Text).name() == palette.text


def test_the_system_theme_follows_the_platform(qapp):
    chosen = theme.choose(qapp, "system")
    dark = qapp.styleHints().colorScheme() == Qt.ColorScheme.Dark
    assert chosen is (DARK if dark else LIGHT)


def test_what_is_switched_off_is_fainter_than_text(qapp):
    theme.choose(qapp, "dark")
    colours = qapp.palette()
    faint = colours.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text).name()
    assert contrast(faint, DARK.background) < contrast(DARK.muted, DARK.background)


def test_the_style_is_fusion(qapp):
    qapp.setStyleSheet("")
    theme.choose(qapp, "light")
    qapp.setStyleSheet("")  # a style sheet wraps the style
    assert qapp.style().objectName() == "fusion"


# --- labels and figures ---------------------------------------------------------------------------------------------


def test_figures_are_of_equal_width(qapp):
    font = theme.tabular(QFont(qapp.font()))
    assert font.featureValue(theme.TABULAR) == 1


def test_making_a_font_tabular_leaves_the_font_as_it_was(qapp):
    font = QFont(qapp.font())
    theme.tabular(font)
    assert not font.isFeatureSet(theme.TABULAR)


def test_a_heading_is_larger_and_bolder(qapp):
    font = QFont(qapp.font())
    heading = theme.larger(font)
    assert heading.pointSizeF() > font.pointSizeF()
    assert heading.weight() > font.weight()


def test_a_label_shows_its_text_as_it_is(qtbot):
    label = theme.label("<b>5 < 6</b>", role="muted")
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert label.text() == "<b>5 < 6</b>"


def test_a_label_takes_the_colour_of_its_role(qapp, qtbot):
    theme.choose(qapp, "light")
    label = theme.label("kept", role="good")
    qtbot.addWidget(label)
    label.ensurePolished()
    assert label.palette().color(QPalette.ColorRole.WindowText).name() == LIGHT.good


def test_a_role_can_be_changed(qapp, qtbot):
    theme.choose(qapp, "light")
    label = theme.label("kept", role="good")
    qtbot.addWidget(label)
    label.ensurePolished()
    theme.set_role(label, "bad")
    assert label.palette().color(QPalette.ColorRole.WindowText).name() == LIGHT.bad


def test_a_label_follows_the_theme(qapp, qtbot):
    theme.choose(qapp, "light")
    label: QLabel = theme.label("quiet", role="muted")
    qtbot.addWidget(label)
    label.show()
    theme.choose(qapp, "dark")
    assert label.palette().color(QPalette.ColorRole.WindowText).name() == DARK.muted


@PALETTES
@pytest.mark.parametrize("kind", [QCheckBox, QLineEdit, QComboBox, QSpinBox])
def test_the_edges_of_fields_and_boxes_are_seen(qapp, qtbot, palette: Palette, kind: type[QWidget]):
    theme.apply(qapp, palette)
    window = QWidget()
    qtbot.addWidget(window)
    control = kind(window)
    control.move(8, 8)
    window.show()
    picture = window.grab().toImage()
    middle = control.geometry().center().y()
    edge = max(contrast(picture.pixelColor(x, middle).name(), palette.background) for x in range(8, 14))
    assert edge >= 2
