"""A block of SAM's image encoder answers what the official one does."""

import pytest
import torch
from segment_anything.modeling.image_encoder import Block
from torch import Tensor

from samtta_app.model.backbones import vit_block as module
from samtta_app.model.backbones.vit_block import vit_block


def random_block(**settings: object) -> Block:
    """A block of 32 values whose positions weigh as much as its contents."""
    torch.manual_seed(3)
    block = Block(dim=32, num_heads=4, **{"use_rel_pos": True, **settings}).eval()
    for tensor in block.parameters():
        torch.nn.init.normal_(tensor, std=0.3)
    return block


@torch.no_grad()
def answers(block: Block, size: tuple[int, int], images: int = 1) -> tuple[Tensor, Tensor]:
    """What the official code and ours make of the same tokens."""
    x = torch.randn(images, *size, 32, generator=torch.Generator().manual_seed(5))
    return block(x), vit_block(block, x)


@pytest.mark.parametrize("size", [(12, 12), (14, 14), (5, 9), (1, 1)], ids=str)
@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_windows_that_reach_beyond_the_image_answer_the_same(size: tuple[int, int], images: int, bias: bool) -> None:
    official, ours = answers(random_block(window_size=7, qkv_bias=bias, input_size=size), size, images)
    torch.testing.assert_close(ours, official, rtol=1e-5, atol=1e-5 * official.abs().max().item())


@pytest.mark.parametrize("positions", [True, False])
@pytest.mark.parametrize("trained_for", [(8, 8), (5, 8)], ids=str)
def test_global_attention_answers_the_same(positions: bool, trained_for: tuple[int, int]) -> None:
    """Positions that were trained for another size are resampled by the official code as well."""
    block = random_block(use_rel_pos=positions, input_size=trained_for)
    official, ours = answers(block, (8, 8))
    torch.testing.assert_close(ours, official, rtol=1e-5, atol=1e-5 * official.abs().max().item())


def test_heads_that_are_taken_one_by_one_answer_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    block = random_block(input_size=(8, 8))
    official, together = answers(block, (8, 8))
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    _, apart = answers(block, (8, 8))
    torch.testing.assert_close(apart, together)
    torch.testing.assert_close(apart, official, rtol=1e-5, atol=1e-5 * official.abs().max().item())


def test_the_weights_of_all_heads_are_never_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bias is as large as the weights of attention; no call has more of it than one head's where memory is short."""
    seen: list[int] = []
    attend = module.scaled_dot_product_attention

    def noted(q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor) -> Tensor:
        seen.append(attn_mask.numel())
        return attend(q, k, v, attn_mask=attn_mask)

    monkeypatch.setattr(module, "scaled_dot_product_attention", noted)
    block = random_block(input_size=(8, 8))
    answers(block, (8, 8))
    assert seen == [4 * 64 * 64]
    monkeypatch.setattr(module, "_AT_ONCE", 64 * 64)
    seen.clear()
    answers(block, (8, 8))
    assert seen == [64 * 64] * 4
