"""By which number objects or images are sorted and filtered."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QWidget

from samtta_app.gui.panels import figure_texts
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.sort_keys import NUMBERS, Number, need

_Index = QModelIndex | QPersistentModelIndex

NUMBER_WORDS: dict[Number, tuple[str, str, str]] = {
    "expected_iou": ("Confidence", "Confidence", "How well its mask is expected to fit: calibrated expected IoU"),
    "uncertainty": ("Doubt", "Doubt", "How undecided its pixels are: mean entropy inside the mask; 100 % is 1 bit"),
    "prompt": ("Gain", "Gain from more clicks", "What more clicks are expected to gain, in IoU (prompt gap)"),
    "task": ("Gain", "Gain from another mask", "What another candidate is expected to gain, in IoU (task gap)"),
    "model": ("Gain", "Gain from the larger model", "What the larger model is expected to gain, in IoU (model gap)"),
}
"""Column heading, name in the list, and tool tip of each number."""

SHARES: tuple[Number, ...] = ("expected_iou", "uncertainty")
"""The numbers that are shares of a hundred; the others are gains."""

NUMBER_ROLE = Qt.ItemDataRole.UserRole + 7
"""The item role of the number that is chosen; None where it is not known."""

ALL = -1
"""The limit's lowest value: nothing is filtered."""


def number_words(value: float | None, number: Number) -> str:
    """A number as it is shown: a share in percent, a gain in points."""
    return figure_texts.percent_text(value) if number in SHARES else figure_texts.gain(value)


class NumberBar(QWidget):
    """A list of numbers, and a limit.

    Signals:
        changed: another number or limit was chosen.

    Args:
        first: what stands for no number at all, "" where there must be one.
    """

    changed = Signal()

    def __init__(self, first: str = "") -> None:
        super().__init__()
        self.choice = QComboBox()
        self.choice.setAccessibleName(translated("Sort and filter by"))
        if first:
            self.choice.addItem(translated(first), None)
        for name in NUMBERS:
            self.choice.addItem(translated(NUMBER_WORDS[name][1]), name)
        self.limit = QSpinBox()
        self.limit.setAccessibleName(translated("Limit"))
        self.limit.setRange(ALL, 100)
        self.limit.setSingleStep(5)
        self.limit.setSuffix(" %")
        self.limit.setSpecialValueText(translated("all"))
        self.limit.setValue(ALL)
        self.limit.stepBy = self._step  # type: ignore[method-assign] # from "all" the first step leads to 0, not to 4
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GRID, 0, theme.GRID, theme.GRID // 2)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.choice, 1)
        layout.addWidget(self.limit)
        self.choice.currentIndexChanged.connect(self._choose)
        self.limit.valueChanged.connect(lambda _: self.changed.emit())
        self._choose()

    @property
    def number(self) -> Number | None:
        """The number that is chosen."""
        chosen: Number | None = self.choice.currentData()
        return chosen

    def passes(self, value: float | None) -> bool:
        """Whether something with this number is listed: nothing is known of it only where all is."""
        limit = self.limit.value() / 100
        if self.number is None or limit < 0:
            return True
        return value is not None and need(value, self.number) >= need(limit, self.number)

    def _choose(self) -> None:
        self.limit.setVisible(self.number is not None)
        below = self.number == "expected_iou"
        self.limit.setPrefix("≤ " if below else "≥ ")
        self.limit.setToolTip(
            translated("List only what is at most this; at the lowest value, all")
            if below
            else translated("List only what is at least this; at the lowest value, all")
        )
        self.changed.emit()

    def _step(self, steps: int) -> None:
        value = self.limit.value()
        moved = 0 if value < 0 < steps else value + steps * self.limit.singleStep()
        self.limit.setValue(max(moved, ALL))


class NumberFilter(QSortFilterProxyModel):
    """Lists what the bar lets pass; the source tells its number under NUMBER_ROLE."""

    def __init__(self, bar: NumberBar) -> None:
        super().__init__()
        self._bar = bar
        bar.changed.connect(self.refilter)

    def refilter(self) -> None:
        """Ask the bar again."""
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: _Index) -> bool:
        """Whether a row is listed."""
        source = self.sourceModel()
        return self._bar.passes(source.index(row, 0, parent).data(NUMBER_ROLE))
