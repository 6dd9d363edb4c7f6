"""What the tests' own memories promise beside the contract."""

import torch

from tests.memory.windows import window
from tests.plugins.transformer_memory import TransformerMemory
from wmframe.memory.unroll import followed


def test_a_transformer_that_is_fitted_at_once_is_the_one_that_lives_step_by_step() -> None:
    """Its ring has turned over thrice by then, and each layer looks back at what the one below looked back at."""
    torch.manual_seed(0)
    memory = TransformerMemory(latent_size=3, action_size=2, hidden_size=8, context=4).eval()
    data = window(batch=5, steps=13)
    for layer in memory.layers:
        torch.nn.init.normal_(layer.by_age)  # type: ignore[arg-type]
    first = memory.initial(5)
    recorded = ((data.mu[:, t], memory.observing.middle(first.z), data.actions[:, t]) for t in range(13))
    lived = torch.stack([memory.hidden(state) for state in followed(memory, recorded, first)], 1)
    torch.testing.assert_close(memory.walk(data.mu[:, :-1], data.actions), lived)
