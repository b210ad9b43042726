"""How a person asks for a file to be opened: what they say that the file does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """
    architecture      : a known net's name, or `my_net.py:MyNet`; None: find out
    architecture_args : what MyNet is made with
    input_spec        : fields of InputSpec that override what was found
    trust             : allow a file to run its own code
    partial           : accept a net of which more than the head has no weights
    """

    architecture: str | None = None
    architecture_args: Mapping[str, Any] = field(default_factory=dict)
    input_spec: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False
    partial: bool = False

    def options(self, architecture: str | None) -> dict[str, Any]:
        """What to give `open_model` to have the same again; `architecture` as it was chosen."""
        chosen = {
            "architecture": self.architecture or architecture,
            "architecture_args": dict(self.architecture_args),
            "input_spec": {
                name: list(value) if isinstance(value, tuple) else value for name, value in self.input_spec.items()
            },
            "trust": self.trust,
            "partial": self.partial,
        }
        return {name: value for name, value in chosen.items() if value}
