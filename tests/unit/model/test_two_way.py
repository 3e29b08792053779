"""The two-way transformer answers what the stock one does, and learns from the same gradients."""

import pytest
import torch
from segment_anything.modeling import TwoWayTransformer
from torch import Tensor

from samtta_app.model.backbones.two_way import two_way

WIDTH, HEADS = 32, 4


@pytest.fixture
def transformer() -> TwoWayTransformer:
    torch.manual_seed(2)
    made = TwoWayTransformer(depth=2, embedding_dim=WIDTH, num_heads=HEADS, mlp_dim=48)
    for tensor in made.parameters():
        torch.nn.init.normal_(tensor, std=0.3)
    return made


def inputs(prompts: int, tokens: int, images: int) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings of images, the position code, and embedded prompts."""
    source = torch.Generator().manual_seed(7)
    sizes = ((images, WIDTH, 5, 6), (1, WIDTH, 5, 6), (prompts, tokens, WIDTH))
    embedding, position, points = (torch.randn(size, generator=source) for size in sizes)
    return embedding, position, points


@pytest.mark.parametrize(("prompts", "images"), [(1, 1), (3, 1), (3, 3)])
@pytest.mark.parametrize("tokens", [1, 3, 4, 9])
def test_few_tokens_and_many_answer_as_the_stock_one(
    prompts: int, images: int, tokens: int, transformer: TwoWayTransformer
) -> None:
    """From 4 tokens on, their heads are as many as the values of a projection."""
    embedding, position, points = inputs(prompts, tokens, images)
    repeated = (part.expand(prompts, -1, -1, -1) for part in (embedding, position))
    expected = transformer(*repeated, points)
    for found, stock in zip(two_way(transformer, embedding, position, points), expected, strict=True):
        torch.testing.assert_close(found, stock, rtol=1e-4, atol=1e-5)


def test_every_parameter_learns_from_the_same_gradient(transformer: TwoWayTransformer) -> None:
    """Softmax does not see the keys' biases: their gradients are zero but for rounding."""
    given = inputs(2, 3, 2)
    parameters = dict(transformer.named_parameters())
    found, stock = (
        torch.autograd.grad(sum(part.square().sum() for part in out), list(parameters.values()))
        for out in (two_way(transformer, *given), transformer(*given))
    )
    for name, ours, theirs in zip(parameters, found, stock, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3, msg=lambda text, name=name: f"{name}: {text}")
