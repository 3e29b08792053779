"""Folds of data sets, and sets that are kept for measuring."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from samtta_app.cli.bench import bench_app
from samtta_app.cli.train import train_app
from samtta_app.datasets.folds import NOVEL_FILE, Fold, check_not_novel, fold_named
from samtta_app.errors import DatasetError, UserError


def folders(root: Path, names: str, photos: str = "") -> list[Path]:
    """Empty sets with masks, then sets of photos."""
    for name in names.split():
        (root / name / "masks").mkdir(parents=True)
    for name in photos.split():
        (root / name / "images").mkdir(parents=True)
    return [root / name for name in (*names.split(), *photos.split())]


def test_every_set_with_masks_is_left_out_of_exactly_one_fold(tmp_path: Path) -> None:
    given = folders(tmp_path, "d a c b e g f", "holiday")
    parts = [Fold(number, 3).split(given) for number in (1, 2, 3)]
    assert [[folder.name for folder in out] for _, out in parts] == [["d", "a", "g"], ["b", "e"], ["c", "f"]]
    for learned, out in parts:
        assert sorted(learned + out) == sorted(given)
        assert tmp_path / "holiday" in learned  # photos have no object to measure


def test_the_order_of_the_folders_does_not_change_the_folds(tmp_path: Path) -> None:
    given = folders(tmp_path, "d a c b")
    assert set(Fold(2, 3).split(given)[1]) == set(Fold(2, 3).split(given[::-1])[1])


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "1/1", "1/99", "a/b", "1/3/2", "-1/3"])
def test_what_is_no_fold_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="1/3"):
        fold_named(text)


def test_a_novel_set_is_refused_by_every_training(tmp_path: Path, dataset: Path) -> None:
    (dataset / NOVEL_FILE).touch()
    with pytest.raises(DatasetError, match="novel"):
        check_not_novel(dataset)
    for words in (
        ["model", str(dataset), "--out", "m.safetensors"],
        ["heads", str(dataset), "--out", "h.safetensors"],
        ["refiner", str(dataset), "--out", "r.safetensors"],
        ["decoder", str(dataset), "--model", "samtta-small", "--out", "d.safetensors"],
    ):
        words[-1] = str(tmp_path / words[-1])
        result = CliRunner().invoke(train_app, words)
        assert isinstance(result.exception, DatasetError), (words, result.output)
        assert "novel" in str(result.exception)
        assert not Path(words[-1]).exists()


def test_bench_measures_only_what_was_left_out(tmp_path: Path, dataset: Path) -> None:
    other = tmp_path / "zebras"
    other.symlink_to(dataset)
    words = ["quality", str(other), str(dataset), "--objects", "1", "--left-out", "2/2"]
    result = CliRunner().invoke(bench_app, words)
    assert result.exit_code == 0, result.output
    assert "IoU by click" in result.output
