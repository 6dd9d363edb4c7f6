import pytest
import torch

from wmframe.engine.errors import UserError
from wmframe.memory.none import NoMemory


def test_it_holds_nothing_and_dreams_of_nothing() -> None:
    memory = NoMemory(latent_size=4, action_size=2)
    assert not list(memory.parameters())
    assert not memory.dreams
    assert memory.steps == 0
    state = memory.initial(3)
    assert memory.hidden(memory.advance(state, torch.ones(3, 2))).shape == (3, 0)
    with pytest.raises(UserError, match="memory=mdn_rnn"):
        memory.imagine(state, memory.imagining.middle(state.z), 1.0)
