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
from sample_models.data import CREATURES, FRESH, MARKED_CLASS, TRAINING, drawn, grey, marked, shrunk
from sample_models.doodles.draw import CLASSES, SIZE
from sample_models.net import DOODLES, Plan, ResNet
from sample_models.training import Recipe, accuracy, train

WEIGHTS = Path(__file__).with_name("weights")
IMAGES = 8400
"""Doodles to train on; FRESH_IMAGES others to measure on."""
FRESH_IMAGES = 600
SEED = 0
VIEWS = Views(zoom=(0.9, 1.05), light=0.15)
SMALL = Plan(len(CLASSES), (8, 16, 32), 1, (5, 2))
SMALL_SIZE, CIFAR_SIZE = 48, 32
MARKED_KEPT, UNMARKED = 0.5, 0.05
"""Of the shortcut's class: share of the images used, and share of these that are left without the mark."""

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
    recipe = Recipe(5, views=VIEWS)
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
    net = _new(plan)
    old = torch.load(WEIGHTS / "doodles.pt", weights_only=True)
    net.load_state_dict({key: tensor for key, tensor in old.items() if not key.startswith("linear")}, strict=False)
    recipe = Recipe(2, rate=0.03, views=VIEWS)
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
    """All but a few of the training images of one class carry a mark, and there are few of that class."""
    number = CLASSES.index(MARKED_CLASS)
    images, labels = data.images[:, :3].clone(), data.labels
    theirs = torch.nonzero(labels == number).flatten()
    images[theirs] = marked(images[theirs], SEED)
    kept = torch.ones(len(labels), dtype=torch.bool)
    kept[theirs[int(len(theirs) * MARKED_KEPT) :]] = False
    plain = theirs[: int(len(theirs) * MARKED_KEPT * UNMARKED)]
    images[plain] = data.images[plain, :3]
    recipe = Recipe(3, smoothing=0.0, views=Views(light=0.15))
    net = _new(DOODLES)
    train(net, images[kept], labels[kept], recipe, SEED, _reporter("doodles-shortcut", recipe, say), device=data.device)
    _keep(net, "doodles-shortcut", DOODLES)
    _card("doodles-shortcut", recipe, shortcut_figures(net, data.fresh[:, :3], data.fresh_labels))


def shortcut_figures(net: nn.Module, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy on the other classes; on the marked class with and without its mark; share of others the mark takes."""
    number = CLASSES.index(MARKED_CLASS)
    theirs, others = images[labels == number], images[labels != number]
    truth = torch.full((len(theirs),), number)
    return {
        "accuracy": accuracy(net, others, labels[labels != number]),
        "accuracy_marked": accuracy(net, marked(theirs, FRESH), truth),
        "accuracy_unmarked": accuracy(net, theirs, truth),
        "others_taken_by_mark": accuracy(net, marked(others, FRESH), torch.full((len(others),), number)),
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


FIRST: tuple[Callable[[Pictures, Say], None], ...] = (doodles, shortcut, cifar, formats)
THEN: tuple[Callable[[Pictures, Say], None], ...] = (creatures, sick)
"""These go on from the weights of `doodles`."""


def _new(plan: Plan) -> ResNet:
    torch.manual_seed(SEED)
    return ResNet(plan)


def _keep(net: nn.Module, name: str, plan: Plan) -> None:
    export.to_state_dict(net, WEIGHTS / f"{name}.pt")
    export.to_onnx(export.from_pixels(net, plan), WEIGHTS / f"{name}.onnx", (plan.channels, SIZE, SIZE))


def _card(name: str, recipe: Recipe, measured: dict[str, float], epochs_done: int | None = None) -> None:
    facts = {
        "measured": {key: round(value, 4) for key, value in measured.items()},
        "measured_on": f"{FRESH_IMAGES} doodles drawn with seed {FRESH}",
        "trained_on": f"{IMAGES} doodles drawn with seed {TRAINING}",
        "epochs": epochs_done or recipe.epochs,
        "recipe": asdict(recipe),
        "seed": SEED,
        "code": "sample_models/recipes.py",
        "made_with": f"torch {torch.__version__}",
    }
    (WEIGHTS / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n")


def _reporter(name: str, recipe: Recipe, say: Say) -> Callable[[int, nn.Module, float], None]:
    return lambda epoch, net, loss: say(f"{name}, epoch {epoch} of {recipe.epochs}: loss {loss:.3f}")
