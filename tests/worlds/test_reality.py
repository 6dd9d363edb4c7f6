import numpy as np
import torch

from tests.worlds.toys import FRAMES, A, H, Z, act, live, memory, reality, vision
from wmframe.envs.toy import Toy
from wmframe.memory.none import NoMemory
from wmframe.vision.none import NoVision


def test_features_hold_h_from_before_the_step_and_m_is_told_z_and_action() -> None:
    v, m = vision(), memory()
    world = reality(seen_by=v, of=m, senses="zhc", sample_latent=False)
    steps = live(world, [3])
    env, state = Toy(max_frames=FRAMES).make(), m.initial(1)
    frame, _ = env.reset(seed=3)
    with torch.inference_mode():
        for t, step in enumerate(steps):
            mu = v.encode(torch.from_numpy(frame)[None]).mu
            torch.testing.assert_close(step.features, torch.cat((mu, state.h, state.c), 1), rtol=1e-4, atol=1e-5)
            if t == len(steps) - 1:
                break
            action = act(step.features)
            state = m.advance(state.but(z=mu), action)
            frame, reward, terminated, truncated, _ = env.step(action[0].numpy())
            assert float(steps[t + 1].reward) == np.float32(reward)
            assert bool(steps[t + 1].done) is (terminated or truncated)
    assert (steps[0].features[:, Z:] == 0).all()


def test_the_noise_in_z_is_the_seeds_and_nobody_elses() -> None:
    v = vision()
    with torch.no_grad():
        v.mu.weight.zero_()
        v.mu.bias.zero_()
        v.logvar.weight.zero_()
        v.logvar.bias.zero_()  # z is the noise
    steps = live(reality(seen_by=v, senses="z"), [3, 4, 3])
    expected = [torch.Generator().manual_seed(seed) for seed in (3, 4, 3)]
    for step in steps:
        noise = torch.stack([torch.randn(Z, generator=chance) for chance in expected])
        torch.testing.assert_close(step.features, noise)


def test_without_sampling_z_is_the_mean() -> None:
    one, other = (live(reality(senses="z", sample_latent=False), [3]), live(reality(senses="z"), [3]))
    frame = torch.from_numpy(Toy().make().reset(seed=3)[0])[None]
    torch.testing.assert_close(one[0].features, vision().encode(frame).mu.detach())
    assert not torch.equal(one[0].features, other[0].features)


def test_an_early_end_is_no_true_end() -> None:
    steps = live(reality(most_steps=4), [3, 4])
    assert [step.done.tolist() for step in steps] == [[False, False]] * 4 + [[True, True]]
    assert not steps[-1].shown().over.any()


def test_a_time_limit_is_seen_as_one() -> None:
    last = live(reality(max_frames=3), [3, 4], drive=lambda features: torch.zeros(len(features), A))[-1].shown()
    assert last.truncated.all()
    assert not last.terminated.any()


def test_a_step_holds_what_the_environments_showed() -> None:
    first = reality().reset([3, 4]).shown()
    np.testing.assert_array_equal(first.frames[1], Toy().make().reset(seed=4)[0])
    assert not first.rewards.any()


def test_neither_v_nor_m_trains_while_it_drives() -> None:
    v, m = vision().train(), memory().train()
    reality(seen_by=v, of=m)
    assert not v.training
    assert not m.training


def test_the_degenerate_senses_live_here_too() -> None:
    world = reality(seen_by=NoVision(latent_size=Z), of=NoMemory(latent_size=Z, action_size=A), senses="zhc")
    steps = live(world, list(range(20)))  # more than one tile
    assert steps[0].features.shape == (20, Z)
    assert world.feature_size == Z < Z + H
