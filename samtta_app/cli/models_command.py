"""`samtta models`: the weights files on this machine; list, download, check, add, remove and time them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from samtta_app.cli.run_progress import progress_bar, telling, wide_console
from samtta_app.core.names import displayable
from samtta_app.core.texts import plain_cells
from samtta_app.errors import UserError

models_app = typer.Typer(no_args_is_help=False)

_Name = Annotated[str, typer.Argument(help="A name from samtta models list.", metavar="NAME")]


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List, download, check, add, remove and time models; without a command, list them."""
    if context.invoked_subcommand is None:
        list_models()


@models_app.command("list")
def list_models() -> None:
    """Every known model and every file in the model folder: size, licence, speed on this machine, and where it is."""
    from samtta_app.checkpoints.model_files import model_rows
    from samtta_app.settings import model_folder

    table = Table(box=None, pad_edge=False)
    for head in ("name", "size", "licence", "speed here", "where"):
        table.add_column(head, justify="right" if head == "size" else "left", overflow="fold")
    for row in model_rows():
        name = row.name if row.known else row.path.name
        speed = row.speed.words if row.speed else "not measured" if row.present else ""
        where = "here" if row.place == "here" else row.where
        table.add_row(*plain_cells((name, row.size_text, row.licence or "not known", speed, where)))
    console = wide_console()
    console.print(table)
    console.print(f"model folder: {model_folder()}", highlight=False, markup=False, soft_wrap=True)


@models_app.command("download")
def download_models(
    names: Annotated[list[str], typer.Argument(help="Names from samtta models list.", metavar="NAME...")],
    mirror: Annotated[
        str | None, typer.Option("--mirror", help="Folder at an address that is tried first.", metavar="URL")
    ] = None,
) -> None:
    """Download models and compare their hashes; Ctrl+C stops, and the same command goes on.

    Only files whose hash is confirmed by two independent sources are downloaded. Proxies are those of the environment
    (HTTPS_PROXY, NO_PROXY).
    """
    from samtta_app.checkpoints.download import MIRROR_VARIABLE, download
    from samtta_app.checkpoints.model_catalogue import known_model

    wanted = [known_model(name) for name in names]
    if mirror:
        os.environ[MIRROR_VARIABLE] = mirror
    for model in wanted:
        with _shown(model.title, "stopped; the same command goes on") as told:
            path = download(model, told)
        _say(f"{model.title}: {path}")


@models_app.command("check")
def check_models(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names (default: every file that is here).", metavar="NAME...")
    ] = None,
) -> None:
    """Compare files with their known hashes; exit code 1 when one is damaged or another file."""
    from samtta_app.checkpoints.model_files import check_model, model_row, model_rows

    rows = [model_row(name) for name in names] if names else [row for row in model_rows() if row.present]
    wrong = 0
    for row in rows:
        with _shown(row.title, "stopped") as told:
            found = check_model(row, told)
        _say(found.words)
        wrong += found.well is False
    raise typer.Exit(1 if wrong else 0)


@models_app.command("add")
def add_models(
    files: Annotated[list[Path], typer.Argument(help="Weights files on disk.", metavar="FILE...")],
) -> None:
    """Copy weights files into the model folder; known ones are recognised by their hash."""
    from samtta_app.checkpoints.model_files import add_model

    for file in files:
        with _shown(file.name, "stopped; nothing was added") as told:
            row = add_model(file, told)
        known = "its hash is right" if row.known else "a model of your own, with no hash to compare with"
        _say(f"{row.title}: {known}; use it with --model {row.name}")


@models_app.command("remove")
def remove_models(
    names: Annotated[list[str], typer.Argument(help="Names from samtta models list.", metavar="NAME...")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete models from the model folder, after a question."""
    from samtta_app.checkpoints.model_files import model_row, remove_model

    rows = [model_row(name) for name in names]
    for row in rows:
        if row.place in ("here", "partial") and not yes:
            typer.confirm(f"Delete {row.to_remove} in {row.path.parent}?", abort=True)
        remove_model(row)
        _say(f"removed {row.title}")


@models_app.command("speed")
def time_models(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names (default: every model that is here).", metavar="NAME...")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, openvino, cuda, cuda:1 or mps.")] = "auto",
) -> None:
    """Measure how long a model takes to encode a window on this machine, and remember it for the list."""
    from dataclasses import replace

    from samtta_app.checkpoints.model_files import model_row, model_rows
    from samtta_app.settings import Settings

    replace(Settings(), device=device)
    rows = [model_row(name) for name in names] if names else [row for row in model_rows() if row.present]
    for row in rows:
        if not row.present:
            raise UserError(f"{row.title} is not on this machine", row.path, "samtta models list shows what is here")
    from samtta_app.engine.model_speed import measured_speed

    for row in rows:
        with _shown(row.title, "stopped") as told:
            speed = measured_speed(str(row.path), device, told)
        _say(f"{row.title}: {speed.words} a window")


@contextmanager
def _shown(title: str, stopped: str) -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error; Ctrl+C ends the command with a word."""
    try:
        with progress_bar() as bar:
            yield telling(bar, bar.add_task(title, total=1.0))
    except KeyboardInterrupt:
        Console(stderr=True, highlight=False).print(stopped, markup=False)
        raise typer.Exit(130) from None


def _say(words: str) -> None:
    wide_console().print(displayable(words), highlight=False, markup=False, soft_wrap=True)
