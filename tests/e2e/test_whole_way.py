"""The whole way once, in the real window of the real program, with the shipped model: nothing that was accepted is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from samtta_app.datasets.samples.cell_images import make_cells
from samtta_app.session.project.store import Store
from tests.e2e.display import screen

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and Xvfb are of Unix")


@dataclass(frozen=True)
class Ending:
    """How a run of the program ended and what the hand saw in its window."""

    code: int
    seen: Mapping[str, Any]
    said: str


@pytest.fixture(scope="module")
def shown_on() -> Iterator[dict[str, str]]:
    with screen() as variables:
        yield variables


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, list[tuple[int, int]]]:
    """A sample image, and a point well inside each object that no other part of the window lies over, largest first."""
    made = make_cells(np.random.default_rng(5), 0)
    numbers = sorted(np.unique(made.labels[made.labels > 0]), key=lambda n: -np.count_nonzero(made.labels == n))
    inner = []
    for number in numbers:
        depth = cv2.distanceTransform((made.labels == number).astype(np.uint8), cv2.DIST_L2, 5)
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        if row < 0.6 * made.labels.shape[0]:
            inner.append((int(column), int(row)))
    return made.pixels, inner


@pytest.fixture
def folder(tmp_path: Path, sample: tuple[np.ndarray, list[tuple[int, int]]]) -> Path:
    images = tmp_path / "dishes"
    images.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(images / name), sample[0][..., ::-1])
    return images


def run(plan: str, folder: Path, variables: Mapping[str, str], **more: object) -> Ending:
    """Run `samtta open FOLDER` with a hand at its window."""
    report = folder.parent / f"{plan}.json"
    named = {f"SAMTTA_{name.upper()}": str(value) for name, value in more.items()}
    command = [sys.executable, "-m", "tests.e2e.hand", plan, str(report), "open", str(folder)]
    environment = {**os.environ, **variables, **named, "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    seen = json.loads(report.read_text()) if report.exists() else {}
    return Ending(done.returncode, seen, done.stdout + done.stderr)


def test_click_accept_learn_export_close_and_reopen_finds_everything(
    folder: Path, shown_on: dict[str, str], sample: tuple[np.ndarray, list[tuple[int, int]]]
) -> None:
    places, export = json.dumps(sample[1]), folder.parent / "out"
    first = run("whole_way", folder, shown_on, places=places, export=export)
    assert first.code == 0, first.said
    assert "error" not in first.seen, first.seen
    assert "Traceback" not in first.said
    shares = first.seen["candidates"]
    assert 1 <= len(shares) <= 4
    assert 1 <= sum(shares) <= 16
    assert first.seen["version"] > 0
    assert first.seen["reports"] >= len(first.seen["areas"]) >= 2
    assert "dishes" in first.seen["title"]

    exported = COCO(export / "annotations/instances_default.json")
    areas = [int(exported.annToMask(a).sum()) for a in sorted(exported.anns.values(), key=lambda a: a["id"])]
    assert areas == first.seen["areas"]

    second = run("look_again", folder, shown_on, places=places, version=first.seen["version"])
    assert second.code == 0, second.said
    assert "error" not in second.seen, second.seen
    for name in ("image", "areas", "clicks", "version", "reports", "objects"):
        assert second.seen[name] == first.seen[name], name
    assert second.seen["answered_by"] == first.seen["version"]


def test_a_killed_process_loses_nothing_that_was_accepted(
    folder: Path, shown_on: dict[str, str], sample: tuple[np.ndarray, list[tuple[int, int]]]
) -> None:
    ending = run("be_killed", folder, shown_on, places=json.dumps(sample[1]))
    assert ending.code == -signal.SIGKILL, (ending.seen, ending.said)
    assert ending.seen["accepted"] == 3
    with Store.open(folder) as store:
        assert not store.read_only
        found = store.annotations("a.png")
        assert [a.mask.area for a in found] == ending.seen["areas"]
        assert all(len(a.history) == 1 for a in found)
        assert len(store.records()) == 3
    again = run("look_again", folder, shown_on, places=json.dumps(sample[1]), version=_published(folder))
    assert again.code == 0, again.said
    assert again.seen["areas"] == ending.seen["areas"]


def _published(folder: Path) -> int:
    with Store.open(folder) as store:
        return store.published()


def test_a_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "samtta_app", "open", str(tmp_path / "missing")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "missing" in done.stderr
    assert len(done.stderr.splitlines()) == 1
