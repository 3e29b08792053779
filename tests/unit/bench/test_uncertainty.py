"""What is recorded of each object, with toy models; kept, gone on with, and refused where it does not fit."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from samtta_app.bench.report.uncertainty_figures import uncertainty_figures, uncertainty_tables
from samtta_app.bench.uncertainty_run import (
    DEAR,
    FREE,
    RECORDS,
    Asking,
    UncertaintyRow,
    labelled,
    read_rows,
    run_uncertainty,
    write_rows,
)
from samtta_app.cli.bench import bench_app
from samtta_app.core.masks import trimmed
from samtta_app.core.messages import PredictRequest
from samtta_app.core.metrics import iou
from samtta_app.core.replies import Answer
from samtta_app.core.types import Click, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import DatasetError, UserError
from samtta_app.images.read import read_image
from samtta_app.model.cache import Larger
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.model_registry import toy_model
from samtta_app.simulation.streams import Source
from samtta_app.uncertainty.heads import HEAD_NAMES, new_heads, save_heads

ASKING = Asking("toy", "toy-1", {"own": None}, 3, 0, None)


def silent(share: float, words: str) -> None:
    pass


@pytest.fixture(scope="module")
def both() -> Engine:
    """A toy beside one of other weights."""
    return Engine(toy_model(), larger=Larger(lambda: toy_model(seed=1)))


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files of untrained heads: all of them, and the gaps alone."""
    folder, model = tmp_path_factory.mktemp("heads"), toy_model()
    for name, names in (("both", HEAD_NAMES), ("gaps-only", HEAD_NAMES[4:])):
        save_heads(
            new_heads(64, "toy", "toy-1", 0, names), folder / f"{name}.safetensors", {"fingerprint": fingerprint(model)}
        )
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def rows(shared_dataset: Path, both: Engine, heads: list[Path]) -> tuple[UncertaintyRow, ...]:
    return run_uncertainty(both, [Source((shared_dataset,))], replace(ASKING, heads=labelled(heads)), silent)


def test_every_object_is_asked_once_image_by_image(rows: tuple[UncertaintyRow, ...]) -> None:
    assert len({row.key for row in rows}) == len(rows) == 3
    assert [row.image for row in rows] == sorted(row.image for row in rows)
    assert {row.area for row in rows} == {14 * 14}
    assert len({row.conditions for row in rows}) == 1


def test_all_measures_have_values_and_seconds(rows: tuple[UncertaintyRow, ...]) -> None:
    for row in rows:
        assert {*FREE, *DEAR, "both/model_gap", "both/task_gap_difference", "gaps-only/prompt_gap"} <= set(row.measures)
        assert "gaps-only/iou" not in row.measures
        assert all(math.isfinite(value) for value in row.measures.values())
        assert {"decoder", *FREE, *DEAR, "both/gaps", "both/heads", "both/decoder"} <= set(row.seconds)
        assert all(value >= 0 for value in row.seconds.values())


def test_the_true_ious_are_those_of_the_products_answers(
    rows: tuple[UncertaintyRow, ...], shared_dataset: Path, both: Engine
) -> None:
    """The squares have 14 x 14 pixels, eroded 10 x 10: of the four middle pixels the first, 6 from the corner."""
    row = next(row for row in rows if row.object == 1)
    image = read_image(shared_dataset / "images" / f"{row.image}.png")
    labels = np.asarray(PIL.Image.open(shared_dataset / "masks" / f"{row.image}.png"))
    target = trimmed(labels == 1)
    prompt = Prompt((Click(12, 12, True),))
    for found, request in (
        (row.ious, PredictRequest(0, image, prompt, twin=True)),
        (row.larger, PredictRequest(0, image, prompt, image.whole, larger=True)),
    ):
        reply = run(both, request)
        assert isinstance(reply, Answer)
        assert found == pytest.approx([iou(c.mask, target) for c in reply.candidates])
    assert len(row.dense) == 3
    assert row.predicted[row.chosen] == max(row.predicted)
    assert row.measures["score"] == pytest.approx(1 - max(row.predicted), abs=1e-6)


def test_a_second_click_is_placed_in_every_way(rows: tuple[UncertaintyRow, ...]) -> None:
    # a toy is uncertain everywhere, so there is always something to suggest
    for row in rows:
        assert set(row.after) == {"oracle", "suggested", "suggested, sign as shown", "random"}
        assert all(0 <= value <= 1 for value in row.after.values())


def test_the_same_run_gives_the_same_numbers(
    rows: tuple[UncertaintyRow, ...], shared_dataset: Path, both: Engine
) -> None:
    again = run_uncertainty(both, [Source((shared_dataset,))], ASKING, silent)
    for one, other in zip(rows, again, strict=True):
        assert (one.key, one.ious, one.dense, one.larger) == (other.key, other.ious, other.dense, other.larger)
        assert one.after == other.after
        assert all(one.measures[name] == other.measures[name] for name in (*FREE, *DEAR))


def test_without_heads_and_a_larger_model_their_numbers_are_left_out(shared_dataset: Path, toy: Engine) -> None:
    (row,) = run_uncertainty(toy, [Source((shared_dataset,))], Asking("toy", None, {"own": None}, 1, 0, None), silent)
    assert row.larger == ()
    assert set(row.measures) == {*FREE, "h_xp", "h_aug"}
    assert not any(name.startswith("own/") for name in row.seconds)
    assert uncertainty_figures([row])


def test_a_run_that_was_stopped_goes_on(shared_dataset: Path, both: Engine, tmp_path: Path) -> None:
    source, out = [Source((shared_dataset,))], tmp_path / "out"

    def stop(share: float, words: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_uncertainty(both, source, ASKING, stop, out)
    (kept,) = read_rows(out / RECORDS, ASKING.words)
    marked = replace(kept, area=12345)
    write_rows([marked], out)
    told: list[float] = []
    found = run_uncertainty(both, source, ASKING, lambda share, words: told.append(share), out)
    assert told == pytest.approx([1 / 3, 2 / 3, 1])
    assert [row.area for row in found] == [12345, 196, 196]
    assert read_rows(out / RECORDS, ASKING.words) == found


def test_records_of_other_conditions_are_refused_and_stay(
    rows: tuple[UncertaintyRow, ...], shared_dataset: Path, both: Engine, tmp_path: Path
) -> None:
    path = write_rows(rows, tmp_path)
    before = path.read_bytes()
    with pytest.raises(DatasetError, match="other conditions"):
        run_uncertainty(both, [Source((shared_dataset,))], replace(ASKING, seed=4), silent, tmp_path)
    assert path.read_bytes() == before
    first = replace(ASKING, heads={"a": path})
    words = first.words
    path.write_bytes(before + b"\n")  # heads of the same name with other content are other heads
    assert first.words != words
    path.write_bytes(before)
    assert read_rows(path, rows[0].conditions) == rows
    path.write_text("hello")
    with pytest.raises(DatasetError, match="not a file of uncertainty records"):
        read_rows(path, ASKING.words)
    path.write_text(json.dumps({"set": "a"}))
    with pytest.raises(DatasetError, match="not a file of uncertainty records"):
        read_rows(path, ASKING.words)


def test_a_folder_that_cannot_be_written_is_named(rows: tuple[UncertaintyRow, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_rows(rows, tmp_path / "file")


def test_files_of_heads_are_told_apart_by_their_names(tmp_path: Path) -> None:
    assert labelled([]) == {"own": None}
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    with pytest.raises(UserError, match=r"no such file of heads \(.*a.safetensors"):
        labelled(files)
    for file in files:
        file.write_bytes(b"heads")
    assert list(labelled(files)) == ["a", "b"]
    with pytest.raises(UserError, match="one name"):
        labelled([tmp_path / "x" / "a.safetensors", tmp_path / "y" / "a.safetensors"])


def test_heads_of_another_model_end_the_run_with_both_names(shared_dataset: Path, both: Engine, tmp_path: Path) -> None:
    path = tmp_path / "strange.safetensors"
    save_heads(new_heads(64, "elsewhere", "", 0), path, {"fingerprint": "0"})
    with pytest.raises(UserError, match="'elsewhere', not for this 'toy'"):
        run_uncertainty(both, [Source((shared_dataset,))], replace(ASKING, heads=labelled([path])), silent)


# --- bad sets --------------------------------------------------------------------------------------------------------


def one_image(folder: Path, labels: np.ndarray) -> Path:
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    PIL.Image.fromarray(np.where(labels > 0, 220, 40).astype(np.uint8)).save(folder / "images" / "a.png")
    PIL.Image.fromarray(labels.astype(np.uint8)).save(folder / "masks" / "a.png")
    return folder


def test_one_object_in_an_image_smaller_than_a_window_is_measured_and_shown(tmp_path: Path, both: Engine) -> None:
    labels = np.zeros((32, 32), np.uint8)
    labels[10:20, 8:22] = 1
    rows = run_uncertainty(both, [Source((one_image(tmp_path / "tiny", labels),))], ASKING, silent)
    assert [row.window for row in rows] == [(0, 0, 32, 32)]
    assert all(sheet.rows for sheet in uncertainty_tables(uncertainty_figures(rows)))


@pytest.mark.parametrize("empty", ["masks", "folder", "file"])
def test_a_set_without_masks_or_objects_is_refused(tmp_path: Path, both: Engine, empty: str) -> None:
    folder = one_image(tmp_path / "set", np.zeros((32, 32), np.uint8))
    if empty != "masks":
        (folder / "masks" / "a.png").unlink()
    if empty == "folder":
        (folder / "masks").rmdir()
    with pytest.raises(DatasetError, match=str(folder)):
        run_uncertainty(both, [Source((folder,))], ASKING, silent)


def test_an_image_that_cannot_be_read_is_named(dataset: Path, both: Engine) -> None:
    for path in (dataset / "images").iterdir():
        path.write_bytes(path.read_bytes()[:90])
    with pytest.raises(UserError, match=r"im\d\.png"):
        run_uncertainty(both, [Source((dataset,))], ASKING, silent)


def test_answers_that_are_not_finite_leave_numbers_out(shared_dataset: Path, tmp_path: Path) -> None:
    model = toy_model()
    broken = {name: torch.full_like(value, math.nan) for name, value in model.frozen.tensors.items()}
    engine = Engine(replace(model, frozen=replace(model.frozen, tensors=broken)))
    asking = replace(ASKING, larger=None, objects=2)
    rows = run_uncertainty(engine, [Source((shared_dataset,))], asking, silent, tmp_path)
    assert [dict(row.measures) for row in rows] == [{}, {}]
    assert [row.ious for row in rows] == [(0.0, 0.0, 0.0)] * 2
    assert uncertainty_figures(rows)
    assert len(read_rows(tmp_path / RECORDS, asking.words)) == 2


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_measures_shows_and_writes(
    shared_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["uncertainty", str(shared_dataset), "--objects", "1", "--larger", "none", "--out", str(out)]
    bench_app(words, standalone_mode=False)
    shown = capsys.readouterr().out
    for expected in ("Relative area", "Calibration", "h_xp", "second click", "uncertainty.csv"):
        assert expected in shown
    assert {path.name for path in out.iterdir()} == {RECORDS, "uncertainty.md", "uncertainty.csv"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--larger", "no-such-model"], "no such model file"),
        (["--heads", "a.safetensors", "--heads", "b/a.safetensors"], "one name"),
        (["--split", "dev"], 'no split "dev"'),
    ],
)
def test_a_word_that_means_nothing_is_refused(shared_dataset: Path, words: list[str], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        bench_app(["uncertainty", str(shared_dataset), *words], standalone_mode=False)
