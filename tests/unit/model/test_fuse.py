"""The folded encoder answers as the original one."""

from __future__ import annotations

import copy

import pytest
import torch
from timm.layers.norm_act import BatchNormAct2d

from samtta_app.model.backbones.compact import CompactConfig, build_compact, load_compact
from samtta_app.model.conv_fusion import fuse_batch_norms
from samtta_app.model.model_registry import load_model
from samtta_app.settings import resource

TOY = CompactConfig(name="toy", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64)


def test_batch_norms_with_real_statistics_are_folded_away_and_the_answers_stay() -> None:
    torch.manual_seed(0)
    encoder = build_compact(TOY).image_encoder
    for module in encoder.modules():
        if isinstance(module, BatchNormAct2d):
            for value, low, high in ((module.weight, 0.5, 2), (module.running_var, 0.5, 2), (module.bias, -1, 1)):
                value.data.uniform_(low, high)
            module.running_mean.uniform_(-1, 1)
    folded = copy.deepcopy(encoder)
    fuse_batch_norms(folded)
    assert not any(isinstance(module, BatchNormAct2d) for module in folded.modules())
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        (wanted, skips), (given, folded_skips) = encoder(x), folded(x)
    for a, b in ((wanted, given), *zip(skips, folded_skips, strict=True)):
        assert torch.allclose(a, b, atol=1e-4 * float(a.abs().max()))


def test_the_loaded_default_model_is_folded_and_encodes_as_its_file_does() -> None:
    loaded, original = load_model().net, load_compact(resource("models/samtta-small.safetensors"))
    assert not any(isinstance(module, BatchNormAct2d) for module in loaded.modules())
    x = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        given, wanted = loaded.image_encoder(x)[0], original.image_encoder(x)[0]
    assert float((given - wanted).abs().max()) == pytest.approx(0, abs=1e-3)
