"""A model, a recipe and a data set small enough to train in a test."""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from samtta_app.cli.entry import main
from samtta_app.model.backbones.compact import CompactConfig, build_compact, save_compact
from samtta_app.train import training_sets
from samtta_app.train.compact import compact_run, training_command
from samtta_app.train.compact.progress import RunStanding

TOY = CompactConfig(
    name="small", backbone="mobilenetv2_035", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64
)


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train toys, and measure them quickly."""
    monkeypatch.setattr(training_command, "CONFIGS", {"small": TOY})
    monkeypatch.setattr(training_sets, "HELD_OUT_OBJECTS", 1)


def recipe(folder: Path, *steps: int, images: int = 2) -> Path:
    """A recipe with one stage for each number of steps, without processes for the loader."""
    text = "workers = 0\n[mixture]\nset = 0.7\nsynthetic = 0.3\n"
    for number, count in enumerate(steps):
        text += (
            f'[[stage]]\nname = "{"abc"[number]}"\nsize = {64 if number == 0 else 96}\nimages = {images}\n'
            f"targets = 2\nlr = 1e-3\nlr_end = 1e-4\nwarmup = 1\nsteps = {count}\n"
        )
        if number == 0 and len(steps) > 1:
            text += 'frozen = ["conv_stem"]\n'
    file = folder / f"recipe-{'-'.join(map(str, steps))}-{images}.toml"
    file.write_text(text)
    return file


def same_weights(one: Path, other: Path) -> bool:
    """Whether two model files hold the same numbers, bit for bit; their metadata comes in any order."""
    theirs = load_file(other)
    return all(torch.equal(value, theirs[key]) for key, value in load_file(one).items())


def call(*words: str) -> int:
    """The exit code of the command line."""
    with pytest.raises(SystemExit) as end:
        main(list(words))
    return int(end.value.code or 0)


def toy_model_file(folder: Path) -> Path:
    """A compact model at toy size with random weights."""
    torch.manual_seed(0)
    path = folder / "toy.safetensors"
    save_compact(build_compact(replace(TOY, name="toy")), path)
    return path


def at_step(step: int, act: Callable[[], object]) -> Callable[[RunStanding], None]:
    """A report that does something after this step."""

    def report(standing: RunStanding) -> None:
        if standing.step == step:
            act()

    return report


def press_ctrl_c() -> None:
    """What a terminal sends."""
    signal.raise_signal(signal.SIGINT)


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Within, no file can grow beyond `size` bytes: writing fails as on a full disk."""
    resource = pytest.importorskip("resource", reason="needs a limit on the size of files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def hungry(monkeypatch: pytest.MonkeyPatch, images: int) -> None:
    """Models that ask for a petabyte, and do not get it, to encode more than so many images in training."""
    original = compact_run.build_compact

    def build(config: CompactConfig) -> torch.nn.Module:
        model = original(config)

        def allocate(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            if module.training and given[0].shape[0] > images:
                torch.empty(1 << 50, dtype=torch.uint8)

        model.image_encoder.register_forward_pre_hook(allocate)
        return model

    monkeypatch.setattr(compact_run, "build_compact", build)


def told(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """What was logged at this level or above."""
    return [record.getMessage() for record in caplog.records if record.levelno >= level]
