"""What the commands that many can share have in common: who works, what is said at the end, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import typer

from samtta_app.cli.pool_options import (
    SHOWN_ERRORS,
    chosen_pool,
    files_sent,
    run_in_shards,
    sent_model,
    works_in_shards,
)
from samtta_app.core.messages import ReportProgress
from samtta_app.errors import CheckpointError, SettingsError, UserError
from samtta_app.parallel.image_places import ImagePlace, ResultPlace
from samtta_app.parallel.shard_run import RunEnd, ShardPlan, ShardResult
from samtta_app.parallel.worker_pool import THIS_PROCESS, WorkerPool
from samtta_app.settings import model_folder, resource

IMAGES = tuple(ImagePlace(f"im{k}.png", f"im{k}.png") for k in range(SHOWN_ERRORS + 4))


def working(images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
    told(0.5, "half")
    return ShardResult({f"shards/{key}": b"found"})


def failing(images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
    return ShardResult({}, {image.name: f"{image.name} is torn\nhere" for image in images})


def refusing(images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
    raise UserError("The model cannot be loaded", "small", "Get it again")


def stopping(images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
    raise KeyboardInterrupt


def planned(out: Path, work: object) -> ShardPlan:
    return ShardPlan(IMAGES, ResultPlace(str(out)), {"kind": "test"}, lambda part: work, 8)  # type: ignore[arg-type, return-value]


def test_a_run_without_errors_says_how_much_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended: list[RunEnd] = []

    def finish(end: RunEnd, told: ReportProgress) -> str:
        ended.append(end)
        return "and more words"

    run_in_shards(planned(tmp_path, working), THIS_PROCESS, finish)
    said = capsys.readouterr()
    assert said.out == f"24 of 24 images are done in {tmp_path}\nand more words\n"
    assert said.err == ""
    assert (ended[0].failures, ended[0].errors) == ((), {})


def test_errors_are_lines_of_their_own_and_the_exit_code_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as end:
        run_in_shards(planned(tmp_path, failing), THIS_PROCESS)
    assert end.value.exit_code == 1
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert len(lines) == SHOWN_ERRORS + 1
    assert lines[0].startswith("samtta: im0.png is torn")
    assert lines[-1] == "and 4 more; the files of the manifest name them"
    assert said.out.startswith("0 of 24 images are done")


def test_a_shard_that_failed_is_named_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as end:
        run_in_shards(planned(tmp_path, refusing), THIS_PROCESS)
    assert end.value.exit_code == 1
    error = capsys.readouterr().err
    assert error.count("The model cannot be loaded (small). Get it again.") == 3
    assert error.count("samtta: shard ") == 3


def test_ctrl_c_ends_with_a_word_and_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as end:
        run_in_shards(planned(tmp_path, stopping), THIS_PROCESS)
    assert end.value.exit_code == 130
    assert "stopped; finished shards are kept, and the same command continues" in capsys.readouterr().err
    run_in_shards(planned(tmp_path, working), THIS_PROCESS)
    assert "24 of 24 images are done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("jobs", "ray", "shard", "places", "expected"),
    [
        (1, "", 0, ("images", "out"), False),
        (1, "", 0, (r"C:\images", r"D:\out"), False),
        (2, "", 0, ("images", "out"), True),
        (1, "auto", 0, ("images", "out"), True),
        (1, "", 5, ("images", "out"), True),
        (1, "", 0, ("s3://images", "out"), True),
        (1, "", 0, ("images", "gs://out"), True),
        (1, "", 0, ("list.txt", "out"), True),
    ],
)
def test_shards_are_for_many(jobs: int, ray: str, shard: int, places: tuple[str, ...], expected: bool) -> None:
    assert works_in_shards(jobs, ray, shard, *places) is expected


@pytest.mark.parametrize(
    ("device", "gpus"),
    [("auto", 0.0), ("cpu", 0.0), ("mps", 0.0), ("cuda", 1.0), ("cuda:1", 1.0)],
)
def test_a_worker_of_a_cluster_gets_a_gpu_where_it_is_asked_for(device: str, gpus: float) -> None:
    assert chosen_pool(1, "auto", device) == WorkerPool(1, "auto", gpus=gpus)


def test_the_model_goes_to_a_cluster_and_is_read_here_elsewhere() -> None:
    model = sent_model("samtta-small", 128, "cpu")
    assert model.file == str(resource("models/samtta-small.safetensors"))
    assert files_sent(model, THIS_PROCESS) == ()
    assert files_sent(model, WorkerPool(ray="auto")) == (Path(model.file),)
    model_folder().mkdir(parents=True)
    beside = model_folder() / "samtta-small.selector.safetensors"
    beside.write_bytes(b"layers")
    assert files_sent(model, WorkerPool(ray="auto")) == (Path(model.file), beside)


def test_a_model_or_device_that_is_not_there_is_refused_before_any_work() -> None:
    with pytest.raises(CheckpointError, match="There is no such model file"):
        sent_model("nowhere.safetensors", None, "auto")
    with pytest.raises(CheckpointError, match="The model vit_b is not on this machine"):
        sent_model("vit_b", None, "auto")
    with pytest.raises(SettingsError, match="The setting device is not valid"):
        sent_model("samtta-small", None, "toaster")
