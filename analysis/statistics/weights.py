"""What the weights alone tell of a layer: no images needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from analysis.models.model import Model
from analysis.models.tap import ConvCall, ConvTap, run_tapped
from analysis.statistics.follow import Follow

COLUMNS: dict[str, str] = {
    "channel": "number of the channel",
    "norm": "Euclidean norm of its filter",
    "greatest": "greatest |weight| of its filter",
    "nonfinite": "weights that are NaN or infinite",
    "bias": "bias of the conv, 0 where it has none",
    "gamma": "scale of the batch normalisation that follows, NaN where none does",
    "beta": "its shift",
    "gamma_ratio": "gamma ÷ the layer's median |gamma|: near 0 with little else, the channel is constant",
    "folded_norm": "norm of the filter with the batch normalisation's scale in it",
    "twin": "the filter of the layer (and group) with the greatest |cosine| to this one, −1 where there is none",
    "twin_cosine": "that cosine, with its sign",
}
"""The columns of weights.parquet, one row a channel."""

FACTS: dict[str, str] = {
    "shape": "of the weights as [out, in ÷ groups, height, width]",
    "rms": "root mean square of the weights",
    "edge_ratio": "largest singular value of [out, in·height·width] ÷ the Marchenko–Pastur edge, "
    "rms·(√rows + √columns): at most 1.05 for weights as drawn at random, mostly above it for trained ones",
    "kurtosis": "excess kurtosis of the weights: 0 for Gaussian, −1.2 for uniform ones, more for most trained ones",
    "smoothness": "mean correlation of neighbouring weights in a kernel: trained stems are smooth; null below 3 × 3",
    "nonfinite": "weights that are NaN or infinite",
}
"""Name → meaning, of facts.json."""

MARGIN = 2
"""Dark px around a kernel's picture, so that neighbours do not run together."""

LEAST_ROWS = 4
"""Rows and columns a matrix must have for the edge of its spectrum to mean something."""


@dataclass(frozen=True)
class Filters:
    """weights [out, in ÷ groups, …] float64, whatever way round the model keeps them; bias [out]."""

    weights: np.ndarray
    bias: np.ndarray
    groups: int


def filters_of(model: Model, layer: str) -> Filters:
    """The weights that the first call of a layer really uses, read from that call."""
    found: list[Filters] = []

    def seen(call: ConvCall) -> bool:
        if model.calls[call.number] == layer and not found:
            found.append(_filters(call))
        return not found

    spec = model.card.input
    with torch.no_grad():
        run_tapped(ConvTap(seen), lambda: model(torch.full((1, spec.channels, spec.height, spec.width), 0.5)))
    return found[0]


def filters_in(state: Mapping[str, torch.Tensor], layer: str, groups: int) -> Filters:
    """The weights of a layer as they lie in the file, for a net that nothing here can run."""
    weights = state[f"{layer}.weight" if f"{layer}.weight" in state else layer].detach().double().cpu().numpy()
    bias = state.get(f"{layer}.bias")
    return Filters(weights, np.zeros(len(weights)) if bias is None else bias.detach().double().cpu().numpy(), groups)


def _filters(call: ConvCall) -> Filters:
    weights = call.weight.detach().double().cpu().numpy()
    if call.transposed:  # kept as [in, out ÷ groups, …]
        parts = np.split(weights, call.groups)
        weights = np.concatenate([part.swapaxes(0, 1) for part in parts])
    bias = np.zeros(len(weights)) if call.bias is None else call.bias.detach().double().cpu().numpy()
    return Filters(weights, bias, call.groups)


def weights_table(filters: Filters, follow: Follow) -> pd.DataFrame:
    """One row a channel, the columns of COLUMNS."""
    count = len(filters.weights)
    rows = filters.weights.reshape(count, -1)
    finite = np.isfinite(rows)
    clean = np.where(finite, rows, 0)
    norm = np.linalg.norm(clean, axis=1)
    gamma = np.asarray(follow.norm.get("weight", np.full(count, np.nan)))
    median = np.median(np.abs(gamma))
    twin, cosine = nearest_filters(clean * np.sign(follow.scale)[:, None], filters.groups)
    return pd.DataFrame(
        {
            "channel": np.arange(count),
            "norm": norm,
            "greatest": np.abs(clean).max(axis=1, initial=0),
            "nonfinite": (~finite).sum(axis=1),
            "bias": filters.bias,
            "gamma": gamma,
            "beta": np.asarray(follow.norm.get("bias", np.full(count, np.nan))),
            "gamma_ratio": gamma / median if median > 0 else np.full(count, np.nan),
            "folded_norm": norm * np.abs(follow.scale),
            "twin": twin,
            "twin_cosine": cosine,
        }
    )


def nearest_filters(rows: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """rows [out, n] → (the filter of the same group with the greatest |cosine| [out], that cosine [out])."""
    twins, cosines = np.full(len(rows), -1), np.full(len(rows), np.nan)
    size = len(rows) // groups
    for start in range(0, len(rows), size) if size > 1 else ():
        part = rows[start : start + size]
        length = np.linalg.norm(part, axis=1)
        unit = part / np.where(length > 0, length, 1)[:, None]
        cosine = unit @ unit.T
        np.fill_diagonal(cosine, 0)
        best = np.abs(cosine).argmax(axis=1)
        some = (length > 0) & (length[best] > 0)
        twins[start : start + size] = np.where(some, best + start, -1)
        cosines[start : start + size] = np.where(some, cosine[np.arange(size), best].clip(-1, 1), np.nan)
    return twins, cosines


def weights_facts(filters: Filters) -> dict[str, Any]:
    """The figures of FACTS; null where they are not defined."""
    finite = np.isfinite(filters.weights)
    facts: dict[str, Any] = {"shape": list(filters.weights.shape), "nonfinite": int((~finite).sum())}
    if not finite.all():
        return facts | {"rms": None, "edge_ratio": None, "kurtosis": None, "smoothness": None}
    rms = float(np.sqrt((filters.weights**2).mean()))
    return facts | {
        "rms": rms,
        "edge_ratio": edge_ratio(filters),
        "kurtosis": kurtosis(filters.weights),
        "smoothness": smoothness(filters.weights),
    }


def edge_ratio(filters: Filters) -> float | None:
    """Largest singular value ÷ the edge of the Marchenko–Pastur law, rms·(√rows + √columns); of groups the greatest.

    Marchenko and Pastur, 1967. None for matrices too small to have a spectrum, and for weights that are all 0.
    """
    count = len(filters.weights)
    rows = filters.weights.reshape(count, -1)
    size = count // filters.groups
    if min(size, rows.shape[1]) < LEAST_ROWS or not rows.any():
        return None
    edge = np.sqrt((rows**2).mean()) * (np.sqrt(size) + np.sqrt(rows.shape[1]))
    return float(max(np.linalg.norm(rows[start : start + size], 2) for start in range(0, count, size)) / edge)


def kurtosis(weights: np.ndarray) -> float | None:
    """Excess kurtosis of all weights together, E[(w − mean)⁴] ÷ variance² − 3; None where they do not vary."""
    apart = weights - weights.mean()
    variance = (apart**2).mean()
    return float((apart**4).mean() / variance**2 - 3) if variance > 0 else None


def smoothness(weights: np.ndarray) -> float | None:
    """Lag-1 autocorrelation of two-dimensional kernels, over rows and columns, each kernel's mean taken off.

    None for kernels smaller than 3 × 3 and kernels that do not vary.
    """
    if weights.ndim != 4 or min(weights.shape[2:]) < 3:
        return None
    apart = weights - weights.mean(axis=(2, 3), keepdims=True)
    power = (apart**2).mean()
    if power == 0:
        return None
    down = (apart[:, :, 1:] * apart[:, :, :-1]).mean()
    across = (apart[..., 1:] * apart[..., :-1]).mean()
    return float((down + across) / 2 / power)


def kernel_tiles(weights: np.ndarray, order: str, size: int) -> list[np.ndarray]:
    """Filters on one or three channels → one tile [size, size, 3] uint8 each: 0 is mid-grey, the greatest |weight| of
    the filter black or white, pixels as they are. Filters on any other number of channels have no picture: none.
    """
    if weights.ndim != 4 or weights.shape[1] not in {1, 3} or min(weights.shape[2:]) < 2:
        return []
    if weights.shape[1] == 3 and order == "BGR":
        weights = weights[:, ::-1]
    tiles = []
    for kernel in np.nan_to_num(weights, nan=0, posinf=0, neginf=0):
        shown = 0.5 + kernel / (2 * max(np.abs(kernel).max(), 1e-30))
        pixels = np.round(shown * 255).astype(np.uint8).transpose(1, 2, 0)
        rows = np.arange(size - 2 * MARGIN) * pixels.shape[0] // (size - 2 * MARGIN)
        columns = np.arange(size - 2 * MARGIN) * pixels.shape[1] // (size - 2 * MARGIN)
        tile = np.full((size, size, 3), 24, np.uint8)
        tile[MARGIN:-MARGIN, MARGIN:-MARGIN] = pixels[rows][:, columns]
        tiles.append(tile)
    return tiles
