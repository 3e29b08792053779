"""The keyboard belongs to the image: after every act in a panel it goes back there, so that keys act on the image again."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QWidget,
)

_ENDS = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape}


def give_back_keyboard(panel: QWidget, image: QWidget) -> None:
    """Make every control of `panel` return the keyboard to `image`.

    The mouse does not bring the keyboard to lists, buttons and sliders; Tab still does. From a text field the keyboard goes
    back with Enter and Esc, from a list of choices when one is chosen.
    """
    back = _Back(panel, image)
    for widget in (panel, *panel.findChildren(QWidget)):
        if isinstance(widget, (QLineEdit, QAbstractSpinBox)):
            widget.installEventFilter(back)
        elif isinstance(widget, QComboBox):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            widget.activated.connect(back.give)
            widget.installEventFilter(back)
        elif isinstance(widget, QHeaderView):
            continue
        elif isinstance(widget, QAbstractItemView) and not _belongs_to_choice(widget):
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            widget.activated.connect(back.give)
            widget.itemDelegate().closeEditor.connect(back.give)
            widget.installEventFilter(back)
        elif isinstance(widget, QAbstractButton) and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            widget.clicked.connect(back.give)
        elif isinstance(widget, QAbstractSlider) and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            widget.installEventFilter(back)


def _belongs_to_choice(view: QAbstractItemView) -> bool:
    """Whether it is the list that a QComboBox drops down."""
    parent = view.parentWidget()
    while parent is not None:
        if isinstance(parent, QComboBox):
            return True
        parent = parent.parentWidget()
    return False


class _Back(QObject):
    """Gives the keyboard back once the present event is handled."""

    def __init__(self, panel: QWidget, image: QWidget) -> None:
        super().__init__(panel)
        self._image = image

    def give(self, *_: object) -> None:
        """Give it back after the present event, since its handler may still move the focus."""
        QTimer.singleShot(0, self._image, self._give)

    def _give(self) -> None:
        if not self._image.window().isActiveWindow():  # a floating panel is a window of its own
            self._image.window().activateWindow()
        self._image.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter and Esc end the work in a field; the field still gets them."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() in _ENDS:
            self.give()
        return False
