import pytest
import torch

from wmframe.envs.actions import ACTIONS
from wmframe.envs.spec import ActionKind

BOX, DISCRETE = ACTIONS["box"], ACTIONS["discrete"]
KINDS: list[ActionKind] = ["box", "discrete"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_environment_is_told_is_an_action_and_told_again_is_the_same(kind: ActionKind) -> None:
    actions, said = ACTIONS[kind], 3 * torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    uniform = torch.rand(50, actions.parts(4), generator=torch.Generator().manual_seed(1))
    for told in (actions.mode(said), actions.tried(uniform, 4), actions.nearest(actions.mode(said))):
        assert told.shape == said.shape
        assert told.dtype == said.dtype
        assert told.abs().max() <= 1
        assert torch.equal(actions.nearest(told), told)


def test_a_choice_is_one_and_the_first_of_the_likeliest() -> None:
    said = torch.tensor([[0.1, 0.7, 0.2], [5.0, 5.0, 5.0], [-3.0, -2.0, -9.0]])
    chosen = torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 1, 0]])
    assert torch.equal(DISCRETE.mode(said), chosen)
    assert torch.equal(DISCRETE.nearest(said), chosen)


def test_a_choices_gradient_is_that_of_its_probabilities() -> None:
    said = torch.tensor([[0.1, 0.7, -0.2]], requires_grad=True)
    worth = torch.tensor([1.0, -2.0, 3.0])
    chosen = DISCRETE.mode(said)
    assert chosen.tolist() == [[0.0, 1.0, 0.0]]
    (found,) = torch.autograd.grad((chosen * worth).sum(), said)
    (expected,) = torch.autograd.grad((said.softmax(-1) * worth).sum(), said)
    torch.testing.assert_close(found, expected)


def test_what_is_tried_comes_as_often_as_it_should() -> None:
    uniform = torch.rand(6000, 1, generator=torch.Generator().manual_seed(2))
    counts = DISCRETE.tried(uniform, 5).sum(0)
    assert counts.sum() == 6000
    assert (counts - 1200).abs().max() < 150
    assert DISCRETE.tried(torch.ones(1, 1), 5).tolist() == [[0, 0, 0, 0, 1]]  # rounded up to 1, it is the last still
    full = (BOX.tried(uniform, 1).abs() == 1).double().mean()
    assert full.item() == pytest.approx(1 / 3, abs=0.03)
