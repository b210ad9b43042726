"""The table of a layer's circuits: of each channel the strongest wires in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.circuits.strength import Strengths, strengths_of
from analysis.models.wiring import Wiring

COLUMNS: dict[str, str] = {
    "channel": "number of the channel",
    "direction": "in: the other channel feeds this one; out: this one feeds the other",
    "rank": "0 is the greatest share of its direction",
    "layer": "conv layer or head of the other channel",
    "other": "number of the other channel",
    "strength": "root of the summed squared weights between the two, the batch normalisations' scales multiplied in",
    "share": "of all the squared weights with which the reading one of the two reads conv layers",
    "balance": "sum of these weights ÷ sum of their absolute values: 1 only excites, −1 only inhibits, near 0 both",
    "height": "rows of `kernel`",
    "kernel": "list: the weights themselves, row by row",
}
"""The columns of circuits.parquet, one row a wire."""

FACTS: dict[str, str] = {
    "reads": "the conv layers whose channels it reads, in the order of the model",
    "read_by": "the conv layers and heads that read its channels",
    "lost": "the operator behind which a part of what it reads is not known, empty where all of it is",
}
"""Name → meaning, of layer.json."""

Gains = Mapping[str, np.ndarray]
"""Conv layer → [C] how what follows scales its channels."""


def circuits_table(wiring: Wiring, layer: str, gains: Gains, most: int) -> pd.DataFrame:
    """At most `most` wires a channel and direction, the greatest share first; the columns of COLUMNS."""
    found = []
    own = wiring.readers.get(layer)
    if own is not None and len(own.wires.at):
        read = _strengths(wiring, layer, gains)
        pairs, outs = _strongest(read.power, most)
        found.append(_rows("in", read, wiring, outs, pairs).assign(channel=outs))
    if layer in wiring.sources:
        for name in _readers(wiring, layer):
            read = _strengths(wiring, name, gains)
            mine = np.flatnonzero(read.source == wiring.sources.index(layer))
            outs, places = _strongest(_shares(read)[:, mine].T, most)
            rows = _rows("out", read, wiring, outs, mine[places])
            found.append(rows.assign(channel=read.channel[mine[places]], layer=name, other=outs))
    if not found:
        return pd.DataFrame({name: [] for name in COLUMNS}).astype({"channel": int, "other": int, "height": int})
    table = pd.concat(found, ignore_index=True)
    table = table.sort_values(["channel", "direction", "share"], ascending=[True, True, False], kind="stable")
    table["rank"] = table.groupby(["channel", "direction"]).cumcount()
    return table[table["rank"] < most][list(COLUMNS)].reset_index(drop=True)


def circuits_facts(wiring: Wiring, layer: str) -> dict[str, Any]:
    """The figures of FACTS."""
    own = wiring.readers.get(layer)
    reads = [] if own is None else [wiring.sources[number] for number in np.unique(own.wires.source)]
    return {"reads": reads, "read_by": _readers(wiring, layer), "lost": own.lost if own else ""}


def _readers(wiring: Wiring, layer: str) -> list[str]:
    if layer not in wiring.sources:
        return []
    number = wiring.sources.index(layer)
    return [name for name, reader in wiring.readers.items() if (reader.wires.source == number).any()]


def _strengths(wiring: Wiring, name: str, gains: Gains) -> Strengths:
    reader = wiring.readers[name]
    return strengths_of(reader, gains.get(name, np.ones(len(reader.weights))))


def _shares(read: Strengths) -> np.ndarray:
    """[o, n] of all the power with which each channel of the reader reads conv layers; 0 where it reads with none."""
    total = read.power.sum(axis=1, keepdims=True)
    return np.divide(read.power, total, out=np.zeros_like(read.power), where=total > 0)


def _strongest(figures: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """figures [a, b] → of each of the a the columns of its `most` greatest entries above 0, and which a each is of."""
    kept = min(most, figures.shape[1])
    columns = np.argsort(-figures, axis=1, kind="stable")[:, :kept]
    rows = np.repeat(np.arange(len(figures)), kept)
    some = figures[rows, columns.ravel()] > 0
    return columns.ravel()[some], rows[some]


def _rows(
    direction: Literal["in", "out"], read: Strengths, wiring: Wiring, outs: np.ndarray, pairs: np.ndarray
) -> pd.DataFrame:
    """One row a wire, as seen from the reader: from channel outs[r] of it to what feeds it, pairs[r]."""
    kernels = read.kernels(outs, pairs)
    flat = kernels.reshape(len(kernels), -1)
    size = np.abs(flat).sum(axis=1)
    power = read.power[outs, pairs]
    return pd.DataFrame(
        {
            "direction": direction,
            "layer": np.array(wiring.sources, object)[read.source[pairs]],
            "other": read.channel[pairs],
            "strength": np.sqrt(power),
            "share": _shares(read)[outs, pairs],
            "balance": np.divide(flat.sum(axis=1), size, out=np.zeros(len(flat), np.float32), where=size > 0),
            "height": kernels.shape[1],
            "kernel": list(flat.astype(np.float32)),
        }
    )
