"""Names of data sets and images that are markup, formulas, paths, or not UTF-8: text in every report, and never a path."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import PIL.Image
import pytest
from rich.console import Console

from samtta_app.bench.jobs import BenchPlan, run_bench
from samtta_app.bench.protocol import Conditions
from samtta_app.bench.report.plots import plots, png
from samtta_app.bench.report.report import build_report, figures_csv, page, report_markdown, show_report, write_report
from samtta_app.bench.report.table_formats import as_table, markdown_text
from samtta_app.bench.report.tables import Sheet
from samtta_app.bench.uncertainty_run import RECORDS, Asking, read_rows, run_uncertainty
from samtta_app.cli.run_progress import progress_bar, telling
from samtta_app.datasets.folder import open_dataset
from samtta_app.datasets.shifted import write_shifted
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import DatasetError, ExportError
from samtta_app.simulation.streams import Source, objects_of, session_files, sources
from tests.unit.bench.conftest import squares
from tests.unit.bench.recorded import solved, stream
from tests.unit.core.test_names import is_plain

BYTES = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are bytes on Linux only")
NAMES = (
    *(
        "[red]cells[/red]",
        "[/nothing]",
        ":smile: cells",
        "$\\frac{$ a$",
        "price in $ and $",
        "=cmd()",
        "<b>x</b> & |",
        "](javascript:1)",
    ),
    "gr\udcfcn",
)


def silent(share: float, words: str) -> None:
    pass


def records_of(name: str) -> list[object]:
    objects = [solved(2), solved(3), solved(1)]
    return [*stream(objects, name=name, strategy="frozen"), *stream(objects, name=name)]  # type: ignore[list-item]


def as_shown(name: str) -> str:
    return name.replace("\udcfc", "\ufffd")


class Read(HTMLParser):
    """What a browser would show, and every tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.tags = "", set()
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


@pytest.mark.parametrize("name", NAMES)
def test_a_terminal_shows_the_name_as_it_is(name: str) -> None:
    file = io.StringIO()
    show_report(Console(file=file, width=200, force_terminal=False), records_of(name))  # type: ignore[arg-type]
    assert as_shown(name) in file.getvalue()
    file.getvalue().encode()
    table = as_table(Sheet(name, (name, "n"), ((name, "1"),), 1))
    Console(file=(alone := io.StringIO()), width=200).print(table)
    assert alone.getvalue().count(as_shown(name)) == 3


@pytest.mark.parametrize("name", NAMES)
def test_the_report_holds_the_name_as_text(tmp_path: Path, name: str) -> None:
    write_report(records_of(name), tmp_path)  # type: ignore[arg-type]
    shown = Read((tmp_path / "report.html").read_text("utf-8"))
    assert as_shown(name) in shown.text
    assert not shown.tags & {"b", "i", "img", "script", "a"}
    (first, *_) = csv.DictReader(io.StringIO((tmp_path / "figures.csv").read_text("utf-8"), newline=""), strict=True)
    assert first["set"] == ("'=cmd()" if name == "=cmd()" else as_shown(name))
    assert float(first["noc"]) == 2.0
    text = (tmp_path / "report.md").read_text("utf-8")
    table = [
        line for line in text.splitlines() if line.startswith("| ") and markdown_text(name).replace("|", "\\|") in line
    ]
    assert table
    assert not re.search(r"(?<!\\)<b>|(?<!\\)\]\(javascript", text)


@pytest.mark.parametrize("name", [name for name in NAMES if "$" in name])
def test_plots_draw_the_name_and_no_formula(name: str) -> None:
    found = build_report(records_of(name))  # type: ignore[arg-type]
    for plot in plots(found.runs, found.figures):
        assert PIL.Image.open(io.BytesIO(png(plot))).size[0] > 100
    assert name in Read(page(found)).text
    assert report_markdown(found)
    assert figures_csv(found)


def test_a_report_over_a_users_own_file_is_refused_and_over_its_own_is_not(tmp_path: Path) -> None:
    for _ in range(2):
        assert len(write_report(records_of("cells"), tmp_path)) == 4  # type: ignore[arg-type]
    (tmp_path / "summary.json").write_text("mine")
    with pytest.raises(ExportError, match=r"summary\.json"):
        write_report(records_of("cells"), tmp_path)  # type: ignore[arg-type]
    assert (tmp_path / "summary.json").read_text() == "mine"


@pytest.mark.parametrize("name", NAMES)
def test_a_bar_shows_the_name_as_it_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bar = progress_bar()
    task = bar.add_task(name, total=1.0)
    telling(bar, task)(0.5, name)
    file = io.StringIO()
    Console(file=file, width=200).print(bar.get_renderable())
    assert name in file.getvalue()


# --- names and paths --------------------------------------------------------------------------------------------------


def test_images_of_two_sets_never_take_each_others_place(tmp_path: Path) -> None:
    """ "a" with "b-im0" and "a-b" with "im0" would both be a-b-im0."""
    first, second = squares(tmp_path / "a"), squares(tmp_path / "a-b")
    for part in ("images", "masks"):
        for path in sorted((first / part).iterdir()):
            path.rename(path.with_name(f"b-{path.name}"))
    (first / "split.json").unlink()
    (source,) = sources((first, second), "mix")
    targets = objects_of(source, objects=18, seed=0, split="all")
    before = {path: path.read_bytes() for folder in (first, second) for path in (folder / "images").iterdir()}
    folder, names = session_files(source, targets, tmp_path / "home")
    assert len(set(names.values())) == len(names) == len({t.image.path for t in targets})
    assert all((folder / name).resolve() == path.resolve() for path, name in names.items())
    session_files(source, targets, tmp_path / "home")
    assert {path: path.read_bytes() for path in before} == before


@BYTES
@pytest.mark.parametrize("name", [b"gr\xfcn", b"x" * 120, b"a:b"])
def test_jobs_have_files_of_plain_names_and_go_on(tmp_path: Path, engines: object, name: bytes) -> None:
    folder = squares(tmp_path / os.fsdecode(name))
    odd = squares(tmp_path / os.fsdecode(name + b"2"))
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    plan = BenchPlan(sources((folder, odd), "chain"), Conditions(objects=2), strategies=("samtta:fits=0",), goals=())
    plan = BenchPlan(plan.sources, plan.conditions, plan.strategies, BenchPlan(plan.sources, plan.conditions).goals[:1])
    first = run_bench(plan, out=tmp_path / "out", engines=engines)  # type: ignore[arg-type]
    assert not first.failures
    files = sorted((tmp_path / "out" / "records").iterdir())
    assert len(files) == 2
    assert all(is_plain(file.name) for file in files)
    stamps = [file.stat().st_mtime_ns for file in files]
    run_bench(plan, out=tmp_path / "out", engines=engines)  # type: ignore[arg-type]
    assert [file.stat().st_mtime_ns for file in files] == stamps
    write_report(first.records, tmp_path / "report")


@BYTES
def test_a_set_with_images_that_are_not_utf_8_is_changed_and_opened(tmp_path: Path) -> None:
    folder = squares(tmp_path / "set")
    odd = os.fsdecode(b"gr\xfcn")
    for part in ("images", "masks"):
        (folder / part / "im0.png").rename(folder / part / f"{odd}.png")
    (folder / "split.json").write_text(json.dumps({"test": [odd, "im1"]}))
    data = open_dataset(folder)
    assert [image.name for image in data.part("test")] == ["im1", odd] or odd in [i.name for i in data.part("test")]
    made = open_dataset(write_shifted(data, "edges", tmp_path / "new", split="test", progress=lambda share: None))
    assert all(is_plain(image.path.name) for image in made.images)
    assert len(made.part("test")) == 2
    assert all(image.masks for image in made.images)


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "../images/im0", ""])
def test_a_split_that_names_a_way_out_of_the_set_is_refused(tmp_path: Path, name: str) -> None:
    folder = squares(tmp_path / "set")
    (folder / "split.json").write_text(json.dumps({"test": [name]}))
    with pytest.raises(DatasetError, match="names an image that is not there"):
        open_dataset(folder)


def test_a_changed_set_that_fails_leaves_nothing(tmp_path: Path) -> None:
    folder = squares(tmp_path / "set")
    (folder / "images" / "im2.png").write_bytes(b"no image")
    with pytest.raises(Exception, match="im2"):
        write_shifted(open_dataset(folder), "edges", tmp_path / "new", progress=lambda share: None)
    assert not (tmp_path / "new").exists()


# --- rows, one by one -------------------------------------------------------------------------------------------------

ASKING = Asking("toy", None, {"own": None}, 4, 0, None)

KILLED = """
    import os, signal, sys
    from pathlib import Path
    import samtta_app.bench.uncertainty_run as uncertainty
    from samtta_app.simulation.streams import Source
    from samtta_app.engine.dispatch import Engine
    from samtta_app.model.model_registry import toy_model
    from tests.unit.bench.test_odd_names import ASKING, silent

    number = int(sys.argv[3])
    real = os.fsync
    def deadly(handle):
        global number
        number -= 1
        if number == 0:
            os.write(handle, b'{"set": "cut')
            os.kill(os.getpid(), signal.SIGKILL)
        real(handle)
    os.fsync = deadly
    uncertainty.run_uncertainty(Engine(toy_model()), [Source((Path(sys.argv[1]),))], ASKING, silent, Path(sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_kill_loses_the_object_at_work_at_most(shared_dataset: Path, toy: Engine, tmp_path: Path) -> None:
    import textwrap

    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(shared_dataset), str(tmp_path), "3"]
    assert subprocess.run(command, cwd=root, timeout=300, check=False).returncode < 0
    kept = read_rows(tmp_path / RECORDS, ASKING.words)
    assert len(kept) in (2, 3)
    rows = run_uncertainty(toy, [Source((shared_dataset,))], ASKING, silent, tmp_path)
    assert [row for row in rows if row.key in {one.key for one in kept}] == list(kept)
    assert read_rows(tmp_path / RECORDS, ASKING.words) == rows


def test_a_row_is_added_and_the_others_are_not_written_again(shared_dataset: Path, toy: Engine, tmp_path: Path) -> None:
    places = []

    def told(share: float, words: str) -> None:
        places.append((tmp_path / RECORDS).stat().st_ino)

    run_uncertainty(toy, [Source((shared_dataset,))], ASKING, told, tmp_path)
    assert len(set(places)) == 1
    assert len(places) == 4
