"""What a net of torchvision, timm or He 2015 was fed, from the zoo's own records."""

from __future__ import annotations

from typing import Any

from analysis.models import zoo
from analysis.models.input_spec import IMAGENET_MEAN, IMAGENET_STD, InputSpec
from analysis.models.torchvision_import import torchvision


def known_input(origin: str, name: str) -> InputSpec:
    """The input that the zoo publishes for a net; ImageNet's where it publishes none, saying so."""
    if origin == zoo.TORCHVISION:
        return _torchvision(name)
    if origin == zoo.TIMM:
        return _timm(name)
    assumed = "assumed: what CIFAR ResNets are mostly trained with"
    return _spec(32, 32, IMAGENET_MEAN, IMAGENET_STD, 1.0, assumed, "CIFAR's images are 32×32")


def _spec(
    height: int, width: int, mean: Any, std: Any, crop: float, normalisation: str, size: str, channels: int = 3
) -> InputSpec:
    evidence = {"mean": normalisation, "std": normalisation, "height": size, "width": size}
    order = {1: "L", 3: "RGB"}.get(channels, "planes")
    return InputSpec(channels, height, width, tuple(mean), tuple(std), order=order, crop=crop, evidence=evidence)


def _torchvision(name: str) -> InputSpec:
    weights = next(iter(torchvision.models.get_model_weights(name)), None)
    transforms: Any = weights.transforms() if weights else None
    size = getattr(transforms, "crop_size", None)
    if name in torchvision.models.list_models(module=torchvision.models.detection):
        inside = "the net normalises its images itself"
        return _spec(320, 320, (0.0,) * 3, (1.0,) * 3, 1.0, inside, "assumed: it resizes images itself")
    if not size:
        return _spec(224, 224, IMAGENET_MEAN, IMAGENET_STD, 1.0, "assumed: torchvision's usual", "assumed")
    source = f"from torchvision's {name} weights"
    crop = size[0] / transforms.resize_size[0]
    if name.startswith("vit_"):  # some of its weights were made for larger images than the net is built for
        return _spec(224, 224, transforms.mean, transforms.std, crop, source, "as torchvision builds it")
    return _spec(size[0], size[-1], transforms.mean, transforms.std, crop, source, source)


def _timm(name: str) -> InputSpec:
    import timm

    known = timm.get_pretrained_cfg(name)
    if known is None:
        return _spec(224, 224, IMAGENET_MEAN, IMAGENET_STD, 0.875, "assumed: timm has no record", "assumed")
    channels, height, width = known.input_size
    source = f"from timm's record of {name}"
    return _spec(height, width, known.mean, known.std, known.crop_pct, source, source, channels)


def plain_input(channels: int, size: int, source: str) -> InputSpec:
    """Numbers from 0 to 1 as they come, for a net of which nothing is recorded. `source`: why this size."""
    evidence = {
        "channels": "from the first convolution's weights",
        "height": source,
        "width": source,
        **dict.fromkeys(("mean", "std", "range", "order"), "assumed: the file does not say"),
    }
    order = {1: "L", 3: "RGB"}.get(channels, "planes")
    zero, one = (0.0,) * channels, (1.0,) * channels
    return InputSpec(channels, size, size, mean=zero, std=one, order=order, crop=1.0, evidence=evidence)
