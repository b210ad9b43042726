"""Everything that is measured in one pass is what NumPy finds with all activations kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from analysis.models.model import Model
from analysis.probe import open_probe
from analysis.probe.probe import Probe
from analysis.statistics.columns import IMAGE_QUANTILES, QUANTILES
from analysis.statistics.following import follows_of
from analysis.statistics.kernel import stride_of
from analysis.statistics.layer_state import LayerState, Settings
from analysis.statistics.pass_over import HEAD, measure
from analysis.statistics.sketch import POSITIONS, RELATIVE_ERROR, SMALLEST
from analysis.statistics.table import statistics_table
from tests.probe.pictures import write_pictures
from tests.statistics.nets import SPEC, InPlace, Mixed, Residual, opened

COUNT = 21


def kept_activations(model: Model, probe: Probe, layer: str) -> list[np.ndarray]:
    """Every output of a module, by a plain hook that copies at once: one array [images, C, H, W] a call."""
    outputs: list[np.ndarray] = []
    module = model.module.get_submodule(layer)
    handle = module.register_forward_hook(lambda _m, _i, output: outputs.append(output.detach().clone().numpy()))
    with torch.no_grad():
        model(probe.batch(range(probe.card.count), model.card.input))
    handle.remove()
    return outputs


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Probe:
    folder: Path = write_pictures(tmp_path_factory.mktemp("probe"), COUNT, classes=3)
    return open_probe(str(folder))


@pytest.fixture(scope="module", params=[InPlace, Residual, Mixed])
def model(request: pytest.FixtureRequest) -> Model:
    return opened(request.param)


@pytest.fixture(scope="module")
def states(model: Model, probe: Probe) -> dict[str, LayerState]:
    layers = [layer.name for layer in model.card.layers]
    return measure(model, probe, range(COUNT), layers, follows_of(model), Settings(keep=COUNT, width=256)).layers


def flat(outputs: list[np.ndarray]) -> np.ndarray:
    """[images, C, all positions of all calls]."""
    return np.concatenate([output.reshape(*output.shape[:2], -1) for output in outputs], axis=2).astype(np.float64)


def conv_layers(states: dict[str, LayerState]) -> list[tuple[str, LayerState]]:
    return [(layer, state) for layer, state in states.items() if layer != HEAD]


def test_moments_and_shares(model: Model, probe: Probe, states: dict[str, LayerState]) -> None:
    for layer, state in conv_layers(states):
        values = flat(kept_activations(model, probe, layer))
        table = statistics_table(state)
        np.testing.assert_allclose(table["mean"], values.mean((0, 2)), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(table["std"], values.std((0, 2)), rtol=1e-5)
        np.testing.assert_allclose(table["min"], values.min((0, 2)), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(table["max"], values.max((0, 2)), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(table["negatives"], (values < 0).mean((0, 2)), atol=2e-4)
        np.testing.assert_allclose(table["exact_zeros"], (values == 0).mean((0, 2)))
        assert (table["count"] == values.shape[0] * values.shape[2]).all()
        assert (table["nonfinite"] == 0).all()
        peaks = values.max(axis=2)
        np.testing.assert_allclose(table["peak_mean"], peaks.mean(0), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(table["peak_std"], peaks.std(0), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(table["image_mean_std"], values.mean(2).std(0), rtol=1e-4, atol=1e-6)


def test_quantiles_within_the_stated_error(model: Model, probe: Probe, states: dict[str, LayerState]) -> None:
    for layer, state in conv_layers(states):
        values = flat(kept_activations(model, probe, layer))
        table = statistics_table(state)
        for share in QUANTILES:
            below = np.quantile(values, share / 100, axis=(0, 2), method="lower")
            above = np.quantile(values, share / 100, axis=(0, 2), method="higher")
            found = table[f"p{share:02d}"].to_numpy()
            slack = RELATIVE_ERROR * np.maximum(np.abs(below), np.abs(above)) + SMALLEST
            assert (found >= below - slack).all()
            assert (found <= above + slack).all()


def test_maps_too_large_to_be_counted_whole(probe: Probe) -> None:
    """Quantiles keep their error to those of the counted positions, and lie near those of all; the rest is of all."""
    model = opened(InPlace, replace(SPEC, height=61, width=47))
    state = measure(model, probe, range(COUNT), ["first"], follows_of(model), Settings()).layers["first"]
    values, table = flat(kept_activations(model, probe, "first")), statistics_table(state)
    counted = values[:, :, :: stride_of(values.shape[2], 47)]
    assert POSITIONS <= counted.shape[2] < values.shape[2] / 5
    for share in QUANTILES:
        below, above = (np.quantile(counted, share / 100, axis=(0, 2), method=side) for side in ("lower", "higher"))
        slack = RELATIVE_ERROR * np.maximum(np.abs(below), np.abs(above)) + SMALLEST
        found = table[f"p{share:02d}"].to_numpy()
        assert (found >= below - slack).all()
        assert (found <= above + slack).all()
        apart = np.abs(found - np.quantile(values, share / 100, axis=(0, 2))) / values.std(axis=(0, 2))
        assert apart.max() < 0.2
    np.testing.assert_allclose(table["std"], values.std((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(table["negatives"], (values < 0).mean((0, 2)), atol=2e-4)
    np.testing.assert_allclose(table["max"], values.max((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(table["peak_mean"], values.max(2).mean(0), rtol=1e-5, atol=1e-6)
    assert [sum(each) for each in table["histogram"]] == pytest.approx(table["count"])


def after_values(model: Model, layer: str, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All values after what follows, as `flat`, and how far their quantiles may be off, by the sketch's own error."""
    follow = follows_of(model)[layer]
    moved = flat(outputs) * follow.scale[:, None] + follow.shift[:, None]
    values = moved if follow.joined else {"relu": torch.relu, "silu": torch.nn.functional.silu}[follow.activation](
        torch.from_numpy(moved)
    ).numpy()  # fmt: skip
    return values, np.abs(moved - follow.shift[:, None]) if follow.function is None else np.abs(values)


def test_after_the_activation(model: Model, probe: Probe, states: dict[str, LayerState]) -> None:
    for layer, state in conv_layers(states):
        values, sizes = after_values(model, layer, kept_activations(model, probe, layer))
        table = statistics_table(state)
        for name, expected in (("mean", values.mean((0, 2))), ("std", values.std((0, 2)))):
            np.testing.assert_allclose(table[f"after_{name}"], expected, rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(table["after_min"], values.min((0, 2)), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(table["after_max"], values.max((0, 2)), rtol=1e-5, atol=1e-6)
        for share in QUANTILES:
            below, above = (np.quantile(values, share / 100, axis=(0, 2), method=side) for side in ("lower", "higher"))
            slack = RELATIVE_ERROR * np.quantile(sizes, 1, axis=(0, 2)).clip(SMALLEST)
            near = RELATIVE_ERROR * (np.maximum(np.abs(below), np.abs(above)) + np.abs(state.follow.shift)) + SMALLEST
            found = table[f"after_p{share:02d}"].to_numpy()
            assert (found >= below - np.minimum(slack, near)).all()
            assert (found <= above + np.minimum(slack, near)).all()
        for row in table.itertuples():
            assert sum(row.after_histogram) == pytest.approx(row.count)
            zero = (values[:, row.channel] <= row.after_min).mean() * row.count
            assert row.after_min == row.after_max or row.after_histogram[0] >= zero * (1 - 1e-9) - 1


def test_one_number_an_image(model: Model, probe: Probe, states: dict[str, LayerState]) -> None:
    for layer, state in conv_layers(states):
        values = flat(kept_activations(model, probe, layer))
        table = statistics_table(state)
        for name, each in (("peak", values.max(axis=2)), ("image_mean", values.mean(axis=2))):
            for share in IMAGE_QUANTILES:
                below, above = (np.quantile(each, share / 100, axis=0, method=side) for side in ("lower", "higher"))
                slack = RELATIVE_ERROR * np.maximum(np.abs(below), np.abs(above)) + SMALLEST
                found = table[f"{name}_p{share:02d}"].to_numpy()
                assert (found >= below - slack).all()
                assert (found <= above + slack).all()


def test_histograms_hold_every_value(model: Model, probe: Probe, states: dict[str, LayerState]) -> None:
    for layer, state in conv_layers(states):
        values = flat(kept_activations(model, probe, layer))
        for row in statistics_table(state).itertuples():
            assert sum(row.histogram) == pytest.approx(values.shape[0] * values.shape[2])
            own = values[:, row.channel].ravel()
            middle = len(row.histogram) // 2
            edge = row.histogram_edges[middle]
            slack = RELATIVE_ERROR * abs(edge) + SMALLEST
            left = sum(row.histogram[:middle]) / row.count
            assert (own < edge - slack).mean() - 1e-9 <= left <= (own <= edge + slack).mean() + 1e-9


def test_exemplars(model: Model, probe: Probe, states: dict[str, LayerState]) -> None:
    for layer, state in conv_layers(states):
        values = flat(kept_activations(model, probe, layer))
        peaks = values.max(axis=2)
        for channel in range(peaks.shape[1]):
            order = np.lexsort((np.arange(COUNT), -peaks[:, channel]))
            apart = np.abs(np.diff(peaks[order, channel], prepend=np.inf, append=np.inf))
            clear = (apart[:-1] > 1e-5) & (apart[1:] > 1e-5)  # float32 of other batches: near ties may swap
            np.testing.assert_array_equal(state.highest.images[channel][clear], order[clear])
            np.testing.assert_array_equal(state.lowest.images[channel][::-1][clear], order[clear])
            best = order[0]
            if clear[0]:
                assert values[best, channel, state.highest.places[channel, 0]] == pytest.approx(
                    peaks[best, channel], rel=1e-5
                )


def test_covariance_on_its_grid(model: Model, probe: Probe, states: dict[str, LayerState]) -> None:
    from analysis.statistics.covariance import grid_places

    for layer, state in conv_layers(states):
        outputs = kept_activations(model, probe, layer)
        if len(outputs) > 1:
            continue
        places = grid_places(*outputs[0].shape[2:])
        rows = flat(outputs)[:, :, places].transpose(0, 2, 1).reshape(-1, outputs[0].shape[1])
        expected = np.cov(rows, rowvar=False, bias=True)
        np.testing.assert_allclose(state.covariance.matrix(), expected, rtol=1e-4, atol=1e-5)


def test_class_means_are_after_the_activation(probe: Probe) -> None:
    model = opened(Residual)
    states = measure(model, probe, range(COUNT), ["stem"], follows_of(model), Settings()).layers
    norm: nn.Module = model.module.get_submodule("norm")
    with torch.no_grad():
        after = torch.relu(norm(torch.from_numpy(kept_activations(model, probe, "stem")[0]))).mean((2, 3)).numpy()
    labels, means = states["stem"].classes.means()
    assert labels.tolist() == [0, 1, 2]
    expected = np.stack([after[probe.labels == label].mean(0) for label in labels])
    np.testing.assert_allclose(means, expected, rtol=1e-4, atol=1e-6)
    table = statistics_table(states["stem"])
    np.testing.assert_allclose(table["after_mean"], after.mean(0), rtol=1e-4, atol=1e-6)


class Saturated(Residual):
    """Ends in a softmax that is 1, to a float's last digit, for whatever class it answers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (1e5 * super().forward(x)).softmax(1)


def test_classes_are_ranked_by_what_went_into_a_softmax(probe: Probe) -> None:
    model, plain = opened(Saturated), opened(Residual)
    measured = measure(model, probe, range(COUNT), [], {}, Settings(keep=COUNT))
    with torch.no_grad():
        images = probe.batch(range(COUNT), model.card.input)
        shares, logits = model(images).numpy(), 1e5 * plain(images).numpy()
    state, answers = measured.layers[HEAD], measured.answers
    assert (shares.max(axis=1) == 1).all()
    np.testing.assert_allclose(state.highest.values, -np.sort(-logits.T), rtol=1e-3)
    assert (np.diff(state.highest.values) < 0).all()
    assert answers is not None
    assert answers.predicted.tolist() == shares.argmax(axis=1).tolist()
    np.testing.assert_allclose(answers.score, 1)


def test_border_against_inside(probe: Probe) -> None:
    model = opened(InPlace)
    states = measure(model, probe, range(COUNT), ["first"], follows_of(model), Settings()).layers
    after = np.maximum(kept_activations(model, probe, "first")[0], 0).astype(np.float64)
    ring = np.ones(after.shape[2:], bool)
    ring[1:-1, 1:-1] = False
    expected = after[:, :, ring].mean((0, 2)) / after[:, :, ~ring].mean((0, 2))
    np.testing.assert_allclose(statistics_table(states["first"])["border_ratio"], expected, rtol=1e-4)


def test_after_an_activation_that_does_more_than_cut_off(probe: Probe) -> None:
    model = opened(Mixed)
    states = measure(model, probe, range(COUNT), ["first"], follows_of(model), Settings()).layers
    after = torch.nn.functional.silu(torch.from_numpy(kept_activations(model, probe, "first")[0])).numpy()
    table = statistics_table(states["first"])
    np.testing.assert_allclose(table["after_mean"], after.mean((0, 2, 3)), rtol=1e-4, atol=1e-6)
    assert not table["dead"].any()
