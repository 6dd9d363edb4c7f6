"""Mistakes are answered in a breath: generated from the schema for every key, and typed into real processes."""

import json
import random
import string
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Answer
from tests.cli.test_mistakes import MISTAKES, leaves, with_value, words
from tests.torture.conftest import Figure
from tests.torture.scale import FULL, cases
from wmframe.cli.overrides import parse
from wmframe.cli.prepare import EXPERIMENT, prepare
from wmframe.engine.config.bind import ConfigError, bind

HEAVY = ("torch", "pytorch_lightning", "gymnasium", "nevergrad", "matplotlib", "wandb", "pygame")

# One process answers one command, and tells on its last line how long that took and what it imported.
ANSWER = """
import sys, time
began = time.perf_counter()
from wmframe.cli.main import main
code = main(sys.argv[1:])
heavy = [name for name in {heavy} if name in sys.modules]
print("\\n" + repr((code, round(time.perf_counter() - began, 3), heavy)), file=sys.stderr)
"""

FILES = {
    "a tab": b"_target_: wmframe.vision.none.NoVision\n\tlatent_size: 3\n",
    "a key twice": b"_target_: wmframe.vision.none.NoVision\nlatent_size: 3\nlatent_size: 4\n",
    "no UTF-8": b"latent_size: \xff\xfe\n",
    "null bytes": b"latent_size: \x00\n",
    "a list": b"- 1\n- 2\n",
    "a number": b"7\n",
    "unclosed": b"_target_: [wmframe\n",
    "a python object": b"latent_size: !!python/object/apply:os.system [true]\n",
    "a bomb of aliases": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(8)),
    "nested deeply": b"a: " + b"[" * 5000 + b"]" * 5000 + b"\n",
    "a megabyte and more": b"a: " + b"x" * 1_100_000 + b"\n",
    "a resolver": b"_target_: wmframe.vision.none.NoVision\nlatent_size: ${oc.env:HOME}\n",
    "a resolver among the defaults": b"defaults:\n  - ${oc.env:HOME}\n_target_: wmframe.vision.none.NoVision\n",
    "a file that is not there": b"defaults:\n  - nowhere\n_target_: wmframe.vision.none.NoVision\nlatent_size: 3\n",
    "a foreign target": b"_target_: os.system\ncommand: true\n",
    "a nested foreign target": b"_target_: wmframe.vision.none.NoVision\nlatent_size: {_target_: builtins.eval}\n",
    "a target with a typo": b"_target_: wmframe.vision.none.NoVison\nlatent_size: 3\n",
    "a target of another kind": b"_target_: wmframe.memory.none.NoMemory\nlatent_size: 3\naction_size: 3\n",
    "a key too many": b"_target_: wmframe.vision.none.NoVision\nlatent_size: 3\nlatnt_size: 4\n",
    "a wrong type": b"_target_: wmframe.vision.none.NoVision\nlatent_size: many\n",
    "a secret": b"_target_: wmframe.vision.none.NoVision\nlatent_size: 3\napi_key: planted-secret\n",
}

RUNS = {
    "status nowhere": "no run 'nowhere'",
    "evaluate": "which run?",
    "evaluate nowhere": "no run 'nowhere'",
    "evaluate nowhere episodes=0": "no run 'nowhere'",
    "report nowhere": "no run 'nowhere'",
    "report --sweep nowhere": "no sweep 'nowhere'",
    "watch nowhere": "no run 'nowhere'",
    "watch latest wrld=dream": "Did you mean world?",
    "watch latest world=dreem": "Did you mean dream?",
    "watch latest steps=0": "use a whole number of at least 1",
    "watch latest seed=-1": "use a whole number of at least 0",
    "dashboard --port 99999": "use 0 (any free one) to 65535",
    "dashboard --port abc": "use a whole number",
    "dashboard --root /nowhere/at/all": "there is no such folder",
    "doctor now": "doctor takes no arguments",
    "status a b": "one name too many",
    "status --quick": "is no flag here",
}


def answered(answer: Answer) -> list[str]:
    """What is wrong with an answer to a mistake."""
    return [
        *([f"exit code {answer.code}"] if answer.code != 2 else []),
        *([f"{len(answer.err.splitlines())} lines"] if len(answer.err.splitlines()) > 10 else []),
        *(["a traceback"] if "Traceback" in answer.err else []),
        *(["a secret"] if "planted-secret" in answer.err else []),
        *(["no words"] if not answer.err.startswith("wmframe: ") else []),
    ]


def typed(arguments: list[str], folder: Path) -> tuple[Answer, float, list[str]]:
    """Type a command into a process of its own; return its answer, its seconds, and the heavy packages it imported."""
    script = ANSWER.format(heavy=HEAVY)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    seconds = time.perf_counter() - began
    said, _, facts = done.stderr.rstrip().rpartition("\n")
    code, _, heavy = eval(facts)  # noqa: S307  what ANSWER wrote
    return Answer(code, done.stdout, said.rstrip("\n")), seconds, heavy


def commands(folder: Path) -> Iterator[list[str]]:
    """Every mistake of the lists, as a command."""
    for text, _ in MISTAKES:
        yield words(text)
    for text in RUNS:
        yield text.split()
    for number, content in enumerate(FILES.values()):
        place = folder / f"conf{number}"
        (place / "vision").mkdir(parents=True)
        (place / "vision" / "bad.yaml").write_bytes(content)
        yield ["plan", "--config-dir", str(place), "vision=bad"]


@pytest.mark.slow
def test_real_processes_answer_before_anything_heavy_loads(tmp_path: Path, figure: Figure) -> None:
    (tmp_path / "cwd").mkdir()
    everything = list(commands(tmp_path))
    chosen = cases(everything, 8)
    assert len(everything) >= 80
    seconds, wrong = [], []
    for arguments in chosen:
        answer, took, heavy = typed(arguments, tmp_path / "cwd")
        seconds.append(took)
        if faults := answered(answer) + heavy:
            wrong.append((arguments, faults, answer.err))
    assert wrong == []
    assert list((tmp_path / "cwd").iterdir()) == []
    figure("mistakes typed into processes", len(chosen))
    figure("seconds, median", round(sorted(seconds)[len(seconds) // 2], 2))
    figure("seconds, longest", round(max(seconds), 2))


@pytest.mark.parametrize("text", RUNS)
def test_commands_that_take_a_run(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wmframe.cli.main import main

    monkeypatch.chdir(tmp_path)
    code = main(text.split())
    said = capsys.readouterr()
    assert RUNS[text] in said.err
    assert answered(Answer(code, said.out, said.err)) == []


@pytest.mark.parametrize("name", FILES)
def test_files_of_the_user(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from wmframe.cli.main import main

    (tmp_path / "vision").mkdir()
    (tmp_path / "vision" / "bad.yaml").write_bytes(FILES[name])
    code = main(["plan", "--config-dir", str(tmp_path), "vision=bad", f"paths.root={tmp_path}"])
    said = capsys.readouterr()
    assert answered(Answer(code, said.out, said.err)) == []
    assert "vision" in said.err


# From the schema: for every key an unknown sibling, wrong types, values out of range

WRONG: dict[str, object] = {
    "a mapping": {"no": ["such", "thing"]},
    "a list of lists": [[1], {"a": 2}],
    "text": "\x00 nonsense",
    "a huge number": 10**400,
    "minus a lot": -(10**30),
    "a fraction": 0.123456789,
    "no number": float("nan"),
    "endless": float("inf"),
    "true": True,
    "null": None,
}

PRESETS = ("env=toy", "env=car_racing", "env=lunar_lander", "collect=evolving", "collect=networks", "world=reality")


def experiments() -> dict[str, Mapping[str, object]]:
    """The configs of several experiments, whose keys together are the whole schema that is shipped."""
    found = {}
    for override in PRESETS:
        (job,) = prepare(parse([override]))
        found[override] = job.config
    return found


def keys_of(config: Mapping[str, object]) -> dict[str, object]:
    return dict(leaves(bind(config, target=EXPERIMENT).plain()))


def refusal(config: Mapping[str, object]) -> ConfigError | None:
    """Why a config is refused, if it is."""
    try:
        bind(config, target=EXPERIMENT)
    except ConfigError as error:
        return error
    return None


def may_be(key: str, name: str, value: object) -> bool:
    """Whether a key with this value may have a wrong value of this name after all."""
    if name == "minus a lot" and key.endswith(".start_pay"):
        return True  # a step may be paid anything
    fitting = {
        "text": str | None,
        "a fraction": float | None,
        "true": bool,
        "null": object,
        "a mapping": dict,
    }
    return name in fitting and isinstance(value, fitting[name])


@pytest.mark.slow
def test_every_key_refuses_what_it_is_not(figure: Figure) -> None:
    seen: set[str] = set()
    refused = accepted = 0
    faults = []
    for config in experiments().values():
        for key, value in keys_of(config).items():
            if key in seen:
                continue
            seen.add(key)
            wrongs = {
                **{name: with_value(config, key, WRONG[name]) for name in cases(list(WRONG), 4)},
                "an unknown sibling": with_value(config, f"{key}_of_mine", value),
                "a key below it": with_value(config, f"{key}.below.it", 1),
            }
            for name, wrong in wrongs.items():
                error = refusal(wrong)
                if error is None:
                    accepted += 1
                    faults += [(key, name, value)] if not may_be(key, name, value) else []
                    continue
                refused += 1
                named = [p for p in error.problems if p.path.startswith(key) or key.startswith(f"{p.path}.")]
                faults += [(key, name, str(error))] if not named or len(str(error).splitlines()) > 10 else []
    assert faults == []
    assert len(seen) > 100
    figure("keys", len(seen))
    figure("wrong values refused, by the name of their key", refused)
    figure("values that a key takes after all (any text, any number in range)", accepted)


def slips(key: str, chance: random.Random) -> Iterator[str]:
    """A letter dropped, two swapped, one doubled, one replaced: each somewhere in the key."""
    at = chance.randrange(len(key))
    yield key[:at] + key[at + 1 :]
    yield key[:at] + key[at : at + 2][::-1] + key[at + 2 :]
    yield key[: at + 1] + key[at:]
    yield key[:at] + chance.choice(string.ascii_lowercase) + key[at + 1 :]


def typos(keys: list[str], rounds: int) -> Iterator[tuple[str, str]]:
    """Slips that make of a key what is none, nor above or below one."""
    chance = random.Random(6)
    for key in keys:
        for slip in [slip for _ in range(rounds) for slip in slips(key, chance)]:
            taken = any(k == slip or k.startswith(f"{slip}.") or slip.startswith(f"{k}.") for k in keys)
            if not taken and all(part.isidentifier() for part in slip.split(".")):
                yield key, slip


@pytest.mark.slow
def test_typos_of_every_key_are_understood(figure: Figure) -> None:
    understood, tried, missed = 0, 0, []
    seen: set[str] = set()
    for config in experiments().values():
        keys = list(keys_of(config))
        new = [key for key in keys if key not in seen]
        seen |= set(new)
        for key, slip in typos(new, 3 if FULL else 1):
            if any(k == slip or slip.startswith(f"{k}.") for k in keys):
                continue
            with pytest.raises(ConfigError) as caught:
                bind(with_value(config, slip, 3), target=EXPERIMENT)
            problem = next(p for p in caught.value.problems if slip == p.path or slip.startswith(f"{p.path}."))
            tried += 1
            understood += key in problem.near[:3]
            missed += [f"{slip} ({key})"] if key not in problem.near[:3] else []
    assert understood >= 0.95 * tried, json.dumps(missed, indent=1)
    figure("typos", tried)
    figure("typos understood, %", round(100 * understood / tried, 1))
