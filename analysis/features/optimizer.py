"""NAdam with one step count a row, so that rows can start and stop at different times."""

from __future__ import annotations

import torch
from torch import Tensor


class RowNAdam:
    """NAdam (Dozat 2016, with the momentum schedule of torch.optim.NAdam) over [N, …], every row on its own.

    The rate falls linearly by the share `settles`, which it has lost at step `horizon`. Rows never mix: what happens
    to one does not depend on the others.
    """

    def __init__(
        self,
        values: Tensor,
        rate: float,
        horizon: int = 1,
        settles: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        self.rate, self.horizon, self.settles, self.betas = rate, horizon, settles, betas
        self.first, self.second = torch.zeros_like(values), torch.zeros_like(values)
        self.steps = values.new_zeros(len(values))
        self.product = values.new_ones(len(values))

    def reset(self, row: int) -> None:
        """Begin this row anew."""
        for state in (self.first, self.second, self.steps):
            state[row] = 0
        self.product[row] = 1

    def step(self, values: Tensor, gradient: Tensor) -> None:
        """Climb, in place."""
        beta1, beta2 = self.betas
        left = 1 - self.settles * (self.steps / self.horizon).clamp_max(1)
        self.steps += 1
        now = beta1 * (1 - 0.5 * 0.96 ** (self.steps * 0.004))
        following = beta1 * (1 - 0.5 * 0.96 ** ((self.steps + 1) * 0.004))
        self.product *= now
        column = (-1,) + (1,) * (values.dim() - 1)
        self.first.lerp_(gradient, 1 - beta1)
        self.second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        size = (self.second / (1 - beta2**self.steps).view(column)).sqrt_().add_(1e-12)
        along_gradient = left * self.rate * (1 - now) / (1 - self.product)
        along_momentum = left * self.rate * following / (1 - self.product * following)
        move = gradient * along_gradient.view(column) + self.first * along_momentum.view(column)
        values.add_(move.div_(size))
