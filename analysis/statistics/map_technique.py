"""The technique `map`: the channels of a layer laid out in a plane, those that answer alike close to each other."""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import numpy as np
import pandas as pd

from analysis import encoding, technique
from analysis.statistics.structure import correlations, covariance_of
from analysis.statistics.technique import NoParameters, file_of, merged_state
from analysis.task import Task

COLUMNS: dict[str, str] = {
    "channel": "number of the channel",
    "pca_x": "first principal coordinate of its answers, NaN for a channel that does not vary",
    "pca_y": "second principal coordinate",
    "tsne_x": "place in the t-SNE layout, NaN as above",
    "tsne_y": "the same",
    "umap_x": "place in the UMAP layout, NaN as above and where umap-learn was not installed",
    "umap_y": "the same",
}
"""The columns of map.parquet, one row a channel."""
KEPT = 30
"""Principal coordinates that t-SNE is given."""
FEWEST = 5
"""Channels below which there is nothing to lay out: t-SNE repeats the principal coordinates."""


class LikenessMap(technique.Technique):
    name = "map"
    version = 3
    title = "Map"
    about = "A layer's channels in a plane: those that answer alike lie close."
    requires = ("measure",)
    Parameters = NoParameters

    def plan(self, request: technique.Request) -> list[Task]:
        shards = request.required["measure"]
        if request.probe is None or not shards:
            return []
        layers = shards[0].parameters["layers"]
        return [
            self.task(
                request,
                layer,
                parameters={"file": file_of(layers, layer)},
                needs=tuple(shard.key for shard in shards),
                priority=10,
            )
            for layer in request.wanted.layers
        ]

    def run(self, task: Task, context: technique.Context) -> technique.Artifact:
        state = merged_state(task.parameters["file"], [context.inputs[key] for key in task.needs])
        context.report(0.3)
        # kept for laying two maps side by side: which channel of one layer is which of another, by their answers
        drawn: dict[str, np.ndarray] = {"images": state.drawn.images, "means": state.drawn.means.astype(np.float32)}
        return {
            "map.parquet": encoding.to_parquet(layout(covariance_of(state)[2])),
            "answers.npz": encoding.to_npz(drawn),
        }


def layout(covariance: np.ndarray) -> pd.DataFrame:
    """[C, C] → the columns of COLUMNS; the same for the same covariance.

    The principal coordinates of a correlation matrix R = VΛVᵀ are V√Λ (Gower, 1966): dot products of their rows are
    the correlations. t-SNE (van der Maaten and Hinton, 2008) begins at the first two of them, so that its map is not
    turned by chance; so does UMAP (McInnes, Healy, Melville 2018), where it is installed.
    """
    correlation, varies = correlations(covariance)
    places = np.full((len(varies), 6), np.nan)
    living = np.flatnonzero(varies)
    if len(living):
        matrix = correlation[np.ix_(living, living)] + np.eye(len(living))
        values, vectors = np.linalg.eigh(matrix)
        order = np.argsort(values)[::-1][:KEPT]
        coordinates = _upright(vectors[:, order]) * np.sqrt(np.clip(values[order], 0, None))
        if coordinates.shape[1] < 2:
            coordinates = np.column_stack([coordinates, np.zeros(len(living))])
        places[living, :2] = coordinates[:, :2]
        places[living, 2:4] = _tsne(coordinates)
        places[living, 4:] = _umap(coordinates)
    table = pd.DataFrame(places, columns=list(COLUMNS)[1:])
    table.insert(0, "channel", np.arange(len(varies)))
    return table


def _upright(vectors: np.ndarray) -> np.ndarray:
    """Each column with the sign that makes its greatest entry positive: a vector's sign means nothing."""
    greatest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return vectors * np.where(greatest < 0, -1, 1)


def _tsne(coordinates: np.ndarray) -> np.ndarray:
    if len(coordinates) < FEWEST:
        return coordinates[:, :2]
    from sklearn.manifold import TSNE

    start = coordinates[:, :2] / max(coordinates[:, 0].std(), 1e-12) * 1e-4
    method = "exact" if len(coordinates) <= 64 else "barnes_hut"
    perplexity = min(30.0, (len(coordinates) - 1) / 3)
    made = TSNE(init=start, perplexity=perplexity, random_state=0, method=method, n_jobs=1).fit_transform(coordinates)
    return np.asarray(made, np.float64)


def _umap(coordinates: np.ndarray) -> np.ndarray | float:
    """NaN without umap-learn, which is an extra: it brings a compiler's work of some seconds to each worker."""
    if find_spec("umap") is None:
        return np.nan
    if len(coordinates) < FEWEST:
        return coordinates[:, :2]
    from umap import UMAP

    start = coordinates[:, :2] / max(coordinates[:, 0].std(), 1e-12)
    near = min(15, len(coordinates) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread is what is wanted
        made = UMAP(n_neighbors=near, init=start, random_state=0, n_jobs=1).fit_transform(coordinates)
    return np.asarray(made, np.float64)
