"""`samtta bench auto` and `samtta bench edges`: what a model finds by itself, against data sets."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from samtta_app.cli.run_progress import say_written, standing, wide_console

_Datasets = Annotated[list[Path], typer.Argument(help="Folders with images/ and masks/.", metavar="DATASET")]
_Images = Annotated[int, typer.Option(min=1, help="Images of each set.")]
_Seed = Annotated[int, typer.Option(min=0, help="Seed of the order of images.")]
_Split = Annotated[str | None, typer.Option(help='Split, or "all" (default: test where there is one).')]
_Model = Annotated[str, typer.Option("--model", "-m", help="Shipped model, vit_b, vit_l, vit_h, or a weights file.")]
_InputSize = Annotated[int | None, typer.Option(help="Side of the compact model's input (default: its own).")]
_Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for the raw records and figures.", metavar="DIR")
]


def measure_automatic(
    datasets: _Datasets,
    images: _Images = 10,
    annotated: Annotated[int, typer.Option(min=0, help="Objects of each image that are annotated.")] = 8,
    points_per_side: Annotated[int | None, typer.Option(help="Points along each side (default: 32).")] = None,
    pred_iou: Annotated[float | None, typer.Option(help="Least predicted IoU (default: the model's own).")] = None,
    stability: Annotated[float | None, typer.Option(help="Least stability (default: the model's own).")] = None,
    crop_layers: Annotated[int, typer.Option(help="Layers of crops.")] = 0,
    lvis: Annotated[
        bool, typer.Option("--lvis", help="As SAM was evaluated: 64 points, no filter, overlap .9.")
    ] = False,
    boxes: Annotated[
        Path | None, typer.Option(help="Boxes of a detector, COCO's JSON: their mask AP.", metavar="JSON")
    ] = None,
    strategy: Annotated[str, typer.Option(help="How the adapted side learns.", metavar="NAME")] = "samtta",
    seed: _Seed = 0,
    split: _Split = None,
    model: _Model = "samtta-small",
    input_size: _InputSize = None,
    out: _Out = None,
) -> None:
    """Measure automatic masks over a stream of images, adapted against frozen, and what they spare an annotator.

    The figures are AR@1000, mask AP, precision and recall at IoU .5 and .75, clicks and seconds. With --out, figures of
    other models and sets in the folder stay.
    """
    from samtta_app.adapt.registry import strategy as strategy_named
    from samtta_app.bench.automatic_run import AutomaticAsking
    from samtta_app.bench.automatic_sets import measure_sets
    from samtta_app.bench.click_rows import model_column
    from samtta_app.bench.figure_files import write_figure_rows
    from samtta_app.bench.report.automatic_figures import automatic_figures, show_automatic
    from samtta_app.engine.dispatch import open_engine
    from samtta_app.formats.detections import read_detections
    from samtta_app.simulation.engines import FROZEN
    from samtta_app.simulation.streams import sources

    opened, detections = sources(datasets, "each"), read_detections(boxes) if boxes else None
    name = strategy_named(strategy).name
    engine = open_engine(model, input_size=input_size, adapting=FROZEN)
    settings = replace(engine.automatic_settings, crop_layers=crop_layers)
    if lvis:
        settings = replace(settings, points_per_side=64, pred_iou=0.0, stability=0.0, box_nms=0.9)
    given: dict[str, Any] = {"points_per_side": points_per_side, "pred_iou": pred_iou, "stability": stability}
    settings = replace(settings, **{key: value for key, value in given.items() if value is not None})
    asking = AutomaticAsking(settings, images, annotated, seed, split, name)
    with standing() as told:
        rows = measure_sets(
            engine, opened, asking, detections, model=model_column(model, input_size), out=out, told=told
        )
    figures = automatic_figures(rows)
    show_automatic(wide_console(), figures)
    if out is not None:
        say_written([write_figure_rows(map(asdict, figures), out / "automatic.json")])


def measure_edges(
    datasets: _Datasets,
    images: _Images = 10,
    points_per_side: Annotated[int, typer.Option(help="Points along each side of an image.")] = 16,
    thresholds: Annotated[int, typer.Option(min=1, max=255, help="Strengths at which edges are cut off.")] = 99,
    seed: _Seed = 0,
    split: _Split = None,
    model: _Model = "samtta-small",
    input_size: _InputSize = None,
    out: _Out = None,
) -> None:
    """Measure edges of everything against the borders of label maps: ODS, OIS, AP and R50 by the BSDS protocol.

    With --out, figures of other models and sets in the folder stay.
    """
    from samtta_app.bench.click_rows import model_column
    from samtta_app.bench.edges_run import EdgeAsking, measure_edge_sets
    from samtta_app.bench.figure_files import write_figure_rows
    from samtta_app.bench.report.edge_figures import edge_figures, show_edges
    from samtta_app.core.automatic import EDGE_SETTINGS
    from samtta_app.engine.dispatch import open_engine
    from samtta_app.simulation.engines import FROZEN
    from samtta_app.simulation.streams import sources

    opened = sources(datasets, "each")
    engine = open_engine(model, input_size=input_size, adapting=FROZEN)
    asking = EdgeAsking(replace(EDGE_SETTINGS, points_per_side=points_per_side), images, thresholds, seed, split)
    with standing() as told:
        rows = measure_edge_sets(engine, opened, asking, model=model_column(model, input_size), out=out, told=told)
    figures = edge_figures(rows)
    show_edges(wide_console(), figures)
    if out is not None:
        say_written([write_figure_rows(map(asdict, figures), out / "edges.json")])
