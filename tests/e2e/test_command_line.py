"""The commands that measure run from end to end with the shipped model, and leave what they promise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from samtta_app.cli.entry import main

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments: str) -> int:
    """Run the command line here; its exit code."""
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


@dataclass(frozen=True)
class Demo:
    """What the demo did in a process without a display: its home, its lines, and before which of them it was done."""

    home: Path
    out: Path
    lines: list[str]
    finished_before: list[bool]
    code: int
    said: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo as it runs where no window can be opened; it makes one sample only, since making them takes longest."""
    home, out = tmp_path_factory.mktemp("demo-home"), tmp_path_factory.mktemp("demo") / "demo"
    code = (
        "import sys\n"
        "for name in ('PySide6', 'pyqtgraph', 'matplotlib'): sys.modules[name] = None\n"
        "from samtta_app.datasets.samples import sample_set\n"
        "sample_set.PER_LOOK, sample_set.SAMPLE_LOOKS = 1, {'cells': sample_set.make_cells}\n"
        "from samtta_app.cli.entry import main; main(sys.argv[1:])\n"
    )
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "PYTHONUNBUFFERED")
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | {"SAMTTA_HOME": str(home)}
    command = [sys.executable, "-c", code, "demo", "--objects", "2", "--out", str(out)]
    lines: list[str] = []
    finished_before: list[bool] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            lines.append(line.strip())
            finished_before.append((out / "pictures.png").exists())
        said = process.stderr.read()
    return Demo(home, out, lines, finished_before, process.returncode, said)


def test_the_simulated_demo_prints_both_sides_and_exports_and_a_second_one_never_writes_over_the_first(
    demo: Demo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    out, second = demo.out, demo.out.with_name("demo-2")
    for words in ("FR_20@85", "FR_30@90", "frozen", "adapted", str(out)):
        assert words in "\n".join(demo.lines)
    written = (out / "coco" / "annotations/instances_default.json").read_bytes()
    assert COCO(out / "coco" / "annotations/instances_default.json").getCatIds()
    assert list(out.glob("statistics/*.csv"))
    monkeypatch.setenv("SAMTTA_HOME", str(demo.home))
    assert call("demo", "--simulate", "--no-window", "--objects", "1", "--out", str(out)) == 0
    assert str(second) in capsys.readouterr().out
    assert (out / "coco" / "annotations/instances_default.json").read_bytes() == written


def test_without_a_display_the_demo_simulates_without_qt_and_says_each_step_as_it_goes(demo: Demo) -> None:
    assert demo.code == 0, demo.said
    lines = demo.lines
    assert lines[0].startswith("No window can be opened: there is no display")
    assert [line for line in lines if line.startswith("Making the sample images")][-1].endswith("100%")
    steps = [lines.index(line) for line in lines if re.match(r"Preparing|Loading the model|object [12] of 2: ", line)]
    assert len(steps) == 4
    assert steps == sorted(steps)
    assert not any(demo.finished_before[: steps[2] + 1]), "the first object was said while others were still to be done"
    assert str(demo.out / "pictures.png") in lines[-1]
    with Image.open(demo.out / "pictures.png") as pictures:
        assert pictures.height > 256


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two images with two bright discs each, in the layout of a data set folder."""
    folder = tmp_path / "discs"
    rows, columns = np.mgrid[0:120, 0:160]
    for name, places in (("a", ((40, 40), (80, 110))), ("b", ((60, 30), (50, 120)))):
        labels = np.zeros((120, 160), np.uint8)
        for number, (row, column) in enumerate(places, start=1):
            labels[np.hypot(rows - row, columns - column) < 20] = number
        for part, values in (("images", np.where(labels > 0, 210, 60).astype(np.uint8)), ("masks", labels)):
            (folder / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(folder / part / f"{name}.png")
    return folder


def test_the_bench_writes_one_record_per_click_of_every_side_and_goal(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "bench"
    assert call("bench", str(dataset), "--objects", "2", "--out", str(out)) == 0
    shown = capsys.readouterr().out
    assert "discs" in shown
    lines = [line for file in (out / "records").iterdir() for line in file.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    assert {(record["goal"], record["strategy"]) for record in records} == {
        (goal, strategy) for goal in ("20@85", "30@90") for strategy in ("frozen", "samtta")
    }
    assert {record["position"] for record in records} == {0, 1}
    assert (out / "summary.json").is_file()


def test_a_set_that_is_not_there_stops_the_bench_before_anything_is_measured(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert call("bench", str(dataset), str(tmp_path / "absent"), "--out", str(tmp_path / "out")) == 2
    assert "absent" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_training_with_a_recipe_that_is_not_there_says_so(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = (
        "train",
        "model",
        str(dataset),
        "--out",
        str(tmp_path / "m.safetensors"),
        "--recipe",
        str(tmp_path / "no.toml"),
    )
    assert call(*words) == 2
    assert "no.toml" in capsys.readouterr().err
