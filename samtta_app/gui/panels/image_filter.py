"""Which images the list shows: by words of their names, by their state, or by a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.state import ImageEntry, LabelClass

ListedKind = Literal["all", "todo", "done", "empty", "unreadable", "look"]

KIND_WORDS: dict[ListedKind, str] = {
    "all": "All images",
    "todo": "To do",
    "done": "Done",
    "empty": "Nothing here",
    "unreadable": "Cannot be read",
    "look": "Needs a look",
}
"""What the list of choices says."""

SEARCH, SHOWN = "Search", "Images that are listed"

_STATUSES: dict[ListedKind, tuple[str, ...]] = {
    "todo": ("todo", "encoded"),
    "done": ("annotated", "empty"),
    "empty": ("empty",),
    "unreadable": ("unreadable",),
}


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """What is listed: names with all `words`, of a `kind`, and of these `names` alone where they are given."""

    words: tuple[str, ...] = ()
    kind: ListedKind = "all"
    names: frozenset[str] | None = None

    @property
    def plain(self) -> bool:
        """Whether every image passes."""
        return self == EVERY_IMAGE

    def passes(self, entry: ImageEntry) -> bool:
        """Whether an image is listed."""
        statuses = _STATUSES.get(self.kind)
        if statuses is not None and entry.status not in statuses:
            return False
        if self.names is not None and entry.name not in self.names:
            return False
        name = entry.name.casefold() if self.words else ""
        return all(word in name for word in self.words)


EVERY_IMAGE = ImageFilter()


class FilterBar(QWidget):
    """A field to search names, and a choice of images.

    Signals:
        changed: something else was chosen.

    Args:
        names_of: gives the names of the images that need a look ("look"), or that have objects of a class (its number).
    """

    changed = Signal()

    def __init__(self, names_of: Callable[[Literal["look"] | int], frozenset[str]]) -> None:
        super().__init__()
        self._names_of = names_of
        self._classes: tuple[LabelClass, ...] = ()
        self.search = QLineEdit()
        self.search.setPlaceholderText(translated(SEARCH))
        self.search.setAccessibleName(translated(SEARCH))
        self.search.setClearButtonEnabled(True)
        self.choice = QComboBox()
        self.choice.setAccessibleName(translated(SHOWN))
        for kind, words in KIND_WORDS.items():
            self.choice.addItem(translated(words), kind)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GRID, 0, theme.GRID, theme.GRID // 2)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.search, 1)
        layout.addWidget(self.choice)
        self.search.textChanged.connect(lambda _: self.changed.emit())
        self.choice.currentIndexChanged.connect(lambda _: self.changed.emit())

    @property
    def chosen(self) -> ImageFilter:
        """What is listed; names are asked for each time, since objects come and go."""
        kind = self.choice.currentData()
        words = tuple(self.search.text().casefold().split())
        if isinstance(kind, int) or kind == "look":
            return ImageFilter(words, "all", self._names_of(kind))
        return ImageFilter(words, kind)

    def show_classes(self, classes: tuple[LabelClass, ...]) -> None:
        """Offer the classes; the chosen one stays chosen while it is there."""
        if classes == self._classes:
            return
        self._classes, chosen = classes, self.choice.currentData()
        blocked = self.choice.blockSignals(True)
        while self.choice.count() > len(KIND_WORDS):
            self.choice.removeItem(len(KIND_WORDS))
        for entry in classes:
            self.choice.addItem(icons.swatch(theme.class_colour(entry.colour)), entry.name, entry.id)
        self.choice.setCurrentIndex(max(self.choice.findData(chosen), 0))
        self.choice.blockSignals(blocked)
        if self.choice.currentData() != chosen:
            self.changed.emit()
