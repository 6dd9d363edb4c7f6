import torch

from tests.collect.toys import collect, networks, setting
from tests.worlds.toys import H, Z
from wmframe.collect.contract import LANES
from wmframe.collect.networks import RandomNetworks
from wmframe.controller.linear import Linear
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.vision.conv_vae import ConvVAE


def test_every_episode_has_a_driver_of_its_own() -> None:
    with setting() as where:
        batch = next(networks(10).batches(where))
        actions = batch.act(torch.ones(10, Z + H))  # all see the same
        assert len(set(actions.flatten().tolist())) == 10
        assert set(batch.policies) == {"random_network"}


def test_every_batch_has_a_v_and_an_m_of_its_own_whatever_they_were_before() -> None:
    def weights(touched: bool) -> list[torch.Tensor]:
        source = networks(LANES + 2)
        if touched:
            with torch.no_grad():
                for parameter in source.vision.parameters():
                    parameter.fill_(9.0)
        with setting() as where:
            seen = []
            for _ in source.batches(where):
                both = [*source.vision.parameters(), *source.memory.parameters()]
                seen.append(torch.cat([parameter.detach().flatten().clone() for parameter in both]))
        return seen

    one, two = weights(touched=False)
    assert not torch.equal(one, two)
    assert torch.equal(weights(touched=True)[0], one)


def test_weights_are_cauchy_draws_of_a_scale_of_each_batch() -> None:
    source, scales = networks(LANES * 4), list[float]()
    with setting() as where:
        for _ in source.batches(where):
            weights = torch.cat([parameter.detach().flatten() for parameter in source.vision.parameters()]).abs()
            scales.append(weights.median().item())  # a Cauchy's median size is its scale
            assert weights.max() > 100 * scales[-1]  # heavy tails
    assert len(scales) == 4
    assert max(scales) < 0.3e-4 * 1.05  # `spread` in ten-thousandths
    assert max(scales) > 1.2 * min(scales)


def test_at_the_papers_size_the_senses_stay_finite_and_the_drivers_act() -> None:
    source = RandomNetworks(
        vision=ConvVAE(steps=0),
        memory=MDNRNN(latent_size=32, action_size=1, steps=0),
        controller=Linear(latent_size=32, hidden_size=256, action_size=1),
        episodes=4,
    )
    with setting() as where:
        batch = collect(source, where)[0]
    assert torch.isfinite(batch.actions).all()
    assert batch.actions.std() > 0.01
    assert (batch.actions.abs() > 0.999).float().mean() < 0.9


def test_ms_second_bias_stays_pinned() -> None:
    source = networks(1)
    assert isinstance(source.memory, MDNRNN)
    with setting() as where:
        next(source.batches(where))
    biases = {name: value for name, value in source.memory.named_parameters() if name.startswith("lstm.bias")}
    assert not biases["lstm.bias_hh_l0"].any()
    assert biases["lstm.bias_ih_l0"].any()
