from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from samtta_app.bench.busy_machine import all_cores_busy
from samtta_app.bench.speed import Speed, run_speed, show_speed
from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.messages import AutomaticRequest
from samtta_app.core.replies import AutomaticMasks
from samtta_app.engine.dispatch import Engine, run
from samtta_app.images.read import from_array
from samtta_app.model.model_registry import toy_model
from samtta_app.model.official_predictor import official_generator, official_predictor, stock_model
from tests.unit.model.test_hypotheses import nets_of


@pytest.fixture(scope="module")
def speed() -> Speed:
    return run_speed(
        model=Engine(toy_model()), repeats=3, official=stock_model(size=64), points_per_side=2, sides=(64, 300)
    )


def test_what_a_person_waits_for_is_measured(speed: Speed) -> None:
    for name in (
        "encoder",
        "click to mask, at rest",
        "click to mask, all cores busy",
        "click to mask, while learning",
        "one learning step",
        "learning from an accepted object",
    ):
        timing = speed.timing(name)
        assert 0 < timing.p50 <= timing.p95
        assert timing.repeats >= 3


def test_a_whole_lesson_takes_longer_than_one_of_its_steps(speed: Speed) -> None:
    assert speed.timing("learning from an accepted object").p50 > 2 * speed.timing("one learning step").p50


def test_the_official_predictor_is_measured_beside_it(speed: Speed) -> None:
    assert [r.name for r in speed.ratios] == [
        "encode (stock-192x4, 64 px)",
        "encode, peak memory",
        "click to masks",
        "click to masks, p95",
        "click to masks, 300 px",
        "click to masks, all cores busy",
        "click to masks, all cores busy, p95",
        "automatic masks of 4 clicks, already encoded",
    ]
    assert all(r.ours > 0 and r.theirs > 0 and r.ratio > 0 for r in speed.ratios)
    rest, tail = speed.ratios[2:4]
    assert [r.unit for r in speed.ratios].count("MB") == 1
    assert (tail.ours >= rest.ours, tail.theirs >= rest.theirs) == (True, True)
    assert tail.ratio == pytest.approx(tail.ours / tail.theirs)


def test_clicks_are_measured_in_windows_of_several_sides(speed: Speed) -> None:
    assert [look.side for look in speed.looks] == [64, 300]
    for look in speed.looks:
        assert look.seconds > 0
        assert not look.megabytes < -1  # nan where the system does not tell


@pytest.mark.skipif(sys.platform != "linux", reason="the children of a process are read from Linux's /proc")
def test_while_the_cores_are_busy_a_process_spins_on_each_and_none_is_left() -> None:
    def children() -> set[str]:
        return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())

    before = children()  # the tests' own screen, for example
    with all_cores_busy():
        spinning = children() - before
        assert len(spinning) >= (os.cpu_count() or 1)
    assert not spinning & children()


def test_progress_goes_from_none_to_all_and_timings_are_written_also_of_plausible_outlines(
    speed: Speed, tmp_path: Path
) -> None:
    told: list[float] = []
    plain = toy_model()
    found = run_speed(
        model=Engine(replace(plain, hypotheses=nets_of(plain, 0.3))),
        repeats=3,
        official=stock_model(size=64),
        points_per_side=2,
        sides=(),
        out=tmp_path / "out",
        progress=lambda share, _: told.append(share),
    )
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert len(json.loads((tmp_path / "out" / "speed.json").read_text())["timings"]) == 7
    assert found.timing("sixteen plausible outlines").p50 > 0
    assert len(found.done) == len(set(found.done)) == 9
    assert "sixteen plausible outlines" not in [timing.name for timing in speed.timings]


def test_a_run_that_was_stopped_goes_on_with_the_next_part(speed: Speed, tmp_path: Path) -> None:
    given = {"model": Engine(toy_model()), "official": stock_model(size=64), "points_per_side": 2, "sides": (64, 300)}
    said: list[str] = []

    def stop(line: str) -> None:
        said.append(line)
        raise KeyboardInterrupt

    def stopped(repeats: int) -> dict[str, Any]:
        with pytest.raises(KeyboardInterrupt):
            run_speed(**given, repeats=repeats, out=tmp_path, say=stop)
        return json.loads((tmp_path / "speed.json").read_text())

    first = stopped(3)
    assert first["done"] == ["encoder and clicks"]
    again = stopped(3)
    assert again["timings"][:2] == first["timings"]
    assert again["done"] == list(speed.done[:2])
    assert [line.partition(":")[0] for line in said] == ["encoder", "click to mask, while learning"]
    others = [name for name in speed.done if name != "clicks in 300 px"]
    (tmp_path / "speed.json").write_text(json.dumps(again | {"done": others}))
    whole = run_speed(**given, repeats=3, out=tmp_path, say=said.append)
    assert said[2:] == [f"click to masks in 300 px, already encoded: {1000 * whole.looks[0].seconds:,.0f} ms"]
    assert {*whole.done} == {*speed.done}
    assert stopped(4)["done"] == ["encoder and clicks"], "other settings are measured anew"
    (tmp_path / "speed.json").write_text('{"model": "of an earlier version"}')
    assert stopped(4)["done"] == ["encoder and clicks"]


def test_the_tables_give_milliseconds_and_ratios(speed: Speed) -> None:
    console = Console(file=io.StringIO(), width=120)
    show_speed(console, speed)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for expected in ("p95 ms", "while learning", "64 px", "300 px", "peak MB", "ratio", "SamPredictor", "MB", "GFLOPS"):
        assert expected in text


def test_both_sides_of_the_comparison_run_the_same_weights() -> None:
    model = stock_model(size=64)
    predictor = official_predictor(model)
    assert predictor.model is model.net
    rng = np.random.default_rng(0)
    predictor.set_image(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    masks, _, _ = predictor.predict(np.array([[30.0, 30.0]]), np.array([1]), multimask_output=True)
    assert masks.shape == (3, 64, 64)


def test_both_sides_of_automatic_masks_find_the_same_in_what_is_encoded() -> None:
    model, settings = stock_model(size=64), AutomaticSettings(points_per_side=3, pred_iou=-100.0, stability=0.0)
    image = from_array(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    predictor, encoded = official_predictor(model), []
    predictor.set_image(image.pixels)
    model.net.image_encoder.register_forward_hook(lambda *_: encoded.append(1))
    generator = official_generator(predictor, settings)
    theirs = [each["area"] for each in (generator(image.pixels), generator(image.pixels))[1]]
    assert encoded == []
    ours = run(Engine(model), AutomaticRequest(1, image, settings))
    assert isinstance(ours, AutomaticMasks)
    assert [each.mask.area for each in ours.masks] == theirs


def test_the_stock_model_is_the_same_for_a_seed() -> None:
    one, other = (stock_model(size=64, seed=2).frozen.tensors for _ in range(2))
    assert all(bool((one[name] == other[name]).all()) for name in one)
