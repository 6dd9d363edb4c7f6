import pytest

from wmframe.engine.config.suggest import did_you_mean, nearest

KEYS = ["seed", "vision", "vision.latent_size", "memory.mixtures", "memory.latent_size", "world.temperature"]


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("vison.latent_size", "vision.latent_size"),
        ("visionlatent_size", "vision.latent_size"),
        ("latent_size", "vision.latent_size"),
        ("latnt_size", "vision.latent_size"),
        ("mixtures", "memory.mixtures"),
        ("vision.mixtures", "memory.mixtures"),
        ("World.Temperature", "world.temperature"),
        ("sed", "seed"),
        ("visoin", "vision"),
    ],
)
def test_the_nearest_comes_first(typed: str, right: str) -> None:
    assert nearest(typed, KEYS)[0] == right


def test_strangers_get_no_answer() -> None:
    assert nearest("xyzzy", KEYS) == []
    assert did_you_mean([]) == ""


def test_a_clear_winner_stands_alone() -> None:
    assert nearest("vision.latent_siz", KEYS) == ["vision.latent_size"]


def test_at_most_three() -> None:
    assert len(nearest("key", [f"key{i}" for i in range(9)])) == 3
