import pytest

from wmframe.dashboard.configs import MOST_KEYS, flatten, shared
from wmframe.engine.errors import UserError


def test_a_config_becomes_flat_text() -> None:
    text = """
    _target_: wmframe.Experiment
    seed: 0
    vision: {_target_: wmframe.vision.conv_vae.ConvVAE, latent_size: 8, note: null, bias: true, rate: 1.0e-4}
    refits: [7, 13]
    sources: [{name: a}, {name: b c}]
    none: {}
    """
    assert flatten(text) == {
        "seed": "0",
        "vision": "wmframe.vision.conv_vae.ConvVAE",
        "vision.latent_size": "8",
        "vision.note": "null",
        "vision.bias": "true",
        "vision.rate": "0.0001",
        "refits": "[7, 13]",
        "sources.0.name": "a",
        "sources.1.name": '"b c"',
        "none": "{}",
    }


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2]",
        "",
        "a: [",
        "a: !!python/object/apply:os.system [ls]",
        "a: " + "[" * 100_000,
        "a: &a [*a]",
        "\n".join(["x0: &x0 {a: 1, b: 2}", *(f"x{n}: &x{n} {{a: *x{n - 1}, b: *x{n - 1}}}" for n in range(1, 18))]),
        "\n".join(f"key_{n}: {n}" for n in range(MOST_KEYS + 1)),
        "a: \x00",
    ],
    ids=["list", "empty", "cut", "code", "deep", "endless", "bomb", "many", "control"],
)
def test_what_is_no_config_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UserError, match=r"config\.yaml"):
        flatten(text)


def test_what_all_share_is_what_none_differs_in() -> None:
    assert shared([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"a": "1"}]) == {"a": "1"}
    assert shared([{"a": "1"}]) == {"a": "1"}
    assert shared([]) == {}
