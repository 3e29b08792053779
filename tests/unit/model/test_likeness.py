"""Maps of what looks like the clicks and like accepted objects: values worked out by hand, and models with and without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from samtta_app.core.types import Click, Prompt, Window
from samtta_app.images.read import from_array
from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.backbones.compact import (
    CompactBackbone,
    CompactConfig,
    CompactSam,
    build_compact,
    load_compact,
    save_compact,
)
from samtta_app.model.backbones.likeness import (
    Context,
    context_maps,
    pooled_vectors,
    similarity_maps,
    unit_features,
)
from samtta_app.model.predictor import Decoded, decode_prompt, decoded_points, encode
from samtta_app.train.compact.start_weights import start_from_model, with_maps

PLAIN = CompactConfig(name="toy", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64)
MAPS = replace(PLAIN, similarity=True, context=True)
SIZE = 64


def halves(left: float, right: float, channels: int = 2, side: int = 16) -> Tensor:
    """Features (1, C, side, side) whose halves differ: channel 0 on the left, channel 1 on the right."""
    found = torch.zeros(1, channels, side, side)
    found[:, 0, :, : side // 2], found[:, 1, :, side // 2 :] = left, right
    return found


def features(deep: Tensor | None = None) -> tuple[Tensor, ...]:
    deep = halves(1, 1) if deep is None else deep
    return deep, deep, deep, halves(1, -1, 3)


def clicks(*given: tuple[float, float, int]) -> tuple[Tensor, Tensor]:
    return torch.tensor([[[x, y] for x, y, _ in given]]), torch.tensor([[label for *_, label in given]])


def similar(coords: Tensor, labels: Tensor, seen: Sequence[Tensor]) -> Tensor:
    return similarity_maps(coords, labels, [unit_features(part) for part in seen[:3]], seen[3], SIZE)


def like(context: Context, seen: Sequence[Tensor]) -> Tensor:
    return context_maps(context, [unit_features(part) for part in seen[:3]], SIZE)


def test_what_looks_like_an_include_click_is_1_and_its_opposite_minus_1() -> None:
    maps = similar(*clicks((10.0, 30.0, 1)), features())
    assert maps.shape == (1, 10, 16, 16)
    for depth in range(3):
        assert torch.allclose(maps[0, depth, :, :7], torch.tensor(1.0), atol=1e-5)
        assert torch.allclose(maps[0, depth, :, 9:], torch.tensor(-1.0), atol=1e-5)
    assert torch.allclose(maps[0, 3:5, :, :7], torch.tensor(1.0))
    assert (maps[0, 3:5, :, 9:] < 0.01).all()
    assert (maps[0, 5:] == 0).all(), "there is no exclude click"


def test_of_several_clicks_the_greatest_likeness_counts_and_signs_stay_apart() -> None:
    both = similar(*clicks((10.0, 30.0, 1), (50.0, 30.0, 1)), features())
    assert torch.allclose(both[0, :3, :, :7], torch.tensor(1.0), atol=1e-5)
    assert torch.allclose(both[0, :3, :, 9:], torch.tensor(1.0), atol=1e-5)
    apart = similar(*clicks((10.0, 30.0, 1), (50.0, 30.0, 0)), features())
    assert torch.allclose(apart[0, :3, :, 9:], torch.tensor(-1.0), atol=1e-5)
    assert torch.allclose(apart[0, 5:8, :, 9:], torch.tensor(1.0), atol=1e-5)


def test_padding_among_the_clicks_changes_nothing() -> None:
    alone = similar(*clicks((10.0, 30.0, 1)), features())
    padded = similar(*clicks((10.0, 30.0, 1), (50.0, 30.0, -1)), features())
    assert torch.equal(alone, padded)


def test_clicks_of_both_signs_on_one_pixel_and_an_image_of_one_colour_give_finite_maps() -> None:
    maps = similar(*clicks((10.0, 30.0, 1), (10.0, 30.0, 0)), features(torch.ones(1, 2, 16, 16)))
    assert torch.isfinite(maps).all()
    assert (maps[0, :3] == 0).all(), "nothing differs from the mean"


def test_the_scale_of_features_does_not_matter() -> None:
    one = similar(*clicks((10.0, 30.0, 1)), features())
    other = similar(*clicks((10.0, 30.0, 1)), features(halves(100, 100)))
    assert torch.allclose(one[:, :3], other[:, :3], atol=1e-5)


@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
def test_features_are_centred_and_scaled_as_torch_does_it(kind: torch.dtype) -> None:
    given = torch.randn(3, 5, 8, 6, generator=torch.Generator().manual_seed(1)).to(kind)
    centred = given.float() - given.float().mean((2, 3), keepdim=True)
    found = unit_features(given)
    assert found.dtype == torch.float32
    assert torch.allclose(found, torch.nn.functional.normalize(centred, dim=1), atol=1e-6)


def test_features_that_are_the_same_everywhere_are_0_and_their_gradient_is_finite() -> None:
    given = torch.full((1, 4, 6, 6), 3.0, requires_grad=True)
    found = unit_features(given)
    assert (found == 0).all()
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert given.grad is not None
    assert given.grad.isfinite().all()


def test_several_prompts_of_a_window_have_the_maps_that_each_has_alone() -> None:
    every = torch.tensor([[[10.0, 12.0], [50.0, 40.0]], [[33.0, 8.0], [20.0, 60.0]], [[5.0, 5.0], [5.0, 5.0]]])
    labels = torch.tensor([[1, 0], [1, 1], [0, -1]])
    seen = features(torch.randn(1, 2, 16, 16, generator=torch.Generator().manual_seed(2)))
    together = similar(every, labels, seen)
    for k in range(3):
        alone = similar(every[k : k + 1], labels[k : k + 1], seen)
        assert torch.allclose(together[k : k + 1], alone, atol=1e-5)
    repeated = [part.expand(3, -1, -1, -1) for part in seen]
    assert torch.allclose(similar(every, labels, repeated), together, atol=1e-5)


def test_an_object_and_its_ground_are_found_in_another_image() -> None:
    mask = torch.zeros(1, 16, 16)
    mask[0, 4:12, 2:8] = 1  # on the left half, up to its edge
    objects, grounds = pooled_vectors(features(), mask)
    assert [part.shape for part in (*objects, *grounds)] == [(1, 2)] * 6
    known = torch.ones(1, 1, dtype=torch.bool)
    context = Context(tuple(o[:, None] for o in objects), tuple(g[:, None] for g in grounds), known)
    mirrored = tuple(part.flip(3) for part in features())
    maps = like(context, mirrored)
    assert maps.shape == (1, 6, 16, 16)
    assert torch.allclose(maps[0, :3, :, 9:], torch.tensor(1.0), atol=1e-5), "the mirrored image has it on the right"
    assert (maps[0, :3, :, :7] < -0.9).all()


def test_rows_that_hold_no_object_and_an_empty_context_say_nothing() -> None:
    vectors = tuple(torch.eye(2)[None] for _ in range(3))
    one = Context(vectors, vectors, torch.tensor([[True, False]]))
    first = tuple(part[:, :1] for part in vectors)
    assert torch.equal(like(one, features()), like(Context(first, first, one.known[:, :1]), features()))
    assert (like(one._replace(known=torch.zeros(1, 2, dtype=torch.bool)), features()) == 0).all()


@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_a_mask_that_is_empty_or_fills_its_window_gives_finite_vectors(fill: float) -> None:
    objects, grounds = pooled_vectors(features(), torch.full((1, 16, 16), fill))
    assert all(torch.isfinite(part).all() for part in (*objects, *grounds))


# --- in a model -----------------------------------------------------------------------------------------------------------


def answered(net: CompactSam) -> Decoded:
    model: SamModel = built_model("toy", CompactBackbone(net), SIZE)
    rng = np.random.default_rng(0)
    image = from_array(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8), "a")
    *_, found = run_to_end(encode(model, image, Window(0, 0, 64, 64)))
    prompt = Prompt((Click(20.0, 30.0, True), Click(40.0, 10.0, False)))
    return decode_prompt(model, model.frozen.tensors, found, prompt)


def run_to_end(work):  # type: ignore[no-untyped-def]
    while True:
        try:
            yield next(work)
        except StopIteration as finished:
            yield finished.value
            return


def test_a_model_that_is_given_maps_answers_as_before() -> None:
    torch.manual_seed(0)
    plain = build_compact(PLAIN)
    grafted = with_maps(plain, MAPS)
    assert grafted.config == MAPS
    before, after = answered(plain), answered(grafted)
    assert torch.allclose(before.logits, after.logits, atol=1e-5)
    assert torch.allclose(before.iou, after.iou, atol=1e-5)


def test_the_maps_change_the_answer_once_they_have_weight() -> None:
    torch.manual_seed(0)
    net = with_maps(build_compact(PLAIN), MAPS)
    before = answered(net)
    with torch.no_grad():
        net.prompt_encoder.maps_to_skip[0].weight[:, 8:18] += 0.1
    assert not torch.allclose(before.logits, answered(net).logits, atol=1e-3)


def test_several_prompts_of_one_pass_see_the_same_accepted_objects_as_each_alone() -> None:
    torch.manual_seed(0)
    net = with_maps(build_compact(PLAIN), MAPS)
    with torch.no_grad():
        net.prompt_encoder.maps_to_skip[0].weight[:, 8:] += 0.1
    model = built_model("toy", CompactBackbone(net), SIZE)
    rng = np.random.default_rng(0)
    image = from_array(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8), "a")
    *_, found = run_to_end(encode(model, image, Window(0, 0, 64, 64)))
    seen = torch.zeros(1, 64, 64)
    seen[..., 8:30, 8:30] = 1
    look = model.backbone.look((found.embedding, *found.skips), seen)
    assert look is not None
    xy = torch.tensor([[20.0, 30.0], [40.0, 10.0], [50.0, 55.0]], dtype=torch.float64)
    every = decoded_points(model, model.frozen.tensors, found, xy, Prompt(), (look,))
    for k in range(3):
        alone = decoded_points(model, model.frozen.tensors, found, xy[k : k + 1], Prompt(), (look,))
        assert torch.allclose(every.logits[k], alone.logits[0], atol=1e-4)
    without = decoded_points(model, model.frozen.tensors, found, xy, Prompt())
    assert not torch.allclose(every.logits, without.logits, atol=1e-3)


def test_maps_are_never_taken_away() -> None:
    with pytest.raises(ValueError, match="have a place"):
        with_maps(build_compact(MAPS), PLAIN)


def test_a_file_without_maps_starts_a_model_with_them_and_a_larger_one_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    plain = build_compact(PLAIN)
    save_compact(plain, tmp_path / "old.safetensors")
    assert load_compact(tmp_path / "old.safetensors").config == PLAIN
    for config in (MAPS, replace(MAPS, name="wide", dim=64, heads=4)):
        model = build_compact(config)
        start_from_model(model, tmp_path / "old.safetensors")
        assert torch.allclose(answered(plain).logits, answered(model).logits, atol=0.05), "the file holds halves"


def test_the_maps_of_a_model_are_written_down(tmp_path: Path) -> None:
    save_compact(build_compact(MAPS), tmp_path / "maps.safetensors")
    assert load_compact(tmp_path / "maps.safetensors").config == MAPS


def test_in_an_image_of_one_colour_everything_is_finite_and_nothing_is_more_alike() -> None:
    flat = torch.full((1, 2, 16, 16), 0.7)
    maps = similar(*clicks((10.0, 30.0, 1), (50.0, 30.0, 0)), (flat, flat, flat, torch.zeros(1, 3, 16, 16)))
    assert torch.isfinite(maps).all()
    assert float(maps.amax((2, 3)).sub(maps.amin((2, 3))).max()) < 1e-5


def test_clicks_of_both_signs_on_one_place_are_alike_in_both_maps() -> None:
    maps = similar(*clicks((10.0, 30.0, 1), (10.0, 30.0, 0)), features())
    assert torch.equal(maps[:, :5], maps[:, 5:])
