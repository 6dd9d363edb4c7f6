"""The recipes whose graphs are recorded: every experiment, preset and file that ships, and all that rounds can do.

A recipe has a name of its own, which recordings go by and which stays; its words are what is typed today. `like` is the
recipe in whose terms it is written down, for no other reason than that the recording stays short.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.golden import house


@dataclass(frozen=True)
class Recipe:
    """The words of a command, and a recipe that it resembles."""

    words: tuple[str, ...]
    like: str = ""


PINNED: Final = "first_driver='zoo/some@0123456789abcdef'"
"""A finished agent that nobody needs to have: a graph knows its key alone."""

REFIT: Final = ("later.vision=new", "later.memory=new")

_CAR: Final = "experiment=car_racing"

EXPERIMENTS: Final[Mapping[str, Recipe]] = {
    "paper": Recipe(("preset=paper",)),
    "quick": Recipe(("preset=quick",)),
    "smoke": Recipe(("preset=smoke",), "paper"),
    "driven, paper": Recipe(("preset=paper", "collect=driven", PINNED), "paper"),
    "driven, quick": Recipe(("preset=quick", "collect=driven", PINNED), "quick"),
    "driven, smoke": Recipe(("preset=smoke", "collect=driven", PINNED), "driven, paper"),
    "car_racing, paper": Recipe((_CAR, "preset=paper"), "paper"),
    "car_racing, quick": Recipe((_CAR, "preset=quick"), "quick"),
    "car_racing, smoke": Recipe((_CAR, "preset=smoke"), "smoke"),
    "dream, paper": Recipe((f"{_CAR}/dream", "preset=paper"), "paper"),
    "dream, quick": Recipe((f"{_CAR}/dream", "preset=quick"), "quick"),
    "dream, smoke": Recipe((f"{_CAR}/dream", "preset=smoke"), "dream, paper"),
    "reality, paper": Recipe((f"{_CAR}/reality", "preset=paper"), "dream, paper"),
    "reality, quick": Recipe((f"{_CAR}/reality", "preset=quick"), "dream, quick"),
    "reality, smoke": Recipe((f"{_CAR}/reality", "preset=smoke"), "dream, smoke"),
    "reality, of an agent": Recipe((f"{_CAR}/reality", "rounds=0", PINNED)),
    "pure, paper": Recipe((f"{_CAR}/pure", "preset=paper"), "dream, paper"),
    "pure, quick": Recipe((f"{_CAR}/pure", "preset=quick"), "dream, quick"),
    "pure, smoke": Recipe((f"{_CAR}/pure", "preset=smoke"), "pure, paper"),
    "again": Recipe((f"{_CAR}/again", PINNED), "dream, paper"),
    "pure_again": Recipe((f"{_CAR}/pure_again", PINNED), "again"),
    "toy, paper": Recipe(("experiment=toy", "preset=paper"), "paper"),
    "toy, quick": Recipe(("experiment=toy", "preset=quick"), "quick"),
    "toy, smoke": Recipe(("experiment=toy", "preset=smoke"), "toy, paper"),
}
"""Every experiment under the presets that it goes with; `again` and its like choose a collection that others undo."""

_SMALL: Final = ("env=toy", "preset=smoke")
SMALL: Final = "two small rounds"
"""Two rounds of the toy, in whose terms the options' and rounds' graphs are written down."""

OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "collect: driven": ("collect=driven", PINNED),
    **{
        f"collect: {name}": (f"collect={name}",)
        for name in ("evolved", "evolving", "few", "networks", "random", "toy", "untrained")
    },
    "controller: hidden": ("controller=hidden",),
    "controller: linear": ("controller=linear",),
    "env: car_racing": ("env=car_racing",),
    "env: lunar_lander": ("env=lunar_lander",),
    "env: toy": ("env=toy",),
    "finish: awake": ("finetune=real",),
    "memory: mdn_rnn": ("memory=mdn_rnn",),
    "memory: mdn_rnn_quick": ("memory=mdn_rnn_quick",),
    "memory: mdn_rnn_smoke": ("memory=mdn_rnn_smoke",),
    "memory: mdn_rnn_toy": ("memory=mdn_rnn_toy",),
    "memory: none": ("memory=none", "world=reality", "controller.senses=z"),
    "memory: untrained": ("memory=untrained", "world=reality"),
    "search: cma": ("search=cma",),
    "search: cma_quick": ("search=cma_quick",),
    "search: cma_short": ("search=cma_short",),
    "search: cma_smoke": ("search=cma_smoke",),
    "search: cma_toy": ("search=cma_toy",),
    "search: gradient": ("search=gradient",),
    "search: gradient_quick": ("search=gradient_quick",),
    "search: gradient_steady": ("search=gradient_steady",),
    "tracker: none": ("tracker=none",),
    "tracker: wandb_offline": ("tracker=wandb_offline",),
    "tracker: wandb_online": ("tracker=wandb_online",),
    "trainer: auto": ("trainer=auto",),
    "trainer: cpu": ("trainer=cpu",),
    "trainer: gpu": ("trainer=gpu",),
    "vision: conv_vae": ("vision=conv_vae",),
    "vision: conv_vae_quick": ("vision=conv_vae_quick",),
    "vision: conv_vae_smoke": ("vision=conv_vae_smoke",),
    "vision: conv_vae_toy": ("vision=conv_vae_toy",),
    "vision: none": ("vision=none",),
    "world: dream": ("world=dream",),
    "world: dream_quick": ("world=dream_quick",),
    "world: dream_short": ("world=dream_short",),
    "world: dream_toy": ("world=dream_toy",),
    "world: reality": ("world=reality",),
    "world: reality_short": ("world=reality_short",),
}

ROUNDS: Final[Mapping[str, tuple[str, ...]]] = {
    "one round": ("rounds=1",),
    "three rounds": ("rounds=3",),
    "another seed": ("rounds=2", "seed=7"),
    "other test seeds": ("rounds=2", "evaluate.episodes=7", "evaluate.first_seed=1000"),
    "V and M refitted": ("rounds=3", *REFIT),
    "V and M refitted, C anew": ("rounds=3", *REFIT, "later.controller=new"),
    "M refitted": ("rounds=3", "later.memory=new"),
    "C anew": ("rounds=3", "later.controller=new"),
    "refitted in round 3 of 5": ("rounds=5", "later.vision=[keep,new,keep]", "later.memory=[continue,new,continue]"),
    "refitted in rounds 2 and 4 of 5": (
        "rounds=5",
        "later.vision=[new,keep,new,keep]",
        "later.memory=[new,continue,new,continue]",
    ),
    "M refitted in round 3 of 4": ("rounds=4", "later.memory=[continue,new,continue]"),
    "refitted in a round that never comes": (
        "rounds=3",
        "later.vision=[keep,keep,keep,keep,keep,keep,keep,new,keep]",
        "later.memory=[continue,continue,continue,continue,continue,continue,continue,new,continue]",
    ),
    "shares and weights of rounds": ("rounds=4", "later.later_share=0.75", "later.recency=0.8"),
    "shares where V is refitted": ("rounds=3", *REFIT, "later.later_share=0.25", "later.recency=0.5"),
    "budgets of later rounds": (
        *("rounds=3", "later.memory_steps=7", "later.generations=3", "later.sigma=0.05"),
        *("later.updates=4", "later.learning_rate=0.5", "later.climbs=2"),
    ),
    "budgets as lists": (
        *("rounds=5", "later.memory_steps=[7,9,11]", "later.generations=[3,2]"),
        "later.sigma=[0.05,0.02]",
    ),
    "budgets where some rounds refit": (
        *(
            "rounds=5",
            "later.vision=[keep,new,keep]",
            "later.memory=[continue,new,continue]",
            "later.memory_steps=[7,9,11,13]",
        ),
        *("later.generations=[3,2,5,6]", "later.sigma=[0.05,0.04,0.03,0.02]"),
    ),
    "budgets where C begins anew": (*("rounds=3", "later.controller=new", "later.generations=3", "later.sigma=0.05"),),
    "gradient, two rounds": ("rounds=2", "search=gradient"),
    "gradient, budgets as lists": (
        *("rounds=5", "search=gradient", "later.updates=[5,6]", "later.learning_rate=[0.02,0.01,0.005]"),
        "later.climbs=[1,3]",
    ),
    "gradient, C anew": (
        *("rounds=4", "search=gradient", "later.controller=new", "later.updates=5"),
        "later.climbs=[2,3]",
    ),
    "the last round's own": (
        *("rounds=3", "later.memory_steps=7", "last.memory_steps=9", "last.generations=6"),
        *("last.sigma=0.01", "last.start_pay=1.5"),
    ),
    "the last round's own, gradient": (
        *("rounds=4", "search=gradient", "last.updates=6", "last.learning_rate=0.001"),
        *("last.climbs=8", "later.climbs=2"),
    ),
    "the last round's own, of one": (
        *("rounds=1", "last.memory_steps=9", "last.generations=6", "last.start_pay=1.5"),
        "later.memory_steps=7",
    ),
    "no last round": ("rounds=3",),
    "dreams that start where it went well": ("rounds=3", "later.start_pay=0.5"),
    "chosen awake": ("rounds=3", "select.chosen=awake", "select.episodes=5"),
    "chosen awake, of one": ("rounds=1", "select.chosen=awake", "select.trials=true"),
    "chosen awake, V and M refitted": ("rounds=3", *REFIT, "select.chosen=awake"),
    "tried for the curve": ("rounds=3", "select.trials=true", "select.episodes=5"),
    "chosen awake and tried": ("rounds=2", "select.trials=true", "select.chosen=awake"),
    "finished awake": ("rounds=3", "finetune=real"),
    "finished awake after one round": ("rounds=1", "finetune=real"),
    "finished awake and chosen": ("rounds=2", "finetune=real", "select.chosen=awake"),
    "finished awake and tried": ("rounds=2", "finetune=real", "select.trials=true"),
    "finished awake, otherwise": (
        *("rounds=2", "finetune=real", "finetune.world.most_steps=9", "finetune.search.population=5"),
        "finetune.search.sigma=0.5",
    ),
    "finished awake, without rounds": ("rounds=0", "finetune=real", PINNED),
    "finished awake, without rounds, otherwise": (
        *("rounds=0", "finetune=real", PINNED, "finetune.search.generations=3", "seed=7", "controller=hidden"),
    ),
    "a first driver": ("rounds=3", "collect=driven", PINNED),
    "a first driver of one round": ("rounds=1", "collect=driven", PINNED),
    "a first driver and a finish": ("rounds=2", "collect=driven", PINNED, "finetune=real"),
    "C in reality": ("rounds=2", "world=reality"),
    "C in reality, half episodes, finished": ("rounds=2", "world=reality_short", "finetune=real"),
    "C in reality, chosen": ("rounds=2", "world=reality", "select.chosen=awake"),
    "C in reality, no memory, V refitted": (
        *("rounds=2", "world=reality", "memory=none", "controller.senses=z", *REFIT),
    ),
    "other dreams": ("rounds=2", "world.sample_latent=false", "world.start=fresh", "world.done_rule=never"),
    "half precision": ("rounds=2", "trainer.precision=bf16-mixed"),
    "a machine of its own": (
        *("rounds=2", "trainer.threads=3", "trainer.workers=5", "trainer.save_seconds=7", "trainer.accelerator=cpu"),
        *("name=other", "paths.root=elsewhere", "tracker.project=other"),
    ),
}

ABLATIONS: Final[Mapping[str, str]] = {
    name: f"ablation={name}"
    for name in (
        *("data", "dropout", "features", "horizon", "kl_tolerance", "latent_size", "mixtures", "search", "senses"),
        "temperature",
    )
}
PLACES: Final = ("paper", "quick", "toy, paper")
"""Where the ablations' jobs are recorded: the paper's sizes, the quick preset, the toy."""


@cache
def recipes() -> dict[str, Recipe]:
    """Return every recipe by its name."""
    found = {**EXPERIMENTS, SMALL: Recipe((*_SMALL, "rounds=2"))}
    found |= {name: Recipe((*_SMALL, "rounds=2", *words), SMALL) for name, words in OPTIONS.items()}
    found |= {f"rounds: {name}": Recipe((*_SMALL, *words), SMALL) for name, words in ROUNDS.items()}
    for place in PLACES:
        found |= dict(_ablations(place, found[place].words))
    return found


def _ablations(place: str, words: tuple[str, ...]) -> Iterator[tuple[str, Recipe]]:
    """Yield the jobs of every ablation of one training seed, which is all that the other seeds' jobs differ in."""
    for name, ablation in ABLATIONS.items():
        for number, job in enumerate(house.jobs((ablation, "seed=0", *words)), 1):
            yield f"ablation {name}, job {number}, {place}", Recipe(tuple(job), place)
