"""The report of an unexpected exception, to be read and copied."""

from __future__ import annotations

import platform
import traceback
from pathlib import Path

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated

_TITLE = "Something went wrong"
SAVED = "What you accepted is stored, and so are the steps of the object that you are at. The window goes on."
NOT_SAVED = "What you accepted is stored. The steps of the object that you are at could not be stored: {reason}"
COPY, COPIED = "Copy report", "Copied"
PACKAGES = ("samtta", "PySide6-Essentials", "torch", "numpy")
"""Whose versions tell what ran."""

_REPORT = """{packages}
Python {python}, Qt {qt}, {system}
Log: {log}

{trace}"""


class CrashReport(QDialog):
    """Says what was saved, and shows the report; the window behind it goes on.

    Args:
        parent: the window.
        report: the text, as `crash_report` makes it.
        saved: what was stored, in a sentence.
    """

    def __init__(self, parent: QWidget, report: str, saved: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated(_TITLE))
        said = theme.label(translated(saved))
        said.setWordWrap(True)
        self.text = QPlainTextEdit(report)
        self.text.setReadOnly(True)
        self.text.setAccessibleName(translated("Report"))
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy = buttons.addButton(translated(COPY), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*(2 * theme.GRID,) * 4)
        layout.setSpacing(theme.GRID)
        layout.addWidget(said)
        layout.addWidget(self.text, 1)
        layout.addWidget(buttons)
        self.resize(88 * theme.GRID, 52 * theme.GRID)
        self.copy.setFocus(Qt.FocusReason.OtherFocusReason)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.copy.setText(translated(COPIED))


def crash_report(error: BaseException, log: Path) -> str:
    """What ran, on what, and where it failed; nothing of images or masks."""
    return _REPORT.format(
        packages=", ".join(map(_version, PACKAGES)),
        python=platform.python_version(),
        qt=qVersion(),
        system=platform.platform(),
        log=log,
        trace="".join(traceback.format_exception(error)),
    )


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # the window's first paint does without it

    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
