"""Icons exist, take the palette's colours, and are sharp at every pixel ratio."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage

from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.gui.panels.message_bar import ICONS
from samtta_app.gui.widgets import icons, theme

RED = "#ff0000"


def pixels(icon: QIcon, side: int = 24, ratio: float = 1.0, mode: QIcon.Mode = QIcon.Mode.Normal) -> NDArray[np.uint8]:
    """The icon as it would be drawn: (h, w, 4) RGBA."""
    image = icon.pixmap(QSize(side, side), ratio, mode).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    flat = np.frombuffer(image.constBits(), dtype=np.uint8)
    return flat.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width()].copy()


def colour_of(icon: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal) -> str:
    """The colour of the icon's solid pixels."""
    found = pixels(icon, 64, mode=mode)
    solid = found[found[..., 3] == 255]
    return QColor(*np.median(solid[:, :3], axis=0).astype(int).tolist()).name()


@pytest.mark.parametrize("name", sorted({action.icon for action in ACTION_TABLE if action.icon}))
def test_every_icon_of_the_table_is_in_the_set(qapp, name: str):
    assert pixels(icons.icon(name))[..., 3].any()


@pytest.mark.parametrize("name", [name for name, _ in ICONS.values()])
def test_every_severity_has_its_own_shape(qapp, name: str):
    assert pixels(icons.icon(name))[..., 3].any()
    assert len({shape for shape, _ in ICONS.values()}) == len(ICONS)


def test_an_icon_that_is_not_in_the_set_is_an_error(qapp):
    with pytest.raises(Exception, match="no-such-thing"):
        icons.icon("no-such-thing")


@pytest.mark.parametrize("palette", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_icons_take_the_colour_of_the_text(qapp, palette: theme.Palette):
    assert colour_of(icons.icon("stop", palette)) == palette.text


def test_icons_take_another_colour_of_the_palette(qapp):
    assert colour_of(icons.icon("stop", theme.DARK, tint="bad")) == theme.DARK.bad


def test_icons_of_disabled_actions_are_faint(qapp):
    icon = icons.icon("stop", theme.LIGHT)
    assert colour_of(icon, QIcon.Mode.Disabled) != colour_of(icon)


def test_icons_follow_the_present_theme(qapp):
    theme.choose(qapp, "light")
    light = colour_of(icons.icon("stop"))
    theme.choose(qapp, "dark")
    assert (light, colour_of(icons.icon("stop"))) == (theme.LIGHT.text, theme.DARK.text)


@pytest.mark.parametrize("ratio", [1.0, 2.0, 3.0])
def test_icons_are_drawn_in_device_pixels(qapp, ratio: float):
    for icon in (icons.icon("check"), icons.swatch(QColor(RED), "1"), icons.dot(QColor(RED)), icons.app_icon()):
        assert pixels(icon, 24, ratio).shape[:2] == (24 * ratio, 24 * ratio)


def test_icons_are_sharper_at_two_pixels_per_point(qapp):
    icon = icons.icon("check")
    once, twice = pixels(icon, 24), pixels(icon, 24, 2.0)
    enlarged = once.repeat(2, axis=0).repeat(2, axis=1)
    assert not np.array_equal(enlarged, twice)


def test_a_swatch_shows_its_colour(qapp):
    middle = pixels(icons.swatch(QColor(RED)), 32)[16, 16]
    assert middle.tolist() == [255, 0, 0, 255]


def test_a_swatch_keeps_its_colour_in_a_selected_row(qapp):
    icon = icons.swatch(QColor(RED), "1")
    assert np.array_equal(pixels(icon, mode=QIcon.Mode.Selected), pixels(icon))


def test_a_swatch_is_clear_around_its_square(qapp):
    assert pixels(icons.swatch(QColor(RED)), 32)[0, 0, 3] == 0


@pytest.mark.parametrize(("ground", "ink"), [("#f0e442", 0), ("#0072b2", 255)])
def test_the_key_on_a_swatch_is_readable(qapp, ground: str, ink: int):
    found = pixels(icons.swatch(QColor(ground), "8"), 64)[16:48, 16:48, :3].reshape(-1, 3)
    assert (found == ink).all(axis=1).any()


def test_a_ring_is_empty_and_a_dot_is_full(qapp):
    full, ring = icons.dot(QColor(RED)), icons.dot(QColor(RED), filled=False)
    assert pixels(full, 32)[16, 16, 3] == 255
    assert pixels(ring, 32)[16, 16, 3] == 0
    assert pixels(ring, 32)[..., 3].any()


def test_drawn_icons_can_be_changed(qapp):
    for icon in (icons.swatch(QColor(RED), "1"), icons.dot(QColor(RED))):
        copy = QIcon(icon)
        copy.addPixmap(icon.pixmap(16, 16), QIcon.Mode.Disabled)
        assert pixels(copy)[..., 3].any()


def test_the_app_icon_is_shipped(qapp):
    assert not icons.app_icon().isNull()
    assert pixels(icons.app_icon(), 64)[..., 3].all(axis=None) or pixels(icons.app_icon(), 64)[32, 32, 3] == 255
