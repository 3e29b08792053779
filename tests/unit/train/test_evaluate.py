"""Held-out figures: one IoU per click, and a command that tells them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from samtta_app.model.backbones import compact
from samtta_app.model.backbones.compact import build_compact
from samtta_app.train.compact import evaluate
from samtta_app.train.compact.evaluate import click_through, curve_failure_rate, measure_curve
from samtta_app.train.data.crops import Zoom, draw_view, held_out_views
from tests.unit.train.material import record, write_set
from tests.unit.train.toy import TOY


def test_the_clicker_measures_one_iou_per_click() -> None:
    torch.manual_seed(0)
    views = held_out_views([record(0), record(1)], 2, 64, seed=0)
    assert len(views) == 2
    curve = measure_curve(build_compact(TOY), views, 3)
    assert curve.ious.shape == (2, 3)
    assert ((curve.ious >= 0) & (curve.ious <= 1)).all()
    assert curve.at(3) == pytest.approx(curve.ious[:, 2].mean())
    assert curve_failure_rate(curve, 1.1) == 1


def test_a_perfect_answer_needs_no_more_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    view = draw_view(record(0), 64, 1, Zoom(), np.random.default_rng(0))
    truth = torch.from_numpy(view.masks[0].astype(np.float32))[None, None] * 2 - 1

    def perfect(*_: object) -> compact.DecoderOutput:
        return compact.DecoderOutput(truth.expand(1, 4, -1, -1), torch.ones(1, 4), torch.zeros(1, 5, 32))

    monkeypatch.setattr("samtta_app.train.compact.evaluate.decode_rounds", perfect)
    ious, best, errors, obeyed = click_through(build_compact(TOY), view, 4)
    assert ious == [1.0] * 4
    assert best == 1.0
    assert errors == [0.0]
    assert obeyed == [True]


def test_the_evaluation_command_tells_and_writes_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_set(tmp_path / "set")
    compact.save_compact(build_compact(TOY), tmp_path / "m.safetensors")
    limits = ["--objects", "2", "--clicks", "2", "--size", "64", "--threads", "1"]
    json_file = tmp_path / "figures.json"
    evaluate.evaluate_command([str(tmp_path / "m.safetensors"), str(data), *limits, "--json", str(json_file)])
    assert capsys.readouterr().out.startswith("set ")
    figures = json.loads(json_file.read_text())["set"]
    assert figures["objects"] == 2
    assert len(figures["iou"]) == 2


def test_the_evaluation_command_names_a_set_without_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_set(tmp_path / "set")
    (data / "split.json").write_text(json.dumps({"test": []}))
    compact.save_compact(build_compact(TOY), tmp_path / "m.safetensors")
    with pytest.raises(SystemExit):
        evaluate.evaluate_command([str(tmp_path / "m.safetensors"), str(data), "--threads", "1"])
    assert "no usable image with an object" in capsys.readouterr().err


def test_the_evaluation_command_names_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_set(tmp_path / "set")
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    compact.save_compact(build_compact(TOY), tmp_path / "m.safetensors")
    for words in (("broken.safetensors", "set"), ("m.safetensors", "nowhere")):
        with pytest.raises(SystemExit):
            evaluate.evaluate_command([*(str(tmp_path / word) for word in words), "--threads", "1"])
        error = capsys.readouterr().err
        assert ("broken" if "broken" in words[0] else "nowhere") in error
    assert data.is_dir()
