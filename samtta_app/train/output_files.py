"""Where a run writes: its model file, and the checkpoint beside it."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from samtta_app.errors import TrainingError


def check_places(ending: str, out: Path, checkpoint: Path | None = None, *, going_on: bool = False) -> None:
    """Check before anything is read that the files can be written and opened again, and that nothing is lost.

    Args:
        ending: required ending of the model file's name.
        out: the model file; missing folders are made.
        checkpoint: its checkpoint, where it has one.
        going_on: whether an existing checkpoint may be overwritten.

    Raises:
        TrainingError: another ending, no place to write to, an earlier run's checkpoint.
    """
    if out.suffix != ending or out.is_dir():
        raise TrainingError(f"The file of this model must end in {ending}", out, "Give another name with --out")
    if checkpoint is not None and checkpoint.exists() and not going_on:
        raise TrainingError(
            "There is a checkpoint of an earlier run",
            checkpoint,
            f"Continue it with --resume {checkpoint}, or start again with --fresh, which overwrites it",
        )
    for folder in {out.parent, (checkpoint or out).parent}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as e:
            raise TrainingError(f"The folder cannot be written to: {e}", folder, "Choose another with --out") from e


def written_at_the_end(write: Callable[[Path], None], out: Path) -> None:
    """Write what a training without a checkpoint has made.

    Raises:
        TrainingError: it cannot be written.
    """
    try:
        write(out)
    except (OSError, ValueError) as e:
        raise TrainingError(f"The file cannot be written: {e}", out, "Make room, and run the same command again") from e
