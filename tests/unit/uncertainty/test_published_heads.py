"""The heads that were published with UncertainSAM load from their own layout, and answer for every size of SAM 2."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from samtta_app.core.messages import MeasureRequest, PredictRequest
from samtta_app.core.replies import Answer, Measured
from samtta_app.core.types import Click, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.model_registry import toy_model
from samtta_app.settings import model_folder
from samtta_app.uncertainty.heads import SAM_TWO_SIZES, advice_from, heads_for, load_heads, load_published_heads
from tests.unit.model.official_toys import toy_sam_two
from tests.unit.values import picture

WIDTH = 64
"""Twice the tokens' width of the toy; that of SAM 2 gives 512."""
FOLDERS = (
    *("iou_tiny", "iou_small", "iou_base_plus", "iou_large", "iou_dense_prompt", "iou_unsupervised"),
    *("model_gap", "task_gap", "prompt_gap"),
)
IMAGE, CLICK = picture(1, discs=((60, 50, 18),)), Prompt((Click(60, 50, True),))


class Published(nn.Module):
    """The published network: three linear layers in a list."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, out) for out in (width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:2]:
            x = torch.relu(layer(x))
        return torch.sigmoid(self.layers[2](x))


def published(folder: Path, names: tuple[str, ...] = FOLDERS, width: int = WIDTH) -> dict[str, Published]:
    made = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for name in names:
            made[name] = Published(width)
            (folder / name).mkdir(parents=True)
            torch.save(made[name].state_dict(), folder / name / "model.pth")
    return made


def sam_two(name: str) -> SamModel:
    return built_model(name, toy_sam_two(), 64)


@pytest.mark.parametrize("size", SAM_TWO_SIZES)
def test_all_nine_answer_as_the_published_networks_for_every_size(size: str, tmp_path: Path) -> None:
    made = published(tmp_path)
    heads = load_published_heads(tmp_path, sam_two(f"sam2.1_{size}"))
    tokens = torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(1))
    found = heads.predicted(tokens)
    with torch.no_grad():
        said = {name: net(tokens)[:, 0] for name, net in made.items()}
    wanted = {f"iou_{each}": said[f"iou_{each}"] for each in SAM_TWO_SIZES}
    wanted |= {"iou": said[f"iou_{size}"], "iou_larger": said["iou_large"]}
    wanted |= {"iou_dense": said["iou_dense_prompt"], "iou_chosen": said["iou_unsupervised"]}
    wanted |= {name: said[name] - 0.5 for name in ("model_gap", "task_gap", "prompt_gap")}
    wanted |= {"model_gap_difference": said["iou_large"] - said[f"iou_{size}"]}
    wanted |= {"task_gap_difference": said[f"iou_{size}"] - said["iou_unsupervised"]}
    wanted |= {"prompt_gap_difference": said["iou_dense_prompt"] - said[f"iou_{size}"]}
    assert found.keys() == wanted.keys()
    assert all(torch.allclose(found[name], value, atol=1e-6) for name, value in wanted.items())
    assert heads.larger == ("" if size == "large" else "sam2.1_large")


@pytest.mark.parametrize(("name", "version"), [("sam2.1_tiny", "sam2.1"), ("sam2_base_plus", "sam2.0")])
def test_heads_in_the_model_folder_answer_at_every_click_and_when_they_are_measured(name: str, version: str) -> None:
    published(model_folder() / "usam" / version)
    engine = Engine(sam_two(name))
    answer = run(engine, PredictRequest(1, IMAGE, CLICK, IMAGE.whole))
    assert isinstance(answer, Answer)
    gaps = answer.candidates[answer.chosen].gaps
    assert gaps is not None
    assert all(-0.5 <= value <= 0.5 for value in (gaps.model, gaps.task, gaps.prompt))
    measured = run(engine, MeasureRequest(1, IMAGE, CLICK, IMAGE.whole, ("heads",)))
    assert isinstance(measured, Measured)
    assert not measured.absent
    assert any("iou_base_plus" in key for key in measured.numbers)


def test_those_of_another_version_are_not_taken_and_advice_needs_thresholds() -> None:
    published(model_folder() / "usam" / "sam2.0")
    assert heads_for(sam_two("sam2.1_tiny"))[0] is None
    heads, _ = heads_for(sam_two("sam2_tiny"))
    assert heads is not None
    advice = advice_from(heads, larger=True)
    assert {advice.model, advice.task, advice.prompt} == {float("inf")}


def test_some_heads_are_enough_if_that_of_the_size_is_there(tmp_path: Path) -> None:
    published(tmp_path, ("iou_tiny", "task_gap"))
    assert load_heads(tmp_path, sam_two("sam2_tiny")).names == ("iou", "task_gap", "iou_tiny")
    with pytest.raises(CheckpointError, match="no head iou_small"):
        load_heads(tmp_path, sam_two("sam2_small"))


def test_heads_that_do_not_fit_are_refused_in_words(tmp_path: Path) -> None:
    published(tmp_path / "wide", ("iou_tiny",), width=32)
    with pytest.raises(CheckpointError, match=r"does not fit an uncertainty head.*of another shape"):
        load_heads(tmp_path / "wide", sam_two("sam2_tiny"))
    published(tmp_path / "broken", ("iou_tiny",))
    (tmp_path / "broken" / "iou_tiny" / "model.pth").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"model\.pth"):
        load_heads(tmp_path / "broken", sam_two("sam2_tiny"))
    with pytest.raises(CheckpointError, match="Published heads are for SAM 2, not for 'toy'"):
        load_heads(tmp_path / "wide", toy_model())
