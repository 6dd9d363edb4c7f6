"""The search for C by gradient: Adam climbs the mean dreamt return, update by update, resumable.

Start parameters and a differentiable way to score come in, found parameters go out: those of one climb, or the mean of
several. What a killed search needs are the parameters, Adam's moments and what the climbs before ended with, which
`Ascent.state` hands out as plain data. Called by `climb`. Legend: U dreams, D parameters.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from wmframe.engine.errors import UserError
from wmframe.search.strategy import Parameters

if TYPE_CHECKING:
    from wmframe.search.settings import GradientSearch

Returns = Callable[[Tensor], Tensor]
"""What one C's parameters (D,) are paid in some dreams, (U,), attached to them."""


class Ascent:
    """One such search in progress; `updates` is how many updates were made, of all climbs. More is better.

    `name` says what is climbed: the dreams' mean "return", or what it is "worth".
    """

    def __init__(self, search: "GradientSearch", start: Parameters, device: torch.device) -> None:
        self.updates = 0
        self.name = "return" if search.climbs_returns else "worth"
        self._search, self._start = search, torch.from_numpy(start).float().to(device)
        self._ended: list[Tensor] = []
        self._begin()

    def _begin(self) -> None:
        """Put a climb at its start."""
        self._parameters = nn.Parameter(self._start.clone())
        self._adam = torch.optim.Adam([self._parameters], lr=self._search.learning_rate)
        self._falling = torch.optim.lr_scheduler.LinearLR(
            self._adam, 1.0, self._search.final_learning_rate, max(self._search.updates, 1)
        )

    @property
    def found(self) -> Parameters:
        """Where it stands, (D,): the mean of the climbs that have ended; before one has, where the first is."""
        stands = torch.stack(self._ended) if self._ended else self._parameters.detach()[None]
        return stands.double().mean(0).cpu().numpy()

    def update(self, returns: Returns) -> dict[str, float]:
        """Take one step up; return the mean that it began from, under its name, and the gradient's norm.

        Raises UserError for a return or a gradient that is no number, or returns without a gradient.
        """
        with torch.enable_grad():
            paid = returns(self._parameters)
        if not paid.requires_grad:
            raise UserError(
                "search=gradient: this memory's dreams have no gradient, so nothing can climb in them. Let its "
                "`advance` and `imagine` compute with PyTorch alone, or add search=cma."
            )
        self._adam.zero_grad()
        with torch.enable_grad():
            loss = self._search.weight_penalty * self._parameters.square().sum() - paid.mean()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_([self._parameters], self._search.gradient_clip)
        if not bool(torch.isfinite(paid).all() & torch.isfinite(norm)):
            raise UserError(
                f"search: update {self.updates + 1} met a return or a gradient that is no number. Lower "
                "search.horizon, or memory.learning_rate and train M again.",
                exit_code=1,
            )
        self._adam.step()
        self._falling.step()
        self.updates += 1
        if self.updates % self._search.updates == 0:
            self._ended.append(self._parameters.detach())
            self._begin()
        return {f"controller/dreamt_{self.name}": float(paid.detach().mean()), "controller/gradient_norm": float(norm)}

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on, as plain data and tensors."""
        return {
            "updates": self.updates,
            "ended": list(self._ended),
            "parameters": self._parameters.detach(),
            "adam": self._adam.state_dict(),
            "falling": self._falling.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.updates, self._ended = state["updates"], list(state["ended"])
        with torch.no_grad():
            self._parameters.copy_(state["parameters"])
        self._adam.load_state_dict(state["adam"])
        self._falling.load_state_dict(state["falling"])
