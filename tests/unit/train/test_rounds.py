"""The rounds of a batch: prompts stay in the window, logits fed back have the grid's size, gradients reach all parts."""

import numpy as np
import pytest
import torch

from samtta_app.model.compact import CompactConfig, DecoderOutput, build_compact
from samtta_app.train import rounds
from samtta_app.train.data import SampleSource, batches
from samtta_app.train.rounds import Encoded, fed_back, interactive_step, noisy_boxes
from tests.unit.train.material import record

TOY = CompactConfig(name="toy", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64)


def test_noisy_boxes_stay_near_and_within_the_window() -> None:
    boxes = torch.tensor([[0.0, 10, 40, 63]]).repeat(50, 1)
    noisy = noisy_boxes(boxes, 64, np.random.default_rng(0))
    assert noisy.min() >= 0
    assert noisy.max() <= 63
    assert (noisy - boxes).abs().max() <= 20
    assert (noisy != boxes).any()


def test_fed_back_logits_have_the_shape_of_a_mask_prompt() -> None:
    out = DecoderOutput(torch.randn(3, 4, 16, 16), torch.rand(3, 4), torch.zeros(3, 5, 8))
    kinds = set()
    for seed in range(80):
        logits = fed_back(out, np.random.default_rng(seed))
        if logits is None:
            kinds.add("none")
            continue
        assert logits.shape == (3, 1, 16, 16)
        kinds.add("single" if torch.equal(logits, out.masks[:, :1]) else "other")
    assert kinds == {"none", "single", "other"}


@pytest.mark.parametrize("box_share", [0.0, 1.0])
@pytest.mark.parametrize("corrections", [0, 2])
def test_a_step_gives_every_part_a_gradient(
    monkeypatch: pytest.MonkeyPatch, box_share: float, corrections: int
) -> None:
    monkeypatch.setattr(rounds, "BOX_SHARE", box_share)
    monkeypatch.setattr(rounds, "CORRECTIONS", ((corrections, 1.0),))
    torch.manual_seed(0)
    model = build_compact(TOY).train()
    batch = next(batches(SampleSource({"s": [record(0)]}, {"s": 1.0}, 64, 2, 0), 2, 0, workers=0))
    result = interactive_step(model, batch, np.random.default_rng(1))
    result.loss.backward()
    for part in (model.image_encoder, model.prompt_encoder.maps_to_skip, model.mask_decoder):
        gradients = [p.grad for p in part.parameters() if p.grad is not None]
        assert sum(g.abs().sum().item() for g in gradients) > 0
    assert 0 <= result.first_iou <= 1
    assert 0 <= result.filled <= 1


def test_an_image_is_encoded_once_for_all_its_targets() -> None:
    model = build_compact(TOY)
    pixels = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        encoded = Encoded.of(model, pixels, 3)
    assert encoded.embedding.shape[0] == 6
    assert torch.equal(encoded.embedding[0], encoded.embedding[2])
    assert not torch.equal(encoded.embedding[2], encoded.embedding[3])
    assert encoded.skips[1].shape == (6, TOY.dim // 8, 16, 16)
