"""Mistakes are answered in a breath: exit code 2, ten lines at most, no traceback, the right thing named."""

import random
import string
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, Wmframe
from wmframe.cli.overrides import parse
from wmframe.cli.prepare import EXPERIMENT, prepare
from wmframe.engine.config.bind import ConfigError, bind
from wmframe.engine.config.compose import compose
from wmframe.engine.config.shipped import conf_dir
from wmframe.engine.config.source import locate

pytestmark = pytest.mark.skipif(
    not (conf_dir() / "config.yaml").is_file() or locate(EXPERIMENT.rpartition(".")[0]) is None,
    reason="conf/ does not stand yet",
)

# What is typed after `wmframe`, and what the answer must contain.
MISTAKES = [
    ("run vison.latent_size=16", "Did you mean vision.latent_size?"),
    ("run latent_size=32", "Did you mean vision.latent_size"),
    ("run vision.latnt_size=32", "Did you mean vision.latent_size"),
    ("run +vision.latnt_size=32", "Did you mean vision.latent_size"),
    ("run ++vision.latnt_size=32", "Did you mean vision.latent_size"),
    ("run mixtures=3", "Did you mean memory.mixtures?"),
    ("run vision.mixtures=3", "memory.mixtures"),
    ("run memmory=mdn_rnn", "Did you mean memory?"),
    ("run memory.mixtures=abc", "memory.mixtures=abc: must be an integer > 0 (default 5)"),
    ("run memory.mixtures=0", "must be an integer > 0"),
    ("run vision.latent_size=0", "vision.latent_size=0: must be an integer > 0"),
    ("run vision.latent_size=-1", "vision.latent_size=-1"),
    ("run vision.latent_size=3.5", "must be an integer"),
    ("run vision.latent_size=1e9", "must be an integer"),
    ("run vision.latent_size=null", "vision.latent_size=null"),
    ("run vision.latent_size=", 'vision.latent_size=""'),
    ("run vision.latent_size", "type vision.latent_size=VALUE"),
    ("run vision.latent_size=1,0", "add -m"),
    ("run vision.latent_size={a: 1}", "must be an integer"),
    ("run vision.latent_size=[1,2", "cannot be read as key=value"),
    ("run vision.latent_size=${vison.latent}", "refers to ${vison.latent}"),
    ("run vision.latent_size=${vision.latent_size}", "Recursive"),
    ("run paths.root=${oc.env:HOME}", "no resolvers"),
    ("run paths.root=3", "must be text"),
    ("run paths.rot=here", "Did you mean paths.root?"),
    ("run memory.learning_rate=nan", "must be a number > 0"),
    ("run memory.learning_rate=inf", "memory.learning_rate=Infinity"),
    ("run memory.learning_rate=-0.1", "memory.learning_rate=-0.1"),
    ("run world.temperature=-1", "world.temperature=-1: must be a number"),
    ("run world.temprature=1", "Did you mean world.temperature?"),
    ("run seed=-1", "seed=-1: must be an integer >= 0"),
    ("run seed=true", "seed=true"),
    ("run seed=???", "type seed=VALUE"),
    ("run rounds=-1", "rounds=-1: must be an integer >= 0"),
    ("run evaluate.episodes=0", "evaluate.episodes=0: must be an integer >= 1 and <= 100000"),
    ("run evaluate.episods=3", "Did you mean evaluate.episodes?"),
    ("run experiment=nope", "experiment is one of car_racing"),
    ("run env=carracing", "Did you mean env=car_racing?"),
    ("run env=[a,b]", "env is one of"),
    ("run env=null", "env is one of"),
    ("run preset=quik", "Did you mean preset=quick?"),
    ("run +env=toy", "without the +"),
    ("run ~vision", "vision is one of"),
    ("run ~vison", "Did you mean vision?"),
    ("run ~vision._target_", "vision has no `_target_`: a Vision is wanted"),
    ("run vision@here=none", "key=value or group=option"),
    ("run vision._target_=os.system", "targets may come from wmframe only"),
    ("run vision._target_=wmframe.vision.conv_vea.ConvVAE", "Did you mean wmframe.vision.conv_vae.ConvVAE"),
    ("run vision._target_=wmframe.memory.mdn_rnn.MDNRNN", "is not a Vision"),
    ("run vision._target_=wmframe.vision.contract.Vision", "is abstract"),
    ("run vision._target_=wmframe.engine.config.compose.Path", "defines no Path"),
    ("run vision._target_=wmframe.cli.main.main", "is not a Vision"),
    ("run hydra.ouput_subdir=x", "hydra.searchpath"),
    ("run hydra.run.dir=/", "hydra.searchpath"),
    ("run hydra.searchpath=[file:///nowhere]", "/nowhere is not a folder"),
    ("run --config-dir /nowhere", "there is no such folder"),
    ("run --config-dri .", "Did you mean --config-dir?"),
    ("run --config-name other", "Did you mean --config-dir?"),
    ("run --alow mine", "Did you mean --allow?"),
    ("run --allow", "--allow needs a value"),
    ("run --allow a/b", "a module's dotted name"),
    ("run --seed=3", "type seed=3"),
    ("run -x", "-x is no flag"),
    ("run a b", "type a=VALUE"),
    ("run =1", "key=value"),
    ("run -m vision.latent_size=4,0", "vision.latent_size=0: must be"),
    ("run -m seed=interval(0,1)", "interval"),
    ("run -m seed=range(0,1000000)", "more than 10,000"),
    ("run -m env=glob(z*)", "0 jobs"),
    ("rnu preset=smoke", "Did you mean wmframe run?"),
    ("evalute", "Did you mean wmframe evaluate?"),
    ("frobnicate", "The commands: run, plan"),
    ("preset=smoke", "wmframe run preset=smoke"),
    ("--hlep", "The commands"),
]


def words(typed: str) -> list[str]:
    """Split as a shell would, but that braces keep their spaces."""
    return typed.split(" ") if "{a: 1}" not in typed else typed.split(" ", 1)


def assert_answered(answer: Answer, expected: str) -> None:
    assert answer.code == 2, answer
    assert expected in answer.err
    assert len(answer.err.splitlines()) <= 10
    assert "Traceback" not in answer.err
    assert "hydra.cc" not in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(("typed", "expected"), MISTAKES, ids=[typed for typed, _ in MISTAKES])
def test_the_answer_names_what_is_right(wmframe: Wmframe, typed: str, expected: str) -> None:
    assert_answered(wmframe(*words(typed)), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"_target_: a.B\n\twidth: 1\n", "indent with spaces"),
        (b"a: 1\na: 2\n", "duplicate key a"),
        (b"a: \xff\xfe\n", "is not UTF-8"),
        (b"a: !!python/object/apply:os.system [true]\n", "constructor for the tag"),
        (b"- 1\n", "holds a list"),
        (b"", "type vision.latent_size=VALUE"),
        (b"latent_size: 3\n", "vision has no `_target_`"),
        (b"_target_: os.system\nlatent_size: 3\ncommand: touch owned\n", "may come from wmframe only"),
        (b"_target_: mine.vision.Vision\nlatent_size: 3\n", "--allow MODULE"),
        (
            b"_target_: wmframe.vision.none.NoVision\nlatent_size: 3\nlatnt: 3\n",
            "vision.latnt=3: there is no such",
        ),
    ],
)
def test_files_of_the_user(wmframe: Wmframe, tmp_path: Path, text: bytes, expected: str) -> None:
    (tmp_path / "conf" / "vision").mkdir(parents=True)
    (tmp_path / "conf" / "vision" / "bad.yaml").write_bytes(text)
    answer = wmframe("run", "--config-dir", str(tmp_path / "conf"), "vision=bad")
    assert answer.code == 2
    assert expected in answer.err
    assert len(answer.err.splitlines()) <= 10
    assert not Path("owned").exists()


def test_a_right_command_is_let_through(wmframe: Wmframe) -> None:
    assert wmframe("run", "preset=smoke", "env=toy") == Answer(0, "1\n", "")
    assert wmframe("run", "-m", "world.temperature=0.5,1,1.15") == Answer(0, "3\n", "")


@pytest.mark.parametrize("typed", ["run vison.latent_size=16", "run experiment=nope", "plan memory.mixtures=abc"])
def test_the_real_command_answers_before_torch_loads(typed: str, tmp_path: Path) -> None:
    if locate("wmframe.cli.run") is None or locate("wmframe.cli.plan") is None:
        pytest.skip("the commands do not stand yet")
    script = (
        "import sys\nfrom wmframe.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        "assert not {'torch', 'gymnasium', 'pytorch_lightning'} & set(sys.modules), 'imported'\n"
        "raise SystemExit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *typed.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert_answered(Answer(done.returncode, done.stdout, done.stderr), "")
    assert list(tmp_path.iterdir()) == []


# From the schema itself


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every key of a bound config, with its value; list items are no keys."""
    if not isinstance(value, Mapping):
        yield path, value
        return
    for name, item in value.items():
        if name != "_target_":
            yield from leaves(item, f"{path}.{name}" if path else name)


def with_value(config: object, path: str, value: object) -> dict[str, object]:
    """A copy of nested mappings with one more key, mappings made on the way."""
    copy = dict(config) if isinstance(config, Mapping) else {}
    name, _, rest = path.partition(".")
    copy[name] = with_value(copy.get(name), rest, value) if rest else value
    return copy


def edited(key: str, chance: random.Random) -> str:
    """One slip of the fingers: a letter lost, doubled, changed, added, or two swapped."""
    at = chance.randrange(len(key))
    letter = chance.choice(string.ascii_lowercase)
    swapped = key[:at] + key[at : at + 2][::-1] + key[at + 2 :]
    slips = [
        key[:at] + key[at + 1 :],
        key[:at] + letter + key[at + 1 :],
        key[:at] + letter + key[at:],
        swapped,
    ]
    return chance.choice(slips)


def typos(keys: list[str]) -> Iterator[tuple[str, str]]:
    """Three slips for every key, such that the result is neither a key nor below one."""
    chance = random.Random(2018)
    for key in keys:
        slips: list[str] = []
        while len(slips) < 3:
            slip = edited(key, chance)
            taken = any(k == slip or k.startswith(slip + ".") or slip.startswith(k + ".") for k in keys)
            if not taken and all(part.isidentifier() for part in slip.split(".")):
                slips.append(slip)
        yield from ((key, slip) for slip in slips)


def test_typos_of_every_key_are_understood() -> None:
    (job,) = prepare(parse(["env=toy"]))
    keys = [key for key, _ in leaves(job.experiment.plain())]
    cases = list(typos(keys))
    understood = 0
    for key, slip in cases:
        with pytest.raises(ConfigError) as caught:
            bind(with_value(job.config, slip, 3), target=EXPERIMENT)
        problem = next(p for p in caught.value.problems if slip == p.path or slip.startswith(p.path + "."))
        understood += key in problem.near[:3]
    assert len(cases) >= 100
    assert understood / len(cases) >= 0.95


def test_wrong_types_of_every_key_are_refused_by_name() -> None:
    config = compose(["env=toy"])
    experiment = bind(config, target=EXPERIMENT)
    for key, value in leaves(experiment.plain()):
        scalar = [] if value is None else [3.25 if isinstance(value, str) else "\x00"]
        for wrong in ({"no": ["such", "thing"]}, *scalar):
            with pytest.raises(ConfigError) as caught:
                bind(with_value(config, key, wrong), target=EXPERIMENT)
            assert len(str(caught.value).splitlines()) <= 10
            assert any(p.path == key or p.path.startswith(key + ".") for p in caught.value.problems), key
