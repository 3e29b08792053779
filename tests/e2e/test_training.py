"""A training in a process of its own, with a loader's process beside it, ends well when Ctrl+C comes to both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from samtta_app.model.backbones.compact import SMALL_CONFIG
from samtta_app.train.checkpoint import read_checkpoint
from tests.unit.train.material import write_set

RECIPE = """
workers = 1
[mixture]
set = 1.0
[[stage]]
name = "long"
size = 32
images = 1
targets = 1
lr = 1e-4
lr_end = 1e-4
steps = 100000
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups get Ctrl+C on POSIX")
def test_ctrl_c_in_a_terminal_saves_the_run_and_ends_with_130(tmp_path: Path):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    out, kept = tmp_path / "m.safetensors", tmp_path / "m.resume.pt"
    data = write_set(tmp_path / "set")
    (data / "split.json").write_text('{"train": ["p0", "p1"], "test": []}')  # measuring would take long
    command = [sys.executable, "-m", "samtta_app", "train", "model", str(data)]
    command += ["--out", str(out), "--recipe", str(tmp_path / "recipe.toml"), "--device", "cpu", "--threads", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:  # ends with the process, whatever happens
            lines.append(line)
            if "stage long, step 1;" in line:
                os.killpg(process.pid, signal.SIGINT)
    assert process.returncode == 130, "".join(lines)
    assert lines[-1].startswith("stopped after step ")
    assert lines[-1].endswith(f"the same command with --resume {kept} goes on\n")
    assert read_checkpoint(kept, SMALL_CONFIG).progress.step >= 1
    assert not out.exists()
