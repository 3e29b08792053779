"""A refiner is trained: it learns, the model stays as it is, it can be interrupted, and what is chosen by is no test split."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from samtta_app.core.certainty import Reliability
from samtta_app.errors import CheckpointError, DatasetError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.losses import aware_loss, normalised_focal, soft_dice
from samtta_app.model.model_registry import DEFAULT_MODEL, load_model, toy_model
from samtta_app.model.refiner import load_refiner, of_tensors, refined, untrained
from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.interruption import Interruption
from samtta_app.train.refiner import refiner_command, refiner_run
from samtta_app.train.refiner.refiner_command import train_refiner
from samtta_app.train.refiner.refiner_figures import Checked, check_window, held_out_figures, refiner_figures
from samtta_app.train.refiner.refiner_run import RefinerPlan, RefinerRun, labelled_digest, pair_loss, parted, trained
from samtta_app.train.refiner.refiner_samples import RefinerPair, pairs_of, pictures
from tests.unit.train.discs import write_discs, write_split
from tests.unit.train.material import record
from tests.unit.train.toy import files_up_to, press_ctrl_c, told
from tests.unit.uncertainty.refining import moved, state, unchanged

SHORT = RefinerPlan(windows=4, epochs=1, rate=1e-3, batch=2, least=0.0)


@pytest.fixture(autouse=True)
def measured_on_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few windows are enough for what is tested here, and quicker."""
    monkeypatch.setattr(refiner_run, "MEASURED", (0.0, 2, 2))
    monkeypatch.setattr(refiner_run, "REFINER_MEASUREMENTS", 2)
    monkeypatch.setattr(refiner_command, "TESTED", (0.0, 2, 2))


@pytest.fixture(scope="module")
def model() -> SamModel:
    """SAM's own modules with random weights: an answer is any mask."""
    return toy_model()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_discs(tmp_path / "discs", 4, 2)


@pytest.fixture
def run(model: SamModel, tmp_path: Path) -> RefinerRun:
    return RefinerRun(model, [[record(seed) for seed in range(4)]], SHORT, tmp_path / "kept.pt")


def same(one: Path, other: Path) -> bool:
    theirs = load_file(other)
    return all(torch.equal(value, theirs[name]) for name, value in load_file(one).items())


def at_step(step: int, act: Callable[[], object]) -> Callable[[float, str], None]:
    """What is told to does something after a step."""

    def tell(share: float, words: str) -> None:
        if words.startswith(f"step {step},"):
            act()

    return tell


# --- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_writes_a_refiner_with_its_figures_and_leaves_the_model_alone(
    model: SamModel, folder: Path, tmp_path: Path
) -> None:
    before, out = state(model), tmp_path / "made" / "a.safetensors"
    said: list[tuple[float, str]] = []
    found = train_refiner(model, [folder], out, SHORT, told=lambda *words: said.append(words))
    assert unchanged(model, before)
    back = load_refiner(out, model)
    assert json.loads(back.facts["held_out"]) == found
    assert json.loads(back.facts["plan"])["windows"] == 4
    assert json.loads(back.facts["run"])["step"] == 2
    assert back.facts["data"] == "discs"
    assert {"iou", "refined_iou", "before_refined_iou", "right_60", "before_right_60", "pixels_80"} <= found.keys()
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert said[0][1].startswith("step 0,")
    assert "test split: window 2 of 2" in said[-1][1]


def test_it_learns_and_only_what_is_better_on_the_images_set_aside_is_kept(run: RefinerRun) -> None:
    run.plan = replace(SHORT, epochs=5)
    trained(run, None, lambda share, words: None)
    assert run.reached.step == 10
    assert run.reached.best < run.reached.before
    assert run.reached.best == pytest.approx(run.measured(of_tensors(run.best, {})))
    assert run.reached.best_step in (5, 10)
    own = untrained(run.model).tensors
    parts = {name.partition(".")[0] for name, tensor in run.best.items() if not torch.equal(tensor, own[name])}
    assert parts == {"decoder", "prompts"}


def test_a_refiner_that_gets_worse_is_not_kept(run: RefinerRun) -> None:
    run.begin()
    with torch.no_grad():
        for tensor in run.tensors.values():
            tensor.add_(3 * torch.randn_like(tensor))
    run._measure()
    assert run.reached.best_step == 0
    assert run.reached.best == run.reached.before
    assert all(torch.equal(tensor, untrained(run.model).tensors[name]) for name, tensor in run.best.items())


def drawn(model: SamModel, pair: RefinerPair) -> tuple[torch.Tensor, torch.Tensor]:
    """What a moved refiner makes of a pair, without padding, and its predicted IoU."""
    with torch.no_grad():
        features = pair.features.to(torch.float32)
        logits, iou = refined(model, moved(model), features, pair.prompt, pair.logits, pair.box)
    rows, columns = pair.target.shape
    return logits[:rows, :columns], iou


def test_the_loss_is_sams_own_on_the_single_mask_without_padding(run: RefinerRun) -> None:
    pair = next(pair for pairs in run.aside for pair in pairs)
    logits, iou = drawn(run.model, pair)
    wanted = aware_loss(logits, iou, pair.target.float())
    assert pair_loss(run.model, moved(run.model), pair).item() == pytest.approx(wanted.item())


def test_a_compact_model_is_refined_by_the_loss_that_it_was_trained_with() -> None:
    compact = load_model(DEFAULT_MODEL, "cpu", 128)
    windows = pictures(compact, [[record(0)]], 0, change=False)
    pair = next(pair for number in range(9) for pair in pairs_of(compact, windows, number, 0.5))
    logits, iou = drawn(compact, pair)
    target = pair.target.float()
    truth = target >= 0.5
    true = ((logits > 0) & truth).sum() / ((logits > 0) | truth).sum()
    masks = normalised_focal(logits[None, None], target[None, None]) + soft_dice(logits[None, None], target[None, None])
    wanted = masks.item() + float((iou - true) ** 2)
    assert pair_loss(compact, moved(compact), pair).item() == pytest.approx(wanted)


def test_windows_are_kept_for_the_next_pass_and_come_in_another_order(
    run: RefinerRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.plan = replace(SHORT, epochs=2)
    made: list[int] = []
    original = refiner_run.pairs_of
    monkeypatch.setattr(refiner_run, "pairs_of", lambda *given: made.append(given[2]) or original(*given))
    trained(run, None, lambda share, words: None)
    assert sorted(made) == [0, 1, 2, 3]  # once each in two passes
    assert run.held == sum(pair.nbytes for pairs in run.kept.values() for pair in pairs)
    orders = [np.random.default_rng((0, number)).permutation(4).tolist() for number in range(2)]
    assert made == orders[0]
    assert orders[0] != orders[1]


def test_beyond_the_budget_windows_are_made_again(run: RefinerRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refiner_run, "WINDOW_BYTES", 0)
    first, again = run._pairs(1), run._pairs(1)
    assert not run.kept
    assert first is not again
    assert first
    assert torch.equal(first[0].features.embedding, again[0].features.embedding)


def test_a_run_in_minutes_ends_by_the_clock(run: RefinerRun) -> None:
    run.plan = replace(SHORT, minutes=0.01)
    trained(run, None, lambda share, words: None)
    assert run.reached.seconds >= 0.6
    assert run.share == 1


def test_rates_are_those_of_the_architectures(model: SamModel, tmp_path: Path) -> None:
    plain = RefinerRun(model, [[record(0)]], replace(SHORT, rate=None), tmp_path / "a.pt")
    assert plain.peak == 1e-5  # SAM's own; the compact model's is 3e-4
    assert RefinerRun(model, [[record(0)]], SHORT, tmp_path / "a.pt").peak == 1e-3


def test_a_step_without_a_finite_gradient_is_skipped_and_told(
    run: RefinerRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run.begin()
    before = {name: tensor.detach().clone() for name, tensor in run.tensors.items()}
    monkeypatch.setattr(refiner_run, "aware_loss", lambda *given: aware_loss(*given) * float("nan"))
    run._step()
    assert run.reached.step == 1
    assert "step 0 skipped" in caplog.text
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.tensors.items())


# --- stopped and resumed --------------------------------------------------------------------------------------------


def test_an_interrupted_run_goes_on_to_the_same_refiner(model: SamModel, folder: Path, tmp_path: Path) -> None:
    plan = replace(SHORT, epochs=2)
    train_refiner(model, [folder], tmp_path / "whole.safetensors", plan)
    out, kept = tmp_path / "a.safetensors", tmp_path / "a.resume.pt"
    with pytest.raises(Interruption, match="stopped after step 2"):
        train_refiner(model, [folder], out, plan, told=at_step(2, press_ctrl_c))
    assert not out.exists()
    with pytest.raises(TrainingError, match="--fresh"):
        train_refiner(model, [folder], out, plan)
    train_refiner(model, [folder], out, plan, resume=kept)
    assert same(out, tmp_path / "whole.safetensors")


def test_ctrl_c_while_testing_keeps_the_training(model: SamModel, folder: Path, tmp_path: Path) -> None:
    out, kept = tmp_path / "a.safetensors", tmp_path / "a.resume.pt"

    def stop(share: float, words: str) -> None:
        if "test split: window 1" in words:
            press_ctrl_c()

    with pytest.raises(Interruption, match="stopped after step 2"):
        train_refiner(model, [folder], out, SHORT, told=stop)
    steps: list[str] = []
    train_refiner(model, [folder], out, SHORT, resume=kept, told=lambda share, words: steps.append(words))
    assert steps[0].startswith("step 2,")
    assert not any(words.startswith("step 3,") for words in steps)
    assert load_refiner(out, model)


def test_a_killed_run_goes_on_from_its_last_checkpoint(
    model: SamModel, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refiner_run, "REFINER_SAVE_SECONDS", 0.0)  # after every step
    plan, out = replace(SHORT, epochs=2), tmp_path / "a.safetensors"

    def die() -> None:
        raise SystemError("killed")

    with pytest.raises(SystemError):
        train_refiner(model, [folder], out, plan, told=at_step(3, die))
    first: list[str] = []
    kept = tmp_path / "a.resume.pt"
    train_refiner(model, [folder], out, plan, resume=kept, told=lambda share, words: first.append(words))
    assert first[0].startswith("step 3,")
    train_refiner(model, [folder], tmp_path / "whole.safetensors", plan)
    assert same(out, tmp_path / "whole.safetensors")


def test_a_checkpoint_of_another_run_is_refused(model: SamModel, run: RefinerRun, folder: Path, tmp_path: Path) -> None:
    run.begin()
    run.save()
    out = tmp_path / "a.safetensors"
    with pytest.raises(CheckpointError, match="not the same data"):
        train_refiner(model, [folder], out, SHORT, resume=run.checkpoint)
    with pytest.raises(CheckpointError, match="not the same data and plan"):
        train_refiner(model, [folder], out, replace(SHORT, seed=5), resume=run.checkpoint)
    run.checkpoint.write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match="cannot be read"):
        train_refiner(model, [folder], out, SHORT, resume=run.checkpoint)


def test_a_full_disk_ends_in_words_and_the_checkpoint_stands(
    model: SamModel, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "a.safetensors"
    train_refiner(model, [folder], out, SHORT)
    before = out.read_bytes()
    with files_up_to(10_000), pytest.raises(TrainingError, match="cannot be written"):
        train_refiner(model, [folder], out, SHORT, fresh=True)
    assert out.read_bytes() == before
    assert "the previous checkpoint stands" in caplog.text


# --- data -----------------------------------------------------------------------------------------------------------


def test_a_tenth_of_the_images_is_set_aside() -> None:
    of_sets: list[list[LabelledImage]] = [[record(seed) for seed in range(20)], [record(20), record(21)]]
    learned, aside = parted(of_sets, 0)
    assert [len(of_set) for of_set in learned] == [18, 1]
    assert [len(of_set) for of_set in aside] == [2, 1]
    for of_set, one, other in zip(of_sets, learned, aside, strict=True):
        assert sorted([r.name for r in one] + [r.name for r in other]) == sorted(r.name for r in of_set)
    assert [[r.name for r in of_set] for of_set in parted(of_sets, 0)[1]] == [[r.name for r in s] for s in aside]
    assert labelled_digest(of_sets) != labelled_digest(of_sets[:1])


def test_the_only_image_is_used_for_both() -> None:
    learned, aside = parted([[record(0)]], 0)
    assert [r.name for r in learned[0]] == [r.name for r in aside[0]] == ["p0"]


def test_a_set_without_masks_is_refused(model: SamModel, folder: Path, tmp_path: Path) -> None:
    (folder / "masks").rename(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match="no masks"):
        train_refiner(model, [folder], tmp_path / "a.safetensors", SHORT)


def test_empty_masks_are_refused(model: SamModel, folder: Path, tmp_path: Path) -> None:
    for file in (folder / "masks").iterdir():
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(file)
    with pytest.raises(DatasetError, match="no usable image with an object"):
        train_refiner(model, [folder], tmp_path / "a.safetensors", SHORT)


def test_one_object_and_no_test_split_are_enough(
    model: SamModel, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_split(folder, ["d0"], [])
    out = tmp_path / "a.safetensors"
    assert train_refiner(model, [folder], out, SHORT) == {}
    assert any("no figures on a test split" in line for line in told(caplog))
    assert json.loads(load_refiner(out, model).facts["held_out"]) == {}


def test_answers_that_are_all_poor_teach_nothing(model: SamModel, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"No answer in .* is good enough"):
        train_refiner(model, [folder], tmp_path / "a.safetensors", replace(SHORT, least=1.01))


def test_another_ending_is_refused(model: SamModel, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"must end in \.safetensors"):
        train_refiner(model, [folder], tmp_path / "a.pth", SHORT)


# --- figures --------------------------------------------------------------------------------------------------------


def test_figures_are_means_over_objects_and_shares_of_pooled_pixels() -> None:
    one = Checked(0.8, 0.6, 0.9, 0.7, Reliability(0.9, 1.0, 0.5, 1.0, 0.25))
    other = Checked(0.6, 0.4, 0.5, 0.3, Reliability(0.7, 0.8, 1.0, float("nan"), 0.0))
    found = refiner_figures([one, other])
    assert found["objects"] == 2
    assert found["iou"] == pytest.approx(0.7)
    assert found["boundary_iou"] == pytest.approx(0.5)
    assert found["refined_iou"] == pytest.approx(0.7)
    assert found["refined_boundary_iou"] == pytest.approx(0.5)
    assert found["right_60"] == pytest.approx((0.5 + 0.8) / 1.5)
    assert found["right_80"] == pytest.approx(1.0)
    assert refiner_figures([]) == {}


def test_a_refiner_that_changes_nothing_is_certain_everywhere(model: SamModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "samtta_app.train.refiner.refiner_figures.refined", lambda m, r, f, p, logits, b: (logits, None)
    )
    windows = pictures(model, [[record(0)]], 0, change=False)
    rows = [row for number in range(6) for row in check_window(model, (untrained(model),), windows, number)[0]]
    assert rows
    for row in rows:
        assert row.refined_iou == row.iou
        assert row.refined_boundary_iou == row.boundary_iou
        assert row.reliability.pixels_60 == row.reliability.pixels_80 == 1.0
        assert row.reliability.right_60 == row.reliability.right


def test_untrained_figures_stand_beside_trained_ones(model: SamModel, folder: Path) -> None:
    found = held_out_figures(model, untrained(model), [folder], 3, 0, lambda share, words: None)
    assert found["objects"] >= 3
    for name in ("refined_iou", "right_60", "pixels_60"):
        assert found[f"before_{name}"] == pytest.approx(found[name], nan_ok=True)  # the same refiner twice
    assert "before_iou" not in found  # the answer's own are the same before and after
    other = held_out_figures(model, moved(model), [folder], 3, 0, lambda share, words: None)
    assert other["iou"] == found["iou"]
    assert other["before_refined_iou"] == found["refined_iou"]
    assert other["refined_iou"] != found["refined_iou"]
