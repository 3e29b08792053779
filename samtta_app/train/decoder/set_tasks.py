"""Which task each data set of a decoder's training is for.

Source: SUM (Liu et al. 2024), section 3.2. A task is a kind of annotation, and all masks of a set are of one kind.
In SUM's table salient objects are 1 and entities are 2. Here tasks have names. A set without one has task 0, which has no
vector: so have the model's own proposals, and clicks under a class that is no task's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from samtta_app.errors import TrainingError
from samtta_app.model.stored_tasks import LONGEST_TASK, is_task_name
from samtta_app.train.data.labelled_images import has_masks
from samtta_app.train.data.set_records import set_name

_FORM = "Give a set's folder name and its task, as --task my_cells=nucleus"


def set_tasks(datasets: Sequence[Path], given: Sequence[str]) -> Mapping[Path, str]:
    """The tasks of the data sets that have one, from texts SET=TASK; several sets may have one task.

    Raises:
        TrainingError: a text is not of this form, names no set of the run, one without masks, or one twice.
    """
    folders = {set_name(folder): folder for folder in datasets}
    tasks: dict[Path, str] = {}
    for text in given:
        name, sign, task = text.rpartition("=")
        if not sign or not is_task_name(task):
            do = f"{_FORM}; a task is printable text of at most {LONGEST_TASK} characters"
            raise TrainingError(f"This names no task of a set: {text!r}", do=do)
        if name not in folders:
            raise TrainingError(f"There is no data set {name!r} to have a task", ", ".join(folders), _FORM)
        if not has_masks(folders[name]):
            do = "Leave its task out: what the model proposes there belongs to no task"
            raise TrainingError("A data set without masks has no task", folders[name], do)
        if folders[name] in tasks:
            raise TrainingError(f"The data set {name!r} has two tasks", folders[name], "Give it one")
        tasks[folders[name]] = task
    return tasks
