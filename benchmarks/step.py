"""What a step of a picture is made of, and so how near to the bare net it can come.

    python -m benchmarks.step [--model FILE] [--images FOLDER] [--layers a,b] [--repeats 25]

Processor time of each part alone, forward and backward, for a batch of 8 at 128 px.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from analysis.features.climb import canvas_of, generator_of
from analysis.features.optimizer import RowNAdam
from analysis.features.parameters import Parameters
from analysis.features.pooling import pooled
from analysis.features.precision import net_in
from analysis.features.recipe import first_recipe
from analysis.features.target import counted, shown, target_of
from analysis.features.transforms import Grain, Wobble, affine, draw
from benchmarks.pictures import chosen, seconds
from benchmarks.report import machine, spread, table, write_section
from benchmarks.setting import Setting, open_setting, options

BATCH = 8
SHALLOW = "features.0,features.3.squeeze,features.3.expand1x1,features.4.squeeze"


def parts(setting: Setting, layer: str) -> dict[str, Callable[[], object]]:
    """The parts of one step, each as a function that does it for the whole batch."""
    settings = Parameters(size=128)
    target = target_of(setting.model, layer, settings)
    view, recipe = target.view, first_recipe(settings, target.view, target.stem)
    canvas = canvas_of(setting.prior, view, recipe)
    generators = [generator_of(layer, unit, 0) for unit in range(BATCH)]
    waves = canvas.start(generators)
    optimizer, steepest = RowNAdam(waves, recipe.rate, recipe.steps, recipe.settles), torch.randn_like(waves)
    height, width = view.height + 2 * view.wrap, view.width + 2 * view.wrap
    grain, unrest = Grain(waves.shape[1], height, width, waves.device), torch.ones(BATCH)
    pictures = shown(canvas.picture(waves).detach(), view)
    laid = pictures.contiguous(memory_format=torch.channels_last)

    def there_and_back(given: Tensor, through: Callable[[Tensor], Tensor]) -> None:
        leaf = given.detach().requires_grad_()
        made = through(leaf)
        torch.autograd.grad(made, leaf, torch.ones_like(made))

    def wobble() -> None:
        there_and_back(pictures, lambda leaf: affine(leaf, draw(Wobble(), generators, unrest)))
        laid.add(grain.windows(generators))

    def net(leaf: Tensor) -> Tensor:
        with net_in(waves.device, recipe.precision):
            if target.rectified:
                return pooled(counted(target.read(leaf), view).float(), True)
            return target.means(leaf).float()

    return {
        "bare": lambda: there_and_back(laid, target.read),
        "canvas": lambda: there_and_back(waves, canvas.picture),
        "wobble": wobble,
        "optimiser": lambda: optimizer.step(waves, steepest),
        "net": lambda: there_and_back(laid, net),
    }


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--layers", default=f"{SHALLOW},features.9.expand3x3,features.12.expand3x3")
    wanted = parser.parse_args()
    setting = open_setting(wanted.model, wanted.images)
    rows = []
    for layer in chosen(setting.model.card.layers, wanted.layers):
        took: dict[str, list[float]] = {}
        works = parts(setting, layer)
        for repeat in range(wanted.repeats + 1):
            for name, work in works.items():
                spent = 1e3 * seconds(work) / BATCH
                if repeat:  # the first of each also warms up
                    took.setdefault(name, []).append(spent)
        around = [sum(each) for each in zip(took["canvas"], took["wobble"], took["optimiser"], strict=True)]
        floor = [part / bare for part, bare in zip(around, took["bare"], strict=True)]
        rows.append([f"`{layer}`", *(spread(each, ".2f") for each in took.values()), spread(floor, ".2f")])
        print(rows[-1], flush=True)
    about = (
        f"`python -m benchmarks.step`: {machine()}; ms a picture, forward and backward, at 128 px, a batch of {BATCH}; "
        f"median (least … most) of {wanted.repeats} turns. The bare net: float32, up to the layer's map. The net as a "
        "step runs it: in bfloat16 where the processor has it, up to the mean of the map. Last: what a step would cost "
        "in bare nets if the net itself were free; what is left of 1.10 is what the net may take."
    )
    header = [
        "layer",
        "the bare net",
        "canvas",
        "wobble and noise",
        "optimiser",
        "the net in a step",
        "without the net",
    ]
    write_section("step", f"## What a step is made of\n\n{about}\n\n{table(header, rows)}")


if __name__ == "__main__":
    main()
