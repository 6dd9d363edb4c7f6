import math
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded, UnsupportedMode
from gymnasium.spaces import Discrete
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from tests.worlds.pursuit import pursuit
from wmframe.memory.mdn_rnn import MDNRNN
from wmframe.vision.conv_vae import ConvVAE
from wmframe.worlds.dream import Dream
from wmframe.worlds.gymnasium_dream import DreamEnv, DreamVectorEnv
from wmframe.worlds.rollout import rollout
from wmframe.worlds.starts import StartStates

LANES = 5
SOMETIMES = -1.5  # a logit: an end every five or six steps


def untrained(*, horizon: int = 9) -> Dream:
    """A dream of an MDN-RNN as it was initialised, that ends now and then."""
    torch.manual_seed(0)
    memory = MDNRNN(latent_size=3, action_size=2, hidden_size=8, mixtures=2).eval()
    torch.nn.init.constant_(memory.done.bias, SOMETIMES)
    mu, logvar, h, c = (torch.randn(4, size) for size in (3, 3, 8, 8))
    starts = StartStates(mu, logvar, {"h": h, "c": c})
    return Dream(memory=memory, starts=starts, senses="zh", horizon=horizon, temperature=1.0, done_rule="sample")


def dying() -> Dream:
    return pursuit(end=SOMETIMES)


# The dream has no bounds to give: z is a Gaussian's draw and c an LSTM's cell. Gymnasium warns of every such space.
unbounded = pytest.mark.filterwarnings("ignore:.*A Box observation space m..imum value is -?infinity:UserWarning")


@unbounded
@pytest.mark.parametrize("dream", [untrained, dying])
def test_gymnasium_finds_nothing_wrong(dream: Callable[[], Dream]) -> None:
    check_env(
        DreamEnv(dream=dream()), skip_render_check=True
    )  # rendering is checked where there is a spec to make from


def episode(env: DreamEnv, seed: int | None) -> tuple[NDArray[np.float32], list[float], bool, bool]:
    """Drive one dream by actions that depend on nothing but the step."""
    seen, _ = env.reset(seed=seed)
    observations, terminated, truncated = [seen], False, False
    rewards: list[float] = []
    while not (terminated or truncated):
        action = np.full(env.action_space.shape or (), math.sin(len(rewards)), np.float32)
        seen, reward, terminated, truncated, _ = env.step(action)
        observations.append(seen)
        rewards.append(reward)
    return np.stack(observations), rewards, terminated, truncated


def test_equal_seeds_dream_equally_and_unseeded_dreams_go_on_from_there() -> None:
    env, again = DreamEnv(dream=untrained()), DreamEnv(dream=untrained())
    stories = [episode(env, seed) for seed in (7, None, None)]
    for story, seed in zip(stories, (7, None, None), strict=True):
        observations, rewards, *ends = episode(again, seed)
        np.testing.assert_array_equal(story[0], observations)
        assert story[1:] == (rewards, *ends)
    firsts = [tuple(story[0][0]) for story in stories]
    assert len(set(firsts)) == 3


def test_it_is_the_dream_that_search_and_evaluation_know() -> None:
    world = untrained()
    step = iter(range(100))
    outcome = rollout(world, lambda features: torch.full((len(features), 2), math.sin(next(step))), [11])
    _, rewards, _, _ = episode(DreamEnv(dream=untrained()), 11)
    assert len(rewards) == int(outcome.lengths)
    assert sum(rewards) == pytest.approx(float(outcome.returns))


@pytest.mark.parametrize(
    ("end", "steps", "terminated"),
    [(-math.inf, 6, False), (math.inf, 1, True)],
)
def test_a_time_limit_is_no_death(end: float, steps: int, terminated: bool) -> None:
    _, rewards, *ends = episode(DreamEnv(dream=pursuit(end=end)), 0)
    assert (len(rewards), *ends) == (steps, terminated, not terminated)


def test_a_death_at_the_horizon_is_a_death() -> None:
    _, rewards, *ends = episode(DreamEnv(dream=pursuit(end=math.inf, horizon=1)), 0)
    assert (len(rewards), *ends) == (1, True, False)


def test_where_m_s_done_is_ignored_only_time_ends_a_dream() -> None:
    _, rewards, *ends = episode(DreamEnv(dream=pursuit(end=math.inf, done_rule="never")), 0)
    assert (len(rewards), *ends) == (6, False, True)


def test_actions_beyond_the_box_are_clipped() -> None:
    def reward(action: float) -> float:
        env = DreamEnv(dream=pursuit())
        env.reset(seed=1)
        return env.step(np.array([action], np.float32))[1]

    assert reward(5.0) == reward(1.0) != reward(0.5)
    envs = DreamVectorEnv(dream=pursuit(), num_envs=1)
    envs.reset(seed=1)
    assert envs.step(np.array([[5.0]], np.float32))[1][0] == reward(1.0)


Both = tuple[DreamVectorEnv, SyncVectorEnv[Any, Any]]


def both(dream: Callable[[], Dream], mode: AutoresetMode) -> Both:
    """The same lanes in one batch, and one by one behind Gymnasium's own vector environment."""
    one_by_one: SyncVectorEnv[Any, Any] = SyncVectorEnv([lambda: DreamEnv(dream=dream())] * LANES, autoreset_mode=mode)
    return DreamVectorEnv(dream=dream(), num_envs=LANES, autoreset_mode=mode), one_by_one


def assert_same(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
    *arrays, infos = ours
    *wanted, wanted_infos = theirs
    for array, want in zip(arrays, wanted, strict=True):
        assert (array.shape, array.dtype) == (want.shape, want.dtype)
        np.testing.assert_array_equal(array, want)
    assert infos.keys() == wanted_infos.keys()
    for lane, final in enumerate(wanted_infos.get("final_obs", [])):
        assert (final is None) == (infos["final_obs"][lane] is None)
        if final is not None:
            np.testing.assert_array_equal(infos["final_obs"][lane], final)
    if "_final_obs" in wanted_infos:
        np.testing.assert_array_equal(infos["_final_obs"], wanted_infos["_final_obs"])


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("dream", [untrained, dying])
def test_a_batch_is_its_lanes_one_by_one(dream: Callable[[], Dream], mode: AutoresetMode) -> None:
    ours, theirs = both(dream, mode)
    assert ours.metadata["autoreset_mode"] is mode
    assert (ours.observation_space, ours.action_space) == (theirs.observation_space, theirs.action_space)
    deaths, limits, patterns = 0, 0, set()
    for seed in (3, [9, 8, None, 6, 5], None):
        assert_same(ours.reset(seed=seed), theirs.reset(seed=seed))
        ours.action_space.seed(0)
        for _ in range(20):
            actions = ours.action_space.sample()
            step = ours.step(actions)
            assert_same(step, theirs.step(actions))
            assert step[0] in ours.observation_space
            over = step[2] | step[3]
            deaths, limits = deaths + int(step[2].sum()), limits + int(step[3].sum())
            patterns.add(tuple(over))
            if mode is AutoresetMode.DISABLED and over.any():
                assert_same(ours.reset(options={"reset_mask": over}), theirs.reset(options={"reset_mask": over.copy()}))
    assert deaths > 5
    assert limits > 5
    assert len(patterns) > 5, "lanes were to end at different times"


def test_next_step_gives_one_step_to_the_new_beginning() -> None:
    envs = DreamVectorEnv(dream=pursuit(horizon=2), num_envs=2)
    envs.reset(seed=0)
    act = np.full((2, 1), 0.3, np.float32)
    truncations = [envs.step(act)[3].tolist() for _ in range(6)]
    assert truncations == [[False] * 2, [True] * 2, [False] * 2] * 2
    envs.reset(seed=0)
    envs.step(act)
    last, rewards, *_ = envs.step(act)
    assert (rewards < 0).all()
    first, rewards, *_ = envs.step(act)
    assert (first != last).all()
    assert rewards.tolist() == [0.0, 0.0]


def test_same_step_returns_the_new_beginning_and_keeps_the_end() -> None:
    envs = DreamVectorEnv(dream=pursuit(horizon=2), num_envs=2, autoreset_mode="SameStep")
    envs.reset(seed=0)
    act = np.full((2, 1), 0.3, np.float32)
    envs.step(act)
    seen, rewards, _, truncations, infos = envs.step(act)
    assert truncations.all()
    assert (rewards < 0).all()
    finals = np.stack(list(infos["final_obs"]))
    assert (finals != seen).all()
    kept = finals.copy()
    envs.step(act)
    np.testing.assert_array_equal(np.stack(list(infos["final_obs"])), kept)


@unbounded
def test_choices_are_numbers_to_whoever_trains_in_it() -> None:
    env = DreamEnv(dream=untrained(), actions="discrete")
    check_env(env, skip_render_check=True)
    assert env.action_space == Discrete(2)
    envs = DreamVectorEnv(dream=untrained(), num_envs=3, actions="discrete")
    told = untrained()
    told.reset([5, 6, 7])
    envs.reset(seed=5)
    seen, *_ = envs.step(np.array([1, 0, 1]))
    step = told.step(torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_array_equal(seen, step.features.numpy())


def test_what_a_step_returned_stays_as_it_was() -> None:
    world = pursuit(end=SOMETIMES)
    world.reset(range(8))
    step = world.step(torch.zeros(8, 1))
    latent = world.latent
    copies = latent.clone(), step.done.clone(), step.features.clone(), world.timed_out
    world.restart(range(8), range(8, 16))
    assert bool(step.done.any())
    for kept, now in zip(copies, (latent, step.done, step.features, world.timed_out), strict=True):
        torch.testing.assert_close(kept, now)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_what_it_returned_is_the_caller_s_to_change(mode: AutoresetMode) -> None:
    envs, spoilt = (DreamVectorEnv(dream=dying(), num_envs=LANES, autoreset_mode=mode) for _ in range(2))
    envs.reset(seed=0)
    spoilt.reset(seed=0)[0][:] = 9
    for _ in range(12):
        actions = envs.action_space.sample()
        step, other = envs.step(actions), spoilt.step(actions)
        for array, same in zip(step[:4], other[:4], strict=True):
            np.testing.assert_array_equal(array, same)
            np.copyto(np.asarray(same), 1, casting="unsafe")


def test_v_paints_the_dream() -> None:
    torch.manual_seed(1)
    vision = ConvVAE(latent_size=3, width=4).eval()
    world = untrained()
    env = DreamEnv(dream=world, vision=vision, render_mode="rgb_array")
    env.reset(seed=0)
    frame = env.render()
    assert frame is not None
    with torch.inference_mode():
        np.testing.assert_array_equal(frame, vision.decode(world.latent)[0].numpy())
    envs = DreamVectorEnv(dream=untrained(), num_envs=2, vision=vision, render_mode="rgb_array")
    envs.reset(seed=0)
    frames = envs.render()
    assert frames is not None
    assert [each.shape for each in frames] == [(64, 64, 3)] * 2
    np.testing.assert_array_equal(frames[0], frame)
    assert DreamEnv(dream=untrained(), vision=vision).render() is None


def test_a_dream_without_v_cannot_be_shown() -> None:
    with pytest.raises(UnsupportedMode, match="needs a V"):
        DreamEnv(dream=pursuit(), render_mode="rgb_array")
    with pytest.raises(UnsupportedMode, match="'ansi'"):
        DreamVectorEnv(dream=pursuit(), num_envs=1, render_mode="ansi")


def test_mistakes_in_a_batch_s_use() -> None:
    envs = DreamVectorEnv(dream=pursuit(horizon=1), num_envs=2, autoreset_mode=AutoresetMode.DISABLED)
    act, half = np.zeros((2, 1), np.float32), np.array([True, False])
    with pytest.raises(ResetNeeded):
        envs.step(act)
    with pytest.raises(ResetNeeded):
        envs.reset(options={"reset_mask": half})
    with pytest.raises(ValueError, match="3 seeds for 2 lanes"):
        envs.reset(seed=[1, 2, 3])
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="at least one True"):
        envs.reset(options={"reset_mask": np.array([False, False])})
    envs.step(act)
    envs.reset(options={"reset_mask": half})
    with pytest.raises(ResetNeeded, match=r"\[1\]"):
        envs.step(act)


def returns(envs: gymnasium.vector.VectorEnv[Any, Any, Any], policy: NDArray[np.float64], seed: int) -> Any:
    """One episode a lane; lane i acts by its own weight and bias (B, 2). All dreams end at the horizon."""
    seen, _ = envs.reset(seed=seed)
    total, over = np.zeros(envs.num_envs), np.zeros(envs.num_envs, np.bool_)
    while not over.all():
        actions = policy[:, :1] * seen + policy[:, 1:]
        seen, reward, terminated, truncated, _ = envs.step(actions.clip(-1, 1).astype(np.float32))
        total += reward
        over = terminated | truncated
    return total


def test_a_cross_entropy_method_that_knows_only_gymnasium_finds_the_optimum() -> None:
    envs, rng = DreamVectorEnv(dream=pursuit(horizon=20), num_envs=64), np.random.default_rng(0)
    mean, std = np.zeros(2), np.ones(2)
    before = returns(envs, np.tile(mean, (64, 1)), 10_000).mean()
    for generation in range(8):
        tried = mean + std * rng.standard_normal((64, 2))
        best = tried[np.argsort(returns(envs, tried, 100 * generation))[-12:]]
        mean, std = best.mean(0), best.std(0) + 0.01
    after = returns(envs, np.tile(mean, (64, 1)), 10_000).mean()
    assert before == pytest.approx(-5.0, abs=1.0)  # doing nothing loses E[z²]/4 a step
    assert after > -0.3
    assert mean == pytest.approx([0.5, 0.0], abs=0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # another library's, whatever it uses
def test_another_library_trains_in_it() -> None:
    library = pytest.importorskip("stable_baselines3", reason="pip install stable-baselines3 to run it")
    env = DreamEnv(dream=pursuit(horizon=20))
    agent = library.PPO("MlpPolicy", env, seed=0, n_steps=256, gamma=0.0, learning_rate=3e-3, device="cpu")

    def mean_return() -> float:
        total = 0.0
        for seed in range(20):
            (seen, _), truncated = env.reset(seed=seed), False
            while not truncated:
                seen, reward, _, truncated, _ = env.step(agent.predict(seen, deterministic=True)[0])
                total += reward
        return total / 20

    before = mean_return()
    agent.learn(4096)
    assert before < -4.0
    assert mean_return() > -1.0
