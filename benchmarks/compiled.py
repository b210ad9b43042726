"""Whether torch.compile pays for pictures: a step of the cut net as it is and compiled, and what compiling costs.

    python -m benchmarks.compiled [--model FILE] [--repeats 5]

Forward and backward of a batch of 8 at 128 px, processor seconds, both taking turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from analysis.features.parameters import Parameters
from analysis.features.target import target_of
from benchmarks.pictures import chosen, seconds
from benchmarks.report import machine, spread, table, write_section
from benchmarks.setting import open_setting, options

BATCH = 8
STEPS = 6
"""Timed together, so that one step's noise matters less."""


def climbing(read: Callable[[Tensor], Tensor], pictures: Tensor) -> Callable[[], object]:
    """One step's work of the net."""

    def step() -> object:
        leaf = pictures.clone(memory_format=torch.preserve_format).requires_grad_()
        return torch.autograd.grad(read(leaf).sum(), leaf)

    return step


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    wanted = parser.parse_args()
    setting = open_setting(wanted.model, wanted.images)
    rows = []
    for layer in chosen(setting.model.card.layers, None)[1:]:
        target = target_of(setting.model, layer, Parameters(size=128))
        view = target.view
        shape = (BATCH, setting.model.card.input.channels, view.height + 2 * view.wrap, view.width + 2 * view.wrap)
        pictures = torch.rand(shape).contiguous(memory_format=torch.channels_last)
        plain = climbing(target.read, pictures)
        compiled = climbing(torch.compile(target.read), pictures)
        plain()
        begin = time.perf_counter()
        compiled()
        compiling = time.perf_counter() - begin
        times = [[], []]  # type: list[list[float]]
        for _ in range(wanted.repeats):
            for kept, step in zip(times, (plain, compiled), strict=True):
                kept.append(seconds(lambda step=step: [step() for _ in range(STEPS)]) / STEPS / BATCH * 1e3)  # type: ignore[misc]
        ratios = [slow / quick for quick, slow in zip(*times, strict=True)]
        rows.append([f"`{layer}`", *map(spread, times), spread(ratios, ".2f"), f"{compiling:.0f} s"])
    header = ["layer", "as it is, ms a step a channel", "compiled", "compiled ÷ as it is", "compiling, by the clock"]
    body = [
        "## Whether compiling pays",
        f"`python -m benchmarks.compiled`: {machine()}; forward and backward of {setting.model.card.name} cut behind "
        f"the layer, a batch of {BATCH} at 128 px; median (least … most) of {wanted.repeats} runs. Above 1 it loses.",
        table(header, rows),
    ]
    write_section("compiled", "\n\n".join(body))


if __name__ == "__main__":
    main()
