"""What the opener of one format hands to analysis/models/open.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from analysis.models.input_spec import InputSpec


@dataclass(frozen=True)
class Opened:
    """A module that is ready to run, and what was learned on the way; the fields are those of ModelCard.

    lacking : paths of the layers that the file has no weights of
    names : where a weight's numbers lie → the name of its layer, where the module's own names are not the ones to show
    """

    module: nn.Module
    spec: InputSpec
    format: str
    architecture: str | None = None
    evidence: str = ""
    warnings: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    verification: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[int, str] | None = None
    side_files: tuple[str, ...] = ()
    lacking: frozenset[str] = frozenset()
    rebuilt: bool = False
