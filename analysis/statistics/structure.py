"""How many directions a layer uses, and which of its channels say the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.statistics.layer_state import LayerState


@dataclass(frozen=True)
class Structure:
    """over : what the covariance was taken over: "positions" of all images, or the "images" that were drawn
    rows   : how many of these
    dimensions : eigenvalues that it has: the channels, or the columns of a sketch of them (covariance.buckets)
    participation_ratio : (Σλ)² ÷ Σλ² of the covariance's eigenvalues λ; C for independent channels of one scale;
                          estimated, where it is a sketch
    effective_rank      : exp(−Σ p ln p), p = λ ÷ Σλ (Roy and Vetterli, EUSIPCO 2007); of a sketch, that of the sketch
    k99    : how many of the largest eigenvalues hold 99 % of the variance
    twin, correlation : [C] the other channel with the greatest |correlation|, and that correlation with its sign;
                        −1 and NaN for a channel that does not vary or has no other. Of wide layers over the images
    """

    over: str
    rows: int
    dimensions: int
    participation_ratio: float
    effective_rank: float
    k99: int
    twin: np.ndarray
    correlation: np.ndarray


def structure_of(state: LayerState) -> Structure | None:
    """From the covariances over the positions of a grid: of all channels, or of a sketch of them in wide layers; where
    none were kept from the drawn images' means after the activation. None with fewer than two rows, or where nothing
    varies.
    """
    over, rows, covariance = covariance_of(state)
    spectrum, sketched = covariance, 0 < len(state.covariance.mean) < len(covariance)
    if sketched:
        over, rows, spectrum = "positions", state.covariance.rows, state.covariance.matrix()
    if rows < 2:
        return None
    eigenvalues = np.clip(np.linalg.eigvalsh(spectrum)[::-1], 0, None)
    total = eigenvalues.sum()
    if total <= 0:
        return None
    share = eigenvalues / total
    positive = share[share > 0]
    twin, correlation = twins(covariance)
    return Structure(
        over,
        rows,
        len(eigenvalues),
        participation_ratio(eigenvalues, len(covariance), sketched),
        float(np.exp(-(positive * np.log(positive)).sum())),
        int(np.searchsorted(np.cumsum(share), 0.99 - 1e-12) + 1),
        twin,
        correlation,
    )


def covariance_of(state: LayerState) -> tuple[str, int, np.ndarray]:
    """(what it is taken over, how many of these, [C, C]): over the positions where all covariances are kept, else over
    the drawn images' means after the activation."""
    if len(state.covariance.mean) == len(state.maps.count):
        return "positions", state.covariance.rows, state.covariance.matrix()
    means = state.drawn.means.astype(np.float64)
    means = means[np.isfinite(means).all(axis=1)]
    apart = means - means.mean(axis=0) if len(means) else means
    return "images", len(means), apart.T @ apart / max(len(means), 1)


def participation_ratio(eigenvalues: np.ndarray, channels: int, sketched: bool) -> float:
    """(Σλ)² ÷ Σλ². Of a sketch of k columns E[Σλ²] is (1 + 1/k)·Σλ² + (Σλ)²/k of the whole, but for what a single
    channel adds; solved for Σλ² of the whole."""
    total, squares = eigenvalues.sum(), (eigenvalues**2).sum()
    if not sketched:
        return float(total**2 / squares)
    columns = len(eigenvalues)
    whole = (squares - total**2 / columns) / (1 + 1 / columns)
    return float(min(total**2 / whole, channels)) if whole > 0 else float(channels)


def correlations(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[C, C] → (correlations [C, C], 0 on the diagonal; [C] whether a channel varies at all)."""
    variance = np.diag(covariance)
    varies = variance > variance.max(initial=0) * 1e-12
    scale = np.where(varies, np.sqrt(np.where(varies, variance, 1)), np.inf)
    correlation = (covariance / scale[:, None] / scale).clip(-1, 1)
    np.fill_diagonal(correlation, 0)
    return correlation, varies


def twins(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[C, C] → (the most correlated other channel [C], its correlation [C]); −1 and NaN where there is none."""
    correlation, varies = correlations(covariance)
    twin = np.abs(correlation).argmax(axis=1) if len(varies) else np.zeros(0, np.int64)
    best = correlation[np.arange(len(twin)), twin]
    alone = ~varies | (varies.sum() < 2)
    return np.where(alone, -1, twin), np.where(alone, np.nan, best)
