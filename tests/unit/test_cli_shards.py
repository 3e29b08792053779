"""`samtta auto`, `encode`, `export` in shards on real files: the same results as without, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest

from samtta_app.cli.entry import main
from samtta_app.core.messages import LoadRequest, PrefetchRequest
from samtta_app.core.replies import Loaded, Prefetched
from samtta_app.engine.dispatch import open_engine, run
from samtta_app.parallel.shard_run import SHARD_IMAGES
from samtta_app.parallel.workers import in_turn
from samtta_app.session.project.store import Store
from samtta_app.settings import feature_folder
from tests.unit.session.scripted import accepted
from tests.unit.values import disc, picture

MODEL = ["--input-size", "128", "--device", "cpu"]
QUICK = [*MODEL, "--points-per-side", "4", "--pred-iou", "0.3", "--stability", "0.3"]


def call(*arguments: object) -> int:
    """Run the command line here; its exit code."""
    with pytest.raises(SystemExit) as end:
        main([str(each) for each in arguments])
    return int(end.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures with bright discs."""
    home = tmp_path / "images"
    home.mkdir()
    for k in range(3):
        PIL.Image.fromarray(picture(k, discs=((40, 48, 20), (96, 40, 16))).pixels).save(home / f"im{k}.png")
    return home


@pytest.mark.parametrize("format_", ["coco", "png"])
def test_auto_in_shards_writes_the_same_as_without(
    format_: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes, url = tmp_path / "boxes.json", f"memory://{tmp_path.name}-{format_}"
    values = [{"image_id": f"im{k}", "category_id": 7, "bbox": [19, 27, 43, 43], "score": 0.5} for k in range(3)]
    boxes.write_text(json.dumps(values))
    common = ["auto", folder, *MODEL, "--format", format_, "--boxes", boxes, "--out"]
    one, many = tmp_path / "one", tmp_path / "many"
    assert call(*common, one) == call(*common, many, "--shard", "2") == call(*common, url) == 0
    assert "3 of 3 images are done" in capsys.readouterr().out
    files = [p.relative_to(one) for p in one.rglob("*") if p.is_file() and "proposals" not in p.parts]
    assert len(files) > 1
    fsspec = pytest.importorskip("fsspec")
    for name in files:
        content = (one / name).read_bytes()
        assert (many / name).read_bytes() == content, name
        assert fsspec.filesystem("memory").cat_file(f"{url}/{name.as_posix()}") == content


def test_auto_names_each_image_that_failed_and_goes_on_with_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for k in range(SHARD_IMAGES + 6):
        (folder / f"torn{k}.png").write_text("no picture")
    command = ["auto", folder, "--out", tmp_path / "out", "--format", "shards", *QUICK]
    assert call(*command) == 1
    said = capsys.readouterr()
    assert said.err.count("torn") == 20
    assert "and 2 more; the files of the manifest name them" in said.err
    assert f"3 of {SHARD_IMAGES + 9} images are done" in said.out
    assert not (tmp_path / "out" / "results.json").exists()
    for path in folder.glob("torn*"):
        path.unlink()
    assert call(*command) == 0
    assert call(*command, "--box-nms", "0.5") == 2
    assert "Results of other settings are here" in capsys.readouterr().err


def test_what_was_encoded_ahead_is_what_the_window_reads(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "torn.png").write_text("no picture")
    assert call("encode", folder, *MODEL) == 1
    said = capsys.readouterr()
    assert "3 encoded images" in said.out
    assert "torn.png" in said.err
    engine = open_engine(input_size=128, device="cpu", features=feature_folder(), feature_bytes=2**30)

    def encoded(*_: object) -> None:
        raise AssertionError("it was encoded again")

    monkeypatch.setattr("samtta_app.model.cache.encode", encoded)
    loaded = run(engine, LoadRequest(1, folder / "im0.png"))
    assert isinstance(loaded, Loaded)
    assert isinstance(run(engine, PrefetchRequest(2, folder / "im0.png", image=loaded.image)), Prefetched)


def test_a_window_that_keeps_less_is_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Path(tmp_path, "home")
    settings.mkdir()
    (settings / "settings.toml").write_text("kept_features = 0\n")
    monkeypatch.setenv("SAMTTA_HOME", str(settings))
    assert call("encode", folder / "im0.png", *MODEL) == 0
    assert "raise the setting kept_features" in capsys.readouterr().out


def test_export_in_shards_is_one_export_for_each_with_the_projects_ids(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert call("export", folder, "--format", "coco", "--out", out, "--shard", "1") == 2
    assert "There is no samtta project here" in capsys.readouterr().err
    with Store.open(folder) as store:
        for k in (0, 2):
            store.accept(accepted(f"im{k}.png", disc(40 + k, 48, 18)), 128, 96)
    command = ["export", folder, "--format", "coco", "--out", out, "--shard", "1"]
    assert call(*command) == 0
    assert "2 of 2 images are done" in capsys.readouterr().out
    parts = [json.loads(path.read_text()) for path in sorted(out.glob("shards/*/annotations/*.json"))]
    assert sorted(image["file_name"] for part in parts for image in part["images"]) == ["im0.png", "im2.png"]
    ids = [each["id"] for part in parts for each in part["annotations"]]
    assert len(set(ids)) == 2
    assert call(*command, "--class", "none") == 2
    assert 'There is no class "none"' in capsys.readouterr().err


def test_processes_and_a_cluster_together_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("encode", folder, "--jobs", "2", "--ray", "auto") == 2
    assert "--jobs and --ray cannot be given together" in capsys.readouterr().err


def test_the_rate_of_workers_is_measured_and_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = "samtta_app.parallel.worker_pool.in_processes"  # real processes have tests of their own
    monkeypatch.setattr(here, lambda tasks, processes, tell, whole: in_turn(tasks, tell, whole))
    out = tmp_path / "out"
    command = ["bench", "workers", folder, *MODEL, "--work", "encode", "--images", "4", "--shard", "1", "--out", out]
    assert call(*command, "--workers", "1,2") == 0
    first, second = json.loads((out / "workers.json").read_text())
    assert (first["work"], first["workers"], first["images"], first["of_linear"]) == ("encode", 1, 4, 1.0)
    assert (second["workers"], second["images"]) == (2, 4)
    assert second["of_linear"] == pytest.approx(second["rate"] / (2 * first["rate"]))
    assert first["result_bytes"] > 10_000
    assert "encode, 2 workers: " in capsys.readouterr().out
    assert call(*command, "--workers", "two") == 2
    assert "no list of numbers of workers" in capsys.readouterr().err
    assert call(*command, "--work", "nothing") == 2
    assert "no work 'nothing' to measure" in capsys.readouterr().err
    (folder / "torn.png").write_text("no picture")
    assert call(*command, "--workers", "1") == 2
    assert "The measurement failed" in capsys.readouterr().err
