"""The command line. Heavy libraries are imported inside the commands: `samtta --help` needs neither torch nor Qt."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from samtta_app.cli import (
    auto_command,
    bench,
    compare_command,
    demo_command,
    encode_command,
    exchange_commands,
    models_command,
    train,
)
from samtta_app.cli.build_words import version_words
from samtta_app.core.names import IMAGE_SUFFIXES
from samtta_app.display import display_fault
from samtta_app.errors import ProjectError, UserError
from samtta_app.settings import Settings, load_settings
from samtta_app.threads import choose_number, wait_passively

if TYPE_CHECKING:
    from samtta_app.cli.doctor import Finding

app = typer.Typer(
    name="samtta",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="[bold]samtta FOLDER[/bold] is short for [bold]samtta open FOLDER[/bold]; [bold]samtta[/bold] alone opens the "
    "window with a start page.",
)
app.add_typer(bench.bench_app, name="bench")
app.add_typer(train.train_app, name="train")
app.add_typer(models_command.models_app, name="models")
app.command("auto")(auto_command.find_masks_in)
app.command("edges")(auto_command.find_edges_in)
app.command("encode")(encode_command.encode_images)

_Model = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.", metavar="M"),
]

_Strategy = Annotated[
    str | None,
    typer.Option(
        "--strategy", "-s", help="How the decoder adapts: samtta, frozen, or another by name.", metavar="NAME"
    ),
]

_Device = Annotated[
    str | None,
    typer.Option("--device", help="What the model runs on: auto, cpu, openvino, cuda, cuda:1 or mps.", metavar="D"),
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line (default: the process's own arguments) and end the process.

    Exit codes: 0 done, 1 problems found or output cut off, 2 a user's error (one message on stderr), 130 Ctrl+C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # like stderr: odd names end no command
    try:
        app(args=expanded(given), prog_name="samtta")
    except UserError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"[bold red]samtta:[/] {escape(str(error))}")
        raise SystemExit(2) from None


def expanded(arguments: Sequence[str]) -> list[str]:
    """Expand the short forms: `FOLDER` is `open FOLDER`, nothing is `open`, `bench DATASET` is `bench run DATASET`."""
    words = list(arguments)
    if not words:
        return ["open"]
    if words[0] == "bench":
        return ["bench", *_with_default(words[1:], bench.BENCH_COMMANDS, "run")]
    names = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    return _with_default(words, names, "open")


def _with_default(words: list[str], names: set[str] | set[str | None], default: str) -> list[str]:
    own_options = ("-h", "--help", "--version", "--install-completion", "--show-completion")
    if not words or words[0] in names or words[0].split("=")[0] in own_options:
        return words
    return [default, *words]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version_words())
        raise typer.Exit


@app.callback()
def top(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show what runs here and leave.")
    ] = False,
) -> None:
    """Annotate images with Segment Anything; its mask decoder learns from every object that you accept."""
    logging.basicConfig(level=logging.WARNING, format="samtta: %(message)s")
    if context.invoked_subcommand != "train":  # training uses the whole machine
        wait_passively(os.environ)
        choose_number(os.environ)


# --- the window -----------------------------------------------------------------------------------------------------


@app.command("open")
def open_folder(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of images, or an image of it; its session is resumed.")
    ] = None,
    project: Annotated[
        Path | None, typer.Option("--project", "-p", help="Project folder (default: FOLDER/.samtta).", metavar="P")
    ] = None,
    subfolders: Annotated[
        bool | None, typer.Option("--subfolders/--no-subfolders", help="Whether images of subfolders belong to it.")
    ] = None,
    model: _Model = None,
    strategy: _Strategy = None,
    device: _Device = None,
) -> None:
    """Open a folder of images in the window and continue where you stopped; without a folder, show a start page."""
    if folder is not None and not folder.is_dir():
        if not folder.is_file():
            raise ProjectError("There is neither a folder nor a command of this name", folder, "See samtta --help")
        if folder.suffix.lower() not in IMAGE_SUFFIXES:
            raise ProjectError(
                "This is neither a folder nor an image", folder, "Name a folder of images, or one of them"
            )
    settings = prepared()
    require_display()
    if folder is not None and subfolders is not None:
        from samtta_app.session.project.store import Store

        of_images = folder if folder.is_dir() else folder.parent
        Store.open(of_images, project, subfolders=subfolders).close()  # the project keeps it
    demo_command.leave(demo_command.open_window(folder, settings, given(model, strategy, device), project=project))


@app.command("demo")
def demo(
    simulate: Annotated[bool, typer.Option("--simulate", help="Let a simulated annotator work.")] = False,
    no_window: Annotated[bool, typer.Option("--no-window", help="Simulate without a window.")] = False,
    objects: Annotated[
        int, typer.Option(min=1, help="Objects that the simulated annotator does.", metavar="N")
    ] = demo_command.DEMO_OBJECTS,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="New folder for the simulation's files.", metavar="DIR")
    ] = Path("samtta-demo"),
    model: _Model = None,
    strategy: _Strategy = None,
    device: _Device = None,
) -> None:
    """Open the window on sample images; with --simulate, or without a display, a simulated annotator works on them."""
    settings, chosen = prepared(), given(model, strategy, device)
    raise typer.Exit(demo_command.show_demo(objects, out, settings, chosen, simulate=simulate, no_window=no_window))


def given(model: str | None, strategy: str | None, device: str | None = None) -> dict[str, Any]:
    """The settings that were named on the command line.

    Raises:
        UserError: there is no such strategy, or no such device.
    """
    if device is not None:
        replace(Settings(), device=device)
    if strategy is not None:
        from samtta_app.adapt.registry import strategy as strategy_named

        strategy_named(strategy)
    named = {"model": model, "strategy": strategy, "device": device}
    return {name: value for name, value in named.items() if value}


def prepared() -> Settings:
    """The user's settings; the number of threads is set before torch is loaded."""
    settings = load_settings()
    choose_number(os.environ, settings.threads)
    return settings


def require_display() -> None:
    """Where no window can be opened, say in one line what is missing and what works without it."""
    fault = display_fault(sys.platform, os.environ)
    if fault:
        advice = "samtta doctor says what to install or to do; samtta demo --simulate needs no window"
        raise UserError(f"No window can be opened: {fault}", do=advice)


# --- projects -------------------------------------------------------------------------------------------------------


app.command("export")(exchange_commands.export)
app.command("import")(exchange_commands.import_)
app.command("compare")(compare_command.compare_with)


@app.command("stats")
def stats(
    project: Annotated[Path, typer.Argument(help="Folder of images, or its project folder.", metavar="PROJECT")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.", metavar="DIR")],
) -> None:
    """Write a project's statistics, raw records and figures, as CSV and JSON."""
    from samtta_app.session.project.store import Store
    from samtta_app.session.statistics.figure_notes import TWINS_NOTE, figures_in_brief
    from samtta_app.session.statistics.statistics_export import statistics, write_statistics

    with Store.open_to_read(exchange_commands.existing_project(project)) as store:
        figures = statistics(store.records(), store.attempts())
        demo_command.say(figures.sentence)
        demo_command.say(TWINS_NOTE)
        demo_command.say(figures_in_brief(figures))
        if figures.controls.sentence:
            demo_command.say(figures.controls.sentence)
        demo_command.say_files(write_statistics(store, out))
        demo_command.say_remarks(store.opening, store.left_out)


# --- the machine ----------------------------------------------------------------------------------------------------


@app.command("doctor")
def doctor() -> None:
    """Look at this machine and say what is missing and what to do; exit code 1 when there is a problem."""
    from samtta_app.cli.doctor import examine

    findings = examine()
    console = Console()
    console.print(_findings_table(findings))
    problems = sum(finding.level == "problem" for finding in findings)
    warnings = sum(finding.level == "warn" for finding in findings)
    console.print(f"problems: {problems}, warnings: {warnings}", highlight=False)
    raise typer.Exit(1 if problems else 0)


def _findings_table(findings: Sequence[Finding]) -> Table:
    """Level, subject and finding in one line, and what to do on the next."""
    colours = {"ok": "green", "warn": "yellow", "problem": "bold red"}
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for finding in findings:
        advice = f"\n[bold]do:[/] {escape(finding.do)}" if finding.do else ""
        level = f"[{colours[finding.level]}]{finding.level}[/]"
        table.add_row(level, escape(finding.subject), escape(finding.found) + advice)
    return table
