"""Where a run writes: its model file, and the checkpoint beside it."""

import tempfile
from pathlib import Path

from samtta_app.errors import TrainingError


def check_places(ending: str, out: Path, checkpoint: Path, *, going_on: bool) -> None:
    """Check before anything is read that the files can be written and opened again, and that nothing is lost.

    Args:
        ending: required ending of the model file's name.
        out: the model file; missing folders are made.
        checkpoint: its checkpoint.
        going_on: whether an existing checkpoint may be overwritten.

    Raises:
        TrainingError: another ending, no place to write to, an earlier run's checkpoint.
    """
    if out.suffix != ending or out.is_dir():
        raise TrainingError(f"The file of this model must end in {ending}", out, "Give another name with --out")
    if checkpoint.exists() and not going_on:
        raise TrainingError(
            "There is a checkpoint of an earlier run",
            checkpoint,
            f"Continue it with --resume {checkpoint}, or start again with --fresh, which overwrites it",
        )
    for folder in {out.parent, checkpoint.parent}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as e:
            raise TrainingError(f"The folder cannot be written to: {e}", folder, "Choose another with --out") from e
