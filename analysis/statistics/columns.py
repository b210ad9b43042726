"""The columns of a layer's statistics table, `statistics.parquet`: one row a channel."""

from __future__ import annotations

QUANTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)
"""Percent."""
IMAGE_QUANTILES = (1, 5, 25, 50, 75, 95, 99)
"""Percent, of what is one number an image: its map's greatest value, its map's mean."""
HISTOGRAM_BINS = 32

COLUMNS: dict[str, str] = {
    "channel": "number of the channel",
    "images": "images measured",
    "count": "finite values measured: images × positions",
    "nonfinite": "values that were NaN or infinite; left out of everything else",
    "mean": "mean at the conv's own output",
    "std": "standard deviation there (divided by n)",
    "min": "least value there",
    "max": "greatest value there",
    "exact_zeros": "share of values that are exactly 0 there",
    "negatives": "share of values below 0 there",
    "zeros": "share of values ≤ 0 after the batch normalisation that follows, if one does: what a ReLU silences",
    "dead": "true where that share is 1 on every image and a ReLU follows: nothing gets through",
    "after_mean": "mean after the normalisation and activation that follow (before the sum in a residual block)",
    "after_std": "standard deviation there",
    "after_min": "least value there",
    "after_max": "greatest value there",
    "border_ratio": "mean after the activation on a map's outermost ring ÷ mean inside; NaN where one is 0",
    **{
        f"p{share:02d}": f"{share} % quantile of the counted values at the conv's output, within 3.2 % of itself"
        for share in QUANTILES
    },
    **{
        f"after_p{share:02d}": f"{share} % quantile of them after the normalisation and activation, within 3.2 % of a·x"
        for share in QUANTILES
    },
    "peak_mean": "mean over the images of the map's greatest value",
    "peak_std": "standard deviation over the images of the map's greatest value",
    "peak_min": "the weakest image's greatest value",
    "peak_max": "the strongest image's greatest value",
    **{
        f"peak_p{share:02d}": f"{share} % quantile over the images of the map's greatest value"
        for share in IMAGE_QUANTILES
    },
    **{
        f"image_mean_p{share:02d}": f"{share} % quantile over the images of the map's mean" for share in IMAGE_QUANTILES
    },
    "image_mean_std": "standard deviation over the images of the map's mean",
    "image_mean_min": "least of the images' means",
    "image_mean_max": "greatest of them",
    "histogram": f"list: values in each of {HISTOGRAM_BINS} equal bins from min to max at the conv's output, "
    "shared out as the counted ones",
    "histogram_edges": "list: edges of those bins",
    "after_histogram": f"list: values after the activation in {HISTOGRAM_BINS} equal bins from after_min to after_max",
    "selectivity": "(greatest class mean − mean of the others) ÷ their sum, after the activation; NaN without classes",
    "classes": "list: the five classes with the greatest mean after the activation; absent without labels",
    "class_means": "list: these means",
    "twin": "the other channel of the layer with the greatest |correlation|, −1 where there is none",
    "twin_correlation": "that correlation, with its sign: over up to 4 × 4 evenly spaced positions an image; in layers "
    "too wide for that over the images' means after the activation",
}
"""Name → meaning. Units: those of the model's activations, shares are 0 … 1."""
