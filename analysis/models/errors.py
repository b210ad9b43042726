"""Why a model could not be opened. Each message: one sentence of what is wrong, one of what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis.errors import StrataError

if TYPE_CHECKING:
    import torch


class ModelError(StrataError):
    """A model file that can not be opened, run or trusted."""


class OnlyWeights(ModelError):
    """Whole weights that can be looked at but not run: of an unknown net, or of one that takes no images.

    state  : key → tensor, as the file has them
    format : what ModelCard.format says of the file
    """

    def __init__(self, message: str, state: Mapping[str, torch.Tensor], format: str = "state dict") -> None:
        super().__init__(message)
        self.state = state
        self.format = format
