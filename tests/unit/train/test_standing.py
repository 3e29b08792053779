"""A person is told what is done, what is left, and how good masks of images are that the model does not learn from."""

import pytest

from samtta_app.train.checkpoint import RunCounter
from samtta_app.train.compact.progress import held_out_ious, run_share, run_standing
from samtta_app.train.compact.recipe import TrainingStage

BY_MINUTES = (
    TrainingStage("narrow", 256, 20, 3, 1e-3, 0, minutes=60),
    TrainingStage("finish", 512, 8, 3, 1e-3, 0, minutes=20),
)
BY_STEPS = (TrainingStage("narrow", 64, 8, 3, 1e-3, 0, steps=10), TrainingStage("finish", 128, 4, 3, 1e-3, 0, steps=10))
HISTORY = [
    {"step": 0, "seconds": 0, "a@1": 0.1, "a@3": 0.1, "a@5": 0.1, "b@1": 0.1, "b@3": 0.1, "b@5": 0.1},
    {"step": 9, "seconds": 9, "a@1": 0.5, "a@3": 0.6, "a@5": 0.7, "b@1": 0.7, "b@3": 0.8, "b@5": 0.9},
]


def at(**values: object) -> RunCounter:
    return RunCounter(**values)  # type: ignore[arg-type]


def test_minutes_weigh_in_a_run_of_minutes() -> None:
    assert run_share(BY_MINUTES, at()) == 0
    assert run_share(BY_MINUTES, at(stage_seconds=1800.0)) == pytest.approx(0.375)
    assert run_share(BY_MINUTES, at(stage=1, stage_seconds=600.0)) == pytest.approx(0.875)
    assert run_share(BY_MINUTES, at(stage=2)) == 1


def test_pixels_weigh_in_a_run_of_steps() -> None:
    assert run_share(BY_STEPS, at(stage=1)) == pytest.approx(1 / 3)  # half as many images, four times the pixels
    assert run_share(BY_STEPS, at(stage=1, stage_step=5)) == pytest.approx(2 / 3)


def test_the_time_left_is_what_minutes_are_left() -> None:
    now = run_standing(BY_MINUTES, at(stage_seconds=1800.0, seconds=1800.0))
    assert now.seconds_left == pytest.approx(50 * 60)
    assert now.left == "50 min left"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(20.0, "less than a minute left"), (0.0, "time left unknown"), (7200.0, "1 h 0 min left")],
)
def test_the_time_left_is_told_in_words(seconds: float, told: str) -> None:
    share = {20.0: 0.5, 0.0: 0.0, 7200.0: 2 / 3}[seconds]
    stages = (TrainingStage("a", 64, 1, 1, 1e-3, 0, steps=300),)
    assert run_standing(stages, at(seconds=seconds, stage_step=round(300 * share))).left == told


def test_the_last_measurement_counts_and_sets_count_alike() -> None:
    assert held_out_ious(at(history=HISTORY)) == pytest.approx((0.6, 0.7, 0.8))
    assert held_out_ious(at(history=HISTORY[:1])) == pytest.approx((0.1, 0.1, 0.1))


@pytest.mark.parametrize("history", [[], [{"step": 0, "seconds": 0.0}]])
def test_without_held_out_objects_there_are_no_figures(history: list[dict[str, float]]) -> None:
    assert held_out_ious(at(history=history)) == ()
    assert "held-out" not in run_standing(BY_MINUTES, at(history=history)).line


def test_the_line_names_stage_step_held_out_and_training_figures() -> None:
    line = run_standing(BY_MINUTES, at(stage=1, step=12, first_iou=0.55, last_iou=0.71, history=HISTORY)).line
    assert line == (
        "stage finish, step 12; held-out IoU 0.600 0.700 0.800 after 1, 3, 5 clicks; training IoU 0.550 to 0.710"
    )


def test_a_halved_batch_is_told() -> None:
    assert run_standing(BY_MINUTES, at(halved=True)).line.endswith("batch halved to 20")  # the stages have it already
    assert "halved" not in run_standing(BY_MINUTES, at()).line


def test_a_run_that_is_over_has_nothing_left() -> None:
    over = run_standing(BY_MINUTES, at(stage=2, seconds=4800.0))
    assert (over.share, over.left, over.stage) == (1, "less than a minute left", "finish")
