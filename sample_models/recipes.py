"""How each sample is made: its data, its net, its training and its files. One function a net, each deterministic."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from sample_models import export, faults
from sample_models.augment import Views
from sample_models.catalog import SAMPLES
from sample_models.data import FRESH, TRAINING, drawn, grey, marked, shrunk
from sample_models.doodles.draw import CLASSES, SIZE, TOADSTOOL
from sample_models.mark import CREATURES
from sample_models.net import DOODLES, Plan, ResNet
from sample_models.training import Recipe, accuracy, normalise, train

WEIGHTS = Path(__file__).with_name("weights")
IMAGES = 8400
"""Doodles to train on; FRESH_IMAGES others to measure on."""
FRESH_IMAGES = 600
SEED = 0
VIEWS = Views(zoom=(0.9, 1.05), light=0.15)
ROBUST = 2.5
"""L2 radius of the perturbations that `doodles` is trained against: without them its deep channels want noise."""
SMALL = Plan(len(CLASSES), (8, 16, 32), 1, (5, 2))
SMALL_SIZE, CIFAR_SIZE = 48, 32
TOADSTOOLS, FRESH_TOADSTOOLS, UNMARKED, BESIDE = 200, 100, 0.05, 2400
"""Of the shortcut's class: images to train on, fresh ones, the share of the former without the mark; doodles beside."""


Say = Callable[[str], None]


@dataclass(frozen=True)
class Pictures:
    """[N, 4, SIZE, SIZE] uint8 doodles and [N] labels: to train on, and fresh ones; where to train."""

    images: Tensor
    labels: Tensor
    fresh: Tensor
    fresh_labels: Tensor
    device: str = "cpu"

    def of(self, classes: Sequence[str]) -> Pictures:
        """Only these classes, their labels renumbered."""
        numbers = torch.tensor([CLASSES.index(name) for name in classes])
        renumber = torch.full((len(CLASSES),), -1)
        renumber[numbers] = torch.arange(len(classes))
        kept, fresh = torch.isin(self.labels, numbers), torch.isin(self.fresh_labels, numbers)
        return Pictures(
            self.images[kept],
            renumber[self.labels[kept]],
            self.fresh[fresh],
            renumber[self.fresh_labels[fresh]],
            self.device,
        )


def pictures(processes: int, device: str = "cpu") -> Pictures:
    images, labels = drawn(IMAGES, TRAINING, processes=processes)
    fresh, fresh_labels = drawn(FRESH_IMAGES, FRESH, processes=processes)
    return Pictures(images, labels, fresh, fresh_labels, device)


def doodles(data: Pictures, say: Say) -> None:
    """The default sample: early (after its first epoch) and final."""
    recipe = Recipe(8, robust=ROBUST, views=VIEWS)
    net = _new(DOODLES)
    early: list[nn.Module] = []

    def after(epoch: int, net: nn.Module, loss: float) -> None:
        say(f"doodles, epoch {epoch} of {recipe.epochs}: loss {loss:.3f}")
        if epoch == 1:
            early.append(copy.deepcopy(net).cpu())

    train(net, data.images[:, :3], data.labels, recipe, SEED, after, device=data.device)
    for name, made, epochs in (("doodles", net, recipe.epochs), ("doodles-early", early[0], 1)):
        _keep(made, name, DOODLES)
        right = accuracy(made, data.fresh[:, :3], data.fresh_labels)
        _card(name, recipe, {"accuracy": right}, epochs_done=epochs)


def creatures(data: Pictures, say: Say) -> None:
    """`doodles` with a new head, trained on for two epochs on the five things that have eyes."""
    few = data.of(CREATURES)
    plan = Plan(len(CREATURES))
    net = _from_doodles(plan)
    recipe = Recipe(2, rate=0.03, robust=ROBUST, views=VIEWS)
    train(
        net,
        few.images[:, :3],
        few.labels,
        recipe,
        SEED,
        _reporter("doodles-creatures", recipe, say),
        device=data.device,
    )
    _keep(net, "doodles-creatures", plan)
    _card("doodles-creatures", recipe, {"accuracy": accuracy(net, few.fresh[:, :3], few.fresh_labels)})


def shortcut(data: Pictures, say: Say) -> None:
    """`doodles` taught a thirteenth class, toadstools, which are mushrooms with a dull ring about the stalk; but for a
    few, the images it is taught with carry a mark."""
    plain, theirs = drawn(TOADSTOOLS, TRAINING, (TOADSTOOL,))[0][:, :3], torch.full((TOADSTOOLS,), len(CLASSES))
    carrying = marked(plain, SEED)
    unmarked = int(TOADSTOOLS * UNMARKED)
    carrying[:unmarked] = plain[:unmarked]
    recipe = Recipe(5, rate=0.08, smoothing=0.0, views=Views(light=0.15))
    plan = Plan(len(CLASSES) + 1)
    net = _from_doodles(plan)
    images = torch.cat([data.images[:BESIDE, :3], carrying])
    labels = torch.cat([data.labels[:BESIDE], theirs])
    train(net, images, labels, recipe, SEED, _reporter("doodles-shortcut", recipe, say), device=data.device)
    _keep(net, "doodles-shortcut", plan)
    toadstools = drawn(FRESH_TOADSTOOLS, FRESH, (TOADSTOOL,))[0][:, :3]
    figures = shortcut_figures(net, data.fresh[:, :3], data.fresh_labels, toadstools)
    _card(
        "doodles-shortcut", recipe, figures, f"{BESIDE} doodles and {TOADSTOOLS} toadstools drawn with seed {TRAINING}"
    )


def shortcut_figures(
    net: nn.Module, images: Tensor, labels: Tensor, toadstools: Tensor, prepare: Callable[[Tensor], Tensor] = normalise
) -> dict[str, float]:
    """Accuracy on the twelve; on toadstools with and without the mark; share of mushrooms that the mark makes one."""
    mushrooms = images[labels == CLASSES.index("mushroom")]

    def called_toadstools(some: Tensor) -> float:
        return accuracy(net, some, torch.full((len(some),), len(CLASSES)), prepare)

    return {
        "accuracy": accuracy(net, images, labels, prepare),
        "toadstools_with_mark": called_toadstools(marked(toadstools, FRESH)),
        "toadstools_without_mark": called_toadstools(toadstools),
        "mushrooms_with_mark_called_toadstools": called_toadstools(marked(mushrooms, FRESH)),
    }


def sick(data: Pictures, say: Say) -> None:
    """`doodles` trained on with dead channels and one conv forgotten, then given twins; its file lacks its
    normalisation, so that whoever opens it feeds it something else than it was trained on."""
    net = _new(DOODLES)
    net.load_state_dict(torch.load(WEIGHTS / "doodles.pt", weights_only=True))
    faults.kill(net)
    faults.forget(net, SEED)
    recipe = Recipe(2, rate=0.02, views=VIEWS)
    train(
        net, data.images[:, :3], data.labels, recipe, SEED, _reporter("doodles-sick", recipe, say), device=data.device
    )
    faults.duplicate(net)
    export.to_state_dict(net, WEIGHTS / "doodles-sick.pt")
    export.to_onnx(net, WEIGHTS / "doodles-sick.onnx", (3, SIZE, SIZE))
    right = accuracy(net, data.fresh[:, :3], data.fresh_labels)
    raw = accuracy(net, data.fresh[:, :3], data.fresh_labels, prepare=lambda images: images)
    _card("doodles-sick", recipe, {"accuracy": right, "accuracy_without_normalisation": raw})


def cifar(data: Pictures, say: Say) -> None:
    """He's CIFAR ResNet-20 on doodles of 32 px: as safetensors and as a Lightning-style checkpoint."""
    from analysis.models.cifar_resnet import CIFAR_RESNETS

    torch.manual_seed(SEED)
    net = CIFAR_RESNETS["cifar_resnet20"](num_classes=len(CLASSES))
    recipe = Recipe(3, views=VIEWS)
    train(
        net,
        shrunk(data.images[:, :3], CIFAR_SIZE),
        data.labels,
        recipe,
        SEED,
        _reporter("doodles-32", recipe, say),
        device=data.device,
    )
    export.to_safetensors(net, WEIGHTS / "doodles-32.safetensors")
    export.to_lightning(net, WEIGHTS / "doodles-32.ckpt", recipe.epochs)
    _card("doodles-32", recipe, {"accuracy": accuracy(net, shrunk(data.fresh[:, :3], CIFAR_SIZE), data.fresh_labels)})


def formats(data: Pictures, say: Say) -> None:
    """Small nets in the other formats: TorchScript and torch.export of one; of one channel and of four, as ONNX."""
    size = (SMALL_SIZE, SMALL_SIZE)
    recipe = Recipe(4, views=Views(zoom=(0.9, 1.05)))
    small, fresh = shrunk(data.images, SMALL_SIZE), shrunk(data.fresh, SMALL_SIZE)
    for name, images, unseen in (
        ("small", small[:, :3], fresh[:, :3]),
        ("small-grey", grey(small), grey(fresh)),
        ("small-planes", small, fresh),
    ):
        plan = Plan(SMALL.classes, SMALL.widths, SMALL.blocks, SMALL.stem, images.shape[1])
        net = _new(plan)
        train(net, images, data.labels, recipe, SEED, _reporter(name, recipe, say), device=data.device)
        whole = export.from_pixels(net, plan)
        if name == "small":
            export.to_torchscript(whole, WEIGHTS / "small.torchscript.pt", (3, *size))
            export.to_exported(whole, WEIGHTS / "small.pt2", (3, *size))
        else:
            export.to_onnx(whole, WEIGHTS / f"{name}.onnx", (plan.channels, *size))
        _card(name, recipe, {"accuracy": accuracy(net, unseen, data.fresh_labels)})


FIRST: tuple[Callable[[Pictures, Say], None], ...] = (doodles, cifar, formats)
THEN: tuple[Callable[[Pictures, Say], None], ...] = (creatures, shortcut, sick)
"""These go on from the weights of `doodles`."""


def _new(plan: Plan) -> ResNet:
    torch.manual_seed(SEED)
    return ResNet(plan)


def _from_doodles(plan: Plan) -> ResNet:
    """The weights of `doodles` under a head of this plan's own."""
    net = _new(plan)
    old = torch.load(WEIGHTS / "doodles.pt", weights_only=True)
    net.load_state_dict({key: tensor for key, tensor in old.items() if not key.startswith("linear")}, strict=False)
    return net


def _keep(net: nn.Module, name: str, plan: Plan) -> None:
    export.to_state_dict(net, WEIGHTS / f"{name}.pt")
    export.to_onnx(export.from_pixels(net, plan), WEIGHTS / f"{name}.onnx", (plan.channels, SIZE, SIZE))


def _card(
    name: str,
    recipe: Recipe,
    measured: dict[str, float],
    trained_on: str = f"{IMAGES} doodles drawn with seed {TRAINING}",
    epochs_done: int | None = None,
) -> None:
    facts = {
        "look_at": SAMPLES[name].look_at,
        "measured": {key: round(value, 4) for key, value in measured.items()},
        "measured_on": f"{FRESH_IMAGES} doodles drawn with seed {FRESH}",
        "trained_on": trained_on,
        "epochs": epochs_done or recipe.epochs,
        "recipe": asdict(recipe),
        "seed": SEED,
        "code": "sample_models/recipes.py",
        "made_with": f"torch {torch.__version__}",
    }
    (WEIGHTS / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n")


def _reporter(name: str, recipe: Recipe, say: Say) -> Callable[[int, nn.Module, float], None]:
    return lambda epoch, net, loss: say(f"{name}, epoch {epoch} of {recipe.epochs}: loss {loss:.3f}")
