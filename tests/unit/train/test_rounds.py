"""The rounds of a batch: prompts stay in the window, logits fed back have the grid's size, gradients reach all parts."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.model.backbones.compact import DecoderOutput, build_compact
from samtta_app.model.backbones.likeness import Context
from samtta_app.train.batches import SampleSource, batches
from samtta_app.train.compact import click_rounds
from samtta_app.train.compact.click_rounds import (
    Encoded,
    decode_rounds,
    drawn_context,
    fed_back,
    human_boxes,
    interactive_step,
)
from samtta_app.train.data.click_sampling import Clicks
from tests.unit.train.material import record
from tests.unit.train.toy import TOY


def test_noisy_boxes_stay_near_and_within_the_window() -> None:
    boxes = torch.tensor([[0.0, 10, 40, 63]]).repeat(50, 1)
    noisy = human_boxes(boxes, 64, np.random.default_rng(0))
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
    monkeypatch.setattr(click_rounds, "COMPACT_BOX_SHARE", box_share)
    monkeypatch.setattr(click_rounds, "CORRECTION_ODDS", ((corrections, 1.0),))
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


def test_a_box_alone_is_told_with_its_middle_which_need_not_be_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click_rounds, "COMPACT_BOX_SHARE", 1.0)
    monkeypatch.setattr(click_rounds, "CORRECTION_ODDS", ((0, 1.0),))
    told, judged = [], []
    decode, judge = click_rounds.decode_rounds, click_rounds.round_loss
    monkeypatch.setattr(
        click_rounds, "decode_rounds", lambda *given: told.append((given[2], given[3])) or decode(*given)
    )
    monkeypatch.setattr(
        click_rounds, "round_loss", lambda *given, **more: judged.append(given[2]) or judge(*given, **more)
    )
    batch = next(batches(SampleSource({"s": [record(0)]}, {"s": 1.0}, 64, 2, 0), 2, 0, workers=0))
    interactive_step(build_compact(TOY).train(), batch, np.random.default_rng(1))
    (first, boxes), (second, _) = told
    assert torch.equal(first.coords[:, 0], (boxes[:, :2] + boxes[:, 2:]) / 2)
    assert bool((first.labels == 1).all())
    assert [clicks.labels.shape[1] for clicks in judged] == [0, 1]
    assert second.labels.shape[1] == 1, "the middle is told no more"


def test_an_image_is_encoded_once_for_all_its_targets() -> None:
    model = build_compact(TOY)
    pixels = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        encoded = Encoded.of(model, pixels, 3)
    assert encoded.embedding.shape[0] == 6
    assert torch.equal(encoded.embedding[0], encoded.embedding[2])
    assert not torch.equal(encoded.embedding[2], encoded.embedding[3])
    assert encoded.skips[1].shape == (6, TOY.dim // 8, 16, 16)


def test_threads_for_clicks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click_rounds, "CORRECTION_ODDS", ((2, 1.0),))
    torch.manual_seed(0)
    model = build_compact(TOY).train()
    batch = next(batches(SampleSource({"s": [record(0)]}, {"s": 1.0}, 64, 2, 0), 2, 0, workers=0))
    alone = interactive_step(model, batch, np.random.default_rng(1))
    with ThreadPoolExecutor(3) as pool:
        together = interactive_step(model, batch, np.random.default_rng(1), pool)
    assert torch.equal(alone.loss, together.loss)
    assert (alone.first_iou, alone.last_iou, alone.filled) == (together.first_iou, together.last_iou, together.filled)


def test_truths_are_made_once_for_all_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click_rounds, "CORRECTION_ODDS", ((3, 1.0),))
    made = []
    original = click_rounds.truths
    monkeypatch.setattr(click_rounds, "truths", lambda targets: made.append(targets.dtype) or original(targets))
    # These may be asked for the truth of truths, which costs nothing.
    for module in ("data.click_sampling", "compact.round_loss"):
        monkeypatch.setattr(f"samtta_app.train.{module}.truths", refusing_shares(original))
    batch = next(batches(SampleSource({"s": [record(0)]}, {"s": 1.0}, 64, 1, 0), 1, 0, workers=0))
    interactive_step(build_compact(TOY).train(), batch, np.random.default_rng(1))
    assert made == [torch.float32]


def refusing_shares(original):
    def only_booleans(targets: torch.Tensor) -> torch.Tensor:
        assert targets.dtype == torch.bool
        return original(targets)

    return only_booleans


# --- half precision: what a GPU does, with the CPU's own bfloat16 ---------------------------------------------------


def test_answers_in_half_precision_are_single_and_near_the_exact_ones() -> None:
    torch.manual_seed(0)
    model = build_compact(TOY)
    pixels = torch.randint(0, 255, (1, 3, 64, 64), dtype=torch.uint8)
    clicks = Clicks.first(torch.tensor([[30.0, 20.0]]))
    answers = []
    for half in (False, True):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half, cache_enabled=False):
            encoded = Encoded.of(model, pixels, 1)
            answers.append(decode_rounds(model, encoded, clicks, None, None))
    exact, rough = answers
    assert {part.dtype for part in rough} == {torch.float32}
    assert not torch.equal(exact.masks, rough.masks)
    assert (exact.masks - rough.masks).abs().mean() < 0.05 * exact.masks.abs().mean() + 0.05


def test_prompts_are_embedded_in_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model = build_compact(TOY)
    seen = []
    original = model.prompt_encoder.forward
    monkeypatch.setattr(model.prompt_encoder, "forward", lambda *given: seen.append(original(*given)) or seen[-1])
    clicks = Clicks.first(torch.tensor([[30.25, 20.75]]))
    with torch.no_grad():
        encoded = Encoded.of(model, torch.zeros(1, 3, 64, 64, dtype=torch.uint8), 1)
        for half in (False, True):
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                decode_rounds(model, encoded, clicks, None, None)
    for exact, under_autocast in zip(*seen, strict=True):
        assert torch.equal(exact, under_autocast)


def test_a_step_in_half_precision_gives_every_part_a_finite_gradient() -> None:
    torch.manual_seed(0)
    model = build_compact(TOY).train()
    batch = next(batches(SampleSource({"s": [record(0)]}, {"s": 1.0}, 64, 2, 0), 2, 0, workers=0))
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        result = interactive_step(model, batch, np.random.default_rng(1))
    result.loss.backward()
    for part in (model.image_encoder, model.prompt_encoder.maps_to_skip, model.mask_decoder):
        gradients = [p.grad for p in part.parameters() if p.grad is not None]
        assert all(torch.isfinite(g).all() for g in gradients)
        assert sum(g.abs().sum().item() for g in gradients) > 0


# --- context --------------------------------------------------------------------------------------------------------------

WITH_MAPS = replace(TOY, similarity=True, context=True)


def four_images() -> Encoded:
    """Two targets of each of four images, every image of another colour."""
    pixels = torch.arange(4)[:, None, None, None] * torch.full((4, 3, 64, 64), 60)
    return Encoded.of(build_compact(WITH_MAPS), pixels.to(torch.uint8), 2)


def contexts(kinds: list[int]) -> list[Context]:
    encoded, targets = four_images(), torch.zeros(8, 16, 16)
    targets[:, 4:8, 4:8] = 1
    drawn = (drawn_context(encoded, targets, torch.tensor(kinds), np.random.default_rng(seed)) for seed in range(40))
    return [context for context in drawn if context is not None]


def test_about_half_of_the_steps_have_a_context_of_up_to_five_objects() -> None:
    found = contexts([0, 0, 0, 0])
    assert 10 < len(found) < 30
    counts = {int(context.known[0].sum()) for context in found}
    assert counts == {1, 2, 3, 4, 5}


def test_objects_of_other_sets_and_unrelated_objects_are_no_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click_rounds, "SAME_IMAGE", 0.0)
    for context in contexts([0, 1, -1, -1]):
        assert not context.known.any()
    for context in contexts([2, 2, -1, 3]):
        assert context.known[:4].any(1).all()
        assert not context.known[4:].any()


def test_an_object_is_never_its_own_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click_rounds, "SAME_IMAGE", 1.0)
    for context in contexts([0, 1, 2, 3]):
        assert (context.known.sum(1) == 1).all(), "the other object of the same image"


def test_a_step_gives_the_maps_of_likeness_a_gradient() -> None:
    model = build_compact(WITH_MAPS).train()
    source = SampleSource({"discs": [record(0), record(1)]}, {"discs": 1.0}, 64, 2, 0)
    batch = next(batches(source, 4, 0, 0))
    assert batch.kinds.tolist() == [0, 0, 0, 0]
    interactive_step(model, batch, np.random.default_rng(1)).loss.backward()
    gradient = model.prompt_encoder.maps_to_skip[0].weight.grad
    assert (gradient[:, 8:13].abs().sum((0, 2, 3)) > 0).all()


def test_samples_of_one_set_come_in_a_row_and_unrelated_ones_are_marked() -> None:
    sets = {"a": [record(0)], "b": [record(1)], "photos": [record(2)]}
    source = SampleSource(sets, {"a": 1.0, "b": 1.0, "photos": 1.0}, 64, 1, 0)
    kinds = [int(source[index][4]) for index in range(48)]
    assert set(kinds) == {0, 1, -1}
    assert all(len(set(kinds[i : i + 4])) == 1 for i in range(0, 48, 4))
