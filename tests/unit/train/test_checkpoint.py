"""Checkpoints come back as they were, older ones too; whatever cannot be used is refused by name."""

import copy
from dataclasses import asdict, fields
from pathlib import Path

import pytest
import torch

from samtta_app.errors import CheckpointError
from samtta_app.model.backbones.compact import SMALL_CONFIG, CompactSam, build_compact
from samtta_app.train.checkpoint import RunCounter, read_checkpoint, save_checkpoint
from tests.unit.train.toy import TOY


@pytest.fixture
def model() -> CompactSam:
    torch.manual_seed(0)
    return build_compact(TOY)


def saved(folder: Path, model: CompactSam, progress: RunCounter) -> tuple[Path, torch.optim.AdamW]:
    optimiser = torch.optim.AdamW(model.mask_decoder.parameters(), lr=1e-3)
    sum(p.sum() for p in model.mask_decoder.parameters()).backward()
    optimiser.step()
    ema = copy.deepcopy(model)
    path = folder / "run.resume.pt"
    save_checkpoint(path, model, ema, optimiser, progress)
    return path, optimiser


def test_everything_comes_back(tmp_path: Path, model: CompactSam) -> None:
    progress = RunCounter(7, 1, 3, 1.5, 9.5, 80, 0.5, 0.6, [{"step": 0, "seconds": 0.1, "a@1": 0.3}], halved=True)
    path, optimiser = saved(tmp_path, model, progress)
    read = read_checkpoint(path, TOY)
    assert read.progress == progress
    for weights in (read.model, read.ema):
        assert all(torch.equal(weights[key], value) for key, value in model.state_dict().items())
    moments = optimiser.state_dict()["state"]
    assert all(torch.equal(read.optimiser["state"][k]["exp_avg"], moments[k]["exp_avg"]) for k in moments)
    assert [file.name for file in tmp_path.iterdir()] == ["run.resume.pt"]


def test_a_checkpoint_of_an_earlier_version_is_read(tmp_path: Path, model: CompactSam) -> None:
    progress = asdict(RunCounter(step=7, stage=1, stage_step=2, seconds=5.0, history=[{"step": 1, "x@1": 0.2}]))
    del progress["halved"]
    names = ("step", "stage", "stage_step", "stage_seconds", "seconds", "masks", "first_iou", "last_iou", "history")
    assert set(progress) == set(names)
    state = model.state_dict()
    values = {"config": asdict(TOY), "model": state, "ema": state, "optimiser": {"state": {}, "param_groups": []}}
    torch.save({**values, "progress": progress}, tmp_path / "old.pt")
    read = read_checkpoint(tmp_path / "old.pt", TOY)
    assert asdict(read.progress) == {**progress, "halved": False}


def test_a_run_of_another_architecture_is_refused(tmp_path: Path, model: CompactSam) -> None:
    path, _ = saved(tmp_path, model, RunCounter())
    with pytest.raises(CheckpointError, match=r"another architecture.*'dim': 32.*wanted.*'dim': 128"):
        read_checkpoint(path, SMALL_CONFIG)


@pytest.mark.parametrize("kept", [0, 1, 1000, 0.5, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, model: CompactSam, kept: float) -> None:
    path, _ = saved(tmp_path, model, RunCounter())
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if 0 < kept < 1 else int(kept)])
    with pytest.raises(CheckpointError, match=r"no training checkpoint, or it is damaged .*run\.resume\.pt"):
        read_checkpoint(path, TOY)


@pytest.mark.parametrize("values", [3, [], {}, {"config": {}}, {"config": asdict(TOY), "model": {}}])
def test_a_file_of_something_else_is_refused(tmp_path: Path, values: object) -> None:
    torch.save(values, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=r"x\.pt"):
        read_checkpoint(tmp_path / "x.pt", TOY)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"There is no such checkpoint .*nowhere\.pt"):
        read_checkpoint(tmp_path / "nowhere.pt", TOY)
    with pytest.raises(CheckpointError, match="There is no such checkpoint"):
        read_checkpoint(tmp_path, TOY)


class Code:
    """What a pickle runs when it is read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('ran')",))


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    torch.save({"config": Code()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match=r"evil\.pt"):
        read_checkpoint(tmp_path / "evil.pt", TOY)


def test_a_checkpoint_of_a_later_version_is_refused(tmp_path: Path, model: CompactSam) -> None:
    path, _ = saved(tmp_path, model, RunCounter())
    values = torch.load(path, weights_only=True)
    values["progress"]["phase_of_the_moon"] = 0.5
    torch.save(values, path)
    assert "phase_of_the_moon" not in {entry.name for entry in fields(RunCounter)}
    with pytest.raises(CheckpointError, match=r"run\.resume\.pt"):
        read_checkpoint(path, TOY)


def test_when_the_disk_is_full_the_previous_checkpoint_stands(tmp_path: Path, model: CompactSam) -> None:
    resource = pytest.importorskip("resource", reason="needs a limit on the size of files")
    path, optimiser = saved(tmp_path, model, RunCounter(step=1))
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            save_checkpoint(path, model, model, optimiser, RunCounter(step=2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.resume.pt"]
