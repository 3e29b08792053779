"""Ratios to the official predictor: what is compared, in which unit, and how fast the machine is."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from rich.console import Console

from samtta_app.bench import official_ratios as module
from samtta_app.bench.official_ratios import (
    SIDE,
    Ratio,
    click_request,
    matrix_gigaflops,
    official_ratios,
    random_image,
    ratio_table,
    seconds_of,
)
from samtta_app.model.official_predictor import random_official, stock_model

TIMES = Ratio("encode", 0.25, 0.5, 0.5, 3)
MEMORY = Ratio("memory", 3.0 * 2**20, 12.0 * 2**20, 0.25, 1, "MB")


def printed(*ratios: Ratio) -> list[str]:
    """The table's lines."""
    console = Console(file=io.StringIO(), width=100)
    console.print(ratio_table(ratios))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_times_are_shown_in_milliseconds_and_memory_in_megabytes() -> None:
    lines = printed(TIMES, MEMORY)
    (times,), (memory,) = ([line for line in lines if name in line] for name in ("encode", "memory"))
    assert [word for word in times.replace("│", " ").split() if word != "encode"] == [
        "250.0",
        "500.0",
        "ms",
        "0.50",
        "3",
    ]
    assert [word for word in memory.replace("│", " ").split() if word != "memory"] == ["3.0", "12.0", "MB", "0.25", "1"]


def test_a_product_of_matrices_takes_its_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds for 2 x 64^3 operations; the best of three counts."""
    taken = [2.0, 4.0, 3.0]

    def slowly(work: Callable[..., object], *inputs: object) -> float:
        work(*inputs)
        return taken.pop()

    monkeypatch.setattr(module, "_MATRIX", 64)
    monkeypatch.setattr(module, "seconds_of", slowly)
    assert matrix_gigaflops() == pytest.approx(2 * 64**3 / 2.0 / 1e9)
    assert taken == []


def test_seconds_are_those_of_the_call() -> None:
    heard: list[int] = []
    assert 0 <= seconds_of(heard.append, 7) < 10
    assert heard == [7]


def test_images_are_new_and_clicks_lie_within() -> None:
    rng = np.random.default_rng(0)
    image, other = random_image(rng), random_image(rng, 50)
    assert (image.width, image.height) == (SIDE, SIDE)
    assert (other.width, other.height) == (50, 50)
    clicks = [click_request(k, other, rng).prompt.clicks[0] for k in range(50)]
    assert all(10 <= click.x <= 40 and 10 <= click.y <= 40 and click.positive for click in clicks)
    assert len({click.x for click in clicks}) == 50


def test_each_side_of_large_windows_has_a_row() -> None:
    rows = official_ratios(stock_model(size=64), np.random.default_rng(0), 2, (100, 200), points=1)
    names = [row.name for row in rows]
    assert names[4:6] == ["click to masks, 100 px", "click to masks, 200 px"]
    assert all(row.ours > 0 and row.theirs > 0 for row in rows)


def test_a_sam_that_does_not_exist_is_not_made() -> None:
    with pytest.raises(KeyError):
        random_official("vit_x")
