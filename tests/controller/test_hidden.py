import torch
from torch import nn

from wmframe.controller.hidden import Hidden


def test_it_has_the_papers_size() -> None:
    assert Hidden(latent_size=32, hidden_size=256, action_size=3, units=40).size == 1443


def test_a_vector_is_two_layers_each_row_by_row_and_then_its_bias() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2), nn.Tanh())
    vector = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    controller = Hidden(latent_size=2, hidden_size=3, action_size=2, units=4, senses="zh")
    assert controller.size == len(vector)
    seen = torch.randn(6, 5)
    torch.testing.assert_close(controller.act(vector[None], seen[None])[0], network(seen).detach())
