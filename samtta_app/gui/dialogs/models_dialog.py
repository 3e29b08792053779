"""The page of models: what is here and what could be, with the acts on it; work goes on when the page is closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from samtta_app.checkpoints.model_files import ENDINGS, ModelRow, model_rows
from samtta_app.gui.dialogs.reading_dialogs import dialog_layout
from samtta_app.gui.model_work import (
    ModelTask,
    ModelWork,
    TaskStage,
    add_task,
    check_task,
    download_task,
    measure_task,
    remove_task,
)
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.plain_text import one_line, plain_tip
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.state import Message
from samtta_app.settings import Settings, model_folder

COLUMNS = ("Model", "Size", "Licence", "Speed here", "Where")

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

_STEPS = 1000
"""Steps of the progress bar."""


class ModelsDialog(QDialog):
    """The table of models, and what can be done with the selected one.

    Args:
        parent: the window.
        work: does the long work; it outlives the page.
        settings: name the model that is used, and the device to measure on.

    Signals:
        chosen(str): the user wants this model, by name or path.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget, work: ModelWork, settings: Settings) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("Models"))
        self._work, self._settings, self._used = work, settings, settings.model
        self._rows: tuple[ModelRow, ...] = ()
        self.table = self._make_table()
        self.about = theme.label(role="muted")
        self.about.setWordWrap(True)
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.about.setMinimumHeight(5 * theme.GRID)
        self.about.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.said = theme.label()
        self.said.setWordWrap(True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.buttons = self._make_buttons()
        self._lay_out()
        self.table.currentItemChanged.connect(self._show_selected)
        self.table.ensurePolished()  # rows that are laid out before the style is known have another height
        work.progressed.connect(self._show_stage)
        work.ended.connect(self._ended)
        self.refresh()
        if work.stage is not None:
            self._show_stage(work.stage)

    @property
    def selected(self) -> ModelRow | None:
        """The model of the selected row."""
        number = self.table.currentIndex().row()
        return self._rows[number] if 0 <= number < len(self._rows) else None

    @Slot()
    def refresh(self) -> None:
        """Look at the files again; the selection stays on its model."""
        before = self.selected.name if self.selected else self._used
        self._rows = model_rows()
        self.table.clear()
        self.table.addTopLevelItems([self._item(row) for row in self._rows])
        names = [row.name for row in self._rows]
        self.table.setCurrentIndex(self.table.model().index(names.index(before) if before in names else 0, 0))
        self._show_selected()

    def refuse(self, settings: Settings, why: str) -> None:
        """Say why a model cannot be used; that of the settings is."""
        self._used = settings.model
        theme.set_role(self.said, "bad")
        self.said.setText(translated(why))
        self.refresh()

    # --- making -------------------------------------------------------------------------------------------------------

    def _make_table(self) -> QTreeWidget:
        table = QTreeWidget()
        table.setAccessibleName(translated("Models"))
        table.setHeaderLabels([translated(heading) for heading in COLUMNS])
        table.setRootIsDecorated(False)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setIconSize(QSize(2 * theme.GRID, 2 * theme.GRID))
        table.headerItem().setTextAlignment(1, _RIGHT)
        table.headerItem().setToolTip(3, translated("Time to encode one window, once it was measured here"))
        header = table.header()
        header.setStretchLastSection(True)
        for column in range(len(COLUMNS) - 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        return table

    def _make_buttons(self) -> dict[str, QPushButton]:
        acts: tuple[tuple[str, str, str, Callable[[], object]], ...] = (
            ("download", "Download", "download-simple", self._download),
            ("add", "Add a file…", "folder-open", self._add),
            ("check", "Check", "shield-check", self._check),
            ("measure", "Measure speed", "timer", self._measure),
            ("remove", "Remove…", "trash", self._remove),
            ("use", "Use", "check", self._use),
            ("cancel", "Cancel", "x", self._cancel),
        )
        made: dict[str, QPushButton] = {}
        for name, text, picture, act in acts:
            button = made[name] = QPushButton(icons.icon(picture), translated(text))
            button.setAutoDefault(False)
            button.clicked.connect(lambda checked=False, act=act: act())
        made["use"].setToolTip(translated("Answer with this model from now on"))
        made["check"].setToolTip(translated("Compare its hash (sha256) with the known one"))
        return made

    def _lay_out(self) -> None:
        acts, end = QHBoxLayout(), QHBoxLayout()
        for line in (acts, end):
            line.setSpacing(theme.GRID)
        for name in ("download", "add", "check", "measure", "remove"):
            acts.addWidget(self.buttons[name])
        acts.addStretch(1)
        acts.addWidget(self.buttons["use"])
        folder = theme.label(translated("Model folder: {model_folder}", model_folder=model_folder()), role="muted")
        folder.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QPushButton(translated("Close"))
        close.setAutoDefault(False)
        close.clicked.connect(self.close)
        end.addWidget(folder, 1)
        end.addWidget(self.buttons["cancel"])
        end.addWidget(close)
        layout = dialog_layout(self)
        for part in (self.table, self.about):
            layout.addWidget(part)
        layout.addLayout(acts)
        layout.addWidget(self.bar)
        layout.addWidget(self.said)
        layout.addLayout(end)
        self.resize(QSize(112 * theme.GRID, 80 * theme.GRID))

    def _item(self, row: ModelRow) -> QTreeWidgetItem:
        speed = row.speed.words if row.speed else translated("not measured") if row.present else ""
        where = translated("in the model folder" if row.place == "here" else row.where)
        cells = (one_line(row.title), translated(row.size_text), row.licence or translated("not known"), speed, where)
        item = QTreeWidgetItem(list(cells))
        item.setTextAlignment(1, _RIGHT)
        item.setToolTip(4, plain_tip(str(row.path)))
        used = row.name == self._used
        item.setIcon(0, icons.icon("check" if used else "circle", tint="accent" if used else "line"))
        if used:
            item.setToolTip(0, translated("This model is used"))
        if not row.present:
            for column in range(len(COLUMNS)):
                item.setForeground(column, self.palette().placeholderText())
        return item

    # --- showing ------------------------------------------------------------------------------------------------------

    @Slot()
    def _show_selected(self) -> None:
        row, free = self.selected, not self._work.busy
        known = row.known if row else None
        here = row is not None and row.present
        downloadable = known is not None and known.downloadable and not here
        self.about.setText(translated(_about(row)) if row else "")
        self.buttons["download"].setText(
            translated("Go on downloading") if row and row.place == "partial" else translated("Download")
        )
        allowed = {
            "download": downloadable,
            "add": True,
            "check": here,
            "measure": here,
            "remove": row is not None and row.place in ("here", "partial"),
        }
        for name, can in allowed.items():
            self.buttons[name].setEnabled(can and free)
        self.buttons["use"].setEnabled(row is not None and here and row.name != self._used)
        self.buttons["cancel"].setVisible(not free)
        self.buttons["cancel"].setEnabled(not free and not self._work.stopping)
        self.bar.setVisible(not free)

    @Slot(object)
    def _show_stage(self, stage: TaskStage) -> None:
        self.bar.setValue(round(_STEPS * stage.share))
        theme.set_role(self.said, "muted")
        self.said.setText(translated(stage.words))
        self._show_selected()

    @Slot(object)
    def _ended(self, message: Message) -> None:
        roles = {"good": "good", "error": "bad", "warning": "warn"}
        theme.set_role(self.said, roles.get(message.severity, "text"))
        self.said.setText(translated(message.text))
        self.refresh()

    # --- acts ---------------------------------------------------------------------------------------------------------

    def _begin(self, make: Callable[[ModelRow], ModelTask]) -> None:
        if self.selected is not None:
            self._work.start(make(self.selected))

    def _download(self) -> None:
        self._begin(download_task)

    def _check(self) -> None:
        self._begin(check_task)

    def _measure(self) -> None:
        self._begin(lambda row: measure_task(row, self._settings.device))

    def _cancel(self) -> None:
        """Give the work up; a server that is silent may hold its end up for some seconds."""
        self._work.cancel()
        self.buttons["cancel"].setEnabled(False)
        self.said.setText(translated("Stopping…"))

    def _add(self) -> None:
        files = translated("Weights ({names})", names=" ".join(f"*{ending}" for ending in ENDINGS))
        chosen = QFileDialog.getOpenFileName(self, translated("Add a weights file from disk"), "", files)[0]
        if chosen:
            self._work.start(add_task(Path(chosen)))

    def _remove(self) -> None:
        """Ask first: it cannot be undone. The question holds up this page alone."""
        row = self.selected
        if row is None:
            return
        asked = QMessageBox(
            QMessageBox.Icon.NoIcon,
            translated("Remove"),
            translated("Delete {name} from the disk?", name=row.to_remove),
        )
        asked.setParent(self, asked.windowFlags())
        asked.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        asked.setInformativeText(str(row.path))
        asked.setTextFormat(Qt.TextFormat.PlainText)
        asked.addButton(translated("Delete"), QMessageBox.ButtonRole.AcceptRole)
        asked.setDefaultButton(asked.addButton(translated("Keep"), QMessageBox.ButtonRole.RejectRole))
        asked.accepted.connect(lambda: self._work.start(remove_task(row)))
        asked.open()

    def _use(self) -> None:
        row = self.selected
        if row is not None:
            self._used = row.name
            self.chosen.emit(row.name)
            theme.set_role(self.said, "good")
            self.said.setText(translated("{title} answers as soon as it is loaded", title=row.title))
            self.refresh()


def _about(row: ModelRow) -> str:
    """What is known about a model, in two lines at most."""
    if row.known is None:
        return Phrase("A file that samtta does not know, so there is no hash to compare it with: {path}", path=row.path)
    if row.known.shipped:
        return Phrase("{family}. It comes with samtta; its card is in resources/models.", family=row.known.family)
    if row.known.downloadable:
        return Phrase(
            "{family}. sha256 {hash}…, confirmed by {sources} independent sources. From {url}",
            family=row.known.family,
            hash=row.known.sha256[:16],
            sources=len(row.known.sources),
            url=row.known.urls[0],
        )
    return Phrase(
        "{family}. Its hash has one source only, so it is never downloaded. "
        "Get {url} by other means, and add the file.",
        family=row.known.family,
        url=row.known.urls[0],
    )
