"""The address of one channel, the same in a URL, on the command line, in the database and in exports."""

from __future__ import annotations

import re
from dataclasses import dataclass

from analysis.errors import StrataError

HEAD = "output"
"""The layer in the address of a class: `<model>/output:207` is what the model answers with for class 207. Of several
outputs each has its own: `output.0`, `output.age`."""

_FORM = re.compile(r"(?P<model>[^/]+)/(?P<layer>.+):(?P<channel>\d+)")


@dataclass(frozen=True, order=True)
class Unit:
    """One channel of one layer of one model, written `<model>/<layer>:<channel>`.

    Layer names may hold slashes and colons (ONNX paths do); model ids never hold a slash and the channel is
    what follows the last colon, so the written form is unambiguous.
    """

    model: str
    layer: str
    channel: int

    def __str__(self) -> str:
        return f"{self.model}/{self.layer}:{self.channel}"

    @classmethod
    def parse(cls, text: str) -> Unit:
        """Read `squeezenet-3f2a91c0/features.3.expand3x3:17`. Raises StrataError for any other form."""
        found = _FORM.fullmatch(text.strip())
        if not found:
            raise StrataError(f"“{text}” is not a unit's address. Write it as model/layer:channel.")
        return cls(found["model"], found["layer"], int(found["channel"]))
