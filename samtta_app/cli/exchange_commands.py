"""samtta export and samtta import: objects out of a project, and into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samtta_app.cli import demo_command
from samtta_app.cli.pool_options import (
    Jobs,
    RayAddress,
    ResultsAt,
    ShardSize,
    chosen_pool,
    run_in_shards,
    works_in_shards,
)
from samtta_app.cli.run_progress import progress_bar
from samtta_app.errors import DatasetError, ExportError, ProjectError

if TYPE_CHECKING:
    from samtta_app.core.project import Project
    from samtta_app.formats.export_choice import ExportChoice
    from samtta_app.formats.importers import ImportCount
    from samtta_app.parallel.worker_pool import WorkerPool

_Project = Annotated[Path, typer.Argument(help="Folder of images, or its project folder.", metavar="PROJECT")]
SHOWN_REASONS = 20
"""Refused objects that are printed; `--report` writes all that are kept."""


def export(
    project: _Project,
    format_: Annotated[
        str, typer.Option("--format", "-f", help="coco, png, dataset, yolo, voc, or another.", metavar="NAME")
    ],
    out: ResultsAt,
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="Only this class; may be repeated.", metavar="NAME")
    ] = None,
    merge: Annotated[
        list[str] | None, typer.Option("--merge", help="Give a class another name, or join two.", metavar="OLD=NEW")
    ] = None,
    least_area: Annotated[
        int, typer.Option("--min-area", min=0, help="Only objects this large.", metavar="PIXELS")
    ] = 0,
    reviewed: Annotated[bool, typer.Option("--reviewed", help="Only objects that were reviewed.")] = False,
    split: Annotated[
        str | None, typer.Option("--split", help="Shares of the images: train/val/test.", metavar="80/10/10")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the split.", metavar="N")] = 0,
    stored_rows: Annotated[
        bool, typer.Option("--stored-rows", help="Masks in the files' own rows and columns, not upright.")
    ] = False,
    jobs: Jobs = 1,
    ray: RayAddress = "",
    shard: ShardSize = 0,
) -> None:
    """Export the accepted objects of a project; an unknown format is answered with the list of formats.

    A data set is a folder with [bold]images/[/bold], [bold]masks/[/bold] and [bold]split.json[/bold], which samtta bench
    and samtta train read. Its images are copies; every fifth is for tests.

    With --jobs, --ray or a URL, each shard of annotated images becomes an export of its own below [bold]shards/[/bold].
    """
    from samtta_app.formats import FORMATS
    from samtta_app.formats.export_choice import ExportChoice, export_project
    from samtta_app.session.project.store import Store

    if format_ not in FORMATS:
        raise ExportError(f"There is no export format {format_!r}", do=f"Choose one of {', '.join(FORMATS)}")
    form, shares = FORMATS[format_], _shares(split)
    choice = ExportChoice(
        frozenset(classes or ()), _merged(merge or []), least_area, reviewed, shares, seed, stored_rows
    )
    with Store.open_to_read(existing_project(project)) as store:
        content = store.project()
        demo_command.say(f"not in {form.name}: {'; '.join(form.lost)}")
        if works_in_shards(jobs, ray, shard, out):
            _export_shards(content, format_, out, choice, chosen_pool(jobs, ray), shard)
            return
        with _told("exporting") as progress:
            files = export_project(content, form, Path(out), choice, progress)
        demo_command.say_files(files)
        demo_command.say(content.words)
        demo_command.say_remarks(store.opening, content.remarks)


def _export_shards(project: Project, format_: str, out: str, choice: ExportChoice, pool: WorkerPool, size: int) -> None:
    """In shards, by many processes or machines. What cannot be exported at all is said before."""
    from samtta_app.formats.export_choice import chosen_objects
    from samtta_app.parallel.export_shards import export_shard, images_of_project
    from samtta_app.parallel.image_places import ResultPlace
    from samtta_app.parallel.shard_run import SHARD_IMAGES, ShardPlan

    chosen_objects(replace(project, images=()), choice)
    images = images_of_project(project)
    if not images:
        raise ExportError("There are no accepted objects", project.folder, "Accept objects first")
    settings = {"kind": "export", "format": format_, "choice": choice_text(choice)}
    work = partial(export_shard, project, format_, choice)
    run_in_shards(ShardPlan(images, ResultPlace(out), settings, work, size or SHARD_IMAGES), pool)


def choice_text(choice: ExportChoice) -> str:
    """The choice of an export as a text: the same choice gives the same."""
    return repr({**asdict(choice), "classes": sorted(choice.classes), "merged": sorted(choice.merged.items())})


def import_(
    project: _Project,
    file: Annotated[Path, typer.Argument(help="File or folder with the objects.", metavar="FILE")],
    format_: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="coco, labelme, yolo, png, cvat, npz, tiff, masks, or another.", metavar="F"
        ),
    ],
    preview: Annotated[bool, typer.Option("--preview", help="Show what would come, and store nothing.")] = False,
    parts: Annotated[
        str | None, typer.Option("--parts", help="Of masks of 0 and 255: one object, or many.", metavar="one|many")
    ] = None,
    class_name: Annotated[
        str, typer.Option("--class", help="Of objects whose file names no class.", metavar="NAME")
    ] = "object",
    learn: Annotated[bool, typer.Option("--learn", help="Learn from these when the window is opened next.")] = False,
) -> None:
    """Import objects from a file of another program: they become annotations with their source named.

    All objects that fit their image are stored in one step. The others are named with the reason.
    """
    from samtta_app.formats.importers import IMPORTERS, ImportCount, ProjectImages, import_objects
    from samtta_app.session.project.imported_objects import store_imported
    from samtta_app.session.project.store import Store

    if format_ not in IMPORTERS:
        raise DatasetError(f"There is no import format {format_!r}", do=f"Choose one of {', '.join(IMPORTERS)}")
    importer = IMPORTERS[format_]
    if parts not in (None, "one", "many") or (importer.asks_parts and parts is None):
        what = "The parts of a mask can be one object or many objects"
        raise DatasetError(what, file, "Say --parts one, or --parts many")
    if not project.is_dir():
        raise ProjectError("There is no such folder", project, "Choose a folder of images")
    with Store.open_to_read(project) if preview else Store.open(project) as store:
        images = ProjectImages(store.folder, (entry.name for entry in store.images()), store.reading.planes)
        count = ImportCount()
        with _told("reading") as progress:
            objects = import_objects(
                importer,
                file,
                images,
                count,
                split_parts=parts == "many",
                class_name=class_name,
                progress=progress,
            )
            if preview:
                for _ in objects:
                    pass
            else:
                store_imported(store, objects, f"{format_}: {file.name}", teach=learn)
    _say_count(count, "would come in" if preview else "came in")
    raise typer.Exit(0 if count.objects or not count.refused_number else 1)


def existing_project(project: Path) -> Path:
    """A folder that holds a project; a command that only reads must not make a new one.

    Raises:
        ProjectError: there is none.
    """
    if any((folder / "project.db").is_file() for folder in (project, project / ".samtta")):
        return project
    raise ProjectError(
        "There is no samtta project here", project, "Open the folder once with samtta open, and accept objects"
    )


def _say_count(count: ImportCount, what: str) -> None:
    demo_command.say(f"{what}: {count.words}")
    for name, number in sorted(count.by_class.items()):
        demo_command.say(f"  class {name}: {number}")
    for name, number in sorted(count.by_image.items())[:SHOWN_REASONS]:
        demo_command.say(f"  image {name}: {number}")
    if len(count.by_image) > SHOWN_REASONS:
        demo_command.say(f"  and {len(count.by_image) - SHOWN_REASONS} more images")
    shown = [f"refused {each.where}: {each.reason}" for each in count.refused[:SHOWN_REASONS]]
    more = count.refused_number - len(shown)
    demo_command.say_remarks("", (*shown, f"and {more} more were refused" if more else ""))


@contextmanager
def _told(what: str) -> Iterator[Callable[[float, str], None]]:
    """A bar on a terminal that tells how far a long step is."""
    with progress_bar() as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda done, words: bar.update(task, completed=done, description=f"{what} {words}")


def _merged(pairs: list[str]) -> dict[str, str]:
    """The new names of classes.

    Raises:
        ExportError: a text is not OLD=NEW.
    """
    found = [pair.partition("=") for pair in pairs]
    for old, sign, new in found:
        if not (old.strip() and sign and new.strip()):
            raise ExportError(f"{old + sign + new!r} does not say how to merge classes", do="Write --merge OLD=NEW")
    return {old.strip(): new.strip() for old, _, new in found}


def _shares(text: str | None) -> tuple[float, float, float] | None:
    """Shares such as 80/10/10.

    Raises:
        ExportError: the text is no three numbers.
    """
    if text is None:
        return None
    try:
        train, val, test = (float(share) for share in text.split("/"))
    except ValueError as error:
        raise ExportError(f"{text!r} is no split", do="Write three shares, such as --split 80/10/10") from error
    return train, val, test
