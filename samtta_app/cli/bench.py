"""`samtta bench`: simulated annotation of data sets, its report, quality, points, and speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, cast

import typer
from rich.console import Console

from samtta_app.cli.bench_ambiguity import measure_ambiguity
from samtta_app.cli.bench_automatic import measure_automatic, measure_edges
from samtta_app.cli.bench_desk import measure_desk_speed
from samtta_app.cli.bench_formats import measure_format_speed
from samtta_app.cli.bench_sets import write_nested_sets, write_shifted_look
from samtta_app.cli.bench_workers import measure_workers
from samtta_app.cli.pool_options import RayAddress, chosen_pool, files_sent, sent_model
from samtta_app.cli.run_progress import progress_bar, say_written, standing, telling, wide_console
from samtta_app.errors import UserError

if TYPE_CHECKING:
    from samtta_app.bench.click_rows import Record
    from samtta_app.bench.jobs import BenchPlan
    from samtta_app.bench.protocol import Protocol
    from samtta_app.parallel.worker_pool import WorkerPool
    from samtta_app.simulation.driver import Feedback
    from samtta_app.simulation.streams import Way

_Official = Literal["narrow", "vit_b", "vit_l", "vit_h"]
_Row = TypeVar("_Row", bound="Record")

BENCH_COMMANDS = {
    "run",
    "report",
    "quality",
    "points",
    "refine",
    "shift",
    "nested",
    "speed",
    "uncertainty",
    "ambiguity",
    "auto",
    "edges",
    "formats",
    "desk",
    "workers",
}
"""The group's commands; any other first word is a data set."""

bench_app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Measure data sets with a simulated annotator: report, quality, points, or speed.",
    epilog="[bold]samtta bench DATASET...[/bold] is short for [bold]samtta bench run DATASET...[/bold]",
)
bench_app.command("ambiguity")(measure_ambiguity)
bench_app.command("auto")(measure_automatic)
bench_app.command("edges")(measure_edges)
bench_app.command("formats")(measure_format_speed)
bench_app.command("desk")(measure_desk_speed)
bench_app.command("workers")(measure_workers)
bench_app.command("shift")(write_shifted_look)
bench_app.command("nested")(write_nested_sets)

_Model = Annotated[str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.")]
InputSize = Annotated[
    int | None, typer.Option(help="Side of the compact model's input (default: its own).", metavar="PIXELS")
]
_Datasets = Annotated[
    list[Path], typer.Argument(help="Folders with images/ and masks/ (instance ids).", metavar="DATASET")
]
Split = Annotated[str | None, typer.Option(help='Split, or "all" (default: test where there is one).')]
_Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for the raw records and figures.", metavar="DIR")
]

_Strategies = Annotated[
    list[str] | None, typer.Option(help="How it learns (again for more; default: samtta).", metavar="NAME")
]
_Clicker = Annotated[
    str | None, typer.Option(help="Who clicks: ritm (default), schoen, realistic, ...", metavar="NAME")
]
_Feedback = Annotated[str | None, typer.Option(help="What goes back with the next click.", metavar="logits|binary")]
_Goals = Annotated[list[str] | None, typer.Option(help="20@85: 20 clicks, IoU .85 (again for more).", metavar="K@T")]
_Then = Annotated[list[Path] | None, typer.Option(help="Measure this set too, after each stream.", metavar="SET")]
_ProtocolName = Annotated[str, typer.Option("--protocol", help="schoen: as released.", metavar="samtta|schoen")]

_LeftOut = Annotated[str | None, typer.Option(help="Only the sets that train --leave-out leaves out.", metavar="K/N")]

LENGTH = 60
"""Objects of a stream where no number is given."""


@bench_app.command("run")
def _run(
    datasets: _Datasets,
    strategy: _Strategies = None,
    clicker: _Clicker = None,
    feedback: _Feedback = None,
    objects: Annotated[int | None, typer.Option(min=1, help="Objects of each stream (default: 60).")] = None,
    orders: Annotated[int, typer.Option(min=1, help="Streams: each in another order, learning from nothing.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the clickers and of the first order.")] = 0,
    split: Split = None,
    mix: Annotated[bool, typer.Option("--mix", help="One session over all sets, object by object in turn.")] = False,
    chain: Annotated[bool, typer.Option("--chain", help="One session, one set after the other.")] = False,
    goal: _Goals = None,
    then: _Then = None,
    protocol: _ProtocolName = "samtta",
    left_out: _LeftOut = None,
    jobs: Annotated[int, typer.Option(min=1, help="Parts that are measured at the same time.")] = 1,
    ray: RayAddress = "",
    model: _Model = "samtta-small",
    out: _Out = None,
) -> None:
    """Annotate data sets with a simulated annotator, frozen and adapted over the same streams.

    With --out, every finished part is kept, and the same command continues after a stop.

    The table of Schön et al. 2024, by class: samtta bench SET --protocol schoen --strategy schoen2024 --model vit_b. It
    needs sam_vit_b_01ec64.pth in the model folder. Whole image, single mask, 0/1 feedback, their clicker, all objects.
    """
    from samtta_app.adapt.registry import strategy as strategy_named
    from samtta_app.bench.jobs import BenchPlan
    from samtta_app.bench.protocol import Conditions
    from samtta_app.datasets.folds import left_out_sets
    from samtta_app.simulation.annotator import goal_named
    from samtta_app.simulation.clickers import clicker as clicker_named
    from samtta_app.simulation.streams import by_class, sources

    released = chosen_of(protocol, ("samtta", "schoen"), "--protocol") == "schoen"
    feedback = chosen_of(feedback or ("binary" if released else "logits"), ("logits", "binary"), "--feedback")
    clicker = clicker or ("schoen-released" if released else "ritm")
    clicker_named(clicker)
    opened, others = sources(left_out_sets(datasets, left_out), _way(mix, chain)), sources(then or [], "each")
    if released:
        opened = tuple(each for source in opened for each in by_class(source, split))
    count = objects if objects or released else LENGTH
    plan = BenchPlan(
        opened,
        Conditions(count, seed, split, clicker, cast("Feedback", feedback), cast("Protocol", protocol)),
        tuple(strategy_named(name).name for name in strategy or ["schoen2024" if released else "samtta"]),
        tuple(goal_named(name) for name in goal or ["20@85", "30@90"]),
        orders,
        model,
        others,
    )
    _run_plan(plan, chosen_pool(jobs, ray), out)


def _run_plan(plan: BenchPlan, pool: WorkerPool, out: Path | None) -> None:
    """Measure, and show and write the report."""
    from samtta_app.bench.jobs import Stopped, engine_here, failed, run_bench
    from samtta_app.bench.report.report import show_report, write_report

    engines = None
    if pool.ray:
        sent = sent_model(plan.model, None, "auto")
        pool, engines = replace(pool, sent=files_sent(sent, pool)), partial(engine_here, sent.file)
    try:
        with standing() as told:
            results = run_bench(plan, out=out, pool=pool, progress=told, engines=engines)
    except Stopped as stopped:
        Console(stderr=True).print(str(stopped), highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(130) from None
    if results.records:
        show_report(wide_console(), results.records)
        if out is not None:
            say_written(write_report(results.records, out))
    if results.failures:
        raise failed(results.failures)


def chosen_of(name: str, known: Sequence[str], option: str) -> str:
    """The name, if it is one of those that are known.

    Raises:
        UserError: it is not.
    """
    if name not in known:
        raise UserError(f"{option} has no value {name!r}", "", f"Choose {' or '.join(known)}")
    return name


def _way(mix: bool, chain: bool) -> Way:
    if mix and chain:
        raise UserError("A run cannot both mix and chain", "", "Leave one out")
    return "mix" if mix else "chain" if chain else "each"


@bench_app.command("report")
def _report(
    records: Annotated[list[Path], typer.Argument(help="Folders or .jsonl files of bench runs.", metavar="RECORDS")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for tables and plots.", metavar="DIR")] = None,
) -> None:
    """Write tables and plots from raw records: Markdown, CSV and one HTML page."""
    from samtta_app.bench.click_rows import read_click_rows
    from samtta_app.bench.report.report import show_report, write_report

    found = read_click_rows(records)
    show_report(wide_console(), found)
    if out is not None:
        say_written(write_report(found, out))


def _of_each_set(
    measured: Callable[..., Sequence[_Row]],
    datasets: Sequence[Path],
    model: str,
    input_size: int | None,
    *,
    objects: int,
    seed: int,
    split: str | None,
) -> list[_Row]:
    """What a measurement without adaptation finds in each data set, with a progress bar for each; rows get their model."""
    from samtta_app.bench.click_rows import model_column
    from samtta_app.engine.dispatch import open_engine
    from samtta_app.simulation.streams import sources

    opened = sources(datasets, "each")
    engine = open_engine(model, input_size=input_size)
    with progress_bar() as bar:
        return [
            replace(row, model=model_column(model, input_size))
            for source in opened
            for row in measured(
                *(engine, source),
                objects=objects,
                seed=seed,
                split=split,
                told=telling(bar, bar.add_task(source.name, total=1.0)),
            )
        ]


@bench_app.command("quality")
def _quality(
    datasets: _Datasets,
    objects: Annotated[int, typer.Option(min=1, help="Objects of each set.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of objects.")] = 0,
    split: Split = None,
    model: _Model = "samtta-small",
    input_size: InputSize = None,
    left_out: _LeftOut = None,
    out: _Out = None,
) -> None:
    """Measure twenty clicks on every object without adaptation: IoU by click, harm, boxes, obedience.

    With --out, figures of other models and sets in the folder stay, and are shown beside the new ones.
    """
    from samtta_app.bench.click_rows import model_column
    from samtta_app.bench.protocol import Conditions
    from samtta_app.bench.quality import run_quality, show_quality
    from samtta_app.datasets.folds import left_out_sets
    from samtta_app.engine.dispatch import open_engine
    from samtta_app.simulation.engines import FROZEN
    from samtta_app.simulation.streams import sources

    opened = sources(left_out_sets(datasets, left_out), "each")
    conditions = Conditions(objects, seed, split)
    for source in opened:
        conditions.stream(source, seed)
    engine = open_engine(model, input_size=input_size, adapting=FROZEN)
    with progress_bar() as bar:
        figures = run_quality(
            *(engine, opened, conditions, lambda name: telling(bar, bar.add_task(name, total=1.0))),
            model=model_column(model, input_size),
            out=out,
        )
    show_quality(wide_console(), figures)


@bench_app.command("points")
def points(
    datasets: _Datasets,
    objects: Annotated[int, typer.Option(min=1, help="Objects of each set.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of objects, and of random points.")] = 0,
    split: Split = None,
    model: _Model = "samtta-small",
    input_size: InputSize = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="The whole image only, as SAM was evaluated, without closer windows.")
    ] = False,
    out: _Out = None,
) -> None:
    """Measure mean IoU after 1, 2, 3, 5 and 9 points given at once, without adaptation, by class and by size.

    With --out, figures of other models and sets in the folder stay, and are shown beside the new ones.
    """
    from samtta_app.bench.click_rows import side_by_side
    from samtta_app.bench.points import known_points, run_points, write_points
    from samtta_app.bench.report.point_figures import point_groups, show_points, write_point_tables

    known = known_points(out) if out else ()
    measured = partial(run_points, whole=whole)
    new = _of_each_set(measured, datasets, model, input_size, objects=objects, seed=seed, split=split)
    rows = side_by_side(known, new, lambda row: row.run)
    groups = point_groups(rows)
    show_points(wide_console(), groups)
    if out is not None:
        say_written([write_points(rows, out), *write_point_tables(groups, out)])


@bench_app.command("refine")
def refine(
    datasets: _Datasets,
    objects: Annotated[int, typer.Option(min=1, help="Objects of each set.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of objects.")] = 0,
    split: Split = None,
    model: _Model = "samtta-small",
    input_size: InputSize = None,
    out: _Out = None,
) -> None:
    """Refine the answer to one click on every object: IoU and boundary IoU before and after, reliability of certainty.

    With --out, figures of other models and sets in the folder stay, and are shown beside the new ones.
    """
    from samtta_app.bench.click_rows import side_by_side
    from samtta_app.bench.refinement import known_refined, refined_sets, run_refine, show_refined, write_refined

    known = known_refined(out) if out else ()
    new = _of_each_set(run_refine, datasets, model, input_size, objects=objects, seed=seed, split=split)
    rows = side_by_side(known, new, lambda row: row.run)
    show_refined(wide_console(), refined_sets(rows))
    if out is not None:
        say_written([write_refined(rows, out)])


@bench_app.command("uncertainty")
def uncertainty(
    datasets: _Datasets,
    objects: Annotated[int, typer.Option(min=1, help="Objects of each set.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of objects, and of their clicks.")] = 0,
    split: Split = None,
    model: _Model = "samtta-small",
    larger: Annotated[
        str, typer.Option(help='A larger model to compare with, or "none".', metavar="MODEL")
    ] = "samtta-base",
    heads: Annotated[
        list[Path] | None,
        typer.Option(help="Heads to ask instead of the model's own (again for more).", metavar="FILE"),
    ] = None,
    out: _Out = None,
) -> None:
    """Measure how well each uncertainty measure predicts corrections, what it costs, and where a second click helps.

    With --out, every finished object is kept, and the same command continues after a stop.
    """
    from samtta_app.bench.report.uncertainty_figures import show_uncertainty, uncertainty_figures, write_figures
    from samtta_app.bench.uncertainty_run import Asking, labelled, run_uncertainty
    from samtta_app.engine.dispatch import open_engine
    from samtta_app.simulation.engines import FROZEN
    from samtta_app.simulation.streams import sources

    second = None if larger in ("none", model) else larger
    asking = Asking(model, second, labelled(heads or []), objects, seed, split)
    opened = sources(datasets, "each")
    asking.targets(opened)
    engine = open_engine(model, adapting=FROZEN, larger=second)
    with standing() as told:
        found = uncertainty_figures(run_uncertainty(engine, opened, asking, told, out))
    show_uncertainty(wide_console(), found)
    if out is not None:
        say_written(write_figures(found, out))


@bench_app.command("speed")
def speed(
    model: _Model = "samtta-small",
    input_size: InputSize = None,
    device: Annotated[str, typer.Option(help="auto, cpu, openvino, cuda, cuda:1 or mps.", metavar="D")] = "auto",
    repeats: Annotated[int, typer.Option(min=3, help="Measurements of each time.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the images and clicks.")] = 0,
    official: Annotated[_Official, typer.Option(help="The SAM of random weights that both sides run.")] = "narrow",
    out: _Out = None,
) -> None:
    """Measure click to mask at rest, on a busy machine and in large windows; encoder, learning; ratios to SamPredictor.

    Each figure is printed and, with --out, written at once. A run that was stopped goes on where it was.
    """
    from samtta_app.bench.speed import run_speed, show_speed
    from samtta_app.engine.dispatch import open_engine

    with progress_bar() as bar:
        task = bar.add_task("loading the model", total=1.0)
        measured = run_speed(
            official=official,
            model=open_engine(model, device=device, input_size=input_size),
            repeats=repeats,
            seed=seed,
            out=out,
            progress=telling(bar, task),
            say=lambda line: wide_console().print(line, highlight=False, markup=False, soft_wrap=True),
        )
    show_speed(wide_console(), measured)
