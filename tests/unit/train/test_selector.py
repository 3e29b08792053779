"""Training of a selector: it learns which of a model's masks is good, and is written only where it chooses better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from samtta_app.errors import DatasetError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.mask_features import FEATURES
from samtta_app.model.model_registry import load_model
from samtta_app.model.selector import load_selector
from samtta_app.train.selector import selector_run
from samtta_app.train.selector.selector_run import SelectorPlan, figures, fitted_selector, train_selector
from samtta_app.train.selector.selector_samples import Ranking, rankings
from tests.unit.train.material import record, write_set

SHORT = SelectorPlan(objects=6, epochs=2)


@pytest.fixture(scope="module")
def small() -> SamModel:
    return load_model("samtta-small", "cpu", 128)


def made(count: int, seed: int) -> list[Ranking]:
    """Answers whose IoU is a number of their features, while predicted IoU says nothing."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        rows = rng.normal(size=(8, len(FEATURES))).astype(np.float32)
        truth = 1 / (1 + np.exp(-1.5 * rows[:, FEATURES.index("stable")]))
        rule = int(rows[:, 0].argmax())
        found.append(Ranking(rows, truth.astype(np.float32), 1, rule))
    return found


def test_a_selector_learns_what_makes_a_mask_good() -> None:
    selector = fitted_selector(made(300, 0), SelectorPlan(epochs=30))
    found = figures(selector, made(100, 1))
    assert found["rule@1"] < 0.6
    assert found["chosen@1"] > found["best@1"] - 0.05


def test_the_same_seed_gives_the_same_selector() -> None:
    one, other = (fitted_selector(made(40, 0), SelectorPlan(epochs=2, seed=5)) for _ in range(2))
    assert all((one.layers[name] == other.layers[name]).all() for name in one.layers)


@pytest.mark.parametrize("change", [False, True])
def test_an_object_gives_answers_with_true_overlaps(small: SamModel, change: bool) -> None:
    found = [
        each for number in range(8) for each in rankings(small, [[record(0), record(1)]], number, 3, change=change)
    ]
    assert len(found) > 8
    assert {each.steps for each in found} >= {1, 2}
    for each in found:
        assert each.features.shape == (len(each.truth), len(FEATURES))
        assert np.isfinite(each.features).all()
        assert ((each.truth >= 0) & (each.truth <= 1)).all()
        assert 0 <= each.rule < len(each.truth)
    assert max(float(each.truth.max()) for each in found) > 0.5
    again = [
        each for number in range(8) for each in rankings(small, [[record(0), record(1)]], number, 3, change=change)
    ]
    assert all(np.array_equal(a.features, b.features) for a, b in zip(found, again, strict=True))


def test_a_selector_that_chooses_better_is_written_with_its_figures(
    small: SamModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []
    monkeypatch.setattr(selector_run, "figures", lambda *_: {"rule@1": 0.5, "chosen@1": 0.6, "best@1": 0.7})
    out = tmp_path / "made" / "s.safetensors"
    found = train_selector(small, [write_set(tmp_path / "set")], out, SHORT, lambda share, _: told.append(share))
    assert found["chosen@1"] == 0.6
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1
    assert '"chosen@1": 0.6' in load_selector(out, small).facts["held_out"]


def test_a_selector_that_chooses_no_better_is_not_written(
    small: SamModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selector_run, "figures", lambda *_: {"rule@1": 0.5, "chosen@1": 0.5, "best@1": 0.7})
    with pytest.raises(TrainingError, match="no better than predicted IoU"):
        train_selector(small, [write_set(tmp_path / "set")], tmp_path / "s.safetensors", SHORT)
    assert not (tmp_path / "s.safetensors").exists()


def test_sets_that_teach_nothing_are_refused(small: SamModel, tmp_path: Path) -> None:
    photos = write_set(tmp_path / "photos", masks=False)
    with pytest.raises(DatasetError, match="has no masks"):
        train_selector(small, [photos], tmp_path / "s.safetensors", SHORT)
    novel = write_set(tmp_path / "novel")
    (novel / "NOVEL").touch()
    with pytest.raises(DatasetError):
        train_selector(small, [novel], tmp_path / "s.safetensors", SHORT)
    with pytest.raises(TrainingError, match="must end in"):
        train_selector(small, [write_set(tmp_path / "set")], tmp_path / "s.bin", SHORT)
