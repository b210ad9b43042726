"""Weights without a net: find whose they are, build it, put them in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from analysis.models import zoo
from analysis.models.architectures import ENOUGH, Match, find, recognise
from analysis.models.by_order import recognise_by_order
from analysis.models.chain import rebuild
from analysis.models.checkpoint import Content
from analysis.models.errors import ModelError
from analysis.models.find_size import find_size
from analysis.models.fingerprint import parts_of, strip_prefixes, unwrap, weights_of
from analysis.models.known_input import known_input, plain_input
from analysis.models.opened import Opened
from analysis.models.own_class import build_own_class, check_keys, is_own_class
from analysis.models.request import Request
from analysis.models.residual import rebuild_residual
from analysis.models.stem import fit_input, fit_stem
from analysis.models.twins import Choice, choose
from analysis.models.weights_only import conv_layers, no_images, stem_channels, unknown

State = Mapping[str, torch.Tensor]


def states_of(content: Content, name: str) -> list[tuple[State, str]]:
    """The weights inside of a checkpoint as float32, with fewer and fewer prefixes, and a clause of where they were.

    Raises ModelError where there are none.
    """
    state, way = unwrap(content.value)
    if not any(tensor.dim() >= 2 and tensor.is_floating_point() for tensor in state.values()):
        raise ModelError(f"{name} holds no weights of a net. Give the file that your training saved its weights to.")
    state = {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in state.items()}
    where = f" (found under {' → '.join(way)})" if way else ""
    return [
        (stripped, where + (f", prefix “{prefix}” taken off," if prefix else ""))
        for stripped, prefix in strip_prefixes(state)
    ]


def open_state_dict(content: Content, name: str, request: Request) -> Opened:
    """A checkpoint's content → the net with these weights in it.

    Raises ModelError where there are no weights in it, OnlyWeights where nobody here knows their net.
    """
    states = states_of(content, name)
    state, where = states[-1]
    if request.architecture and is_own_class(request.architecture):
        return _own_class(state, name, request.architecture, request)
    if request.architecture:
        return _named(states, name, request.architecture, request.partial)
    known = _recognised(states, name) or _recognised(parts_of(state, where), name) or _renamed(states, name)
    if known:
        return known
    rebuilt = _by_rule(state)
    if rebuilt:
        return rebuilt
    if content.whole:
        raise ModelError(
            f"{name} holds a whole Python object; opening it would import "
            f"{', '.join(content.classes[:6]) or 'its code'} and run what it says. "
            "Save model.state_dict() instead, or say --trust if you trust the file."
        )
    raise unknown(name, state)


def _recognised(states: Sequence[tuple[State, str]], name: str) -> Opened | None:
    """The net of a zoo whose keys and shapes one of these states has; None where none has."""
    found = [(recognise(weights_of(state)), state, where) for state, where in states]
    matches, state, where = max(found, key=lambda entry: entry[0][0].score if entry[0] else 0.0, default=([], {}, ""))
    return _likeliest([(match, state) for match in matches], name, where, _by_name(matches[0])) if matches else None


def _renamed(states: Sequence[tuple[State, str]], name: str) -> Opened | None:
    """The net of a zoo whose tensors these are in order and shape, under other names; None where there is none."""
    fits = "they fit by order and shape, under names of their own; layers have the zoo's names here"
    for state, where in states:
        found = [(renamed.match, renamed.of(state)) for renamed in recognise_by_order(weights_of(state))]
        if found:
            return _likeliest(found, name, where, fits)
    return None


def _likeliest(found: Sequence[tuple[Match, State]], name: str, where: str, fits: str) -> Opened:
    """The net to take of several that fit equally well, each with the weights under its own names."""
    states = {(match.net.zoo, match.net.name): state for match, state in found}

    def filled(match: Match) -> nn.Module:
        return _filled(states[match.net.zoo, match.net.name], match)[0]

    first, state = found[0]
    spec = fit_input(known_input(first.net.zoo, first.net.name), state, first)
    choice = choose([match for match, _ in found], name, spec, filled)
    return _known(states[choice.match.net.zoo, choice.match.net.name], choice, where, fits)


def _by_name(match: Match) -> str:
    return f"{match.score:.0%} of the tensors fit by name and shape"


def _named(states: Sequence[tuple[State, str]], name: str, architecture: str, partial: bool) -> Opened:
    """The net that a person named, with the state that fits it best."""
    fits = [(find(architecture, weights_of(state)), state, where) for state, where in states]
    match, state, where = max(fits, key=lambda fit: fit[0].score)
    _check_fit(match, name, partial)
    return _known(state, Choice(match, "you named it", ()), where, _by_name(match))


def _check_fit(match: Match, name: str, partial: bool) -> None:
    if match.score < ENOUGH and not partial:
        raise ModelError(
            f"The weights of {name} do not fit {match.net.name}: it lacks {_few(list(match.missing)) or 'nothing'}; "
            f"and has besides {_few(list(match.unexpected)) or 'nothing'}. Leave --architecture out to have it found."
        )


def _filled(state: State, match: Match) -> tuple[nn.Module, list[str]]:
    module = zoo.build(match.net.zoo, match.net.name)
    said = fit_stem(module, state, match)
    return module, [*said, *put(module, state, match.net.head)]


def _known(state: State, choice: Choice, where: str, fits: str) -> Opened:
    """`fits`: a clause that says how well the weights fit the chosen net."""
    match = choice.match
    layers = conv_layers(state)
    if layers and layers[0].kind != "Conv2d":
        raise no_images(f"{match.net.zoo}'s {match.net.name}", state, "state dict")
    module, warnings = _filled(state, match)
    weights = {key for key in match.net.shapes if key.endswith(".weight")}
    because = f" Taken before {', '.join(choice.different)} because {choice.reason}." if choice.different else ""
    if choice.different:
        warnings.append(
            f"These weights fit {', '.join(choice.different)} as well, which computes something else: "
            f"{match.net.name} was taken because {choice.reason}. Say --architecture if it is the other one."
        )
    return Opened(
        module=module,
        spec=fit_input(known_input(match.net.zoo, match.net.name), state, match),
        format="state dict",
        architecture=match.net.name,
        evidence=f"The weights{where} are those of {match.net.zoo}'s {match.net.name}: {fits}.{because}",
        warnings=tuple(warnings),
        alternatives=choice.different,
        lacking=frozenset(key.removesuffix(".weight") for key in weights - state.keys() - match.net.head),
    )


def _by_rule(state: State) -> Opened | None:
    """A net of no zoo, put together again from what its tensors say; None where they do not say enough."""
    residual = rebuild_residual(state)
    if residual:
        assumed = residual.assumed
        return Opened(
            module=residual.module,
            spec=plain_input(
                state["conv1.weight"].shape[1], residual.size, "assumed: usual for such a first convolution"
            ),
            format="state dict",
            evidence=f"Rebuilt by rule as a residual net from the names and shapes of its tensors: {assumed}.",
            warnings=(f"This net was rebuilt by rule and may differ from yours: {assumed}.",),
            rebuilt=True,
        )
    rebuilt = rebuild(state)
    if rebuilt is None:
        return None
    channels = next(tensor.shape[1] for tensor in state.values() if tensor.dim() == 4)
    doubt = " Other choices fit the shapes as well: compare with your code." if rebuilt.ambiguous else ""
    return Opened(
        module=rebuilt.module,
        spec=plain_input(channels, rebuilt.size, "the size at which the rebuilt chain fits its first linear layer"),
        format="state dict",
        evidence=f"Rebuilt by rule as a plain chain from the order and shapes of its tensors: {rebuilt.assumed}.",
        warnings=(f"This net was rebuilt by rule and may differ from yours: {rebuilt.assumed}, ReLU.{doubt}",),
        rebuilt=True,
    )


def _own_class(state: State, name: str, architecture: str, request: Request) -> Opened:
    module = build_own_class(architecture, request.architecture_args, request.trust)
    check_keys(module, state, architecture, request.partial)
    warnings = put(module, state, frozenset())
    layers = conv_layers(state)
    channels = stem_channels(layers) if layers else 3
    channels, size, source = find_size(module.eval(), channels, name, request.input_spec)
    return Opened(
        module=module,
        spec=plain_input(channels, size, source),
        format="state dict",
        architecture=architecture.rpartition(":")[2],
        evidence=f"Built from your {architecture}.",
        warnings=tuple(warnings),
    )


def put(module: nn.Module, state: State, head: frozenset[str]) -> list[str]:
    """Put weights into a module, in place; a tensor of another shape (head, stem) replaces the module's own.

    Returns what a person should know of tensors that did not find a place.
    """
    own = module.state_dict()
    for key in own.keys() & state.keys():
        if own[key].shape != state[key].shape:
            _replace(module, key, state[key])
    given = OrderedDict(state)
    given._metadata = getattr(own, "_metadata", {})  # type: ignore[attr-defined]  # layers' versions, which some ask for
    missing, unexpected = module.load_state_dict(given, strict=False)
    missing, unexpected = (
        [key for key in keys if not key.endswith("num_batches_tracked")] for keys in (missing, unexpected)
    )
    said = []
    if missing:
        which = "the classifier head" if set(missing) <= head else "some tensors"
        said.append(f"The file lacks {which} ({_few(missing)}): what comes after them shows nothing learned.")
    if unexpected:
        convs = sum(state[key].dim() >= 4 for key in unexpected)
        beside = f", {convs} of them convolutions" if convs else ""
        said.append(f"Tensors of the file that the net has no place for were left out{beside}: {_few(unexpected)}.")
    return said


def _replace(module: nn.Module, key: str, tensor: torch.Tensor) -> None:
    path, _, leaf = key.rpartition(".")
    owner = module.get_submodule(path)
    if leaf in owner._parameters:
        setattr(owner, leaf, nn.Parameter(torch.empty_like(tensor)))
    else:
        owner.register_buffer(leaf, torch.empty_like(tensor))


def _few(keys: list[str]) -> str:
    return ", ".join(keys[:4]) + (f" and {len(keys) - 4} more" if len(keys) > 4 else "")
