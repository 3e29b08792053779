"""samtta compare: how far two annotators' projects of the same images agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from samtta_app.cli import demo_command
from samtta_app.cli.exchange_commands import existing_project
from samtta_app.cli.run_progress import progress_bar
from samtta_app.core.files import write_whole
from samtta_app.core.texts import plain_cells
from samtta_app.errors import ExportError

OPEN_IT = "The window leads through them: File, Compare with another project"


def compare_with(
    project: Annotated[Path, typer.Argument(help="Folder of images, or its project folder.", metavar="PROJECT")],
    other: Annotated[Path, typer.Argument(help="The other annotator's; it is only read.", metavar="OTHER")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the table as CSV, too.", metavar="FILE")
    ] = None,
) -> None:
    """Compare a project with another annotator's: objects matched, mean IoU, and objects that only one of both has."""
    from samtta_app.session.project.comparison import AGREEMENT_COLUMNS, agreement_csv, agreement_row, compare_projects
    from samtta_app.session.project.store import Store
    from samtta_app.session.workflow.choosing import compared_words

    with Store.open_to_read(existing_project(project)) as mine, progress_bar() as bar:
        task = bar.add_task("comparing", total=1.0)
        found = compare_projects(mine, other, lambda done, words: bar.update(task, completed=done))
    table = Table(box=None, pad_edge=False)
    for column in AGREEMENT_COLUMNS:
        table.add_column(column, justify="left" if column == "class" else "right")
    for one in found.agreement:
        table.add_row(*plain_cells(str(cell) for cell in agreement_row(one)))
    Console(highlight=False).print(table)
    number = len(found.differences)
    demo_command.say(compared_words(found, number))
    if number:
        demo_command.say(OPEN_IT)
    demo_command.say_remarks("", found.remarks)
    if out is not None:
        try:
            write_whole(out, agreement_csv(found.agreement).encode())
        except OSError as error:
            raise ExportError(f"The table was not written: {error.strerror}", out, "Choose another file") from error
        demo_command.say_files([out])
