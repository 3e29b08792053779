"""MobileSAM, HQ-SAM and SAM 2 answer as their official predictors do, number for number, on files of the true layout.

The files hold random weights, with names and shapes from the official packages. Inputs have 256 pixels here, so that a
test takes a second. `python -m tests.stress.official_models` does the same at 1024 pixels, for the larger models too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from samtta_app.adapt.loop import TrainingConfig
from samtta_app.adapt.registry import STRATEGIES, strategy
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.core.messages import AdaptRequest, MeasureRequest, PredictRequest
from samtta_app.core.replies import AdaptReport, Answer, Measured
from samtta_app.core.types import Box, Click, Image, Logits, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import Backbone, built_model
from samtta_app.model.backbones import official
from samtta_app.model.backbones.checkpoint_states import read_weights
from samtta_app.model.backbones.sam import names_in_file
from samtta_app.model.loading import open_model
from samtta_app.model.model_registry import OFFICIAL_CHECKPOINTS, load_model
from samtta_app.model.predictor import chosen, decode, decode_many, embed, encode, upscaled
from samtta_app.settings import model_folder
from tests.unit.model.official_references import (
    SAM_TWO_CONFIGS,
    Case,
    made,
    official_file,
    reference,
    wrapped,
)
from tests.unit.model.official_toys import toy_hq, toy_sam_two
from tests.unit.model.test_answers import finish
from tests.unit.values import disc, example, picture

SIZE = 256
SMALLEST = ("mobile_sam", "hq_tiny", "sam2.1_tiny")
IMAGE = picture(1, 96, 96, ((50, 40, 18),))
LOW = np.random.default_rng(0).normal(0, 5, (SIZE // 4, SIZE // 4)).astype(np.float32)
PROMPTS = {
    "one click": Prompt((Click(50, 40, True),)),
    "clicks": Prompt((Click(50, 40, True), Click(20, 70, False), Click(60, 50, True))),
    "box": Prompt((), Box(30, 20, 70, 60)),
    "all": Prompt((Click(50, 40, True), Click(5, 5, False)), Box(30, 20, 70, 60), Logits(IMAGE.whole, LOW)),
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    return {name: made(name, tmp_path_factory.mktemp("official"), IMAGE, SIZE) for name in SMALLEST}


@pytest.fixture(params=SMALLEST)
def case(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    return cases[request.param]


@pytest.fixture(params=SMALLEST[1:])
def with_skips(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    """MobileSAM decodes as SAM does, which other tests ask."""
    return cases[request.param]


@pytest.fixture
def mobile(cases: dict[str, Case]) -> Case:
    return cases["mobile_sam"]


@pytest.fixture
def hq(cases: dict[str, Case]) -> Case:
    return cases["hq_tiny"]


@pytest.fixture
def sam_two(cases: dict[str, Case]) -> Case:
    return cases["sam2.1_tiny"]


# --- number for number ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PROMPTS)
@pytest.mark.parametrize("several", [True, False], ids=["candidates", "single"])
def test_masks_logits_and_scores_are_those_of_the_official_predictor(case: Case, kind: str, several: bool) -> None:
    found, (masks, scores, low) = case.ask(PROMPTS[kind]), case.official(PROMPTS[kind], several)
    part = slice(1, 4) if several else slice(0, 1)
    if several and case.name == "hq_tiny":  # its predictor gives the best candidate alone
        best = 1 + int(found.iou[1:].argmax())
        part = slice(best, best + 1)
    logits = found.logits[part].clamp(-32, 32) if case.name in SAM_TWO_CONFIGS else found.logits[part]
    assert low.std() > 0.1
    assert np.allclose(logits.numpy(), low, atol=1e-4)
    assert np.allclose(found.iou[part].numpy(), scores, atol=1e-5)
    shown = upscaled(case.model, found.logits[part], case.features).numpy() > 0
    assert (shown != masks).mean() < 1e-3  # SAM 2's predictor upscales in one step, and a logit may be about 0


def test_features_are_those_of_the_official_encoder(case: Case) -> None:
    theirs = case.predictor._features["image_embed"] if case.name in SAM_TWO_CONFIGS else case.predictor.features
    assert torch.allclose(case.features.embedding, theirs, atol=1e-4)
    skips: list[Tensor] = []
    if case.name == "hq_tiny":
        skips = [case.predictor.interm_features[0].permute(0, 3, 1, 2)]
    elif case.name in SAM_TWO_CONFIGS:
        skips = [*case.predictor._features["high_res_feats"], torch.tensor([SIZE, SIZE]).view(1, 2, 1, 1)]
    assert len(skips) == len(case.features.skips)
    assert all(
        torch.allclose(own, skip.float(), atol=1e-4) for own, skip in zip(case.features.skips, skips, strict=True)
    )


def test_several_prompts_in_one_pass_are_answered_as_one_by_one(case: Case) -> None:
    prompts = [Prompt((Click(x, 40, True),)) for x in (20, 50, 80)]
    with torch.no_grad():
        found = decode_many(case.model, case.model.frozen.tensors, case.features, prompts)
    for together, prompt in zip(found, prompts, strict=True):
        assert torch.allclose(together.logits, case.ask(prompt).logits, atol=1e-4)
        assert torch.allclose(together.tokens, case.ask(prompt).tokens, atol=1e-4)


def test_several_windows_in_one_pass_are_answered_as_one_by_one(with_skips: Case) -> None:
    other = picture(4, 96, 96, ((30, 60, 12),))
    both = [with_skips.features, finish(encode(with_skips.model, other, other.whole))]
    prompt = embed(with_skips.model, with_skips.features, PROMPTS["one click"])
    two = replace(prompt, sparse=prompt.sparse.expand(2, -1, -1), dense=prompt.dense.expand(2, -1, -1, -1))
    skips = tuple(torch.cat(each) for each in zip(*(features.skips for features in both), strict=True))
    embedding, weights = torch.cat([features.embedding for features in both]), with_skips.model.frozen.tensors
    with torch.no_grad():
        logits, _, _ = with_skips.model.backbone.decode(weights, embedding, skips, two, SIZE)
    for k, features in enumerate(both):
        assert torch.allclose(logits[k], with_skips.ask(PROMPTS["one click"], features).logits, atol=1e-4)


# --- SAM 2's own ways -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "stable"), [(0.01, False), (1000.0, True)])
def test_an_unstable_single_mask_gives_way_to_the_best_candidate_and_a_stable_one_does_not(
    sam_two: Case, factor: float, stable: bool
) -> None:
    model, prompt, last = sam_two.model, PROMPTS["clicks"], "output_hypernetworks_mlps.0.layers.2."
    weights = {n: v * factor if n.startswith(last) else v for n, v in model.frozen.tensors.items()}
    own = replace(sam_two, model=replace(model, frozen=replace(model.frozen, tensors=weights))).ask(prompt)
    layer = sam_two.predictor.model.sam_mask_decoder.output_hypernetworks_mlps[0].layers[2]
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(factor)
        _, scores, low = sam_two.official(prompt, several=False)
        layer.load_state_dict({n: sam_two.state[f"sam_mask_decoder.{last}{n}"] for n in ("weight", "bias")})
    best = 1 + int(own.iou[1:].argmax())
    assert torch.equal(own.logits[0], own.logits[best]) is not stable
    assert torch.equal(own.tokens[1], own.tokens[1 + best]) is not stable
    assert np.allclose(own.logits[0].clamp(-32, 32).numpy(), low[0], atol=0.05 if stable else 1e-4)  # of some 1,000
    assert own.iou[0].item() == pytest.approx(float(scores[0]), abs=1e-5)


def test_while_it_learns_the_single_mask_is_its_own(sam_two: Case) -> None:
    model, features = sam_two.model, sam_two.features
    found = decode(model, model.frozen.tensors, features, embed(model, features, PROMPTS["clicks"]))
    assert not any(torch.equal(found.logits[0], candidate) for candidate in found.logits[1:])


@pytest.mark.parametrize(("height", "width"), [(72, 128), (150, 60)])
def test_a_window_that_is_no_square_is_stretched_and_its_answer_put_back(
    sam_two: Case, height: int, width: int
) -> None:
    image = picture(2, height, width, ((40, 40, 12),))
    prompt = Prompt((Click(40, 40, True), Click(10, 20, False)), Box(20, 25, 55, 60))
    features = finish(encode(sam_two.model, image, image.whole))
    sam_two.predictor.set_image(image.pixels)
    _, scores, low = sam_two.official(prompt, several=True)
    sam_two.predictor.set_image(IMAGE.pixels)
    found = sam_two.ask(prompt, features)
    assert np.allclose(found.iou[1:].numpy(), scores, atol=1e-5)
    high, wide = (length / SIZE for length in features.valid)
    cells = np.arange(SIZE // 4, dtype=np.float32) + 0.5
    where = [axis.astype(np.float32) for axis in np.meshgrid(cells / wide - 0.5, cells / high - 0.5)]
    rows, columns = (length // 4 for length in features.valid)
    for own, theirs in zip(found.logits[1:].clamp(-32, 32).numpy(), low, strict=True):
        back = cv2.remap(theirs, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        assert np.abs(own - back)[:rows, :columns].max() < 0.1 * theirs.std()  # OpenCV counts in 1/32 of a cell
        assert (own[rows + 2 :] == -10).all()
        assert (own[:, columns + 2 :] == -10).all()


def test_earlier_logits_are_stretched_with_the_window(sam_two: Case) -> None:
    image = picture(2, 64, 128)
    features = finish(encode(sam_two.model, image, image.whole))
    plane = np.add.outer(np.arange(SIZE // 4), 0.5 * np.arange(SIZE // 4)).astype(np.float32) / 4 - 6
    own = embed(sam_two.model, features, Prompt((), None, Logits(image.whole, plane)))
    stretched = torch.from_numpy(cv2.resize(plane[: SIZE // 8], (SIZE // 4, SIZE // 4)))[None, None]
    with torch.no_grad():
        _, theirs = sam_two.predictor.model.sam_prompt_encoder(None, None, stretched)
    inner = (slice(None), slice(None), slice(1, -1))  # at the lower edge the padding's logits go in
    assert torch.allclose(own.dense[inner], theirs[inner], atol=1e-4)


# --- through the engine ---------------------------------------------------------------------------------------------


def test_the_engine_answers_every_kind_of_prompt(with_skips: Case) -> None:
    engine = Engine(with_skips.model)
    for prompt in PROMPTS.values():
        reply = run(engine, PredictRequest(1, IMAGE, prompt, IMAGE.whole, candidates=True))
        assert isinstance(reply, Answer)
        assert {c.logits.values.shape for c in reply.candidates} == {(SIZE // 4, SIZE // 4)}


def test_the_decoder_alone_learns_from_an_accepted_object(with_skips: Case) -> None:
    engine = Engine(with_skips.model, adapting=Samtta(learning=TrainingConfig(steps=1, replayed=0, rounds=1)))
    one = replace(
        example(1), image=IMAGE, window=IMAGE.whole, mask=disc(50, 40, 18, 96, 96), clicks=PROMPTS["one click"].clicks
    )
    before = {name: value.clone() for name, value in with_skips.model.net.state_dict().items()}
    reply = run(engine, AdaptRequest(1, one))
    assert isinstance(reply, AdaptReport), reply
    assert reply.losses
    after = with_skips.model.net.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name.startswith(("samtta", "sum"))])
@pytest.mark.parametrize("backbone", [toy_hq, toy_sam_two], ids=["hq", "sam2"])
def test_our_strategies_learn_the_decoder_alone(backbone: Callable[[], Backbone], name: str) -> None:
    """The others are asked for these models in tests/unit/adapt/test_strategy.py."""
    model = built_model("toy", backbone(), 64)
    engine, one = Engine(model, adapting=strategy(name)), example(1)
    before = {key: value.clone() for key, value in model.net.state_dict().items()}
    assert isinstance(run(engine, PredictRequest(1, one.image, Prompt(one.clicks))), Answer)
    report = run(engine, AdaptRequest(2, one))
    assert isinstance(report, AdaptReport), report
    assert isinstance(run(engine, PredictRequest(3, one.image, Prompt(one.clicks), twin=True)), Answer)
    assert all(torch.equal(value, before[key]) for key, value in model.net.state_dict().items())
    assert engine.published.tensors.keys() == model.frozen.tensors.keys()


def test_gradients_reach_every_tensor_that_learning_may_change(case: Case) -> None:
    tensors = {name: value.clone().requires_grad_() for name, value in case.model.frozen.tensors.items()}
    seen = embed(case.model, case.features, PROMPTS["clicks"])
    found = decode(case.model, tensors, case.features, seen)
    (found.logits.square().mean() + found.iou.square().sum()).backward()
    assert [name for name, value in tensors.items() if value.grad is None] == []


def test_uncertainty_is_measured(with_skips: Case) -> None:
    names = ("score", "entropy", "h_a", "h_xp")
    clicks = tuple(Click(44.0 + 2 * k, 40.0, True) for k in range(8))
    request = MeasureRequest(1, IMAGE, PROMPTS["one click"], IMAGE.whole, names, clicks=clicks)
    reply = run(Engine(with_skips.model), request)
    assert isinstance(reply, Measured), reply
    assert set(reply.numbers) == set(names)
    assert all(np.isfinite(value) for value in reply.numbers.values())


# --- files ----------------------------------------------------------------------------------------------------------


def test_the_file_is_recognised_and_every_tensor_arrives(case: Case) -> None:
    assert case.model.name == case.name
    names = names_in_file(case.model.net) if case.name not in SAM_TWO_CONFIGS else {key: key for key in case.state}
    loaded = case.model.net.state_dict()
    assert {names[key] for key in loaded} == case.state.keys()
    assert all(torch.equal(value, case.state[names[key]]) for key, value in loaded.items())


def test_a_written_file_is_read_here_and_has_the_official_names_and_shapes(hq: Case, tmp_path: Path) -> None:
    tensors = {name: value + 2**-6 for name, value in hq.model.frozen.tensors.items()}
    out = tmp_path / "tuned.pth"
    hq.model.backbone.write(tensors, out, "a note")
    again = load_model(out, "cpu", SIZE)
    assert again.name == "hq_tiny"
    assert all(torch.equal(again.frozen.tensors[name], tensors[name]) for name in tensors)
    stored = torch.load(out, weights_only=True)
    assert {key: value.shape for key, value in stored.items()} == {key: v.shape for key, v in hq.state.items()}


@pytest.mark.parametrize("kind", ["model", "state_dict", "lightning", "module.", "model.", "sam.", "module.model."])
def test_the_usual_wrappings_are_taken_off(kind: str, tmp_path: Path) -> None:
    state = {"image_encoder.a": torch.ones(2), "sam_mask_decoder.b": torch.zeros(3)}
    found = read_weights(wrapped(kind, state, tmp_path))
    assert found.keys() == state.keys()
    assert all(torch.equal(value, state[key]) for key, value in found.items())


@pytest.mark.parametrize("kind", ["float16", "safetensors"])
def test_a_wrapped_model_answers_as_the_official_file(mobile: Case, kind: str, tmp_path: Path) -> None:
    model = load_model(wrapped(kind, mobile.state, tmp_path), "cpu", SIZE)
    assert model.name == "mobile_sam"
    for name, value in model.frozen.tensors.items():
        own = mobile.model.frozen.tensors[name]
        assert torch.equal(value, own.half().float() if kind == "float16" else own)


@pytest.mark.parametrize("wrapping", [{"model": 3}, {"state_dict": {}}, {"model": {"a": [1]}}, {1: torch.zeros(1)}])
def test_a_wrapping_without_tensors_is_no_state_dict(wrapping: dict[object, object], tmp_path: Path) -> None:
    torch.save(wrapping, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match="not a SAM state dict"):
        load_model(tmp_path / "odd.pth", "cpu")


@pytest.mark.parametrize("name", ["hq_tiny", "sam2.1_tiny"])
def test_a_model_is_ready_once_it_has_answered(cases: dict[str, Case], name: str) -> None:
    """Without encoding, which would take seconds at each start."""
    opened = open_model(cases[name].file, "cpu", SIZE)
    assert (opened.model.name, opened.model.size, opened.refusal) == (name, SIZE, "")


def test_another_model_under_a_known_name_is_named(mobile: Case) -> None:
    model_folder().mkdir(parents=True)
    (model_folder() / OFFICIAL_CHECKPOINTS["vit_b"]).symlink_to(mobile.file)
    with pytest.raises(CheckpointError, match="called as that of vit_b, but holds mobile_sam"):
        load_model("vit_b", "cpu")


def test_one_wrong_tensor_is_found(hq: Case, tmp_path: Path) -> None:
    token = "mask_decoder.hf_mlp.layers.0.bias"
    state = {key: value for key, value in hq.state.items() if key != token}
    with pytest.raises(CheckpointError, match=r"does not fit hq_tiny: 1 tensors missing.*hf_mlp"):
        load_model(official_file("hq_tiny", tmp_path, state), "cpu", SIZE)
    broken = {**hq.state, token: torch.full((256,), torch.nan)}
    with pytest.raises(CheckpointError, match="not finite"):
        load_model(official_file("hq_tiny", tmp_path, broken), "cpu", SIZE)


def test_counters_that_an_export_left_out_or_rounded_do_not_matter(mobile: Case, tmp_path: Path) -> None:
    counters = [key for key in mobile.state if key.endswith("num_batches_tracked")]
    state = {
        **{key: value for key, value in mobile.state.items() if key not in counters[1:]},
        counters[0]: torch.ones(()),
    }
    assert load_model(official_file("mobile_sam", tmp_path, state), "cpu", SIZE).name == "mobile_sam"


@pytest.mark.parametrize("size", [100, 192, 1088])
def test_an_input_size_that_an_encoder_has_not_is_refused(mobile: Case, size: int) -> None:
    with pytest.raises(CheckpointError, match="multiple of 64 from 256 to 1024"):
        load_model(mobile.file, "cpu", size)


def test_without_the_package_a_file_of_sam_two_says_what_to_install(
    sam_two: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sam2.build_sam", None)
    with pytest.raises(CheckpointError, match=r'needs the package sam2.*pip install "samtta\[sam2\]"'):
        load_model(sam_two.file, "cpu")


def test_a_sam_two_of_another_size_is_refused() -> None:
    state = {f"image_encoder.trunk.blocks.{k}.norm1.weight": torch.ones(1) for k in range(11)}
    state |= {
        "sam_mask_decoder.iou_token.weight": torch.ones(1, 256),
        "image_encoder.trunk.pos_embed": torch.ones(1, 96, 7, 7),
    }
    with pytest.raises(CheckpointError, match=r"another architecture.*11 image encoder blocks"):
        official._architecture(Path("odd.pt"), state)


def test_a_damaged_safetensors_file_of_an_official_model_is_refused(tmp_path: Path) -> None:
    path = wrapped("safetensors", {"mask_decoder.iou_token.weight": torch.ones(1, 256)}, tmp_path)
    with pytest.raises(CheckpointError, match="another architecture"):
        load_model(path, "cpu")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="cannot be used"):
        load_model(path, "cpu")
    with pytest.raises(CheckpointError, match="cannot be used"):
        read_weights(path)


# --- the larger ones: names and shapes ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hq_vit_b", "hq_vit_h"])
def test_larger_hq_sams_have_the_official_names_and_shapes(name: str) -> None:
    theirs = {key: tuple(value.shape) for key, value in reference(name, device="meta").state_dict().items()}
    net = official._built(name, 1024)
    assert {key: tuple(value.shape) for key, value in net.state_dict().items()} == theirs
    meta = {key: torch.empty(shape, device="meta") for key, shape in theirs.items()}
    assert official._architecture(Path(), meta) == name


@pytest.mark.parametrize("name", ["sam2_small", "sam2.1_base_plus", "sam2_large"])
def test_a_sam_two_is_recognised_by_the_official_names_and_shapes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = torch.linspace
    monkeypatch.setattr(torch, "linspace", lambda *args, **rest: plain(*args, **{**rest, "device": "cpu"}))
    with torch.device("meta"):  # no memory; but the official code asks for the values of one list
        net = reference(name, device="meta")
    assert official._architecture(Path(), net.state_dict()) == name


def test_for_one_click_the_mask_that_is_shown_is_that_of_hq_sam_s_predictor(hq: Case) -> None:
    found, prompt = hq.ask(PROMPTS["one click"]), PROMPTS["one click"]
    masks, _, _ = hq.official(prompt, several=True)
    index = chosen(found, prompt)
    shown = upscaled(hq.model, found.logits[index : index + 1], hq.features).numpy() > 0
    assert (shown != masks).mean() < 1e-3


def test_the_image_need_not_be_writable(sam_two: Case) -> None:
    pixels = IMAGE.pixels.copy()
    pixels.setflags(write=False)
    image = Image("read only", Path("a.png"), pixels, pixels)
    again = finish(encode(sam_two.model, image, image.whole))
    assert torch.equal(again.embedding, sam_two.features.embedding)
