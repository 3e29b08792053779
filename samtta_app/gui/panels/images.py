"""The image list: search, filter, sorting, and names with status dots, small pictures and object counts."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, Qt
from PySide6.QtWidgets import QFrame, QListView, QVBoxLayout, QWidget

from samtta_app.gui.controller import Controller
from samtta_app.gui.panels.image_filter import FilterBar
from samtta_app.gui.panels.image_rows import OBJECTS_ROLE, ImageDelegate, ImageModel
from samtta_app.gui.panels.number_bar import NumberBar
from samtta_app.gui.panels.thumbnail_list import ThumbnailList
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session import acts
from samtta_app.session.state import ImageEntry, State

__all__ = ["OBJECTS_ROLE", "ImageModel", "ImagesPanel"]

SUMMARY, EMPTY, NUMBER_LISTED = "{done} of {number} annotated", "{empty} with nothing", "{listed} listed"
SEPARATOR = " · "


class ImagesPanel(QWidget):
    """The list of images.

    Args:
        controller: told which image to open.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._row = -1
        self._counted: tuple[tuple[ImageEntry, ...], int, int] = ((), 0, 0)
        self._shown: State | None = None
        self.model = ImageModel()
        self.view = QListView()
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setUniformItemSizes(True)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.filter = FilterBar(controller.images_where)
        self.filter.changed.connect(self._list)
        self.filter.search.returnPressed.connect(self._open_first)
        self.bar = NumberBar("By name")
        self.bar.changed.connect(self._list)
        self.view.setModel(self.model)
        self.thumbnails = ThumbnailList(controller, self)
        self.thumbnails.come.connect(self.view.viewport().update)
        self.view.setItemDelegate(ImageDelegate(self.thumbnails, self.view))
        self.view.setAccessibleName(translated("Images"))
        self.view.selectionModel().currentChanged.connect(self._choose)
        self.summary = theme.label(role="muted")
        self.summary.setContentsMargins(theme.GRID, 0, theme.GRID, theme.GRID // 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (self.summary, self.filter, self.bar, self.view):
            layout.addWidget(part)

    def show_state(self, state: State) -> None:
        """Show the images, which one is open, and how many are done."""
        before, self._shown, self._row = self._shown, state, state.index
        self.filter.show_classes(state.classes)
        named = self.filter.chosen.names is not None
        if (
            named
            and before is not None
            and (before.annotations, before.statistics) != (state.annotations, state.statistics)
        ):
            self._list()
        self.model.show_entries(state.images, state.statistics.confidence, state.index)
        done = self._count(state.images)
        self._mark()
        self.bar.setVisible(done > 0)  # last: where it had the focus, the list takes it, and looks for a current row

    def _count(self, images: tuple[ImageEntry, ...]) -> int:
        """Count what is done, once for each list of images, and say it."""
        if self._counted[0] is not images:
            statuses = [entry.status for entry in images]
            self._counted = images, statuses.count("annotated"), statuses.count("empty")
        _, done, empty = self._counted
        said = [translated(SUMMARY, done=done, number=len(images))]
        said += [translated(EMPTY, empty=empty)] if empty else []
        said += (
            [translated(NUMBER_LISTED, listed=self.model.rowCount())] if self.model.rowCount() != len(images) else []
        )
        self.summary.setText(SEPARATOR.join(said))
        return done

    def _mark(self) -> None:
        """Make the open image the current row, where it is listed."""
        index = self.model.index(self.model.row_of(self._row))
        if self.view.currentIndex() != index:
            self.view.setCurrentIndex(index)

    def _list(self) -> None:
        """List by another filter or number; the open image stays current."""
        row, self._row = self._row, -1  # what becomes of the current row opens no image
        self.model.choose(self.bar.number, self.bar.passes, self.filter.chosen, row)
        self._row = row
        self._mark()
        if self._shown is not None:
            self._count(self._shown.images)

    def _open_first(self) -> None:
        """Open the first image that was found."""
        place = self.model.place(0)
        if place >= 0 and place != self._row:
            self._controller.do(acts.OpenImage(place))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self.model.tint()
        super().changeEvent(event)

    def _choose(self, now: QModelIndex, before: QModelIndex) -> None:
        place = self.model.place(now.row())
        if now.isValid() and self._row not in (-1, place):
            self._controller.do(acts.OpenImage(place))
