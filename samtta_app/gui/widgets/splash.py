"""What is on the screen while the program itself is being loaded; it needs nothing but Qt, so that it is there at once."""

from __future__ import annotations

import sys

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QSplashScreen

from samtta_app.gui.widgets.translation import install_translators, translated
from samtta_app.settings import Language, resource

_WIDTH, HEIGHT, _MARK = 360, 120, 56

Splash = QSplashScreen
"""For those who pass it on and know nothing of Qt."""


def application(language: Language = "en") -> QApplication:
    """The application, made where there is none; a new one says everything in `language`.

    Raises:
        TypeError: there is one that shows no windows.
    """
    found = QApplication.instance()
    if found is None:
        found = QApplication(sys.argv[:1])
        install_translators(found, language)
    if not isinstance(found, QApplication):
        raise TypeError("a window needs a QApplication")
    found.setApplicationName("samtta")
    found.setApplicationDisplayName("samtta")
    found.setDesktopFileName("samtta")
    return found


def show_splash(language: Language = "en") -> Splash:
    """Show name and mark in the platform's colours; `finish(window)` takes them away once the window is there."""
    qt = application(language)
    splash = QSplashScreen(_picture(qt.palette(), qt.devicePixelRatio()))
    splash.show()
    qt.processEvents()
    return splash


def _picture(palette: QPalette, ratio: float) -> QPixmap:
    picture = QPixmap(round(_WIDTH * ratio), round(HEIGHT * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(palette.color(QPalette.ColorRole.Window))
    painter = QPainter(picture)
    middle = (HEIGHT - _MARK) // 2
    icon = QIcon(str(resource("icons/samtta.svg")))
    painter.drawPixmap(QPoint(middle, middle), icon.pixmap(_MARK, _MARK))
    text: QColor = palette.color(QPalette.ColorRole.WindowText)
    painter.setPen(text)
    words = QRect(middle + _MARK + middle // 2, 0, _WIDTH, HEIGHT // 2 + 4)
    font = painter.font()
    painter.setFont(_heading(font))
    painter.drawText(words, Qt.AlignmentFlag.AlignBottom, "samtta")
    painter.setFont(font)
    painter.drawText(words.translated(0, HEIGHT // 2 + 4), Qt.AlignmentFlag.AlignTop, translated("Starting…"))
    painter.drawRect(0, 0, _WIDTH - 1, HEIGHT - 1)
    painter.end()
    return picture


def _heading(font: QFont) -> QFont:
    heading = QFont(font)
    heading.setPointSizeF(font.pointSizeF() * 1.6)
    heading.setBold(True)
    return heading
