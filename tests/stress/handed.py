"""Every kind of file that a person hands over or that lies around: how a good one is made, how the program opens it.

To open means to do all that the program does with it: an image is read and encoded, a project is opened, shown, exported and
its statistics written, a model answers a click.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import matplotlib.font_manager  # noqa: F401 - it looks for fonts once, with another program, and not in each child
import numpy as np
import PIL.Image
import tifffile
import torch

import samtta_app.bench.report.plots  # noqa: F401 - loaded once, and not in each child
from samtta_app.bench.click_rows import ClickRow, write_records
from samtta_app.cli.entry import main
from samtta_app.core.messages import PredictRequest, PrefetchRequest, RefineRequest, Request
from samtta_app.core.replies import Failure
from samtta_app.core.types import Click, Prompt, Window
from samtta_app.datasets.folder import open_dataset
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import UserError
from samtta_app.formats import FORMATS
from samtta_app.images.read import read_image
from samtta_app.model.backbone import SamModel
from samtta_app.model.backbones.compact import CompactConfig, build_compact, save_compact
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.model.refiner import save_refiner, untrained
from samtta_app.session import acts
from samtta_app.session.project.weight_files import sha256_hex
from samtta_app.session.statistics.statistics_export import write_statistics
from samtta_app.settings import load_settings, settings_file
from samtta_app.simulation.streams import stream
from samtta_app.train.compact.recipe import read_recipe, shipped_recipe
from samtta_app.train.data import labelled_images as training
from samtta_app.uncertainty.heads import new_heads, save_heads
from tests.stress import mutants
from tests.stress.mutants import BYTES, Mutator, Replacer
from tests.stress.sittings import Headless, Windowed, places
from tests.unit.session.real import pictures_in
from tests.unit.values import picture

TOY_COMPACT = CompactConfig(name="toy", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64)

Opened = int | None
"""How many objects a project shows; None for anything else."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Args:
        make: writes good ones into a folder.
        files: pattern of those that are broken.
        opens: opens the folder, given the broken file.
        mutators: how they are broken, in turn.
        edit: instead of the file's bytes change its values; returns how many objects must still be shown.
        good: what `make` writes opens; else it is refused already.
    """

    make: Callable[[Path], None]
    files: str
    opens: Callable[[Path, Path], Opened]
    mutators: tuple[Mutator | Replacer, ...]
    edit: Callable[[np.random.Generator, Path], int] | None = None
    good: bool = True


# --- images and data sets -------------------------------------------------------------------------------------------------


def make_images(folder: Path) -> None:
    """One small image of every format and depth that matters."""
    rgb = picture(0, 48, 64, ((30, 24, 12),)).pixels
    shown, deep = PIL.Image.fromarray(rgb), (rgb[..., 0].astype(np.uint16) * 200)
    for name in ("rgb.png", "rgb.jpg", "rgb.bmp", "rgb.webp", "rgb.tif"):
        shown.save(folder / name)
    shown.save(folder / "scans.jpeg", progressive=True, exif=_turned())
    shown.quantize(8).save(folder / "palette.png")
    PIL.Image.fromarray(deep).save(folder / "deep.png")
    tifffile.imwrite(folder / "float.tiff", deep.astype(np.float32))
    tifffile.imwrite(folder / "tiles.tif", rgb, tile=(16, 16), compression="zlib", photometric="rgb")
    tifffile.imwrite(folder / "pages.tif", np.stack([deep] * 3), bigtiff=True, compression="lzw")
    tifffile.imwrite(folder / "channels.tif", np.stack([deep] * 4), photometric="minisblack", planarconfig="separate")


def _turned() -> PIL.Image.Exif:
    exif = PIL.Image.Exif()
    exif[274] = 6
    return exif


def open_image(folder: Path, file: Path) -> Opened:
    """Read and encode it, as the window does."""
    image = read_image(file)
    _answered(Engine(toy_model()), PrefetchRequest(1, file, image))
    return None


def make_set(folder: Path) -> None:
    """A data set of two images with a split and classes."""
    for part in ("images", "masks"):
        (folder / part).mkdir()
    for k in range(2):
        labels = np.zeros((48, 64), np.uint8)
        labels[8:28, 8:28], labels[20:44, 36:60] = 1, 2
        PIL.Image.fromarray(picture(k, 48, 64).pixels).save(folder / "images" / f"p{k}.png")
        PIL.Image.fromarray(labels).save(folder / "masks" / f"p{k}.png")
    (folder / "split.json").write_text(json.dumps({"train": ["p0"], "test": ["p1"]}))
    (folder / "classes.json").write_text(json.dumps({f"p{k}": {"1": "cell", "2": "debris"} for k in range(2)}))


def open_set(folder: Path, file: Path) -> Opened:
    """Draw a stream of its objects, as a bench does, and read it for a training."""
    refused: list[UserError] = []
    for read in (
        lambda: stream(open_dataset(folder), split="test", objects=9, seed=0, per_image=9, min_area=1),
        lambda: stream(open_dataset(folder), split=None, objects=9, seed=0, per_image=9, min_area=1),
        lambda: training.read_labelled(training.image_paths(folder, "train")),
    ):
        try:
            read()
        except UserError as error:
            refused.append(error)
    if refused:
        raise refused[0]
    return None


# --- projects -------------------------------------------------------------------------------------------------------------


def make_project(folder: Path) -> None:
    """Four objects on two images, each learned and replayed."""
    pictures_in(folder / "images", "a.png", "b.png")
    sitting = Headless(folder / "images", twin=True)
    for k, place in enumerate(islice(places(), 4)):
        if k == 2:
            sitting.driver.settle(sitting.driver.workflow.do(acts.OpenImage(1)))
        sitting.accepts(*place)
    sitting.close()


def open_project(folder: Path, file: Path) -> Opened:
    """Resume it, look at every image, export it, write its statistics."""
    sitting = Headless(folder / "images")
    try:
        sitting.visits()
        store = sitting.driver.store
        for name, form in FORMATS.items():
            form.write(store.project(), folder / "out" / name)
        write_statistics(store, folder / "out" / "statistics")
        return sum(len(store.annotations(entry.name)) for entry in store.images())
    finally:
        sitting.close()


def open_stored(folder: Path, file: Path) -> Opened:
    """Resume a project whose weights file was changed by somebody who knows of the checksum."""
    with closing(sqlite3.connect(folder / "images" / ".samtta" / "project.db")) as db, db:
        db.execute(
            "UPDATE weights SET sha256 = ? WHERE version = ?", (sha256_hex(file.read_bytes()), int(file.stem[1:]))
        )
    return open_project(folder, file)


# --- models ---------------------------------------------------------------------------------------------------------------


def make_model(folder: Path) -> None:
    """A compact model at toy size."""
    torch.manual_seed(0)
    save_compact(build_compact(TOY_COMPACT), folder / "model.safetensors")


def make_heads(folder: Path) -> None:
    """Heads of the toy."""
    model = toy_model()
    known = {"fingerprint": fingerprint(model), "thresholds": json.dumps({"model_gap": 0.1, "task_gap": 0.1})}
    save_heads(new_heads(64, model.name, "", 0), _kept(folder, "toy.heads"), known)


def make_refiner(folder: Path) -> None:
    """A refiner of the toy."""
    model = toy_model()
    save_refiner(untrained(model), model, _kept(folder, "toy.refiner"), {"steps": "1"})


def _kept(folder: Path, name: str) -> Path:
    models = folder / "home" / "models"
    models.mkdir(parents=True)
    return models / f"{name}.safetensors"


def make_pth(folder: Path) -> None:
    """Files that torch reads and that are almost a state dict of SAM."""
    state = {f"image_encoder.blocks.{k}.norm1.weight": torch.ones(2) for k in range(12)}
    odd: tuple[object, ...] = (state, {**state, 1: torch.ones(1)}, {**state, "image_encoder.blocks.": torch.ones(1)})
    odd += (
        [state],
        dict.fromkeys(state, 1),
        {**state, "a": torch.ones(2).to_sparse()},
        torch.ones(1),
        {"model": state},
    )
    odd += ({("a", 1): torch.ones(1)}, {None: torch.ones(1)}, {**state, "mask": torch.ones(2, dtype=torch.complex64)})
    for k, value in enumerate(odd):
        torch.save(value, folder / f"{k}.pth")
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)


def open_model(folder: Path, file: Path) -> Opened:
    """Load it and have one click answered."""
    _clicked(load_model(file, "cpu"), refine=False)
    return None


def open_beside(folder: Path, file: Path) -> Opened:
    """Have the model answer that the file stands beside."""
    _clicked(toy_model(), refine=True)
    return None


def _clicked(model: SamModel, *, refine: bool) -> None:
    engine, image, prompt = Engine(model), picture(0, 48, 64), Prompt((Click(30, 24, True),), None, None)
    _answered(engine, PredictRequest(1, image, prompt))
    if refine:
        _answered(engine, RefineRequest(2, image, prompt, Window(0, 0, 64, 48)))


def _answered(engine: Engine, request: Request) -> None:
    reply = run(engine, request)
    if isinstance(reply, Failure):
        raise UserError(reply.text)


# --- what lies around -----------------------------------------------------------------------------------------------------

SETTINGS = """model = "samtta-small"
theme = "dark"
threads = 2
idle_seconds = 20.0
wheel = "scroll"
strategy = "samtta"
learn = true
overlay_opacity = 0.5

[keys]
accept = "Return; E"
undo = "Ctrl+Z"
"""


def make_settings(folder: Path) -> None:
    """A settings file."""
    (folder / "home").mkdir()
    (folder / "home" / "settings.toml").write_text(SETTINGS)


def open_settings(folder: Path, file: Path) -> Opened:
    """Read it, as every command does first."""
    assert settings_file() == file
    load_settings()
    return None


def make_window(folder: Path) -> None:
    """What the window remembers."""
    pictures_in(folder / "images", "a.png")
    os.environ["SAMTTA_HOME"] = str(folder / "home")
    (folder / "home").mkdir()
    Windowed(folder / "images").close()
    assert (folder / "home" / "window.ini").exists()


def open_window(folder: Path, file: Path) -> Opened:
    """Open the window on a folder, and close it."""
    Windowed(folder / "images").close()
    return None


def make_recipes(folder: Path) -> None:
    """The shipped recipes."""
    for path in shipped_recipe().parent.glob("*.toml"):
        (folder / path.name).write_bytes(path.read_bytes())


def make_records(folder: Path) -> None:
    """Two strategies over two objects."""
    for strategy in ("frozen", "samtta"):
        lines = [_record(strategy, position, click) for position in range(2) for click in (1, 2)]
        write_records(lines, folder / f"{strategy}.jsonl")


def _record(strategy: str, position: int, click: int) -> ClickRow:
    facts = ("cells", "20@85", strategy, "ritm", "logits", 0, position, "p0", position + 1, "cell", click)
    seen = (10.0, 12.0, True, 0.4 + 0.25 * click, 0.3, 0.8, 0.1, 0.02, 0.5, position, (0, 0, 64, 48), 0.9, True)
    return ClickRow(*facts, *seen, 0.7, 0.8)


def open_records(folder: Path, file: Path) -> Opened:
    """Make the report of all of them."""
    main(["bench", "report", str(folder), "--out", str(folder / "out")])
    return None


def open_recipe(folder: Path, file: Path) -> Opened:
    """Read and check it."""
    read_recipe(file)
    return None


TEXT = (mutants.flipped, mutants.cut, mutants.noise, mutants.empty)
TENSORS = ((mutants.safetensors_header,) * 3 + BYTES) * 2
TOML = (*(mutants.toml_value,) * 3, mutants.not_a_file, *(mutants.toml_value,) * 2, *TEXT)
JSON = (*(mutants.json_value,) * 3, mutants.not_a_file, *(mutants.json_value,) * 2, *TEXT)
LINES = (*(mutants.json_line,) * 5, *TEXT)
INI = (*(mutants.ini_value,) * 3, mutants.not_a_file, *BYTES)
MASKS = (mutants.large_ids, mutants.large_png, mutants.program, *BYTES, *mutants.IMAGES, mutants.large_ids)
BESIDE, WEIGHTS = "home/models/*", "images/.samtta/weights/*.safetensors"
PROJECT = "images/.samtta/project.db"

KINDS: Mapping[str, Kind] = {
    "image": Kind(make_images, "*", open_image, (*mutants.IMAGES, *BYTES)),
    "set's image": Kind(make_set, "images/*", open_set, (*mutants.IMAGES, *BYTES)),
    "mask": Kind(make_set, "masks/*", open_set, MASKS),
    "split.json": Kind(make_set, "split.json", open_set, JSON),
    "classes.json": Kind(make_set, "classes.json", open_set, JSON),
    "project.db": Kind(make_project, PROJECT, open_project, BYTES),
    "project's values": Kind(make_project, PROJECT, open_project, (), mutants.edit_cell),
    "stored weights": Kind(make_project, WEIGHTS, open_stored, TENSORS),
    "model": Kind(make_model, "*", open_model, TENSORS),
    "heads": Kind(make_heads, BESIDE, open_beside, TENSORS),
    "refiner": Kind(make_refiner, BESIDE, open_beside, TENSORS),
    ".pth": Kind(make_pth, "*", open_model, (*(mutants.unbroken,) * 4, *BYTES), good=False),
    "settings.toml": Kind(make_settings, "home/settings.toml", open_settings, TOML),
    "window.ini": Kind(make_window, "home/window.ini", open_window, INI),
    "recipe": Kind(make_recipes, "*", open_recipe, (*(mutants.toml_value,) * 5, *TEXT)),
    "records": Kind(make_records, "*", open_records, LINES),
}
