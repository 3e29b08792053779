"""The user's guide in a window: a list of pages on the left, a page on the right, and a search over all of them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QKeySequence,
    QShortcut,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextTable,
    QTextTableFormat,
)
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.settings import resource

_SIZE = QSize(120 * theme.GRID, 84 * theme.GRID)
"""First size of the window: a line of the page holds about 90 characters, which reads well."""

_LIST_WIDTH = 26 * theme.GRID
"""Width of the list in pixels: the longest title fits."""


def help_pages() -> tuple[Path, ...]:
    """The Markdown files of the guide, in the order of their names."""
    return tuple(sorted(resource("help").glob("*.md")))


def licence_page() -> Path:
    """The page about licences: a bundle has one of all that it holds."""
    of_bundle = resource("help/12-licences.md")
    return of_bundle if of_bundle.is_file() else resource("help/12-about.md")


def page_title(page: Path) -> str:
    """The first heading of a page; the file's name where it has none."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), page.stem)


class HelpPage(QTextBrowser):
    """Shows one page; links to other pages are followed, links to the world open elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.setOpenExternalLinks(True)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.document().setDocumentMargin(2 * theme.GRID)
        self.setAccessibleName(translated("Help page"))

    def open_page(self, page: Path) -> None:
        """Show a page from its top."""
        self.setSource(QUrl.fromLocalFile(str(page)), QTextDocument.ResourceType.MarkdownResource)

    def doSetSource(
        self, name: QUrl | str, kind: QTextDocument.ResourceType = QTextDocument.ResourceType.UnknownResource
    ) -> None:
        """Read a page and style it; links, going back and reloading also call this."""
        super().doSetSource(name, kind)
        file = Path(self.source().toLocalFile())
        if file.suffix == ".txt":  # which Qt would read as HTML, without its lines
            self.setPlainText(file.read_text(encoding="utf-8"))
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        self._dress_headings()
        for frame in self.document().rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                look = frame.format()
                look.setBorderStyle(QTextTableFormat.BorderStyle.BorderStyle_Solid)
                look.setBorderBrush(QColor(theme.current().line))
                look.setTopMargin(theme.GRID)
                look.setBottomMargin(theme.GRID)
                frame.setFormat(look)
        cursor.endEditBlock()

    def _dress_headings(self) -> None:
        """Give headings room above: Qt sets them close to the text before."""
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() > 1:
                look = QTextBlockFormat()
                look.setTopMargin(2 * theme.GRID)
                QTextCursor(block).mergeBlockFormat(look)
            block = block.next()

    def from_the_top(self) -> None:
        """Search from the first word on."""
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme: colours of links are baked into a page when it is read."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and not self.source().isEmpty():
            self.reload()


class HelpWindow(QDialog):
    """The guide in its own window, which does not block the main window.

    Args:
        parent: the window.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("Help"))
        self._pages = help_pages()
        self._texts = [page.read_text(encoding="utf-8").casefold() for page in self._pages]
        self.list = QListWidget(self)
        self.list.ensurePolished()  # otherwise rows are as low as without a style sheet
        self.list.setFixedWidth(_LIST_WIDTH)
        self.list.setAccessibleName(translated("Help pages"))
        for page in self._pages:
            self.list.addItem(QListWidgetItem(page_title(page)))
        self.page = HelpPage()
        self.field = QLineEdit()
        self.field.setPlaceholderText(translated("Find in all pages"))
        self.field.setAccessibleName(translated("Find in all pages"))
        self.field.setClearButtonEnabled(True)
        self.answer = theme.label(role="muted")
        self._arrange()
        self.list.currentRowChanged.connect(self._open)
        self.list.itemClicked.connect(lambda: self._open(self.list.currentRow()))  # back from a text that a page led to
        self.page.sourceChanged.connect(self._opened)
        self.field.textChanged.connect(self._search)
        self.field.returnPressed.connect(self.find_next)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.field.setFocus)
        self.list.setCurrentRow(0)
        self.page.setFocus()

    def turn_to(self, page: Path) -> None:
        """Show a page of the guide.

        Raises:
            ValueError: it is none of its pages.
        """
        self.list.setCurrentRow(self._pages.index(page))

    def find_next(self) -> bool:
        """Go to the next match of the field's words, on this page or a later one; returns whether there is one."""
        words = self.field.text().strip()
        if not words:
            return False
        if self.page.find(words):
            return True
        row, count = self.list.currentRow(), len(self._pages)
        for step in range(1, count + 1):  # the last step comes back to the top of this page
            other = (row + step) % count
            if words.casefold() in self._texts[other]:
                self.list.setCurrentRow(other)
                self.page.from_the_top()
                if self.page.find(words):
                    return True
        return False

    def _arrange(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(theme.GRID)
        for part in (self.field, self.list, self.answer):
            left.addWidget(part)
        self.field.setFixedWidth(_LIST_WIDTH)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * theme.GRID, 2 * theme.GRID, 2 * theme.GRID, 2 * theme.GRID)
        layout.setSpacing(2 * theme.GRID)
        layout.addLayout(left)
        layout.addWidget(self.page, 1)
        self.resize(_SIZE)

    def _open(self, row: int) -> None:
        page = self._pages[row]
        if Path(self.page.source().toLocalFile()) != page:
            self.page.open_page(page)

    def _opened(self, source: QUrl) -> None:
        """Select the page in the list, since a link may have led here."""
        page = Path(source.toLocalFile())
        if page in self._pages:
            self.list.setCurrentRow(self._pages.index(page))

    def _search(self, text: str) -> None:
        """Grey the pages without the words, and go to the first match."""
        words = text.strip().casefold()
        found = [words in each for each in self._texts]
        for row, has in enumerate(found):
            flags = self.list.item(row).flags()
            enabled = Qt.ItemFlag.ItemIsEnabled
            self.list.item(row).setFlags(flags | enabled if has else flags & ~enabled)
        self.answer.setText(
            "" if not words else translated("On {sum} of {number} pages", sum=sum(found), number=len(found))
        )
        self.page.from_the_top()
        self.find_next()
