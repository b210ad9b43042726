"""What a picture costs: Strata beside Lucent 0.1.8, same model, same build of torch, one core, one run.

    python -m benchmarks.pictures [--model FILE] [--images FOLDER] [--repeats 5] [--layers all] [--alone]

Processor time, not the clock's, so that other work on the machine matters little; both engines take turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch.utils.flop_counter import FlopCounterMode

from analysis.features.parameters import Parameters
from analysis.features.render import render
from analysis.features.room import usual_batch
from analysis.features.size import view_of
from analysis.features.target import shown, target_of
from analysis.models.layers import ConvLayer
from benchmarks.lucent import Lucent
from benchmarks.report import machine, spread, table, write_section
from benchmarks.setting import Setting, open_setting, options

LUCENT_STEPS = 512
"""Lucent's default, `thresholds=(512,)`; it has no test of convergence."""


@dataclass
class Cost:
    """Of one layer, one number a repeat: seconds."""

    layer: str
    size: int
    step: list[float] = field(default_factory=list)
    """A step a channel, at 128 px where the net takes it."""
    bare: list[float] = field(default_factory=list)
    """Forward and backward of the net alone at that size and batch."""
    roof: list[float] = field(default_factory=list)
    """Its convolutions' rate of operations, as a share of the rate of a matrix product."""
    channel: list[float] = field(default_factory=list)
    """A finished picture, all defaults."""
    steps: float = 0
    lucent: list[float] = field(default_factory=list)
    """A step of Lucent."""


def seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def measure(setting: Setting, cost: Cost, channels: Sequence[int], *, own_steps: int, lucent: Lucent | None) -> None:
    """One repeat of everything for one layer."""
    at_size = Parameters(steps=own_steps, patience=1024, size=128, batch=8, retries=0)
    batch = [channels[index % len(channels)] for index in range(8)]
    baseline = setting.baselines.get(cost.layer)
    arguments = (setting.model, cost.layer)
    one = at_size.model_copy(update={"steps": 1})
    # the first picture of a layer also cuts the net, which belongs to no step: subtracted, it would flatter the steps
    render(*arguments, batch, setting.prior, one, baseline=baseline)
    setup = seconds(lambda: render(*arguments, batch, setting.prior, one, baseline=baseline))
    whole = seconds(lambda: render(*arguments, batch, setting.prior, at_size, baseline=baseline))
    cost.step.append((whole - setup) / (own_steps - 1) / 8)
    took, rate = bare(setting, cost.layer)
    cost.bare.append(took / 8)
    cost.roof.append(rate / gemm_rate())
    made = None

    def finish() -> None:
        nonlocal made
        made = render(*arguments, channels, setting.prior, Parameters(), baseline=baseline)

    cost.channel.append(seconds(finish) / len(channels))
    assert made is not None
    cost.steps = float(made.steps.float().mean())
    if lucent:
        cost.lucent.append(lucent.seconds_a_step(cost.layer, channels[0], 4))


def bare(setting: Setting, layer: str, repeats: int = 4) -> tuple[float, float]:
    """Forward and backward of the net cut behind the layer and folded, nothing else, for a batch of 8 at the size of
    the steps: seconds, and the floating-point operations of its convolutions a second."""
    spec = setting.model.card.input
    target = target_of(setting.model, layer, Parameters(size=128))
    pictures = shown(torch.rand(8, spec.channels, target.view.height, target.view.width), target.view)
    pictures = pictures.contiguous(memory_format=torch.channels_last)

    def once() -> None:
        leaf = pictures.clone(memory_format=torch.preserve_format).requires_grad_()
        torch.autograd.grad(target.read(leaf).sum(), leaf)

    once()
    with FlopCounterMode(display=False) as counter:
        once()
    begin = time.process_time()
    for _ in range(repeats):
        once()
    took = (time.process_time() - begin) / repeats
    return took, counter.get_total_flops() / took


def gemm_rate(size: int = 1024, repeats: int = 5) -> float:
    """Floating-point operations a second of a product of two square matrices: what this core can do at best."""
    one, two = torch.rand(size, size), torch.rand(size, size)
    one @ two
    return 2 * size**3 * repeats / seconds(lambda: [one @ two for _ in range(repeats)])


def chosen(layers: Sequence[ConvLayer], wanted: str | None) -> list[str]:
    """`all`, names with commas, or by default one layer each from the first third, the middle and the end."""
    names = [layer.name for layer in layers if layer.kind == "Conv2d"]
    if wanted == "all":
        return names
    if wanted:
        return wanted.split(",")
    wide = [layer.name for layer in layers if layer.kind == "Conv2d" and max(layer.kernel_size) > 1] or names
    return list(dict.fromkeys(wide[round(share * (len(wide) - 1))] for share in (0.25, 0.55, 1)))


def report(costs: Sequence[Cost], setting: Setting, repeats: int, *, everything: bool) -> str:
    rows = []
    for cost in costs:
        row = [
            f"`{cost.layer}`",
            spread([value * 1e3 for value in cost.step]),
            spread([step / base for step, base in zip(cost.step, cost.bare, strict=True)], ".2f"),
            spread([100 * share for share in cost.roof], ".0f") + " %",
            f"{cost.size} px, {cost.steps:.0f} steps, {spread(cost.channel, '.2f')} s",
        ]
        if cost.lucent:
            row += [
                spread([value * 1e3 for value in cost.lucent]),
                spread([theirs / ours for theirs, ours in zip(cost.lucent, cost.step, strict=True)]),
                spread([LUCENT_STEPS * t / o for t, o in zip(cost.lucent, cost.channel, strict=True)], ".0f"),
            ]
        rows.append(row)
    header = [
        "layer",
        "ms a step a channel, 128 px",
        "÷ the bare net",
        "the bare net: share of a matrix product's rate",
        "a finished picture",
    ]
    if costs[0].lucent:
        header += ["Lucent: ms a step", "a step: times faster", "a picture: times faster"]
    text = [
        f"## A picture's cost, {'every layer' if everything else 'three layers'} of {setting.model.card.name}",
        f"`python -m benchmarks.pictures`: {machine()}; median (least … most) of {repeats} runs. Lucent 0.1.8 as its "
        f"tutorial uses it: 128 px, {LUCENT_STEPS} steps, which it shows the net at 224 px. The bare "
        "net: forward and backward of the net cut behind the layer, norms folded, at the same batch and size.",
        table(header, rows),
    ]
    if everything and costs[0].lucent:
        ours = [sum(parts) for parts in zip(*(cost.channel for cost in costs), strict=True)]
        theirs = [LUCENT_STEPS * sum(parts) for parts in zip(*(cost.lucent for cost in costs), strict=True)]
        ratio = spread([t / o for t, o in zip(theirs, ours, strict=True)], ".0f")
        count = len(costs)
        text.append(
            f"**Mean over all {count} layers: {sorted(ours)[len(ours) // 2] / count:.2f} s a channel against "
            f"{sorted(theirs)[len(theirs) // 2] / count:.1f} s: {ratio} times faster.**"
        )
        channels = {layer.name: layer.out_channels for layer in setting.model.card.layers}
        total = sum(channels[cost.layer] * sorted(cost.channel)[len(cost.channel) // 2] for cost in costs)
        text.append(
            f"The pictures of all {sum(channels[cost.layer] for cost in costs):,} channels by these figures: "
            f"{total / 60:.0f} minutes of processor time. Classes, sketches and measurements come beside them: a whole "
            "atlas by the clock is measured by `python -m benchmarks.jobs --only whole`."
        )
    return "\n\n".join(text)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--layers", help="`all`, or names with commas (default: three)")
    parser.add_argument("--alone", action="store_true", help="without Lucent")
    wanted = parser.parse_args()
    setting = open_setting(wanted.model, wanted.images)
    names = chosen(setting.model.card.layers, wanted.layers)
    known = {layer.name: layer for layer in setting.model.card.layers}
    costs = [Cost(name, view_of(setting.model, name).height) for name in names]
    with nullcontext(None) if wanted.alone else Lucent(setting.file) as lucent:
        for repeat in range(wanted.repeats):
            for cost in costs:
                # one full batch, as a build's tasks have
                batch = usual_batch(view_of(setting.model, cost.layer))
                channels = range(min(batch, known[cost.layer].out_channels))
                measure(setting, cost, channels, own_steps=12, lucent=lucent)
                print(f"run {repeat + 1}, {cost.layer}", flush=True)
            # each run, so that one that is stopped has not been for nothing
            everything = wanted.layers == "all"
            text = report(costs, setting, repeat + 1, everything=everything)
            write_section("pictures-all" if everything else "pictures", text)


if __name__ == "__main__":
    main()
