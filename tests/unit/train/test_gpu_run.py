"""What is trained on a GPU that is there for minutes: the pack holds what the recipe names, and all of a run comes back."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from samtta_app.model.backbones.compact import load_compact
from samtta_app.train.checkpoint import read_checkpoint
from tests.unit.train.material import write_set
from tests.unit.train.toy import TOY, make_small, toy_model_file

ROOT = Path(__file__).resolve().parents[3]
RECIPE = """
workers = 0
[mixture]
cells = 0.6
photos = 0.2
synthetic = 0.2
[[stage]]
name = "a"
size = 64
images = 2
targets = 2
lr = 1e-3
lr_end = 1e-4
minutes = 1
"""


@pytest.fixture(scope="module")
def gpu_run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_run", ROOT / "packaging" / "gpu_run.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    sys.modules["gpu_run"] = module
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


@pytest.fixture
def pack(gpu_run: ModuleType, tmp_path: Path) -> Path:
    write_set(tmp_path / "data" / "cells")
    write_set(tmp_path / "data" / "photos", masks=False)
    write_set(tmp_path / "data" / "other")
    (tmp_path / "data" / "cells" / "LICENSE.txt").write_text("free")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    start = toy_model_file(tmp_path)
    words = ["pack", str(tmp_path / "data"), "--recipe", str(tmp_path / "recipe.toml"), "--start", str(start)]
    assert gpu_run.main([*words, "--into", str(tmp_path / "pack"), "--megabytes", "20"]) == 0
    return tmp_path / "pack"


def test_a_pack_holds_the_sets_that_the_recipe_names_with_their_licences(pack: Path):
    assert {path.name for path in (pack / "data").iterdir()} == {"cells", "photos"}
    assert (pack / "data" / "cells" / "LICENSE.txt").read_text() == "free"
    names = json.loads((pack / "data" / "cells" / "split.json").read_text())
    assert names == {"train": ["p0", "p1"], "test": ["p2", "p3"]}
    assert len(list((pack / "data" / "photos" / "images").iterdir())) == 2
    assert len(list((pack / "pseudo" / "photos").glob("*.npz"))) == 2


def test_a_pack_that_cannot_be_small_enough_is_no_pack(gpu_run: ModuleType, tmp_path: Path, pack: Path):
    words = ["pack", str(tmp_path / "data"), "--recipe", str(tmp_path / "recipe.toml")]
    words += ["--start", str(tmp_path / "toy.safetensors"), "--into", str(tmp_path / "small"), "--megabytes", "0.001"]
    assert gpu_run.main(words) == 1


def test_a_run_leaves_weights_log_and_a_checkpoint_that_is_put_together_again(
    gpu_run: ModuleType, tmp_path: Path, pack: Path, monkeypatch: pytest.MonkeyPatch
):
    make_small(monkeypatch)
    monkeypatch.setattr(gpu_run, "PART_BYTES", 400_000)
    out = tmp_path / "out"
    assert gpu_run.main(["train", str(pack), "--out", str(out), "--minutes", "0.02", "--device", "cpu"]) == 0
    assert load_compact(out / "weights.safetensors").config == TOY
    assert "shares: " in (out / "train.log").read_text()
    parts = sorted(out.glob("checkpoint.[0-9]*"))
    assert len(parts) > 1
    assert max(part.stat().st_size for part in parts) <= 400_000
    joined = tmp_path / "run.resume.pt"
    assert gpu_run.main(["join", str(out), "--checkpoint", str(joined)]) == 0
    assert read_checkpoint(joined, TOY).progress.step > 0
    parts[0].write_bytes(parts[0].read_bytes()[::-1])
    assert gpu_run.main(["join", str(out), "--checkpoint", str(joined)]) == 1
    parts[-1].unlink()
    assert gpu_run.main(["join", str(out), "--checkpoint", str(joined)]) == 1
