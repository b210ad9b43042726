"""Why a model could not be opened. Each message: one sentence of what is wrong, one of what to do."""

from analysis.errors import StrataError


class ModelError(StrataError):
    """A model file that can not be opened, run or trusted."""
