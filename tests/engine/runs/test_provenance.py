import json
import platform
import subprocess
from pathlib import Path

import pytest

from wmframe.engine.runs.provenance import git_state, packages, provenance


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_the_facts_are_the_allowed_ones_and_plain() -> None:
    facts = provenance(device="cpu", seed=0, overrides=["memory.mixtures=1"])
    assert set(facts) == {"git", "packages", "python", "platform", "cpu", "device", "seed", "overrides"}
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["python"] == platform.python_version()
    assert (facts["seed"], facts["overrides"]) == (0, ["memory.mixtures=1"])
    assert packages()["numpy"] is not None


def test_secrets_paths_and_hosts_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "planted-in-the-environment")
    monkeypatch.setenv("PLANTED", "planted-in-the-environment")
    typed = ["tracker.api_key=planted-1", "+x.Token=planted-2", "tracker.password='planted=3'"]
    text = json.dumps(provenance(device="cpu", seed=1, overrides=typed))
    assert "planted" not in text
    assert platform.node() not in text
    assert str(Path.home()) not in text
    assert "tracker.api_key=…" in json.loads(text)["overrides"]


def test_git_state_is_that_of_the_checkout_alone(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    assert git_state(tmp_path) is None  # no commit yet
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "--quiet", "-m", "one")
    clean = git_state(tmp_path)
    assert clean is not None
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path) == {**clean, "dirty": True}
    (tmp_path / "inside").mkdir()
    assert git_state(tmp_path / "inside") is None


def test_without_git_there_is_no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) is None
    assert provenance(device="cpu", seed=0)["git"] is None
