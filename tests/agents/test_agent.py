from pathlib import Path

import pytest
import torch

from tests.engine.runs.toy_run import DREAMING, HORIZON, toy_run
from wmframe.agents.agent import Agent, load_agent, open_artefacts
from wmframe.engine.errors import UserError
from wmframe.engine.runs.runs import Run
from wmframe.envs.toy import Toy
from wmframe.worlds.rollout import population_act, rollout

ALLOWED = ("wmframe",)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return toy_run(tmp_path_factory.mktemp("agents"), *DREAMING)


@pytest.fixture(scope="module")
def agent(run: Run) -> Agent:
    return load_agent(run, allowed=ALLOWED)


def test_the_driver_is_the_agent_s(agent: Agent) -> None:
    assert agent.driver.parameters.tolist() == [0.0] * agent.driver.controller.size
    assert agent.driver.memory.latent_size == agent.driver.vision.latent_size == 8
    assert not agent.driver.vision.training
    assert isinstance(agent.env, Toy)


def test_the_driver_dreams_what_it_was_trained_in(agent: Agent) -> None:
    act = population_act(agent.driver.controller, agent.driver.parameters[None])
    outcome = rollout(agent.dream(), act, range(3))
    assert outcome.lengths.tolist() == [HORIZON] * 3


def test_a_dream_of_another_horizon_or_temperature(agent: Agent) -> None:
    act = population_act(agent.driver.controller, agent.driver.parameters[None])
    assert rollout(agent.dream(horizon=4), act, range(3)).lengths.tolist() == [4] * 3

    def latent(temperature: float | None) -> torch.Tensor:
        world = agent.dream(temperature=temperature)
        world.reset([0])
        world.step(torch.zeros(1, 1))
        return world.latent

    assert torch.equal(latent(None), latent(1))
    assert not torch.equal(latent(None), latent(0.1))


@pytest.mark.parametrize(
    ("temperature", "horizon", "key"),
    [(-1.0, None, "world.temperature=-1.0"), (None, 0, "world.horizon=0"), (0.0, None, "world.temperature=0.0")],
)
def test_an_impossible_dream_is_told_by_its_key(
    agent: Agent, temperature: float | None, horizon: int | None, key: str
) -> None:
    with pytest.raises(UserError, match=key) as caught:
        agent.dream(temperature=temperature, horizon=horizon)
    assert caught.value.exit_code == 2


def test_who_was_trained_awake_does_not_dream(tmp_path: Path) -> None:
    run = toy_run(tmp_path, "world=reality")
    agent = load_agent(run, allowed=ALLOWED)
    assert agent.starts is None
    with pytest.raises(UserError, match="was not trained in a dream"):
        agent.dream()


def test_a_run_without_a_driver(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no agent yet") as caught:
        load_agent(toy_run(tmp_path, finished=False), allowed=ALLOWED)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("part", ["vision", "memory", "controller"])
def test_a_damaged_agent_is_not_loaded(tmp_path: Path, part: str) -> None:
    run = toy_run(tmp_path)
    [weights] = (tmp_path / "artefacts").glob(f"agent/*/{part}/weights.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(UserError, match=r"its agent .* missing or damaged .*wmframe run env=toy") as caught:
        load_agent(run, allowed=ALLOWED)
    assert caught.value.exit_code == 1


def test_artefacts_go_by_their_names_in_the_graph(run: Run) -> None:
    found = open_artefacts(run, run.record().stages)
    assert list(found) == ["agent"]
    assert found["agent"].file("controller/starts.safetensors").is_file()
