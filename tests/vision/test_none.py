import pytest
import torch

from wmframe.frames import FRAME_SHAPE, FRAME_SIZE
from wmframe.vision.none import NoVision


@pytest.mark.parametrize("latent_size", [1, 4, 64, 4096])
def test_z_is_the_mean_of_each_block_from_minus_two_to_two(latent_size: int) -> None:
    frames = torch.randint(0, 256, (3, *FRAME_SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    grid = int(latent_size**0.5)
    side = FRAME_SIZE // grid
    sums = frames.long().view(3, grid, side, grid, side, 3).sum((2, 4, 5))  # whole numbers: exact
    expected = (sums.double() / (side * side * 3) / 255 * 4 - 2).flatten(1)
    latent = NoVision(latent_size=latent_size).encode(frames)
    torch.testing.assert_close(latent.mu.double(), expected, rtol=0, atol=2e-6)
    assert (latent.logvar == -torch.inf).all()
    assert torch.equal(latent.sample(torch.full_like(latent.mu, 5.0)), latent.mu)


def test_black_and_white_are_the_ends() -> None:
    frames = torch.stack([torch.zeros(FRAME_SHAPE), torch.full(FRAME_SHAPE, 255)]).to(torch.uint8)
    assert NoVision(latent_size=1).encode(frames).mu.flatten().tolist() == [-2.0, 2.0]


def test_a_grey_block_picture_comes_back_as_it_was() -> None:
    cells = torch.arange(16, dtype=torch.uint8).view(1, 4, 4, 1) * 17
    picture = cells.repeat_interleave(16, 1).repeat_interleave(16, 2).expand(1, FRAME_SIZE, FRAME_SIZE, 3)
    vision = NoVision(latent_size=16)
    assert torch.equal(vision.decode(vision.encode(picture).mu), picture)


def test_what_lies_outside_is_decoded_as_black_or_white() -> None:
    decoded = NoVision(latent_size=1).decode(torch.tensor([[-9.0], [9.0]]))
    assert (decoded[0] == 0).all()
    assert (decoded[1] == 255).all()


@pytest.mark.parametrize("latent_size", [2, 8, 32, 65, 16384])
def test_an_impossible_size_is_refused_with_those_that_are_possible(latent_size: int) -> None:
    with pytest.raises(ValueError, match=rf"latent_size = {latent_size} .* 1, 4, 16, 64, 256, 1024, 4096"):
        NoVision(latent_size=latent_size)
