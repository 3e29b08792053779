"""The adaptation panel: one sentence, the curve, and the details behind a disclosure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from samtta_app.gui.controller import Controller
from samtta_app.gui.panels import figure_texts
from samtta_app.gui.panels.control_table import ControlTable
from samtta_app.gui.panels.curve import ClickCurve
from samtta_app.gui.panels.rating_table import RatingTable
from samtta_app.gui.panels.reliability import ReliabilityDiagram
from samtta_app.gui.panels.shape_plots import ShapePlots
from samtta_app.gui.panels.version_list import VersionList
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.state import Adaptation, State, Statistics
from samtta_app.session.statistics.figure_notes import ATTEMPTS_NOTE, TWINS_NOTE

ACTIVITY: dict[str, str] = {
    "idle": "Waiting for the next accepted object",
    "remembering": "Looking again at the objects accepted before",
    "learning": "Learning",
    "comparing": "Comparing with the original",
    "paused": "Paused",
}
"""What the learner does, in words, while it is not off."""

FACTS: tuple[tuple[str, str, str], ...] = (
    ("strategy", "Way of learning", "Strategy of adaptation"),
    ("version", "Version", "How often learning changed the model (weights version)"),
    ("activity", "Now", "What the learner does"),
    ("loss", "Last lesson", "Training loss of the last lesson, at its first and last step"),
    ("update", "Last change", "Last update of the weights"),
    ("guard", "Fit on new objects", "The guard's mean IoU on objects that were not learned from yet"),
    ("memory", "Objects remembered", "Objects in the replay memory"),
    ("time", "Time per object", "Working time without long pauses"),
)
"""The rows of the details: name, heading, and tool tip."""

SIDES: tuple[tuple[str, str, str], ...] = (
    ("adapted", "With learning", TWINS_NOTE),
    ("frozen", "Without", TWINS_NOTE),
    ("user", "You", "Your own clicks, until the shown mask fitted the accepted one"),
)
"""The columns of the table of figures: field of the figures, heading, tool tip."""


GUARD_ONE = "{new} new, {before} before, {original} original (on the last accepted object, before it was learned)"
GUARD_MANY = (
    "{new} new, {before} before, {original} original "
    "(on the last {number} accepted objects, each before it was learned)"
)

VERSIONS_NOTE = "Versions: what became of each lesson, newest first"

_HINT = (
    "Accept objects: each one is answered again from its first click, with learning and by the original model, "
    "and compared."
)


def doing(adaptation: Adaptation) -> str:
    """What the learner does, in words."""
    if adaptation.activity != "off":
        return ACTIVITY[adaptation.activity]
    if not adaptation.version:
        return "Off: the original model answers"
    return Phrase("Off: version {version} answers, and nothing is learned", version=adaptation.version)


def facts(adaptation: Adaptation, statistics: Statistics) -> dict[str, str]:
    """The details in words, by the names in FACTS."""
    report = adaptation.last
    found = {
        "strategy": adaptation.strategy,
        "version": f"{adaptation.version}" if adaptation.version else "0 (original)",
        "activity": doing(adaptation),
        "loss": figure_texts.NONE,
        "update": "None yet",
        "guard": figure_texts.NONE,
        "memory": str(adaptation.memory_objects),
        "time": figure_texts.seconds(statistics.seconds_per_object),
    }
    if report is not None:
        found["update"] = report.reason
        if report.losses:
            found["loss"] = Phrase(
                "error {first} → {last}",
                first=figure_texts.number_text(report.losses[0], 3),
                last=figure_texts.number_text(report.losses[-1], 3),
            )
        if report.guard_objects:
            found["guard"] = Phrase(
                GUARD_ONE if report.guard_objects == 1 else GUARD_MANY,
                new=figure_texts.percent_text(report.guard_candidate, 1),
                before=figure_texts.percent_text(report.guard_published, 1),
                original=figure_texts.percent_text(report.guard_frozen, 1),
                number=report.guard_objects,
            )
    return found


class Disclosure(QWidget):
    """A heading that opens and closes what is below it.

    Args:
        text: the heading.
        body: what it shows; hidden at first.
    """

    def __init__(self, text: str, body: QWidget) -> None:
        super().__init__()
        self.button = QToolButton()
        self.button.setText(text)
        self.button.setProperty("role", "disclosure")
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setArrowType(Qt.ArrowType.RightArrow)
        self.button.toggled.connect(self._toggle)
        self.body = body
        self.body.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.button)
        layout.addWidget(body)

    def _toggle(self, opened: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self.body.setVisible(opened)


class AdaptationPanel(QWidget):
    """What the decoder learns, and whether it helps.

    Args:
        controller: reads the masks for their histograms; the buttons are the window's own actions (see `show_actions`).
        strategies: what each strategy does, in words, by name.
    """

    def __init__(self, controller: Controller, strategies: Mapping[str, str]) -> None:
        super().__init__()
        self._controller, self._strategies = controller, strategies
        self.sentence = theme.label(role="title")
        self.sentence.setWordWrap(True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.strategy = theme.label(role="muted")
        self.strategy.setWordWrap(True)
        self.empty = theme.label(translated(_HINT), role="muted")
        self.empty.setWordWrap(True)
        self.curve = ClickCurve()
        self.curve.setToolTip(translated(TWINS_NOTE))
        self.facts: dict[str, QLabel] = {}
        self.cells: dict[tuple[str, str], QLabel] = {}
        self.attempts: dict[tuple[str, str], QLabel] = {}
        self.controls, self.versions = ControlTable(), VersionList(controller)
        self.reliability, self.ratings, self.shapes = ReliabilityDiagram(), RatingTable(), ShapePlots(controller)
        self.details = Disclosure(translated("Details"), self._details())
        self._foot = QWidget()
        self._buttons = QHBoxLayout(self._foot)
        self._buttons.setContentsMargins(theme.GRID // 2, theme.GRID // 2, theme.GRID, theme.GRID)
        self._buttons.setSpacing(theme.GRID // 2)
        inner = QWidget()
        parts = QVBoxLayout(inner)
        parts.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        parts.setSpacing(theme.GRID)
        for part in (self.empty, self.curve, self.strategy, self.details):
            parts.addWidget(part)
        parts.addStretch()
        self._area = QScrollArea()
        self._area.setWidget(inner)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.sentence.setContentsMargins(theme.GRID, 0, theme.GRID, theme.GRID)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        layout.addWidget(self.sentence)
        layout.addWidget(self._area, 1)
        layout.addWidget(self._foot)
        self.setMinimumHeight(5 * theme.GRID)

    @property
    def folded(self) -> bool:
        """Whether the sentence stands alone."""
        return self._area.isHidden()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the whole curve below the sentence, or the sentence alone."""
        self._share_out()
        super().resizeEvent(event)

    def _share_out(self) -> None:
        """Give the curve, or the hint in its place, what the sentence and the buttons leave."""
        width = self.width() - 2 * theme.GRID
        least = self.empty.heightForWidth(width) if self.curve.isHidden() else self.curve.least_height(width)
        room = self.height() - self.sentence.heightForWidth(self.width()) - self._foot.sizeHint().height()
        for part in (self._area, self._foot):
            part.setVisible(room >= least)
        self.curve.fit(width, room)

    def show_actions(self, actions: Sequence[QAction]) -> None:
        """Put the window's actions (pause, roll back, reset) below everything else as buttons."""
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setProperty("role", "wide")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._buttons.addWidget(button)
        self._buttons.addStretch()

    def show_state(self, state: State) -> None:
        """Show the sentence, the strategy, the curve, and the details."""
        statistics = state.statistics
        off, compared = state.adaptation.activity == "off", any(p.frozen is not None for p in statistics.stream)
        self.sentence.setText(translated(statistics.sentence if compared or not off else doing(state.adaptation)))
        self.strategy.setText(self._standing(state.adaptation))
        self.strategy.setVisible(compared or not off)
        self.curve.show_stream(statistics.stream)
        self.curve.setVisible(compared)
        self.empty.setVisible(not compared and not off)
        self._share_out()
        for name, text in facts(state.adaptation, statistics).items():
            self.facts[name].setText(translated(text))
        report = state.adaptation.last
        theme.set_role(self.facts["update"], "text" if report is None else "good" if report.kept else "warn")
        for cells, of in ((self.cells, statistics), (self.attempts, statistics.attempts)):
            for side, _, _ in SIDES:
                values = getattr(of, side)
                for name, _, _ in figure_texts.FIGURE_ROWS:
                    cells[name, side].setText(figure_texts.figure(name, getattr(values, name)))
                cells["objects", side].setText(str(values.objects))
        self.versions.show_adaptation(state.adaptation)
        self.controls.show_figures(statistics.controls)
        self.ratings.show_statistics(statistics)
        self.shapes.show_statistics(statistics)
        self.reliability.show_statistics(statistics)

    def _standing(self, adaptation: Adaptation) -> str:
        """The strategy and what it is doing; where nothing is learned, only that."""
        if adaptation.activity == "off":
            return translated(doing(adaptation))
        name = adaptation.strategy
        words = translated(self._strategies.get(name.partition(":")[0], ""))
        return f"{name}: {words}.\n{translated(doing(adaptation))}"

    def _details(self) -> QWidget:
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * theme.GRID)
        layout.addLayout(self._facts())
        layout.addWidget(_note(VERSIONS_NOTE))
        layout.addWidget(self.versions)
        accepted = ("objects", "Objects compared", "Accepted objects; RITM's clicker replayed them both ways")
        layout.addWidget(_note(TWINS_NOTE))
        layout.addLayout(_figures(self.cells, accepted))
        every = ("objects", "All attempts", ATTEMPTS_NOTE)
        layout.addWidget(_note("All attempts: an object that was given up counts as failed.", ATTEMPTS_NOTE))
        layout.addLayout(_figures(self.attempts, every))
        layout.addWidget(self.controls)
        layout.addWidget(self.ratings)
        layout.addWidget(self.reliability)
        layout.addWidget(Disclosure(translated("Forms of the masks"), self.shapes))
        return body

    def _facts(self) -> QGridLayout:
        grid = _grid()
        for row, (name, heading, tip) in enumerate(FACTS):
            value = theme.label(role="figure")
            value.setToolTip(translated(tip))
            value.setWordWrap(True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.facts[name] = value
            top = Qt.AlignmentFlag.AlignTop
            title = theme.label(translated(heading), role="muted")
            title.setToolTip(translated(tip))
            grid.addWidget(title, row, 0, top)
            grid.addWidget(value, row, 1, top)
        grid.setColumnStretch(1, 1)
        return grid


def _note(text: str, tip: str = "") -> QLabel:
    label = theme.label(translated(text), role="muted")
    label.setWordWrap(True)
    label.setToolTip(translated(tip))
    return label


def _figures(cells: dict[tuple[str, str], QLabel], last: tuple[str, str, str]) -> QGridLayout:
    """A table of figures, whose `cells` are entered by row and side; `last` is its last row."""
    grid = _grid()
    right = Qt.AlignmentFlag.AlignRight
    for column, (_, heading, tip) in enumerate(SIDES, start=1):
        title = theme.label(translated(heading), role="muted")
        title.setToolTip(translated(tip))
        grid.addWidget(title, 0, column, right)
    for row, (name, heading, tip) in enumerate((*figure_texts.FIGURE_ROWS, last), start=1):
        title = theme.label(translated(heading), role="muted")
        title.setToolTip(translated(tip))
        grid.addWidget(title, row, 0)
        for column, (side, _, note) in enumerate(SIDES, start=1):
            cell = theme.label(figure_texts.NONE, role="figure")
            cell.setToolTip(f"{translated(tip)}. {translated(note)}")
            cells[name, side] = cell
            grid.addWidget(cell, row, column, right)
    grid.setColumnStretch(0, 1)
    return grid


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(2 * theme.GRID)
    grid.setVerticalSpacing(theme.GRID // 2)
    return grid
