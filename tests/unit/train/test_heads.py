"""Uncertainty heads are trained: what they are to say, that they learn it, and that a stop loses little."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from samtta_app.errors import DatasetError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.model_registry import load_model, toy_model
from samtta_app.train.data.labelled_images import image_paths, read_labelled
from samtta_app.train.heads import heads_run as module
from samtta_app.train.heads.heads_run import (
    HeadsPlan,
    best_slots,
    chosen_slots,
    collected,
    fitted,
    heads_figures,
    targets,
    thresholds,
    train_heads,
)
from samtta_app.train.heads.heads_samples import GAP_DENSE, LATER_CLICKS, SINGLES, GapRows, GapViews, gap_clicks
from samtta_app.uncertainty.heads import HEAD_NAMES, GapHeads, load_heads, new_heads
from tests.unit.train.discs import write_discs

TINY = HeadsPlan(windows=2, epochs=1)


def rows(count: int = 1, clicks: int = 1, **values: object) -> GapRows:
    """Rows whose tokens are noise, with given truths."""
    rng = np.random.default_rng(count)
    made = GapRows(
        rng.normal(size=(count, 5, 8)).astype(np.float16),
        np.tile(np.float32([0.5, 0.6, 0.9, 0.3]), (count, 1)),
        np.tile(np.float32([0.1, 0.4, 0.5, 0.8]), (count, 1)),
        np.full(count, clicks, np.int16),
        np.full(count, 0.9, np.float32),
        np.full(count, 0.7, np.float32),
        np.arange(count),
    )
    return replace(made, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model() -> SamModel:
    return toy_model()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_discs(tmp_path / "discs", 3, 1)


def test_one_click_s_targets_by_hand() -> None:
    """Best candidate .8, picked by predicted IoU: slot 2 with .5."""
    found = {name: float(value[0]) for name, value in targets(rows()).items()}
    wanted = {"iou": 0.8, "iou_larger": 0.7, "iou_dense": 0.9, "iou_chosen": 0.5}
    wanted |= {"model_gap": 0.4, "task_gap": 0.8, "prompt_gap": 0.6}
    assert found == pytest.approx(wanted)
    assert found.keys() == set(HEAD_NAMES)


def test_later_clicks_have_one_mask_and_no_task_gap() -> None:
    found = {name: float(value[0]) for name, value in targets(rows(clicks=3)).items()}
    assert (found["iou"], found["iou_chosen"], found["task_gap"]) == pytest.approx((0.1, 0.1, 0.5))
    assert (found["model_gap"], found["prompt_gap"]) == (1.0, 1.0)  # .6 and .8, cut at one half
    assert chosen_slots(rows(clicks=3)).tolist() == [0]
    assert chosen_slots(rows()).tolist() == [2]


def test_clicks_are_the_middle_of_the_eroded_mask_and_seven_others_in_it() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:31, 5:16] = True
    clicks = gap_clicks(mask, np.random.default_rng(0))
    assert len(clicks) == GAP_DENSE
    assert (clicks[0].x, clicks[0].y) == (10, 20)
    assert all(7 <= c.x <= 13 and 12 <= c.y <= 28 and c.positive for c in clicks)
    assert len({(c.x, c.y) for c in clicks[1:]}) == GAP_DENSE - 1


def test_a_mask_that_erosion_removes_is_clicked_as_it_is() -> None:
    mask = np.zeros((20, 20), bool)
    mask[5, 5:8] = True
    clicks = gap_clicks(mask, np.random.default_rng(0))
    assert (clicks[0].x, clicks[0].y) == (6, 5)
    assert {c.x for c in clicks} <= {5, 6, 7}


def test_rows_of_a_window_hold_what_was_answered(model: SamModel, folder: Path) -> None:
    records = [read_labelled(image_paths(folder, "train"))]
    views = GapViews(model, None, records, 0, change=False)
    found, again = views[4], views[4]
    assert found.tokens.shape == (len(found), 5, 32)
    assert found.tokens.dtype == np.float16
    for name in ("tokens", "predicted", "iou", "clicks", "dense", "object"):
        assert np.array_equal(getattr(found, name), getattr(again, name)), name
    assert np.isnan(found.larger).all()
    each = [found.clicks[found.object == number].tolist() for number in sorted(set(found.object.tolist()))]
    for clicks in each:
        assert clicks[:SINGLES] == [1] * SINGLES
        assert clicks[SINGLES:] == list(range(2, 2 + len(clicks) - SINGLES))
        assert len(clicks) <= SINGLES + LATER_CLICKS
    assert ((found.iou >= 0) & (found.iou <= 1)).all()
    assert not np.array_equal(found.tokens, views[5].tokens[: len(found)])


def test_with_a_larger_model_its_iou_stands_beside(folder: Path) -> None:
    """The same model as its own larger one: its best candidate is as good, so that the gap is none."""
    small = toy_model()
    views = GapViews(small, small, [read_labelled(image_paths(folder, "train"))], 0, change=True)
    found = views[1]
    single = found.clicks == 1
    assert np.allclose(found.larger[single], found.iou[single, 1:].max(1))


def told_by_the_iou_token() -> GapRows:
    """What more clicks would gain stands in the first value of the IoU token, five times as large, and nowhere else."""
    gain = np.random.default_rng(0).uniform(0, 0.3, 400).astype(np.float32)
    made = rows(400, iou=np.tile(np.float32([0, 0.6, 0.6, 0.6]), (400, 1)), dense=0.6 + gain)
    tokens = np.zeros_like(made.tokens)
    tokens[:, 0, 0] = gain * 5
    return replace(made, tokens=tokens)


def test_heads_learn_what_tokens_tell() -> None:
    """Tokens that hold the truth in their first value: after training the gap is told apart."""
    made = told_by_the_iou_token()
    heads = fitted(made, "toy", "larger", HeadsPlan(epochs=40, rate=3e-3), lambda share, words: None)
    found = heads_figures(heads, made)
    assert found["prompt_gap"] > 0.98
    assert found["prompt_gap_difference"] > 0.95
    assert found["prompt_gap_score"] == pytest.approx(0.5, abs=0.2)  # predicted IoU is the same everywhere


@pytest.mark.parametrize(("tokens", "learns"), [("both", True), ("iou", True), ("mask", False)])
def test_heads_read_the_tokens_that_were_asked_for(tokens: str, learns: bool) -> None:
    """The truth is in the IoU token: whoever reads only the mask's cannot know it, whatever stands in the other."""
    made = told_by_the_iou_token()
    plan = HeadsPlan(epochs=40, rate=3e-3, tokens=tokens)  # type: ignore[arg-type]
    heads = fitted(made, "toy", "larger", plan, lambda share, words: None)
    area = heads_figures(heads, made)["prompt_gap"]
    assert area > 0.98 if learns else abs(area - 0.5) < 0.1
    width = heads.width // 2
    of_iou, of_mask = heads.layers["w1"][:, :width], heads.layers["w1"][:, width:]
    assert (bool(of_iou.any()), bool(of_mask.any())) == (tokens != "mask", tokens != "iou")
    assert not heads.layers["w1"].requires_grad


def test_heads_that_are_told_the_best_candidate_know_what_nobody_could() -> None:
    """Tokens that only name their slot: whoever sees the best one's knows whether another one than it is shown."""
    rng, count = np.random.default_rng(0), 300
    best = rng.integers(1, 4, count)
    iou = np.full((count, 4), 0.4, np.float32)
    iou[np.arange(count), best] = 0.8
    tokens = np.zeros((count, 5, 8), np.float16)
    tokens[:, 1:5, :4] = np.eye(4)
    made = rows(count, iou=iou, tokens=tokens)  # predicted IoU always picks slot 2
    plan = HeadsPlan(epochs=40, rate=3e-3)
    honest = fitted(made, "toy", "", plan, lambda share, words: None)
    told = fitted(made, "toy", "", plan, lambda share, words: None, best_slots)
    assert heads_figures(told, made, best_slots)["task_gap"] > 0.99
    assert heads_figures(honest, made)["task_gap"] == pytest.approx(0.5, abs=0.1)


def test_without_a_larger_model_five_heads_are_trained() -> None:
    heads = fitted(rows(4, larger=np.full(4, np.nan, np.float32)), "toy", "", TINY, lambda share, words: None)
    assert heads.names == ("iou", "iou_dense", "iou_chosen", "task_gap", "prompt_gap")
    assert "model_gap" not in heads_figures(heads, rows(4, larger=np.full(4, np.nan, np.float32)))


def test_the_same_seed_gives_the_same_heads() -> None:
    one, other = (fitted(rows(6), "toy", "", TINY, lambda share, words: None) for _ in range(2))
    third = fitted(rows(6), "toy", "", replace(TINY, seed=1), lambda share, words: None)
    assert all(torch.equal(value, other.layers[name]) for name, value in one.layers.items())
    assert not torch.equal(one.layers["w1"], third.layers["w1"])


def said() -> GapHeads:
    """Heads whose prompt gap is what the first token value says, and whose other gaps are none."""
    heads = new_heads(16, "toy", "", 0, ("prompt_gap", "task_gap"))
    layers = {name: torch.zeros_like(value) for name, value in heads.layers.items()}
    layers["w1"][0, 0, 0] = layers["w2"][0, 0, 0] = layers["w3"][0, 0, 0] = 1.0
    return replace(heads, layers=layers)


def advising(predicted: list[float], gained: list[float]) -> GapRows:
    """Rows with these predicted prompt gaps (through `said`) and true ones."""
    count = len(predicted)
    tokens = np.zeros((count, 5, 8), np.float16)
    tokens[:, 0, 0] = [math.log((0.5 + p) / (0.5 - p)) for p in predicted]
    iou = np.full((count, 4), 0.5, np.float32)
    return rows(count, tokens=tokens, iou=iou, dense=np.float32(gained) + 0.5)


def test_a_threshold_is_where_half_of_the_advice_is_still_right() -> None:
    """Twenty sure ones that are right, then ten that are not, then thirty that are not: half is reached after forty."""
    predicted = [0.4] * 20 + [0.3] * 20 + [0.2] * 20
    gained = [0.2] * 20 + [0.0] * 40
    found = thresholds(said(), advising(predicted, gained))
    assert found["prompt_gap"] == pytest.approx(0.3, abs=1e-3)
    assert found["task_gap"] == math.inf


def test_a_threshold_promises_no_less_than_it_is_worth() -> None:
    predicted = [0.2] * 30 + [0.01] * 30
    found = thresholds(said(), advising(predicted, [0.3] * 60))
    assert found["prompt_gap"] == pytest.approx(0.2, abs=1e-3)
    assert thresholds(said(), advising([0.01] * 40, [0.3] * 40))["prompt_gap"] == math.inf


def test_a_threshold_is_not_taken_from_a_few_answers() -> None:
    found = thresholds(said(), advising([0.4] * 10 + [0.1] * 30, [0.3] * 10 + [0.0] * 30))
    assert found["prompt_gap"] == math.inf
    found = thresholds(said(), advising([0.4] * 20 + [0.1] * 30, [0.3] * 20 + [0.0] * 30))
    assert found["prompt_gap"] == pytest.approx(0.4, abs=1e-3)


def test_nothing_to_learn_from_is_said(model: SamModel) -> None:
    empty = rows(2).where(np.zeros(2, bool))
    with pytest.raises(TrainingError, match="nothing to learn"):
        fitted(empty, "toy", "", TINY, lambda share, words: None)
    assert heads_figures(fitted(rows(2), "toy", "", TINY, lambda share, words: None), empty) == {}


def test_a_run_writes_heads_for_its_model_and_leaves_no_rows(model: SamModel, folder: Path, tmp_path: Path) -> None:
    out, shares = tmp_path / "out" / "toy.heads.safetensors", []
    out.parent.mkdir()
    found = train_heads(model, toy_model(1), [folder], out, TINY, told=lambda share, words: shares.append(share))
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    heads = load_heads(out, model)
    assert heads.facts["data"] == "discs"
    assert json.loads(heads.facts["held_out"]).keys() == found.keys()
    assert {"task_gap", "task_gap_difference", "task_gap_score", "pearson", "objects"} <= found.keys()
    assert {"model_gap_told_best", "task_gap_told_best", "prompt_gap_told_best"} <= found.keys()
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_a_stopped_run_goes_on_with_the_rows_it_has(
    model: SamModel, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHARD", 1)
    places = (tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    asked: list[int] = []
    original = GapViews.__getitem__

    def counted(views: GapViews, index: int) -> GapRows:
        asked.append(index)
        return original(views, index)

    monkeypatch.setattr(GapViews, "__getitem__", counted)

    def stop(share: float, words: str) -> None:
        if len(asked) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_heads(model, None, [folder], places[0], replace(TINY, windows=3), told=stop)
    assert len(list((tmp_path / "a.rows").glob("*.npz"))) == 2
    train_heads(model, None, [folder], places[0], replace(TINY, windows=3))
    assert asked == [0, 1, 2, 0, 1]  # train windows, then those of the test split
    train_heads(model, None, [folder], places[1], replace(TINY, windows=3))
    one, other = (load_heads(place, model).layers for place in places)
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_rows_of_processes_are_the_same(folder: Path, tmp_path: Path) -> None:
    small = load_model("samtta-small", "cpu", 64)
    one, other = (
        collected(small, None, [folder], "train", tmp_path / str(n), 2, 0, n, lambda share, words: None) for n in (0, 1)
    )
    assert np.array_equal(one.clicks, other.clicks)
    assert np.allclose(one.iou, other.iou, atol=0.02)


def test_a_set_without_masks_is_refused(model: SamModel, folder: Path, tmp_path: Path) -> None:
    for file in (folder / "masks").iterdir():
        file.unlink()
    (folder / "masks").rmdir()
    with pytest.raises(DatasetError, match="no masks"):
        train_heads(model, None, [folder], tmp_path / "h.safetensors", TINY)


def test_a_set_with_empty_masks_is_refused(model: SamModel, folder: Path, tmp_path: Path) -> None:
    for file in (folder / "masks").iterdir():
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(file)
    with pytest.raises(DatasetError, match="no usable image"):
        train_heads(model, None, [folder], tmp_path / "h.safetensors", TINY)
    assert not (tmp_path / "h.safetensors").exists()


def test_objects_too_small_to_learn_from_are_refused_in_one_sentence(tmp_path: Path) -> None:
    """An object of two specks far apart: where both are in the window, nothing of them is left on the grid."""
    folder = write_discs(tmp_path / "specks", 1, 1)
    for file in (folder / "images").iterdir():
        Image.fromarray(np.zeros((400, 400, 3), np.uint8)).save(file)
        labels = np.zeros((400, 400), np.uint8)
        labels[100:104, 100:103] = labels[300:304, 300:303] = 1
        Image.fromarray(labels).save(folder / "masks" / file.name)
    small = load_model("samtta-small", "cpu", 64)
    with pytest.raises(DatasetError, match=r"^Twenty windows of the set with the image 'd0' in a row"):
        collected(small, None, [folder], "train", tmp_path / "rows", 2, 0, 0, lambda share, words: None)
