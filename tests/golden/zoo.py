"""What the shipped agents earned, episode by episode, as their score files say."""

from typing import Any

from tests.golden import house


def shipped() -> dict[str, Any]:
    """Return by agent and world what each test seed earned, as [seed, return, steps], and in which environment."""
    return {name: rows(house.scores(folder)) for name, folder in house.shipped_agents().items()}


def rows(scores: list[dict[str, Any]]) -> dict[str, Any]:
    """Return score files' episodes by world: [seed, return, steps] of each."""
    found: dict[str, Any] = {"backend": sorted({file["backend"] for file in scores})}
    for file in scores:
        for world, row in file["scores"].items():
            episodes = zip(file["seeds"], row["returns"], row["lengths"], strict=True)
            found[world] = [list(episode) for episode in episodes]
    return found
