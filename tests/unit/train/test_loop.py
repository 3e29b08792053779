"""A run learns, writes a model, resumes to the same result and says what is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from samtta_app.model import compact
from samtta_app.model.compact import CompactConfig, build_compact, load_compact
from samtta_app.train import evaluate, loop
from samtta_app.train.checkpoint import Progress, read_checkpoint
from samtta_app.train.crops import Zoom, draw_view
from samtta_app.train.evaluate import click_through, failure_rate, held_out_views, measure_curve
from samtta_app.train.loop import learning_rate, make_optimiser, stage_share, train_model, update_ema
from samtta_app.train.recipe import Stage
from samtta_app.train.rounds import StepResult
from tests.unit.train.material import record, write_set

TOY = CompactConfig(name="small", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64)
STAGE = Stage(name="a", size=64, images=2, targets=2, lr=1e-3, lr_end=1e-5, steps=4, warmup=1)


@pytest.fixture(autouse=True)
def toy_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CONFIGS", {"small": TOY})
    monkeypatch.setattr(loop, "HELD_OUT_OBJECTS", 1)
    monkeypatch.setattr(loop, "HELD_OUT_CLICKS", 1)


def recipe(folder: Path, steps: int) -> Path:
    file = folder / f"recipe{steps}.toml"
    file.write_text(
        "workers = 0\n[mixture]\nset = 0.7\nsynthetic = 0.3\n"
        '[[stage]]\nname = "a"\nsize = 64\nimages = 2\ntargets = 2\nlr = 1e-3\nlr_end = 1e-3\nwarmup = 1\n'
        f"steps = {steps}\n"
    )
    return file


def test_a_run_writes_a_model_that_answers_and_moves_its_weights(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set")
    out = tmp_path / "m.safetensors"
    progress = train_model([data], size="small", out=out, recipe=recipe(tmp_path, 2), threads=1)
    assert progress.step == 2
    assert progress.masks == 8
    assert "set@1" in progress.history[-1]
    torch.manual_seed(1)
    untrained = build_compact(TOY)
    key = "mask_decoder.mask_tokens.weight"
    assert not torch.allclose(load_file(out)[key].float(), untrained.state_dict()[key], atol=1e-4)
    assert load_compact(out).config == TOY


def test_an_interrupted_run_resumes_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_set(tmp_path / "set")
    whole, halves = tmp_path / "whole.safetensors", tmp_path / "halves.safetensors"
    train_model([data], size="small", out=whole, recipe=recipe(tmp_path, 4), threads=1)
    state: dict[str, Path] = {}

    class StoppedError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.step == 2:
            raise StoppedError

    original = loop.run_stage

    def run_and_save(run: loop.Run, *rest: object) -> None:
        try:
            original(run, *rest)  # type: ignore[arg-type]
        finally:
            run.save()
            state["file"] = run.checkpoint

    monkeypatch.setattr(loop, "run_stage", run_and_save)
    with pytest.raises(StoppedError):
        train_model([data], size="small", out=halves, recipe=recipe(tmp_path, 4), threads=1, report=stop)
    monkeypatch.setattr(loop, "run_stage", original)
    train_model([data], size="small", out=halves, recipe=recipe(tmp_path, 4), threads=1, resume=state["file"])
    for key, value in load_file(whole).items():
        assert torch.equal(value, load_file(halves)[key]), key


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set")
    out = tmp_path / "m.safetensors"
    train_model([data], size="small", out=out, recipe=recipe(tmp_path, 1), threads=1)
    with pytest.raises(ValueError, match="another architecture"):
        read_checkpoint(tmp_path / "m.resume.pt", compact.SMALL)
    (tmp_path / "x.pt").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"x\.pt"):
        read_checkpoint(tmp_path / "x.pt", TOY)


def test_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no dataset"):
        train_model([], size="small", out=tmp_path / "m", recipe=recipe(tmp_path, 1))


def test_when_the_disk_is_full_the_previous_checkpoint_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data, out = write_set(tmp_path / "set"), tmp_path / "m.safetensors"
    train_model([data], size="small", out=out, recipe=recipe(tmp_path, 1), threads=1)
    before = (tmp_path / "m.resume.pt").read_bytes()

    def full(_: object, path: Path) -> None:
        path.write_bytes(b"half a check")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("samtta_app.train.checkpoint.torch.save", full)
    train_model([data], size="small", out=out, recipe=recipe(tmp_path, 1), threads=1)
    assert (tmp_path / "m.resume.pt").read_bytes() == before
    assert not (tmp_path / "m.resume.pt.part").exists()
    assert "the previous checkpoint stands" in caplog.text


def test_sets_without_a_usable_image_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = write_set(tmp_path / "set")
    for file in (data / "images").iterdir():
        file.write_bytes(b"no picture")
    with pytest.raises(ValueError, match="no usable image"):
        train_model([data], size="small", out=tmp_path / "m", recipe=recipe(tmp_path, 1), threads=1)
    assert "p0.png" in caplog.text


def test_the_learning_rate_warms_up_and_falls() -> None:
    progress = [Progress(stage_step=step) for step in range(5)]
    rates = [learning_rate(STAGE, p) for p in progress]
    assert rates[0] == pytest.approx(1e-3)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(1e-5)
    assert stage_share(Stage("b", 64, 1, 1, 1e-3, 0, minutes=2), Progress(stage_seconds=60)) == 0.5


def test_frozen_parts_are_not_trained_and_a_later_stage_frees_them() -> None:
    model = build_compact(TOY)
    make_optimiser(model, Stage("a", 64, 1, 1, 1e-3, 0, steps=1, frozen=("conv_stem",)))
    stem = model.image_encoder.backbone.conv_stem.weight
    assert not stem.requires_grad
    optimiser = make_optimiser(model, STAGE)
    assert stem.requires_grad
    held = sum(len(group["params"]) for group in optimiser.param_groups)
    assert held == len(list(model.parameters()))


def test_the_average_follows_the_model() -> None:
    model, average = build_compact(TOY), build_compact(TOY)
    before = average.mask_decoder.iou_token.weight.clone()
    target = model.mask_decoder.iou_token.weight
    update_ema(average, model, 0.9, step=1000)
    after = average.mask_decoder.iou_token.weight
    assert torch.allclose(after, 0.9 * before + 0.1 * target, atol=1e-6)


def test_the_clicker_measures_one_iou_per_click() -> None:
    torch.manual_seed(0)
    views = held_out_views([record(0), record(1)], 2, 64, seed=0)
    assert len(views) == 2
    curve = measure_curve(build_compact(TOY), views, 3)
    assert curve.ious.shape == (2, 3)
    assert ((curve.ious >= 0) & (curve.ious <= 1)).all()
    assert curve.at(3) == pytest.approx(curve.ious[:, 2].mean())
    assert failure_rate(curve, 1.1) == 1


def test_a_perfect_answer_needs_no_more_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    view = draw_view(record(0), 64, 1, Zoom(), np.random.default_rng(0))
    truth = torch.from_numpy(view.masks[0].astype(np.float32))[None, None] * 2 - 1

    def perfect(*_: object) -> compact.DecoderOutput:
        return compact.DecoderOutput(truth.expand(1, 4, -1, -1), torch.ones(1, 4), torch.zeros(1, 5, 32))

    monkeypatch.setattr("samtta_app.train.evaluate.decode", perfect)
    ious, best, errors, obeyed = click_through(build_compact(TOY), view, 4)
    assert ious == [1.0] * 4
    assert best == 1.0
    assert errors == [0.0]
    assert obeyed == [True]


def test_masks_that_stay_empty_end_the_run_with_a_clear_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "EMPTY_AFTER", 1)
    original = loop.interactive_step

    def empty(*arguments: object) -> StepResult:
        result = original(*arguments)  # type: ignore[arg-type]
        return StepResult(result.loss, 0.0, 0.0, 0.0)

    monkeypatch.setattr(loop, "interactive_step", empty)
    with pytest.raises(ValueError, match="still empty"):
        train_model(
            [write_set(tmp_path / "set")], size="small", out=tmp_path / "m", recipe=recipe(tmp_path, 1), threads=1
        )


def test_the_evaluation_command_tells_and_writes_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_set(tmp_path / "set")
    compact.save_compact(build_compact(TOY), tmp_path / "m.safetensors")
    limits = ["--objects", "2", "--clicks", "2", "--size", "64", "--threads", "1"]
    json_file = tmp_path / "figures.json"
    evaluate.main([str(tmp_path / "m.safetensors"), str(data), *limits, "--json", str(json_file)])
    assert capsys.readouterr().out.startswith("set ")
    figures = json.loads(json_file.read_text())["set"]
    assert figures["objects"] == 2
    assert len(figures["iou"]) == 2


@pytest.mark.parametrize("minutes", [3.0, 0.0, -1.0])
def test_a_recipe_of_steps_cannot_be_scaled_to_minutes(tmp_path: Path, minutes: float) -> None:
    with pytest.raises(ValueError, match=r"recipe2\.toml: only stages with minutes"):
        train_model(
            [tmp_path], size="small", out=tmp_path / "m", recipe=recipe(tmp_path, 2), threads=1, minutes=minutes
        )


def test_the_evaluation_command_names_a_set_without_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_set(tmp_path / "set")
    (data / "split.json").write_text(json.dumps({"test": []}))
    compact.save_compact(build_compact(TOY), tmp_path / "m.safetensors")
    with pytest.raises(SystemExit):
        evaluate.main([str(tmp_path / "m.safetensors"), str(data), "--threads", "1"])
    assert "no usable image with an object" in capsys.readouterr().err


def test_a_checkpoint_keeps_where_the_run_was(tmp_path: Path) -> None:
    data, out = write_set(tmp_path / "set"), tmp_path / "m.safetensors"
    done = train_model([data], size="small", out=out, recipe=recipe(tmp_path, 2), threads=1)
    values = read_checkpoint(tmp_path / "m.resume.pt", TOY)
    assert Progress(**values["progress"]) == done
    assert (done.stage, done.stage_step, done.step) == (1, 0, 2)
    again = train_model(
        [data], size="small", out=out, recipe=recipe(tmp_path, 2), threads=1, resume=tmp_path / "m.resume.pt"
    )
    assert (again.step, len(again.history)) == (2, len(done.history))  # nothing was left to do
