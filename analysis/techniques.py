"""Every technique there is. A new one is one file in its room and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from analysis.errors import StrataError
from analysis.technique import Technique


@cache
def techniques() -> Mapping[str, Technique]:
    """By name, each after what it requires. Imported when first asked for: they bring torch with them."""
    from analysis.activation_atlas.technique import ActivationAtlas
    from analysis.circuits.technique import Circuits
    from analysis.exemplars.heat import Heat, HeatPass
    from analysis.exemplars.images import Images
    from analysis.exemplars.outputs import Outputs
    from analysis.exemplars.technique import Exemplars
    from analysis.features.prior_technique import PriorTechnique
    from analysis.features.renders import RendersTechnique
    from analysis.features.technique import FeaturesTechnique, SketchesTechnique
    from analysis.features.twins import TwinsTechnique
    from analysis.statistics.map_technique import LikenessMap
    from analysis.statistics.technique import Measure, Statistics
    from analysis.statistics.weights_technique import Weights

    kinds = (
        Weights,
        Circuits,
        Measure,
        Statistics,
        LikenessMap,
        Outputs,
        Exemplars,
        Images,
        HeatPass,
        Heat,
        PriorTechnique,
        FeaturesTechnique,
        SketchesTechnique,
        RendersTechnique,
        TwinsTechnique,
        ActivationAtlas,
    )
    return {kind.name: kind() for kind in kinds}


def technique(name: str) -> Technique:
    """Raises StrataError, listing what there is, for a name that no technique has."""
    try:
        return techniques()[name]
    except KeyError:
        raise StrataError(f"There is no technique “{name}”. Choose from {', '.join(techniques())}.") from None
