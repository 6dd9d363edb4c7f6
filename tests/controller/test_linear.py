import torch

from wmframe.controller.linear import Linear


def test_it_has_the_papers_sizes() -> None:
    assert Linear(latent_size=32, hidden_size=256, action_size=3).size == 867
    assert Linear(latent_size=64, hidden_size=512, action_size=1, senses="zhc", bias=False).size == 1088


def test_a_vector_is_the_weights_row_by_row_and_then_the_bias() -> None:
    controller = Linear(latent_size=3, hidden_size=0, action_size=2)
    vector = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]])
    expected = torch.tanh(
        torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]) @ torch.tensor([1.0, -1.0, 2.0]) + vector[0, 6:]
    )
    torch.testing.assert_close(controller.act(vector, torch.tensor([[[1.0, -1.0, 2.0]]]))[0, 0], expected)


def test_without_bias_no_features_means_no_action() -> None:
    controller = Linear(latent_size=3, hidden_size=0, action_size=2, bias=False)
    assert controller.size == 6
    assert controller.act(torch.ones(1, 6), torch.zeros(1, 1, 3)).tolist() == [[[0.0, 0.0]]]
