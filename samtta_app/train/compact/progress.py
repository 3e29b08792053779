"""Progress of a run in figures for users: how much is done, what is left, and how good the masks are."""

from collections.abc import Sequence
from dataclasses import dataclass

from samtta_app.train.checkpoint import RunCounter
from samtta_app.train.compact.recipe import TrainingStage
from samtta_app.train.compact.schedule import stage_share

HELD_OUT_CLICKS = (1, 3, 5)
"""Held-out IoU is reported after these clicks."""


@dataclass(frozen=True, slots=True)
class RunStanding:
    """Progress of a run."""

    stage: str
    step: int
    share: float
    """Completed share of the run, 0..1."""
    seconds_left: float | None
    """None until the run is long enough for an estimate."""
    trained: tuple[float, float]
    """Training IoU after the first and after the last click, averaged over recent steps."""
    held_out: tuple[float, ...]
    """Latest mean IoU over the held-out sets after 1, 3 and 5 clicks; empty without held-out objects."""
    images: int
    """Images in a batch."""
    halved: bool
    """Whether this is half of the recipe's number, because memory was too small."""

    @property
    def line(self) -> str:
        """One line of text with all but the share and the time left."""
        trained = f"training IoU {self.trained[0]:.3f} to {self.trained[1]:.3f}"
        parts = [f"stage {self.stage}, step {self.step}", trained]
        if self.held_out:
            after = ", ".join(str(click) for click in HELD_OUT_CLICKS)
            parts.insert(1, f"held-out IoU {' '.join(f'{iou:.3f}' for iou in self.held_out)} after {after} clicks")
        if self.halved:
            parts.append(f"batch halved to {self.images}")
        return "; ".join(parts)

    @property
    def left(self) -> str:
        """The time left in words."""
        if self.seconds_left is None:
            return "time left unknown"
        minutes = round(self.seconds_left / 60)
        if minutes < 1:
            return "less than a minute left"
        return f"{minutes // 60} h {minutes % 60} min left" if minutes >= 60 else f"{minutes} min left"


def run_standing(stages: Sequence[TrainingStage], progress: RunCounter) -> RunStanding:
    """Progress of a run through `stages`."""
    now = min(progress.stage, len(stages) - 1)
    share = run_share(stages, progress)
    return RunStanding(
        stages[now].name,
        progress.step,
        share,
        progress.seconds * (1 / share - 1) if share > 0 else None,
        (progress.first_iou, progress.last_iou),
        held_out_ious(progress),
        stages[now].images,
        progress.halved,
    )


def run_share(stages: Sequence[TrainingStage], progress: RunCounter) -> float:
    """Completed share of a run, 0..1: by the stages' minutes, or by their pixels if all stages count steps."""
    if all(stage.steps for stage in stages):
        weights = [stage.steps * stage.images * float(stage.size**2) for stage in stages]
    else:
        weights = [0.0 if stage.steps else stage.minutes for stage in stages]
    if progress.stage >= len(stages):
        return 1.0
    done = sum(weights[: progress.stage]) + weights[progress.stage] * stage_share(stages[progress.stage], progress)
    return done / sum(weights)


def held_out_ious(progress: RunCounter) -> tuple[float, ...]:
    """Mean over the sets of the last measurement, for each of `HELD_OUT_CLICKS`; empty without one."""
    last = progress.history[-1] if progress.history else {}
    found = [[iou for key, iou in last.items() if key.endswith(f"@{click}")] for click in HELD_OUT_CLICKS]
    return tuple(sum(ious) / len(ious) for ious in found) if all(found) else ()
