"""A run is refused before it begins where it could not write, or would write over something."""

from __future__ import annotations

from pathlib import Path

import pytest

from samtta_app.errors import TrainingError
from samtta_app.train.output_files import check_places


@pytest.mark.parametrize(("ending", "name"), [(".pth", "a.safetensors"), (".safetensors", "a.pth"), (".pth", "a")])
def test_an_ending_that_could_not_be_opened_again_is_refused_at_once(ending: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="must end in"):
        check_places(ending, tmp_path / name, tmp_path / "a.resume.pt", going_on=False)


def test_folders_are_made_and_places_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    made, file = tmp_path / "new" / "folder", tmp_path / "file"
    check_places(".pth", made / "a.pth", made / "a.resume.pt", going_on=False)
    assert list(made.iterdir()) == []
    file.write_text("")
    for out, checkpoint in ((file / "a.pth", made / "c"), (made / "a.pth", file / "c")):
        with pytest.raises(TrainingError, match="cannot be written to"):
            check_places(".pth", out, checkpoint, going_on=True)
    (tmp_path / "b.pth").mkdir()
    with pytest.raises(TrainingError, match="must end in"):
        check_places(".pth", tmp_path / "b.pth", made / "c", going_on=True)


def test_an_earlier_runs_checkpoint_is_written_over_only_when_asked(tmp_path: Path) -> None:
    checkpoint = tmp_path / "a.resume.pt"
    checkpoint.write_bytes(b"hours of work")
    check_places(".pth", tmp_path / "a.pth", checkpoint, going_on=True)
    with pytest.raises(TrainingError, match="earlier run") as caught:
        check_places(".pth", tmp_path / "a.pth", checkpoint, going_on=False)
    assert caught.value.where == str(checkpoint)
