"""Two atlases of one library, laid side by side."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.atlas.atlas import Atlas
from analysis.comparison.compare import compare_models


def compare_atlases(a: Atlas, b: Atlas) -> pd.DataFrame:
    """One row a pair of layers, as `compare_models` makes it, from the statistics that both atlases have so far."""
    return compare_models(a.model, b.model, _statistics(a), _statistics(b))


def _statistics(atlas: Atlas) -> Mapping[str, pd.DataFrame]:
    tables = {layer.name: atlas.statistics(layer.name) for layer in atlas.model.layers}
    return {name: table for name, table in tables.items() if table is not None}
