"""Images → batches. The probe is the set of images that a model is measured on."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.probe.open import open_probe as open_probe


def __getattr__(name: str) -> Any:
    """`open_probe`, imported when it is first asked for: who only reads a probe's card needs no torch."""
    if name == "open_probe":
        from analysis.probe.open import open_probe

        return open_probe
    raise AttributeError(name)
