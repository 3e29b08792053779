"""The dialog that says which of a folder's files are images, and which page, frame and channel of them is shown."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QFormLayout, QSpinBox, QWidget

from samtta_app.core.planes import AXIS_TITLES, PlaneChoice, ReadingChoice
from samtta_app.errors import UserError
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.reading_dialogs import dialog_layout
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.project.listing import passed_over

PAGE = "Page"
ALL_CHANNELS = "Together"
ONE_PLANE = "This image has one plane."
_KEPT = "The choice is kept for all images of the project. A file with fewer pages shows its last one."


class PlanesDialog(QDialog):
    """Asks for a place on each axis of the open image, a channel, and whether subfolders are looked into.

    Args:
        parent: the window.
        controller: stores the choice and shows the image again.

    Signals:
        failed(UserError): nothing was stored, and the dialog is still open.
    """

    failed = Signal(object)

    def __init__(self, parent: QWidget, controller: Controller) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("Pages and subfolders"))
        self._controller = controller
        store, image = controller.store, controller.state.image
        self._before = store.reading
        planes = self._before.planes
        self.places: dict[str, QSpinBox] = {}
        form = QFormLayout()
        for axis, size in image.axes if image else ():
            self.places[axis] = place = QSpinBox()
            place.setRange(1, size)
            place.setValue(planes.position(axis, size) + 1)
            place.setSuffix(f" / {size}")
            form.addRow(translated(AXIS_TITLES.get(axis, PAGE)), place)
        self.channel = QComboBox()
        self.channel.addItem(translated(ALL_CHANNELS))
        channels = image.raw.shape[2] if image is not None and image.raw.ndim == 3 else 0
        self.channel.addItems([str(number) for number in range(1, channels + 1)])
        self.channel.setCurrentIndex(0 if planes.channel is None else min(planes.channel + 1, channels))
        self.subfolders = QCheckBox(translated("Images of subfolders, too"))
        self.subfolders.setChecked(self._before.subfolders)
        form.addRow(translated("Channel"), self.channel)
        form.addRow("", self.subfolders)
        self.passed = theme.label(
            translated(passed_over(store.folder, subfolders=self._before.subfolders)), role="muted"
        )
        self.note = theme.label(translated(_KEPT) if self.places or channels else translated(ONE_PLANE), role="muted")
        for words in (self.passed, self.note):
            words.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._choose)
        buttons.rejected.connect(self.close)
        layout = dialog_layout(self)
        layout.addLayout(form)
        for words in (self.note, self.passed):
            layout.addWidget(words)
        layout.addWidget(buttons)

    @property
    def choice(self) -> ReadingChoice:
        """What is chosen; axes that the open image does not have stay as they were."""
        positions = dict(self._before.planes.positions)
        positions |= {axis: place.value() - 1 for axis, place in self.places.items()}
        channel = self.channel.currentIndex() - 1 if self.channel.currentIndex() else None
        if self.channel.count() == 1:  # the open image has no channels to choose from
            channel = self._before.planes.channel
        planes = PlaneChoice(tuple(sorted(positions.items())), channel)
        return replace(self._before, planes=planes, subfolders=self.subfolders.isChecked())

    @Slot()
    def _choose(self) -> None:
        try:
            if self.choice != self._before:
                self._controller.choose_reading(self.choice)
        except UserError as error:
            self.failed.emit(error)
        else:
            self.close()
