"""The dock of reviews: how many need a look and why, the list, verdicts, agreement with another annotator, and history."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from samtta_app.core.names import displayable
from samtta_app.gui.controller import Controller
from samtta_app.gui.panels import figure_texts
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.low_area import LowArea
from samtta_app.gui.widgets.plain_text import plain_tip
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.review_acts import NextReview
from samtta_app.session.review_list import ClassAgreement, ObjectAct, ObjectDeed, ReviewItem, ReviewList, ReviewReason
from samtta_app.session.state import State

NEED_A_LOOK = "{number} of {total} objects need a look"
NONE_NEEDS = "No accepted mask needs a second look."
DIFFERENCES_LEFT = "{number} of {total} differences with {other} are open"
NO_DIFFERENCE_LEFT = "Every difference with {other} is settled."
WHY = "{sentence}: {reason}"
BEING_RATED = "Masks are being rated.\nReviews are hidden until the end."

REASON_WORDS: Mapping[ReviewReason, str] = {
    "outline": "the outline is unsure",
    "clicks": "more clicks may help",
    "candidate": "another outline may be meant",
    "larger": "the larger model may do better",
    "differs": "the outlines differ",
    "class": "the classes differ",
    "here": "only you have it",
    "there": "only the other annotator has it",
}
EXPECTED_FIT, BOTH_OVERLAP = "{reason}, {share} expected", "{reason}, {share} overlap"
BOTH_CLASSES = "{reason}: {here} here, {there} there"
ROW = "{reason} – {name}, {image}"

DEED_WORDS: Mapping[ObjectDeed, str] = {
    "accepted": "Accepted",
    "changed": "Changed",
    "reviewed": "Said to be right",
    "unreviewed": "No longer said to be right",
    "deleted": "Deleted",
    "returned": "Brought back",
    "class": "Another class",
    "note": "Another note",
}
DONE_BY, DONE_AT = "{what} by {name}, {time}", "{what}, {time}"

AGREED = "{matched} matched, mean IoU {share}, {here} only here, {there} only there, {relabelled} under another class"
KEEP_RIGHT, KEEP_MINE = "Right", "Mine"
"""What the button of the first verdict says for masks in doubt, and between two annotators."""

SHOWN_ITEMS, SHOWN_DEEDS = 500, 4
"""Rows of the list, and newest lines of an object's history below the first one."""


def review_sentence(review: ReviewList) -> Phrase:
    """How much is to be looked at, and why the current one is."""
    if review.other:
        if not review.waiting:
            return Phrase(NO_DIFFERENCE_LEFT, other=review.other)
        said = Phrase(DIFFERENCES_LEFT, number=review.waiting, total=review.total, other=review.other)
    elif not review.waiting:
        return Phrase(NONE_NEEDS)
    else:
        said = Phrase(NEED_A_LOOK, number=review.waiting, total=review.total)
    meant = review.chosen or (review.items[0] if review.items else None)
    return said if meant is None else Phrase(WHY, sentence=said, reason=reason_words(meant))


def reason_words(item: ReviewItem) -> Phrase:
    """Why an object is in the queue."""
    reason = Phrase(REASON_WORDS[item.reason])
    if item.reason == "class":
        return Phrase(BOTH_CLASSES, reason=reason, here=item.class_name, there=item.their_class)
    if math.isnan(item.value):
        return reason
    words = BOTH_OVERLAP if item.theirs is not None else EXPECTED_FIT
    return Phrase(words, reason=reason, share=figure_texts.percent_text(item.value))


def history_words(deeds: Sequence[ObjectAct]) -> Phrase:
    """Who did what to an object, oldest first; of a long history the first line and the newest ones."""
    lines = []
    for deed in (*deeds[:1], *deeds[1:][-SHOWN_DEEDS:]):
        words = DONE_BY if deed.annotator else DONE_AT
        named = {"what": Phrase(DEED_WORDS[deed.what]), "name": displayable(deed.annotator)}
        lines.append(Phrase(words, time=_time_words(deed.created), **named))
    return Phrase.joined("\n", lines)


class ReviewPanel(QWidget):
    """What the dock of reviews holds.

    Args:
        controller: told where to go, and of every verdict.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller, self._shown, self._other = controller, ReviewList(), ""
        self.sentence = theme.label(translated(NONE_NEEDS))
        self.agreement, self.history = theme.label(role="muted"), theme.label(role="muted")
        self._rows = QHBoxLayout(), QHBoxLayout()
        self._own, self._compared = list[QToolButton](), list[QToolButton]()
        self.list = QListWidget()
        self.list.setAccessibleName(translated("Objects to look at"))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._chosen)
        self.list.itemActivated.connect(self._chosen)
        for words in (self.sentence, self.history, self.agreement):
            words.setWordWrap(True)
            words.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        content = QWidget()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(LowArea(content))
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, theme.GRID)
        layout.setSpacing(theme.GRID // 2)
        layout.addWidget(self.sentence)
        for row in self._rows:
            row.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
            layout.addLayout(row)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.history)
        layout.addWidget(self.agreement)

    def show_actions(
        self, moves: Sequence[QAction], own: Sequence[QAction], compared: Sequence[QAction], about: Sequence[QAction]
    ) -> None:
        """Put the window's actions in as buttons: ways through the queue, verdicts, and those between two annotators.

        `about` stand beside the ways through the queue while two annotators are compared.
        """
        self._own = [self._button(action, 1) for action in own]
        self._compared = [self._button(action, 1) for action in compared]
        for action in moves:
            self._button(action, 0)
        self._compared += [self._button(action, 0) for action in about]
        for row in self._rows:
            row.addStretch()
        self._show_buttons(ReviewList())

    def show_state(self, state: State) -> None:
        """Show the queue, and the history of the selected object."""
        review, rated = state.review, state.rating is not None
        self.sentence.setText(translated(BEING_RATED if rated else review_sentence(review)))
        self.history.setText(translated(history_words(review.deeds)))
        self.history.setVisible(bool(self.history.text()))
        if review is not self._shown:
            self._show_items(review)
            self._show_buttons(review)
            self._show_agreement(review.agreement)
            self._shown = review
        came, self._other = review.other != self._other and bool(review.other), review.other
        dock = self.parentWidget()
        if came and isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()

    def _show_items(self, review: ReviewList) -> None:
        if review.items != self._shown.items:
            self.list.clear()
            rows = [_row_words(item) for item in review.items[:SHOWN_ITEMS]]
            self.list.addItems(rows)
            for k, words in enumerate(rows):
                self.list.item(k).setToolTip(plain_tip(words))
        self.list.setVisible(bool(review.items))
        self.list.setCurrentRow(-1 if review.current is None else review.current)

    def _show_buttons(self, review: ReviewList) -> None:
        for button in self._own:
            name = button.defaultAction().objectName()
            button.setVisible(not review.other or name != "reject_review")
            if name == "confirm_review":
                button.defaultAction().setIconText(translated(KEEP_MINE if review.other else KEEP_RIGHT))
        for button in self._compared:
            button.setVisible(bool(review.other))

    def _show_agreement(self, agreement: Sequence[ClassAgreement]) -> None:
        """The line over all classes; the table of a button has the others."""
        self.agreement.setVisible(bool(agreement))
        for one in agreement[:1]:
            share = figure_texts.percent_text(one.mean_iou)
            numbers = {"matched": one.matched, "here": one.here, "there": one.there, "relabelled": one.relabelled}
            self.agreement.setText(translated(AGREED, share=share, **numbers))

    def _button(self, action: QAction, row: int) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setProperty("role", "wide")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._rows[row].addWidget(button)
        return button

    def _chosen(self, *_: object) -> None:
        row, review = self.list.currentRow(), self._shown
        if row >= 0:
            self._controller.do(NextReview(row + 1 if review.current is None else row - review.current))


def _row_words(item: ReviewItem) -> str:
    name = item.class_name or item.their_class
    return translated(ROW, image=displayable(item.image), name=displayable(name), reason=reason_words(item))


def _time_words(moment: str) -> str:
    """A date and time of the project (ISO, UTC) as the clock here shows it; as it stands where it is none."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return moment
