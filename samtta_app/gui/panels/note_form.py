"""What an annotator says of the selected object: attributes, a comment, and whether it is an ignore region."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QWidget

from samtta_app.core.object_notes import LONGEST_NOTE, NO_NOTE, ObjectNote, attributes_of, attributes_text
from samtta_app.gui.controller import Controller
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session import acts
from samtta_app.session.state import State


def note_words(note: ObjectNote) -> str:
    """Whether it is an ignore region, attributes, and comment, one below the other."""
    ignored = translated("Ignore region") if note.ignore else ""
    return "\n".join(text for text in (ignored, attributes_text(note.attributes), note.comment) if text)


class NoteForm(QWidget):
    """Two lines and a switch for the selected object; they are hidden while none is selected.

    Args:
        controller: told of every note; a line is taken when Enter is pressed or the keyboard leaves it.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._subject: int | None = None
        self._note = NO_NOTE
        self.attributes, self.comment = QLineEdit(), QLineEdit()
        for line, name, tip in (
            (self.attributes, "Attributes", "Names and values: stage=late; blurred"),
            (self.comment, "Comment", "A comment on this object"),
        ):
            line.setPlaceholderText(translated(name))
            line.setAccessibleName(translated(name))
            line.setToolTip(translated(tip))
            line.setMaxLength(LONGEST_NOTE)
            line.editingFinished.connect(self._describe)
        self.ignore = QCheckBox(translated("Ignore"))
        self.ignore.setToolTip(
            translated("Ignore region: neither learned from nor counted; exports mark it where they can")
        )
        self.ignore.setAccessibleName(translated("Ignore region"))
        self.ignore.clicked.connect(self._switch)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID)
        layout.setSpacing(theme.GRID)
        for part in (self.attributes, self.comment, self.ignore):
            layout.addWidget(part)
        self.hide()

    def show_state(self, state: State) -> None:
        """Show the note of the selected object; what is being typed for it stays."""
        found = next((a for a in state.annotations if a.id == state.selected), None)
        there = found is not None and state.rating is None and state.preview is None
        note = found.note if found is not None else NO_NOTE
        subject = found.id if found is not None else None
        if (subject, note) != (self._subject, self._note):
            self._subject, self._note = subject, note
            self.attributes.setText(attributes_text(note.attributes))
            self.comment.setText(note.comment)
            self.ignore.setChecked(note.ignore)
        for part in (self.attributes, self.comment, self.ignore):
            part.setEnabled(not state.read_only)
        self.setVisible(there)

    def _describe(self) -> None:
        """Take both lines for the object that they were typed for."""
        note = replace(
            self._note, attributes=attributes_of(self.attributes.text()), comment=self.comment.text().strip()
        )
        if note != self._note and self._subject == self._controller.state.selected:
            self._controller.do(acts.DescribeObject(note))

    def _switch(self) -> None:
        self._controller.do(acts.DescribeObject(replace(self._note, ignore=not self._note.ignore)))
        self.ignore.setChecked(self._note.ignore)  # Qt has flipped it by itself; the state decides
