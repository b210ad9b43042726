"""What is true of a layer as a whole: `layer.json` beside its statistics table."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.statistics.by_class import nearest_centroid
from analysis.statistics.layer_state import LayerState
from analysis.statistics.structure import Structure

FACTS: dict[str, str] = {
    "images": "images measured",
    "activation": "the activation that follows the conv, null where none does",
    "joined": "whether its output is added to another branch before that",
    "batch_norm": "shift of the conv's output against the statistics that the following batch normalisation stores: "
    "z = median |mean − stored mean| ÷ stored std, r = median |log2(variance ÷ stored variance)|",
    "structure": "of the channels' covariance: participation_ratio, effective_rank, k99 (eigenvalues that hold 99 %), "
    "over positions or images, rows, dimensions (channels, or columns of their sketch)",
    "nearest_centroid": "accuracy of telling classes by the nearest class mean, each image left out of its own; of how "
    "many images and classes, and what chance gives",
    "needs": "for each of the above that is null: what it needs",
}
"""Name → meaning."""


def layer_facts(state: LayerState, structure: Structure | None) -> dict[str, Any]:
    images = int(state.sums["images"].max(initial=0))
    facts: dict[str, Any] = {
        "images": images,
        "activation": state.follow.activation,
        "joined": state.follow.joined,
        "batch_norm": batch_norm_shift(state),
        "structure": None,
        "nearest_centroid": None,
    }
    needs: dict[str, str] = {}
    if structure is None:
        needs["structure"] = "needs two images on which a channel differs"
    else:
        names = ("over", "rows", "dimensions", "participation_ratio", "effective_rank", "k99")
        facts["structure"] = {name: getattr(structure, name) for name in names}
    found = nearest_centroid(state)
    if found is None:
        needs["nearest_centroid"] = "needs labels of two classes or more, and two images or more in one of them"
    else:
        facts["nearest_centroid"] = {**vars(found), "chance": 1 / found.classes}
    if facts["batch_norm"] is None:
        needs["batch_norm"] = "not applicable: no batch normalisation reads this layer's output directly"
    return facts | {"needs": needs}


def batch_norm_shift(state: LayerState) -> dict[str, float] | None:
    """{"z", "r"} over the channels that vary, or None where no batch normalisation follows or nothing was measured."""
    norm = state.follow.norm
    mean, variance = state.maps.known_mean, state.maps.variance
    if not norm or not np.isfinite(mean).any():
        return None
    stored = norm["variance"]
    usable = np.isfinite(mean) & (stored > 0)
    varied = usable & (variance > 0)
    if not usable.any():
        return None
    z = np.abs(mean - norm["mean"])[usable] / np.sqrt(stored[usable])
    r = np.abs(np.log2(variance[varied] / stored[varied]))
    return {"z": float(np.median(z)), "r": float(np.median(r)) if varied.any() else 0.0}
