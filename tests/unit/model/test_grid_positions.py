"""The position code of a grid is SAM's own, is made once, and follows the frequencies that it comes from."""

from __future__ import annotations

import pytest
import torch
from segment_anything.modeling import PromptEncoder

from samtta_app.model.backbones.grid_positions import grid_positions

CELLS = 5


@pytest.fixture
def encoder() -> PromptEncoder:
    torch.manual_seed(4)
    return PromptEncoder(32, (CELLS, CELLS), (16 * CELLS, 16 * CELLS), mask_in_chans=4)


def test_it_is_the_code_that_the_stock_decoder_is_given(encoder: PromptEncoder) -> None:
    assert torch.equal(grid_positions(encoder.pe_layer, CELLS), encoder.get_dense_pe())


def test_it_is_made_once_for_each_size(encoder: PromptEncoder) -> None:
    code = grid_positions(encoder.pe_layer, CELLS)
    assert grid_positions(encoder.pe_layer, CELLS) is code
    assert grid_positions(encoder.pe_layer, CELLS + 1).shape == (1, 32, CELLS + 1, CELLS + 1)


def test_weights_that_are_read_later_have_their_own_code(encoder: PromptEncoder) -> None:
    before = grid_positions(encoder.pe_layer, CELLS)
    state = {name: tensor + 1 for name, tensor in encoder.state_dict().items()}
    encoder.load_state_dict(state)
    read = grid_positions(encoder.pe_layer, CELLS)
    assert not torch.equal(read, before)
    assert torch.equal(read, encoder.get_dense_pe())


def test_two_networks_do_not_share_a_code(encoder: PromptEncoder) -> None:
    other = PromptEncoder(32, (CELLS, CELLS), (16 * CELLS, 16 * CELLS), mask_in_chans=4)
    assert not torch.equal(grid_positions(other.pe_layer, CELLS), grid_positions(encoder.pe_layer, CELLS))
