"""Open a model file: sniff the format by content, dispatch, run it once. The only public entry.

`open_model` gives a model that runs. `inspect_model` gives its card, and that of weights nothing here can run as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.models.assemble import Origin, assemble, slug
from analysis.models.batch_check import checked_for_batches
from analysis.models.checkpoint import Content, read_checkpoint, read_safetensors
from analysis.models.content import content_hash
from analysis.models.errors import ModelError, OnlyWeights
from analysis.models.input_spec import InputSpec
from analysis.models.known_input import plain_input
from analysis.models.model import Model, ModelCard
from analysis.models.opened import Opened
from analysis.models.request import Request
from analysis.models.sniff import Format, sniff
from analysis.models.state_dict import open_state_dict
from analysis.models.told_input import check_input
from analysis.models.verify import verified
from analysis.models.weights_only import conv_layers, stem_channels

_GRAPHS = {Format.ONNX, Format.EXPORTED, Format.TORCHSCRIPT}
"""Formats that recorded a run, and may have kept the size of its batch."""


def open_model(
    path: str | Path,
    *,
    architecture: str | None = None,
    input_spec: Mapping[str, Any] | None = None,
    trust: bool = False,
    architecture_args: Mapping[str, Any] | None = None,
    partial: bool = False,
) -> Model:
    """Open what a person trained, run it once and check it.

    architecture      : the net whose weights these are, where recognition is not wanted or not possible:
                        a name of torchvision or timm, or a class of one's own as `my_net.py:MyNet` (under `trust`)
    input_spec        : fields of InputSpec that override what was found (`{"mean": (0, 0, 0)}`)
    trust             : allow a file to run its own code
    architecture_args : what one's own class is made with
    partial           : accept that more than the head of one's own class has no weights in the file

    The same file opens the same way again with `open_model(path, **model.card.options)`. Raises ModelError, and
    OnlyWeights, one of them, for weights that can be looked at but not run.
    """
    path = Path(path)
    request = Request(architecture, architecture_args or {}, input_spec or {}, trust, partial)
    check_input(request.input_spec)
    try:
        return _open(path, request)
    except (ModelError, MemoryError):
        raise
    except Exception as error:  # files can be broken in more ways than anybody has listed
        reason = (str(error).strip().splitlines() or ["no reason given"])[0][:200]
        raise ModelError(
            f"{path.name} is damaged, or made in a way that Strata does not know ({type(error).__name__}: {reason}). "
            "Copy or download it again, or save the model anew."
        ) from error


def _open(path: Path, request: Request) -> Model:
    kind = sniff(path)
    if kind in _GRAPHS and request.architecture:
        raise ModelError(
            f"{path.name} says itself what it computes, so “{request.architecture}” can not be tried on it. "
            "Leave --architecture out."
        )
    opened = _opener(kind, path, request)
    origin = Origin(
        name=path.stem,
        format=opened.format,
        architecture=opened.architecture,
        evidence=opened.evidence,
        sha256=content_hash(path, opened.side_files),
        side_files=opened.side_files,
        rebuilt=opened.rebuilt,
        warnings=opened.warnings,
        alternatives=opened.alternatives,
        verification=opened.verification,
        options=request.options(opened.architecture),
    )
    model = assemble(opened.module, _overridden(opened.spec, request.input_spec), origin, opened.names)
    _check_complete(model, opened.lacking, request.partial)
    return verified(checked_for_batches(model) if kind in _GRAPHS else model)


def reopen(path: Path, card: ModelCard) -> Model:
    """A model that was opened before, exactly as its card says. Raises ModelError where the file is another one now.

    Its first opening ran in a guarded process; the same bytes need no second guard.
    """
    if content_hash(path, card.side_files) != card.sha256:
        raise ModelError(
            f"{path.name} is no longer the file that was opened: it was changed or damaged. Give it again."
        )
    return open_model(path, **card.options)


def inspect_model(path: str | Path, **options: Any) -> ModelCard:
    """The card of a model file, as `open_model` finds it. Weights that nothing here can run get one too.

    Raises ModelError.
    """
    path = Path(path)
    try:
        return open_model(path, **options).card
    except OnlyWeights as error:
        layers = conv_layers(error.state)
        if not layers:
            raise
        sha256 = content_hash(path)
        return ModelCard(
            id=f"{slug(path.stem)}-{sha256[:8]}",
            name=path.stem,
            format=error.format,
            architecture=None,
            evidence="Listed from the tensors alone: what runs them is not known.",
            sha256=sha256,
            input=plain_input(stem_channels(layers), 224, "assumed: nothing here runs these weights"),
            layers=layers,
            warnings=(str(error),),
            weights_only=True,
        )


def _opener(kind: Format, path: Path, request: Request) -> Opened:
    """Each format's libraries are imported where a file needs them: some cost seconds."""
    if kind is Format.ONNX:
        from analysis.models.onnx_file import open_onnx

        return open_onnx(path)
    if kind is Format.TORCHSCRIPT:
        from analysis.models.torchscript import open_torchscript

        return open_torchscript(path, request.input_spec)
    if kind is Format.EXPORTED:
        from analysis.models.exported import open_exported

        return open_exported(path)
    if kind is Format.SAFETENSORS:
        return replace(open_state_dict(Content(read_safetensors(path)), path.name, request), format="safetensors")
    content = read_checkpoint(path)
    if content.whole and request.trust and not request.architecture:
        from analysis.models.whole_module import open_whole_module

        return open_whole_module(path, request.input_spec)
    return open_state_dict(content, path.name, request)


def _check_complete(model: Model, lacking: frozenset[str], partial: bool) -> None:
    """Weights that only training uses may be missing; those of a layer that runs may not, unless asked for."""
    blank = [layer.name for layer in model.card.layers if layer.name in lacking]
    if blank and not partial:
        others = f" and {len(blank) - 1} more layers" if len(blank) > 1 else ""
        raise ModelError(
            f"{model.card.name} looks like {model.card.architecture} but lacks the weights of {blank[0]}{others}, "
            "without which nothing after it is what was learned. Say --partial to open it all the same."
        )


def _overridden(spec: InputSpec, chosen: Mapping[str, Any]) -> InputSpec:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list | tuple) else value for name, value in chosen.items()
    }
    channels = values.get("channels", spec.channels)
    if channels != spec.channels:
        blank = plain_input(channels, spec.height, "")
        values = {"mean": blank.mean, "std": blank.std, "order": blank.order, **values}
    changed = replace(spec, **values, evidence={**spec.evidence, **dict.fromkeys(chosen, "as you said")})
    if not len(changed.mean) == len(changed.std) == changed.channels:
        raise ModelError(
            f"mean and std hold {len(changed.mean)} and {len(changed.std)} numbers for {changed.channels} channels. "
            "Give one number a channel."
        )
    return changed
