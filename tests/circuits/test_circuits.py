"""Strengths, signs and shares of wires, against known answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from analysis import encoding
from analysis.circuits.strength import strengths_of
from analysis.circuits.table import COLUMNS, FACTS, circuits_facts, circuits_table
from analysis.circuits.technique import Circuits, CircuitsParameters
from analysis.models.wiring import Reader, Wires, wiring_of
from analysis.technique import Context, Request, Wanted
from tests.statistics.nets import opened


class Planted(nn.Module):
    """Two layers, one wire of which is far stronger than the others: first:2 → second:1; first:0 inhibits second:0."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, eps=0)
        self.second, self.head = nn.Conv2d(4, 3, 3), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.norm(self.first(x)))
        return self.head(functional.relu(self.second(x)).mean((2, 3)))


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    model = opened(Planted)
    net = model.module
    with torch.no_grad():
        net.second.weight.uniform_(-0.01, 0.01)
        net.second.weight[1, 2] = 2.0
        net.second.weight[0, 0] = -1.0
        net.norm.weight.fill_(1.0)
        net.norm.running_var.fill_(1.0)
        net.norm.weight[2] = -3.0
    return circuits_table(wiring_of(model), "second", {"second": np.array([1.0, -0.5, 1.0])}, most=2)


def row(table: pd.DataFrame, **where: object) -> pd.Series:
    for name, value in where.items():
        table = table[table[name] == value]
    (found,) = (each for _, each in table.iterrows())
    return found


def test_the_planted_wire_is_the_strongest_with_its_sign(planted: pd.DataFrame) -> None:
    """2 in nine places, times −3 of the normalisation before it, times |−0.5| of the one behind: the reader's own sign
    is left out, the feeder's is not."""
    assert list(planted.columns) == list(COLUMNS)
    found = row(planted, channel=1, direction="in", rank=0)
    assert (found["layer"], found["other"], found["height"]) == ("first", 2, 3)
    assert found["strength"] == pytest.approx(2 * 3 * 0.5 * 3)
    assert found["balance"] == pytest.approx(-1)
    assert found["share"] > 0.99
    np.testing.assert_allclose(found["kernel"], np.full(9, -3.0), rtol=1e-5)
    inhibits = row(planted, channel=0, direction="in", rank=0)
    assert (inhibits["other"], inhibits["strength"]) == (0, pytest.approx(3))
    assert inhibits["balance"] == pytest.approx(-1)


def test_what_goes_out_is_what_comes_in_seen_from_the_other_end() -> None:
    wiring = wiring_of(opened(Planted))
    inwards = circuits_table(wiring, "second", {}, most=64)
    outwards = circuits_table(wiring, "first", {}, most=64)
    ways = [inwards[inwards["direction"] == "in"], outwards[outwards["direction"] == "out"]]
    ends = [["other", "channel"], ["channel", "other"]]
    one, two = (
        way.sort_values(names)[[*names, "strength", "share", "balance"]].to_numpy()
        for way, names in zip(ways, ends, strict=True)
    )
    np.testing.assert_allclose(one.astype(float), two.astype(float))
    assert len(one) == 12
    assert set(outwards["direction"]) == {"out"}


def test_a_class_is_read_through_its_linear_layer() -> None:
    model = opened(Planted)
    table = circuits_table(wiring_of(model), "output", {}, most=8)
    weights = model.module.head.weight.numpy()
    for _, each in table.iterrows():
        assert each["layer"] == "second"
        assert each["strength"] == pytest.approx(abs(weights[each["channel"], each["other"]]))
        assert each["balance"] == np.sign(weights[each["channel"], each["other"]])
    assert len(table) == 6


def test_grouped_convs_read_their_own_group_alone() -> None:
    weights = np.arange(1, 9, dtype=np.float32).reshape(4, 2, 1, 1)
    ones = np.ones(4)
    wires = Wires(np.arange(4), np.zeros(4, int), np.array([3, 2, 1, 0]), ones)
    read = strengths_of(Reader(weights, 2, wires), ones)
    by_channel = read.power[:, np.argsort(read.channel)]
    np.testing.assert_allclose(np.sqrt(by_channel), [[0, 0, 2, 1], [0, 0, 4, 3], [6, 5, 0, 0], [8, 7, 0, 0]])
    kernels = read.kernels(np.array([0, 3]), np.array([int(np.flatnonzero(read.channel == 2)[0]), 0]))
    np.testing.assert_allclose(kernels.ravel(), [2, 8])


def test_one_channel_that_feeds_several_inputs_is_one_wire() -> None:
    """Space to depth: four inputs are four places of one channel; and a map that a linear layer reads stays a map."""
    weights = np.array([[1.0, -2.0, 2.0, 4.0]], np.float32)
    wires = Wires(np.arange(4), np.zeros(4, int), np.zeros(4, int), np.ones(4))
    read = strengths_of(Reader(weights, 1, wires), np.ones(1))
    assert read.power.tolist() == [[25.0]]
    assert read.kernels(np.array([0]), np.array([0])).tolist() == [[[1.0, -2.0], [2.0, 4.0]]]
    stacked = strengths_of(Reader(np.ones((1, 4, 3, 2), np.float32), 1, wires), np.ones(1))
    assert stacked.kernels(np.array([0]), np.array([0])).shape == (1, 12, 2)


def test_two_ways_to_the_same_input_add_up_before_they_are_squared() -> None:
    wires = Wires(np.zeros(2, int), np.zeros(2, int), np.zeros(2, int), np.array([1.0, -0.75]))
    read = strengths_of(Reader(np.full((1, 1, 1, 1), 4.0, np.float32), 1, wires), np.ones(1))
    assert read.power.tolist() == [[1.0]]


def test_weights_that_are_not_finite_carry_nothing() -> None:
    wires = Wires(np.arange(2), np.zeros(2, int), np.arange(2), np.ones(2))
    read = strengths_of(Reader(np.array([[[[np.nan]], [[3.0]]]], np.float32), 1, wires), np.ones(1))
    assert read.power.tolist() == [[0.0, 9.0]]


def test_the_technique_makes_a_table_and_facts_of_every_layer_and_head(tmp_path: Path) -> None:
    model = opened(Planted)
    technique = Circuits()
    request = Request(model.card, None, Wanted(("first", "second"), None, ("output",)), CircuitsParameters())
    tasks = technique.plan(request)
    assert [task.layer for task in tasks] == ["first", "second", "output"]
    for task in tasks:
        made = technique.run(task, Context(lambda: model, lambda: None, {}))  # type: ignore[arg-type, return-value]
        assert list(encoding.from_parquet(made["circuits.parquet"]).columns) == list(COLUMNS)
        facts = encoding.from_json(made["layer.json"])
        assert set(facts) == set(FACTS)
    assert circuits_facts(wiring_of(model), "second") == {"reads": ["first"], "read_by": ["output"], "lost": ""}
