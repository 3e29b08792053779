"""A run learns, writes a model, goes on where it was stopped and says what is wrong before anything is lost."""

import json
import logging
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from samtta_app.errors import CheckpointError, DatasetError, SettingsError, TrainingError
from samtta_app.model.backbones.compact import build_compact, load_compact, save_compact
from samtta_app.train.checkpoint import RunCounter, read_checkpoint
from samtta_app.train.compact import training_command
from samtta_app.train.compact.progress import RunStanding
from samtta_app.train.compact.training_command import train_model
from samtta_app.train.interruption import Interruption, interruptible
from tests.unit.train.material import write_set
from tests.unit.train.toy import TOY, at_step, files_up_to, make_small, press_ctrl_c, recipe, same_weights, told


@pytest.fixture(autouse=True)
def toy_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set")


def train(data: Path, out: Path, plan: Path, **options: object) -> RunCounter:
    given = {"size": "small", "threads": 1, "device": "cpu", **options}
    return train_model([data], out=out, recipe=plan, **given)  # type: ignore[arg-type]


# --- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_writes_a_model_that_answers_and_moves_its_weights(tmp_path: Path, data: Path) -> None:
    out = tmp_path / "m.safetensors"
    progress = train(data, out, recipe(tmp_path, 2))
    assert (progress.step, progress.masks) == (2, 8)
    torch.manual_seed(1)
    untrained = build_compact(TOY)
    key = "mask_decoder.mask_tokens.weight"
    assert not torch.allclose(load_file(out)[key].float(), untrained.state_dict()[key], atol=1e-4)
    assert load_compact(out).config == TOY


def test_held_out_images_are_measured_at_the_start_and_after_each_stage(tmp_path: Path, data: Path) -> None:
    seen: list[RunStanding] = []
    progress = train(data, tmp_path / "m.safetensors", recipe(tmp_path, 2, 1), report=seen.append)
    assert [row["step"] for row in progress.history] == [0, 2, 3]
    assert all({"set@1", "set@3", "set@5"} <= set(row) for row in progress.history)
    assert [(s.step, s.stage) for s in seen] == [(1, "a"), (2, "a"), (3, "b")]
    first = progress.history[0]
    assert seen[0].held_out == pytest.approx([first["set@1"], first["set@3"], first["set@5"]])
    assert seen[-1].share == 1
    assert [s.share for s in seen] == sorted(s.share for s in seen)


def test_a_run_begins_with_a_trained_model(tmp_path: Path, data: Path) -> None:
    torch.manual_seed(5)
    given = build_compact(TOY)
    save_compact(given, tmp_path / "given.safetensors")
    weights = {}

    def look(run: training_command.CompactRun, *_: object) -> None:
        weights.update(run.ema.state_dict())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_command, "run_stages", look)
        train(data, tmp_path / "m.safetensors", recipe(tmp_path, 1), start=tmp_path / "given.safetensors")
    key = "mask_decoder.iou_token.weight"
    assert torch.equal(weights[key], given.state_dict()[key].half().float())


def test_sets_that_the_recipe_does_not_know_are_learnt_from(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "samtta_app.train")
    train(write_set(tmp_path / "wounds"), tmp_path / "m.safetensors", recipe(tmp_path, 1))
    assert "shares: synthetic 0.30, wounds 0.70" in told(caplog)


# --- stopping and going on ------------------------------------------------------------------------------------------


def test_a_run_stopped_by_ctrl_c_anywhere_goes_on_to_the_same_weights(tmp_path: Path, data: Path) -> None:
    plan = recipe(tmp_path, 2, 2)
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    train(data, whole, plan, threads=2)
    for step in (1, 2, 3):  # within the first stage, at its end, within the second
        with pytest.raises(Interruption, match=r"--resume .*parts\.resume\.pt") as stopped:
            train(data, parts, plan, threads=2, fresh=True, report=at_step(step, press_ctrl_c))
        assert stopped.value.step == step
        assert stopped.value.checkpoint == tmp_path / "parts.resume.pt"
        done = train(data, parts, plan, threads=2, resume=stopped.value.checkpoint)
        assert done.step == 4
        assert same_weights(whole, parts)


def test_a_run_stopped_twice_keeps_one_checkpoint_file(tmp_path: Path, data: Path) -> None:
    plan, out, kept = recipe(tmp_path, 3), tmp_path / "m.safetensors", tmp_path / "kept" / "run.pt"
    with pytest.raises(Interruption):
        train(data, out, plan, checkpoint=kept, report=at_step(1, press_ctrl_c))
    with pytest.raises(Interruption):
        train(data, out, plan, resume=kept, report=at_step(2, press_ctrl_c))
    assert read_checkpoint(kept, TOY).progress.step == 2
    assert not (tmp_path / "m.resume.pt").exists()


def test_a_second_ctrl_c_ends_at_once() -> None:
    with interruptible() as stop:
        press_ctrl_c()
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()


def test_outside_of_the_main_thread_signals_are_left_alone() -> None:
    seen = []

    def work() -> None:
        with interruptible() as stop:
            seen.append(stop.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


def test_a_finished_run_has_nothing_left_to_do_but_writes_its_model_again(tmp_path: Path, data: Path) -> None:
    plan, out = recipe(tmp_path, 2), tmp_path / "m.safetensors"
    done = train(data, out, plan)
    assert read_checkpoint(tmp_path / "m.resume.pt", TOY).progress == done
    assert (done.stage, done.stage_step, done.step) == (1, 0, 2)
    before = out.rename(tmp_path / "before.safetensors")
    again = train(data, out, plan, resume=tmp_path / "m.resume.pt")
    assert (again.step, len(again.history)) == (2, len(done.history))
    assert same_weights(out, before)


def test_a_checkpoint_of_an_earlier_run_is_not_written_over(tmp_path: Path, data: Path) -> None:
    plan, out = recipe(tmp_path, 1), tmp_path / "m.safetensors"
    train(data, out, plan)
    before = (tmp_path / "m.resume.pt").read_bytes()
    with pytest.raises(TrainingError, match=r"earlier run .*m\.resume\.pt.*--resume .*--fresh"):
        train(data, out, recipe(tmp_path, 2))
    assert (tmp_path / "m.resume.pt").read_bytes() == before
    assert train(data, out, recipe(tmp_path, 2), fresh=True).step == 2
    assert read_checkpoint(tmp_path / "m.resume.pt", TOY).progress.step == 2


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path, data: Path) -> None:
    out = tmp_path / "m.safetensors"
    with pytest.raises(Interruption):
        train(data, out, recipe(tmp_path, 4), report=at_step(1, press_ctrl_c))
    with pytest.raises(CheckpointError, match="trains other layers"):
        train(data, out, recipe(tmp_path, 4, 4), resume=tmp_path / "m.resume.pt")


# --- a full disk ----------------------------------------------------------------------------------------------------


def test_on_a_full_disk_the_previous_checkpoint_stands_and_the_model_can_be_written_later(
    tmp_path: Path, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out, kept = tmp_path / "m.safetensors", tmp_path / "m.resume.pt"
    with pytest.raises(Interruption):
        train(data, out, recipe(tmp_path, 2), report=at_step(1, press_ctrl_c))
    before = kept.read_bytes()
    with files_up_to(100_000), pytest.raises(TrainingError, match=r"was not written.*--resume .*m\.resume\.pt"):
        train(data, out, recipe(tmp_path, 2), resume=kept)
    assert kept.read_bytes() == before
    assert not out.exists()
    assert "the previous checkpoint stands" in caplog.text
    assert "was not written yet" in caplog.text
    assert {file.name for file in tmp_path.iterdir()} == {"set", "recipe-2-2.toml", "m.resume.pt"}
    train(data, out, recipe(tmp_path, 2), resume=kept)
    assert load_compact(out).config == TOY


# --- what is refused before anything is read ------------------------------------------------------------------------


def test_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no data set"):
        train_model([], size="small", out=tmp_path / "m.safetensors", recipe=recipe(tmp_path, 1))


def test_two_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    folders = [write_set(tmp_path / "one" / "cells"), write_set(tmp_path / "two" / "cells")]
    with pytest.raises(DatasetError, match=r"'cells' is taken .*two"):
        train_model(folders, size="small", out=tmp_path / "m.safetensors", recipe=recipe(tmp_path, 1))
    with pytest.raises(DatasetError, match="'synthetic' is taken"):
        train_model([tmp_path / "synthetic"], size="small", out=tmp_path / "m.safetensors", recipe=recipe(tmp_path, 1))


def test_a_size_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path, data: Path) -> None:
    with pytest.raises(SettingsError, match=r"no model of size 'huge'.*Choose one of small"):
        train(data, tmp_path / "m.safetensors", recipe(tmp_path, 1), size="huge")


def test_a_device_that_is_not_there_is_refused(tmp_path: Path, data: Path) -> None:
    with pytest.raises(SettingsError, match="'quantum' cannot be used"):
        train(data, tmp_path / "m.safetensors", recipe(tmp_path, 1), device="quantum")


@pytest.mark.parametrize("name", ["m", "m.pt", "folder.safetensors"])
def test_a_model_file_of_another_kind_is_refused(tmp_path: Path, data: Path, name: str) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(TrainingError, match=r"must end in \.safetensors"):
        train(data, tmp_path / name, recipe(tmp_path, 1))


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path, data: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(TrainingError, match=r"cannot be written to.*file"):
        train(data, tmp_path / "file" / "m.safetensors", recipe(tmp_path, 1))
    with pytest.raises(TrainingError, match=r"cannot be written to.*file"):
        train(data, tmp_path / "m.safetensors", recipe(tmp_path, 1), checkpoint=tmp_path / "file" / "c.pt")


def test_starting_weights_that_cannot_be_used_are_refused(tmp_path: Path, data: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    for name in ("start", "backbone"):
        for file in ("broken.safetensors", "nowhere.safetensors"):
            with pytest.raises(CheckpointError, match=file.split(".")[0]):
                train(data, tmp_path / "m.safetensors", recipe(tmp_path, 1), **{name: tmp_path / file})


def test_sets_without_a_usable_image_are_refused(tmp_path: Path, data: Path, caplog: pytest.LogCaptureFixture) -> None:
    for file in (data / "images").iterdir():
        file.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"no usable image with an object in .*set"):
        train(data, tmp_path / "m.safetensors", recipe(tmp_path, 1))
    assert "p0.png" in caplog.text


@pytest.mark.parametrize("text", [None, "{", json.dumps({"train": ["p0"]})])
def test_a_set_that_cannot_be_read_is_refused_with_its_folder(tmp_path: Path, data: Path, text: str | None) -> None:
    (data / "split.json").unlink()
    if text is not None:
        (data / "split.json").write_text(text)
    with pytest.raises(DatasetError, match="set"):
        train(data, tmp_path / "m.safetensors", recipe(tmp_path, 1))


# --- python -m samtta_app.train.compact.training_command ------------------------------------------------------------


def words(data: Path, tmp_path: Path, plan: Path) -> list[str]:
    return [str(data), "--out", str(tmp_path / "m.safetensors"), "--recipe", str(plan), "--threads", "1"]


def test_the_module_trains_with_a_plain_log(tmp_path: Path, data: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "samtta_app.train")
    training_command.train_command(
        [*words(data, tmp_path, recipe(tmp_path, 10, images=1)), "--size", "small", "--device", "cpu"]
    )
    lines = told(caplog, logging.DEBUG)
    assert "set: 2 images, 6 objects" in lines
    assert [line for line in lines if line.startswith("step 10 stage 0 (100 %)")]
    assert load_compact(tmp_path / "m.safetensors").config == TOY


def test_the_module_ends_with_one_line_where_something_is_wrong(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        training_command.train_command(words(data, tmp_path, tmp_path / "nowhere.toml"))
    assert end.value.code == 2
    assert "nowhere.toml" in capsys.readouterr().err
